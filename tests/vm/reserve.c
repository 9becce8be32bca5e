// SPDX-License-Identifier: GPL-2.0-only
/* Tests that ask for host CPUs in each way there is. Looked at by vm/reserve.bats. */
#include <ktstr.h>

#define ONE_WORKER KTSTR_CGROUPS({ .name = "one", .workers = 1 })

/* Long enough to be looked at from outside. */
KTSTR_TEST(measured, .topology = { .cores_per_llc = 1 }, .duration = KTSTR_SEC(8), .performance_mode = true,
	   .perf_delta_assertions = KTSTR_PERF_DELTA_ASSERTIONS({ "iteration_rate", .max_regression_pct = KTSTR_SOME(10) },
								{ "mine", .direction = KTSTR_LOWER_BETTER,
								  .phase = KTSTR_SOME(1) }))
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}

/* With a CPU of the host for all else it needs three. */
KTSTR_TEST(measured_two, .duration = KTSTR_MS(200), .performance_mode = true)
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}

/* That it cannot be measured here is no failure that a test may expect. */
KTSTR_TEST(measured_failure, .duration = KTSTR_MS(200), .performance_mode = true, .expect_err = true)
{
	ktstr_fail(ctx, "as it must");
}

KTSTR_TEST(pooled, .duration = KTSTR_SEC(20), .no_perf_mode = true, .cpu_budget = 1)
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}

KTSTR_TEST(greedy, .duration = KTSTR_MS(200), .no_perf_mode = true, .cpu_budget = 100000)
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}

KTSTR_TEST(plain, .duration = KTSTR_MS(200))
{
	ktstr_run_cgroups(ctx, ONE_WORKER);
}
