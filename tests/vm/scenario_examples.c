// SPDX-License-Identifier: GPL-2.0-only
/* The worked examples of docs/guide/writing-scenarios.md, as they stand there. */
#include <ktstr.h>

/* 1. A cgroup is squeezed into one LLC while it runs, and let out again. */
KTSTR_PLAN(squeeze_plan,
	.backdrop = { KTSTR_DEFS({ .name = "web", .workers = 4 }) },
	KTSTR_STEPS({ .hold = ktstr_hold_frac(.3) },
		    { KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "web", .cpuset = ktstr_cpuset_llc(0))),
		      .hold = ktstr_hold_frac(.4) },
		    { KTSTR_OPS(KTSTR_OP(CLEAR_CPUSET, .cgroup = "web")),
		      .hold = ktstr_hold_frac(.3) }))

KTSTR_TEST(squeeze, .plan = squeeze_plan, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(2))
{
	const struct ktstr_phase_bucket *squeezed;
	const struct ktstr_phase_cgroup_stats *web;

	ktstr_run_plan(ctx);
	squeezed = ktstr_scenario_stats_step(ktstr_stats(ctx), 1);
	web = squeezed ? ktstr_phase_bucket_cgroup(squeezed, "web") : NULL;
	if (!web)
		return; /* something failed before: the verdict says what */
	KTSTR_CLAIM(ctx, ktstr_cpus_count(&web->cpus_used), at_most, 2u);
	KTSTR_CLAIM(ctx, web->total_iterations, gt, 0u);
}

/* 2. A noisy neighbour comes and goes. What does it cost those who wake up often? */
KTSTR_PLAN(neighbour_plan,
	.backdrop = { KTSTR_DEFS({ .name = "quiet", .workers = 2,
				   .work = KTSTR_WORK(IDLE_CHURN, .burst = KTSTR_US(200), .sleep = KTSTR_MS(5)) }) },
	KTSTR_STEPS({ .hold = ktstr_hold_frac(.4) },
		    { KTSTR_DEFS({ .name = "noisy", .workers = 8 }), .hold = ktstr_hold_frac(.4) },
		    { .hold = ktstr_hold_frac(.2) }))

KTSTR_TEST(neighbour, .plan = neighbour_plan, .duration = KTSTR_SEC(2))
{
	ktstr_run_plan(ctx);
	for (uint32_t step = 0; step < 3; step++) {
		const struct ktstr_phase_bucket *phase = ktstr_scenario_stats_step(ktstr_stats(ctx), step);
		const struct ktstr_phase_cgroup_stats *quiet = phase ? ktstr_phase_bucket_cgroup(phase, "quiet") : NULL;

		if (quiet)
			KTSTR_CLAIM(ctx, quiet->wake_latencies_ns.total, gt, 0u);
	}
}

/* 3. The same workers under a scheduler of sched_ext and under EEVDF, in one run. */
KTSTR_SCHEDULER(mine, .binary = "scx_ktstr");

KTSTR_PLAN(versus_plan,
	.backdrop = { KTSTR_DEFS({ .name = "pairs", .workers = 4, .work = KTSTR_WORK(PIPE_IO) }) },
	KTSTR_STEPS({ .hold = ktstr_hold_frac(.5) },
		    { KTSTR_OPS(KTSTR_OP(DETACH_SCHEDULER)), .hold = ktstr_hold_frac(.5) }))

KTSTR_TEST(versus, .plan = versus_plan, .scheduler = &mine, .duration = KTSTR_SEC(2))
{
	const struct ktstr_phase_bucket *steps[2];
	const struct ktstr_phase_cgroup_stats *pairs[2];

	ktstr_run_plan(ctx);
	for (uint32_t i = 0; i < 2; i++) {
		steps[i] = ktstr_scenario_stats_step(ktstr_stats(ctx), i);
		pairs[i] = steps[i] ? ktstr_phase_bucket_cgroup(steps[i], "pairs") : NULL;
		if (!pairs[i])
			return;
	}
	ktstr_note(ctx, "%llu exchanges, under EEVDF %llu", (unsigned long long)pairs[0]->total_iterations,
		   (unsigned long long)pairs[1]->total_iterations);
}

/* 4. One cgroup per LLC, and workers that are sent to another CPU again and again. */
static void one_per_llc(const struct ktstr_ctx *ctx, struct ktstr_cgroup_defs *defs)
{
	static const char *const names[] = { "llc_0", "llc_1", "llc_2", "llc_3" };

	for (unsigned int i = 0; i < ktstr_test_topology_num_llcs(ctx->topo) && i < 4; i++)
		ktstr_cgroup_defs_push(defs, (struct ktstr_cgroup_def){
						     .name = names[i], .workers = 2, .cpuset = ktstr_cpuset_llc(i) });
}

KTSTR_PLAN(shuffle_plan,
	KTSTR_STEPS({ .setup = { .factory = one_per_llc },
		      KTSTR_OPS(KTSTR_OP(SET_AFFINITY, .cgroup = "llc_0",
					 .affinity = ktstr_affinity_random_subset(ktstr_cpus_range(0, 2), 1))),
		      .hold = ktstr_hold_loop(KTSTR_MS(20)) }))

KTSTR_PLAN_TEST(shuffle, .plan = shuffle_plan, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1),
		.checks = { .isolation = KTSTR_ON });

/* 5. A program of the distribution beside workers, frozen for a while. */
KTSTR_PAYLOAD(hackbench, .binary = "hackbench", .package = "rt-tests",
	      .default_args = KTSTR_ARGS("--groups", "1", "--fds", "4", "--loops", "200"),
	      .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)));

KTSTR_PLAN(frozen_plan,
	.backdrop = { KTSTR_DEFS({ .name = "spin", .workers = 1 }),
		      KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "bench"),
				KTSTR_OP(RUN_PAYLOAD, .payload = &hackbench, .cgroup = "bench")) },
	KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(FREEZE_CGROUP, .cgroup = "bench")), .hold = ktstr_hold_frac(.5) },
		    { KTSTR_OPS(KTSTR_OP(UNFREEZE_CGROUP, .cgroup = "bench"),
				KTSTR_OP(WAIT_PAYLOAD, .name = "hackbench")),
		      .hold = ktstr_hold_fixed(0) }))

KTSTR_PLAN_TEST(frozen, .plan = frozen_plan, .payload = &hackbench, .duration = KTSTR_SEC(1));
