// SPDX-License-Identifier: GPL-2.0-only
/* The driver of the tables of shape.h. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "dump/number.h"
#include "dump/shape.h"

/* Errors name the whole path: "maps" and "[3].name: expected ..." are joined as they are, others by what belongs there. */
static struct ktstr_error *at(const char *key, struct ktstr_error *error)
{
	const char *message = ktstr_error_message(error);
	struct ktstr_error *placed;
	const char *between;

	if (!error)
		return NULL;
	between = message[0] == '[' ? "" : ktstr_str_starts_with(message, "expected ") ? ": " : ".";
	placed = ktstr_error_new(KTSTR_ERR_CORRUPT, "%s%s%s", key, between, message);
	ktstr_error_free(error);
	return placed;
}

static struct ktstr_error *expected(const char *what)
{
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "expected %s", what);
}

static struct ktstr_error *read_number(const json_t *json, uint64_t max, uint64_t *value)
{
	bool negative;

	if (!ktstr_json_read_exact(json, value, &negative) || negative || *value > max)
		return expected(max == UINT32_MAX ? "a number of at most 32 bits" : "a number, not negative");
	return NULL;
}

static struct ktstr_error *read_signed(const json_t *json, int64_t *value)
{
	if (!json_is_integer(json))
		return expected("an integer");
	*value = json_integer_value(json);
	return NULL;
}

static struct ktstr_error *read_text(const json_t *json, char **text)
{
	if (!json_is_string(json) || strlen(json_string_value(json)) != json_string_length(json))
		return expected("text without a zero byte");
	*text = ktstr_xstrdup(json_string_value(json));
	return NULL;
}

static struct ktstr_error *read_object(const struct ktstr_shape *shape, const json_t *json, void **object)
{
	*object = ktstr_xcalloc(1, shape->bytes);
	return ktstr_shape_from_json(shape, json, *object);
}

static size_t item_bytes(const struct ktstr_slot *slot)
{
	return slot->type == KTSTR_SLOT_LIST ? slot->of->bytes : sizeof(uint64_t);
}

static struct ktstr_error *read_item(const struct ktstr_slot *slot, const json_t *json, void *item)
{
	switch (slot->type) {
	case KTSTR_SLOT_NUMBERS:
		return read_number(json, UINT64_MAX, item);
	case KTSTR_SLOT_LIST:
		return ktstr_shape_from_json(slot->of, json, item);
	default:
		return json_is_null(json) ? NULL : read_object(slot->of, json, item);
	}
}

static struct ktstr_error *read_list(const struct ktstr_slot *slot, const json_t *json, void **list, size_t *count)
{
	char number[32];

	if (!json_is_array(json))
		return expected("a list");
	*list = ktstr_xcalloc(json_array_size(json) + 1, item_bytes(slot));
	for (*count = 0; *count < json_array_size(json);) {
		size_t i = (*count)++; /* a half-read item is freed, too */

		snprintf(number, sizeof(number), "[%zu]", i);
		KTSTR_TRY(at(number, read_item(slot, json_array_get(json, i), (char *)*list + i * item_bytes(slot))));
	}
	return NULL;
}

static struct ktstr_error *read_bool(const json_t *json, bool *value)
{
	if (!json_is_boolean(json))
		return expected("true or false");
	*value = json_is_true(json);
	return NULL;
}

static struct ktstr_error *read_slot(const struct ktstr_slot *slot, const json_t *json, void *object)
{
	void *member = (char *)object + slot->offset;
	uint64_t number;
	bool flag = false;

	switch (slot->type) {
	case KTSTR_SLOT_U64:
		return read_number(json, UINT64_MAX, member);
	case KTSTR_SLOT_I64:
		return read_signed(json, member);
	case KTSTR_SLOT_U32:
		KTSTR_TRY(read_number(json, UINT32_MAX, &number));
		*(uint32_t *)member = (uint32_t)number;
		return NULL;
	case KTSTR_SLOT_F64:
		if (!json_is_number(json))
			return expected("a number");
		*(double *)member = json_number_value(json);
		return NULL;
	case KTSTR_SLOT_BOOL:
		return read_bool(json, member);
	case KTSTR_SLOT_BOOL_NUMBER:
		KTSTR_TRY(read_bool(json, &flag));
		*(uint64_t *)member = flag;
		return NULL;
	case KTSTR_SLOT_TEXT:
		return read_text(json, member);
	case KTSTR_SLOT_OPT_U64:
		((struct ktstr_opt_u64 *)member)->set = true;
		return read_number(json, UINT64_MAX, &((struct ktstr_opt_u64 *)member)->value);
	case KTSTR_SLOT_OPT_I64:
		((struct ktstr_opt_i64 *)member)->set = true;
		return read_signed(json, &((struct ktstr_opt_i64 *)member)->value);
	case KTSTR_SLOT_OPT_U32:
		KTSTR_TRY(read_number(json, UINT32_MAX, &number));
		*(struct ktstr_opt_u32 *)member = (struct ktstr_opt_u32){ true, (uint32_t)number };
		return NULL;
	case KTSTR_SLOT_OBJECT:
		return read_object(slot->of, json, member);
	case KTSTR_SLOT_NUMBERS:
	case KTSTR_SLOT_LIST:
	case KTSTR_SLOT_NULLABLE:
		return read_list(slot, json, member, (size_t *)((char *)object + slot->count_offset));
	}
	return NULL;
}

struct ktstr_error *ktstr_shape_from_json(const struct ktstr_shape *shape, const json_t *json, void *object)
{
	const char *schema = json_string_value(json_object_get(json, "schema"));

	if (!json_is_object(json))
		return expected("an object");
	if (shape->schema && (!schema || strcmp(schema, shape->schema)))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "expected a dump of schema \"%s\"", shape->schema);
	if (shape->variant)
		shape = shape->variant(json, object);
	if (!shape)
		return expected("a kind that is known");
	for (size_t i = 0; i < shape->slots_count; i++) {
		const struct ktstr_slot *slot = &shape->slots[i];
		const json_t *member = json_object_get(json, slot->key);

		if (member)
			KTSTR_TRY(at(slot->key, read_slot(slot, member, object)));
		else if (slot->flags & KTSTR_SLOT_REQUIRED)
			return at(slot->key, expected("to be there"));
	}
	return NULL;
}

static json_t *number_to_json(const struct ktstr_slot *slot, uint64_t number)
{
	if (slot->flags & KTSTR_SLOT_OMIT_ZERO && !number)
		return NULL;
	return slot->flags & KTSTR_SLOT_HEX ? ktstr_json_address(number) : ktstr_json_exact_u64(number);
}

static json_t *item_to_json(const struct ktstr_slot *slot, const void *item)
{
	const void *pointee;

	switch (slot->type) {
	case KTSTR_SLOT_NUMBERS:
		return number_to_json(slot, *(const uint64_t *)item);
	case KTSTR_SLOT_LIST:
		return ktstr_shape_to_json(slot->of, item);
	default:
		pointee = *(const void *const *)item;
		return pointee ? ktstr_shape_to_json(slot->of, pointee) : json_null();
	}
}

/* Empty lists are left out. */
static json_t *list_to_json(const struct ktstr_slot *slot, const void *list, size_t count)
{
	json_t *array = count ? json_array() : NULL;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, item_to_json(slot, (const char *)list + i * item_bytes(slot)));
	return array;
}

/* NULL: the member is absent. */
static json_t *slot_to_json(const struct ktstr_slot *slot, const void *object)
{
	const void *member = (const char *)object + slot->offset;
	const void *pointee;

	switch (slot->type) {
	case KTSTR_SLOT_U64:
		return number_to_json(slot, *(const uint64_t *)member);
	case KTSTR_SLOT_I64:
		return json_integer(*(const int64_t *)member);
	case KTSTR_SLOT_U32:
		return number_to_json(slot, *(const uint32_t *)member);
	case KTSTR_SLOT_F64:
		return json_real(*(const double *)member);
	case KTSTR_SLOT_BOOL:
		if (slot->flags & KTSTR_SLOT_OMIT_ZERO && !*(const bool *)member)
			return NULL;
		return json_boolean(*(const bool *)member);
	case KTSTR_SLOT_BOOL_NUMBER:
		return json_boolean(*(const uint64_t *)member);
	case KTSTR_SLOT_TEXT:
		return *(char *const *)member ? json_string(*(char *const *)member) : NULL;
	case KTSTR_SLOT_OPT_U64:
		return ((const struct ktstr_opt_u64 *)member)->set ?
			       number_to_json(slot, ((const struct ktstr_opt_u64 *)member)->value) :
			       NULL;
	case KTSTR_SLOT_OPT_I64:
		return ((const struct ktstr_opt_i64 *)member)->set ?
			       json_integer(((const struct ktstr_opt_i64 *)member)->value) :
			       NULL;
	case KTSTR_SLOT_OPT_U32:
		return ((const struct ktstr_opt_u32 *)member)->set ?
			       number_to_json(slot, ((const struct ktstr_opt_u32 *)member)->value) :
			       NULL;
	case KTSTR_SLOT_OBJECT:
		pointee = *(const void *const *)member;
		return pointee ? ktstr_shape_to_json(slot->of, pointee) : NULL;
	case KTSTR_SLOT_NUMBERS:
	case KTSTR_SLOT_LIST:
	case KTSTR_SLOT_NULLABLE:
		return list_to_json(slot, *(const void *const *)member,
				    *(const size_t *)((const char *)object + slot->count_offset));
	}
	return NULL;
}

json_t *ktstr_shape_to_json(const struct ktstr_shape *shape, const void *object)
{
	json_t *json = json_object();

	if (shape->schema)
		json_object_set_new(json, "schema", json_string(shape->schema));
	if (shape->variant) {
		shape = shape->variant(NULL, (void *)object);
		json_object_set_new(json, "kind", json_string(shape->name));
	}
	for (size_t i = 0; i < shape->slots_count; i++) {
		json_t *member = slot_to_json(&shape->slots[i], object);

		if (member)
			json_object_set_new(json, shape->slots[i].key, member);
	}
	return json;
}

static void free_object(const struct ktstr_shape *shape, void *object)
{
	if (object)
		ktstr_shape_deinit(shape, object);
	free(object);
}

static void free_list(const struct ktstr_slot *slot, void *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *item = (char *)list + i * item_bytes(slot);

		if (slot->type == KTSTR_SLOT_LIST)
			ktstr_shape_deinit(slot->of, item);
		else if (slot->type == KTSTR_SLOT_NULLABLE)
			free_object(slot->of, *(void **)item);
	}
	free(list);
}

void ktstr_shape_deinit(const struct ktstr_shape *shape, void *object)
{
	if (shape->variant)
		shape = shape->variant(NULL, object);
	for (size_t i = 0; i < shape->slots_count; i++) {
		const struct ktstr_slot *slot = &shape->slots[i];
		void *member = (char *)object + slot->offset;

		if (slot->type == KTSTR_SLOT_TEXT)
			free(*(char **)member);
		else if (slot->type == KTSTR_SLOT_OBJECT)
			free_object(slot->of, *(void **)member);
		else if (slot->type >= KTSTR_SLOT_NUMBERS)
			free_list(slot, *(void **)member, *(size_t *)((char *)object + slot->count_offset));
	}
}
