/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running plans inside a test body: cgroups full of workers, steps, a backdrop; and what the body sees of its surroundings.
 */
#ifndef KTSTR_SCENARIO_H
#define KTSTR_SCENARIO_H

#include <ktstr/cgroup.h>
#include <ktstr/check.h>
#include <ktstr/step.h>
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
	ktstr_plan_fn plan; /* that the test declares, NULL = none */
	const struct ktstr_work_type *work_type_override; /* for swappable definitions; NULL = none */
	bool wait_for_map_write; /* scenarios begin once the host has written to the scheduler's BPF maps */
	unsigned int current_step; /* 0 = baseline, k + 1 = step k; atomic: read it with ktstr_current_step() */
};

/*
 * Executors. Whatever goes wrong becomes a failing detail in ctx->result, what was measured before stays: "step 2 failed:
 * op 0 (SetCpuset): ...". Everything that an executor made is gone when it returns. A scheduler that dies ends the
 * scenario early, with a detail.
 *
 * Order: holds and payloads of the backdrop are checked before anything happens; then backdrop; then each step (from the
 * second on only while the scheduler lives): ops, cgroups, the stimulus record, the hold, teardown; then the backdrop's
 * teardown. Workers of one setup begin together. assert NULL = ctx->assert.
 */
void ktstr_execute_scenario_with(struct ktstr_ctx *ctx, const struct ktstr_backdrop *backdrop,
				 const struct ktstr_step *steps, size_t count, const struct ktstr_assert *assert);
void ktstr_execute_scenario(struct ktstr_ctx *ctx, const struct ktstr_backdrop *backdrop,
			    const struct ktstr_step *steps, size_t count);
void ktstr_execute_steps_with(struct ktstr_ctx *ctx, const struct ktstr_step *steps, size_t count,
			      const struct ktstr_assert *assert);
void ktstr_execute_steps(struct ktstr_ctx *ctx, const struct ktstr_step *steps, size_t count);
/* One step with these cgroups and a FULL hold. */
void ktstr_execute_defs(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *defs, size_t count);
void ktstr_execute_plan(struct ktstr_ctx *ctx, const struct ktstr_plan *plan);
/* For bodies: KTSTR_EXECUTE(ctx, .backdrop = { ... }, KTSTR_STEPS(...)); */
#define KTSTR_EXECUTE(ctx, ...) ktstr_execute_plan((ctx), &(const struct ktstr_plan){ __VA_ARGS__ })
/* The test's own .plan. */
void ktstr_run_plan(struct ktstr_ctx *ctx);
/* ktstr_execute_defs() under its first name: ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "a" }, { .name = "b" })); */
void ktstr_run_cgroups(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *defs, size_t count);

unsigned int ktstr_current_step(const struct ktstr_ctx *ctx);

/* Helpers for steps. */
/* CPUs of a resolved spec; later SET_CPUSETs do not count. */
unsigned int ktstr_ctx_cpuset_cpus(const struct ktstr_ctx *ctx, struct ktstr_cpuset_spec spec);
/* FIXED(settle + duration * fraction) */
struct ktstr_hold ktstr_ctx_settled_hold(const struct ktstr_ctx *ctx, double fraction);
/* A cgroup with workers_per_cgroup spinning workers. */
struct ktstr_cgroup_def ktstr_ctx_cgroup_def(const struct ktstr_ctx *ctx, const char *name);
/* A run of the payload with its default arguments and checks, to be changed and run. */
struct ktstr_payload_run ktstr_ctx_payload(const struct ktstr_ctx *ctx, const struct ktstr_payload *payload);

/* Helpers for bodies that do without steps: cgroups with workers in them. */
struct ktstr_workloads;
/* workers_per_cgroup spinners. */
struct ktstr_work_spec ktstr_dfl_wl(const struct ktstr_ctx *ctx);
/*
 * Makes cg_0 to cg_<count - 1>, waits for ctx->settle_ns, fails if the scheduler died, then spawns, moves and starts all.
 * On error nothing is left behind.
 */
struct ktstr_error *ktstr_setup_cgroups(struct ktstr_ctx *ctx, unsigned int count, const struct ktstr_work_spec *work,
					struct ktstr_workloads **workloads) KTSTR_CHECKED;
/*
 * One kind of work for each of the cgroups, which exist, in turn: SpinWait, Bursty (50 ms, 100 ms), IoSyncWrite, Mixed,
 * YieldHeavy. workers_per_cgroup workers each, IoSyncWrite always 2. Each starts at once.
 */
struct ktstr_error *ktstr_spawn_diverse(struct ktstr_ctx *ctx, const char *const *cgroups, size_t count,
					struct ktstr_workloads **workloads) KTSTR_CHECKED;
/*
 * Stops all, evaluates each cgroup's workers against assert (NULL = ctx->assert), removes the cgroups that
 * ktstr_setup_cgroups() made, and frees.
 */
void ktstr_collect_all(struct ktstr_ctx *ctx, struct ktstr_workloads *workloads, const struct ktstr_assert *assert);

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

#ifdef __cplusplus
}
#endif
#endif
