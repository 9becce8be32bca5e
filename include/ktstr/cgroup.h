/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups: the definition of one (name, CPUs, work) as a test writes it, and the manager that creates,
 * fills and removes them under one parent directory of the cgroup2 tree.
 */
#ifndef KTSTR_CGROUP_H
#define KTSTR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/work.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One cgroup of a scenario. `work`, `workers` and `affinity` describe its first group of workers; `works` adds
 * further groups that run at the same time.
 */
struct ktstr_cgroup_def {
	const char *name; /* "spin", "parent/child"; see ktstr_cgroup_check_name() */
	struct ktstr_cpuset_spec cpuset; /* unset = inherit */
	unsigned int workers; /* 0 = the context's workers_per_cgroup */
	struct ktstr_work_type work; /* unset = SPIN_WAIT */
	struct ktstr_affinity affinity;
	const struct ktstr_work_spec *works;
	size_t works_count;
};

/* KTSTR_CGROUPS({ .name = "a" }, { .name = "b" }): an array and its length, as two arguments. */
#define KTSTR_CGROUPS(...)                                                                         \
	((const struct ktstr_cgroup_def[]){ __VA_ARGS__ }),                                        \
		(sizeof((const struct ktstr_cgroup_def[]){ __VA_ARGS__ }) /                        \
		 sizeof(struct ktstr_cgroup_def))

/* Non-empty, no leading '/', no NUL, no component that is empty or starts with a dot. */
struct ktstr_error *ktstr_cgroup_check_name(const char *name) KTSTR_CHECKED;

#define KTSTR_CGROUP_DEFAULT_PARENT "/sys/fs/cgroup/ktstr"

struct ktstr_cgroup_manager;

/* parent: absolute path below the cgroup2 mount; NULL = KTSTR_CGROUP_DEFAULT_PARENT. */
struct ktstr_error *ktstr_cgroup_manager_create(const char *parent,
						struct ktstr_cgroup_manager **manager) KTSTR_CHECKED;
void ktstr_cgroup_manager_destroy(struct ktstr_cgroup_manager *manager);
/*
 * Creates the parent and enables the controllers (e.g. {"cpuset", "cpu"}) on every ancestor and the
 * parent; KTSTR_ERR_UNSUPPORTED names a controller that cgroup.controllers of the root lacks.
 */
struct ktstr_error *ktstr_cgroup_setup(struct ktstr_cgroup_manager *manager,
				       const char *const *controllers, size_t count) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_create(struct ktstr_cgroup_manager *manager, const char *name)
	KTSTR_CHECKED; /* idempotent; intermediate cgroups get the controllers too */
struct ktstr_error *ktstr_cgroup_set_cpuset(struct ktstr_cgroup_manager *manager, const char *name,
					    const struct ktstr_cpus *cpus) KTSTR_CHECKED;
struct ktstr_error *ktstr_cgroup_clear_cpuset(struct ktstr_cgroup_manager *manager,
					      const char *name) KTSTR_CHECKED;
/* cpuset.cpus.effective of the cgroup. */
struct ktstr_error *ktstr_cgroup_effective_cpus(struct ktstr_cgroup_manager *manager,
						const char *name, struct ktstr_cpus *cpus)
	KTSTR_CHECKED;
/*
 * Moves processes; a pid that is gone is skipped with a warning, all gone is an error; EBUSY is tried three
 * times, 100 ms apart.
 */
struct ktstr_error *ktstr_cgroup_move_tasks(struct ktstr_cgroup_manager *manager, const char *name,
					    const int *pids, size_t count) KTSTR_CHECKED;
/* Process ids in cgroup.procs; heap. */
struct ktstr_error *ktstr_cgroup_read_procs(struct ktstr_cgroup_manager *manager, const char *name,
					    int **pids, size_t *count) KTSTR_CHECKED;
/* Unfreezes, moves tasks to the root, waits for emptiness (1 s), removes; missing is success. */
struct ktstr_error *ktstr_cgroup_remove(struct ktstr_cgroup_manager *manager, const char *name)
	KTSTR_CHECKED;
/* Removes everything below and including the parent, deepest first. */
struct ktstr_error *ktstr_cgroup_cleanup_all(struct ktstr_cgroup_manager *manager) KTSTR_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
