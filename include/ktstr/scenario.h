/* SPDX-License-Identifier: GPL-2.0-only */
/* Running cgroups full of workers inside a test body, and what the body sees of its surroundings. */
#ifndef KTSTR_SCENARIO_H
#define KTSTR_SCENARIO_H

#include <ktstr/cgroup.h>
#include <ktstr/check.h>
#include <ktstr/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The surroundings of a running test body. Made by the runner; fields are read-only to the body. */
struct ktstr_ctx {
	const char *test_name;
	struct ktstr_cgroup_manager *cgroups;
	const struct ktstr_test_topology *topo;
	uint64_t duration_ns; /* how long workloads run */
	uint64_t settle_ns; /* wait after cgroup creation before measuring */
	unsigned int workers_per_cgroup;
	int sched_pid; /* of the scheduler that is attached now; 0 = none: EEVDF, or one of the kernel's own */
	const char *scheduler; /* its label, "eevdf" for none */
	struct ktstr_live_schedulers *live; /* what live.h keeps; NULL = the schedulers of this context cannot be changed */
	uint64_t seed; /* of everything that may vary */
	bool perturb; /* workers pause at moments drawn from the seed; on in deterministic runs */
	struct ktstr_assert assert; /* merged: defaults <- scheduler <- test */
	struct ktstr_default_limits limits;
	struct ktstr_assert_result result; /* the verdict so far */
};

/*
 * Runs all cgroups at once for the context's duration: creates them, spawns and moves workers, lets all begin
 * together, stops and collects, removes the cgroups, and evaluates each against ctx->assert. Whatever goes
 * wrong becomes a failing detail in ctx->result. A scheduler that dies ends the run early, with a detail.
 */
void ktstr_run_cgroups(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *defs, size_t count);

/* What the scenarios of this body measured so far. */
static inline const struct ktstr_scenario_stats *ktstr_stats(const struct ktstr_ctx *ctx)
{
	return &ctx->result.stats;
}

/* Is the scheduler under test (or none, for EEVDF) still there? */
bool ktstr_scheduler_alive(const struct ktstr_ctx *ctx);

/* Ends the verdict as skipped with a reason, unless something failed already. */
void ktstr_skip(struct ktstr_ctx *ctx, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* Adds a failure of the body's own. */
void ktstr_fail(struct ktstr_ctx *ctx, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* A note in the report; never changes the verdict. */
void ktstr_note(struct ktstr_ctx *ctx, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* Turns an error into a failing detail and frees it; NULL does nothing. True when there was one. */
bool ktstr_fail_error(struct ktstr_ctx *ctx, struct ktstr_error *error);

/*
 * KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_migrations, at_most, 1000); the failure message shows the
 * expression as written. Comparators: at_least, at_most, lt, gt, eq, ne.
 */
#define KTSTR_CLAIM(ctx, expr, comparator, expected)                                               \
	ktstr_claim_value(&(ctx)->result, #expr, KTSTR_VALUE(expr), KTSTR_CMP_##comparator,        \
			  KTSTR_VALUE(expected))

/* The same for an optional number: an absent one fails. */
#define KTSTR_CLAIM_PRESENT(ctx, expr, comparator, expected)                                       \
	ktstr_claim_opt(&(ctx)->result, #expr, (expr), KTSTR_CMP_##comparator, (expected))

#ifdef __cplusplus
}
#endif
#endif
