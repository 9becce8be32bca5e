/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of lib/work: what a work type is (struct work_type_ops), the worker it runs in (struct
 * worker), and the few calls its loop is made of. A new type is one row in registry.c and one ops
 * constant.
 */
#ifndef KTSTR_WORK_WORK_TYPE_H
#define KTSTR_WORK_WORK_TYPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/random.h"
#include "ktstr/work.h"
#include "work/shared.h"

enum {
	WORK_GROUP_MAX_FDS = 128, /* descriptors one group of workers may share */
	WORK_CHECKPOINT_UNITS = 1024,
};

/* What the workers of one group have in common; made before the first of them is forked. */
struct work_group {
	const struct ktstr_work_type *type; /* resolved */
	unsigned int size;
	unsigned int first_worker; /* index of position 0 */
	bool fds_shared; /* with other workers of the process: not to be closed by one of them */
	int fds[WORK_GROUP_MAX_FDS];
	size_t fds_count;
	void *memory; /* zeroed, shared_bytes of the type; NULL when it wants none */
};

/* /proc/self/task/<tid>/schedstat of the calling thread. */
struct work_schedstat {
	bool available;
	uint64_t cpu_time_ns, run_delay_ns, run_count;
};

/* Where the phase that runs began, to subtract from where it ends. */
struct work_phase {
	bool open; /* a slice is being measured */
	uint32_t epoch; /* the phase word as last seen */
	uint64_t begin_ns, begin_cpu_ns;
	uint64_t iterations, migrations;
	struct work_schedstat schedstat;
	struct ktstr_opt_u64 pages_migrated;
	void *bench; /* of benchmarks: what group->memory was */
	/* Of this phase alone. */
	struct ktstr_cpus cpus_used;
	uint64_t max_gap_ns;
	unsigned int max_gap_cpu;
	uint64_t totals[WORK_RESERVOIRS];
};

struct work_threads;

/* One worker, private to its process except for what `shared` and `group->memory` point to. */
struct worker {
	const struct ktstr_work_type *type;
	const struct work_group *group;
	unsigned int position; /* in the group: decides the role */
	bool bare; /* no telemetry but counters and clocks */
	struct work_control *control;
	struct worker_shared *shared;

	uint64_t work_units, iterations;
	uint64_t begin_ns, last_checkpoint_ns;
	uint64_t max_gap_ns, max_gap_at_ns;
	unsigned int max_gap_cpu, last_cpu;
	uint64_t migration_count;
	uint64_t sample_totals[WORK_RESERVOIRS];
	struct ktstr_cpus cpus_used;
	sigset_t wait_mask; /* the thread's own, but for SIGUSR1: in force only while it waits for a descriptor */
	struct ktstr_random random, jitter;
	uint64_t next_perturb_ns; /* 0 = never */
	struct work_phase phase;
	struct work_threads *team; /* threads it started, NULL = none */
	uint64_t team_cpu_ns; /* of teams that ended */
	const void *numa_region; /* what numa_pages is about; NULL = the whole process */
	size_t numa_bytes;
	/* Readings at begin, for the deltas of the report. */
	uint64_t begin_cpu_ns;
	struct work_schedstat begin_schedstat;
};

/* A parameter: where it lies in its struct ktstr_work_<name>, its default and its bounds. */
struct work_param {
	const char *name;
	unsigned short offset, bytes; /* an unsigned number of 1, 2, 4 or 8 bytes */
	enum work_param_kind {
		WORK_PARAM_NUMBER,
		WORK_PARAM_DURATION, /* ns */
		WORK_PARAM_FLAG,
		WORK_PARAM_ENUM,    /* names[value] */
		WORK_PARAM_OPT_U32, /* struct ktstr_opt_u32: unset is the default */
		WORK_PARAM_TEXT,    /* const char *: NULL is the default */
	} kind;
	uint64_t fallback; /* what zero means unless the type is literal */
	uint64_t min, max; /* max 0 = none */
	const char *const *names; /* NULL-terminated */
	/* What a value out of bounds is called; OK = BAD_PARAMETER. */
	enum ktstr_work_type_error_kind error_below, error_above;
};

/* Rows of a table of parameters. */
#define WORK_PARAM_(TYPE, FIELD, ...)                                                              \
	{ .name = #FIELD, .offset = offsetof(struct ktstr_work_##TYPE, FIELD),                     \
	  .bytes = sizeof(((struct ktstr_work_##TYPE *)0)->FIELD), __VA_ARGS__ }
#define WORK_NUMBER(TYPE, FIELD, FALLBACK, MIN, MAX, ...)                                          \
	WORK_PARAM_(TYPE, FIELD, .fallback = (FALLBACK), .min = (MIN), .max = (MAX), ##__VA_ARGS__)
#define WORK_DURATION(TYPE, FIELD, FALLBACK, MIN, ...)                                             \
	WORK_PARAM_(TYPE, FIELD, .kind = WORK_PARAM_DURATION, .fallback = (FALLBACK), .min = (MIN), ##__VA_ARGS__)
#define WORK_FLAG(TYPE, FIELD) WORK_PARAM_(TYPE, FIELD, .kind = WORK_PARAM_FLAG, .max = 1)
#define WORK_ENUM(TYPE, FIELD, NAMES)                                                              \
	WORK_PARAM_(TYPE, FIELD, .kind = WORK_PARAM_ENUM, .names = (NAMES))
#define WORK_OPT_U32(TYPE, FIELD, MAX)                                                             \
	WORK_PARAM_(TYPE, FIELD, .kind = WORK_PARAM_OPT_U32, .max = (MAX))
#define WORK_TEXT(TYPE, FIELD) WORK_PARAM_(TYPE, FIELD, .kind = WORK_PARAM_TEXT)
#define WORK_PARAMS(TABLE) .params = (TABLE), .params_count = sizeof(TABLE) / sizeof((TABLE)[0])

struct work_type_ops {
	const char *name;     /* "SpinWait" */
	const char *pressure; /* the kernel path, one line */
	const char *unit;     /* what one work unit is */
	const struct work_param *params;
	size_t params_count;
	/* NULL = 1, independent workers */
	unsigned int (*group_size)(const struct ktstr_work_type *type);
	/*
	 * What the bounds of single parameters cannot say; sees resolved parameters only. NULL = nothing.
	 */
	struct ktstr_error *(*validate)(const struct ktstr_work_type *type, unsigned int group_idx);
	/*
	 * In the parent, before the group's first worker is forked: fills group->fds. NULL = none.
	 */
	struct ktstr_error *(*open_group)(struct work_group *group);
	size_t shared_bytes; /* of group->memory */
	bool messenger; /* position 0 of a group wakes the others */
	bool unnamed; /* has no defaults that a name alone could stand for */
	bool needs_process; /* cannot share one with other workers */
	/* The loop, in the worker: returns when work_should_stop(). */
	void (*run)(struct worker *w);
	/* In the parent, of a completed worker: what group->memory adds to its report. NULL = nothing. */
	void (*report)(struct ktstr_worker_report *report, const void *memory);
	/* Of benchmarks: takes off `stats`, a copy of group->memory, what was there `before`; for phase slices. */
	void (*stats_since)(void *stats, const void *before);
	void (*report_phase)(struct ktstr_phase_slice *slice, const void *stats);
};

/* NULL when kind is out of range. */
const struct work_type_ops *work_type_ops(enum ktstr_work_kind kind);

#define WORK_OPS_(KIND, name) extern const struct work_type_ops work_##name##_ops;
KTSTR_WORK_TYPES(WORK_OPS_)
#undef WORK_OPS_

/* params.c: zeros replaced by defaults; bounds; "burst 50ms, sleep 100ms". */
void work_params_resolve(const struct work_type_ops *ops, struct ktstr_work_type *type);
struct ktstr_error *work_params_validate(const struct work_type_ops *ops, const struct ktstr_work_type *type,
					 unsigned int group_idx, struct ktstr_work_type_error *detail) KTSTR_CHECKED;
char *work_params_text(const struct work_type_ops *ops, const struct ktstr_work_type *type);

/* For the group_size row of types whose workers come in pairs. */
unsigned int work_group_of_two(const struct ktstr_work_type *type);

/* perturb.c: the start delay, and from then on the pauses that checkpoints take. */
void work_perturb_begin(struct worker *w, uint64_t seed, unsigned int index);
/* True when it slept: the time is not the scheduler's doing. */
bool work_perturb(struct worker *w, uint64_t now_ns);
/* telemetry.c */
struct work_schedstat work_read_schedstat(void);
struct work_schedstat work_read_schedstat_of(int tid); /* a thread of this process */
/* CPUs that the calling thread may run on, and how many. */
struct ktstr_cpus work_own_affinity(void);
unsigned int work_usable_cpus(void);
void work_telemetry_init(struct worker *w, uint64_t seed, unsigned int index);
void work_telemetry_begin(struct worker *w);
void work_telemetry_end(struct worker *w); /* writes the report into shared memory */
void work_checkpoint_now(struct worker *w);
/* CPU time of the worker with its team: a system call for each of their threads. */
uint64_t work_cpu_ns(const struct worker *w);
/* One sample of how long a wakeup took to arrive, an iteration of fixed work took, a timer was late. */
void work_record(struct worker *w, enum work_reservoir which, uint64_t value_ns);
/*
 * The next number of this worker's stream: a function of the workload's seed and the worker's index
 * alone.
 */
uint64_t work_random(struct worker *w);
uint64_t work_random_below(struct worker *w, uint64_t bound);
uint64_t work_migrations(const struct worker *w); /* with those of its team */
/* phases.c */
void work_phase_change(struct worker *w, uint32_t epoch, uint64_t now_ns);
void work_phase_end(struct worker *w); /* seals what runs; the same phase does not begin again */
void work_phase_record(struct worker *w, enum work_reservoir which, uint64_t value_ns);
/* The calling worker's policy; one warning, and report.sched_policy_errno, when the kernel refuses. */
void work_take_policy(struct worker *w, struct ktstr_sched_policy policy);
/* One line on stderr for the whole workload, however many workers meet the condition. */
void work_warn_once(struct worker *w, enum work_warning what, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);

/* custom.c: the worker of a custom function that belongs to ktstr. */
struct worker *work_custom_worker(const struct ktstr_worker_ctx *ctx);
/* locks.c: a zeroed word is a free lock. False at the stop, the lock is then not held. */
bool work_lock(struct worker *w, _Atomic uint32_t *lock, enum ktstr_futex_lock_mode mode);
void work_unlock(_Atomic uint32_t *lock, enum ktstr_futex_lock_mode mode);

/* wait.c: blocking that sees the stop at once. All of them reset the gap clock on return. */
/*
 * Asleep until deadline_ns (ktstr_now_ns clock) or the stop; UINT64_MAX = until the stop. Returns
 * the time.
 */
uint64_t work_sleep_until(struct worker *w, uint64_t deadline_ns);
/* The same, or until the phase changes. */
uint64_t work_sleep_in_phase(struct worker *w, uint64_t deadline_ns);
/* Until a shared word is not `expected` any more, or the stop. Returns the time. */
uint64_t work_wait_word(struct worker *w, _Atomic uint32_t *word, uint32_t expected);
/* sched_yield(): how long it took to be back is a wake sample. */
void work_yield(struct worker *w);
/* True when fd has one of `events` (or has hung up), false on the stop. */
bool work_wait_fd(struct worker *w, int fd, short events);

static inline void work_record_wake(struct worker *w, uint64_t latency_ns)
{
	work_record(w, WORK_WAKE, latency_ns);
}

static inline bool work_should_stop(const struct worker *w)
{
	return atomic_load_explicit(&w->shared->stop, memory_order_relaxed);
}

/* What a wait took; one that the stop cut short is no measurement. */
static inline void work_record_wait(struct worker *w, uint64_t since_ns, uint64_t now_ns)
{
	if (!work_should_stop(w))
		work_record_wake(w, now_ns - since_ns);
}

/* The time from here to the next checkpoint counts as a gap; call after anything that slept. */
static inline void work_reset_gap(struct worker *w, uint64_t now_ns)
{
	w->last_checkpoint_ns = now_ns;
}

static inline uint32_t work_phase_epoch(const struct worker *w)
{
	return atomic_load_explicit(&w->control->phase, memory_order_relaxed);
}

static inline void work_checkpoint(struct worker *w)
{
	if (w->bare)
		return;
	if (w->work_units % WORK_CHECKPOINT_UNITS == 0 || work_phase_epoch(w) != w->phase.epoch)
		work_checkpoint_now(w);
}

/* Ends an iteration; a plain store to the worker's own cache line, so it is never late. */
static inline void work_iteration_done(struct worker *w)
{
	atomic_store_explicit(&w->shared->iterations, ++w->iterations, memory_order_relaxed);
}

static inline void work_cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * One work unit: 32 dependent multiply-adds (about 50 ns), each hidden from the optimiser, then a
 * pause. As long as this because under TCG a pause ends the translation block and hands over to the
 * next vCPU: a shorter unit would spend its time in QEMU's main loop.
 */
static inline void work_unit(void)
{
	uint64_t x = 1;

#pragma GCC unroll 32
	for (int step = 0; step < 32; step++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		__asm__ volatile("" : "+r"(x));
	}
	work_cpu_pause();
}

/* n work units, fewer when the stop comes. */
static inline void work_spin(struct worker *w, uint64_t n)
{
	while (n && !work_should_stop(w)) {
		uint64_t chunk = n < WORK_CHECKPOINT_UNITS ? n : WORK_CHECKPOINT_UNITS;

		for (uint64_t i = 0; i < chunk; i++)
			work_unit();
		w->work_units += chunk;
		n -= chunk;
	}
}

#endif
