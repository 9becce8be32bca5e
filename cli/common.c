// SPDX-License-Identifier: GPL-2.0-only
/* What subcommands share: errors, JSON, progress, and values of options. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "cli/commands.h"

int ktstr_cli_fail(struct ktstr_error *error)
{
	ktstr_cli_progress_done();
	fprintf(stderr, "ktstr: %s\n", ktstr_error_message(error));
	ktstr_error_free(error);
	return KTSTR_EXIT_FAIL;
}

void ktstr_cli_print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(json);
}

static char progress_shown[128];
static uint64_t progress_drawn_ns;

static void draw_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	bool terminal = isatty(STDERR_FILENO);
	bool new_step = strncmp(progress_shown, what, sizeof(progress_shown) - 1);
	uint64_t now = ktstr_now_ns();

	(void)context;
	if (!new_step && (!terminal || (now - progress_drawn_ns < 100000000u && done != total)))
		return;
	snprintf(progress_shown, sizeof(progress_shown), "%s", what);
	progress_drawn_ns = now;
	if (!terminal)
		fprintf(stderr, "ktstr: %s\n", what);
	else if (total)
		fprintf(stderr, "\r\033[K%s  %llu/%llu MiB %3.0f%%", what, (unsigned long long)(done >> 20),
			(unsigned long long)(total >> 20), 100.0 * (double)done / (double)total);
	else
		fprintf(stderr, "\r\033[K%s", what);
}

const struct ktstr_progress *ktstr_cli_progress(void)
{
	static const struct ktstr_progress progress = { .report = draw_progress };

	return &progress;
}

void ktstr_cli_progress_done(void)
{
	if (*progress_shown && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	*progress_shown = '\0';
}

struct ktstr_error *ktstr_cli_duration(const char *option, const char *text, uint64_t *duration_ns)
{
	KTSTR_TRY_WRAP(ktstr_parse_duration(text, duration_ns), "%s", option);
	return NULL;
}

int ktstr_cli_split(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--"))
			return i;
	return argc;
}

struct ktstr_error *ktstr_cli_cpu_cap(const char *text, unsigned int *cap)
{
	uint64_t number;

	if (!ktstr_parse_number(text, 1, KTSTR_MAX_CPUS, &number))
		return ktstr_error_new(KTSTR_ERR_INVALID, "--cpu-cap %s: give a number of host CPUs from 1 to %d", text,
				       KTSTR_MAX_CPUS);
	*cap = (unsigned int)number;
	return NULL;
}
