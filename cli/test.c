// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr test`: the tests of the user's programs. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/programs.h"

struct test_arguments {
	struct ktstr_cli_run_options common;
	const char *scheduler;
	struct ktstr_cli_filter filter;
	struct ktstr_strv programs;
	bool list;
};

static const struct argp_option options[] = {
	{ "filter", 'k', "PATTERN", 0, "substring of the name, =FULL/NAME, or /regex/; repeatable, any may match", 1 },
	{ "scheduler", 's', "PATH|NAME|eevdf", 0, "instead of each test's own", 1 },
	{ "list", 'l', NULL, 0, "print the names and run nothing", 1 },
	{ "ignored", 'i', NULL, 0, "run the tests that are ignored by default, too", 1 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct test_arguments *arguments = state->input;
	struct ktstr_error *error;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->common;
		return 0;
	case 'k':
		error = ktstr_cli_filter_add(&arguments->filter, value);
		if (error)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "%s", ktstr_error_message(error));
		return 0;
	case 's':
		arguments->scheduler = value;
		return 0;
	case 'l':
		arguments->list = true;
		return 0;
	case 'i':
		arguments->filter.ignored = true;
		return 0;
	case ARGP_KEY_ARG:
		ktstr_strv_add(&arguments->programs, value);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_failure(state, KTSTR_EXIT_FAIL, 0, "which program? usage: ktstr test PROGRAM...");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &ktstr_cli_run_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.args_doc = "PROGRAM...",
	.doc = "Runs every KTSTR_TEST of the programs, each in a VM of its own."
	       "\vExit code: 0 all passed or were skipped, 1 a failure, or an error before the first test, 2 no failure but something "
	       "inconclusive, 130 interrupted.",
};

/* Declarations that cannot run stop everything before a VM boots. */
static struct ktstr_error *check_declarations(const struct ktstr_program *program)
{
	_cleanup_str_ struct ktstr_str text = { 0 };

	for (size_t i = 0; i < program->errors.count; i++)
		ktstr_str_addf(&text, "\n  %s", program->errors.items[i]);
	if (!text.length)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "%s declares tests that cannot run:%s", program->path,
			       text.data);
}

static struct ktstr_error *plan_programs(const struct test_arguments *arguments,
					 struct ktstr_program *programs, struct ktstr_cli_plan *plan)
{
	for (size_t p = 0; p < arguments->programs.count; p++) {
		struct ktstr_program *program = &programs[p];

		KTSTR_TRY(ktstr_program_load(arguments->programs.items[p], program));
		KTSTR_TRY(check_declarations(program));
		plan->program_argument = arguments->programs.items[p];
		for (size_t i = 0; i < program->tests_count; i++)
			if (ktstr_cli_filter_matches(&arguments->filter, &program->tests[i]))
				KTSTR_TRY(ktstr_cli_plan_test(plan, program, &program->tests[i],
							      &arguments->common, arguments->scheduler,
							      NULL));
	}
	if (!plan->count)
		return ktstr_cli_nothing_matches(&arguments->filter, programs, arguments->programs.count);
	return NULL;
}

/* Topologies, when it is them that were asked for. */
static int print_plan(const struct ktstr_cli_plan *plan, bool topologies)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	for (size_t i = 0; i < plan->count; i++) {
		const struct ktstr_run *run = &plan->runs[i];

		printf("%s", run->full_name);
		if (topologies)
			printf(" [%s]", run->test->host_only ? "host" : ktstr_topology_format(&run->topology, shape));
		printf(": test%s%s\n", run->refusal ? ", skipped: " : "", run->refusal ? run->refusal : "");
	}
	return KTSTR_EXIT_PASS;
}

int ktstr_cmd_test(int argc, char **argv)
{
	struct test_arguments arguments = { 0 };
	struct ktstr_cli_plan plan = { 0 };
	struct ktstr_program *programs;
	struct ktstr_error *error;
	int exit_code;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	programs = ktstr_xcalloc(arguments.programs.count, sizeof(*programs));
	error = plan_programs(&arguments, programs, &plan);
	if (error)
		exit_code = ktstr_cli_fail(error);
	else if (arguments.list)
		exit_code = print_plan(&plan, arguments.common.topologies.count);
	else
		exit_code = ktstr_cli_execute(&plan, &arguments.common);
	ktstr_cli_plan_deinit(&plan);
	for (size_t i = 0; i < arguments.programs.count; i++)
		ktstr_program_deinit(&programs[i]);
	free(programs);
	ktstr_cli_filter_deinit(&arguments.filter);
	ktstr_strv_deinit(&arguments.programs);
	ktstr_strv_deinit(&arguments.common.topologies);
	return exit_code;
}
