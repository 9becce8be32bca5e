/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of lib/work: the parent's side of a workload, and the entry of the worker process it
 * forks.
 */
#ifndef KTSTR_WORK_WORKLOAD_H
#define KTSTR_WORK_WORKLOAD_H

#include <sys/types.h>

#include "work/shared.h"
#include "work/work_type.h"

struct ktstr_workload_handle {
	void *map;
	size_t map_bytes;
	struct work_control *control;  /* first page of map */
	struct worker_shared *workers; /* count of them behind it */
	size_t count;
	int *pids;        /* 0 once reaped or given up */
	int *public_pids; /* as spawned; what ktstr_workload_pids() lends */
	struct worker_outcome {
		bool ended; /* seen dead, not yet reaped */
		bool timed_out;
		bool status_known;
		int wait_status;
	} * outcomes;
	void **group_memories; /* of each worker; NULL = its type wants none */
	struct ktstr_worker_report *reports; /* kind, group_idx, index are set at spawn */
	bool started, collected;
};

/* What a forked worker needs to know; the parent's copy, read through fork's copy of memory. */
struct worker_setup {
	pid_t parent;
	const struct ktstr_work_spec *spec;
	const struct work_type_ops *ops;
	const struct work_group *group;
	unsigned int position, index;
	const char *label;
	struct ktstr_cpus affinity; /* empty = inherit */
	uint64_t seed;
	bool perturb;
	struct work_control *control;
	struct worker_shared *shared;
};

/*
 * A worker that is not let go within this time ends with exit code 1. A variable for the unit test.
 */
extern uint64_t work_start_limit_ns;

/* Does not return. All signals are blocked on entry. */
_Noreturn void worker_main(const struct worker_setup *setup);

#endif
