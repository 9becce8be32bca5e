// SPDX-License-Identifier: GPL-2.0-only
/* Selecting tests of programs by name. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/programs.h"
#include "cli/scenarios.h"

struct ktstr_error *ktstr_cli_filter_add(struct ktstr_cli_filter *filter, const char *pattern)
{
	struct ktstr_cli_pattern parsed = { .kind = KTSTR_PATTERN_SUBSTRING, .text = pattern };
	size_t length = strlen(pattern);

	if (*pattern == '=') {
		parsed.kind = KTSTR_PATTERN_EXACT;
		parsed.text = pattern + 1;
	} else if (length >= 2 && *pattern == '/' && pattern[length - 1] == '/') {
		_cleanup_free_ char *expression = ktstr_xstrndup(pattern + 1, length - 2);
		int failed = regcomp(&parsed.regex, expression, REG_EXTENDED | REG_NOSUB);
		char why[128];

		if (failed) {
			regerror(failed, &parsed.regex, why, sizeof(why));
			return ktstr_error_new(KTSTR_ERR_INVALID, "--filter %s: %s", pattern, why);
		}
		parsed.kind = KTSTR_PATTERN_REGEX;
	}
	filter->patterns = ktstr_xrealloc(filter->patterns, (filter->count + 1) * sizeof(parsed));
	filter->patterns[filter->count++] = parsed;
	return NULL;
}

static bool pattern_matches(const struct ktstr_cli_pattern *pattern, const char *name)
{
	switch (pattern->kind) {
	case KTSTR_PATTERN_EXACT:
		return !strcmp(name, pattern->text);
	case KTSTR_PATTERN_REGEX:
		return !regexec(&pattern->regex, name, 0, NULL, 0);
	default:
		return strstr(name, pattern->text);
	}
}

bool ktstr_cli_filter_matches(const struct ktstr_cli_filter *filter, const struct ktstr_test_info *test)
{
	_cleanup_free_ char *name = ktstr_xasprintf("ktstr/%s", test->name);

	if (ktstr_env("KTSTR_PERF_ONLY") && !test->performance_mode)
		return false;
	for (size_t i = 0; i < filter->count; i++) {
		const struct ktstr_cli_pattern *pattern = &filter->patterns[i];

		if (pattern_matches(pattern, name))
			return !test->ignore || filter->ignored || pattern->kind == KTSTR_PATTERN_EXACT;
	}
	return !filter->count && (!test->ignore || filter->ignored);
}

void ktstr_cli_filter_deinit(struct ktstr_cli_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		if (filter->patterns[i].kind == KTSTR_PATTERN_REGEX)
			regfree(&filter->patterns[i].regex);
	free(filter->patterns);
	*filter = (struct ktstr_cli_filter){ 0 };
}

static const char *bare(const char *name)
{
	return ktstr_str_starts_with(name, "ktstr/") ? name + strlen("ktstr/") : name;
}

struct ktstr_error *ktstr_cli_nothing_matches(const struct ktstr_cli_filter *filter,
					      const struct ktstr_program *programs, size_t count)
{
	const char **names = NULL, *nearest = NULL;
	size_t names_count = 0;
	struct ktstr_error *error;

	for (size_t p = 0; p < count; p++) {
		for (size_t i = 0; i < programs[p].tests_count; i++) {
			names = ktstr_xrealloc(names, (names_count + 1) * sizeof(*names));
			names[names_count++] = programs[p].tests[i].name;
		}
	}
	if (ktstr_env("KTSTR_PERF_ONLY"))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "KTSTR_PERF_ONLY is set, and no test that was chosen has .performance_mode: unset it");
	if (filter->count)
		nearest = ktstr_nearest_name(bare(filter->patterns[0].text), names, names_count);
	if (!filter->count)
		error = ktstr_error_new(KTSTR_ERR_NOT_FOUND, "every test is ignored by default; --ignored runs them");
	else
		error = ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no test matches \"%s\"%s%s%s --list shows them",
					filter->patterns[0].text, nearest ? "; did you mean \"" : "",
					nearest ? nearest : "", nearest ? "\"?" : ";");
	free(names);
	return error;
}

static struct ktstr_error *find_test(const struct ktstr_program *program, const char *name,
				     const struct ktstr_test_info **test)
{
	if (ktstr_str_starts_with(name, "ktstr/"))
		name += strlen("ktstr/");
	for (size_t i = 0; i < program->tests_count; i++)
		if (!strcmp(program->tests[i].name, name))
			*test = &program->tests[i];
	if (*test)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s has no test \"%s\"; `ktstr list %s` lists them", program->path, name,
			       program->path);
}

static error_t parse_names(int key, char *value, struct argp_state *state)
{
	struct ktstr_cli_test_names *names = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (names->count == 2)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "unexpected argument \"%s\"", value);
		names->names[names->count++] = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_failure(state, KTSTR_EXIT_FAIL, 0, "which test? usage: %s [PROGRAM] TEST", state->name);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ktstr_cli_test_argp = { .parser = parse_names };

struct ktstr_error *ktstr_cli_find_test(const struct ktstr_cli_test_names *names, struct ktstr_program *program,
					const struct ktstr_test_info **test)
{
	*test = NULL;
	if (names->count == 1) {
		KTSTR_TRY(ktstr_cli_load_scenarios(program));
		return ktstr_cli_find_scenario(program, names->names[0], test);
	}
	KTSTR_TRY(ktstr_program_load(names->names[0], program));
	return find_test(program, names->names[1], test);
}
