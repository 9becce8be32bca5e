/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that a workload's parent and its workers share: one mapping made before the first
 * fork. Every word in it is written by one side only; nothing here needs a pipe or a lock.
 */
#ifndef KTSTR_WORK_SHARED_H
#define KTSTR_WORK_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ktstr/benchmark.h"
#include "ktstr/work.h"

enum work_warning { /* bits of work_control.warned */
		    WORK_WARN_DISK = 1 << 0,
		    WORK_WARN_DISK_WRITE = 1 << 1,
		    WORK_WARN_SCHEDSTAT = 1 << 2,
		    WORK_WARN_THREADS = 1 << 3,
		    WORK_WARN_POLICY = 1 << 4,
		    WORK_WARN_FORK = 1 << 5,
		    WORK_WARN_AFFINITY = 1 << 6,
		    WORK_WARN_NUMA = 1 << 7,
		    WORK_WARN_CGROUP = 1 << 8,
		    WORK_WARN_NETWORK = 1 << 9,
		    WORK_WARN_VECTOR = 1 << 10,
		    WORK_WARN_ATTRIBUTES = 1 << 11,
		    WORK_WARN_PHASES = 1 << 12,
};

enum { WORK_PHASES_MAX = 64 }; /* slices that one worker keeps */

enum work_reservoir {
	WORK_WAKE,
	WORK_COST,
	WORK_TIMER,
	WORK_RESERVOIRS,
};

/* Words marked futex are waited on, so they are 32 bits wide. */
struct work_control {
	_Atomic uint32_t go; /* futex; parent: 0 -> 1 lets the workers begin */
	_Atomic uint32_t
		changes; /* futex; workers: +1 with every change of some worker's progress */
	_Atomic uint32_t warned; /* enum work_warning bits already printed */
	/* Read at every checkpoint, so not beside what workers write. Parent: the epoch of the phase. */
	_Alignas(64) _Atomic uint32_t phase;
};

enum worker_progress {
	WORKER_FORKED,
	WORKER_READY, /* waits for the go */
	WORKER_DONE,  /* the report is complete */
	WORKER_LEFT,  /* without having begun: exit_message says why */
};

/* Samples of one phase: wake latencies, timer latencies. */
struct phase_samples {
	uint64_t values_ns[2][KTSTR_PHASE_RESERVOIR_CAP];
};

struct worker_shared {
	_Alignas(4096) _Atomic uint32_t stop; /* futex; parent: 0 -> 1 */
	_Atomic uint32_t progress;            /* enum worker_progress; worker */
	_Atomic uint64_t iterations;          /* worker, every iteration */
	_Atomic uint32_t tid;                 /* worker, once; 0 = not up yet */
	/* Worker, when its own code faults. */
	_Atomic int fault_signal;
	uintptr_t fault_address;
	/* Worker, final when progress is WORKER_DONE; its pointers are filled in by the parent. */
	_Alignas(64) struct ktstr_worker_report report;
	/* Untouched pages of these cost nothing (MAP_NORESERVE). */
	_Alignas(4096) struct ktstr_migration migrations[KTSTR_MIGRATIONS_CAP];
	_Alignas(4096) uint64_t samples_ns[WORK_RESERVOIRS][KTSTR_RESERVOIR_CAP];
	/* Sealed phases. */
	_Alignas(4096) size_t phases_count;
	struct ktstr_phase_slice slices[WORK_PHASES_MAX];
	_Alignas(4096) struct phase_samples phase_samples[WORK_PHASES_MAX];
	_Alignas(4096) union bench_stats {
		struct ktstr_schbench_stats schbench;
		struct ktstr_taobench_stats taobench;
	} phase_bench[WORK_PHASES_MAX];
};

void work_tell_progress(struct work_control *control, struct worker_shared *shared, enum worker_progress progress);

/* The futex operations of the kernel across processes. timeout_ns: UINT64_MAX = none. */
void work_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);
void work_futex_wake(_Atomic uint32_t *word, int count);
void work_futex_wake_all(_Atomic uint32_t *word);

#endif
