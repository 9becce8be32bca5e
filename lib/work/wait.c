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
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ktstr/units.h"
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

void work_futex_wake(_Atomic uint32_t *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

void work_futex_wake_all(_Atomic uint32_t *word)
{
	work_futex_wake(word, INT_MAX);
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

/* The word that changed before the call counts, too: it differs from what was seen at the last checkpoint. */
uint64_t work_sleep_in_phase(struct worker *w, uint64_t deadline_ns)
{
	struct timespec deadline = { .tv_sec = (time_t)(deadline_ns / 1000000000u),
				     .tv_nsec = (long)(deadline_ns % 1000000000u) };
	struct futex_waitv words[] = {
		{ .uaddr = (uintptr_t)&w->control->phase, .val = w->phase.epoch, .flags = FUTEX_32 },
		{ .uaddr = (uintptr_t)&w->shared->stop, .val = 0, .flags = FUTEX_32 },
	};
	uint64_t now = ktstr_now_ns();

	while (!work_should_stop(w) && work_phase_epoch(w) == w->phase.epoch && now < deadline_ns) {
		if (syscall(SYS_futex_waitv, words, 2, 0, &deadline, CLOCK_MONOTONIC) < 0 && errno == ENOSYS)
			work_futex_wait(&w->shared->stop, 0, now + KTSTR_MS(10));
		now = ktstr_now_ns();
	}
	work_reset_gap(w, now);
	return now;
}

/*
 * Both words at once (futex_waitv, Linux 5.16): the wakeup is the one of a plain futex, and the stop ends it as well.
 */
uint64_t work_wait_word(struct worker *w, _Atomic uint32_t *word, uint32_t expected)
{
	struct futex_waitv words[] = {
		{ .uaddr = (uintptr_t)word, .val = expected, .flags = FUTEX_32 },
		{ .uaddr = (uintptr_t)&w->shared->stop, .val = 0, .flags = FUTEX_32 },
	};
	uint64_t now;

	while (atomic_load(word) == expected && !work_should_stop(w))
		if (syscall(SYS_futex_waitv, words, 2, 0, NULL, 0) < 0 && errno == ENOSYS)
			work_futex_wait(word, expected, ktstr_now_ns() + KTSTR_MS(100));
	now = ktstr_now_ns();
	work_reset_gap(w, now);
	return now;
}

void work_yield(struct worker *w)
{
	uint64_t since = ktstr_now_ns();

	sched_yield();
	work_record_wake(w, ktstr_now_ns() - since);
}

/*
 * SIGUSR1 is blocked everywhere else: it cannot arrive between the look at the flag and the sleep.
 */
bool work_wait_fd(struct worker *w, int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int ready = 0;

	while (!work_should_stop(w) && ready <= 0) {
		ready = ppoll(&poll_fd, 1, NULL, &w->wait_mask);
		if (ready < 0 && errno != EINTR)
			break;
	}
	work_reset_gap(w, ktstr_now_ns());
	return ready > 0;
}
