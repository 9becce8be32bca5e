// SPDX-License-Identifier: GPL-2.0-only
/* Starting, waking and joining the threads of a worker. */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/threads.h"
#include "work/workload.h"

enum { STACK_BYTES = 256 * 1024 };

void work_threads_init(struct work_threads *team, struct worker *w)
{
	*team = (struct work_threads){ .worker = w };
	pthread_mutex_init(&team->totals, NULL);
	w->team = team;
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

/* What the thread waited since it was looked at last; another thread may look, too. */
static void add_run_delay(struct work_thread *thread)
{
	struct work_schedstat now;

	pthread_mutex_lock(&thread->team->totals);
	now = work_read_schedstat_of((int)atomic_load(&thread->tid));
	if (now.available && thread->seen.available) {
		thread->delay->delay_ns += now.run_delay_ns - thread->seen.run_delay_ns;
		thread->delay->pcount += now.run_count - thread->seen.run_count;
		thread->seen = now;
	}
	pthread_mutex_unlock(&thread->team->totals);
}

void work_threads_update_delays(struct work_threads *team)
{
	for (struct work_thread *thread = team->first; thread; thread = thread->next)
		if (thread->delay && atomic_load(&thread->tid) && !atomic_load(&thread->ended))
			add_run_delay(thread);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec used = { 0 };

	clock_gettime(clock, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* One that ends in between has no clock any more: its own last reading is there by then. */
static uint64_t thread_cpu_ns(const struct work_thread *thread)
{
	clockid_t clock;
	uint64_t used;

	if (atomic_load(&thread->ended) || pthread_getcpuclockid(thread->id, &clock))
		return thread->cpu_ns;
	used = clock_ns(clock);
	return atomic_load(&thread->ended) ? thread->cpu_ns : used;
}

uint64_t work_threads_cpu_ns(const struct work_threads *team)
{
	uint64_t sum = 0;

	for (const struct work_thread *thread = team->first; thread; thread = thread->next)
		sum += thread_cpu_ns(thread);
	return sum;
}

void work_threads_forget_cpus(struct work_threads *team)
{
	struct ktstr_cpus now = { 0 };

	for (const struct work_thread *thread = team->first; thread; thread = thread->next)
		ktstr_cpus_add(&now, __atomic_load_n(&thread->last_cpu, __ATOMIC_RELAXED));
	team->worker->cpus_used = ktstr_cpus_or(&team->worker->cpus_used, &team->cpus_used);
	for (size_t i = 0; i < KTSTR_MAX_CPUS / 64; i++)
		__atomic_store_n(&team->cpus_used.bits[i], now.bits[i], __ATOMIC_RELAXED);
}

static void *enter(void *arg)
{
	struct work_thread *thread = arg;

	work_own_shared = thread->team->worker->shared; /* a fault here is the worker's */
	prctl(PR_SET_NAME, thread->name);
	thread->seen = work_read_schedstat_of(gettid());
	atomic_store(&thread->tid, (uint32_t)gettid());
	see_cpu(thread);
	thread->run(thread);
	see_cpu(thread);
	if (thread->delay)
		add_run_delay(thread);
	thread->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	atomic_store(&thread->ended, true);
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
	work_phase_end(w); /* while their share of it is known */
	w->migration_count += team->migrations;
	w->team_cpu_ns += work_threads_cpu_ns(team);
	w->team = NULL;
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
