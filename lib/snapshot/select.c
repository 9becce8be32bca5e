// SPDX-License-Identifier: GPL-2.0-only
/* Paths into dumps, as people type them. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dump/shape.h"
#include "dump/text.h"
#include "snapshot/select.h"
#include "snapshot/store.h"

enum { NAMES_SHOWN = 12 };

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

/* "[N]" or "[N@CPU]" at the start of *rest, which then is behind it; without either the first entry. */
static struct ktstr_error *entry_of(struct ktstr_snapshot_map map, const char **rest, struct ktstr_snapshot_entry *entry)
{
	unsigned int n = 0, cpu = 0;
	int length = 0;

	if (**rest == '[') {
		if (sscanf(*rest, "[%9u]%n", &n, &length) == 1 && length) {
			*rest += length;
		} else if (sscanf(*rest, "[%9u@%9u]%n", &n, &cpu, &length) == 2 && length) {
			*rest += length;
			map = ktstr_snapshot_map_cpu(map, cpu);
		} else {
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "%s%s: an entry is chosen by its place in the dump, %s[0]%s", map.raw->name,
					       *rest, map.raw->name,
					       ktstr_snapshot_map_is_per_cpu(&map) ? ", a CPU's copy of it with [0@CPU]" : "");
		}
	}
	*rest += **rest == '.';
	*entry = ktstr_snapshot_map_at(&map, n);
	return NULL;
}

/* Of each CPU that could be read. */
struct copies {
	bool as_json;
	struct ktstr_str text;
	struct ktstr_error *error;
};

static bool add_copy(uint32_t cpu, struct ktstr_snapshot_field field, void *context)
{
	struct copies *copies = context;
	_cleanup_free_ char *text = NULL;

	copies->error = field_text(field, copies->as_json, &text);
	if (copies->error)
		return false;
	if (copies->as_json)
		ktstr_str_addf(&copies->text, "%s{\"cpu\": %u, \"value\": %s}", copies->text.length ? ",\n " : "[", cpu, text);
	else
		ktstr_str_addf(&copies->text, "%scpu %u: %s", copies->text.length ? "\n" : "", cpu, text);
	return true;
}

static struct ktstr_error *all_copies(const struct ktstr_snapshot_entry *entry, const char *path, bool as_json, char **text)
{
	struct copies copies = { .as_json = as_json };
	struct ktstr_error *error = ktstr_snapshot_error_to_error(
		ktstr_snapshot_entry_cpu_each(entry, path, add_copy, &copies));

	if (!error)
		error = copies.error;
	if (!error && as_json)
		ktstr_str_add(&copies.text, "]");
	if (!error)
		*text = ktstr_str_take(&copies.text);
	ktstr_str_deinit(&copies.text);
	return error;
}

static struct ktstr_error *in_map(const struct ktstr_snapshot *snapshot, const struct ktstr_failure_dump_map *raw,
				  const char *rest, bool as_json, char **text)
{
	struct ktstr_snapshot_map map = { .raw = raw, .store = snapshot->store };
	struct ktstr_snapshot_entry entry;
	struct ktstr_snapshot_field value;

	if (!*rest) {
		*text = map_text(snapshot->dump, raw, as_json);
		return NULL;
	}
	KTSTR_TRY(entry_of(map, &rest, &entry));
	value = ktstr_snapshot_entry_get(&entry, "");
	if (value.error && value.error->kind == KTSTR_SNAPSHOT_PER_CPU_NOT_NARROWED)
		return all_copies(&entry, rest, as_json, text);
	if (value.error) /* names the map */
		return ktstr_snapshot_error_to_error(value.error);
	KTSTR_TRY_WRAP(field_text(ktstr_snapshot_field_get(value, rest), as_json, text), "%s", raw->name);
	return NULL;
}

/* False when the document has nothing there. */
static bool in_document(const struct ktstr_snapshot *snapshot, json_t *document, const char *path, char **text)
{
	struct ktstr_json_field field = ktstr_stats_path(snapshot, document, path);

	if (field.raw)
		*text = json_dumps(field.raw, JSON_INDENT(1) | JSON_ENCODE_ANY);
	return field.raw;
}

/* What a path may begin with; the names are borrowed. */
struct names {
	const char **items;
	size_t count;
};

static void add_name(struct names *names, const char *name)
{
	names->items = ktstr_xrealloc(names->items, (names->count + 1) * sizeof(*names->items));
	names->items[names->count++] = name;
}

static void add_names(struct ktstr_str *text, const char *what, const struct names *names, size_t first)
{
	ktstr_str_addf(text, "\n  %s: ", what);
	for (size_t i = first; i < names->count && i < first + NAMES_SHOWN; i++) {
		ktstr_str_add(text, i > first ? ", " : "");
		ktstr_str_add_printable(text, names->items[i], strlen(names->items[i]));
	}
	if (names->count > first + NAMES_SHOWN)
		ktstr_str_addf(text, " and %zu more", names->count - first - NAMES_SHOWN);
	if (names->count == first)
		ktstr_str_add(text, "none");
}

/* Nothing begins with that name: says all that could have been meant. Names come from the guest. */
static struct ktstr_error *unknown(const struct ktstr_snapshot *snapshot, json_t *document, const char *name,
				   const struct ktstr_snapshot_error *no_variable)
{
	_cleanup_str_ struct ktstr_str text = { 0 };
	struct names names = { 0 };
	size_t maps, variables;
	const char *nearest, *key;
	json_t *value;

	json_object_foreach(document, key, value)
		add_name(&names, key);
	maps = names.count;
	for (size_t i = 0; i < snapshot->dump->maps_count; i++)
		add_name(&names, snapshot->dump->maps[i].name);
	variables = names.count;
	for (size_t i = 0; i < no_variable->names_count; i++)
		add_name(&names, no_variable->names[i]);
	nearest = ktstr_nearest_name(name, names.items, names.count);
	ktstr_str_addf(&text, "no map, variable or part of the dump is called \"%s\"", name);
	if (nearest) {
		ktstr_str_add(&text, "; did you mean \"");
		ktstr_str_add_printable(&text, nearest, strlen(nearest));
		ktstr_str_add(&text, "\"?");
	}
	add_names(&text, "variables", &names, variables);
	names.count = variables;
	add_names(&text, "maps", &names, maps);
	names.count = maps;
	add_names(&text, "parts", &names, 0);
	free(names.items);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s", ktstr_str_text(&text));
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
	if (!variable.error) {
		variable = ktstr_snapshot_field_get(variable, rest + (*rest == '.'));
		KTSTR_TRY_WRAP(field_text(variable, as_json, text), "%s", name);
		return NULL;
	}
	if (json_object_get(document, name))
		return ktstr_snapshot_error_to_error(ktstr_stats_path(snapshot, document, path).error);
	if (variable.error->kind == KTSTR_SNAPSHOT_VAR_NOT_FOUND)
		return unknown(snapshot, document, name, variable.error);
	return ktstr_snapshot_error_to_error(variable.error);
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

	if (dump->schema == KTSTR_DUMP_DUAL && !dump->dual->early && ktstr_str_starts_with(path, "early."))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "there is no early dump: %s",
				       dump->dual->early_skipped_reason ? dump->dual->early_skipped_reason : "no reason is given");
	if (single) {
		document = ktstr_shape_to_json(&ktstr_single_shape, single);
		snapshot = ktstr_snapshot_open(single);
		error = in_single(&snapshot, document, path, as_json, text);
	} else {
		document = ktstr_shape_to_json(&ktstr_degraded_shape, dump->degraded);
		snapshot.store = ktstr_snapshot_store_create();
		error = ktstr_snapshot_error_to_error(ktstr_stats_path(&snapshot, document, path).error);
		if (error)
			error = ktstr_error_wrap(error, "the dump is degraded");
		else
			in_document(&snapshot, document, path, text);
	}
	json_decref(document);
	ktstr_snapshot_close(&snapshot);
	return error;
}
