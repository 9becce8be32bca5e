// SPDX-License-Identifier: GPL-2.0-only
/* Processes in cgroups: moving them in, listing them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cgroup/manager.h"

enum { BUSY_TRIES = 3, BUSY_PAUSE_MS = 100 };

struct ktstr_error *cgroup_read_pids(const char *procs_path, int **pids, size_t *count)
{
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;
	size_t lines = 0;

	KTSTR_TRY(ktstr_read_file(procs_path, &text, NULL));
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	*pids = ktstr_xcalloc(lines + 1, sizeof(**pids));
	*count = 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		(*pids)[(*count)++] = (int)strtol(line, NULL, 10);
	return NULL;
}

struct ktstr_error *ktstr_cgroup_read_procs(struct ktstr_cgroup_manager *manager, const char *name,
					    int **pids, size_t *count)
{
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(cgroup_path(manager, name, "cgroup.procs", &path));
	return cgroup_read_pids(path, pids, count);
}

/*
 * cpuset_can_attach() refuses a cpuset whose effective CPUs or memory nodes are empty with a bare
 * ENOSPC: say why before it comes to that.
 */
static struct ktstr_error *check_mems(const struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *cpus_path = NULL;
	_cleanup_free_ char *mems_path = NULL;
	_cleanup_free_ char *cpus = NULL;
	_cleanup_free_ char *mems = NULL;

	KTSTR_TRY(cgroup_path(manager, name, "cpuset.cpus", &cpus_path));
	KTSTR_TRY(cgroup_path(manager, name, "cpuset.mems.effective", &mems_path));
	cpus = ktstr_read_line(cpus_path);
	mems = ktstr_read_line(mems_path);
	if (!cpus || !*cpus || !mems || *mems)
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"cgroup %s has the CPUs %s but %s is empty: its tasks could not allocate; "
		"give the cgroups above it memory nodes",
		name, cpus, mems_path);
}

/* KTSTR_ERR_BUSY only after several tries: a cpuset that is being rebuilt is busy for a moment. */
static struct ktstr_error *move_one(const char *procs_path, int pid)
{
	char text[16];
	struct ktstr_error *error;

	snprintf(text, sizeof(text), "%d", pid);
	for (int tries = 1;; tries++) {
		error = cgroup_write(procs_path, text);
		if (ktstr_error_errno(error) != EBUSY || tries == BUSY_TRIES)
			return error;
		ktstr_error_free(error);
		ktstr_sleep_ns(KTSTR_MS(BUSY_PAUSE_MS));
	}
}

struct ktstr_error *ktstr_cgroup_move_tasks(struct ktstr_cgroup_manager *manager, const char *name,
					    const int *pids, size_t count)
{
	_cleanup_free_ char *path = NULL;
	size_t gone = 0;

	KTSTR_TRY(cgroup_path(manager, name, "cgroup.procs", &path));
	KTSTR_TRY(check_mems(manager, name));
	for (size_t i = 0; i < count; i++) {
		/* 0 and below mean the writer itself to the kernel. */
		if (pids[i] <= 0)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "cannot move pid %d to cgroup %s: not a process id",
					       pids[i], name);
		struct ktstr_error *error = move_one(path, pids[i]);

		if (!error)
			continue;
		if (ktstr_error_errno(error) != ESRCH)
			return error;
		fprintf(stderr,
			"ktstr: warning: process %d ended before it was moved to cgroup %s\n",
			pids[i], name);
		ktstr_error_free(error);
		gone++;
	}
	if (count && gone == count)
		return ktstr_error_new(
			KTSTR_ERR_NOT_FOUND,
			"none of the %zu processes for cgroup %s is alive: they ended before "
			"they were moved",
			count, name);
	return NULL;
}

/* The root of the tree takes processes whatever its controllers are; that of a delegated subtree may refuse. */
struct ktstr_error *cgroup_drain(const struct ktstr_cgroup_manager *manager, const char *dir)
{
	_cleanup_free_ char *from = ktstr_xasprintf("%s/cgroup.procs", dir);
	_cleanup_free_ char *to = ktstr_xasprintf("%s/cgroup.procs", manager->root);
	_cleanup_free_ int *pids = NULL;
	size_t count = 0;

	if (!ktstr_path_exists(from))
		return NULL;
	KTSTR_TRY(cgroup_read_pids(from, &pids, &count));
	for (size_t i = 0; i < count; i++) {
		char text[16];
		struct ktstr_error *error;

		if (pids[i] <= 0) /* of another pid namespace: not ours to name */
			continue;
		snprintf(text, sizeof(text), "%d", pids[i]);
		error = cgroup_write(to, text);
		if (error && ktstr_error_errno(error) != ESRCH)
			return error;
		ktstr_error_free(error);
	}
	return NULL;
}

struct ktstr_error *ktstr_cgroup_drain_tasks(struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *dir = NULL;

	KTSTR_TRY(cgroup_path(manager, name, NULL, &dir));
	return cgroup_drain(manager, dir);
}
