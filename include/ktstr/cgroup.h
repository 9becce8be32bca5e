/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups: the definition of one (name, CPUs, work) as a test writes it, and the manager that creates,
 * fills and removes them under one parent directory of the cgroup2 tree.
 */
#ifndef KTSTR_CGROUP_H
#define KTSTR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/work.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_payload; /* ktstr/payload.h */

/* cpu.max and cpu.weight. Setting anything writes cpu.max ("max" without a limit). */
struct ktstr_cgroup_cpu {
	unsigned int quota_pct; /* 100 = one CPU; of a period of 100 ms */
	uint64_t quota, period; /* ns, both or none; the kernel counts in us */
	bool unlimited;
	unsigned int weight; /* 1 to 10000; 0 = unset */
};

/* Bytes. Setting any of max, high, low, unlimited writes all of max ("max"), high ("max") and low (0). */
struct ktstr_cgroup_memory {
	struct ktstr_opt_u64 max, high, low;
	bool unlimited;
	struct ktstr_opt_u64 swap_max; /* written only when set */
	bool swap_unlimited;
};

/*
 * One cgroup of a scenario: its limits, and the groups of workers in it. `work` to `mpol_flags` describe the first
 * group; `works` adds groups that run at the same time, and is all there is when none of those fields is set. Without
 * any of them there is one group of SpinWait.
 */
struct ktstr_cgroup_def {
	const char *name; /* "spin", "parent/child"; see ktstr_cgroup_check_name() */
	struct ktstr_cpuset_spec cpuset; /* unset = inherit */
	uint64_t cpuset_mems; /* bit n = memory node n; 0 = inherit */
	struct ktstr_cgroup_cpu cpu;
	struct ktstr_cgroup_memory memory;
	unsigned int io_weight; /* 1 to 10000; 0 = unset */
	unsigned int pids_max; /* 0 = unset */
	bool pids_unlimited;

	unsigned int workers; /* 0 = workers_pct, else the context's workers_per_cgroup */
	double workers_pct; /* see struct ktstr_work_spec */
	struct ktstr_work_type work; /* unset = SPIN_WAIT */
	struct ktstr_sched_policy sched_policy;
	struct ktstr_affinity affinity;
	struct ktstr_mem_policy mem_policy;
	unsigned int mpol_flags;
	const struct ktstr_work_spec *works; /* KTSTR_WORKS(...) */
	size_t works_count;

	/* For groups that do not say themselves. */
	struct ktstr_opt_i32 nice;
	const char *comm, *pcomm;
	struct ktstr_opt_u32 uid, gid;
	struct ktstr_opt_u32 numa_node;

	const struct ktstr_payload *workload; /* a program that runs beside the workers, started last */
	bool swappable; /* `ktstr test --work-type` may replace the work of its groups */
};

/* KTSTR_CGROUPS({ .name = "a" }, { .name = "b" }): an array and its length, as two arguments. */
#define KTSTR_CGROUPS(...)                                                                         \
	((const struct ktstr_cgroup_def[]){ __VA_ARGS__ }),                                        \
		(sizeof((const struct ktstr_cgroup_def[]){ __VA_ARGS__ }) /                        \
		 sizeof(struct ktstr_cgroup_def))

/* What definitions are read against. */
struct ktstr_cgroup_scope {
	const struct ktstr_test_topology *topo;
	unsigned int workers_per_cgroup; /* of groups without a count, rounded up to whole groups */
	const struct ktstr_work_type *override; /* the work of swappable definitions; NULL = their own */
};

/*
 * KTSTR_ERR_INVALID names the cgroup, what cannot be and the remedy: name, cpuset (empty on this topology, too),
 * limits, counts, works, comms, memory policies against the cpuset's nodes, uid and gid within a pcomm.
 */
struct ktstr_error *ktstr_cgroup_def_validate(const struct ktstr_cgroup_def *def,
					      const struct ktstr_cgroup_scope *scope) KTSTR_CHECKED;
/* CPUs its workers may use: those of the cpuset, all without one. */
struct ktstr_cpus ktstr_cgroup_def_cpus(const struct ktstr_cgroup_def *def,
					const struct ktstr_test_topology *topo);
/* Memory nodes its cpuset allows: cpuset_mems, else those of the cpuset's CPUs; 0 without a cpuset. */
uint64_t ktstr_cgroup_def_mems(const struct ktstr_cgroup_def *def, const struct ktstr_test_topology *topo);
/*
 * The groups of workers of a valid definition, for ktstr_workload_spawn(): counts, the cgroup's defaults and the
 * override filled in. An override whose group size does not divide a count leaves that group as it is. Heap array.
 */
struct ktstr_work_spec *ktstr_cgroup_def_works(const struct ktstr_cgroup_def *def,
					       const struct ktstr_cgroup_scope *scope, size_t *count);

/* Non-empty, no leading '/', no NUL, no component that is empty or starts with a dot. */
struct ktstr_error *ktstr_cgroup_check_name(const char *name) KTSTR_CHECKED;

/* A cgroup from the root of the cgroup2 tree: KTSTR_CGROUP_PATH("ktstr/parent") is "/ktstr/parent"; "" does not compile. */
struct ktstr_cgroup_path {
	const char *text;
};
#define KTSTR_CGROUP_PATH(BELOW) { &("/" BELOW)[0 * sizeof(char[sizeof(BELOW) > 1 ? 1 : -1])] }

struct ktstr_error *ktstr_cgroup_path_check(struct ktstr_cgroup_path path) KTSTR_CHECKED;
/* "/sys/fs/cgroup/ktstr/parent"; heap. */
char *ktstr_cgroup_path_sysfs(struct ktstr_cgroup_path path);

#define KTSTR_CGROUP_DEFAULT_PARENT "/sys/fs/cgroup/ktstr"

struct ktstr_cgroup_manager;

/*
 * All functions below: an error names the file, the value and the kernel's answer. A write that takes longer than 2 s
 * is KTSTR_ERR_TIMEOUT. A setter enables the controller it needs on the way down to the cgroup.
 */

/* parent: absolute path below the cgroup2 mount; NULL = KTSTR_CGROUP_DEFAULT_PARENT. */
struct ktstr_error *ktstr_cgroup_manager_create(const char *parent,
						struct ktstr_cgroup_manager **manager) KTSTR_CHECKED;
void ktstr_cgroup_manager_destroy(struct ktstr_cgroup_manager *manager);
/*
 * Nothing above `dir` is touched: a subtree that was delegated to us, with the manager's parent in it. Controllers are
 * enabled from there on, and processes are drained to it.
 */
struct ktstr_error *ktstr_cgroup_manager_set_walk_root(struct ktstr_cgroup_manager *manager, const char *dir)
	KTSTR_CHECKED;
/*
 * Creates the parent and enables the controllers (e.g. {"cpuset", "cpu"}) on every ancestor and the
 * parent; KTSTR_ERR_UNSUPPORTED names a controller that cgroup.controllers of the root lacks.
 */
struct ktstr_error *ktstr_cgroup_setup(struct ktstr_cgroup_manager *manager,
				       const char *const *controllers, size_t count) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_create(struct ktstr_cgroup_manager *manager, const char *name)
	KTSTR_CHECKED; /* idempotent; intermediate cgroups get the controllers too */
/* Creates the cgroup and sets cpuset, mems, cpu, memory, io and pids of a valid definition, in this order. */
struct ktstr_error *ktstr_cgroup_def_apply(struct ktstr_cgroup_manager *manager, const struct ktstr_cgroup_def *def,
					   const struct ktstr_test_topology *topo) KTSTR_CHECKED;
bool ktstr_cgroup_exists(struct ktstr_cgroup_manager *manager, const char *name);
/* The absolute path of one of its files, or with file NULL its own; heap. */
struct ktstr_error *ktstr_cgroup_file(struct ktstr_cgroup_manager *manager, const char *name, const char *file,
				      char **path) KTSTR_CHECKED;

struct ktstr_error *ktstr_cgroup_set_cpuset(struct ktstr_cgroup_manager *manager, const char *name,
					    const struct ktstr_cpus *cpus) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_clear_cpuset(struct ktstr_cgroup_manager *manager,
					      const char *name) KTSTR_CHECKED;
/* cpuset.cpus as it was set: empty when it was not. */
struct ktstr_error *ktstr_cgroup_get_cpuset(struct ktstr_cgroup_manager *manager, const char *name,
					    struct ktstr_cpus *cpus) KTSTR_CHECKED;
/* cpuset.cpus.effective of the cgroup. */
struct ktstr_error *ktstr_cgroup_effective_cpus(struct ktstr_cgroup_manager *manager,
						const char *name, struct ktstr_cpus *cpus)
	KTSTR_CHECKED;
/* Bit n = memory node n; 0 clears: inherit. */
struct ktstr_error *ktstr_cgroup_set_cpuset_mems(struct ktstr_cgroup_manager *manager, const char *name,
						 uint64_t nodes) KTSTR_CHECKED;
/* ns of CPU time per ns; an unset quota is "max". */
struct ktstr_error *ktstr_cgroup_set_cpu_max(struct ktstr_cgroup_manager *manager, const char *name,
					     struct ktstr_opt_u64 quota_ns, uint64_t period_ns) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_set_cpu_weight(struct ktstr_cgroup_manager *manager, const char *name,
						unsigned int weight) KTSTR_CHECKED;
/* Bytes; unset is "max". */
struct ktstr_error *ktstr_cgroup_set_memory_max(struct ktstr_cgroup_manager *manager, const char *name,
						struct ktstr_opt_u64 bytes) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_set_memory_high(struct ktstr_cgroup_manager *manager, const char *name,
						 struct ktstr_opt_u64 bytes) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_set_memory_low(struct ktstr_cgroup_manager *manager, const char *name,
						struct ktstr_opt_u64 bytes) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_set_swap_max(struct ktstr_cgroup_manager *manager, const char *name,
					      struct ktstr_opt_u64 bytes) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_set_io_weight(struct ktstr_cgroup_manager *manager, const char *name,
					       unsigned int weight) KTSTR_CHECKED;
/* Processes and threads; unset is "max". */
struct ktstr_error *ktstr_cgroup_set_pids_max(struct ktstr_cgroup_manager *manager, const char *name,
					      struct ktstr_opt_u64 tasks) KTSTR_CHECKED;
/*
 * Idempotent. Freezing waits until all tasks have stopped; a warning says so when they have not within 1 s, and the kernel
 * stops them when it can.
 */
struct ktstr_error *ktstr_cgroup_freeze(struct ktstr_cgroup_manager *manager, const char *name) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_unfreeze(struct ktstr_cgroup_manager *manager, const char *name) KTSTR_CHECKED;

/*
 * Moves processes; a pid that is gone is skipped with a warning, all gone is an error; EBUSY is tried three
 * times, 100 ms apart. KTSTR_ERR_INVALID when the cgroup has CPUs but no memory nodes.
 */
struct ktstr_error *ktstr_cgroup_move_tasks(struct ktstr_cgroup_manager *manager, const char *name,
					    const int *pids, size_t count) KTSTR_CHECKED;
/* Process ids in cgroup.procs; heap. */
struct ktstr_error *ktstr_cgroup_read_procs(struct ktstr_cgroup_manager *manager, const char *name,
					    int **pids, size_t *count) KTSTR_CHECKED;
/* Disables all controllers for its children: only then may it have processes itself. Fails when children use them. */
struct ktstr_error *ktstr_cgroup_clear_subtree_control(struct ktstr_cgroup_manager *manager, const char *name)
	KTSTR_CHECKED;
/* Moves its processes to the walk root. */
struct ktstr_error *ktstr_cgroup_drain_tasks(struct ktstr_cgroup_manager *manager, const char *name) KTSTR_CHECKED;
/*
 * Unfreezes, drains, waits for emptiness (1 s), removes; missing is success. KTSTR_ERR_BUSY when more than 10 others
 * could not be removed and are still there.
 */
struct ktstr_error *ktstr_cgroup_remove(struct ktstr_cgroup_manager *manager, const char *name)
	KTSTR_CHECKED;
/* Removes everything below and including the parent, deepest first. */
struct ktstr_error *ktstr_cgroup_cleanup_all(struct ktstr_cgroup_manager *manager) KTSTR_CHECKED;

/* Cgroups that belong together: destroying the group removes them, newest first; what fails is warned of. */
struct ktstr_cgroup_group;

struct ktstr_cgroup_group *ktstr_cgroup_group_create(struct ktstr_cgroup_manager *manager); /* borrowed */
/* cpus NULL = without a cpuset. */
struct ktstr_error *ktstr_cgroup_group_add(struct ktstr_cgroup_group *group, const char *name,
					   const struct ktstr_cpus *cpus) KTSTR_CHECKED;
/* In the order they were added; borrowed. */
const char *const *ktstr_cgroup_group_names(const struct ktstr_cgroup_group *group, size_t *count);
void ktstr_cgroup_group_destroy(struct ktstr_cgroup_group *group);

#ifdef __cplusplus
}
#endif
#endif
