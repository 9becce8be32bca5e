// SPDX-License-Identifier: GPL-2.0-only
/* Entries of maps: by number, by predicate, by score. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/store.h"

enum { KEYS_SHOWN = 3, KEY_BYTES_SHOWN = 80 };

static struct ktstr_snapshot_entry missing(const struct ktstr_snapshot_map *map, struct ktstr_snapshot_error error)
{
	return (struct ktstr_snapshot_entry){ .map = *map, .error = ktstr_snapshot_fail(map->store, &error) };
}

bool ktstr_snapshot_map_is_per_cpu(const struct ktstr_snapshot_map *map)
{
	return map->raw && (map->raw->percpu_entries_count || map->raw->percpu_hash_entries_count);
}

size_t ktstr_snapshot_map_len(const struct ktstr_snapshot_map *map)
{
	const struct ktstr_failure_dump_map *raw = map->raw;

	return raw ? raw->entries_count + raw->array_entries_count + raw->percpu_entries_count +
			     raw->percpu_hash_entries_count + (raw->value != NULL) :
		     0;
}

/* A map has entries of one kind. */
struct ktstr_snapshot_entry ktstr_snapshot_map_at(const struct ktstr_snapshot_map *map, size_t n)
{
	const struct ktstr_failure_dump_map *raw = map->raw;
	struct ktstr_snapshot_entry entry = { .map = *map, .error = map->error };
	size_t len = ktstr_snapshot_map_len(map);

	if (entry.error)
		return entry;
	if (!len && raw->error)
		return missing(map, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_MAP_RENDER_INCOMPLETE,
								   .map = raw->name, .reason = raw->error });
	if (n >= len)
		return missing(map, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE,
								   .map = raw->name, .index = n, .len = len });
	if (n < raw->entries_count) {
		entry.kind = KTSTR_SNAPSHOT_ENTRY_HASH;
		entry.rendered_key = raw->entries[n].key;
		entry.rendered_value = raw->entries[n].value;
	} else if (n < raw->array_entries_count) {
		entry.kind = KTSTR_SNAPSHOT_ENTRY_VALUE;
		entry.index = raw->array_entries[n].key;
		entry.rendered_value = raw->array_entries[n].value;
	} else if (n < raw->percpu_entries_count) {
		entry.kind = KTSTR_SNAPSHOT_ENTRY_PERCPU;
		entry.index = raw->percpu_entries[n].key;
		entry.per_cpu = raw->percpu_entries[n].per_cpu;
		entry.per_cpu_count = raw->percpu_entries[n].per_cpu_count;
	} else if (n < raw->percpu_hash_entries_count) {
		entry.kind = KTSTR_SNAPSHOT_ENTRY_PERCPU_HASH;
		entry.rendered_key = raw->percpu_hash_entries[n].key;
		entry.per_cpu = raw->percpu_hash_entries[n].per_cpu;
		entry.per_cpu_count = raw->percpu_hash_entries[n].per_cpu_count;
	} else {
		entry.kind = KTSTR_SNAPSHOT_ENTRY_VALUE;
		entry.rendered_value = raw->value;
	}
	return entry;
}

static struct ktstr_snapshot_entry no_match(const struct ktstr_snapshot_map *map, const char *op)
{
	struct ktstr_snapshot_error error = { .kind = KTSTR_SNAPSHOT_NO_MATCH, .map = map->raw->name, .op = (char *)op,
					      .len = ktstr_snapshot_map_len(map) };
	char *names[KEYS_SHOWN];
	struct ktstr_snapshot_entry entry;

	error.names = names;
	for (size_t i = 0; i < error.len && i < KEYS_SHOWN; i++) {
		entry = ktstr_snapshot_map_at(map, i);
		names[i] = entry.rendered_key ? ktstr_rendered_to_text(entry.rendered_key) :
						ktstr_xasprintf("%u", entry.index);
		if (strlen(names[i]) > KEY_BYTES_SHOWN)
			names[i][KEY_BYTES_SHOWN] = '\0';
		error.names_count++;
	}
	entry = missing(map, error);
	for (size_t i = 0; i < error.names_count; i++)
		free(names[i]);
	return entry;
}

struct ktstr_snapshot_entry ktstr_snapshot_map_find(const struct ktstr_snapshot_map *map,
						    ktstr_snapshot_predicate predicate, void *context)
{
	for (size_t i = 0; i < ktstr_snapshot_map_len(map); i++) {
		struct ktstr_snapshot_entry entry = ktstr_snapshot_map_at(map, i);

		if (predicate(&entry, context))
			return entry;
	}
	return map->error ? ktstr_snapshot_map_at(map, 0) : no_match(map, "find");
}

struct ktstr_snapshot_entry *ktstr_snapshot_map_filter(const struct ktstr_snapshot_map *map,
						       ktstr_snapshot_predicate predicate, void *context, size_t *count)
{
	size_t len = ktstr_snapshot_map_len(map);
	struct ktstr_snapshot_entry *entries = ktstr_xcalloc(len + 1, sizeof(*entries));

	*count = 0;
	for (size_t i = 0; i < len; i++) {
		entries[*count] = ktstr_snapshot_map_at(map, i);
		if (predicate(&entries[*count], context))
			++*count;
	}
	return entries;
}

struct ktstr_snapshot_entry
ktstr_snapshot_map_max_by(const struct ktstr_snapshot_map *map,
			  struct ktstr_opt_f64 (*score)(const struct ktstr_snapshot_entry *entry, void *context),
			  void *context)
{
	struct ktstr_snapshot_entry best = { 0 };
	double most = -INFINITY;

	for (size_t i = 0; i < ktstr_snapshot_map_len(map); i++) {
		struct ktstr_snapshot_entry entry = ktstr_snapshot_map_at(map, i);
		struct ktstr_opt_f64 points = score(&entry, context);

		if (!points.set || !(points.value >= most))
			continue;
		most = points.value;
		best = entry;
	}
	if (best.kind != KTSTR_SNAPSHOT_ENTRY_MISSING)
		return best;
	return map->error ? ktstr_snapshot_map_at(map, 0) : no_match(map, "max_by");
}

struct ktstr_snapshot_map ktstr_snapshot_map_cpu(struct ktstr_snapshot_map map, uint32_t cpu)
{
	if (ktstr_snapshot_map_is_per_cpu(&map))
		map.cpu = (struct ktstr_opt_u32){ true, cpu };
	return map;
}
