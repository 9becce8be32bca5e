/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures of one run in the order of time, and values taken out of all of them at once: columns (series.h) that
 * temporal patterns judge.
 *
 *	struct ktstr_sample_series *series = ktstr_sample_series_from_drained(samples, count);
 *	struct ktstr_series_u64 enqueues;
 *
 *	ktstr_sample_series_bpf_live_u64(series, "nr_enqueues", &enqueues);
 *	...
 *	ktstr_series_u64_deinit(&enqueues);
 *	ktstr_sample_series_destroy(series);
 *
 * A sample that lacks the value has an error in its row; the others are not touched by that.
 */
#ifndef KTSTR_SAMPLE_H
#define KTSTR_SAMPLE_H

#include <ktstr/series.h>
#include <ktstr/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a sample has no statistics of its scheduler. */
#define KTSTR_STATS_NO_SCHEDULER_BINARY "NoSchedulerBinary"
#define KTSTR_STATS_NO_SCHEDULER	"NoScheduler"
#define KTSTR_STATS_DURING_FREEZE	"DuringFreeze"
#define KTSTR_STATS_CANCELLED		"Cancelled"
#define KTSTR_STATS_SCHEDULER_ERROR	"SchedulerError" /* followed by its errno and words */
#define KTSTR_STATS_MISSING_RESP	"MissingResp"
#define KTSTR_STATS_REQUEST_TOO_LARGE	"RequestTooLarge"
#define KTSTR_STATS_RESPONSE_TOO_LARGE	"ResponseTooLarge"
#define KTSTR_STATS_LOCK_FAILURE	"LockFailure"

/* One capture. What it holds is heap and its own. */
struct ktstr_sample {
	char *tag;
	struct ktstr_failure_dump *dump;
	struct json_t *stats; /* what the scheduler reported, NULL = stats_missing */
	char *stats_missing; /* one of KTSTR_STATS_*, NULL = nobody asked */
	struct ktstr_opt_u64 elapsed_ms; /* since the VM started, pauses left out */
	struct ktstr_opt_u64 boundary_offset_ms; /* periodic ones: when they were due, after the scenario's start */
	struct ktstr_opt_u32 step_index; /* 0 baseline, 1..N the scenario's steps */
};

void ktstr_sample_deinit(struct ktstr_sample *sample);

struct ktstr_sample_series;

/* Takes over what the samples hold (count of them; the array stays the caller's). Without stats: NoSchedulerBinary. */
struct ktstr_sample_series *ktstr_sample_series_from_drained(struct ktstr_sample *samples, size_t count);
/* The same of a run that was monitored; the summary is borrowed, NULL = it was not. */
struct ktstr_monitor_summary; /* monitor.h */
struct ktstr_sample_series *ktstr_sample_series_from_drained_typed(struct ktstr_sample *samples, size_t count,
								   const struct ktstr_monitor_summary *monitor);
/* What the monitor saw of the run that the samples are of; NULL = it is not known. */
const struct ktstr_monitor_summary *ktstr_sample_series_monitor(const struct ktstr_sample_series *series);
/* Accepts NULL. Series that are made from another one must go first. */
void ktstr_sample_series_destroy(struct ktstr_sample_series *series);

size_t ktstr_sample_series_len(const struct ktstr_sample_series *series);
const struct ktstr_sample *ktstr_sample_series_at(const struct ktstr_sample_series *series, size_t i);
/* The sample's dump; its errors live as long as the series. */
const struct ktstr_snapshot *ktstr_sample_series_snapshot(const struct ktstr_sample_series *series, size_t i);

/* Only periodic captures (tag "periodic_..."): a series of its own, that looks into this one. */
struct ktstr_sample_series *ktstr_sample_series_periodic_ref(const struct ktstr_sample_series *series);
/* The same, and everything else is freed: this series is used up. */
struct ktstr_sample_series *ktstr_sample_series_periodic_only(struct ktstr_sample_series *series);

/* Which phase each sample is in: what it was stamped with (that is so from the start) ... */
void ktstr_sample_series_by_stamped_phase(struct ktstr_sample_series *series);
/* ... or the latest step that began at or before it was due, else 0; without a due time as it was stamped. */
struct ktstr_step_start {
	uint64_t elapsed_ms; /* after the scenario's start */
	uint32_t step_index; /* 1-based */
};
void ktstr_sample_series_by_stimulus_phase(struct ktstr_sample_series *series, const struct ktstr_step_start *starts,
					   size_t count);
struct ktstr_opt_u32 ktstr_sample_series_phase(const struct ktstr_sample_series *series, size_t i);

/*
 * A value of each dump, and one of each sample's statistics: get() gives NULL and the value, or the error.
 * ktstr_sample_series_bpf_u64(series, "label", get, context, &column), and f64, i64, bool. Placeholders and missing
 * statistics are errors without get() being asked.
 */
#define KTSTR_DECLARE_PROJECTIONS_(name, type)                                                                         \
	void ktstr_sample_series_bpf_##name(                                                                           \
		const struct ktstr_sample_series *series, const char *label,                                           \
		const struct ktstr_snapshot_error *(*get)(const struct ktstr_snapshot *snapshot, void *context,        \
							  type *value),                                                \
		void *context, struct ktstr_series_##name *column);                                                    \
	void ktstr_sample_series_stats_##name(                                                                         \
		const struct ktstr_sample_series *series, const char *label,                                           \
		const struct ktstr_snapshot_error *(*get)(struct ktstr_json_field stats, void *context, type *value),  \
		void *context, struct ktstr_series_##name *column);
KTSTR_SERIES_TYPES(KTSTR_DECLARE_PROJECTIONS_)

/*
 * What one CPU's time went into, in each sample: get() sets the value, or returns false when that CPU has none
 * (HostFieldUnavailable), as is the case when the sample has no such CPU. ktstr_sample_series_host_u64(), f64, i64, bool.
 */
#define KTSTR_DECLARE_HOST_(name, type)                                                                                	void ktstr_sample_series_host_##name(const struct ktstr_sample_series *series, const char *label,              					     uint32_t cpu,                                                             					     bool (*get)(const struct ktstr_per_cpu_time_stats *time, void *context,   							 type *value),                                                 					     void *context, struct ktstr_series_##name *column);
KTSTR_SERIES_TYPES(KTSTR_DECLARE_HOST_)

/* u64, i64, f64: what most projections are about. */
#define KTSTR_NUMBER_TYPES(X)                                                                                          \
	X(u64, uint64_t)                                                                                               \
	X(i64, int64_t)                                                                                                \
	X(f64, double)

/*
 * A global variable of the scheduler, by "name" or "name.member", and a path of its statistics. Within a phase the
 * scheduler must stay the same: a sample whose active_map_kvas are not those of the phase's first has an error.
 */
#define KTSTR_DECLARE_LIVE_(name, type)                                                                                \
	void ktstr_sample_series_bpf_live_##name(const struct ktstr_sample_series *series, const char *variable,       \
						 struct ktstr_series_##name *column);                                  \
	void ktstr_sample_series_stats_live_##name(const struct ktstr_sample_series *series, const char *path,         \
						   struct ktstr_series_##name *column);
KTSTR_NUMBER_TYPES(KTSTR_DECLARE_LIVE_)

/* Several variables of the copy that the picker chooses, sample by sample; one column per name. */
void ktstr_sample_series_live_bpf_vars_via(const struct ktstr_sample_series *series, const char *const *names,
					   size_t count, ktstr_snapshot_picker picker, void *context,
					   struct ktstr_series_u64 *columns);

/* --- projectors ------------------------------------------------------------------------------------------------- */

/* One entry of a map of that name, over all samples. Plain value; the names are borrowed. */
struct ktstr_bpf_map_projector {
	const struct ktstr_sample_series *series;
	const char *map;
	size_t index; /* of the entry */
	struct ktstr_opt_u32 cpu; /* see ktstr_bpf_map_projector_cpu() */
};

/* The same as one CPU sees a per-CPU map. */
struct ktstr_bpf_map_cpu_projector {
	struct ktstr_bpf_map_projector inner;
};

struct ktstr_bpf_map_projector ktstr_sample_series_bpf_map(const struct ktstr_sample_series *series, const char *map);
struct ktstr_bpf_map_projector ktstr_bpf_map_projector_at(struct ktstr_bpf_map_projector projector, size_t index);
struct ktstr_bpf_map_cpu_projector ktstr_bpf_map_projector_cpu(struct ktstr_bpf_map_projector projector, uint32_t cpu);

#define KTSTR_DECLARE_MAP_FIELDS_(name, type)                                                                          \
	void ktstr_bpf_map_projector_field_##name(struct ktstr_bpf_map_projector projector, const char *path,          \
						  struct ktstr_series_##name *column);                                 \
	void ktstr_bpf_map_cpu_projector_field_##name(struct ktstr_bpf_map_cpu_projector projector, const char *path,  \
						      struct ktstr_series_##name *column);
KTSTR_NUMBER_TYPES(KTSTR_DECLARE_MAP_FIELDS_)

/* ktstr_bpf_map_projector_field_cpu_sum_u64(projector, "path", &column): a fold over CPUs in each sample. */
#define KTSTR_DECLARE_MAP_CPU_FOLDS_(fold, name, type)                                                                 \
	void ktstr_bpf_map_projector_field_cpu_##fold##_##name(struct ktstr_bpf_map_projector projector,               \
							       const char *path, struct ktstr_series_##name *column);
KTSTR_SNAPSHOT_CPU_FOLDS(KTSTR_DECLARE_MAP_CPU_FOLDS_)

/* Names of the value's members in any sample, sorted; heap list of heap texts, NULL-terminated. */
char **ktstr_bpf_map_projector_member_names(struct ktstr_bpf_map_projector projector, size_t *count);

/* A path of the statistics over all samples. */
struct ktstr_stats_path_projector {
	const struct ktstr_sample_series *series;
	char *path; /* heap; ktstr_stats_path_projector_deinit() */
};

struct ktstr_stats_path_projector ktstr_sample_series_stats_path(const struct ktstr_sample_series *series,
								 const char *path);
/* What is below a key of it. */
struct ktstr_stats_path_projector ktstr_stats_path_projector_key(const struct ktstr_stats_path_projector *projector,
								 const char *key);
void ktstr_stats_path_projector_deinit(struct ktstr_stats_path_projector *projector);
#define KTSTR_DECLARE_STATS_FIELDS_(name, type)                                                                        \
	void ktstr_stats_path_projector_field_##name(const struct ktstr_stats_path_projector *projector,               \
						     const char *key, struct ktstr_series_##name *column);
KTSTR_NUMBER_TYPES(KTSTR_DECLARE_STATS_FIELDS_)
/* Keys there in any sample, sorted; heap list of heap texts, NULL-terminated. */
char **ktstr_stats_path_projector_key_names(const struct ktstr_stats_path_projector *projector, size_t *count);

/* Columns of every member (or key) that has a value in one sample at least; heap list, each with its label set. */
#define KTSTR_DECLARE_ALL_FIELDS_(name, type)                                                                          \
	struct ktstr_series_##name *ktstr_bpf_map_projector_##name##_fields(struct ktstr_bpf_map_projector projector,  \
									    size_t *count);                            \
	struct ktstr_series_##name *ktstr_stats_path_projector_##name##_fields(                                        \
		const struct ktstr_stats_path_projector *projector, size_t *count);
KTSTR_DECLARE_ALL_FIELDS_(u64, uint64_t)
KTSTR_DECLARE_ALL_FIELDS_(f64, double)

#ifdef __cplusplus
}
#endif
#endif
