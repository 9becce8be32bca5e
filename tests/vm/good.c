// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs that must pass: each check with a limit that any sane scheduler keeps even under emulation on a busy host,
 * under EEVDF and under the fixture scheduler. vm/checks.bats looks at what they recorded.
 */
#include <ktstr.h>

#include <string.h>

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");

/* All checks at once, those of the monitor with their defaults: the passes of the verdict name each one. */
#define ALL_CHECKS                                                                                 \
	{                                                                                          \
		.not_stuck = KTSTR_ON, .isolation = KTSTR_ON, .max_spread_pct = KTSTR_SOME(90.0),  \
		.max_gap_ms = KTSTR_SOME(10000), .max_p99_wake_latency_ns = KTSTR_SOME(KTSTR_SEC(10)), \
		.min_work_rate = KTSTR_SOME(1.0), .enforce_monitor_thresholds = KTSTR_ON           \
	}

static void confined_bursts(struct ktstr_ctx *ctx)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "left", .cpuset = ktstr_cpuset_llc(0), .workers = 2,
					       .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(20),
								  .sleep = KTSTR_MS(20)) },
					     { .name = "right", .cpuset = ktstr_cpuset_llc(1), .workers = 2,
					       .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(20),
								  .sleep = KTSTR_MS(20)) }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 4u);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_iterations, gt, 0u);
}

KTSTR_TEST(all_checks_eevdf, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1),
	   .checks = ALL_CHECKS)
{
	confined_bursts(ctx);
}

KTSTR_TEST(all_checks_scx, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1),
	   .scheduler = &scx_ktstr, .checks = ALL_CHECKS)
{
	confined_bursts(ctx);
	if (!ktstr_scheduler_alive(ctx))
		ktstr_fail(ctx, "the scheduler is gone after the workload");
}

/* Two workloads after one another: cgroups of the same name must be free again, statistics add up. */
KTSTR_TEST(two_workloads_in_a_row, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_MS(500),
	   .scheduler = &scx_ktstr, .checks = { .not_stuck = KTSTR_ON, .max_spread_pct = KTSTR_SOME(100) })
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "again" }));
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "again" }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->cgroups_count, eq, 2u);
}

/* A program that is kept loaded is told late which test it is. */
KTSTR_TEST(itself_and_no_other)
{
	if (strcmp(ctx->test_name, "itself_and_no_other"))
		ktstr_fail(ctx, "this body runs as %s", ctx->test_name);
}

KTSTR_TEST(nothing_but_a_return, .description = "a body that measures nothing and finds nothing wrong")
{
}
