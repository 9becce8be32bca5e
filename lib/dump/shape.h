/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structs described by tables of their members: reading them from JSON, writing them and freeing them is one loop over
 * the table. Lists are a pointer `foo` and a count `foo_count`; texts and objects are heap.
 */
#ifndef KTSTR_DUMP_SHAPE_H
#define KTSTR_DUMP_SHAPE_H

#include <jansson.h>
#include <stddef.h>

#include "ktstr/dump.h"

enum ktstr_slot_type {
	KTSTR_SLOT_U64,
	KTSTR_SLOT_I64,
	KTSTR_SLOT_U32,
	KTSTR_SLOT_F64,
	KTSTR_SLOT_BOOL,
	KTSTR_SLOT_BOOL_NUMBER, /* true or false in JSON, 1 or 0 in a uint64_t */
	KTSTR_SLOT_TEXT, /* NULL = absent */
	KTSTR_SLOT_OPT_U64,
	KTSTR_SLOT_OPT_I64,
	KTSTR_SLOT_OPT_U32,
	KTSTR_SLOT_NUMBERS, /* uint64_t * */
	KTSTR_SLOT_OBJECT, /* pointer to a struct of shape `of`, NULL = absent */
	KTSTR_SLOT_LIST, /* array of such structs */
	KTSTR_SLOT_NULLABLE, /* array of pointers to such structs; NULL = null */
};

enum {
	KTSTR_SLOT_REQUIRED = 1, /* JSON without it is corrupt */
	KTSTR_SLOT_HEX = 2, /* numbers are written as addresses */
	KTSTR_SLOT_OMIT_ZERO = 4, /* 0 and false are not written */
};

struct ktstr_slot {
	const char *key;
	enum ktstr_slot_type type;
	unsigned int flags;
	size_t offset, count_offset;
	const struct ktstr_shape *of;
};

struct ktstr_shape {
	const char *name; /* in docs/schema: "map", "dsq_state" */
	const char *schema; /* value of the key "schema", NULL = it has none */
	size_t bytes;
	const struct ktstr_slot *slots;
	size_t slots_count;
	/*
	 * For a struct whose members depend on one of them: reads (json != NULL) or looks at that one and gives the shape
	 * of the rest; NULL when there is none. NULL = the slots above are all.
	 */
	const struct ktstr_shape *(*variant)(const json_t *json, void *object);
};

/* A member whose type says which slot it is. */
#define KTSTR_SLOT(STRUCT, MEMBER, FLAGS)                                                                              \
	{                                                                                                              \
		.key = #MEMBER, .flags = (FLAGS), .offset = offsetof(struct STRUCT, MEMBER),                           \
		.type = _Generic(((struct STRUCT *)0)->MEMBER,                                                         \
				 uint64_t: KTSTR_SLOT_U64,                                                             \
				 int64_t: KTSTR_SLOT_I64,                                                              \
				 uint32_t: KTSTR_SLOT_U32,                                                             \
				 double: KTSTR_SLOT_F64,                                                               \
				 bool: KTSTR_SLOT_BOOL,                                                                \
				 char *: KTSTR_SLOT_TEXT,                                                              \
				 struct ktstr_opt_u64: KTSTR_SLOT_OPT_U64,                                             \
				 struct ktstr_opt_i64: KTSTR_SLOT_OPT_I64,                                             \
				 struct ktstr_opt_u32: KTSTR_SLOT_OPT_U32)                                             \
	}
#define KTSTR_SLOT_LIST_(STRUCT, MEMBER, TYPE, FLAGS, OF)                                                              \
	{                                                                                                              \
		.key = #MEMBER, .type = (TYPE), .flags = (FLAGS), .offset = offsetof(struct STRUCT, MEMBER),           \
		.count_offset = offsetof(struct STRUCT, MEMBER##_count), .of = (OF)                                    \
	}
#define KTSTR_SLOT_NUMBERS(STRUCT, MEMBER, FLAGS) KTSTR_SLOT_LIST_(STRUCT, MEMBER, KTSTR_SLOT_NUMBERS, FLAGS, NULL)
#define KTSTR_SLOT_LIST(STRUCT, MEMBER, OF)	  KTSTR_SLOT_LIST_(STRUCT, MEMBER, KTSTR_SLOT_LIST, 0, OF)
#define KTSTR_SLOT_NULLABLE(STRUCT, MEMBER, OF)	  KTSTR_SLOT_LIST_(STRUCT, MEMBER, KTSTR_SLOT_NULLABLE, 0, OF)
#define KTSTR_SLOT_OBJECT(STRUCT, MEMBER, OF, FLAGS)                                                                   \
	{                                                                                                              \
		.key = #MEMBER, .type = KTSTR_SLOT_OBJECT, .flags = (FLAGS),                                           \
		.offset = offsetof(struct STRUCT, MEMBER), .of = (OF)                                                  \
	}
#define KTSTR_SHAPE(NAME, STRUCT, SLOTS)                                                                               \
	{                                                                                                              \
		.name = (NAME), .bytes = sizeof(struct STRUCT), .slots = (SLOTS),                                      \
		.slots_count = sizeof(SLOTS) / sizeof((SLOTS)[0])                                                      \
	}

extern const struct ktstr_shape ktstr_value_shape; /* struct ktstr_rendered_value */
extern const struct ktstr_shape ktstr_value_shapes[KTSTR_RENDERED_KINDS]; /* its variants */
extern const struct ktstr_shape ktstr_single_shape, ktstr_dual_shape, ktstr_degraded_shape;
/* Every shape that the three dumps are made of, the variants of values left out. */
extern const struct ktstr_shape *const ktstr_dump_shapes[];
extern const size_t ktstr_dump_shapes_count;

/* Reads into a zeroed object, which the caller frees also after an error: KTSTR_ERR_CORRUPT, "<key>[<n>].<key>: ...". */
struct ktstr_error *ktstr_shape_from_json(const struct ktstr_shape *shape, const json_t *json, void *object)
	KTSTR_CHECKED;
/* New reference. */
json_t *ktstr_shape_to_json(const struct ktstr_shape *shape, const void *object);
/* Frees what the object holds, not the object. */
void ktstr_shape_deinit(const struct ktstr_shape *shape, void *object);

#endif
