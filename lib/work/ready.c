// SPDX-License-Identifier: GPL-2.0-only
/* Helper programs that say when they are set up: by a file with their process id in its name. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "ktstr/work.h"

#define POLL_NS KTSTR_MS(10)

static char *ready_path(int pid)
{
	return ktstr_xasprintf(KTSTR_READY_FILE_PREFIX "%d", pid);
}

/* A child that is a zombie still has its process id: it is asked for without being reaped. */
static bool has_ended(int pid)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return info.si_pid == pid;
	return kill(pid, 0) && errno == ESRCH;
}

struct ktstr_error *ktstr_wait_worker_ready(int pid, uint64_t limit_ns)
{
	_cleanup_free_ char *path = ready_path(pid);
	uint64_t deadline = ktstr_now_ns() + limit_ns;

	for (;;) {
		bool ended = has_ended(pid);

		if (unlink(path) == 0)
			return NULL;
		if (ended)
			return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
					       "process %d ended before it created %s: its output says why", pid, path);
		if (ktstr_now_ns() >= deadline)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "process %d did not create %s within %llu ms", pid,
					       path, (unsigned long long)(limit_ns / 1000000));
		ktstr_sleep_ns(POLL_NS);
	}
}

struct ktstr_error *ktstr_announce_worker_ready(void)
{
	_cleanup_free_ char *path = ready_path(getpid());
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? ktstr_error_sys(errno, "cannot create %s", path) : NULL;
}
