/* SPDX-License-Identifier: GPL-2.0-only */
/* Worker reports: what each worker measured about itself, and how it ended. */
#ifndef KTSTR_WORKER_H
#define KTSTR_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/units.h>
#include <ktstr/work_type.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KTSTR_RESERVOIR_CAP 100000 /* latency samples kept per worker; totals count on */
#define KTSTR_REPORT_NODES 16 /* nodes that numa_pages tells apart */
#define KTSTR_MIGRATIONS_CAP 4096 /* migration records kept per worker; the count goes on */

struct ktstr_migration {
	uint64_t at_ns; /* since the worker began */
	unsigned int from_cpu, to_cpu;
};

/* A uniform sample (Vitter's algorithm R) of total_samples values. */
struct ktstr_reservoir {
	const uint64_t *values_ns; /* borrowed from the report set */
	size_t count;
	uint64_t total_samples;
};

enum ktstr_worker_exit {
	KTSTR_WORKER_COMPLETED,
	KTSTR_WORKER_EXITED, /* ended by itself before the stop; exit_code says how */
	KTSTR_WORKER_SIGNALED, /* exit_code is the signal */
	KTSTR_WORKER_TIMED_OUT, /* did not answer the stop within its limit; was killed */
	KTSTR_WORKER_WAIT_FAILED, /* its end could not be waited for; exit_code is the errno */
	KTSTR_WORKER_PANICKED, /* a fault of its own code took its process along; exit_code is the signal */
};

#define KTSTR_EXIT_MESSAGE_BYTES 128

struct ktstr_schbench_stats; /* ktstr/benchmark.h */
struct ktstr_taobench_stats;

#define KTSTR_PHASE_RESERVOIR_CAP 8192 /* latency samples kept per worker and phase */

/*
 * What a worker that lives through several steps measured during one of them. Pages are those at the end of the phase,
 * everything else is what the phase added.
 */
struct ktstr_phase_slice {
	uint32_t phase_epoch; /* k + 1 in step k: the number of its phase. 0 and UINT32_MAX are between steps: not judged */
	struct ktstr_cpus cpus_used;
	struct ktstr_reservoir wake_latencies; /* at most KTSTR_PHASE_RESERVOIR_CAP values */
	struct ktstr_reservoir timer_latencies;
	struct ktstr_opt_u64 run_delay_ns; /* schedstat; unset where the kernel has none */
	uint64_t off_cpu_ns; /* max(0, wall - cpu) */
	uint64_t wall_time_ns;
	uint64_t migration_count;
	uint64_t iterations;
	uint64_t cpu_time_ns;
	uint64_t numa_pages[KTSTR_REPORT_NODES];
	struct ktstr_opt_u64 numa_migrated; /* delta of numa_pages_migrated in /proc/vmstat: of the whole system */
	uint64_t max_gap_ns;
	unsigned int max_gap_cpu;
	/* Of a worker that is such a benchmark, else NULL; borrowed. */
	const struct ktstr_schbench_stats *schbench;
	const struct ktstr_taobench_stats *taobench;
};

/* What one worker measured. A worker that did not complete has zero counters. */
struct ktstr_worker_report {
	int tid;
	unsigned int group_idx; /* which work spec of the cgroup */
	unsigned int index; /* within the cgroup */
	enum ktstr_work_kind work_kind;
	enum ktstr_worker_exit exit;
	int exit_code;
	/* What a code does not say: the fault and whose it was, why waiting failed. "" when there is nothing to add. */
	char exit_message[KTSTR_EXIT_MESSAGE_BYTES];
	uint64_t work_units;
	uint64_t iterations;
	uint64_t cpu_time_ns; /* of the worker with the threads it started */
	uint64_t wall_time_ns; /* begin of work to loop exit */
	uint64_t off_cpu_ns; /* max(0, wall - cpu) */
	uint64_t max_gap_ns; /* longest time between two checkpoints of the work loop */
	unsigned int max_gap_cpu; /* where it ended */
	uint64_t max_gap_at_ns; /* since the worker began */
	uint64_t migration_count;
	const struct ktstr_migration *migrations; /* the first KTSTR_MIGRATIONS_CAP; borrowed */
	size_t migrations_count;
	struct ktstr_cpus cpus_used; /* CPUs seen at checkpoints */
	struct ktstr_reservoir wake_latencies; /* block to running again */
	struct ktstr_reservoir iteration_costs; /* of kinds whose iterations are equal work */
	struct ktstr_reservoir timer_latencies; /* lateness of absolute timers */
	/* Deltas of /proc/self/task/<tid>/schedstat; available = false reads as absent, never zero. */
	bool schedstat_available;
	uint64_t schedstat_cpu_time_ns, schedstat_run_delay_ns, schedstat_run_count;
	int affinity_errno; /* of a failed sched_setaffinity, 0 = fine */
	int sched_policy_errno; /* of a failed sched_setattr, 0 = fine */
	int mem_policy_errno; /* of set_mempolicy */
	int nice_errno; /* of setpriority */
	int credentials_errno; /* of setresgid or setresuid */
	enum ktstr_alu_width alu_width; /* of kinds that compute with vectors: what was used */
	uint64_t numa_pages[KTSTR_REPORT_NODES]; /* of its memory at the end, by node */
	struct ktstr_opt_u64 vmstat_numa_pages_migrated; /* delta in /proc/vmstat: of the whole system, not of it alone */
	bool is_messenger; /* the one of a fan-out group that wakes the others */
	/* Of a worker that is such a benchmark and completed, else NULL; borrowed. */
	const struct ktstr_schbench_stats *schbench;
	const struct ktstr_taobench_stats *taobench;
	/* Of a worker of the backdrop that saw steps, in their order; borrowed. */
	const struct ktstr_phase_slice *phase_slices;
	size_t phase_slices_count;
};

#ifdef __cplusplus
}
#endif
#endif
