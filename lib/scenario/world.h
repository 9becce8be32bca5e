/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a plan acts upon. The live world is this machine; the paper world only keeps books, so that a plan can be checked
 * before anything boots; unit tests bring one of their own. Whatever the engine does to the outside goes through here.
 */
#ifndef KTSTR_SCENARIO_WORLD_H
#define KTSTR_SCENARIO_WORLD_H

#include "base/str.h"
#include "ktstr/test.h"

struct world;

/*
 * Workloads and payloads are handles of the world that made them. A NULL among the functions that return nothing or an
 * error is one that does nothing and succeeds; without scheduler_alive it always is.
 */
struct world_ops {
	uint64_t (*now_ns)(struct world *world);
	void (*sleep_ns)(struct world *world, uint64_t ns);
	bool (*scheduler_alive)(struct world *world);
	/* Workers are about to be held: what the kernel shows of its scheduler is told to the host. */
	void (*dispatched)(struct world *world);
	void (*send_frame)(struct world *world, uint32_t type, const void *payload, size_t length);
	/* Until the host has written to the scheduler's maps. */
	struct ktstr_error *(*await_map_write)(struct world *world);

	bool (*cgroup_exists)(struct world *world, const char *name);
	struct ktstr_error *(*cgroup_create)(struct world *world, const char *name);
	struct ktstr_error *(*cgroup_apply)(struct world *world, const struct ktstr_cgroup_def *def); /* create, knobs */
	struct ktstr_error *(*cgroup_remove)(struct world *world, const char *name);
	struct ktstr_error *(*cgroup_set_cpuset)(struct world *world, const char *name, const struct ktstr_cpus *cpus);
	struct ktstr_error *(*cgroup_clear_cpuset)(struct world *world, const char *name);
	struct ktstr_error *(*cgroup_get_cpuset)(struct world *world, const char *name, struct ktstr_cpus *cpus);
	struct ktstr_error *(*cgroup_freeze)(struct world *world, const char *name, bool freeze);
	/* Makes it take processes of its own: no controllers for children. */
	struct ktstr_error *(*cgroup_open)(struct world *world, const char *name);
	struct ktstr_error *(*cgroup_procs)(struct world *world, const char *name, int **pids, size_t *count);

	struct ktstr_error *(*workload_spawn)(struct world *world, const struct ktstr_workload_config *config,
					      void **workload);
	struct ktstr_error *(*workload_move)(struct world *world, void *workload, const char *cgroup);
	struct ktstr_error *(*workload_start)(struct world *world, void *workload);
	struct ktstr_error *(*workload_affinity)(struct world *world, void *workload,
						 const struct ktstr_resolved_affinity *affinity);
	void (*workload_phase)(struct world *world, void *workload, uint32_t epoch);
	size_t (*workload_count)(struct world *world, const void *workload);
	uint64_t (*workload_iterations)(struct world *world, const void *workload);
	const struct ktstr_worker_report *(*workload_collect)(struct world *world, void *workload, size_t *count);
	void (*workload_destroy)(struct world *world, void *workload);

	struct ktstr_error *(*payload_start)(struct world *world, const struct ktstr_payload_run *run, void **payload);
	/* Waits for its end or brings it about, judges and reports it, frees it. */
	struct ktstr_error *(*payload_end)(struct world *world, void *payload, bool kill);

	/* ATTACH, DETACH, RESTART, REPLACE; scheduler NULL for those that name none. */
	struct ktstr_error *(*scheduler)(struct world *world, enum ktstr_op_kind kind,
					 const struct ktstr_scheduler *scheduler);
	struct ktstr_error *(*pin_bpf_map)(struct world *world, const char *name);

	struct ktstr_error *(*capture)(struct world *world, const char *tag);
	struct ktstr_error *(*watch)(struct world *world, const char *symbol);
	struct ktstr_error *(*kernel_write)(struct world *world, bool cold, const struct ktstr_kernel_op_entry *entries,
					    size_t count);
	struct ktstr_error *(*kernel_read)(struct world *world, bool cold, const char *tag,
					   const struct ktstr_kernel_op_entry *entry);
	void (*record_procs)(struct world *world, const char *tag, const char *cgroup, const int *pids, size_t count);
	/* The number of the one interrupt that the label means. */
	struct ktstr_error *(*find_irq)(struct world *world, const char *label, unsigned int *number);
	struct ktstr_error *(*steer_irq)(struct world *world, unsigned int number, unsigned int cpu);
};

struct world {
	const struct world_ops *ops;
	struct ktstr_ctx *ctx;
};

extern const struct world_ops live_world_ops;

/* The paper world: cgroups that would exist, a clock that sleeping moves on. */
struct paper_cgroup {
	char *name;
	struct ktstr_cpus cpus; /* empty = no cpuset */
};

struct paper_world {
	struct world world; /* first: the engine only sees this */
	uint64_t now_ns;
	struct paper_cgroup *cgroups;
	size_t cgroups_count;
	const struct ktstr_test_entry *test; /* says what will be in the guest; NULL = everything */
	bool attached; /* a scheduler of sched_ext */
};

/* test: whose plan it is, NULL = nobody's. */
void paper_world_init(struct paper_world *paper, struct ktstr_ctx *ctx, const struct ktstr_test_entry *test);
void paper_world_deinit(struct paper_world *paper);

#endif
