// SPDX-License-Identifier: GPL-2.0-only
/* Plans that compile and cannot run: each mistake is told with test, step and op before anything boots. */
#include <ktstr.h>

KTSTR_PLAN(typo_plan,
	.backdrop = { KTSTR_DEFS({ .name = "web" }) },
	KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "wbe", .cpuset = ktstr_cpuset_llc(0)),
				KTSTR_OP(SET_CPUSET, .cgroup = "web", .cpuset = ktstr_cpuset_llc(4))),
		      .hold = ktstr_hold_frac(.5) }))
KTSTR_PLAN_TEST(typo, .plan = typo_plan);

KTSTR_PLAN(odd_pairs_plan, KTSTR_STEPS({ KTSTR_DEFS({ .name = "pairs", .workers = 3, .work = KTSTR_WORK(PIPE_IO) }) }))
KTSTR_PLAN_TEST(odd_pairs, .plan = odd_pairs_plan);

KTSTR_PLAN(no_time_plan, KTSTR_STEPS({ .hold = ktstr_hold_frac(0) }))
KTSTR_PLAN_TEST(no_time, .plan = no_time_plan);

static void silent(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	(void)ctx;
	(void)visitor;
}
KTSTR_PLAN_TEST(nothing_said, .plan = silent);

KTSTR_PLAN_TEST(no_plan, .description = "neither plan nor body");

/* Skipped on its own topology: no mistake. */
KTSTR_PLAN_TEST(sound, .plan = ktstr_plan_steady_llc);
