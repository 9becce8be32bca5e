// SPDX-License-Identifier: GPL-2.0-only
/* Fields of rendered values: walking to them and reading them as C values. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/path.h"
#include "snapshot/store.h"

/* Names of members, those of anonymous ones in their place. */
static void add_member_names(const struct ktstr_rendered_value *value, char ***names, size_t *count)
{
	for (size_t i = 0; i < value->members_count; i++) {
		const struct ktstr_rendered_member *member = &value->members[i];

		if (!member->name[0]) {
			add_member_names(member->value, names, count);
			continue;
		}
		*names = ktstr_xrealloc(*names, (*count + 1) * sizeof(**names));
		(*names)[(*count)++] = member->name;
	}
}

static struct ktstr_snapshot_field fail(struct ktstr_snapshot_field field, struct ktstr_snapshot_error error)
{
	return ktstr_snapshot_missing(field.store, ktstr_snapshot_fail(field.store, &error));
}

static struct ktstr_snapshot_field no_member(struct ktstr_snapshot_field field, const struct ktstr_rendered_value *value,
					     const struct ktstr_path *path, char *component)
{
	_cleanup_free_ char *walked = ktstr_path_walked(path, component);
	_cleanup_free_ char **names = NULL;
	size_t count = 0, index;

	if (value->kind == KTSTR_RENDERED_ARRAY && ktstr_path_index(component, &index))
		return fail(field, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE, .map = walked,
								  .index = index, .len = value->elements_count });
	if (value->kind != KTSTR_RENDERED_STRUCT)
		return fail(field, (struct ktstr_snapshot_error){
					   .kind = KTSTR_SNAPSHOT_NOT_A_STRUCT, .requested = (char *)path->whole,
					   .walked = walked, .component = component,
					   .actual = ktstr_rendered_kind_name(value->kind) });
	add_member_names(value, &names, &count);
	return fail(field, (struct ktstr_snapshot_error){
				   .kind = KTSTR_SNAPSHOT_FIELD_NOT_FOUND, .requested = (char *)path->whole, .walked = walked,
				   .component = component, .names = names, .names_count = count });
}

/* One step: a member of a struct or an element of an array. NULL = there is none. */
static const struct ktstr_rendered_value *step(const struct ktstr_rendered_value *value, const char *component)
{
	size_t index;

	if (value->kind == KTSTR_RENDERED_ARRAY && ktstr_path_index(component, &index))
		return index < value->elements_count ? &value->elements[index] : NULL;
	return ktstr_rendered_member(value, component);
}

struct ktstr_snapshot_field ktstr_snapshot_field_get(struct ktstr_snapshot_field field, const char *text)
{
	struct ktstr_path path = ktstr_path(text);

	while (field.kind != KTSTR_SNAPSHOT_FIELD_MISSING) {
		_cleanup_free_ char *component = ktstr_path_next(&path);
		const struct ktstr_rendered_value *value = ktstr_rendered_peel(field.raw), *next;

		if (!component)
			return field;
		if (!*component)
			return fail(field, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_EMPTY_PATH_COMPONENT,
									  .requested = (char *)text });
		if (field.kind == KTSTR_SNAPSHOT_FIELD_INDEX)
			return fail(field, (struct ktstr_snapshot_error){
						   .kind = KTSTR_SNAPSHOT_NOT_A_STRUCT, .requested = (char *)text,
						   .component = component, .actual = "index" });
		next = step(value, component);
		if (!next)
			return no_member(field, value, &path, component);
		field = ktstr_snapshot_value(field.store, next);
	}
	return field;
}

static const struct ktstr_snapshot_error *mismatch(struct ktstr_snapshot_field field, const char *expected)
{
	struct ktstr_snapshot_error error = { .kind = KTSTR_SNAPSHOT_TYPE_MISMATCH, .expected = expected };

	if (field.error)
		return field.error;
	error.actual = field.raw ? ktstr_rendered_kind_name(field.raw->kind) : "index";
	return ktstr_snapshot_fail(field.store, &error);
}

/* What a scalar is: a number with or without a sign, or a float. */
enum number_kind { NO_NUMBER, NATURAL, NEGATIVE, REAL };

/* A truncated scalar has no value; a pointer that was followed is still an address. */
static enum number_kind number_of(struct ktstr_snapshot_field field, uint64_t *number)
{
	const struct ktstr_rendered_value *value = field.raw;

	*number = field.kind == KTSTR_SNAPSHOT_FIELD_INDEX ? field.index : value ? value->number : 0;
	if (field.kind == KTSTR_SNAPSHOT_FIELD_INDEX)
		return NATURAL;
	switch (value ? value->kind : KTSTR_RENDERED_KINDS) {
	case KTSTR_RENDERED_INT:
		return (int64_t)*number < 0 ? NEGATIVE : NATURAL;
	case KTSTR_RENDERED_ENUM:
		return value->is_signed && (int64_t)*number < 0 ? NEGATIVE : NATURAL;
	case KTSTR_RENDERED_UINT:
	case KTSTR_RENDERED_BOOL:
	case KTSTR_RENDERED_CHAR:
	case KTSTR_RENDERED_PTR:
		return NATURAL;
	case KTSTR_RENDERED_FLOAT:
		return REAL;
	default:
		return NO_NUMBER;
	}
}

static bool is_kind(struct ktstr_snapshot_field field, enum ktstr_rendered_kind kind)
{
	return field.raw && field.raw->kind == kind;
}

const struct ktstr_snapshot_error *ktstr_snapshot_field_as_u64(struct ktstr_snapshot_field field, uint64_t *value)
{
	return number_of(field, value) == NATURAL ? NULL : mismatch(field, "a number that is not negative");
}

const struct ktstr_snapshot_error *ktstr_snapshot_field_as_i64(struct ktstr_snapshot_field field, int64_t *value)
{
	uint64_t number;
	enum number_kind kind = number_of(field, &number);

	*value = (int64_t)number;
	if (kind == NEGATIVE || (kind == NATURAL && *value >= 0 && !is_kind(field, KTSTR_RENDERED_PTR)))
		return NULL;
	return mismatch(field, "an integer of 63 bits and a sign");
}

const struct ktstr_snapshot_error *ktstr_snapshot_field_as_f64(struct ktstr_snapshot_field field, double *value)
{
	uint64_t number;
	enum number_kind kind = number_of(field, &number);

	if (kind == NO_NUMBER || is_kind(field, KTSTR_RENDERED_PTR) || is_kind(field, KTSTR_RENDERED_BOOL) ||
	    is_kind(field, KTSTR_RENDERED_CHAR))
		return mismatch(field, "a number");
	*value = kind == REAL ? field.raw->real : kind == NEGATIVE ? (double)(int64_t)number : (double)number;
	return NULL;
}

const struct ktstr_snapshot_error *ktstr_snapshot_field_as_bool(struct ktstr_snapshot_field field, bool *value)
{
	uint64_t number;
	enum number_kind kind = number_of(field, &number);

	*value = kind == REAL ? field.raw->real != 0 : number != 0;
	return kind == NO_NUMBER ? mismatch(field, "a scalar") : NULL;
}

const struct ktstr_snapshot_error *ktstr_snapshot_field_as_str(struct ktstr_snapshot_field field, const char **value)
{
	if (!is_kind(field, KTSTR_RENDERED_ENUM) || !field.raw->text)
		return mismatch(field, "an enumerator with a name");
	*value = field.raw->text;
	return NULL;
}

static const struct ktstr_snapshot_error *as_u32(struct ktstr_snapshot_field field, uint32_t *value)
{
	uint64_t wide;
	const struct ktstr_snapshot_error *error = ktstr_snapshot_field_as_u64(field, &wide);

	*value = (uint32_t)wide;
	return error ? error : wide > UINT32_MAX ? mismatch(field, "a number of at most 32 bits") : NULL;
}

#define as_u64 ktstr_snapshot_field_as_u64
#define as_i64 ktstr_snapshot_field_as_i64
#define as_f64 ktstr_snapshot_field_as_f64

#define DEFINE_ARRAY(name, type)                                                                                       \
	const struct ktstr_snapshot_error *ktstr_snapshot_field_as_##name##_array(struct ktstr_snapshot_field field,   \
										  type **values, size_t *count)        \
	{                                                                                                              \
		const struct ktstr_rendered_value *array = ktstr_rendered_peel(field.raw);                             \
		const struct ktstr_snapshot_error *error = NULL;                                                       \
		_cleanup_free_ type *list = NULL;                                                                      \
														       \
		*values = NULL;                                                                                        \
		*count = 0;                                                                                            \
		if (!array || array->kind != KTSTR_RENDERED_ARRAY || array->len > array->elements_count)               \
			return mismatch(field, "an array that was read whole");                                        \
		list = ktstr_xcalloc(array->elements_count + 1, sizeof(*list));                                        \
		for (size_t i = 0; i < array->elements_count && !error; i++)                                           \
			error = as_##name(ktstr_snapshot_value(field.store, &array->elements[i]), &list[i]);           \
		if (error)                                                                                             \
			return error;                                                                                  \
		*values = ktstr_take(list);                                                                            \
		*count = array->elements_count;                                                                        \
		return NULL;                                                                                           \
	}

KTSTR_SNAPSHOT_ARRAYS(DEFINE_ARRAY)
