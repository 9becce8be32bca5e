// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fixture scheduler with each of its bad habits, one test a habit, and once without any. vm/schedulers.bats
 * looks at what is said about each; `never_attaches` is for the slow suite, as it waits for the attach limit.
 */
#include <ktstr.h>

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");
KTSTR_SCHEDULER(stalls, .binary = "scx_ktstr", .args = KTSTR_ARGS("--since=cg_0", "--stall-after-ms=1000"));
KTSTR_SCHEDULER(stalls_at_once, .binary = "scx_ktstr", .args = KTSTR_ARGS("--stall-after-ms=1"));
KTSTR_SCHEDULER(errors, .binary = "scx_ktstr", .args = KTSTR_ARGS("--since=cg_0", "--error-after-ms=1000"));
KTSTR_SCHEDULER(starves, .binary = "scx_ktstr", .args = KTSTR_ARGS("--starve=cg_0"));
KTSTR_SCHEDULER(favours, .binary = "scx_ktstr", .args = KTSTR_ARGS("--unfair=cg_0"));
KTSTR_SCHEDULER(dawdles, .binary = "scx_ktstr", .args = KTSTR_ARGS("--slow-dispatch-us=10000"));
KTSTR_SCHEDULER(leaves, .binary = "scx_ktstr", .args = KTSTR_ARGS("--since=cg_0", "--exit-after-ms=1000"));
KTSTR_SCHEDULER(quits, .binary = "scx_ktstr", .args = KTSTR_ARGS("--exit-at-once=3"));
KTSTR_SCHEDULER(refused, .binary = "scx_ktstr", .args = KTSTR_ARGS("--reject"));
KTSTR_SCHEDULER(sleeps, .binary = "scx_ktstr", .args = KTSTR_ARGS("--never-attach"));

/* Two cgroups that want all CPUs. */
static void compete(struct ktstr_ctx *ctx)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }, { .name = "cg_1" }));
	KTSTR_CLAIM_PRESENT(ctx, ktstr_scenario_stats_cgroup_balance_ratio(ktstr_stats(ctx)), at_most, 3.0);
}

#define COMPETITION(NAME, SCHEDULER, SECONDS, ...)                                                 \
	KTSTR_TEST(NAME, .scheduler = &SCHEDULER, .duration = KTSTR_SEC(SECONDS),                  \
		   .checks = { .not_stuck = KTSTR_ON }, __VA_ARGS__)                               \
	{                                                                                          \
		compete(ctx);                                                                      \
	}

/* Of a scheduler that serves one test a template with it does not pay; some have one all the same. */
COMPETITION(stall, stalls, 10)
COMPETITION(stall_at_once, stalls_at_once, 10)
COMPETITION(error, errors, 5)
COMPETITION(starvation, starves, 10, .fresh_attach = true)
COMPETITION(unfairness, favours, 3)
COMPETITION(clean_exit, leaves, 5, .fresh_attach = true)
COMPETITION(exit_at_once, quits, 1)
COMPETITION(rejection, refused, 1)
COMPETITION(never_attaches, sleeps, 1, .ignore = true)

/*
 * Partners on one CPU that hand over all the time: each exchange needs the scheduler twice. 10 ms in each dispatch
 * leave 200 of them in 2 s; without, even emulation does many times as many.
 */
static void exchange(struct ktstr_ctx *ctx)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 2,
					       .cpuset = ktstr_cpuset_exact(ktstr_cpus_range(0, 1)),
					       .work = KTSTR_WORK(PIPE_IO) }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_iterations, at_least, 300u);
}

KTSTR_TEST(quick_dispatch, .scheduler = &scx_ktstr, .duration = KTSTR_SEC(2), .checks = { .not_stuck = KTSTR_ON })
{
	exchange(ctx);
	ktstr_note(ctx, "%llu iterations", (unsigned long long)ktstr_stats(ctx)->total_iterations);
}

KTSTR_TEST(slow_dispatch, .scheduler = &dawdles, .duration = KTSTR_SEC(2), .fresh_attach = true,
	   .checks = { .not_stuck = KTSTR_ON })
{
	exchange(ctx);
	ktstr_note(ctx, "%llu iterations", (unsigned long long)ktstr_stats(ctx)->total_iterations);
}
