// SPDX-License-Identifier: GPL-2.0-only
/* From tests and options to the runs that they ask for, with the command that repeats each. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/commands.h"

static void add_reproduce(struct ktstr_run *run, const struct ktstr_cli_plan *plan,
			  const struct ktstr_cli_run_options *options, const char *scheduler,
			  const char *shape)
{
	char duration[32];

	ktstr_strv_add(&run->reproduce, "ktstr");
	if (plan->program_argument) {
		ktstr_strv_add(&run->reproduce, "test");
		ktstr_strv_add(&run->reproduce, plan->program_argument);
		ktstr_strv_addf(&run->reproduce, "--filter==%s", run->full_name);
	} else {
		ktstr_strv_add(&run->reproduce, "run");
		if (options->rt_app)
			ktstr_strv_addf(&run->reproduce, "--rt-app=%s", options->rt_app);
		else
			ktstr_strv_addf(&run->reproduce, "--scenario=%s", run->test->name);
	}
	if (scheduler)
		ktstr_strv_addf(&run->reproduce, "--scheduler=%s", scheduler);
	/* Declared nodes have no text form; they are the test's own anyway. */
	if (!run->test->host_only && !run->topology.nodes)
		ktstr_strv_addf(&run->reproduce, "--topology=%s", shape);
	ktstr_strv_addf(&run->reproduce, "--duration=%s", ktstr_format_duration(run->duration_ns, duration));
	if (options->kernel)
		ktstr_strv_addf(&run->reproduce, "--kernel=%s", options->kernel);
	if (run->work_type)
		ktstr_strv_addf(&run->reproduce, "--work-type=%s", run->work_type);
	if (options->disk.capacity_mib)
		ktstr_strv_addf(&run->reproduce, "--disk=%uMiB", options->disk.capacity_mib);
	if (options->release)
		ktstr_strv_add(&run->reproduce, "--release");
	if (options->cold)
		ktstr_strv_add(&run->reproduce, "--cold");
	/* Under virtual time it is another run. */
	if (options->fresh_attach)
		ktstr_strv_add(&run->reproduce, "--fresh-attach");
	if (run->twice)
		ktstr_strv_add(&run->reproduce, "--twice");
	if (options->no_perf_mode)
		ktstr_strv_add(&run->reproduce, "--no-perf-mode");
	if (options->cpu_cap)
		ktstr_strv_addf(&run->reproduce, "--cpu-cap=%u", options->cpu_cap);
	if (run->deterministic)
		ktstr_strv_addf(&run->reproduce, "--seed=%llu", (unsigned long long)run->seed);
	if (scheduler && run->scheduler.args.count) {
		ktstr_strv_add(&run->reproduce, "--");
		for (size_t i = 0; i < run->scheduler.args.count; i++)
			ktstr_strv_add(&run->reproduce, run->scheduler.args.items[i]);
	}
}

/* What ktstr_cli_plan_test() was asked for. */
struct request {
	struct ktstr_cli_plan *plan;
	const struct ktstr_program *program;
	const struct ktstr_test_info *test;
	const struct ktstr_cli_run_options *options;
	const char *scheduler;
	char **scheduler_args;
};

static bool is_deterministic(const struct ktstr_test_info *test, const struct ktstr_cli_run_options *options)
{
	return (options->deterministic && !test->host_only) || test->deterministic;
}

/* Virtual time has no place for what threads of the host complete. */
static struct ktstr_error *choose_devices(struct ktstr_run *run, const struct ktstr_cli_run_options *options)
{
	const char *devices;

	run->disk = options->disk.capacity_mib && !run->test->host_only ? &options->disk : run->test->disk;
	devices = run->disk ? "a disk" : run->test->networks.count ? "network devices (.networks)" : NULL;
	if (!devices || !run->deterministic)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "test %s has %s, which a deterministic run cannot have: requests are completed by threads of the host, at no "
			       "repeatable moment; run it without %s, or choose others with --filter",
			       run->test->name, devices, options->seeds_given ? "a seed" : "--deterministic");
}

static struct ktstr_error *plan_one(const struct request *request, const struct ktstr_topology *topology, uint64_t seed,
				    const char *refusal)
{
	const struct ktstr_cli_run_options *options = request->options;
	const struct ktstr_test_info *test = request->test;
	struct ktstr_cli_plan *plan = request->plan;
	const struct ktstr_mode_wish wish = { .performance_mode = test->performance_mode,
					      .no_perf_mode = test->no_perf_mode,
					      .cpu_budget = test->cpu_budget,
					      .operator_no_perf = options->no_perf_mode,
					      .cpu_cap = options->cpu_cap };
	char text[KTSTR_TOPOLOGY_TEXT_BYTES];
	struct ktstr_run *run;

	plan->runs = ktstr_xrealloc(plan->runs, (plan->count + 1) * sizeof(*plan->runs));
	run = &plan->runs[plan->count++];
	*run = (struct ktstr_run){ .program = request->program, .test = test, .topology = *topology };
	run->full_name = ktstr_xasprintf("ktstr/%s", test->name);
	run->refusal = refusal ? ktstr_xstrdup(refusal) : NULL;
	run->duration_ns = options->duration_ns ? options->duration_ns : test->duration_ns;
	run->rt_app = options->rt_app ? ktstr_xstrdup(options->rt_app) : NULL;
	run->work_type = options->work_type ? ktstr_xstrdup(options->work_type) : NULL;
	run->deterministic = is_deterministic(test, options);
	run->twice = options->twice && !test->host_only;
	run->cold = options->cold;
	run->fresh_attach = options->fresh_attach || test->fresh_attach;
	run->seed = seed;
	KTSTR_TRY(choose_devices(run, options));
	if (!test->host_only)
		KTSTR_TRY(ktstr_reserve_request_init(&wish, &run->reserve));
	KTSTR_TRY(ktstr_run_choose_schedulers(run, request->scheduler, false, request->scheduler_args));
	KTSTR_TRY(ktstr_run_find_includes(run));
	add_reproduce(run, plan, options, request->scheduler, ktstr_topology_format(&run->topology, text));
	return NULL;
}

/* shape: NULL = the test's own, on which the program has checked its plans when it described itself. */
static struct ktstr_error *plan_topology(const struct request *request, const char *shape)
{
	const struct ktstr_cli_run_options *options = request->options;
	uint64_t first = options->seeds_given ? options->first_seed : 1;
	uint64_t last = options->seeds_given ? options->last_seed : 1;
	_cleanup_free_ char *refusal = NULL;
	struct ktstr_topology topology;

	KTSTR_TRY(ktstr_cli_test_topology(request->test, shape, &topology));
	refusal = ktstr_cli_refuses_topology(request->test, &topology);
	/* Whatever the seed. */
	if (refusal)
		return plan_one(request, &topology, first, refusal);
	if (shape && request->test->has_plan)
		KTSTR_TRY(ktstr_program_check_plan(request->program, request->test, &topology));
	for (uint64_t seed = first; seed <= last; seed++)
		KTSTR_TRY(plan_one(request, &topology, seed, NULL));
	return NULL;
}

static struct ktstr_error *plan_presets(const struct request *request)
{
	bool deterministic = is_deterministic(request->test, request->options);
	struct ktstr_cli_presets presets = ktstr_cli_presets_of(request->test, deterministic);
	_cleanup_strv_ struct ktstr_strv names = presets.names;
	_cleanup_free_ char *refusal = NULL;

	for (size_t i = 0; i < names.count; i++)
		KTSTR_TRY(plan_topology(request, names.items[i]));
	if (names.count)
		return NULL;
	refusal = ktstr_cli_no_preset(&presets);
	return plan_one(request, &request->test->topology, 1, refusal);
}

struct ktstr_error *ktstr_cli_plan_test(struct ktstr_cli_plan *plan, const struct ktstr_program *program,
					const struct ktstr_test_info *test,
					const struct ktstr_cli_run_options *options,
					const char *scheduler, char **scheduler_args)
{
	const struct request request = { plan, program, test, options, scheduler, scheduler_args };
	/* One machine, with the scheduler it has. */
	const struct request on_host = { .plan = plan, .program = program, .test = test, .options = options };

	if (test->host_only)
		return plan_one(&on_host, &test->topology, options->seeds_given ? options->first_seed : 1, NULL);
	if (!options->topologies.count)
		return plan_topology(&request, NULL);
	for (size_t i = 0; i < options->topologies.count; i++) {
		const char *shape = options->topologies.items[i];

		if (!strcmp(shape, KTSTR_CLI_ALL_PRESETS))
			KTSTR_TRY(plan_presets(&request));
		else
			KTSTR_TRY(plan_topology(&request, shape));
	}
	return NULL;
}

void ktstr_cli_plan_deinit(struct ktstr_cli_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		ktstr_run_deinit(&plan->runs[i]);
	free(plan->runs);
}
