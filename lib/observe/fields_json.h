/* SPDX-License-Identifier: GPL-2.0-only */
/* Members of a guest structure as members of a JSON object, by table. What cannot be read is left out. */
#ifndef KTSTR_OBSERVE_FIELDS_JSON_H
#define KTSTR_OBSERVE_FIELDS_JSON_H

#include <jansson.h>

#include "observe/kernel_view.h"

enum ktstr_member_kind {
	KTSTR_MEMBER_UINT,
	KTSTR_MEMBER_INT,
	KTSTR_MEMBER_BOOL,
	KTSTR_MEMBER_ADDRESS,
	KTSTR_MEMBER_TEXT,
};

struct ktstr_member_row {
	const char *key;
	const char *path; /* "a.b", or several to try in turn: "kick_sync|pnt_seq" */
	enum ktstr_member_kind kind;
};

/* Text of a guest is bytes: what is no UTF-8 is escaped, as JSON has no place for it. New reference. */
json_t *ktstr_guest_text_to_json(const char *text);
void ktstr_members_to_json(json_t *json, const struct ktstr_object *object, const struct ktstr_member_row *rows,
			   size_t count);

#endif
