// SPDX-License-Identifier: GPL-2.0-only
/* Fields of JSON that a scheduler reported. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/path.h"
#include "snapshot/store.h"

static const char *kind_of(const json_t *json)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object", [JSON_ARRAY] = "array", [JSON_STRING] = "text",  [JSON_INTEGER] = "integer",
		[JSON_REAL] = "float",	  [JSON_TRUE] = "bool",	  [JSON_FALSE] = "bool", [JSON_NULL] = "null",
	};

	return json ? names[json_typeof(json)] : "nothing";
}

static struct ktstr_json_field fail(struct ktstr_json_field field, struct ktstr_snapshot_error error)
{
	return (struct ktstr_json_field){ .store = field.store, .error = ktstr_snapshot_fail(field.store, &error) };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct ktstr_json_field no_key(struct ktstr_json_field field, const struct ktstr_path *path, char *component)
{
	_cleanup_free_ char *walked = ktstr_path_walked(path, component);
	_cleanup_free_ char **names = ktstr_xcalloc(json_object_size(field.raw) + 1, sizeof(*names));
	size_t count = 0, index;
	const char *key;
	json_t *value;

	if (json_is_array(field.raw) && ktstr_path_index(component, &index))
		return fail(field, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, .map = walked,
								  .index = index, .len = json_array_size(field.raw) });
	if (!json_is_object(field.raw))
		return fail(field, (struct ktstr_snapshot_error){
					   .kind = KTSTR_SNAPSHOT_NOT_A_STRUCT, .requested = (char *)path->whole,
					   .walked = walked, .component = component, .actual = kind_of(field.raw) });
	json_object_foreach((json_t *)field.raw, key, value)
		names[count++] = (char *)key;
	qsort(names, count, sizeof(*names), by_name);
	return fail(field, (struct ktstr_snapshot_error){
				   .kind = KTSTR_SNAPSHOT_FIELD_NOT_FOUND, .requested = (char *)path->whole, .walked = walked,
				   .component = component, .names = names, .names_count = count });
}

static const json_t *step(const json_t *json, const char *component)
{
	size_t index;

	if (json_is_array(json) && ktstr_path_index(component, &index))
		return json_array_get(json, index);
	return json_object_get(json, component);
}

struct ktstr_json_field ktstr_json_field_get(struct ktstr_json_field field, const char *text)
{
	struct ktstr_path path = ktstr_path(text);

	while (field.raw) {
		_cleanup_free_ char *component = ktstr_path_next(&path);
		const json_t *next;

		if (!component)
			return field;
		if (!*component)
			return fail(field, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_EMPTY_PATH_COMPONENT,
									  .requested = (char *)text });
		next = step(field.raw, component);
		if (!next)
			return no_key(field, &path, component);
		field.raw = next;
	}
	return field;
}

struct ktstr_json_field ktstr_stats_path(const struct ktstr_snapshot *snapshot, const struct json_t *value,
					 const char *path)
{
	struct ktstr_json_field field = { value, snapshot->store, NULL };

	if (!value)
		return fail(field, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_PROJECTION_FAILED,
								  .reason = "there are no statistics" });
	return ktstr_json_field_get(field, path);
}

static const struct ktstr_snapshot_error *mismatch(struct ktstr_json_field field, const char *expected)
{
	struct ktstr_snapshot_error error = { .kind = KTSTR_SNAPSHOT_TYPE_MISMATCH, .expected = expected,
					      .actual = kind_of(field.raw) };

	return field.error ? field.error : ktstr_snapshot_fail(field.store, &error);
}

static bool whole_text(const char *text, const char *end)
{
	return end != text && !*end && !errno && !strchr(" \t\n", text[0]);
}

const struct ktstr_snapshot_error *ktstr_json_field_as_u64(struct ktstr_json_field field, uint64_t *value)
{
	const char *text = json_string_value(field.raw);
	double real = json_real_value(field.raw);
	char *end;

	*value = json_is_true(field.raw) ? 1 : (uint64_t)json_integer_value(field.raw);
	if (json_is_boolean(field.raw) || (json_is_integer(field.raw) && json_integer_value(field.raw) >= 0))
		return NULL;
	if (json_is_real(field.raw) && real >= 0 && real < 0x1p64 && real == trunc(real)) {
		*value = (uint64_t)real;
		return NULL;
	}
	errno = 0;
	if (text && text[0] != '-') {
		*value = strtoull(text, &end, 10);
		if (whole_text(text, end))
			return NULL;
	}
	return mismatch(field, "a whole number that is not negative");
}

const struct ktstr_snapshot_error *ktstr_json_field_as_i64(struct ktstr_json_field field, int64_t *value)
{
	const char *text = json_string_value(field.raw);
	double real = json_real_value(field.raw);
	char *end;

	*value = json_is_true(field.raw) ? 1 : json_integer_value(field.raw);
	if (json_is_boolean(field.raw) || json_is_integer(field.raw))
		return NULL;
	if (json_is_real(field.raw) && real >= -0x1p63 && real < 0x1p63 && real == trunc(real)) {
		*value = (int64_t)real;
		return NULL;
	}
	errno = 0;
	if (text) {
		*value = strtoll(text, &end, 10);
		if (whole_text(text, end))
			return NULL;
	}
	return mismatch(field, "a whole number");
}

const struct ktstr_snapshot_error *ktstr_json_field_as_f64(struct ktstr_json_field field, double *value)
{
	const char *text = json_string_value(field.raw);
	char *end;

	*value = json_is_true(field.raw) ? 1 : json_number_value(field.raw);
	if (json_is_boolean(field.raw) || json_is_number(field.raw))
		return NULL;
	errno = 0;
	if (text) {
		*value = strtod(text, &end);
		if (whole_text(text, end))
			return NULL;
	}
	return mismatch(field, "a number");
}

const struct ktstr_snapshot_error *ktstr_json_field_as_bool(struct ktstr_json_field field, bool *value)
{
	*value = json_is_true(field.raw);
	return json_is_boolean(field.raw) ? NULL : mismatch(field, "true or false");
}

const struct ktstr_snapshot_error *ktstr_json_field_as_str(struct ktstr_json_field field, const char **value)
{
	*value = json_string_value(field.raw);
	return *value ? NULL : mismatch(field, "text");
}
