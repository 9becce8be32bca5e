/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of lib/cgroup: the manager's state, paths below it, and reads and writes of cgroup files.
 */
#ifndef KTSTR_CGROUP_MANAGER_H
#define KTSTR_CGROUP_MANAGER_H

#include "base/str.h"
#include "ktstr/cgroup.h"

struct ktstr_cgroup_manager {
	char *parent; /* absolute, without a trailing slash */
	char *root;   /* where the walk down begins: the cgroup2 mount point, or a delegated subtree */
	struct ktstr_strv controllers; /* that setup() got */
	struct ktstr_strv failed;      /* directories that could not be removed and still exist */
};

/* "<parent>/<name>", "<parent>/<name>/<file>" with a file; the name is checked. Heap. */
struct ktstr_error *cgroup_path(const struct ktstr_cgroup_manager *manager, const char *name,
				const char *file, char **path) KTSTR_CHECKED;

/*
 * One write() of text with a limit of 2 s, KTSTR_ERR_TIMEOUT "cgroup write to <path> timed out
 * after 2000ms". Other failures keep the kernel's errno and name file and value.
 */
struct ktstr_error *cgroup_write(const char *path, const char *text) KTSTR_CHECKED;

/* Makes dir hand the manager's controllers on to its children. */
struct ktstr_error *cgroup_enable_controllers(const struct ktstr_cgroup_manager *manager,
					      const char *dir) KTSTR_CHECKED;

/* Enables the controller on the way from the root to the cgroup, unless the cgroup has it already. */
struct ktstr_error *cgroup_need_controller(struct ktstr_cgroup_manager *manager, const char *name,
					   const char *controller) KTSTR_CHECKED;

/* cgroup_write() to a file of the cgroup; the controller is what comes before the file's first dot. */
struct ktstr_error *cgroup_set(struct ktstr_cgroup_manager *manager, const char *name, const char *file,
			       const char *text) KTSTR_CHECKED;

/* The pids in a cgroup.procs file. Heap. */
struct ktstr_error *cgroup_read_pids(const char *procs_path, int **pids,
				     size_t *count) KTSTR_CHECKED;

/*
 * Until the cgroup.events of dir no longer has `state` ("populated 1", "frozen 0") in it; false when it still has after
 * limit_ms. Without such a file there is nothing to wait for.
 */
bool cgroup_wait_while(const char *dir, const char *state, unsigned int limit_ms);

/* Moves all processes of dir to the manager's root. */
struct ktstr_error *cgroup_drain(const struct ktstr_cgroup_manager *manager, const char *dir) KTSTR_CHECKED;

/* Empties and removes one cgroup directory; missing is success. */
struct ktstr_error *cgroup_remove_dir(struct ktstr_cgroup_manager *manager,
				      const char *dir) KTSTR_CHECKED;

#endif
