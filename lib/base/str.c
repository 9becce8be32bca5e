// SPDX-License-Identifier: GPL-2.0-only
/* Growing strings, string arrays, nearest names. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static void *require(void *pointer, size_t size)
{
	if (!pointer && size) {
		fputs("ktstr: out of memory\n", stderr);
		abort();
	}
	return pointer;
}

void *ktstr_xmalloc(size_t size)
{
	return require(malloc(size), size);
}

void *ktstr_xcalloc(size_t count, size_t size)
{
	return require(calloc(count, size), count && size);
}

void *ktstr_xrealloc(void *pointer, size_t size)
{
	return require(realloc(pointer, size), size);
}

char *ktstr_xstrdup(const char *text)
{
	return require(strdup(text), 1);
}

char *ktstr_xstrndup(const char *text, size_t length)
{
	return require(strndup(text, length), 1);
}

char *ktstr_xasprintf(const char *fmt, ...)
{
	struct ktstr_str str = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&str, fmt, args);
	va_end(args);
	return ktstr_str_take(&str);
}

static void str_reserve(struct ktstr_str *str, size_t more)
{
	size_t needed = str->length + more + 1;

	if (needed <= str->capacity)
		return;
	while (str->capacity < needed)
		str->capacity = str->capacity ? str->capacity * 2 : 64;
	str->data = ktstr_xrealloc(str->data, str->capacity);
}

void ktstr_str_add_bytes(struct ktstr_str *str, const void *bytes, size_t length)
{
	str_reserve(str, length);
	if (length)
		memcpy(str->data + str->length, bytes, length);
	str->length += length;
	str->data[str->length] = '\0';
}

void ktstr_str_add(struct ktstr_str *str, const char *text)
{
	ktstr_str_add_bytes(str, text, strlen(text));
}

void ktstr_str_vaddf(struct ktstr_str *str, const char *fmt, va_list args)
{
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (length < 0)
		return;
	str_reserve(str, (size_t)length);
	vsnprintf(str->data + str->length, (size_t)length + 1, fmt, args);
	str->length += (size_t)length;
}

void ktstr_str_addf(struct ktstr_str *str, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(str, fmt, args);
	va_end(args);
}

void ktstr_str_deinit(struct ktstr_str *str)
{
	free(str->data);
	*str = (struct ktstr_str){ 0 };
}

const char *ktstr_str_text(const struct ktstr_str *str)
{
	return str->data ? str->data : "";
}

char *ktstr_str_take(struct ktstr_str *str)
{
	char *data = str->data ? str->data : ktstr_xstrdup("");

	*str = (struct ktstr_str){ 0 };
	return data;
}

/* Length of the well-formed UTF-8 sequence (Unicode 15, table 3-7) that starts here, 0 when there is none. */
static size_t utf8_sequence(const unsigned char *bytes, size_t left, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = *bytes < 0x80 ? 1 : *bytes < 0xc0 ? 0 : *bytes < 0xe0 ? 2 : *bytes < 0xf0 ? 3 : *bytes < 0xf8 ? 4 : 0;

	if (!length || length > left)
		return 0;
	*code = length == 1 ? *bytes : *bytes & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	return *code < smallest[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : length;
}

/* Characters that are not seen, but change how a terminal shows others. */
static bool is_shown(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x00, 0x08 }, { 0x0b, 0x1f }, { 0x7f, 0x9f }, /* C0 but tab and newline, DEL, C1 */
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, /* invisible, separators, direction */
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe007f }, /* marks, tags */
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

void ktstr_str_add_printable(struct ktstr_str *str, const char *text, size_t length)
{
	for (size_t i = 0, step; i < length; i += step) {
		uint32_t code = 0;
		size_t sequence = utf8_sequence((const unsigned char *)text + i, length - i, &code);

		step = sequence ? sequence : 1;
		if (sequence && is_shown(code))
			ktstr_str_add_bytes(str, text + i, step);
		else if (text[i] != '\r')
			for (size_t j = i; j < i + step; j++)
				ktstr_str_addf(str, "\\x%02x", (unsigned char)text[j]);
	}
}

static void strv_push(struct ktstr_strv *strv, char *item)
{
	strv->items = ktstr_xrealloc(strv->items, (strv->count + 2) * sizeof(*strv->items));
	strv->items[strv->count++] = item;
	strv->items[strv->count] = NULL;
}

void ktstr_strv_add(struct ktstr_strv *strv, const char *text)
{
	strv_push(strv, ktstr_xstrdup(text));
}

void ktstr_strv_addf(struct ktstr_strv *strv, const char *fmt, ...)
{
	struct ktstr_str str = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&str, fmt, args);
	va_end(args);
	strv_push(strv, ktstr_str_take(&str));
}

bool ktstr_strv_contains(const struct ktstr_strv *strv, const char *text)
{
	for (size_t i = 0; i < strv->count; i++)
		if (!strcmp(strv->items[i], text))
			return true;
	return false;
}

void ktstr_strv_deinit(struct ktstr_strv *strv)
{
	for (size_t i = 0; i < strv->count; i++)
		free(strv->items[i]);
	free(strv->items);
	*strv = (struct ktstr_strv){ 0 };
}

/* Levenshtein distance with case ignored; names longer than the row are never near. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[128];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length >= 128 || b_length >= 128)
		return 128;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
			size_t best = diagonal + !same;

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_length];
}

const char *ktstr_nearest_name(const char *name, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t nearest_distance = strlen(name) / 3 + 1;

	for (size_t i = 0; i < count; i++) {
		size_t distance = edit_distance(name, candidates[i]);

		if (distance <= nearest_distance && (!nearest || distance < nearest_distance)) {
			nearest = candidates[i];
			nearest_distance = distance;
		}
	}
	return nearest;
}

bool ktstr_str_starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool ktstr_str_ends_with(const char *text, const char *suffix)
{
	size_t text_length = strlen(text), suffix_length = strlen(suffix);

	return text_length >= suffix_length && !strcmp(text + text_length - suffix_length, suffix);
}
