// SPDX-License-Identifier: GPL-2.0-only
/* Projectors: which entry of a map, which path of the statistics; and all of their members at once. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/sample_series.h"

struct ktstr_bpf_map_projector ktstr_sample_series_bpf_map(const struct ktstr_sample_series *series, const char *map)
{
	return (struct ktstr_bpf_map_projector){ .series = series, .map = map };
}

struct ktstr_bpf_map_projector ktstr_bpf_map_projector_at(struct ktstr_bpf_map_projector projector, size_t index)
{
	projector.index = index;
	return projector;
}

struct ktstr_bpf_map_cpu_projector ktstr_bpf_map_projector_cpu(struct ktstr_bpf_map_projector projector, uint32_t cpu)
{
	projector.cpu = (struct ktstr_opt_u32){ true, cpu };
	return (struct ktstr_bpf_map_cpu_projector){ projector };
}

struct ktstr_stats_path_projector ktstr_sample_series_stats_path(const struct ktstr_sample_series *series,
								 const char *path)
{
	return (struct ktstr_stats_path_projector){ series, ktstr_xstrdup(path) };
}

struct ktstr_stats_path_projector ktstr_stats_path_projector_key(const struct ktstr_stats_path_projector *projector,
								 const char *key)
{
	return (struct ktstr_stats_path_projector){
		projector->series,
		ktstr_xasprintf("%s%s%s", projector->path, *projector->path && *key ? "." : "", key),
	};
}

void ktstr_stats_path_projector_deinit(struct ktstr_stats_path_projector *projector)
{
	free(projector->path);
	projector->path = NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(struct ktstr_strv *names, const char *name)
{
	if (!ktstr_strv_contains(names, name))
		ktstr_strv_add(names, name);
}

static char **sorted(struct ktstr_strv *names, size_t *count)
{
	if (!names->count) /* an empty list is a list, too */
		names->items = ktstr_xcalloc(1, sizeof(*names->items));
	qsort(names->items, names->count, sizeof(*names->items), by_name);
	*count = names->count;
	return names->items;
}

static void add_member_names(struct ktstr_strv *names, const struct ktstr_rendered_value *value)
{
	for (size_t i = 0; value && i < value->members_count; i++)
		if (value->members[i].name[0])
			add_name(names, value->members[i].name);
		else
			add_member_names(names, value->members[i].value);
}

/* Of a per-CPU entry any CPU's copy will do. */
static const struct ktstr_rendered_value *any_value(const struct ktstr_snapshot_entry *entry)
{
	for (size_t cpu = 0; cpu < entry->per_cpu_count; cpu++)
		if (entry->per_cpu[cpu])
			return entry->per_cpu[cpu];
	return entry->rendered_value;
}

char **ktstr_bpf_map_projector_member_names(struct ktstr_bpf_map_projector projector, size_t *count)
{
	struct ktstr_strv names = { 0 };

	for (size_t i = 0; i < projector.series->count; i++) {
		struct ktstr_snapshot_map map = ktstr_snapshot_map(&projector.series->entries[i]->snapshot, projector.map);
		struct ktstr_snapshot_entry entry = ktstr_snapshot_map_at(&map, projector.index);

		add_member_names(&names, ktstr_rendered_peel(any_value(&entry)));
	}
	return sorted(&names, count);
}

char **ktstr_stats_path_projector_key_names(const struct ktstr_stats_path_projector *projector, size_t *count)
{
	struct ktstr_strv names = { 0 };

	for (size_t i = 0; i < projector->series->count; i++) {
		const struct ktstr_series_entry *entry = projector->series->entries[i];
		struct ktstr_json_field field = ktstr_stats_path(&entry->snapshot, entry->sample.stats, projector->path);
		const char *key;
		json_t *value;

		json_object_foreach((json_t *)field.raw, key, value)
			add_name(&names, key);
	}
	return sorted(&names, count);
}

static void free_names(char **names)
{
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}

/* Columns with a value in them, one a name. */
#define DEFINE_ALL_FIELDS(owner, argument, names_of, name, type)                                                       \
	static bool owner##_##name##_has_value(const struct ktstr_series_##name *column)                               \
	{                                                                                                              \
		for (size_t i = 0; i < column->count; i++)                                                             \
			if (!column->errors[i])                                                                        \
				return true;                                                                           \
		return false;                                                                                          \
	}                                                                                                              \
	struct ktstr_series_##name *ktstr_##owner##_##name##_fields(argument projector, size_t *count)                 \
	{                                                                                                              \
		size_t names_count;                                                                                    \
		char **names = names_of(projector, &names_count);                                                      \
		struct ktstr_series_##name *columns = ktstr_xcalloc(names_count + 1, sizeof(*columns));                \
														       \
		*count = 0;                                                                                            \
		for (size_t i = 0; i < names_count; i++) {                                                             \
			ktstr_##owner##_field_##name(projector, names[i], &columns[*count]);                           \
			if (owner##_##name##_has_value(&columns[*count]))                                              \
				++*count;                                                                              \
			else                                                                                           \
				ktstr_series_##name##_deinit(&columns[*count]);                                        \
		}                                                                                                      \
		free_names(names);                                                                                     \
		return columns;                                                                                        \
	}

#define MAP_FIELDS(name, type)                                                                                         \
	DEFINE_ALL_FIELDS(bpf_map_projector, struct ktstr_bpf_map_projector, ktstr_bpf_map_projector_member_names,     \
			  name, type)
#define STATS_FIELDS(name, type)                                                                                       \
	DEFINE_ALL_FIELDS(stats_path_projector, const struct ktstr_stats_path_projector *,                             \
			  ktstr_stats_path_projector_key_names, name, type)

MAP_FIELDS(u64, uint64_t)
MAP_FIELDS(f64, double)
STATS_FIELDS(u64, uint64_t)
STATS_FIELDS(f64, double)
