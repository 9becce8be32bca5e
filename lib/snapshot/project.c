// SPDX-License-Identifier: GPL-2.0-only
/*
 * From samples to columns. Every projection is a function that takes one value out of one sample; one driver a type
 * calls it for all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/sample_series.h"

#define DEFINE_DRIVER(name, type)                                                                                      \
	typedef const struct ktstr_snapshot_error *(*getter_##name)(const struct ktstr_series_entry *entry,            \
								    const void *context, type *value);                 \
	static void project_##name(const struct ktstr_sample_series *series, const char *label, getter_##name get,     \
				   const void *context, struct ktstr_series_##name *column)                            \
	{                                                                                                              \
		size_t room = series->count + 1;                                                                       \
														       \
		column->label = ktstr_xstrdup(label);                                                                  \
		column->count = series->count;                                                                         \
		column->tags = ktstr_xcalloc(room, sizeof(*column->tags));                                             \
		column->elapsed_ms = ktstr_xcalloc(room, sizeof(*column->elapsed_ms));                                 \
		column->values = ktstr_xcalloc(room, sizeof(*column->values));                                         \
		column->errors = ktstr_xcalloc(room, sizeof(*column->errors));                                         \
		column->phases = ktstr_xcalloc(room, sizeof(*column->phases));                                         \
		for (size_t i = 0; i < series->count; i++) {                                                           \
			const struct ktstr_series_entry *entry = series->entries[i];                                   \
			const struct ktstr_snapshot_error *error = get(entry, context, &column->values[i]);            \
														       \
			column->tags[i] = entry->sample.tag;                                                           \
			column->elapsed_ms[i] = entry->sample.elapsed_ms;                                              \
			column->errors[i] = error ? ktstr_xstrdup(error->message) : NULL;                              \
			column->phases[i] = entry->phase;                                                              \
		}                                                                                                      \
	}

KTSTR_SERIES_TYPES(DEFINE_DRIVER)

static const struct ktstr_snapshot_error *fail(const struct ktstr_series_entry *entry, struct ktstr_snapshot_error error)
{
	error.tag = entry->sample.tag;
	return ktstr_snapshot_fail(entry->snapshot.store, &error);
}

/* NULL when the sample has a dump to look at. */
static const struct ktstr_snapshot_error *no_dump(const struct ktstr_series_entry *entry)
{
	return entry->snapshot.error ? fail(entry, (struct ktstr_snapshot_error){
							   .kind = KTSTR_SNAPSHOT_PLACEHOLDER_SAMPLE,
							   .reason = entry->snapshot.error->reason }) :
				       NULL;
}

static struct ktstr_json_field stats_of(const struct ktstr_series_entry *entry)
{
	struct ktstr_json_field stats = { entry->sample.stats, entry->snapshot.store, NULL };

	if (!stats.raw)
		stats.error = fail(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_MISSING_STATS,
									 .reason = entry->sample.stats_missing });
	return stats;
}

#define DEFINE_PROJECTIONS(name, type)                                                                                 \
	struct bpf_##name {                                                                                            \
		const struct ktstr_snapshot_error *(*get)(const struct ktstr_snapshot *snapshot, void *context,        \
							  type *value);                                                \
		void *context;                                                                                         \
	};                                                                                                             \
	static const struct ktstr_snapshot_error *get_bpf_##name(const struct ktstr_series_entry *entry,               \
								 const void *context, type *value)                     \
	{                                                                                                              \
		const struct bpf_##name *bpf = context;                                                                \
		const struct ktstr_snapshot_error *error = no_dump(entry);                                             \
														       \
		return error ? error : bpf->get(&entry->snapshot, bpf->context, value);                                \
	}                                                                                                              \
	void ktstr_sample_series_bpf_##name(                                                                           \
		const struct ktstr_sample_series *series, const char *label,                                           \
		const struct ktstr_snapshot_error *(*get)(const struct ktstr_snapshot *snapshot, void *context,        \
							  type *value),                                                \
		void *context, struct ktstr_series_##name *column)                                                     \
	{                                                                                                              \
		project_##name(series, label, get_bpf_##name, &(struct bpf_##name){ get, context }, column);           \
	}                                                                                                              \
	struct stats_##name {                                                                                          \
		const struct ktstr_snapshot_error *(*get)(struct ktstr_json_field stats, void *context, type *value);  \
		void *context;                                                                                         \
	};                                                                                                             \
	static const struct ktstr_snapshot_error *get_stats_##name(const struct ktstr_series_entry *entry,             \
								   const void *context, type *value)                   \
	{                                                                                                              \
		const struct stats_##name *stats = context;                                                            \
		struct ktstr_json_field field = stats_of(entry);                                                       \
														       \
		return field.error ? field.error : stats->get(field, stats->context, value);                           \
	}                                                                                                              \
	void ktstr_sample_series_stats_##name(                                                                         \
		const struct ktstr_sample_series *series, const char *label,                                           \
		const struct ktstr_snapshot_error *(*get)(struct ktstr_json_field stats, void *context, type *value),  \
		void *context, struct ktstr_series_##name *column)                                                     \
	{                                                                                                              \
		project_##name(series, label, get_stats_##name, &(struct stats_##name){ get, context }, column);       \
	}

KTSTR_SERIES_TYPES(DEFINE_PROJECTIONS)

#define DEFINE_HOST(name, type)                                                                                        \
	struct host_##name {                                                                                           \
		uint32_t cpu;                                                                                          \
		bool (*get)(const struct ktstr_per_cpu_time_stats *time, void *context, type *value);                  \
		void *context;                                                                                         \
	};                                                                                                             \
	static const struct ktstr_snapshot_error *get_host_##name(const struct ktstr_series_entry *entry,              \
								  const void *context, type *value)                    \
	{                                                                                                              \
		const struct host_##name *host = context;                                                              \
		const struct ktstr_snapshot_error *error = no_dump(entry);                                             \
		const struct ktstr_per_cpu_time_stats *time =                                                          \
			error ? NULL : ktstr_snapshot_per_cpu_time_at(&entry->snapshot, host->cpu);                    \
														       \
		if (error || (time && host->get(time, host->context, value)))                                          \
			return error;                                                                                  \
		return fail(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_HOST_FIELD_UNAVAILABLE,       \
								  .cpu = host->cpu });                                 \
	}                                                                                                              \
	void ktstr_sample_series_host_##name(const struct ktstr_sample_series *series, const char *label,              \
					     uint32_t cpu,                                                             \
					     bool (*get)(const struct ktstr_per_cpu_time_stats *time, void *context,   \
							 type *value),                                                 \
					     void *context, struct ktstr_series_##name *column)                        \
	{                                                                                                              \
		project_##name(series, label, get_host_##name, &(struct host_##name){ cpu, get, context }, column);    \
	}

KTSTR_SERIES_TYPES(DEFINE_HOST)

/* --- live variables ------------------------------------------------------------------------------------------------ */

static bool same_kvas(const struct ktstr_failure_dump *a, const struct ktstr_failure_dump *b)
{
	for (size_t i = 0; i < a->active_map_kvas_count; i++) {
		bool found = false;

		for (size_t k = 0; k < b->active_map_kvas_count; k++)
			found |= a->active_map_kvas[i] == b->active_map_kvas[k];
		if (!found)
			return false;
	}
	return a->active_map_kvas_count == b->active_map_kvas_count;
}

/* The maps of the scheduler in the first sample of the entry's phase that has any, when this sample's are others. */
static const struct ktstr_snapshot_error *drifted(const struct ktstr_sample_series *series,
						  const struct ktstr_series_entry *entry)
{
	const struct ktstr_failure_dump *dump = entry->sample.dump, *pinned = NULL;

	for (size_t i = 0; i < series->count && !pinned; i++) {
		const struct ktstr_series_entry *other = series->entries[i];

		if (other->phase.set == entry->phase.set && other->phase.value == entry->phase.value &&
		    other->sample.dump->active_map_kvas_count)
			pinned = other->sample.dump;
	}
	if (!pinned || !dump->active_map_kvas_count || same_kvas(pinned, dump))
		return NULL;
	return fail(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_WALKER_DRIFTED_WITHIN_PHASE,
							  .phase = entry->phase.value, .kvas = pinned->active_map_kvas,
							  .kvas_count = pinned->active_map_kvas_count,
							  .other_kvas = dump->active_map_kvas,
							  .other_kvas_count = dump->active_map_kvas_count });
}

struct live {
	const struct ktstr_sample_series *series;
	const char *path;
};

/* "name.member" is a member of the variable. */
static struct ktstr_snapshot_field live_field(const struct ktstr_snapshot *snapshot, const char *path)
{
	size_t length = strcspn(path, ".[");
	_cleanup_free_ char *name = ktstr_xstrndup(path, length);

	return ktstr_snapshot_field_get(ktstr_snapshot_live_var(snapshot, name), path + length + (path[length] == '.'));
}

#define DEFINE_LIVE(name, type)                                                                                        \
	static const struct ktstr_snapshot_error *get_live_##name(const struct ktstr_series_entry *entry,              \
								  const void *context, type *value)                    \
	{                                                                                                              \
		const struct live *live = context;                                                                     \
		const struct ktstr_snapshot_error *error = no_dump(entry);                                             \
														       \
		if (!error)                                                                                            \
			error = drifted(live->series, entry);                                                          \
		return error ? error :                                                                                 \
			       ktstr_snapshot_field_as_##name(live_field(&entry->snapshot, live->path), value);        \
	}                                                                                                              \
	void ktstr_sample_series_bpf_live_##name(const struct ktstr_sample_series *series, const char *variable,       \
						 struct ktstr_series_##name *column)                                   \
	{                                                                                                              \
		project_##name(series, variable, get_live_##name, &(struct live){ series, variable }, column);         \
	}                                                                                                              \
	static const struct ktstr_snapshot_error *get_stats_live_##name(const struct ktstr_series_entry *entry,        \
									const void *context, type *value)              \
	{                                                                                                              \
		struct ktstr_json_field field = stats_of(entry);                                                       \
														       \
		return ktstr_json_field_as_##name(ktstr_json_field_get(field, context), value);                        \
	}                                                                                                              \
	void ktstr_sample_series_stats_live_##name(const struct ktstr_sample_series *series, const char *path,         \
						   struct ktstr_series_##name *column)                                 \
	{                                                                                                              \
		project_##name(series, path, get_stats_live_##name, path, column);                                     \
	}

KTSTR_NUMBER_TYPES(DEFINE_LIVE)

/* One of several variables that are picked together. */
struct via {
	const char *const *names;
	size_t count, which;
	ktstr_snapshot_picker picker;
	void *context;
};

static const struct ktstr_snapshot_error *get_via(const struct ktstr_series_entry *entry, const void *context,
						  uint64_t *value)
{
	const struct via *via = context;
	_cleanup_free_ struct ktstr_snapshot_field *fields = ktstr_xcalloc(via->count + 1, sizeof(*fields));
	const struct ktstr_snapshot_error *error = no_dump(entry);

	if (!error)
		error = ktstr_snapshot_live_vars_via(&entry->snapshot, via->names, via->count, via->picker, via->context,
						     fields);
	return error ? error : ktstr_snapshot_field_as_u64(fields[via->which], value);
}

void ktstr_sample_series_live_bpf_vars_via(const struct ktstr_sample_series *series, const char *const *names,
					   size_t count, ktstr_snapshot_picker picker, void *context,
					   struct ktstr_series_u64 *columns)
{
	for (size_t i = 0; i < count; i++)
		project_u64(series, names[i], get_via, &(struct via){ names, count, i, picker, context }, &columns[i]);
}

/* --- maps and statistics by name ----------------------------------------------------------------------------------- */

struct map_field {
	struct ktstr_bpf_map_projector projector;
	const char *path;
};

static struct ktstr_snapshot_entry entry_of(const struct ktstr_series_entry *entry,
					    const struct ktstr_bpf_map_projector *projector)
{
	struct ktstr_snapshot_map map = ktstr_snapshot_map(&entry->snapshot, projector->map);

	if (projector->cpu.set)
		map = ktstr_snapshot_map_cpu(map, projector->cpu.value);
	return ktstr_snapshot_map_at(&map, projector->index);
}

static char *label_of(const struct ktstr_bpf_map_projector *projector, const char *path)
{
	struct ktstr_str label = { 0 };

	ktstr_str_addf(&label, "%s[%zu]", projector->map, projector->index);
	if (projector->cpu.set)
		ktstr_str_addf(&label, " cpu %u", projector->cpu.value);
	ktstr_str_addf(&label, ": %s", path);
	return ktstr_str_take(&label);
}

#define DEFINE_MAP_FIELDS(name, type)                                                                                  \
	static const struct ktstr_snapshot_error *get_map_field_##name(const struct ktstr_series_entry *entry,         \
								       const void *context, type *value)               \
	{                                                                                                              \
		const struct map_field *field = context;                                                               \
		struct ktstr_snapshot_entry in_map = entry_of(entry, &field->projector);                               \
		const struct ktstr_snapshot_error *error = no_dump(entry);                                             \
														       \
		return error ? error :                                                                                 \
			       ktstr_snapshot_field_as_##name(ktstr_snapshot_entry_get(&in_map, field->path), value);  \
	}                                                                                                              \
	void ktstr_bpf_map_projector_field_##name(struct ktstr_bpf_map_projector projector, const char *path,          \
						  struct ktstr_series_##name *column)                                  \
	{                                                                                                              \
		_cleanup_free_ char *label = label_of(&projector, path);                                               \
														       \
		project_##name(projector.series, label, get_map_field_##name, &(struct map_field){ projector, path },  \
			       column);                                                                                \
	}                                                                                                              \
	void ktstr_bpf_map_cpu_projector_field_##name(struct ktstr_bpf_map_cpu_projector projector, const char *path,  \
						      struct ktstr_series_##name *column)                              \
	{                                                                                                              \
		ktstr_bpf_map_projector_field_##name(projector.inner, path, column);                                   \
	}                                                                                                              \
	void ktstr_stats_path_projector_field_##name(const struct ktstr_stats_path_projector *projector,               \
						     const char *key, struct ktstr_series_##name *column)              \
	{                                                                                                              \
		struct ktstr_stats_path_projector below = ktstr_stats_path_projector_key(projector, key);              \
														       \
		ktstr_sample_series_stats_live_##name(projector->series, below.path, column);                          \
		ktstr_stats_path_projector_deinit(&below);                                                             \
	}

KTSTR_NUMBER_TYPES(DEFINE_MAP_FIELDS)

#define DEFINE_MAP_CPU_FOLDS(fold, name, type)                                                                         \
	static const struct ktstr_snapshot_error *get_map_##fold##_##name(const struct ktstr_series_entry *entry,      \
									  const void *context, type *value)            \
	{                                                                                                              \
		const struct map_field *field = context;                                                               \
		struct ktstr_snapshot_entry in_map = entry_of(entry, &field->projector);                               \
		const struct ktstr_snapshot_error *error = no_dump(entry);                                             \
														       \
		return error ? error : ktstr_snapshot_entry_cpu_##fold##_##name(&in_map, field->path, value);          \
	}                                                                                                              \
	void ktstr_bpf_map_projector_field_cpu_##fold##_##name(struct ktstr_bpf_map_projector projector,               \
							       const char *path, struct ktstr_series_##name *column)   \
	{                                                                                                              \
		_cleanup_free_ char *label = label_of(&projector, path);                                               \
														       \
		project_##name(projector.series, label, get_map_##fold##_##name,                                       \
			       &(struct map_field){ projector, path }, column);                                        \
	}

KTSTR_SNAPSHOT_CPU_FOLDS(DEFINE_MAP_CPU_FOLDS)
