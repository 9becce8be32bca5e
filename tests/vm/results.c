// SPDX-License-Identifier: GPL-2.0-only
/*
 * One test of each outcome, for the sidecars that they leave, and fifty that never boot, to be run at once. Looked at by
 * vm/results.bats.
 */
#include <ktstr.h>

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");
KTSTR_SCHEDULER(leaves, .binary = "scx_ktstr", .args = KTSTR_ARGS("--exit-after-ms=3000"));
KTSTR_SCHEDULER(of_yesterday, .binary = "scx_ktstr", .kernels = KTSTR_ARGS("5.10"));

#define ONE_WORKER KTSTR_CGROUPS({ .name = "one", .workers = 1 })

static void look_back(struct ktstr_vm_result *vm)
{
	KTSTR_CLAIM_PRESENT(vm, ktstr_scenario_stats_step_metric(&vm->guest_assert_result.stats, 1, "iteration_rate"), gt, 0);
}

/* Two steps under a scheduler that must be there all through both. */
KTSTR_TEST(passes, .scheduler = &scx_ktstr, .duration = KTSTR_SEC(2), .survives_storm = true, .post_vm = look_back,
	   .cleanup_budget = KTSTR_SEC(600),
	   .checks = { .not_stuck = KTSTR_ON, .max_gap_ms = KTSTR_SOME(60000) })
{
	static const struct ktstr_cgroup_def one[] = { { .name = "one", .workers = 1 } };
	const struct ktstr_step steps[] = { ktstr_step_with_defs(one, 1, ktstr_hold_frac(.5)),
					    ktstr_step_with_defs(one, 1, ktstr_hold_frac(.5)) };

	ktstr_execute_steps(ctx, steps, 2);
	ktstr_note(ctx, "a note");
	ktstr_assert_note_value(&ctx->result, "answer", ktstr_value_int(-42));
}

KTSTR_TEST(fails, .duration = KTSTR_MS(200))
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 2u);
}

/* It has nothing to survive. */
KTSTR_TEST(inconclusive, .scheduler = &scx_ktstr, .duration = KTSTR_MS(200), .survives_storm = true)
{
}

KTSTR_TEST(repeats, .scheduler = &scx_ktstr, .duration = KTSTR_MS(200), .deterministic = true)
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}

static void object(struct ktstr_vm_result *vm)
{
	ktstr_assert_record(&vm->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "the callback objects");
}

/* The body fails as it must, and yet somebody on the host objects. */
KTSTR_TEST(expected_but_objected, .expect_err = true, .post_vm_unconditional = object)
{
	ktstr_fail(ctx, "as it must");
}

/* Exits in the middle of the only hold; on virtual time that is so on any machine. No VM is ended within a nanosecond. */
KTSTR_TEST(storm_lost, .scheduler = &leaves, .duration = KTSTR_SEC(30), .survives_storm = true, .fresh_attach = true,
	   .deterministic = true, .cleanup_budget = 1)
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}

#define TEN(X, tens) X(tens##0) X(tens##1) X(tens##2) X(tens##3) X(tens##4) X(tens##5) X(tens##6) X(tens##7) X(tens##8) X(tens##9)
#define NOT_ON_THIS_KERNEL(number)                                                                                     \
	KTSTR_TEST(many_##number, .scheduler = &of_yesterday)                                                          \
	{                                                                                                              \
	}
TEN(NOT_ON_THIS_KERNEL, 0)
TEN(NOT_ON_THIS_KERNEL, 1)
TEN(NOT_ON_THIS_KERNEL, 2)
TEN(NOT_ON_THIS_KERNEL, 3)
TEN(NOT_ON_THIS_KERNEL, 4)
