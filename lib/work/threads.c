// SPDX-License-Identifier: GPL-2.0-only
/* Starting, waking and joining the threads of a worker. */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "work/threads.h"

enum { STACK_BYTES = 256 * 1024 };

void work_threads_init(struct work_threads *team, struct worker *w)
{
	*team = (struct work_threads){ .worker = w };
	pthread_mutex_init(&team->totals, NULL);
}

/* What the worker's own checkpoints do for a worker of one thread. */
static void see_cpu(struct work_thread *thread)
{
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= KTSTR_MAX_CPUS || (unsigned int)cpu == thread->last_cpu)
		return;
	if (thread->last_cpu != UINT_MAX)
		__atomic_fetch_add(&thread->team->migrations, 1, __ATOMIC_RELAXED);
	thread->last_cpu = (unsigned int)cpu;
	__atomic_fetch_or(&thread->team->cpus_used.bits[cpu / 64], UINT64_C(1) << (cpu % 64),
			  __ATOMIC_RELAXED);
}

static void add_run_delay(struct work_thread *thread, const struct work_schedstat *begin)
{
	struct work_schedstat end = work_read_schedstat();

	if (!thread->delay || !begin->available || !end.available)
		return;
	pthread_mutex_lock(&thread->team->totals);
	thread->delay->delay_ns += end.run_delay_ns - begin->run_delay_ns;
	thread->delay->pcount += end.run_count - begin->run_count;
	pthread_mutex_unlock(&thread->team->totals);
}

static void *enter(void *arg)
{
	struct work_thread *thread = arg;
	struct work_schedstat begin = work_read_schedstat();

	prctl(PR_SET_NAME, thread->name);
	see_cpu(thread);
	thread->run(thread);
	see_cpu(thread);
	add_run_delay(thread, &begin);
	return NULL;
}

/* SIGUSR1, which means stop, is blocked in the first thread and so in those it starts. */
bool work_threads_start(struct work_threads *team, struct work_thread *thread)
{
	pthread_attr_t attributes;
	int failure;

	thread->team = team;
	thread->last_cpu = UINT_MAX;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failure = pthread_create(&thread->id, &attributes, enter, thread);
	pthread_attr_destroy(&attributes);
	if (failure) {
		work_warn_once(team->worker, WORK_WARN_THREADS, "cannot start a %s thread: %s; no work is counted",
			       thread->name, strerror(failure));
		return false;
	}
	thread->next = team->first;
	team->first = thread;
	return true;
}

void work_threads_stop(struct work_threads *team)
{
	struct worker *w = team->worker;

	atomic_store(&team->stopping, 1);
	work_futex_wake_all(&team->stopping);
	for (struct work_thread *thread = team->first; thread; thread = thread->next)
		work_thread_post(thread);
	for (struct work_thread *thread = team->first; thread; thread = thread->next)
		pthread_join(thread->id, NULL);
	w->cpus_used = ktstr_cpus_or(&w->cpus_used, &team->cpus_used);
	w->migration_count += team->migrations;
	pthread_mutex_destroy(&team->totals);
}

void work_thread_sleep_until(struct work_thread *thread, uint64_t deadline_ns)
{
	while (!work_threads_stopping(thread->team) && ktstr_now_ns() < deadline_ns)
		work_futex_wait(&thread->team->stopping, 0, deadline_ns);
	see_cpu(thread);
}

void work_thread_arm(struct work_thread *thread)
{
	atomic_store(&thread->posted, 0);
}

void work_thread_wait(struct work_thread *thread)
{
	while (!atomic_load(&thread->posted) && !work_threads_stopping(thread->team))
		work_futex_wait(&thread->posted, 0, UINT64_MAX);
	see_cpu(thread);
}

void work_thread_post(struct work_thread *thread)
{
	if (!atomic_exchange(&thread->posted, 1))
		work_futex_wake_all(&thread->posted);
}
