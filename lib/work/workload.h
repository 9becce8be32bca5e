/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of lib/work: a workload as its parent sees it. Workers live in hosts: processes that it forks, of one worker
 * or of all the threads of a pcomm; or they are threads of the parent itself.
 */
#ifndef KTSTR_WORK_WORKLOAD_H
#define KTSTR_WORK_WORKLOAD_H

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>

#include "work/shared.h"
#include "work/work_type.h"

#define WORK_NO_HOST SIZE_MAX /* a thread of the parent */

/* What a worker needs to know; made by the parent before it starts anyone, read by forked ones in their copy of it. */
struct worker_setup {
	const struct ktstr_work_spec *spec;
	const struct work_type_ops *ops;
	struct work_group *group;
	unsigned int position, index, group_idx;
	size_t host;
	char comm[16]; /* TASK_COMM_LEN */
	struct ktstr_cpus affinity; /* empty = inherit */
	uint64_t seed;
	bool perturb, bare;
	pid_t parent;
	struct work_control *control;
	struct worker_shared *shared;
	pthread_t thread; /* of one that is a thread of this process */
	bool running; /* thread is to be joined */
};

struct work_host {
	pid_t pid; /* 0 once reaped or given up */
	const char *pcomm; /* NULL = one worker */
	bool ended; /* seen dead, not yet reaped */
	bool stuck; /* did not even die of SIGKILL in time */
	int wait_errno; /* of a failed wait */
	int wait_status;
};

struct ktstr_workload_handle {
	void *map;
	size_t map_bytes;
	struct work_control *control;  /* first page of map */
	struct worker_shared *workers; /* count of them behind it */
	size_t count;
	struct worker_setup *setups; /* of each worker */
	struct ktstr_work_spec *specs; /* a copy: strings and arrays in it are the caller's */
	struct ktstr_work_type *types; /* of each spec, resolved */
	size_t specs_count;
	struct work_group *groups;
	size_t groups_count;
	struct work_host *hosts;
	size_t hosts_count;
	int *public_pids; /* of each host as spawned; what ktstr_workload_pids() lends */
	struct ktstr_worker_report *reports;
	struct ktstr_cpus cpus; /* of the config */
	struct ktstr_random random; /* what the parent draws */
	struct ktstr_opt_u64 pages_migrated; /* of the system, at the start */
	bool started, asked_to_stop, collected;
	bool leaked; /* a thread that did not end still uses the mapping */
};

/* A worker that is not let go within this time ends with exit code 1. A variable for the unit test. */
extern uint64_t work_start_limit_ns;

/* worker.c: a worker from its first instruction to its report, in a thread of its own or the first of a process. */
void worker_run(const struct worker_setup *setup);
/* Starts a thread that does; 0 or an errno. All signals but those of faults are blocked in it. */
int worker_start_thread(struct worker_setup *setup);

/* host.c: in the forked process, with all signals blocked. fds are what it keeps open besides the standard three. */
_Noreturn void work_host_main(struct ktstr_workload_handle *handle, size_t host, const int *fds, size_t fds_count);
/* The handler that lets SIGUSR1 end a wait. */
void work_take_stop_signal(void);
/* fault.c: from here on a fault of this process is recorded as its worker's. */
void work_catch_faults(void);
/* A stack for its handler in the calling thread, until the second call puts back what the thread had before. */
void work_fault_stack(stack_t *before);
void work_fault_stack_end(const stack_t *before);
extern __thread struct worker_shared *work_own_shared __attribute__((tls_model("initial-exec")));

/* attributes.c: affinity, policy, memory policy, nice, gid, uid, node, in this order; failures go to the report. */
void work_apply_attributes(struct worker *w, const struct worker_setup *setup);

/* collect.c: reports of workers that are done or gone. */
void work_build_report(const struct ktstr_workload_handle *handle, size_t index);
/* "state D in io_schedule": where the kernel has it; for exit_message. */
void work_describe_stuck(const struct ktstr_workload_handle *handle, size_t index);

enum worker_progress work_progress_of(const struct ktstr_workload_handle *handle, size_t index);

#endif
