// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr show-thresholds`: what a test checks, after defaults, scheduler and test are merged. */
#include <argp.h>
#include <stdio.h>

#include "check/assert.h"
#include "check/result_json.h"
#include "cli/commands.h"
#include "cli/programs.h"

struct thresholds_arguments {
	struct ktstr_cli_test_names names;
	bool json;
};

static const struct argp_option options[] = {
	{ "json", 'J', NULL, 0, "as JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct thresholds_arguments *arguments = state->input;

	(void)value;
	switch (key) {
	case 'J':
		arguments->json = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->names;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { .argp = &ktstr_cli_test_argp }, { 0 } };
static const struct argp argp = {
	.options = options,
	.children = children,
	.parser = parse,
	.args_doc = "[PROGRAM] TEST",
	.doc = "Shows the thresholds that a test is judged by: the scheduler's, overridden by the test's own. A field that "
	       "nobody sets is \"none\" and checks nothing. Without PROGRAM: of a built-in scenario.",
};

static struct ktstr_error *show(const struct thresholds_arguments *arguments, struct ktstr_program *program)
{
	const struct ktstr_test_info *test;
	struct ktstr_assert assert;

	KTSTR_TRY(ktstr_cli_find_test(&arguments->names, program, &test));
	KTSTR_TRY_WRAP(ktstr_assert_from_json(test->checks, &assert), "%s", test->name);
	/* What nobody set applies with its default once monitor thresholds are enforced. */
	if (assert.enforce_monitor_thresholds == KTSTR_ON)
		assert = ktstr_assert_with_monitor_defaults(&assert);
	if (arguments->json)
		ktstr_cli_print_json(ktstr_assert_to_json(&assert));
	else
		ktstr_assert_print(&assert, stdout);
	return NULL;
}

int ktstr_cmd_show_thresholds(int argc, char **argv)
{
	struct thresholds_arguments arguments = { 0 };
	struct ktstr_program program = { 0 };
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = show(&arguments, &program);
	ktstr_program_deinit(&program);
	return error ? ktstr_cli_fail(error) : KTSTR_EXIT_PASS;
}
