/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the engine: what is there at a moment of a scenario (scopes: the backdrop and the step that runs), and what
 * its files share.
 */
#ifndef KTSTR_SCENARIO_ENGINE_H
#define KTSTR_SCENARIO_ENGINE_H

#include "scenario/world.h"

/* The name of the cgroup of the test program itself, as workloads and payloads carry it. */
#define RUNNER_CGROUP ""
/* What statistics call it. */
#define RUNNER_CGROUP_LABEL "runner"
/* The phase word between two steps. */
#define BETWEEN_STEPS UINT32_MAX

struct scope_cgroup {
	char *name;
	bool implied; /* an intermediate directory that another one needed */
	bool foreign; /* made by the test body: not ours to remove */
	bool confined; /* has a cpuset: */
	struct ktstr_cpus cpus;
	uint64_t mems; /* its memory nodes, 0 without a cpuset */
	bool frozen;
};

/* Workers that were spawned together. */
struct scope_workload {
	char *cgroup; /* where they are now */
	void *handle;
	/* All CPUs that a cpuset allowed them since they began; meaningless once they were without one. */
	struct ktstr_cpus allowed;
	bool unconfined;
};

struct scope_payload {
	char *name, *cgroup;
	void *handle;
};

/* What a step, or the backdrop, has made and must take down. */
struct scope {
	struct scope_cgroup *cgroups; /* in the order of creation */
	size_t cgroups_count;
	struct scope_workload *workloads;
	size_t workloads_count;
	struct scope_payload *payloads;
	size_t payloads_count;
};

struct engine {
	struct world *world;
	struct ktstr_ctx *ctx; /* the world's */
	const struct ktstr_assert *assert;
	struct scope backdrop, step;
	struct scope *local; /* where what is made now belongs */
	uint64_t began_ns;
	uint64_t spawned; /* workloads so far: each has its own seed */
	uint64_t finished_iterations; /* of workers that are gone */
	uint32_t phase; /* the word of the backdrop's workers */
	struct ktstr_strv watches;
	/* On paper: all errors. NULL = the first one ends the step. */
	struct ktstr_strv *errors;
	const char *where; /* "step 2", "backdrop": begins an error on paper */
};

/*
 * Calls of the engine to its world: WORLD() asks for something that every world must have, TRY_WORLD() gives NULL, and
 * TELL_WORLD() does nothing, in a world that lacks the function.
 */
#define WORLD(engine, op, ...) ((engine)->world->ops->op((engine)->world __VA_OPT__(, ) __VA_ARGS__))
#define TRY_WORLD(engine, op, ...)                                                                 \
	((engine)->world->ops->op ? WORLD(engine, op __VA_OPT__(, ) __VA_ARGS__) : (struct ktstr_error *)NULL)
#define TELL_WORLD(engine, op, ...)                                                                \
	do {                                                                                       \
		if ((engine)->world->ops->op)                                                      \
			WORLD(engine, op __VA_OPT__(, ) __VA_ARGS__);                              \
	} while (0)

/* Is the scheduler under test, if there is one, still there? */
static inline bool scheduler_alive(struct engine *engine)
{
	return !engine->world->ops->scheduler_alive || WORLD(engine, scheduler_alive);
}

/*
 * Live: hands the error back. On paper: adds it to the list and returns NULL, for the next mistake to be found, too.
 */
struct ktstr_error *engine_pass(struct engine *engine, struct ktstr_error *error) KTSTR_CHECKED;

/* --- scope.c --- */

/* Step first, then backdrop. NULL = unknown. *scope (may be NULL) says where. */
struct scope_cgroup *find_cgroup(struct engine *engine, const char *name, struct scope **scope);
/* The same, or KTSTR_ERR_NOT_FOUND with the nearest name. */
struct ktstr_error *want_cgroup(struct engine *engine, const char *name, struct scope_cgroup **cgroup) KTSTR_CHECKED;
/* KTSTR_ERR_INVALID when step or backdrop have that cgroup already, or the name cannot be one. */
struct ktstr_error *check_new_cgroup(struct engine *engine, const char *name) KTSTR_CHECKED;
/* Adds it to the local scope, with those above it that nobody made. Before it is created. */
void track_cgroup(struct engine *engine, const char *name);
/* The first frozen one of it and those above it, NULL when tasks can run there. */
struct scope_cgroup *next_frozen(struct engine *engine, const char *cgroup);
/* Does not touch the directory. */
void forget_cgroup(struct scope *scope, struct scope_cgroup *cgroup);
/* Records the CPUs of a cgroup (NULL = none) and what they mean to the workers in it. */
void note_cpuset(struct engine *engine, struct scope_cgroup *cgroup, const struct ktstr_cpus *cpus);
/* The CPUs that workers of the cgroup may use; all of the machine without a cpuset. */
struct ktstr_cpus cgroup_cpus(const struct engine *engine, const struct scope_cgroup *cgroup);
/* cgroup NULL = the runner's. */
struct scope_workload *track_workload(struct scope *scope, const struct scope_cgroup *cgroup, void *handle);
/* The workers have come to that cgroup. */
void rekey_workload(struct scope_workload *workload, const struct scope_cgroup *cgroup);
/* The step's workers outlive it from now on. */
void give_to_backdrop(struct engine *engine, struct scope_workload *workload);
void track_payload(struct scope *scope, const char *name, const char *cgroup, void *handle);
void forget_payload(struct scope *scope, struct scope_payload *payload);
void scope_deinit(struct scope *scope);
/* Both scopes, for loops: for_each_scope (scope, engine) */
#define for_each_scope(scope, engine)                                                              \
	for (struct scope *scope = &(engine)->step; scope;                                         \
	     scope = scope == &(engine)->step ? &(engine)->backdrop : NULL)

/* --- setup.c --- */

/*
 * Makes the cgroups of a setup with their workers, lets all of these begin together, starts the payloads.
 */
struct ktstr_error *apply_setup(struct engine *engine, const struct ktstr_setup *setup) KTSTR_CHECKED;
/* One definition by itself. */
struct ktstr_error *apply_def(struct engine *engine, const struct ktstr_cgroup_def *def) KTSTR_CHECKED;
/*
 * Spawns the workers of a valid definition in a cgroup that exists (NULL = the runner's); they do not begin yet.
 */
struct ktstr_error *spawn_in(struct engine *engine, const struct ktstr_cgroup_def *def, struct scope_cgroup *cgroup,
			     struct scope_workload **workload) KTSTR_CHECKED;
struct ktstr_cgroup_scope def_scope(const struct engine *engine);

/* --- ops.c and the families --- */

struct ktstr_error *run_ops(struct engine *engine, const struct ktstr_op *ops, size_t count) KTSTR_CHECKED;
/* The mask of the kinds of ops. */
uint32_t op_kinds(const struct ktstr_op *ops, size_t count);

typedef struct ktstr_error *op_fn(struct engine *engine, const struct ktstr_op *op);
op_fn op_add_cgroup, op_add_cgroup_def, op_remove_cgroup, op_set_cpuset, op_clear_cpuset, op_swap_cpusets, op_stop_cgroup,
	op_freeze_cgroup, op_unfreeze_cgroup; /* ops_cgroup.c */
op_fn op_spawn, op_set_affinity, op_move_all_tasks; /* ops_tasks.c */
op_fn op_run_payload, op_wait_payload, op_kill_payload; /* ops_payload.c */
op_fn op_attach_scheduler, op_detach_scheduler, op_restart_scheduler, op_replace_scheduler,
	op_pin_bpf_map; /* ops_sched.c */
op_fn op_capture_snapshot, op_watch_snapshot, op_write_kernel_hot, op_read_kernel_hot, op_read_kernel_cold,
	op_capture_cgroup_procs, op_steer_irq; /* ops_host.c */
/* Neighbouring cold writes, in one freeze; ops_host.c. */
struct ktstr_error *write_kernel_cold(struct engine *engine, const struct ktstr_op *ops, size_t count) KTSTR_CHECKED;
/* Checks and starts a payload in a cgroup (NULL = where the test program is); ops_payload.c. */
struct ktstr_error *start_payload(struct engine *engine, const struct ktstr_payload *payload, const char *const *args,
				  const char *cgroup) KTSTR_CHECKED;

/* --- teardown.c --- */

/*
 * Ends the payloads and workers of a scope that are in that cgroup (NULL = all), newest first, and evaluates the workers
 * by cgroup.
 */
void stop_in(struct engine *engine, struct scope *scope, const char *cgroup);
/* All of it, the cgroups newest first. */
void tear_down(struct engine *engine, struct scope *scope);
/* Thaws what was frozen on the way to a cgroup: a frozen worker cannot stop. */
void thaw_path(struct engine *engine, const char *cgroup);

/* --- stimulus.c --- */

struct stimulus_counts {
	size_t step;
	size_t ops;
	uint32_t kinds;
};
/* The step's ops come next: what the host does for them is of its phase. */
void send_step(struct engine *engine, size_t index);
void send_stimulus(struct engine *engine, const struct stimulus_counts *counts, bool end);

/* --- steps.c --- */

/* KTSTR_ERR_INVALID for a hold that is none. */
struct ktstr_error *check_hold(const struct ktstr_hold *hold) KTSTR_CHECKED;
/* *alive is false when the scheduler went away meanwhile. The step is torn down in any case. */
struct ktstr_error *run_step(struct engine *engine, const struct ktstr_step *step, size_t index, bool *alive) KTSTR_CHECKED;

/* --- engine.c --- */

/* Runs a whole scenario in a world. Errors become details of the context's verdict, or lines of `errors` on paper. */
void run_scenario(struct world *world, const struct ktstr_assert *assert, const struct ktstr_backdrop *backdrop,
		  const struct ktstr_step *steps, size_t count, struct ktstr_strv *errors);

#endif
