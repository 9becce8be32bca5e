/* SPDX-License-Identifier: GPL-2.0-only */
/* The built-in scenarios: tests of the program ktstr-scenarios, which comes with ktstr. */
#ifndef KTSTR_CLI_SCENARIOS_H
#define KTSTR_CLI_SCENARIOS_H

#include "runner/runner.h"

struct ktstr_error *ktstr_cli_load_scenarios(struct ktstr_program *program) KTSTR_CHECKED;
/* KTSTR_ERR_NOT_FOUND suggests the nearest name. *test is borrowed from program. */
struct ktstr_error *ktstr_cli_find_scenario(const struct ktstr_program *program, const char *name,
					    const struct ktstr_test_info **test) KTSTR_CHECKED;

#endif
