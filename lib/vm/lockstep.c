// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs inside QEMU (LD_PRELOAD): lets its main loop turn only while the thread that emulates the CPUs sleeps.
 *
 * Under `-icount sleep=off` the main loop advances virtual time when all CPUs are idle, and each timer that fires wakes
 * it. If it comes to look just after the last CPU has halted, but before that CPU's thread has gone to sleep, it advances
 * time then, kicks all CPUs in the middle of their round, and the timer that ends turns of CPUs stays armed: the order
 * in which CPUs take turns then follows from when the host scheduled two threads. (QEMU 10.0.2:
 * rr_cpu_thread_fn() and icount_start_warp_timer(). Measured at 2 CPUs: 5 of 19 boots, 1 of about 60 short runs.)
 *
 * So the main loop, back from its poll, waits until the CPUs' thread sleeps on its condition, which it does when all CPUs
 * are idle, stopped, or not yet started; from the moment at which somebody wakes that thread it no longer counts as
 * sleeping. Then it polls again: what was sent while the CPUs ran, or were frozen (freezer.h), is found at the same
 * instruction, however late the first poll was. QEMU gives it its name with -name debug-threads=on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vm/lockstep.h"

#define CPUS_THREAD "ALL CPUs/TCG"

static int (*real_wait)(pthread_cond_t *, pthread_mutex_t *);
static int (*real_broadcast)(pthread_cond_t *);
static int (*real_signal)(pthread_cond_t *);
static int (*real_ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

static _Atomic uint32_t asleep; /* a futex: 1 = the CPUs' thread sleeps */
static pthread_cond_t *_Atomic bed; /* the condition that it sleeps on */

static bool impatient;

static long futex(int operation, uint32_t value, const struct timespec *limit)
{
	return syscall(SYS_futex, &asleep, operation, value, limit, NULL, 0);
}

/* The old version of the conditions' functions, which dlsym() may find first, has another pthread_cond_t. */
__attribute__((constructor)) static void find_real_functions(void)
{
	*(void **)&real_wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
	*(void **)&real_broadcast = dlvsym(RTLD_NEXT, "pthread_cond_broadcast", "GLIBC_2.3.2");
	*(void **)&real_signal = dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
	*(void **)&real_ppoll = dlsym(RTLD_NEXT, "ppoll");
	if (!real_wait || !real_broadcast || !real_signal || !real_ppoll)
		abort();
	impatient = getenv(KTSTR_LOCKSTEP_IMPATIENT);
}

/* Threads have their names before they first wait. */
static bool is_cpus_thread(void)
{
	static __thread enum { UNKNOWN, NO, YES } answer;
	char name[16] = "";

	if (answer == UNKNOWN) {
		prctl(PR_GET_NAME, name);
		answer = strcmp(name, CPUS_THREAD) ? NO : YES;
	}
	return answer == YES;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	int result;

	if (!is_cpus_thread())
		return real_wait(condition, mutex);
	/* Whoever sees it awaits the mutex, which is ours until we sleep. */
	bed = condition;
	asleep = 1;
	futex(FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
	result = real_wait(condition, mutex);
	asleep = 0;
	return result;
}

static void woken(const pthread_cond_t *condition)
{
	if (condition == bed)
		asleep = 0;
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
	woken(condition);
	return real_broadcast(condition);
}

int pthread_cond_signal(pthread_cond_t *condition)
{
	woken(condition);
	return real_signal(condition);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	static const struct timespec at_once, millisecond = { .tv_nsec = 1000000 };
	int result = real_ppoll(fds, count, timeout, mask);

	/* Only the main thread polls for the main loop. */
	if (getpid() != (int)syscall(SYS_gettid))
		return result;
	while (!asleep)
		if (futex(FUTEX_WAIT_PRIVATE, 0, impatient ? &millisecond : NULL) && errno == ETIMEDOUT)
			break;
	return real_ppoll(fds, count, &at_once, mask);
}
