// SPDX-License-Identifier: GPL-2.0-only
/* Writing text that may not be UTF-8, and reading JSON made by a guest: types checked, sizes capped. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "check/json_util.h"

#define CUT_MARK " [cut]"

/* The longest prefix of at most `limit` bytes that ends between two UTF-8 characters. */
static size_t cut_length(const char *text, size_t limit)
{
	while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}

static json_t *visible_bytes(const char *text, size_t length)
{
	_cleanup_str_ struct ktstr_str out = { 0 };

	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x80)
			ktstr_str_add_bytes(&out, &text[i], 1);
		else
			ktstr_str_addf(&out, "\\x%02x", (unsigned char)text[i]);
	}
	return json_string(ktstr_str_text(&out));
}

json_t *ktstr_json_text(const char *text)
{
	_cleanup_free_ char *cut = NULL;
	size_t length;
	json_t *json;

	if (!text)
		return json_null();
	length = strlen(text);
	if (length > KTSTR_JSON_TEXT_MAX) {
		size_t keep = cut_length(text, KTSTR_JSON_TEXT_MAX - strlen(CUT_MARK));

		cut = ktstr_xasprintf("%.*s" CUT_MARK, (int)keep, text);
		text = cut;
		length = strlen(cut);
	}
	json = json_stringn(text, length);
	/* One byte becomes up to four. */
	return json ?: visible_bytes(text, length > KTSTR_JSON_TEXT_MAX / 4 ? KTSTR_JSON_TEXT_MAX / 4 :
									      length);
}

char *ktstr_json_key(const char *text)
{
	json_t *json = ktstr_json_text(text);
	char *key = ktstr_xstrdup(json_string_value(json));

	json_decref(json);
	return key;
}

json_t *ktstr_json_f64(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

json_t *ktstr_json_u64(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

json_t *ktstr_json_opt_u64(struct ktstr_opt_u64 value)
{
	return value.set ? ktstr_json_u64(value.value) : json_null();
}

static const char *type_name(const json_t *json)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",	 [JSON_STRING] = "text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a number",	 [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",	     [JSON_NULL] = "null",
	};

	return json ? names[json_typeof(json)] : "nothing";
}

struct ktstr_error *ktstr_json_mismatch(const json_t *json, const char *what)
{
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "expected %s, got %s", what, type_name(json));
}

struct ktstr_error *ktstr_json_read_text(const json_t *json, char **text)
{
	size_t length;

	if (!json_is_string(json))
		return ktstr_json_mismatch(json, "text");
	length = json_string_length(json);
	if (length > KTSTR_JSON_TEXT_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "text of %zu bytes, at most %d are read",
				       length, KTSTR_JSON_TEXT_MAX);
	if (memchr(json_string_value(json), 0, length))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "text contains a zero byte");
	*text = ktstr_xstrdup(json_string_value(json));
	return NULL;
}

struct ktstr_error *ktstr_json_read_f64(const json_t *json, double *value)
{
	if (!json_is_number(json))
		return ktstr_json_mismatch(json, "a number");
	*value = json_number_value(json);
	return NULL;
}

struct ktstr_error *ktstr_json_read_u64(const json_t *json, uint64_t *value)
{
	double real = json_real_value(json); /* 0 when it is no real */

	if (json_is_integer(json) && json_integer_value(json) >= 0) {
		*value = (uint64_t)json_integer_value(json);
		return NULL;
	}
	if (json_is_real(json) && real >= 0 && real == trunc(real)) {
		*value = real >= 0x1p64 ? UINT64_MAX : (uint64_t)real;
		return NULL;
	}
	if (json_is_number(json))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "expected a whole number >= 0, got %g",
				       json_number_value(json));
	return ktstr_json_mismatch(json, "a whole number >= 0");
}

struct ktstr_error *ktstr_json_read_array(const json_t *object, const char *key,
					  struct ktstr_error *(*read_item)(const json_t *item,
									   void *context),
					  void *context)
{
	const json_t *array = json_object_get(object, key);

	if (!json_is_array(array))
		return ktstr_error_wrap(ktstr_json_mismatch(array, "an array"), "%s", key);
	if (json_array_size(array) > KTSTR_JSON_ITEMS_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %zu items, at most %d are read", key,
				       json_array_size(array), KTSTR_JSON_ITEMS_MAX);
	for (size_t i = 0; i < json_array_size(array); i++)
		KTSTR_TRY_WRAP(read_item(json_array_get(array, i), context), "%s[%zu]", key, i);
	return NULL;
}
