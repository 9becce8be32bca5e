// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr show-plan`: the plan of a test or a built-in scenario, on the topology it is meant for or another one. */
#include <argp.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/programs.h"

#define PLAN_TIMEOUT KTSTR_SEC(30)

struct plan_arguments {
	struct ktstr_cli_test_names names;
	const char *topology;
	bool json;
};

static const struct argp_option options[] = {
	{ "topology", 't', "SHAPE", 0, "1n2l4c2t or a preset; default: the test's own", 0 },
	{ "json", 'J', NULL, 0, "as JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct plan_arguments *arguments = state->input;

	switch (key) {
	case 't':
		arguments->topology = value;
		return 0;
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
	.doc = "Shows the plan that a test declares: backdrop, steps, ops, cgroups, with what they mean on its topology. Without "
	       "PROGRAM: of a built-in scenario."
	       "\vExit code: 0, or 1 when the plan cannot run; the errors are the last lines.",
};

/* The program knows its plans; it prints them itself. */
static struct ktstr_error *print(const struct ktstr_program *program, const struct ktstr_test_info *test,
				 const struct plan_arguments *arguments, int *exit_code)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	const char *argv[] = { program->path, "--ktstr-plan", arguments->json ? "json" : "text", test->name, NULL, NULL };
	struct ktstr_child_spec spec = { .argv = argv, .stdin_fd = -1, .stdout_fd = 1, .stderr_fd = 2 };
	struct ktstr_topology topology;
	struct ktstr_child child;
	int status;

	if (arguments->topology) {
		KTSTR_TRY(ktstr_cli_topology(arguments->topology, &topology));
		argv[4] = ktstr_topology_format(&topology, shape);
	}
	KTSTR_TRY(ktstr_child_spawn(&spec, &child));
	KTSTR_TRY(ktstr_child_wait(&child, ktstr_now_ns() + PLAN_TIMEOUT, &status));
	*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : KTSTR_EXIT_FAIL;
	return NULL;
}

static struct ktstr_error *show(const struct plan_arguments *arguments, struct ktstr_program *program, int *exit_code)
{
	const struct ktstr_test_info *test = NULL;

	KTSTR_TRY(ktstr_cli_find_test(&arguments->names, program, &test));
	return print(program, test, arguments, exit_code);
}

int ktstr_cmd_show_plan(int argc, char **argv)
{
	struct plan_arguments arguments = { 0 };
	struct ktstr_program program = { 0 };
	struct ktstr_error *error;
	int exit_code = KTSTR_EXIT_PASS;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = show(&arguments, &program, &exit_code);
	ktstr_program_deinit(&program);
	return error ? ktstr_cli_fail(error) : exit_code;
}
