// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocking inside a worker so that the stop is never missed and nothing has to wake up to look for
 * it: sleeps wait on the worker's stop word, waits for a descriptor let SIGUSR1 in only while they
 * block.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/work_type.h"

/*
 * FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC deadline; the kernel compares the word under
 * the hash bucket's lock (kernel/futex/waitwake.c), so a change before the sleep is seen, not slept
 * over.
 */
void work_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
	struct timespec deadline = { .tv_sec = (time_t)(deadline_ns / 1000000000u),
				     .tv_nsec = (long)(deadline_ns % 1000000000u) };

	syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected,
		deadline_ns == UINT64_MAX ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

void work_futex_wake_all(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* The sleep itself is an hrtimer with the task's timer slack, the same as nanosleep's. */
uint64_t work_sleep_until(struct worker *w, uint64_t deadline_ns)
{
	uint64_t now = ktstr_now_ns();

	while (!work_should_stop(w) && now < deadline_ns) {
		work_futex_wait(&w->shared->stop, 0, deadline_ns);
		now = ktstr_now_ns();
	}
	work_reset_gap(w, now);
	return now;
}

/*
 * SIGUSR1 is blocked everywhere else: it cannot arrive between the look at the flag and the sleep.
 */
bool work_wait_fd(struct worker *w, int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	sigset_t none;
	int ready = 0;

	sigemptyset(&none);
	while (!work_should_stop(w) && ready <= 0) {
		ready = ppoll(&poll_fd, 1, NULL, &none);
		if (ready < 0 && errno != EINTR)
			break;
	}
	work_reset_gap(w, ktstr_now_ns());
	return ready > 0;
}
