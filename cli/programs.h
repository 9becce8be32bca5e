/* SPDX-License-Identifier: GPL-2.0-only */
/* Selecting tests of programs by name. */
#ifndef KTSTR_CLI_PROGRAMS_H
#define KTSTR_CLI_PROGRAMS_H

#include <argp.h>
#include <regex.h>

#include "runner/runner.h"

struct ktstr_cli_pattern {
	enum { KTSTR_PATTERN_SUBSTRING, KTSTR_PATTERN_EXACT, KTSTR_PATTERN_REGEX } kind;
	const char *text; /* borrowed from argv */
	regex_t regex;
};

struct ktstr_cli_filter {
	struct ktstr_cli_pattern *patterns; /* any may match; none = everything */
	size_t count;
	bool ignored; /* take tests that are ignored by default, too */
};

/* "text", "=full/name", "/regex/" (POSIX extended). */
struct ktstr_error *ktstr_cli_filter_add(struct ktstr_cli_filter *filter, const char *pattern)
	KTSTR_CHECKED;
/* Matches the full name "ktstr/<test>". A test that is ignored by default needs `ignored` or its exact name. */
bool ktstr_cli_filter_matches(const struct ktstr_cli_filter *filter, const struct ktstr_test_info *test);
void ktstr_cli_filter_deinit(struct ktstr_cli_filter *filter);

/* The error for an empty selection, with the nearest name where one is near. */
struct ktstr_error *ktstr_cli_nothing_matches(const struct ktstr_cli_filter *filter,
					      const struct ktstr_program *programs, size_t count)
	KTSTR_CHECKED;

/* The arguments "[PROGRAM] TEST" of a command about one test; its argp takes ktstr_cli_test_argp as a child. */
struct ktstr_cli_test_names {
	const char *names[2];
	unsigned int count;
};
extern const struct argp ktstr_cli_test_argp;

/*
 * { TEST } is a built-in scenario, { PROGRAM, TEST } a test of a program, which is loaded either way. The name may begin
 * with "ktstr/".
 */
struct ktstr_error *ktstr_cli_find_test(const struct ktstr_cli_test_names *names, struct ktstr_program *program,
					const struct ktstr_test_info **test) KTSTR_CHECKED;

#endif
