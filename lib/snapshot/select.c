// SPDX-License-Identifier: GPL-2.0-only
/* Paths into dumps, as people type them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dump/shape.h"
#include "dump/text.h"
#include "snapshot/select.h"
#include "snapshot/store.h"

static char *value_text(const struct ktstr_rendered_value *value, bool as_json)
{
	json_t *json;
	char *text;

	if (!as_json)
		return ktstr_rendered_to_text(value);
	json = ktstr_shape_to_json(&ktstr_value_shape, value);
	text = json_dumps(json, JSON_INDENT(1) | JSON_ENCODE_ANY);
	json_decref(json);
	return text;
}

static struct ktstr_error *field_text(struct ktstr_snapshot_field field, bool as_json, char **text)
{
	if (field.kind == KTSTR_SNAPSHOT_FIELD_INDEX)
		*text = ktstr_xasprintf("%u", field.index);
	else if (!field.error)
		*text = value_text(field.raw, as_json);
	return ktstr_snapshot_error_to_error(field.error);
}

/* The map with the longest name that the path begins with; names contain dots. */
static const struct ktstr_failure_dump_map *map_of(const struct ktstr_failure_dump *dump, const char *path)
{
	const struct ktstr_failure_dump_map *best = NULL;

	for (size_t i = 0; i < dump->maps_count; i++) {
		size_t length = strlen(dump->maps[i].name);

		if (length && !strncmp(path, dump->maps[i].name, length) && strchr(".[", path[length]) &&
		    (!best || length > strlen(best->name)))
			best = &dump->maps[i];
	}
	return best;
}

/* A whole map, through its place in the document when it is to be JSON. */
static char *map_text(const struct ktstr_failure_dump *dump, const struct ktstr_failure_dump_map *map, bool as_json)
{
	const struct ktstr_text_style plain = { "", "", "", dump };
	_cleanup_str_ struct ktstr_str out = { 0 };
	json_t *json;
	char *text;

	if (!as_json) {
		ktstr_map_text(&out, map, &plain);
		return ktstr_str_take(&out);
	}
	json = ktstr_shape_to_json(&ktstr_single_shape, dump);
	text = json_dumps(json_array_get(json_object_get(json, "maps"), (size_t)(map - dump->maps)), JSON_INDENT(1));
	json_decref(json);
	return text;
}

/* "[N]" or "[N@CPU]" at the start of *rest, which then is behind it. */
static struct ktstr_snapshot_entry entry_of(struct ktstr_snapshot_map map, const char **rest)
{
	unsigned long n = 0, cpu;
	char *end;

	if (**rest == '[') {
		n = strtoul(*rest + 1, &end, 10);
		if (*end == '@') {
			cpu = strtoul(end + 1, &end, 10);
			map = ktstr_snapshot_map_cpu(map, (uint32_t)cpu);
		}
		*rest = end + (*end == ']');
	}
	*rest += **rest == '.';
	return ktstr_snapshot_map_at(&map, n);
}

static struct ktstr_error *in_map(const struct ktstr_snapshot *snapshot, const struct ktstr_failure_dump_map *raw,
				  const char *rest, bool as_json, char **text)
{
	struct ktstr_snapshot_map map = { .raw = raw, .store = snapshot->store };
	struct ktstr_snapshot_entry entry;

	if (!*rest) {
		*text = map_text(snapshot->dump, raw, as_json);
		return NULL;
	}
	entry = entry_of(map, &rest);
	return field_text(ktstr_snapshot_entry_get(&entry, rest), as_json, text);
}

/* False when the document has nothing there. */
static bool in_document(const struct ktstr_snapshot *snapshot, json_t *document, const char *path, char **text)
{
	struct ktstr_json_field field = ktstr_stats_path(snapshot, document, path);

	if (field.raw)
		*text = json_dumps(field.raw, JSON_INDENT(1) | JSON_ENCODE_ANY);
	return field.raw;
}

static struct ktstr_error *in_single(const struct ktstr_snapshot *snapshot, json_t *document, const char *path,
				     bool as_json, char **text)
{
	const struct ktstr_failure_dump_map *map = map_of(snapshot->dump, path);
	_cleanup_free_ char *name = ktstr_xstrndup(path, strcspn(path, ".["));
	const char *rest = path + strlen(name);
	struct ktstr_snapshot_field variable;

	if (map)
		return in_map(snapshot, map, path + strlen(map->name), as_json, text);
	if (in_document(snapshot, document, path, text))
		return NULL;
	variable = ktstr_snapshot_var(snapshot, name);
	return field_text(ktstr_snapshot_field_get(variable, rest + (*rest == '.')), as_json, text);
}

/* The dump that the path is about; NULL for a degraded one. */
static const struct ktstr_failure_dump *dump_of(const struct ktstr_failure_dump_any *dump, const char **path)
{
	if (dump->schema == KTSTR_DUMP_SINGLE)
		return dump->single;
	if (dump->schema == KTSTR_DUMP_DEGRADED)
		return NULL;
	if (ktstr_str_starts_with(*path, "early.") && dump->dual->early) {
		*path += strlen("early.");
		return dump->dual->early;
	}
	if (ktstr_str_starts_with(*path, "late."))
		*path += strlen("late.");
	return dump->dual->late;
}

struct ktstr_error *ktstr_dump_select(const struct ktstr_failure_dump_any *dump, const char *path, bool as_json,
				      char **text)
{
	const struct ktstr_failure_dump *single = dump_of(dump, &path);
	struct ktstr_snapshot snapshot = { 0 };
	struct ktstr_error *error = NULL;
	json_t *document;

	if (single) {
		document = ktstr_shape_to_json(&ktstr_single_shape, single);
		snapshot = ktstr_snapshot_open(single);
		error = in_single(&snapshot, document, path, as_json, text);
	} else {
		document = ktstr_shape_to_json(&ktstr_degraded_shape, dump->degraded);
		snapshot.store = ktstr_snapshot_store_create();
		error = ktstr_snapshot_error_to_error(ktstr_stats_path(&snapshot, document, path).error);
		if (!error)
			in_document(&snapshot, document, path, text);
	}
	json_decref(document);
	ktstr_snapshot_close(&snapshot);
	return error;
}
