/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at a dump from test code: maps, entries and fields by name.
 *
 *	struct ktstr_snapshot snapshot = ktstr_snapshot_open(dump);
 *	uint64_t enqueues;
 *
 *	error = ktstr_snapshot_field_as_u64(ktstr_snapshot_live_var(&snapshot, "nr_enqueues"), &enqueues);
 *	...
 *	ktstr_snapshot_close(&snapshot);
 *
 * Maps, entries and fields are plain values that look into the dump; they need no freeing. A step that fails gives one
 * that carries the error through all steps that follow, so only the last one is looked at. Errors belong to the snapshot
 * and live until it is closed; names that do not exist come with those that do.
 */
#ifndef KTSTR_SNAPSHOT_H
#define KTSTR_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/dump.h>
#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- errors ----------------------------------------------------------------------------------------------------- */

/* Behind each kind: the members of the error that are filled. */
enum ktstr_snapshot_error_kind {
	KTSTR_SNAPSHOT_MAP_NOT_FOUND, /* requested, names = maps there are */
	KTSTR_SNAPSHOT_VAR_NOT_FOUND, /* requested, names = variables there are */
	KTSTR_SNAPSHOT_AMBIGUOUS_VAR, /* requested, names = maps that have it */
	KTSTR_SNAPSHOT_FIELD_NOT_FOUND, /* requested, walked, component, names = siblings */
	KTSTR_SNAPSHOT_NOT_A_STRUCT, /* requested, walked, component, actual = kind of value */
	KTSTR_SNAPSHOT_TYPE_MISMATCH, /* requested, expected, actual */
	KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, /* map (or the path of the array), index, len */
	KTSTR_SNAPSHOT_PER_CPU_SLOT, /* map, cpu, len, unmapped */
	KTSTR_SNAPSHOT_NO_MATCH, /* map, op, len, names = first keys */
	KTSTR_SNAPSHOT_EMPTY_PATH_COMPONENT, /* requested */
	KTSTR_SNAPSHOT_PER_CPU_NOT_NARROWED, /* map */
	KTSTR_SNAPSHOT_NO_RENDERED, /* map, component = "key" or "value" */
	KTSTR_SNAPSHOT_PLACEHOLDER_SAMPLE, /* tag, reason */
	KTSTR_SNAPSHOT_PLACEHOLDER_SNAPSHOT, /* reason */
	KTSTR_SNAPSHOT_MISSING_STATS, /* tag, reason */
	KTSTR_SNAPSHOT_HOST_FIELD_UNAVAILABLE, /* tag, cpu */
	KTSTR_SNAPSHOT_NO_ACTIVE_SCHEDULER, /* reason */
	KTSTR_SNAPSHOT_ACTIVE_FILTER_EXCLUDED_MAPS, /* active_obj, names = excluded maps, kvas = of the active scheduler */
	KTSTR_SNAPSHOT_WALKER_DRIFTED_WITHIN_PHASE, /* phase, kvas = pinned, other_kvas = this sample's */
	KTSTR_SNAPSHOT_PROJECTION_FAILED, /* reason */
	KTSTR_SNAPSHOT_MAP_RENDER_INCOMPLETE, /* map, reason */
};

struct ktstr_snapshot_error {
	enum ktstr_snapshot_error_kind kind;
	char *message; /* everything below in words, with the nearest name when one is close */
	char *requested, *walked, *component, *map, *op, *tag, *reason, *active_obj;
	const char *expected, *actual;
	char **names;
	size_t names_count;
	uint64_t *kvas, *other_kvas;
	size_t kvas_count, other_kvas_count;
	uint64_t index, len;
	uint32_t cpu, phase;
	bool unmapped;
};

/* "map_not_found", ... */
const char *ktstr_snapshot_error_kind_name(enum ktstr_snapshot_error_kind kind);
/* The same as an error that can be passed on, KTSTR_ERR_NOT_FOUND; NULL for NULL. */
struct ktstr_error *ktstr_snapshot_error_to_error(const struct ktstr_snapshot_error *error) KTSTR_CHECKED;

/* --- views of a dump -------------------------------------------------------------------------------------------- */

struct ktstr_snapshot_store; /* owns the errors of a snapshot */

struct ktstr_snapshot {
	const struct ktstr_failure_dump *dump; /* borrowed */
	struct ktstr_snapshot_store *store;
	const struct ktstr_snapshot_error *error; /* NULL, or why there is nothing to be seen */
	const char *active_obj; /* only maps of this object count, NULL = all */
};

struct ktstr_snapshot_map {
	const struct ktstr_failure_dump_map *raw; /* NULL with an error */
	struct ktstr_opt_u32 cpu; /* narrowed to */
	struct ktstr_snapshot_store *store;
	const struct ktstr_snapshot_error *error;
};

enum ktstr_snapshot_entry_kind {
	KTSTR_SNAPSHOT_ENTRY_MISSING,
	KTSTR_SNAPSHOT_ENTRY_HASH,
	KTSTR_SNAPSHOT_ENTRY_PERCPU,
	KTSTR_SNAPSHOT_ENTRY_PERCPU_HASH,
	KTSTR_SNAPSHOT_ENTRY_VALUE, /* of an array */
};

struct ktstr_snapshot_entry {
	enum ktstr_snapshot_entry_kind kind;
	const struct ktstr_rendered_value *rendered_key, *rendered_value;
	uint32_t index; /* key of PERCPU and VALUE */
	struct ktstr_rendered_value *const *per_cpu;
	size_t per_cpu_count;
	struct ktstr_snapshot_map map;
	const struct ktstr_snapshot_error *error;
};

enum ktstr_snapshot_field_kind {
	KTSTR_SNAPSHOT_FIELD_MISSING,
	KTSTR_SNAPSHOT_FIELD_VALUE,
	KTSTR_SNAPSHOT_FIELD_INDEX, /* the key of an array: a number without a type */
};

struct ktstr_snapshot_field {
	enum ktstr_snapshot_field_kind kind;
	const struct ktstr_rendered_value *raw;
	uint32_t index;
	struct ktstr_snapshot_store *store;
	const struct ktstr_snapshot_error *error;
};

/* The dump must outlive it. A placeholder gives a snapshot whose every access says PLACEHOLDER_SNAPSHOT. */
struct ktstr_snapshot ktstr_snapshot_open(const struct ktstr_failure_dump *dump);
void ktstr_snapshot_close(struct ktstr_snapshot *snapshot);

/* The map of exactly that name. */
struct ktstr_snapshot_map ktstr_snapshot_map(const struct ktstr_snapshot *snapshot, const char *name);
/*
 * A global variable: a member of a .bss, .data or .rodata map. One that several maps have is looked for in active()'s
 * maps; AMBIGUOUS_VAR when that does not tell them apart.
 */
struct ktstr_snapshot_field ktstr_snapshot_var(const struct ktstr_snapshot *snapshot, const char *name);
/* Every copy of it; heap list of *count (0 = none), caller frees. */
struct ktstr_snapshot_field *ktstr_snapshot_vars(const struct ktstr_snapshot *snapshot, const char *name, size_t *count);
/*
 * Only the maps of the scheduler that is attached: those of active_obj_name, and of active_map_kvas when these are
 * known. Without either: the one object that there is, with at most one map a section.
 */
struct ktstr_snapshot ktstr_snapshot_active(const struct ktstr_snapshot *snapshot);
/* active() and var(). */
struct ktstr_snapshot_field ktstr_snapshot_live_var(const struct ktstr_snapshot *snapshot, const char *name);

/* One of several copies of a scheduler's variables. */
struct ktstr_snapshot_row {
	const struct ktstr_failure_dump_map *map;
	struct ktstr_snapshot_field *fields; /* one per name that was asked for, in that order */
	size_t fields_count;
};

/* Picks a row: its index, -1 = none. */
typedef int (*ktstr_snapshot_picker)(const struct ktstr_snapshot_row *rows, size_t count, void *context);
/* The row whose first field is the largest u64; the last of equal ones. */
int ktstr_snapshot_max_by_counter_value(const struct ktstr_snapshot_row *rows, size_t count, void *context);
/* The row with the largest sum of its u64 fields, saturating; one with any other field does not take part. */
int ktstr_snapshot_max_by_sum_u64(const struct ktstr_snapshot_row *rows, size_t count, void *context);

/* Of all copies of a variable the one that the picker chooses. */
struct ktstr_snapshot_field ktstr_snapshot_live_var_via(const struct ktstr_snapshot *snapshot, const char *name,
							ktstr_snapshot_picker picker, void *context);
/*
 * A row a map that has all of the names; one pick for all of them. fields (count of names) is filled either way, on
 * failure with fields that carry the error, which is also returned.
 */
const struct ktstr_snapshot_error *ktstr_snapshot_live_vars_via(const struct ktstr_snapshot *snapshot,
								const char *const *names, size_t count,
								ktstr_snapshot_picker picker, void *context,
								struct ktstr_snapshot_field *fields);

/* Lists of a dump: ktstr_snapshot_dsq_states(&snapshot, &count). Empty for a snapshot with an error. */
#define KTSTR_SNAPSHOT_LISTS(X)                                                                                        \
	X(maps, const struct ktstr_failure_dump_map *)                                                                 \
	X(vcpu_regs, struct ktstr_vcpu_reg_snapshot *const *)                                                          \
	X(active_map_kvas, const uint64_t *)                                                                           \
	X(sdt_allocations, const struct ktstr_sdt_allocations *)                                                       \
	X(scx_static_ranges, const struct ktstr_scx_static_range *)                                                    \
	X(prog_runtime_stats, const struct ktstr_prog_runtime_stats *)                                                 \
	X(per_cpu_time, const struct ktstr_per_cpu_time_stats *)                                                       \
	X(per_node_numa, const struct ktstr_per_node_numa_stats *)                                                     \
	X(cgroup_psi, const struct ktstr_cgroup_psi *)                                                                 \
	X(task_enrichments, const struct ktstr_task_enrichment *)                                                      \
	X(event_counter_timeline, const struct ktstr_event_counter_sample *)                                           \
	X(rq_scx_states, const struct ktstr_rq_scx_state *)                                                            \
	X(dsq_states, const struct ktstr_dsq_state *)                                                                  \
	X(vcpu_perf_at_freeze, struct ktstr_vcpu_perf *const *)

#define KTSTR_DEFINE_SNAPSHOT_LIST_(name, type)                                                                        \
	static inline type ktstr_snapshot_##name(const struct ktstr_snapshot *snapshot, size_t *count)                 \
	{                                                                                                              \
		*count = snapshot->dump ? snapshot->dump->name##_count : 0;                                            \
		return snapshot->dump ? snapshot->dump->name : NULL;                                                   \
	}
KTSTR_SNAPSHOT_LISTS(KTSTR_DEFINE_SNAPSHOT_LIST_)

/* NULL when there is none. */
const struct ktstr_per_cpu_time_stats *ktstr_snapshot_per_cpu_time_at(const struct ktstr_snapshot *snapshot, uint32_t cpu);
const struct ktstr_per_node_numa_stats *ktstr_snapshot_per_node_numa_at(const struct ktstr_snapshot *snapshot,
									uint32_t node);
/* By its path below the workload cgroup: "cg_0". */
const struct ktstr_cgroup_psi *ktstr_snapshot_cgroup_psi_of(const struct ktstr_snapshot *snapshot, const char *cgroup);
const struct ktstr_task_enrichment *ktstr_snapshot_task_enrichment_by_pid(const struct ktstr_snapshot *snapshot,
									  int64_t pid);
const struct ktstr_prog_runtime_stats *ktstr_snapshot_prog_runtime_stats_by_name(const struct ktstr_snapshot *snapshot,
										 const char *name);

/* --- maps ------------------------------------------------------------------------------------------------------- */

size_t ktstr_snapshot_map_len(const struct ktstr_snapshot_map *map); /* entries; 0 with an error */
/* The nth entry in the order of the dump. */
struct ktstr_snapshot_entry ktstr_snapshot_map_at(const struct ktstr_snapshot_map *map, size_t n);
typedef bool (*ktstr_snapshot_predicate)(const struct ktstr_snapshot_entry *entry, void *context);
/* The first entry that the predicate holds for. */
struct ktstr_snapshot_entry ktstr_snapshot_map_find(const struct ktstr_snapshot_map *map,
						    ktstr_snapshot_predicate predicate, void *context);
/* All of them; heap list of *count, caller frees. */
struct ktstr_snapshot_entry *ktstr_snapshot_map_filter(const struct ktstr_snapshot_map *map,
						       ktstr_snapshot_predicate predicate, void *context, size_t *count);
/* The entry with the largest score, the last of equal ones; entries without one do not take part. */
struct ktstr_snapshot_entry
ktstr_snapshot_map_max_by(const struct ktstr_snapshot_map *map,
			  struct ktstr_opt_f64 (*score)(const struct ktstr_snapshot_entry *entry, void *context),
			  void *context);
/* The map as one CPU sees it; the same map when it is no per-CPU one. */
struct ktstr_snapshot_map ktstr_snapshot_map_cpu(struct ktstr_snapshot_map map, uint32_t cpu);
bool ktstr_snapshot_map_is_per_cpu(const struct ktstr_snapshot_map *map);

/* --- entries ---------------------------------------------------------------------------------------------------- */

/* A field of the value by its path; "" is the value itself. */
struct ktstr_snapshot_field ktstr_snapshot_entry_get(const struct ktstr_snapshot_entry *entry, const char *path);
/* The same of the key. */
struct ktstr_snapshot_field ktstr_snapshot_entry_key(const struct ktstr_snapshot_entry *entry, const char *path);

/*
 * Over the CPUs of a per-CPU entry: ktstr_snapshot_entry_cpu_sum_u64(&entry, "path", &sum), and max, min; u64, i64, f64.
 * CPUs that could not be read are left out, NO_MATCH when that is all of them. Sums saturate; NaN counts for max and min
 * only when there is nothing else.
 */
#define KTSTR_SNAPSHOT_CPU_FOLDS(X)                                                                                    \
	X(sum, u64, uint64_t)                                                                                          \
	X(sum, i64, int64_t)                                                                                           \
	X(sum, f64, double)                                                                                            \
	X(max, u64, uint64_t)                                                                                          \
	X(max, i64, int64_t)                                                                                           \
	X(max, f64, double)                                                                                            \
	X(min, u64, uint64_t)                                                                                          \
	X(min, i64, int64_t)                                                                                           \
	X(min, f64, double)
#define KTSTR_DECLARE_CPU_FOLD_(fold, name, type)                                                                      \
	const struct ktstr_snapshot_error *ktstr_snapshot_entry_cpu_##fold##_##name(                                   \
		const struct ktstr_snapshot_entry *entry, const char *path, type *result);
KTSTR_SNAPSHOT_CPU_FOLDS(KTSTR_DECLARE_CPU_FOLD_)

/* Calls visit() with the field of each CPU that could be read; ends early when that returns false. */
const struct ktstr_snapshot_error *
ktstr_snapshot_entry_cpu_each(const struct ktstr_snapshot_entry *entry, const char *path,
			      bool (*visit)(uint32_t cpu, struct ktstr_snapshot_field field, void *context),
			      void *context);

/* --- fields ----------------------------------------------------------------------------------------------------- */

/*
 * A member by its path, "a.b.c", through anonymous members and what pointers were followed to (at most 16); "" is the
 * field itself. "a[3]" is an element.
 */
struct ktstr_snapshot_field ktstr_snapshot_field_get(struct ktstr_snapshot_field field, const char *path);
static inline bool ktstr_snapshot_field_is_present(struct ktstr_snapshot_field field)
{
	return field.kind != KTSTR_SNAPSHOT_FIELD_MISSING;
}

/*
 * NULL and the value, or the error, TYPE_MISMATCH among them:
 *   u64   uint, int >= 0, bool, char, enum (a signed one >= 0), pointer
 *   i64   int, uint up to INT64_MAX, bool, char, enum
 *   f64   float, int, uint, enum
 *   bool  whether any of these is not zero
 *   str   name of the enumerator; the text lives as long as the dump
 */
const struct ktstr_snapshot_error *ktstr_snapshot_field_as_u64(struct ktstr_snapshot_field field, uint64_t *value);
const struct ktstr_snapshot_error *ktstr_snapshot_field_as_i64(struct ktstr_snapshot_field field, int64_t *value);
const struct ktstr_snapshot_error *ktstr_snapshot_field_as_f64(struct ktstr_snapshot_field field, double *value);
const struct ktstr_snapshot_error *ktstr_snapshot_field_as_bool(struct ktstr_snapshot_field field, bool *value);
const struct ktstr_snapshot_error *ktstr_snapshot_field_as_str(struct ktstr_snapshot_field field, const char **value);

/* Every element, or the error of the first that does not fit; *values is heap, caller frees. */
#define KTSTR_SNAPSHOT_ARRAYS(X)                                                                                       \
	X(u64, uint64_t)                                                                                               \
	X(u32, uint32_t)                                                                                               \
	X(i64, int64_t)                                                                                                \
	X(f64, double)
#define KTSTR_DECLARE_ARRAY_(name, type)                                                                               \
	const struct ktstr_snapshot_error *ktstr_snapshot_field_as_##name##_array(struct ktstr_snapshot_field field,   \
										  type **values, size_t *count);
KTSTR_SNAPSHOT_ARRAYS(KTSTR_DECLARE_ARRAY_)

/* --- statistics that a scheduler reports ------------------------------------------------------------------------ */

struct json_t; /* of jansson */

/* A place in JSON, with the same rules: an error sticks, a missing key tells its siblings. */
struct ktstr_json_field {
	const struct json_t *raw; /* NULL with an error */
	struct ktstr_snapshot_store *store;
	const struct ktstr_snapshot_error *error;
};

/* value[path], path as "a.b.0.c". Errors live in the snapshot's store. */
struct ktstr_json_field ktstr_stats_path(const struct ktstr_snapshot *snapshot, const struct json_t *value,
					 const char *path);
struct ktstr_json_field ktstr_json_field_get(struct ktstr_json_field field, const char *path);
/* Numbers also from booleans and numeric text, integers from floats without a fraction; bool and text are strict. */
const struct ktstr_snapshot_error *ktstr_json_field_as_u64(struct ktstr_json_field field, uint64_t *value);
const struct ktstr_snapshot_error *ktstr_json_field_as_i64(struct ktstr_json_field field, int64_t *value);
const struct ktstr_snapshot_error *ktstr_json_field_as_f64(struct ktstr_json_field field, double *value);
const struct ktstr_snapshot_error *ktstr_json_field_as_bool(struct ktstr_json_field field, bool *value);
const struct ktstr_snapshot_error *ktstr_json_field_as_str(struct ktstr_json_field field, const char **value);

#ifdef __cplusplus
}
#endif
#endif
