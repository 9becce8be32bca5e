/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structs described by a table of their members, so that merging, printing and JSON of a struct is one loop
 * over its table and a new member is one new row.
 */
#ifndef KTSTR_CHECK_MEMBERS_H
#define KTSTR_CHECK_MEMBERS_H

#include <stddef.h>
#include <jansson.h>

#include "base/str.h"
#include "ktstr/cpuset.h"
#include "ktstr/units.h"

enum ktstr_member_type {
	KTSTR_MEMBER_SWITCH,  /* enum ktstr_switch <-> true, false, null */
	KTSTR_MEMBER_OPT_U64, /* number or null */
	KTSTR_MEMBER_OPT_F64, /* number or null */
	KTSTR_MEMBER_U64,
	KTSTR_MEMBER_F64, /* JSON has no NaN and no infinity: both are written as null, read as NaN */
	KTSTR_MEMBER_UINT,
	KTSTR_MEMBER_U16,
	KTSTR_MEMBER_BOOL,
	KTSTR_MEMBER_PHASE, /* struct ktstr_opt_u32 <-> "BASELINE", "Step[k]", null */
	KTSTR_MEMBER_TEXT,  /* heap string or null */
	KTSTR_MEMBER_CPUS,  /* list text, "0-3,5" */
};

struct ktstr_member {
	const char *name;
	enum ktstr_member_type type;
	size_t offset;
};

/* The row of a member; its type is derived from the member. */
#define KTSTR_MEMBER(STRUCT, MEMBER)                                                         \
	{                                                                                    \
		.name = #MEMBER, .offset = offsetof(struct STRUCT, MEMBER),                \
		.type = _Generic(((struct STRUCT *)0)->MEMBER,                             \
				 struct ktstr_opt_u64: KTSTR_MEMBER_OPT_U64,               \
				 struct ktstr_opt_f64: KTSTR_MEMBER_OPT_F64,               \
				 uint64_t: KTSTR_MEMBER_U64,                               \
				 double: KTSTR_MEMBER_F64,                                 \
				 unsigned int: KTSTR_MEMBER_UINT,                          \
				 uint16_t: KTSTR_MEMBER_U16,                               \
				 bool: KTSTR_MEMBER_BOOL,                                  \
				 struct ktstr_opt_u32: KTSTR_MEMBER_PHASE,                 \
				 char *: KTSTR_MEMBER_TEXT,                                \
				 struct ktstr_cpus: KTSTR_MEMBER_CPUS) \
	}

/* An enum is compatible with unsigned int for _Generic, so switches are told apart by hand. */
#define KTSTR_MEMBER_OF_SWITCH(STRUCT, MEMBER)                              \
	{                                                                   \
		.name = #MEMBER, .offset = offsetof(struct STRUCT, MEMBER), \
		.type = KTSTR_MEMBER_SWITCH,                                \
	}

/* False only for an optional member that is unset. */
bool ktstr_member_is_set(const struct ktstr_member *member, const void *object);
/* Plain copy of one member; not for TEXT. */
void ktstr_member_copy(const struct ktstr_member *member, void *to, const void *from);
/* "on", "off", "3000", "12.5", list text; "none" when unset. */
void ktstr_member_format(const struct ktstr_member *member, const void *object,
			 struct ktstr_str *out);

/* A new object with a key per row; NULL without memory. */
json_t *ktstr_struct_to_json(const struct ktstr_member *members, size_t count, const void *object);
/*
 * Reads every row's key into a zero-initialised object. Unknown keys are ignored, a nullable key may be
 * missing; anything else is KTSTR_ERR_CORRUPT, "<key>: ...". The caller frees TEXT members either way.
 */
struct ktstr_error *ktstr_struct_from_json(const struct ktstr_member *members, size_t count,
					    const json_t *json, void *object) KTSTR_CHECKED;

/* A short decimal text that reads back as the same double. */
void ktstr_format_f64(double value, struct ktstr_str *out);

#endif
