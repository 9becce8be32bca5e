// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr doctor`: shows whether tests can run on this machine, check by check, as text or JSON. */
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/commands.h"
#include "doctor.h"

enum { WRAP_COLUMN = 100 };

static bool can_run(const struct doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->checks[i].status == DOCTOR_MISSING)
			return false;
	return true;
}

static const char *const status_names[] = { "ok", "warn", "missing", "info" };

static const char *colour_of(enum doctor_status status)
{
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m", "\033[2m" };

	return isatty(STDOUT_FILENO) && !ktstr_env("NO_COLOR") ? colours[status] : NULL;
}

/* Words of text behind `first`, wrapped; the following lines are indented by `indent` columns. */
static void print_wrapped(const char *first, const char *text, size_t indent)
{
	size_t column = indent;

	printf("%s", first);
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > indent && column + 1 + word > WRAP_COLUMN) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, text);
		column += word;
		text += word + (text[word] == ' ');
	}
	putchar('\n');
}

static void print_check(const struct doctor_check *check)
{
	const char *colour = colour_of(check->status);

	printf("%s%-8s%s%-13s", colour ? colour : "", status_names[check->status],
	       colour ? "\033[0m" : "", check->name);
	print_wrapped("", check->found, 21);
	if (check->status != DOCTOR_OK)
		print_wrapped("                     - ", check->meaning, 23);
	if (check->remedy)
		print_wrapped("                     > ", check->remedy, 23);
}

static int print_text(const struct doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		print_check(&report->checks[i]);
	printf("\n%s\n", can_run(report)
				 ? "Tests can run here."
				 : "Tests cannot run here yet: see the checks marked \"missing\".");
	return can_run(report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print_json(const struct doctor_report *report)
{
	json_t *checks = json_array();
	json_t *root = json_pack("{s:b, s:o}", "can_run", can_run(report), "checks", checks);

	for (size_t i = 0; i < report->count; i++) {
		const struct doctor_check *check = &report->checks[i];

		json_array_append_new(checks,
				      json_pack("{s:s, s:s, s:s, s:s, s:s?}", "name", check->name,
						"status", status_names[check->status], "found",
						check->found, "meaning", check->meaning, "remedy",
						check->remedy));
	}
	ktstr_cli_print_json(root);
	return can_run(report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	switch (key) {
	case 'J':
		*(bool *)state->input = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int ktstr_cmd_doctor(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ .name = "json", .key = 'J', .doc = "as JSON" }, { 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = "Check whether tests can run on this machine, and say what to do where they "
		       "cannot.\v"
		       "Exit status: 0 when tests can run, 1 when something required is missing.",
	};
	_cleanup_(ktstr_doctor_deinit) struct doctor_report report = { 0 };
	bool json = false;

	if (argp_parse(&argp, argc, argv, 0, NULL, &json))
		return EXIT_FAILURE;
	ktstr_doctor_run(&report);
	return json ? print_json(&report) : print_text(&report);
}
