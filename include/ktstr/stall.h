/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workers on the host that stand still: their process neither switched nor ran between four looks. It may be stuck, or
 * asleep for long: the diagnostic says where it waits.
 */
#ifndef KTSTR_STALL_H
#define KTSTR_STALL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ktstr/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Looks at a process before it counts as stalled, all alike. */
enum { KTSTR_STALL_SAMPLES = 4 };

/* From /proc/<pid>/sched (CONFIG_SCHED_DEBUG). */
struct ktstr_stall_sample {
	uint64_t nr_switches;
	uint64_t sum_exec_runtime_ns;
	uint64_t captured_at_ns; /* CLOCK_MONOTONIC */
};

/* Files of /proc/<pid>, texts owned; one that cannot be read is "[unreadable: <reason>]". */
struct ktstr_stall_diagnostic {
	char *wchan; /* kernel function that it waits in, "0" = it does not wait */
	char *syscall; /* number, arguments, stack and instruction pointer */
	char *state; /* the letter and word of State: in status */
	char *stack; /* of the kernel, as root; NULL when it cannot be read */
	char *status_full;
	char *cgroup;
	char *host_loadavg;
};

struct ktstr_stall_report {
	pid_t pid;
	char comm[16];
	struct ktstr_stall_sample samples[KTSTR_STALL_SAMPLES];
	uint64_t captured_at_ns;
	struct ktstr_stall_diagnostic diagnostic;
};

void ktstr_stall_report_deinit(struct ktstr_stall_report *report);

/*
 * Looks at processes every now and then. Each look returns reports of those that have stalled since, which the caller
 * deinits and frees; a process is reported once, and again only after it has made progress. One that has ended, or whose
 * file cannot be read, is forgotten.
 */
struct ktstr_stall_watch;
struct ktstr_stall_watch *ktstr_stall_watch_create(void);
void ktstr_stall_watch_destroy(struct ktstr_stall_watch *watch); /* accepts NULL */
struct ktstr_stall_report *ktstr_stall_watch_look(struct ktstr_stall_watch *watch, const pid_t *pids, size_t pids_count,
						  size_t *reports_count);

/* How long between two looks: $KTSTR_STALL_POLL_MS, else $KTSTR_STUCK_POLL_MS, else (also for a wrong one) 500 ms. */
uint64_t ktstr_stall_poll_ns(void);

#ifdef __cplusplus
}
#endif
#endif
