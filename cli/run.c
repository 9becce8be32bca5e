// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr run`: the built-in scenarios on one scheduler, no test code written. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/scenarios.h"
#include "disk/disk.h"

/* Small enough for any host; between them a shared LLC and separate ones. */
static const char *const smoke_topologies[] = { "1n1l2c1t", "1n2l2c1t" };

struct run_arguments {
	struct ktstr_cli_run_options common;
	const char *scheduler;
	struct ktstr_strv scenarios;
};

static const struct argp_option options[] = {
	{ "scheduler", 's', "PATH|NAME|eevdf", 0, "scheduler under test; default: eevdf", 1 },
	{ "rt-app", 'r', "FILE.json", 0, "run the tasks of this rt-app file instead of the scenarios", 1 },
	{ "disk", 'k', "SIZE", 0, "give the guest a disk, /dev/vda, of that size: 256MiB, 1GiB", 1 },
	{ "scenario", 'c', "NAME", 0, "run only this scenario; repeatable; `ktstr list --scenarios`", 1 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct run_arguments *arguments = state->input;
	struct ktstr_error *error;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->common;
		return 0;
	case 's':
		arguments->scheduler = value;
		return 0;
	case 'r':
		arguments->common.rt_app = value;
		return 0;
	case 'k':
		error = ktstr_disk_parse_size(value, &arguments->common.disk.capacity_mib);
		if (error)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "--disk: %s", ktstr_error_message(error));
		return 0;
	case 'c':
		ktstr_strv_add(&arguments->scenarios, value);
		return 0;
	case ARGP_KEY_ARG:
		argp_failure(state, KTSTR_EXIT_FAIL, 0,
			     "unexpected argument \"%s\"; arguments of the scheduler go behind --", value);
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
	.args_doc = "[-- SCHEDULER ARGS...]",
	.doc = "Runs the built-in scenarios on a scheduler and prints a verdict for each."
	       "\vWithout --topology: 1n1l2c1t and 1n2l2c1t. Without --scenario: the smoke scenarios.\n"
	       "Exit code: 0 all passed or were skipped, 1 a failure, or an error before the first test, 2 no failure but something "
	       "inconclusive, 130 interrupted.",
};

static struct ktstr_error *plan_scenarios(const struct run_arguments *arguments, char **scheduler_args,
					  const struct ktstr_program *program, struct ktstr_cli_plan *plan)
{
	for (size_t i = 0; i < arguments->scenarios.count; i++) {
		const struct ktstr_test_info *test;

		KTSTR_TRY(ktstr_cli_find_scenario(program, arguments->scenarios.items[i], &test));
		KTSTR_TRY(ktstr_cli_plan_test(plan, program, test, &arguments->common, arguments->scheduler,
					      scheduler_args));
	}
	for (size_t i = 0; !arguments->scenarios.count && i < program->tests_count; i++)
		if (!program->tests[i].ignore)
			KTSTR_TRY(ktstr_cli_plan_test(plan, program, &program->tests[i], &arguments->common,
						      arguments->scheduler, scheduler_args));
	return NULL;
}

/* The scenario that runs an rt-app file, alone. */
static struct ktstr_error *choose_rt_app(struct run_arguments *arguments)
{
	if (!arguments->common.rt_app)
		return NULL;
	if (arguments->scenarios.count)
		return ktstr_error_new(KTSTR_ERR_INVALID, "--rt-app and --scenario exclude each other: give one of them");
	ktstr_strv_add(&arguments->scenarios, "rt_app");
	return NULL;
}

int ktstr_cmd_run(int argc, char **argv)
{
	struct run_arguments arguments = { .scheduler = "eevdf" };
	int split = ktstr_cli_split(argc, argv);
	struct ktstr_cli_plan plan = { 0 };
	struct ktstr_program program = { 0 };
	struct ktstr_error *error;
	int exit_code;

	argp_parse(&argp, split, argv, 0, NULL, &arguments);
	if (!arguments.common.topologies.count)
		for (size_t i = 0; i < sizeof(smoke_topologies) / sizeof(smoke_topologies[0]); i++)
			ktstr_strv_add(&arguments.common.topologies, smoke_topologies[i]);
	error = choose_rt_app(&arguments);
	if (!error)
		error = ktstr_cli_load_scenarios(&program);
	if (!error)
		error = plan_scenarios(&arguments, split < argc ? argv + split + 1 : NULL, &program, &plan);
	exit_code = error ? ktstr_cli_fail(error) : ktstr_cli_execute(&plan, &arguments.common);
	ktstr_cli_plan_deinit(&plan);
	ktstr_program_deinit(&program);
	ktstr_strv_deinit(&arguments.scenarios);
	ktstr_strv_deinit(&arguments.common.topologies);
	return exit_code;
}
