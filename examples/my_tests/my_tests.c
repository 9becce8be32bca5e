// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four tests to start from: two under the kernel's own EEVDF, two under a sched_ext scheduler that is found by its
 * name. Copy the directory, put your scheduler's name in, keep what you need.
 */
#include <ktstr.h>

/* Looked up in $KTSTR_SCHEDULER_BIN_SCX_KTSTR, $KTSTR_SCHEDULER, beside this program, beside ktstr, in PATH. */
KTSTR_SCHEDULER(mine,
	.binary = "scx_ktstr",
	.args = KTSTR_ARGS("--slice-us", "10000"),
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.checks = { .not_stuck = true });

KTSTR_TEST(eevdf_is_fair,
	.description = "as many spinners as CPUs share a machine under EEVDF",
	.duration = KTSTR_SEC(3),
	.checks = { .not_stuck = true, .max_spread_pct = KTSTR_SOME(40.0) })
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS(
		{ .name = "spin", .work = KTSTR_WORK(SPIN_WAIT) }));

	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 2);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_iterations, gt, 0);
}

KTSTR_TEST(llcs_stay_apart,
	.description = "each cgroup keeps to the LLC of its cpuset",
	.scheduler = &mine,
	.duration = KTSTR_SEC(3),
	.checks = { .isolation = true })
{
	const struct ktstr_cgroup_stats *burst;

	ktstr_run_cgroups(ctx, KTSTR_CGROUPS(
		{ .name = "spin", .workers = 2, .work = KTSTR_WORK(SPIN_WAIT),
		  .cpuset = ktstr_cpuset_llc(0) },
		{ .name = "burst", .workers = 4, .cpuset = ktstr_cpuset_llc(1),
		  .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(20), .sleep = KTSTR_MS(30)) }));

	/* NULL when the run failed before anything was measured: the verdict says so already. */
	burst = ktstr_stats_cgroup(ktstr_stats(ctx), "burst");
	if (burst)
		KTSTR_CLAIM(ctx, burst->num_cpus, at_most, 2);
}

KTSTR_TEST(pipes_beside_spinners,
	.description = "wakeups over pipes get through although every CPU is busy",
	.scheduler = &mine,
	.duration = KTSTR_SEC(3),
	.checks = { .max_gap_ms = KTSTR_SOME(2500), .max_p99_wake_latency_ns = KTSTR_SOME(KTSTR_SEC(1)) })
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS(
		{ .name = "pipes", .workers = 4, .work = KTSTR_WORK(PIPE_IO) },
		{ .name = "spin", .workers = 4, .work = KTSTR_WORK(SPIN_WAIT) }));
}

/* Fails by design; not run unless named, as its name begins with demo_. */
KTSTR_TEST(demo_unfair,
	.description = "one cgroup pays 1/64 of what it uses: the claim on the balance fails",
	.scheduler = &mine,
	.extra_sched_args = KTSTR_ARGS("--unfair", "pampered"),
	.duration = KTSTR_SEC(3))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS(
		{ .name = "pampered", .workers = 4 },
		{ .name = "ordinary", .workers = 4 }));

	KTSTR_CLAIM_PRESENT(ctx, ktstr_scenario_stats_cgroup_balance_ratio(ktstr_stats(ctx)), at_most, 3);
}
