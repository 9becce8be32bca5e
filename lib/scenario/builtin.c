// SPDX-License-Identifier: GPL-2.0-only
/*
 * ktstr-scenarios: the built-in scenarios, a test program like any user's. `ktstr run` replaces scheduler, topology and
 * duration, and without --scenario runs those that are not ignored.
 */
#include <ktstr.h>

#define SMOKE_CHECKS { .not_stuck = KTSTR_ON, .isolation = KTSTR_ON }

/*
 * Where CPUs or neighbours change, the workers of a cgroup get what their CPU had at the time: over the whole run their
 * shares differ, however fair the scheduler is at each moment. On 2 CPUs the draws of affinity_change may leave one worker
 * alone and the three others on one CPU: 67 points of off-CPU time apart under perfect fairness. 75 is a worker that runs
 * all the time beside one that has a quarter of a CPU.
 */
#define CHANGE_CHECKS { .not_stuck = KTSTR_ON, .isolation = KTSTR_ON, .max_spread_pct = KTSTR_SOME(75.0) }

/*
 * Cgroups of equal workers get equal shares under a fair scheduler. Far from 1, so that only a scheduler that
 * favours somebody trips it, never an unlucky placement on a few CPUs.
 */
#define MAX_BALANCE_RATIO 3.0

#define SCENARIO(id, text, ...)                                                                    \
	KTSTR_TEST(id, .description = (text), .plan = ktstr_plan_##id, .duration = KTSTR_SEC(5), __VA_ARGS__)

#define SIMPLE_SCENARIO(id, text, ...)                                                             \
	SCENARIO(id, text, __VA_ARGS__)                                                            \
	{                                                                                          \
		ktstr_scenario_##id(ctx);                                                          \
	}

#define SMOKE(id, text)	 SIMPLE_SCENARIO(id, text, .checks = SMOKE_CHECKS)
#define QUIET(id, text)	 SIMPLE_SCENARIO(id, text, .checks = SMOKE_CHECKS, .ignore = true)
#define CHANGE(id, text) SIMPLE_SCENARIO(id, text, .checks = CHANGE_CHECKS, .ignore = true)

SCENARIO(steady, "two cgroups of spinners that share all CPUs", .checks = SMOKE_CHECKS)
{
	ktstr_scenario_steady(ctx);
	KTSTR_CLAIM_PRESENT(ctx, ktstr_scenario_stats_cgroup_balance_ratio(ktstr_stats(ctx)), at_most,
			    MAX_BALANCE_RATIO);
}

SMOKE(steady_llc, "two cgroups of spinners, each confined to an LLC")
SMOKE(oversubscribed, "two cgroups of 32 workers that spin and yield")
CHANGE(cpuset_apply, "running cgroups get disjoint cpusets")
CHANGE(cpuset_clear, "running cgroups lose their cpusets")
CHANGE(cpuset_resize, "the border between two cpusets moves")
CHANGE(cgroup_add, "cgroups come to those that run")
CHANGE(cgroup_remove, "half of the cgroups go, the others run on")
CHANGE(affinity_change, "workers get random halves of the CPUs, again and again")
CHANGE(affinity_pinned, "all workers are pinned to two CPUs")
QUIET(host_contention, "cgroups beside a spinner per CPU that is in none of them")
SMOKE(mixed_workloads, "spinners beside bursts and synchronous writes")
QUIET(nested_steady, "workers in nested cgroups of unequal depth")
CHANGE(nested_task_move, "workers move up and down a tree of cgroups")

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
