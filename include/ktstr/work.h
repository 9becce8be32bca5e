/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work: what a worker does while it runs (work types), how many do it and where (work specs), and what each
 * one measured about itself (worker reports).
 */
#ifndef KTSTR_WORK_H
#define KTSTR_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Every kind of work, X(KIND, name) in the order of the reference page: what each one presses is said beside its
 * implementation in lib/work/ and printed by `ktstr list --work-types`. The parameters of a kind are its
 * struct ktstr_work_<name>.
 */
#define KTSTR_WORK_TYPES(X)                                                                        \
	X(SPIN_WAIT, spin_wait)                                                                    \
	X(YIELD_HEAVY, yield_heavy)                                                                \
	X(MIXED, mixed)                                                                            \
	X(IO_SYNC_WRITE, io_sync_write)                                                            \
	X(BURSTY, bursty)                                                                          \
	X(PIPE_IO, pipe_io)                                                                        \
	X(SCHBENCH, schbench)                                                                      \
	X(TAOBENCH, taobench)

enum ktstr_work_kind {
#define KTSTR_WORK_KIND_(KIND, name) KTSTR_WORK_##KIND,
	KTSTR_WORK_TYPES(KTSTR_WORK_KIND_)
#undef KTSTR_WORK_KIND_
		KTSTR_WORK_KINDS,
};

/* Durations in ns. Zero fields take the default in the comment when written through KTSTR_WORK(). */
struct ktstr_work_spin_wait {
	char none_; /* no parameters */
};
struct ktstr_work_yield_heavy {
	char none_;
};
struct ktstr_work_mixed {
	char none_;
};
struct ktstr_work_bursty {
	uint64_t burst; /* ns of CPU time per cycle; 50 ms */
	uint64_t sleep; /* ns asleep per cycle; 100 ms */
};
struct ktstr_work_io_sync_write {
	char none_;
};
struct ktstr_work_pipe_io {
	uint64_t burst_iters; /* spin units between exchanges; 1024 */
};

/* Schbench: message threads hand requests to worker threads that sleep and multiply matrices. */
struct ktstr_work_schbench {
	unsigned int message_threads;	    /* 1 */
	unsigned int worker_threads;	    /* per message thread; 0 = CPUs / message threads, rounded up */
	unsigned int cache_footprint_kib;   /* of a worker's matrices; 256 */
	unsigned int operations;	    /* matrix products per request; 5 */
	unsigned int sleep_usec;	    /* think time before them; 100 */
	bool skip_locking;		    /* no lock per CPU around the products */
	unsigned int requests_per_sec;	    /* paced, over all message threads; 0 = as fast as workers ask */
	unsigned int auto_rps;		    /* %: pace so that the CPUs are this busy; 0 = off */
	struct ktstr_opt_u32 split_percent; /* of the footprint, private; the rest is shared by all workers */
	unsigned int pipe_transfer_bytes;   /* moved instead of requests; 0 = off, at most 1 MiB */
};

/* Taobench: clients of a look-aside cache, slow threads that bring what it lacks. */
struct ktstr_work_taobench {
	unsigned int client_threads;	 /* 0 = CPUs */
	unsigned int slow_threads;	 /* 0 = a third of the clients, at least 1 */
	unsigned int cache_capacity_mib; /* 64 */
	unsigned int target_hit_pct;	 /* 90; 1 to 99 */
	unsigned int slow_path_sleep_us; /* 100; 0 = only the handover between threads */
	unsigned int slow_path_p99_us;	 /* above the sleep: a Pareto tail with that p99; 0 = constant */
	uint64_t arrival_rate;		 /* requests per second, over all clients; 0 = closed loop */
};

struct ktstr_work_type {
	enum ktstr_work_kind kind;
	bool literal; /* true: zero parameters mean zero, not "default" */
	union {
#define KTSTR_WORK_MEMBER_(KIND, name) struct ktstr_work_##name KIND;
		KTSTR_WORK_TYPES(KTSTR_WORK_MEMBER_)
#undef KTSTR_WORK_MEMBER_
	};
};

/* KTSTR_WORK(SPIN_WAIT), KTSTR_WORK(BURSTY, .burst = KTSTR_MS(50)): an unknown parameter does not compile. */
#define KTSTR_WORK(KIND, ...)                                                                      \
	((struct ktstr_work_type){ .kind = KTSTR_WORK_##KIND, .KIND = { __VA_ARGS__ } })

/* "SpinWait": the PascalCase name that results carry. NULL out of range. */
const char *ktstr_work_type_name(enum ktstr_work_kind kind);
/* The type of that exact name with its defaults. False when there is none. */
bool ktstr_work_type_from_name(const char *name, struct ktstr_work_type *type);
/* The nearest name, case ignored; NULL when nothing is near. */
const char *ktstr_work_type_suggest(const char *name);
const char *const *ktstr_work_type_all_names(size_t *count);
/* Zero parameters replaced by their defaults, literal set. */
struct ktstr_work_type ktstr_work_type_resolve(const struct ktstr_work_type *type);
/* What the kind presses and what one unit of its work is, a line each. NULL out of range. */
const char *ktstr_work_type_pressure(enum ktstr_work_kind kind);
const char *ktstr_work_type_unit(enum ktstr_work_kind kind);
/* "burst 50ms, sleep 100ms": parameters with their defaults; heap. */
char *ktstr_work_type_parameters(enum ktstr_work_kind kind);
/* Workers of a group: a worker count must be a multiple of it. 1 = independent workers. */
unsigned int ktstr_work_type_group_size(const struct ktstr_work_type *type);

enum ktstr_affinity_kind {
	KTSTR_AFFINITY_INHERIT, /* whatever the cgroup allows */
	KTSTR_AFFINITY_EXACT, /* `cpus` within the cgroup's cpuset; empty intersection is an error */
};

struct ktstr_affinity {
	enum ktstr_affinity_kind kind;
	struct ktstr_cpus cpus;
};

#define ktstr_affinity_exact(set)                                                                  \
	((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_EXACT, .cpus = (set) })

/* One group of equal workers. */
struct ktstr_work_spec {
	struct ktstr_work_type type;
	unsigned int workers; /* 0 = the context's workers_per_cgroup */
	struct ktstr_affinity affinity;
	const char *comm; /* 1-15 bytes; NULL = "<cgroup>/<index>" cut to 15 */
};

#define KTSTR_RESERVOIR_CAP 100000 /* latency samples kept per worker; totals count on */
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
};

struct ktstr_schbench_stats; /* ktstr/benchmark.h */
struct ktstr_taobench_stats;

/* What one worker measured. A worker that did not complete has zero counters. */
struct ktstr_worker_report {
	int tid;
	unsigned int group_idx; /* which work spec of the cgroup */
	unsigned int index; /* within the cgroup */
	enum ktstr_work_kind work_kind;
	enum ktstr_worker_exit exit;
	int exit_code;
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
	struct ktstr_reservoir wake_latencies;
	/* Deltas of /proc/self/task/<tid>/schedstat; available = false reads as absent, never zero. */
	bool schedstat_available;
	uint64_t schedstat_cpu_time_ns, schedstat_run_delay_ns, schedstat_run_count;
	int affinity_errno; /* of a failed sched_setaffinity, 0 = fine */
	/* Of a worker that is such a benchmark and completed, else NULL; borrowed. */
	const struct ktstr_schbench_stats *schbench;
	const struct ktstr_taobench_stats *taobench;
};

/*
 * Direct use, without cgroups: spawn workers blocked, start them together, stop and collect. The scenario
 * engine is built on this. All calls from one thread.
 */
struct ktstr_workload_config {
	const struct ktstr_work_spec *specs; /* counts explicit, > 0 */
	size_t specs_count;
	const char *label; /* comm prefix of workers without a comm; NULL = "worker" */
	struct ktstr_cpus cpus; /* CPUs the workers may use: affinity EXACT is checked against it */
	uint64_t seed; /* worker random streams; equal seeds draw equal numbers */
	bool perturb; /* seeded delays at the start and at some checkpoints, to explore schedules */
};

struct ktstr_workload_handle;

/*
 * KTSTR_ERR_INVALID for a bad spec: "<name> (group i) requires num_workers divisible by <g>, got <n>", zero
 * durations, empty affinity. On error nothing is left behind.
 */
struct ktstr_error *ktstr_workload_spawn(const struct ktstr_workload_config *config,
					 struct ktstr_workload_handle **handle) KTSTR_CHECKED;
/* Process ids to move into a cgroup before start; borrowed. */
const int *ktstr_workload_pids(const struct ktstr_workload_handle *handle, size_t *count);
/* Lets all workers begin together. Idempotent. */
struct ktstr_error *ktstr_workload_start(struct ktstr_workload_handle *handle) KTSTR_CHECKED;
/* Iteration counters now, without stopping anyone; out has room for every worker. */
void ktstr_workload_snapshot_iterations(const struct ktstr_workload_handle *handle, uint64_t *out);
/*
 * Stops all workers (shared limit of 5 s, then SIGKILL), reaps them, and gives one report per worker
 * in spawn order, owned by the handle until destroy.
 */
const struct ktstr_worker_report *
ktstr_workload_stop_and_collect(struct ktstr_workload_handle *handle, size_t *count);
/* Kills and reaps what still runs, unmaps. Accepts NULL. */
void ktstr_workload_destroy(struct ktstr_workload_handle *handle);

#ifdef __cplusplus
}
#endif
#endif
