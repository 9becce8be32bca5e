// SPDX-License-Identifier: GPL-2.0-only
/* Finds the built-in scenarios. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/scenarios.h"

struct ktstr_error *ktstr_cli_load_scenarios(struct ktstr_program *program)
{
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(ktstr_find_helper("ktstr-scenarios", &path));
	return ktstr_program_load(path, program);
}

struct ktstr_error *ktstr_cli_find_scenario(const struct ktstr_program *program, const char *name,
					    const struct ktstr_test_info **test)
{
	_cleanup_free_ const char **names = ktstr_xcalloc(program->tests_count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < program->tests_count; i++) {
		names[i] = program->tests[i].name;
		if (!strcmp(names[i], name)) {
			*test = &program->tests[i];
			return NULL;
		}
	}
	nearest = ktstr_nearest_name(name, names, program->tests_count);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no scenario \"%s\"%s%s%s `ktstr list --scenarios` lists them",
			       name, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			       nearest ? "\"?" : ";");
}
