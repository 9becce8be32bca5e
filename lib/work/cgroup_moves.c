// SPDX-License-Identifier: GPL-2.0-only
/* Work types that move tasks between cgroups: sched_move_task, ops.cgroup_move, cgroup_threadgroup_rwsem. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "work/siblings.h"
#include "work/work_type.h"

#define LEAF "wt-cgroup-churn-"

/*
 * Leaves are made beside the worker's own cgroup: whoever removes that one's tree removes them, too, when a worker was killed
 * and could not. A worker right below the root has none there to itself, and makes them inside of its own.
 */
static char *leaves_dir(const char *own_dir)
{
	size_t parent = (size_t)(strrchr(own_dir, '/') - own_dir);

	return parent > strlen("/sys/fs/cgroup") ? ktstr_xstrndup(own_dir, parent) : ktstr_xstrdup(own_dir);
}

static int open_procs(const char *dir)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/cgroup.procs", dir);

	return open(path, O_WRONLY | O_CLOEXEC);
}

/* 0 or an errno. */
static int put_pid(int fd, int pid)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", pid);

	return write(fd, text, (size_t)length) == length ? 0 : errno;
}

static void move_to_leaf(struct worker *w, const char *leaves, unsigned int leaf)
{
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/" LEAF "%u", leaves, leaf);
	_cleanup_close_ int fd = -1;
	int failure = mkdir(dir, 0755) && errno != EEXIST ? errno : 0;

	if (!failure) {
		fd = open_procs(dir);
		failure = fd < 0 ? errno : put_pid(fd, 0);
	}
	if (failure)
		work_warn_once(w, WORK_WARN_CGROUP, "CgroupChurn cannot move to %s: %s", dir, strerror(failure));
}

/* CgroupChurn: a running task that changes its cgroup every cycle. */
static void run_cgroup_churn(struct worker *w)
{
	const struct ktstr_work_cgroup_churn *type = &w->type->CGROUP_CHURN;
	_cleanup_free_ char *own = work_own_cgroup_dir();
	_cleanup_free_ char *leaves = own ? leaves_dir(own) : NULL;
	_cleanup_close_ int home = own ? open_procs(own) : -1;

	if (!leaves)
		work_warn_once(w, WORK_WARN_CGROUP, "CgroupChurn is in no cgroup of its own: it stays where it is");
	while (!work_should_stop(w)) {
		if (leaves)
			move_to_leaf(w, leaves, (unsigned int)(w->iterations % type->groups));
		work_spin(w, 256);
		work_checkpoint_now(w);
		work_sleep_until(w, ktstr_now_ns() + type->cycle);
		work_iteration_done(w);
	}
	if (home >= 0)
		put_pid(home, 0);
	for (unsigned int leaf = 0; leaves && leaf < type->groups; leaf++) {
		_cleanup_free_ char *dir = ktstr_xasprintf("%s/" LEAF "%u", leaves, leaf);

		rmdir(dir); /* the last worker to leave succeeds */
	}
}

static const struct work_param cgroup_churn_params[] = {
	WORK_NUMBER(cgroup_churn, groups, 2, 1, 1024),
	WORK_DURATION(cgroup_churn, cycle, KTSTR_MS(100), 1),
};

const struct work_type_ops work_cgroup_churn_ops = {
	.name = "CgroupChurn",
	.pressure = "a running task that changes its cgroup (sched_move_task, ops.cgroup_move)",
	.unit = "32 multiply-adds and a pause",
	WORK_PARAMS(cgroup_churn_params),
	.needs_process = true,
	.run = run_cgroup_churn,
};

static int open_destination(struct worker *w, const char *own)
{
	const char *name = w->type->CGROUP_ATTACH_STORM.dest;
	int fd = own && name ? work_open_sibling_procs(own, name) : -1;

	if (fd < 0)
		work_warn_once(w, WORK_WARN_CGROUP,
			       "CgroupAttachStorm cannot use the cgroup \"%s\" beside its own (%s): no work is counted",
			       name ? name : "", own && name ? strerror(errno) : "it is in no cgroup, or dest is not set");
	return fd;
}

/* A child that ends at once, moved while it does: ESRCH is what must come out half of the time, never a crash. */
static bool attach_dying_child(struct worker *w, int destination, bool reap)
{
	uint64_t since;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return false;
	put_pid(destination, pid);
	since = ktstr_now_ns();
	if (reap) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		work_record_wake(w, ktstr_now_ns() - since);
	}
	return true;
}

/* CgroupAttachStorm: migration of tasks that are exiting: cgroup_attach_task against do_exit, with SIG_IGN reaping or ours. */
static void run_cgroup_attach_storm(struct worker *w)
{
	bool reap = w->type->CGROUP_ATTACH_STORM.reap == KTSTR_REAP_WAITPID;
	_cleanup_free_ char *own = work_own_cgroup_dir();
	_cleanup_close_ int destination = open_destination(w, own);

	if (!reap)
		signal(SIGCHLD, SIG_IGN);
	while (!work_should_stop(w)) {
		if (destination < 0)
			work_sleep_until(w, ktstr_now_ns() + KTSTR_MS(10));
		else if (attach_dying_child(w, destination, reap))
			w->work_units++;
		work_reset_gap(w, ktstr_now_ns());
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static const char *const reap_names[] = { "sig_ign", "waitpid", NULL };

static const struct work_param cgroup_attach_storm_params[] = {
	WORK_TEXT(cgroup_attach_storm, dest),
	WORK_ENUM(cgroup_attach_storm, reap, reap_names),
};

const struct work_type_ops work_cgroup_attach_storm_ops = {
	.name = "CgroupAttachStorm",
	.pressure = "moves of tasks that are exiting (cgroup_attach_task against do_exit)",
	.unit = "a child forked and attached",
	WORK_PARAMS(cgroup_attach_storm_params),
	.needs_process = true,
	.run = run_cgroup_attach_storm,
};
