/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Phases of a scenario: BASELINE before the first step, then one per step. What is measured, recorded or claimed carries
 * the number of its phase; a bucket holds the metrics of one phase, with the raw samples of each cgroup.
 */
#ifndef KTSTR_PHASE_H
#define KTSTR_PHASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/metric.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_monitor_series; /* ktstr/monitor.h */

#define KTSTR_PHASE_BASELINE 0
/* Step k, counted from 0, is phase k + 1. */
static inline uint16_t ktstr_phase_step(uint32_t k)
{
	return k >= UINT16_MAX ? UINT16_MAX : (uint16_t)(k + 1);
}

#define KTSTR_PHASE_TEXT_BYTES 16
/* "BASELINE", "Step[0]"; returns text. */
char *ktstr_phase_format(uint16_t phase, char text[KTSTR_PHASE_TEXT_BYTES]);
bool ktstr_phase_parse(const char *text, uint16_t *phase);

/*
 * What this thread records (details, passes, notes) between the two is stamped with the phase; guards nest, and leaving
 * restores what was before. KTSTR_IN_PHASE(p) leaves at the end of the scope.
 */
struct ktstr_phase_guard {
	struct ktstr_opt_u32 before;
};
struct ktstr_phase_guard ktstr_phase_enter(uint16_t phase);
void ktstr_phase_leave(const struct ktstr_phase_guard *guard);
struct ktstr_opt_u32 ktstr_phase_current(void);
#define KTSTR_IN_PHASE_NAME_(line) ktstr_phase_guard_##line##_
#define KTSTR_IN_PHASE_AT_(line, phase)                                                            \
	struct ktstr_phase_guard KTSTR_IN_PHASE_NAME_(line)                                        \
		__attribute__((cleanup(ktstr_phase_leave), unused)) = ktstr_phase_enter(phase)
#define KTSTR_IN_PHASE_LINE_(line, phase) KTSTR_IN_PHASE_AT_(line, phase)
#define KTSTR_IN_PHASE(phase) KTSTR_IN_PHASE_LINE_(__LINE__, phase)

/* A moment of the scenario's clock at which the engine did something. */
struct ktstr_stimulus_event {
	uint64_t elapsed_ms;
	char *label; /* "StepStart[k]", "StepEnd[k]", "ScenarioEnd"; k from 0 */
	char *op_kind; /* "ops=N"; may be NULL */
	char *detail; /* may be NULL */
	struct ktstr_opt_u64 total_iterations; /* of all workers so far */
	struct ktstr_opt_u32 step_index; /* 1-based: its phase */
	bool is_terminal; /* the end of the scenario */
	bool is_step_end;
};

/*
 * Iterations per second between two events. Unset: a count is missing or went backward, no time passed. Equal counts are a
 * measured 0.
 */
struct ktstr_opt_f64 ktstr_stimulus_rate(const struct ktstr_stimulus_event *from, const struct ktstr_stimulus_event *to);
void ktstr_stimulus_event_deinit(struct ktstr_stimulus_event *event);

/* A sample of a population: all of it while total == count. Heap. */
struct ktstr_samples {
	uint64_t *values;
	size_t count;
	uint64_t total;
};

/* What the workers of one cgroup measured in one phase, raw, so that it can be pooled with others. */
struct ktstr_phase_cgroup_stats {
	char *cgroup_name;
	uint64_t num_workers;
	struct ktstr_cpus cpus_used;
	struct ktstr_samples wake_latencies_ns; /* at most KTSTR_RESERVOIR_CAP values */
	struct ktstr_samples timer_latencies_ns;
	struct ktstr_samples run_delays_ns; /* one per worker that has schedstat */
	double *off_cpu_pcts; /* one per worker with wall time */
	size_t off_cpu_pcts_count;
	uint64_t total_migrations;
	uint64_t total_iterations;
	uint64_t total_cpu_time_ns;
	uint64_t numa_pages_local, numa_pages_total;
	struct ktstr_opt_u64 cross_node_migrated; /* of the whole system: the largest of the workers, not their sum */
	double max_gap_ms;
	unsigned int max_gap_cpu;
	bool stripped; /* the samples were dropped to fit a frame; `metrics` were computed before */
	struct ktstr_metric_set metrics; /* the per-cgroup rows of the registry */
};

struct ktstr_phase_bucket {
	uint16_t step_index; /* the phase */
	char *label; /* "BASELINE", "Step[k]" */
	uint64_t start_ms, end_ms; /* scenario clock */
	uint64_t sample_count; /* captures in it */
	struct ktstr_metric_set metrics; /* a key that is absent was not measured */
	struct ktstr_phase_cgroup_stats *per_cgroup;
	size_t per_cgroup_count;
};

/* An array of buckets, ascending by step_index. Zero-initialise. */
struct ktstr_phase_buckets {
	struct ktstr_phase_bucket *items;
	size_t count;
};

/* NULL when there is no bucket of that phase. */
const struct ktstr_phase_bucket *ktstr_phase_bucket_find(const struct ktstr_phase_buckets *buckets, uint16_t phase);
const struct ktstr_phase_cgroup_stats *ktstr_phase_bucket_cgroup(const struct ktstr_phase_bucket *bucket,
								 const char *cgroup_name);
void ktstr_phase_buckets_deinit(struct ktstr_phase_buckets *buckets);

/* A capture of the guest: the metrics that were read, and when. */
struct ktstr_phase_capture {
	struct ktstr_opt_u64 boundary_offset_ms; /* when it was due, scenario clock */
	struct ktstr_opt_u64 elapsed_ms; /* when it was taken, scenario clock */
	uint16_t step_index; /* the phase that it was stamped with; counts without boundary_offset_ms */
	const struct ktstr_named_value *values; /* borrowed */
	size_t values_count;
};

struct ktstr_phase_sources {
	const struct ktstr_phase_capture *captures; /* in time order */
	size_t captures_count;
	const struct ktstr_stimulus_event *events; /* in time order */
	size_t events_count;
	const struct ktstr_monitor_series *monitor; /* may be NULL */
	int64_t monitor_shift_ms; /* add to elapsed_ms of monitor samples to get the scenario's clock */
};

/*
 * Buckets of a scenario: captures by the step window that holds their due time, else by their stamp; a step that no capture
 * fell into has a bucket too (from its start to its own end or the next start, else to the end of the scenario); monitor
 * samples by their shifted time; iterations and duration of a phase from StepStart[k] and StepEnd[k] alone. Sorted.
 * Appends to `buckets`, which must be empty or from the same run: equal phases merge.
 */
void ktstr_phase_buckets_build(const struct ktstr_phase_sources *sources, struct ktstr_phase_buckets *buckets);

/*
 * Moves the buckets of `from` into `into`; `from` is then empty. Equal phases: earliest start, latest end, counts add up,
 * each metric by the fold of its kind (unregistered ones: the mean), derived ones computed anew; cgroups of one name
 * concatenate their samples.
 */
void ktstr_phase_buckets_merge(struct ktstr_phase_buckets *into, struct ktstr_phase_buckets *from);

/* Phase -> value, ascending. Heap; deinit. */
struct ktstr_phase_value {
	uint16_t phase;
	double value;
};
struct ktstr_phase_map {
	struct ktstr_phase_value *items;
	size_t count;
};
struct ktstr_phase_pair {
	uint16_t phase;
	double a, b;
};
struct ktstr_phase_pairs {
	struct ktstr_phase_pair *items;
	size_t count;
};

/* Replaces the value of a phase that is there. */
void ktstr_phase_map_set(struct ktstr_phase_map *map, uint16_t phase, double value);
struct ktstr_opt_f64 ktstr_phase_map_get(const struct ktstr_phase_map *map, uint16_t phase);
void ktstr_phase_map_deinit(struct ktstr_phase_map *map);
/* The phases that both have; free .items. */
struct ktstr_phase_pairs ktstr_phase_map_zip(const struct ktstr_phase_map *a, const struct ktstr_phase_map *b);
/* Value at `later` / value at `earlier`; unset when one is missing, or the earlier one is 0. */
struct ktstr_opt_f64 ktstr_phase_map_ratio(const struct ktstr_phase_map *map, uint16_t earlier, uint16_t later);
/* a / (a + b) for each phase that both have; a phase whose sum is 0 is left out. Values are counts: negative ones are 0. */
struct ktstr_frac_pair {
	const struct ktstr_phase_map *a, *b;
};
struct ktstr_phase_map ktstr_frac_pair_per_phase(const struct ktstr_frac_pair *pair);

#ifdef __cplusplus
}
#endif
#endif
