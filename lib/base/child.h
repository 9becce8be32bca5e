/* SPDX-License-Identifier: GPL-2.0-only */
/* Child processes that cannot outlive us: spawn with chosen descriptors, collect output, end. */
#ifndef KTSTR_BASE_CHILD_H
#define KTSTR_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ktstr/error.h"

struct ktstr_child_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const *env; /* NULL = inherit; else complete "K=V" list, NULL-terminated */
	int stdin_fd, stdout_fd, stderr_fd; /* -1 = /dev/null */
	const int *keep_fds; /* further descriptors that the child keeps under the same numbers */
	size_t keep_fds_count;
	bool own_session; /* setsid(): the terminal's Ctrl-C does not reach it */
	bool own_group; /* it heads a process group of its own */
	/* Called in the parent while the child waits to be executed: to move it into a cgroup. NULL = none. */
	struct ktstr_error *(*place)(void *context, pid_t pid);
	void *place_context;
};

struct ktstr_child {
	pid_t pid; /* 0 = none */
	int pidfd; /* -1 = none; readable when the child has ended */
};

/*
 * The child gets SIGKILL when the calling thread dies (PR_SET_PDEATHSIG). A program that cannot be
 * executed is reported here, not by the child's exit.
 */
struct ktstr_error *ktstr_child_spawn(const struct ktstr_child_spec *spec, struct ktstr_child *child)
	KTSTR_CHECKED;
/* Waits until deadline_ns (ktstr_now_ns clock). KTSTR_ERR_TIMEOUT leaves the child running. */
struct ktstr_error *ktstr_child_wait(struct ktstr_child *child, uint64_t deadline_ns,
				     int *wait_status) KTSTR_CHECKED;
/* SIGKILL and reap; accepts an ended or empty child. */
void ktstr_child_kill(struct ktstr_child *child);
/* "exit code 3", "signal 9 (Killed)". Heap. */
char *ktstr_describe_wait_status(int wait_status);

/*
 * Runs argv to its end within timeout_ns and returns its output (stdout and stderr apart; either may be
 * NULL for "not wanted, discard"). A non-zero exit is an error that carries the tail of stderr.
 */
struct ktstr_error *ktstr_run_command(const char *const *argv, uint64_t timeout_ns, char **out,
				      char **err) KTSTR_CHECKED;

#endif
