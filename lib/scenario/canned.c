// SPDX-License-Identifier: GPL-2.0-only
/*
 * ktstr-scenarios: the built-in scenarios, a test program like any user's. `ktstr run` replaces scheduler,
 * topology and duration.
 */
#include <ktstr.h>

#define SMOKE_CHECKS { .not_stuck = KTSTR_ON, .isolation = KTSTR_ON }

/*
 * Cgroups of equal workers get equal shares under a fair scheduler. Far from 1, so that only a scheduler that
 * favours somebody trips it, never an unlucky placement on a few CPUs.
 */
#define MAX_BALANCE_RATIO 3.0

/* Workers of a scenario's cgroup that fill the machine together with as many of another cgroup. */
static struct ktstr_cgroup_def spinners(const char *name)
{
	return (struct ktstr_cgroup_def){ .name = name, .work = KTSTR_WORK(SPIN_WAIT) };
}

KTSTR_TEST(steady, .description = "two cgroups of spinners that share all CPUs",
	   .duration = KTSTR_SEC(5), .checks = SMOKE_CHECKS)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS(spinners("cg_0"), spinners("cg_1")));
	KTSTR_CLAIM_PRESENT(ctx, ktstr_scenario_stats_cgroup_balance_ratio(ktstr_stats(ctx)), at_most,
			    MAX_BALANCE_RATIO);
}

KTSTR_TEST(steady_llc, .description = "two cgroups of spinners, each confined to an LLC",
	   .duration = KTSTR_SEC(5), .checks = SMOKE_CHECKS)
{
	unsigned int llcs = ktstr_test_topology_num_llcs(ctx->topo);

	if (llcs < 2) {
		ktstr_skip(ctx, "needs 2 LLCs, this topology has %u", llcs);
		return;
	}
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .cpuset = ktstr_cpuset_llc(0) },
					     { .name = "cg_1", .cpuset = ktstr_cpuset_llc(1) }));
}

KTSTR_TEST(oversubscribed, .description = "two cgroups of 32 workers that spin and yield",
	   .duration = KTSTR_SEC(5), .checks = SMOKE_CHECKS)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 32, .work = KTSTR_WORK(MIXED) },
					     { .name = "cg_1", .workers = 32, .work = KTSTR_WORK(MIXED) }));
}

KTSTR_TEST(mixed_workloads, .description = "spinners beside bursts and synchronous writes",
	   .duration = KTSTR_SEC(5), .checks = SMOKE_CHECKS)
{
	ktstr_run_cgroups(
		ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 8, .work = KTSTR_WORK(SPIN_WAIT) },
				   { .name = "cg_1", .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(100),
									.sleep = KTSTR_MS(50)) },
				   { .name = "cg_2", .work = KTSTR_WORK(IO_SYNC_WRITE) }));
}

KTSTR_TEST(wakeups, .description = "pairs that wake each other over pipes, beside spinners",
	   .duration = KTSTR_SEC(5), .checks = SMOKE_CHECKS)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .work = KTSTR_WORK(PIPE_IO) },
					     { .name = "cg_1", .work = KTSTR_WORK(SPIN_WAIT) }));
}

/* Tasks that differ from each other because their file says so are not unfair. */
KTSTR_TEST(rt_app, .description = "the tasks of an rt-app file: `ktstr run --rt-app FILE.json`",
	   .rt_app = "rt-app.json", .checks = { .not_stuck = KTSTR_ON, .max_spread_pct = KTSTR_SOME(100.0) }, .ignore = true)
{
	ktstr_run_rt_app(ctx);
}

KTSTR_TEST(yielders, .description = "workers that do nothing but yield, beside spinners",
	   .duration = KTSTR_SEC(5), .checks = SMOKE_CHECKS, .ignore = true)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .work = KTSTR_WORK(YIELD_HEAVY) },
					     { .name = "cg_1", .work = KTSTR_WORK(SPIN_WAIT) }));
}
