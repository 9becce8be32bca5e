// SPDX-License-Identifier: GPL-2.0-only
/* Tables of members to JSON. */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/fields_json.h"
#include "observe/render.h"

enum { TEXT_MAX = 64 };

json_t *ktstr_guest_text_to_json(const char *text)
{
	_cleanup_str_ struct ktstr_str printable = { 0 };
	json_t *json;

	ktstr_str_add_printable(&printable, text, strlen(text));
	json = json_string(ktstr_str_text(&printable));
	return json ? json : json_string("?");
}

static json_t *member_to_json(const struct ktstr_object *object, const char *path, enum ktstr_member_kind kind)
{
	char text[TEXT_MAX];
	uint64_t value;
	int64_t number;

	switch (kind) {
	case KTSTR_MEMBER_TEXT:
		return ktstr_get_text(object, path, text, sizeof(text)) ? ktstr_guest_text_to_json(text) : NULL;
	case KTSTR_MEMBER_INT:
		return ktstr_get_signed(object, path, &number) ? json_integer((json_int_t)number) : NULL;
	case KTSTR_MEMBER_BOOL:
		return ktstr_get(object, path, &value) ? json_boolean(value != 0) : NULL;
	case KTSTR_MEMBER_ADDRESS:
		return ktstr_get(object, path, &value) ? ktstr_json_address(value) : NULL;
	case KTSTR_MEMBER_UINT:
		return ktstr_get(object, path, &value) ? ktstr_json_exact_u64(value) : NULL;
	}
	return NULL;
}

void ktstr_members_to_json(json_t *json, const struct ktstr_object *object, const struct ktstr_member_row *rows,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *paths = ktstr_xstrdup(rows[i].path);
		char *rest = paths;
		json_t *value = NULL;

		for (char *path = strsep(&rest, "|"); path && !value; path = strsep(&rest, "|"))
			value = member_to_json(object, path, rows[i].kind);
		if (value)
			json_object_set_new(json, rows[i].key, value);
	}
}
