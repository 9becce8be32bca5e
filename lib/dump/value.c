// SPDX-License-Identifier: GPL-2.0-only
/* Rendered values: what each kind has in JSON, and looking at members. */
#include <string.h>

#include "dump/shape.h"

enum { POINTERS_MAX = 16 };

#define VALUE(KEY, TYPE, MEMBER, FLAGS)                                                                                \
	{                                                                                                              \
		.key = (KEY), .type = (TYPE), .flags = (FLAGS), .offset = offsetof(struct ktstr_rendered_value, MEMBER) \
	}
#define BITS	     VALUE("bits", KTSTR_SLOT_U32, bits, KTSTR_SLOT_REQUIRED)
#define PART(KEY, MEMBER, FLAGS)                                                                                       \
	{                                                                                                              \
		.key = (KEY), .type = KTSTR_SLOT_OBJECT, .flags = (FLAGS),                                             \
		.offset = offsetof(struct ktstr_rendered_value, MEMBER), .of = &ktstr_value_shape                      \
	}

static const struct ktstr_slot member_slots[] = {
	KTSTR_SLOT(ktstr_rendered_member, name, KTSTR_SLOT_REQUIRED),
	KTSTR_SLOT_OBJECT(ktstr_rendered_member, value, &ktstr_value_shape, KTSTR_SLOT_REQUIRED),
};
static const struct ktstr_shape member_shape = KTSTR_SHAPE("member", ktstr_rendered_member, member_slots);

static const struct ktstr_slot int_slots[] = { BITS, VALUE("value", KTSTR_SLOT_I64, number, KTSTR_SLOT_REQUIRED) };
static const struct ktstr_slot uint_slots[] = { BITS, VALUE("value", KTSTR_SLOT_U64, number, KTSTR_SLOT_REQUIRED) };
static const struct ktstr_slot bool_slots[] = {
	VALUE("value", KTSTR_SLOT_BOOL_NUMBER, number, KTSTR_SLOT_REQUIRED),
};
static const struct ktstr_slot char_slots[] = { VALUE("value", KTSTR_SLOT_U64, number, KTSTR_SLOT_REQUIRED) };
static const struct ktstr_slot float_slots[] = { BITS, VALUE("value", KTSTR_SLOT_F64, real, KTSTR_SLOT_REQUIRED) };
/* A signed enumerator is an integer, any other a number that may need all 64 bits. */
static const struct ktstr_slot enum_slots[] = {
	BITS,
	VALUE("value", KTSTR_SLOT_U64, number, KTSTR_SLOT_REQUIRED),
	VALUE("variant", KTSTR_SLOT_TEXT, text, 0),
	VALUE("is_signed", KTSTR_SLOT_BOOL, is_signed, KTSTR_SLOT_REQUIRED),
};
static const struct ktstr_slot signed_enum_slots[] = {
	BITS,
	VALUE("value", KTSTR_SLOT_I64, number, KTSTR_SLOT_REQUIRED),
	VALUE("variant", KTSTR_SLOT_TEXT, text, 0),
	VALUE("is_signed", KTSTR_SLOT_BOOL, is_signed, KTSTR_SLOT_REQUIRED),
};
static const struct ktstr_slot struct_slots[] = {
	VALUE("type_name", KTSTR_SLOT_TEXT, text, 0),
	KTSTR_SLOT_LIST(ktstr_rendered_value, members, &member_shape),
};
static const struct ktstr_slot array_slots[] = {
	VALUE("len", KTSTR_SLOT_U64, len, KTSTR_SLOT_REQUIRED),
	KTSTR_SLOT_LIST(ktstr_rendered_value, elements, &ktstr_value_shape),
};
static const struct ktstr_slot cpu_list_slots[] = { VALUE("cpus", KTSTR_SLOT_TEXT, text, KTSTR_SLOT_REQUIRED) };
static const struct ktstr_slot ptr_slots[] = {
	VALUE("value", KTSTR_SLOT_U64, number, KTSTR_SLOT_REQUIRED | KTSTR_SLOT_HEX),
	PART("deref", deref, 0),
	VALUE("deref_skipped_reason", KTSTR_SLOT_TEXT, reason, 0),
	VALUE("cast_annotation", KTSTR_SLOT_TEXT, annotation, 0),
};
static const struct ktstr_slot bytes_slots[] = { VALUE("hex", KTSTR_SLOT_TEXT, text, KTSTR_SLOT_REQUIRED) };
static const struct ktstr_slot truncated_slots[] = {
	VALUE("needed", KTSTR_SLOT_U64, needed, KTSTR_SLOT_REQUIRED),
	VALUE("had", KTSTR_SLOT_U64, had, KTSTR_SLOT_REQUIRED),
	PART("partial", partial, KTSTR_SLOT_REQUIRED),
};
static const struct ktstr_slot unsupported_slots[] = { VALUE("reason", KTSTR_SLOT_TEXT, reason, KTSTR_SLOT_REQUIRED) };

const struct ktstr_shape ktstr_value_shapes[KTSTR_RENDERED_KINDS] = {
	[KTSTR_RENDERED_INT] = KTSTR_SHAPE("int", ktstr_rendered_value, int_slots),
	[KTSTR_RENDERED_UINT] = KTSTR_SHAPE("uint", ktstr_rendered_value, uint_slots),
	[KTSTR_RENDERED_BOOL] = KTSTR_SHAPE("bool", ktstr_rendered_value, bool_slots),
	[KTSTR_RENDERED_CHAR] = KTSTR_SHAPE("char", ktstr_rendered_value, char_slots),
	[KTSTR_RENDERED_FLOAT] = KTSTR_SHAPE("float", ktstr_rendered_value, float_slots),
	[KTSTR_RENDERED_ENUM] = KTSTR_SHAPE("enum", ktstr_rendered_value, enum_slots),
	[KTSTR_RENDERED_STRUCT] = KTSTR_SHAPE("struct", ktstr_rendered_value, struct_slots),
	[KTSTR_RENDERED_ARRAY] = KTSTR_SHAPE("array", ktstr_rendered_value, array_slots),
	[KTSTR_RENDERED_CPU_LIST] = KTSTR_SHAPE("cpu_list", ktstr_rendered_value, cpu_list_slots),
	[KTSTR_RENDERED_PTR] = KTSTR_SHAPE("ptr", ktstr_rendered_value, ptr_slots),
	[KTSTR_RENDERED_BYTES] = KTSTR_SHAPE("bytes", ktstr_rendered_value, bytes_slots),
	[KTSTR_RENDERED_TRUNCATED] = KTSTR_SHAPE("truncated", ktstr_rendered_value, truncated_slots),
	[KTSTR_RENDERED_UNSUPPORTED] = KTSTR_SHAPE("unsupported", ktstr_rendered_value, unsupported_slots),
};
static const struct ktstr_shape signed_enum_shape = KTSTR_SHAPE("enum", ktstr_rendered_value, signed_enum_slots);

static const struct ktstr_shape *shape_of_kind(const json_t *json, void *object)
{
	struct ktstr_rendered_value *value = object;
	const char *kind = json_string_value(json_object_get(json, "kind"));
	bool found = !json;

	for (int i = 0; kind && !found && i < KTSTR_RENDERED_KINDS; i++) {
		found = !strcmp(kind, ktstr_value_shapes[i].name);
		if (found)
			value->kind = (enum ktstr_rendered_kind)i;
	}
	if (!found)
		return NULL;
	if (json)
		value->is_signed = json_is_true(json_object_get(json, "is_signed"));
	return value->kind == KTSTR_RENDERED_ENUM && value->is_signed ? &signed_enum_shape :
									 &ktstr_value_shapes[value->kind];
}

const struct ktstr_shape ktstr_value_shape = {
	.name = "value", .bytes = sizeof(struct ktstr_rendered_value), .variant = shape_of_kind,
};

const char *ktstr_rendered_kind_name(enum ktstr_rendered_kind kind)
{
	return kind < KTSTR_RENDERED_KINDS ? ktstr_value_shapes[kind].name : "unknown";
}

const struct ktstr_rendered_value *ktstr_rendered_peel(const struct ktstr_rendered_value *value)
{
	for (int i = 0; value && i < POINTERS_MAX; i++) {
		if (value->kind == KTSTR_RENDERED_PTR && value->deref)
			value = value->deref;
		else if (value->kind == KTSTR_RENDERED_TRUNCATED && value->partial)
			value = value->partial;
		else
			break;
	}
	return value;
}

const struct ktstr_rendered_value *ktstr_rendered_member(const struct ktstr_rendered_value *value, const char *name)
{
	const struct ktstr_rendered_value *hit;

	if (!value || value->kind != KTSTR_RENDERED_STRUCT)
		return NULL;
	for (size_t i = 0; i < value->members_count; i++)
		if (!strcmp(value->members[i].name, name))
			return value->members[i].value;
	for (size_t i = 0; i < value->members_count; i++) {
		hit = value->members[i].name[0] ? NULL : ktstr_rendered_member(value->members[i].value, name);
		if (hit)
			return hit;
	}
	return NULL;
}
