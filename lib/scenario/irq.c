// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/interrupts (show_interrupts() in kernel/irq/proc.c): a line "<number>: <count per CPU>... <chip> <hwirq and trigger>
 * <action>, <action>..." for each interrupt that has a number; those without, such as "NMI:", cannot be steered.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "scenario/irq.h"

struct irq_search {
	const char *label;
	unsigned int number, matches;
	struct ktstr_str numbers, actions; /* of the matches; of all interrupts */
};

/* Actions are separated by ", "; the first follows a column of blanks. */
static const char *first_action(char *line)
{
	char *comma = strchr(line, ','), *end = comma ? comma : line + strlen(line);

	while (end > line && end[-1] != ' ' && end[-1] != '\t')
		end--;
	return end;
}

static void search_line(struct irq_search *search, char *line)
{
	char *rest, *save = NULL;
	unsigned long number = strtoul(line, &rest, 10);
	bool matched = false;

	if (rest == line || *rest != ':')
		return;
	for (char *action = strtok_r((char *)first_action(rest + 1), ",", &save); action;
	     action = strtok_r(NULL, ",", &save)) {
		action += strspn(action, " \t");
		ktstr_str_addf(&search->actions, "%s%s", search->actions.length ? ", " : "", action);
		matched |= !strcmp(action, search->label);
	}
	if (!matched)
		return;
	ktstr_str_addf(&search->numbers, "%s%lu", search->matches++ ? ", " : "", number);
	search->number = (unsigned int)number;
}

struct ktstr_error *irq_find(const char *interrupts_path, const char *label, unsigned int *number)
{
	struct irq_search search = { .label = label };
	_cleanup_free_ char *text = NULL;
	struct ktstr_error *error = NULL;
	char *save = NULL;

	KTSTR_TRY(ktstr_read_file(interrupts_path, &text, NULL));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		for (char *end = line + strlen(line); end > line && isspace((unsigned char)end[-1]);)
			*--end = '\0';
		search_line(&search, line);
	}
	if (search.matches > 1)
		error = ktstr_error_new(KTSTR_ERR_INVALID,
					"%u interrupts are called \"%s\" (%s): name one with ktstr_irq_by_number()",
					search.matches, label, ktstr_str_text(&search.numbers));
	else if (!search.matches)
		error = ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no interrupt is called \"%s\"; %s has: %s", label,
					interrupts_path, ktstr_str_text(&search.actions));
	*number = search.number;
	ktstr_str_deinit(&search.numbers);
	ktstr_str_deinit(&search.actions);
	return error;
}

struct ktstr_error *irq_steer(unsigned int number, unsigned int cpu)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/irq/%u/smp_affinity_list", number);
	_cleanup_free_ char *text = ktstr_xasprintf("%u", cpu);

	if (!ktstr_path_exists(path))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "there is no interrupt %u: %s does not exist", number, path);
	return ktstr_write_value(path, text);
}
