// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr replay`: runs a recorded deterministic test again and tells whether it was the same run. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/debug.h"
#include "cli/scenarios.h"
#include "runner/recipe.h"
#include "runner/trace.h"

struct replay_arguments {
	const char *path;
	bool gdb;
};

static const struct argp_option options[] = {
	{ "gdb", 'g', NULL, 0, "wait for gdb before the first instruction, and print how to attach it", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct replay_arguments *arguments = state->input;

	switch (key) {
	case 'g':
		arguments->gdb = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->path)
			argp_error(state, "one result at a time");
		arguments->path = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_failure(state, KTSTR_EXIT_FAIL, 0, "which result? usage: ktstr replay RESULT.ktstr.json");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "RESULT.ktstr.json",
	.doc = "Runs a recorded deterministic test again: same kernel, program, scheduler, topology and seed. What differs "
	       "from the recording is named, and nothing runs."
	       "\vExit code: 0 the run is the same (whatever its verdict was), 1 it is not, or cannot be run.",
};

static const char *file_of(const json_t *recipe, const char *what)
{
	return json_string_value(json_object_get(json_object_get(recipe, what), "path"));
}

static struct ktstr_error *plan_replay(const json_t *recipe, const struct ktstr_program *program, struct ktstr_run *run)
{
	const char *name = json_string_value(json_object_get(recipe, "test"));
	const char *shape = json_string_value(json_object_get(recipe, "topology"));
	const char *rt_app = json_string_value(json_object_get(recipe, "rt_app"));
	const char *work_type = json_string_value(json_object_get(recipe, "work_type"));
	const char *scheduler = file_of(recipe, "scheduler");
	_cleanup_strv_ struct ktstr_strv args = { 0 };
	const json_t *arg;
	size_t i;

	if (!name || !shape)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "the recipe names no test or topology");
	KTSTR_TRY(ktstr_cli_find_scenario(program, name, &run->test));
	run->program = program;
	run->full_name = ktstr_xasprintf("ktstr/%s", name);
	run->rt_app = rt_app ? ktstr_xstrdup(rt_app) : NULL;
	run->work_type = work_type ? ktstr_xstrdup(work_type) : NULL;
	KTSTR_TRY(ktstr_cli_test_topology(run->test, shape, &run->topology));
	KTSTR_TRY(ktstr_run_find_includes(run));
	json_array_foreach(json_object_get(recipe, "scheduler_args"), i, arg)
		ktstr_strv_add(&args, json_string_value(arg) ? json_string_value(arg) : "");
	KTSTR_TRY(ktstr_run_choose_schedulers(run, scheduler ? scheduler : "eevdf",
					      json_is_true(json_object_get(recipe, "declared")), args.items));
	run->duration_ns = (uint64_t)json_integer_value(json_object_get(recipe, "duration_ns"));
	run->seed = (uint64_t)json_integer_value(json_object_get(recipe, "seed"));
	run->deterministic = true;
	run->cold = json_is_true(json_object_get(recipe, "cold"));
	run->fresh_attach = json_is_true(json_object_get(recipe, "fresh_attach"));
	return NULL;
}

/* recorded_trace: NULL = it was not kept. */
static void print_first_difference(const char *recorded_trace, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *difference =
		recorded_trace && result->trace ? ktstr_trace_first_difference(recorded_trace, result->trace) : NULL;

	if (difference)
		printf("the recorded run and this one differ at %s\n", difference);
}

/* True when the replay has the recorded digest. */
static bool print_comparison(const json_t *recipe, const char *recorded_trace, const struct ktstr_test_result *result)
{
	const char *recorded = json_string_value(json_object_get(recipe, "digest"));
	bool same = recorded && result->digest && !strcmp(recorded, result->digest);
	_cleanup_free_ char *report = ktstr_result_report(result, ktstr_use_colour(STDOUT_FILENO));

	if (ktstr_test_result_kind(result) != KTSTR_OUTCOME_PASS)
		fputs(report, stdout);
	printf("%s: seed %llu, verdict %s, digest %s%s%s\n", same ? "same run" : "DIFFERENT RUN",
	       (unsigned long long)result->seed, ktstr_outcome_name(ktstr_test_result_kind(result)),
	       result->digest ? result->digest : "-", same ? "" : ", recorded ", same ? "" : recorded ? recorded : "-");
	if (!same)
		print_first_difference(recorded_trace, result);
	return same;
}

static void tell_build(void *run, const char *stage)
{
	_cleanup_free_ char *text = ktstr_run_build_note(run, stage);

	if (text)
		fprintf(stderr, "ktstr: %s\n", text);
}

/* With a debugger it may be another run, which is said, and nobody's failure. */
static struct ktstr_error *execute(const json_t *recipe, const struct ktstr_run_setup *setup, struct ktstr_run *run,
				   const struct replay_arguments *arguments, bool *same)
{
	_cleanup_free_ char *recorded_trace = ktstr_result_load_trace(arguments->path);
	_cleanup_(ktstr_debug_session_deinit) struct ktstr_debug_session session = { 0 };
	struct ktstr_test_result result;

	if (arguments->gdb)
		KTSTR_TRY(ktstr_debug_session_init(setup, run, &session));
	ktstr_run_execute(setup, run, tell_build, run, &result);
	*same = print_comparison(recipe, recorded_trace, &result) || arguments->gdb;
	ktstr_test_result_deinit(&result);
	return NULL;
}

static struct ktstr_error *replay(const json_t *recipe, const struct replay_arguments *arguments, bool *same)
{
	struct ktstr_run_setup setup = { 0 };
	struct ktstr_program program = { 0 };
	struct ktstr_run run = { 0 };
	const char *path = file_of(recipe, "program");
	struct ktstr_error *error =
		path ? ktstr_run_setup_vm(json_string_value(json_object_get(recipe, "kernel_spec")), ktstr_cli_progress(), &setup) :
		       ktstr_error_new(KTSTR_ERR_INVALID, "it has no recipe: only deterministic runs can be replayed (--seed N)");

	setup.strict = json_is_true(json_object_get(recipe, "strict"));
	ktstr_cli_progress_done();
	if (!error)
		error = ktstr_recipe_check(recipe, &setup);
	if (!error)
		error = ktstr_program_load(path, &program);
	if (!error)
		error = plan_replay(recipe, &program, &run);
	if (!error)
		error = execute(recipe, &setup, &run, arguments, same);
	ktstr_run_deinit(&run);
	ktstr_program_deinit(&program);
	ktstr_run_setup_deinit(&setup);
	return error;
}

static struct ktstr_error *read_result(const char *path, json_t **sidecar)
{
	json_error_t parse_error;

	if (access(path, R_OK))
		return ktstr_error_sys(errno, "cannot read it; name a result, TEST-HASH.ktstr.json");
	*sidecar = json_load_file(path, 0, &parse_error);
	if (!*sidecar)
		return ktstr_error_new(KTSTR_ERR_INVALID, "not JSON: line %d, column %d: %s; name a result, TEST-HASH.ktstr.json",
				       parse_error.line, parse_error.column, parse_error.text);
	return NULL;
}

int ktstr_cmd_replay(int argc, char **argv)
{
	struct replay_arguments arguments = { 0 };
	struct ktstr_error *error;
	json_t *sidecar = NULL;
	bool same = false;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = read_result(arguments.path, &sidecar);
	if (!error)
		error = replay(json_object_get(sidecar, "recipe"), &arguments, &same);
	json_decref(sidecar);
	if (error)
		return ktstr_cli_fail(ktstr_error_wrap(error, "%s", arguments.path));
	return same ? KTSTR_EXIT_PASS : KTSTR_EXIT_FAIL;
}
