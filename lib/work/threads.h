/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads inside one worker, for work types that are programs of their own. The worker's first thread starts
 * them, looks after the stop, and joins them; they sleep and wait only through the calls here, which end at the
 * stop.
 */
#ifndef KTSTR_WORK_THREADS_H
#define KTSTR_WORK_THREADS_H

#include <pthread.h>

#include "ktstr/benchmark.h"
#include "work/work_type.h"

struct work_threads;

struct work_thread {
	struct work_threads *team;
	pthread_t id;
	void (*run)(struct work_thread *thread);
	const char *name; /* comm */
	struct ktstr_run_delay *delay; /* where its runqueue waits are added up */
	_Atomic uint32_t posted; /* futex: 1 = may go on */
	unsigned int last_cpu;
	_Atomic uint32_t tid; /* 0 = not up yet */
	struct work_schedstat seen; /* up to where *delay has its waits; under the team's lock */
	uint64_t cpu_ns; /* once it has ended */
	_Atomic bool ended;
	struct work_thread *next; /* in the team */
};

struct work_threads {
	struct worker *worker;
	_Atomic uint32_t stopping; /* futex */
	pthread_mutex_t totals; /* of delay */
	struct ktstr_cpus cpus_used;
	uint64_t migrations;
	struct work_thread *first;
};

void work_threads_init(struct work_threads *team, struct worker *w);
/* False with a warning when the kernel refuses one; those before it run then. */
bool work_threads_start(struct work_threads *team, struct work_thread *thread);
/* Ends all waits and sleeps, joins the threads, and adds what they saw of CPUs to the worker's telemetry. */
void work_threads_stop(struct work_threads *team);

/* CPU time of all its threads so far. */
uint64_t work_threads_cpu_ns(const struct work_threads *team);
/* Brings the runqueue waits of all threads up to now. */
void work_threads_update_delays(struct work_threads *team);
/* cpus_used begins anew with where the threads are. */
void work_threads_forget_cpus(struct work_threads *team);

static inline bool work_threads_stopping(const struct work_threads *team)
{
	return atomic_load_explicit(&team->stopping, memory_order_relaxed);
}

/* Until deadline_ns or the stop. */
void work_thread_sleep_until(struct work_thread *thread, uint64_t deadline_ns);
/* Announces that the thread is about to wait: a post from here on ends the wait. */
void work_thread_arm(struct work_thread *thread);
/* Until a post or the stop. */
void work_thread_wait(struct work_thread *thread);
void work_thread_post(struct work_thread *thread);

#endif
