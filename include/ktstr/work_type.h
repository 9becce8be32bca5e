/* SPDX-License-Identifier: GPL-2.0-only */
/* Work types: what a worker does while it runs, with its parameters, and work of the test program's own. */
#ifndef KTSTR_WORK_TYPE_H
#define KTSTR_WORK_TYPE_H

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
#define KTSTR_WORK_TYPES(X) \
	X(SPIN_WAIT, spin_wait) \
	X(YIELD_HEAVY, yield_heavy) \
	X(MIXED, mixed) \
	X(IO_SYNC_WRITE, io_sync_write) \
	X(IO_RAND_READ, io_rand_read) \
	X(IO_CONVOY, io_convoy) \
	X(BURSTY, bursty) \
	X(PIPE_IO, pipe_io) \
	X(FUTEX_PING_PONG, futex_ping_pong) \
	X(CACHE_PRESSURE, cache_pressure) \
	X(CACHE_YIELD, cache_yield) \
	X(CACHE_PIPE, cache_pipe) \
	X(FUTEX_FAN_OUT, futex_fan_out) \
	X(FAN_OUT_COMPUTE, fan_out_compute) \
	X(SEQUENCE, sequence) \
	X(FORK_EXIT, fork_exit) \
	X(NICE_SWEEP, nice_sweep) \
	X(AFFINITY_CHURN, affinity_churn) \
	X(CROSS_AFFINITY_CHURN, cross_affinity_churn) \
	X(POLICY_CHURN, policy_churn) \
	X(PAGE_FAULT_CHURN, page_fault_churn) \
	X(MUTEX_CONTENTION, mutex_contention) \
	X(THUNDERING_HERD, thundering_herd) \
	X(PRIORITY_INVERSION, priority_inversion) \
	X(PRODUCER_CONSUMER_IMBALANCE, producer_consumer_imbalance) \
	X(RT_STARVATION, rt_starvation) \
	X(ASYMMETRIC_WAKER, asymmetric_waker) \
	X(WAKE_CHAIN, wake_chain) \
	X(NUMA_WORKING_SET_SWEEP, numa_working_set_sweep) \
	X(NUMA_MIGRATION_CHURN, numa_migration_churn) \
	X(CGROUP_CHURN, cgroup_churn) \
	X(CGROUP_ATTACH_STORM, cgroup_attach_storm) \
	X(SIGNAL_STORM, signal_storm) \
	X(PREEMPT_STORM, preempt_storm) \
	X(EPOLL_STORM, epoll_storm) \
	X(IDLE_CHURN, idle_churn) \
	X(TIMER_LATENCY, timer_latency) \
	X(ALU_HOT, alu_hot) \
	X(SMT_SIBLING_SPIN, smt_sibling_spin) \
	X(IPC_VARIANCE, ipc_variance) \
	X(NET_TRAFFIC, net_traffic) \
	X(IRQ_WAKE, irq_wake) \
	X(SCHBENCH, schbench) \
	X(TAOBENCH, taobench) \
	X(CUSTOM, custom)

enum ktstr_work_kind {
#define KTSTR_WORK_KIND_(KIND, name) KTSTR_WORK_##KIND,
	KTSTR_WORK_TYPES(KTSTR_WORK_KIND_)
#undef KTSTR_WORK_KIND_
		KTSTR_WORK_KINDS,
};

/* A scheduling policy, as sched_setattr(2) has it. */
enum ktstr_sched_policy_kind {
	KTSTR_POLICY_NORMAL, /* SCHED_OTHER: EEVDF, or sched_ext when a scheduler takes all tasks */
	KTSTR_POLICY_BATCH,
	KTSTR_POLICY_IDLE,
	KTSTR_POLICY_FIFO, /* priority 1 to 99, clamped */
	KTSTR_POLICY_RR,
	KTSTR_POLICY_DEADLINE, /* runtime <= deadline <= period; period 0 = deadline */
	KTSTR_POLICY_EXT, /* SCHED_EXT: under a scheduler that takes only those that ask, too */
	KTSTR_POLICIES,
};

struct ktstr_sched_policy {
	enum ktstr_sched_policy_kind kind;
	int priority;
	uint64_t runtime, deadline, period; /* ns */
};

#define ktstr_policy_fifo(p) ((struct ktstr_sched_policy){ .kind = KTSTR_POLICY_FIFO, .priority = (p) })
#define ktstr_policy_rr(p)   ((struct ktstr_sched_policy){ .kind = KTSTR_POLICY_RR, .priority = (p) })
#define ktstr_policy_deadline(r, d, p)                                                             \
	((struct ktstr_sched_policy){                                                              \
		.kind = KTSTR_POLICY_DEADLINE, .runtime = (r), .deadline = (d), .period = (p) })

/* "fifo"; NULL out of range. */
const char *ktstr_sched_policy_name(enum ktstr_sched_policy_kind kind);

/* A scheduling class by name, with the policy that puts a task into it. */
enum ktstr_sched_class {
	KTSTR_CLASS_CFS, /* NORMAL */
	KTSTR_CLASS_BATCH,
	KTSTR_CLASS_IDLE,
	KTSTR_CLASS_RT, /* FIFO 50 */
	KTSTR_CLASS_DEADLINE, /* 1 us of 1 ms every 10 ms */
	KTSTR_CLASS_EXT,
};

struct ktstr_sched_policy ktstr_sched_class_policy(enum ktstr_sched_class class_);

enum ktstr_wake_mechanism { KTSTR_WAKE_PIPE, KTSTR_WAKE_FUTEX };
enum ktstr_futex_lock_mode { KTSTR_LOCK_PLAIN, KTSTR_LOCK_PI };
enum ktstr_reap_mode { KTSTR_REAP_SIG_IGN, KTSTR_REAP_WAITPID };

enum ktstr_alu_width {
	KTSTR_ALU_WIDEST, /* what the CPU has */
	KTSTR_ALU_SCALAR,
	KTSTR_ALU_VEC128,
	KTSTR_ALU_VEC256,
	KTSTR_ALU_VEC512,
	KTSTR_ALU_AMX,
};

/* A phase of Sequence. */
enum ktstr_work_phase_kind {
	KTSTR_PHASE_SPIN,
	KTSTR_PHASE_SLEEP,
	KTSTR_PHASE_YIELD,
	KTSTR_PHASE_IO, /* 16 writes of 4 KiB, then 100 us asleep, again and again */
	KTSTR_PHASE_ALU_HOT,
	KTSTR_PHASES_KINDS,
};

struct ktstr_work_phase {
	enum ktstr_work_phase_kind kind;
	uint64_t duration; /* ns */
	enum ktstr_alu_width width; /* ALU_HOT */
};

/* KTSTR_WORK(SEQUENCE, KTSTR_PHASES({ KTSTR_PHASE_SPIN, KTSTR_MS(5) }, { KTSTR_PHASE_SLEEP, KTSTR_MS(1) })) */
#define KTSTR_PHASES(...)                                                                          \
	.phases = (const struct ktstr_work_phase[]){ __VA_ARGS__ },                                \
	.phases_count = sizeof((const struct ktstr_work_phase[]){ __VA_ARGS__ }) /                 \
			sizeof(struct ktstr_work_phase)

/* Plain data that a custom function gets. */
struct ktstr_custom_cfg {
	uint64_t u64[4];
	size_t size[4];
	int32_t i32[4];
	bool flags[4];
	unsigned char blob[32];
	size_t blob_length;
};

/* The first 32 bytes; the rest is cut off. */
void ktstr_custom_cfg_set_blob(struct ktstr_custom_cfg *cfg, const void *data, size_t length);

/* Work of the test program's own: loops until ktstr_worker_should_stop(), reports with ktstr_worker_progress(). */
struct ktstr_worker_ctx;
typedef void (*ktstr_custom_fn)(const struct ktstr_worker_ctx *ctx);

bool ktstr_worker_should_stop(const struct ktstr_worker_ctx *ctx);
/* Ends an iteration that did that many units of work. */
void ktstr_worker_progress(const struct ktstr_worker_ctx *ctx, uint64_t work_units);
/* Until a time of CLOCK_MONOTONIC, or the stop; UINT64_MAX = the stop. Returns the time. */
uint64_t ktstr_worker_sleep_until(const struct ktstr_worker_ctx *ctx, uint64_t deadline_ns);
/* A sample for one of the report's reservoirs. */
void ktstr_worker_record_wake(const struct ktstr_worker_ctx *ctx, uint64_t latency_ns);
void ktstr_worker_record_cost(const struct ktstr_worker_ctx *ctx, uint64_t cost_ns);
void ktstr_worker_record_timer(const struct ktstr_worker_ctx *ctx, uint64_t lateness_ns);
/* The worker's own stream: the same numbers for the same seed. */
uint64_t ktstr_worker_random(const struct ktstr_worker_ctx *ctx);
const struct ktstr_custom_cfg *ktstr_worker_cfg(const struct ktstr_worker_ctx *ctx);
/* The CPUs the worker could run on when it began. */
struct ktstr_cpus ktstr_worker_cpus(const struct ktstr_worker_ctx *ctx);
/* Processes of the worker's cgroup when it began, without itself; borrowed. */
const int *ktstr_worker_siblings(const struct ktstr_worker_ctx *ctx, size_t *count);
/* "/sys/fs/cgroup/..."; NULL in the root cgroup. */
const char *ktstr_worker_cgroup_dir(const struct ktstr_worker_ctx *ctx);
/* cgroup.procs of a cgroup beside the worker's own, open for writing; -1 with errno when there is none. */
int ktstr_worker_open_sibling_procs(const struct ktstr_worker_ctx *ctx, const char *name);

/*
 * Parameters. Durations in ns unless the name says otherwise. A zero takes the default in the comment when written
 * through KTSTR_WORK(). What a kind does with them: docs/reference/work-types.
 */
struct ktstr_work_spin_wait {
	char none_; /* no parameters */
};
struct ktstr_work_yield_heavy {
	char none_; /* no parameters */
};
struct ktstr_work_mixed {
	char none_; /* no parameters */
};
struct ktstr_work_io_sync_write {
	char none_; /* no parameters */
};
struct ktstr_work_io_rand_read {
	char none_; /* no parameters */
};
struct ktstr_work_io_convoy {
	char none_; /* no parameters */
};
struct ktstr_work_fork_exit {
	char none_; /* no parameters */
};
struct ktstr_work_nice_sweep {
	char none_; /* no parameters */
};
struct ktstr_work_smt_sibling_spin {
	char none_; /* no parameters */
};
struct ktstr_work_bursty {
	uint64_t burst; /* ns of CPU time per cycle; 50 ms */
	uint64_t sleep; /* ns asleep per cycle; 100 ms */
};
struct ktstr_work_pipe_io {
	uint64_t burst_iters; /* spin units between exchanges; 1024 */
};
struct ktstr_work_futex_ping_pong {
	uint64_t spin_iters; /* 1024 */
};
struct ktstr_work_cache_pressure {
	unsigned int size_kib, stride; /* 32 KiB, 64 bytes */
};
struct ktstr_work_cache_yield {
	unsigned int size_kib, stride; /* 32 KiB, 64 bytes */
};
struct ktstr_work_cache_pipe {
	unsigned int size_kib; /* 32 */
	uint64_t burst_iters; /* 1024 */
};
struct ktstr_work_futex_fan_out {
	unsigned int fan_out; /* receivers; 4 */
	uint64_t spin_iters; /* 1024 */
};
struct ktstr_work_fan_out_compute {
	unsigned int fan_out; /* receivers; 4 */
	unsigned int cache_footprint_kib; /* 256 */
	unsigned int operations; /* matrix products per message; 5 */
	unsigned int sleep_usec; /* before them; 100 */
};
struct ktstr_work_sequence {
	const struct ktstr_work_phase *phases; /* in turn, again and again */
	size_t phases_count;
};
struct ktstr_work_affinity_churn {
	uint64_t spin_iters; /* 1024 */
};
struct ktstr_work_cross_affinity_churn {
	uint64_t spin_iters; /* 1024 */
};
struct ktstr_work_policy_churn {
	uint64_t spin_iters; /* 1024 */
};
struct ktstr_work_page_fault_churn {
	unsigned int region_kib; /* 4096 */
	uint64_t touches_per_cycle; /* 256 */
	uint64_t spin_iters; /* 64 */
};
struct ktstr_work_mutex_contention {
	unsigned int contenders; /* 4 */
	uint64_t hold_iters, work_iters; /* 256 with the lock, 1024 without */
};
struct ktstr_work_thundering_herd {
	unsigned int waiters; /* 7 */
	uint64_t batches; /* wakes in a round; rounds repeat; 1000 */
	unsigned int inter_batch_ms; /* 5 */
};
struct ktstr_work_priority_inversion {
	unsigned int high, medium, low; /* workers; 1 each */
	uint64_t hold_iters, work_iters; /* 4096, 1024 */
	enum ktstr_futex_lock_mode lock; /* PLAIN */
};
struct ktstr_work_producer_consumer_imbalance {
	unsigned int producers, consumers; /* 2, 1 */
	unsigned int produce_rate_hz; /* of each producer; 1000 */
	uint64_t consume_iters; /* per item; 4096 */
	unsigned int queue_depth; /* 1024 */
};
struct ktstr_work_rt_starvation {
	unsigned int rt_workers, cfs_workers; /* 1, 1 */
	unsigned int rt_priority; /* 50 */
	uint64_t burst_iters; /* 1024 */
};
struct ktstr_work_asymmetric_waker {
	enum ktstr_sched_class waker_class, wakee_class; /* CFS */
	uint64_t burst_iters; /* 1024 */
};
struct ktstr_work_wake_chain {
	unsigned int depth; /* stages; 4 */
	enum ktstr_wake_mechanism wake; /* PIPE */
	uint64_t work_per_hop; /* ns; 100 us */
};
struct ktstr_work_numa_working_set_sweep {
	unsigned int region_kib; /* 4096 */
	uint64_t sweep_period; /* ns; 100 ms */
	uint64_t nodes; /* mask of the nodes to move to in turn; 0 = never bound */
};
struct ktstr_work_numa_migration_churn {
	uint64_t period; /* ns on a node; 100 ms */
};
struct ktstr_work_cgroup_churn {
	unsigned int groups; /* 2 */
	uint64_t cycle; /* ns in a cgroup; 100 ms */
};
struct ktstr_work_cgroup_attach_storm {
	const char *dest; /* a cgroup beside the worker's own */
	enum ktstr_reap_mode reap; /* SIG_IGN */
};
struct ktstr_work_signal_storm {
	uint64_t signals; /* per iteration; 16 */
	uint64_t work_iters; /* 1024 */
};
struct ktstr_work_preempt_storm {
	unsigned int cfs_workers; /* 2 */
	uint64_t rt_burst_iters; /* 1024 */
	unsigned int rt_sleep_us; /* 1000 */
};
struct ktstr_work_epoll_storm {
	unsigned int producers, consumers; /* 1, 2 */
	unsigned int events_per_burst; /* 32 */
};
struct ktstr_work_idle_churn {
	uint64_t burst, sleep; /* ns; 1 ms, 5 ms */
	bool precise_timing; /* timer slack of 1 ns instead of 50 us */
};
struct ktstr_work_timer_latency {
	unsigned int interval_us; /* 1000 */
};
struct ktstr_work_alu_hot {
	enum ktstr_alu_width width; /* WIDEST */
};
struct ktstr_work_ipc_variance {
	uint64_t hot_iters, cold_iters, period_iters; /* 100000, 1024, 64 */
};
struct ktstr_work_net_traffic {
	unsigned int interval_us; /* 100 */
	unsigned int frame_bytes; /* 60 to 1514; 60 */
};
struct ktstr_work_irq_wake {
	unsigned int interval_us; /* 100 */
	unsigned int frame_bytes; /* 60 to 1514; 60 */
};
struct ktstr_work_custom {
	const char *name;
	ktstr_custom_fn fn;
	struct ktstr_custom_cfg cfg;
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
/* The type of that exact name with its defaults. False when there is none, and for Sequence and Custom. */
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
/* The same of a type with the parameters it has; "" for an unknown kind. */
char *ktstr_work_type_describe(const struct ktstr_work_type *type);
/* Workers of a group: a worker count must be a multiple of it. 1 = independent workers. */
unsigned int ktstr_work_type_group_size(const struct ktstr_work_type *type);

/* Why a work type cannot run as it was written. */
enum ktstr_work_type_error_kind {
	KTSTR_WORK_TYPE_OK,
	KTSTR_WORK_TYPE_ZERO_BURST_DURATION,
	KTSTR_WORK_TYPE_ZERO_SLEEP_DURATION,
	KTSTR_WORK_TYPE_INSUFFICIENT_WAKE_CHAIN_DEPTH, /* value: the depth */
	KTSTR_WORK_TYPE_NON_DIVISIBLE_WORKER_COUNT, /* bound: the group size, value: the workers */
	KTSTR_WORK_TYPE_ZERO_IPC_VARIANCE_PARAM, /* field */
	KTSTR_WORK_TYPE_ZERO_TIMER_INTERVAL,
	KTSTR_WORK_TYPE_FRAME_BYTES_OUT_OF_RANGE, /* value, and the bound it breaks */
	KTSTR_WORK_TYPE_BAD_PARAMETER, /* any other parameter out of its bounds: field, value, bound */
	KTSTR_WORK_TYPE_UNUSABLE, /* what bounds do not say: no phases, no function, an unknown kind */
};

struct ktstr_work_type_error {
	enum ktstr_work_type_error_kind kind;
	unsigned int group_idx;
	const char *name; /* of the type; static */
	const char *field; /* of its parameters, NULL when it is none; static */
	uint64_t value, bound;
};

/*
 * KTSTR_ERR_INVALID when a group of that many workers cannot do this work; workers 0 = not known yet. The same as a
 * value in *detail, when wanted (may be NULL).
 */
struct ktstr_error *ktstr_work_type_check(const struct ktstr_work_type *type, unsigned int workers,
					  unsigned int group_idx, struct ktstr_work_type_error *detail)
	KTSTR_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
