/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program while it runs: what its workers share, in one mapping made before the first of them is forked, and the few
 * ways they wait for each other in it.
 */
#ifndef KTSTR_RTAPP_SHARED_H
#define KTSTR_RTAPP_SHARED_H

#include <stdatomic.h>

#include "ktstr/benchmark.h"
#include "rtapp/program.h"
#include "work/work_type.h"

/* Workers that wait, first come first served; linked through their slots. */
struct rtapp_queue {
	_Alignas(64) _Atomic uint32_t guard; /* a lock, held for a few instructions */
	uint32_t first, last;		      /* slot + 1; 0 = nobody */
	uint32_t arrived;		      /* of a barrier: how many have come */
};

struct rtapp_lock {
	_Alignas(64) _Atomic uint32_t word; /* see work_lock() */
};

struct rtapp_alarm {
	_Atomic uint64_t next_ns; /* 0 = never used */
};

/* What rt-app writes into its log, of all passes over phases. */
struct rtapp_stats {
	uint64_t passes, period_ns, run_ns;
	bool has_slack;
	int64_t min_slack_ns;
	struct ktstr_histogram wakeup_us; /* lateness after timers */
};

/* Of one worker. */
struct rtapp_slot {
	_Alignas(64) _Atomic uint32_t woken; /* futex */
	uint32_t next;			      /* in a queue: slot + 1 */
	uint64_t woken_at_ns;
	struct rtapp_stats stats;
};

/* What a worker can fail at. */
enum rtapp_failure {
	RTAPP_FAILURE_POLICY,
	RTAPP_FAILURE_NICE,
	RTAPP_FAILURE_CPUS,
	RTAPP_FAILURE_MEMORY,
	RTAPP_FAILURE_IO,
	RTAPP_FAILURES,
};

struct rtapp_header {
	_Atomic uint32_t arrived, started; /* the start line; started is a futex */
	uint64_t zero_ns;		   /* when all were there: timers count from it */
	_Atomic int failures[RTAPP_FAILURES]; /* the first errno of each kind; 0 = none */
};

/* Pointers into the mapping; workers inherit it through fork. */
struct rtapp_run {
	const struct rtapp_program *program;
	double units_per_ns; /* work units, measured */
	void *map;
	size_t map_bytes;
	struct rtapp_header *header;
	struct rtapp_lock *mutexes;
	struct rtapp_queue *conditions, *barriers;
	struct rtapp_queue *unborn; /* of each task: workers that wait for a fork */
	struct rtapp_alarm *alarms;
	_Atomic uint32_t *begun, *begun_unborn; /* of each task: workers that took a slot */
	uint32_t *first_slots; /* of each task; those for forks come after the instances */
	struct rtapp_slot *slots;
};

/* For run->program: measures how fast this machine works, and maps what its workers share. */
struct ktstr_error *rtapp_run_map(struct rtapp_run *run) KTSTR_CHECKED;
/* Workers of a task: its instances, or those that wait to be forked; .workers may be 0. */
struct ktstr_work_spec rtapp_work_spec(struct rtapp_run *run, size_t task_index, bool unborn);
void rtapp_run_unmap(struct rtapp_run *run);

/* How the config of a custom worker says which run, task and kind of worker it is. */
enum { RTAPP_CFG_RUN, RTAPP_CFG_TASK, RTAPP_CFG_UNBORN };
void rtapp_worker(const struct ktstr_worker_ctx *ctx);

/* One worker in its process. */
struct rtapp_me {
	struct worker *w;
	struct rtapp_run *run;
	const struct rtapp_task *task;
	struct rtapp_slot *slot;
	uint32_t slot_index;
	uint64_t first_ns; /* what its timers count from */
	struct rtapp_alarm *own_alarms;
	const struct rtapp_sched *sched; /* taken last */
	unsigned char *buffer;
	int io_fd;
	/* Of the pass that goes on. */
	uint64_t run_ns;
	int64_t slack_ns;
	bool has_slack;
};

/* The queue's guard is held between them; false at the stop, it is then not held. */
bool rtapp_queue_enter(struct rtapp_me *me, struct rtapp_queue *queue);
void rtapp_queue_leave(struct rtapp_queue *queue);
/* Under the guard: puts this worker behind all others. */
void rtapp_queue_join(struct rtapp_me *me, struct rtapp_queue *queue);
/* Under the guard: wakes the first, or all. */
void rtapp_queue_wake(struct rtapp_me *me, struct rtapp_queue *queue, bool all);
/* After joining and leaving: asleep until woken, or the stop. */
void rtapp_park(struct rtapp_me *me);

#endif
