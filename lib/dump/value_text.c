// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rendered values as text. What is zero is left out of structs and arrays: a dump is read for what is set. A value that
 * fits takes one line, else a struct has a line a compound member and three scalars a line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dump/text.h"

enum { SCALARS_PER_LINE = 3, HEX_SHOWN = 128, WIDE_BITS = 32, NO_LIMIT = 1 << 20 };

void ktstr_text_guest(struct ktstr_str *out, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\n");

		ktstr_str_add_printable(out, text, length);
		if (!text[length])
			return;
		ktstr_str_add(out, "\\n");
		text += length + 1;
	}
}

void ktstr_text_line(struct ktstr_str *out, int indent)
{
	ktstr_str_addf(out, "\n%*s", indent, "");
}

static bool all_zero_digits(const char *hex)
{
	return hex[strspn(hex, "0")] == '\0';
}

bool ktstr_value_is_zero(const struct ktstr_rendered_value *value)
{
	switch (value->kind) {
	case KTSTR_RENDERED_FLOAT:
		return value->real == 0;
	case KTSTR_RENDERED_STRUCT:
		for (size_t i = 0; i < value->members_count; i++)
			if (!ktstr_value_is_zero(value->members[i].value))
				return false;
		return true;
	case KTSTR_RENDERED_ARRAY:
		for (size_t i = 0; i < value->elements_count; i++)
			if (!ktstr_value_is_zero(&value->elements[i]))
				return false;
		return true;
	case KTSTR_RENDERED_CPU_LIST:
		return !value->text[0];
	case KTSTR_RENDERED_BYTES:
		return all_zero_digits(value->text);
	case KTSTR_RENDERED_TRUNCATED:
	case KTSTR_RENDERED_UNSUPPORTED:
		return false;
	default:
		return !value->number;
	}
}

bool ktstr_value_is_scalar(const struct ktstr_rendered_value *value)
{
	switch (value->kind) {
	case KTSTR_RENDERED_STRUCT:
	case KTSTR_RENDERED_ARRAY:
	case KTSTR_RENDERED_TRUNCATED:
		return false;
	case KTSTR_RENDERED_PTR:
		return !value->deref;
	default:
		return true;
	}
}

static void character(struct ktstr_str *out, uint64_t code)
{
	if (code >= 0x20 && code < 0x7f)
		ktstr_str_addf(out, "'%c'", (int)code);
	else
		ktstr_str_addf(out, "0x%02llx", (unsigned long long)code);
}

static void enumerator(struct ktstr_str *out, const struct ktstr_rendered_value *value)
{
	char number[24];

	snprintf(number, sizeof(number), value->is_signed ? "%lld" : "%llu", (long long)value->number);
	if (value->text) {
		ktstr_text_guest(out, value->text);
		ktstr_str_addf(out, " (%s)", number);
	} else {
		ktstr_str_add(out, number);
	}
}

static void pointer(struct ktstr_str *out, const struct ktstr_rendered_value *value)
{
	ktstr_str_addf(out, "0x%llx", (unsigned long long)value->number);
	if (value->annotation) {
		ktstr_str_add(out, " (");
		ktstr_text_guest(out, value->annotation);
		ktstr_str_add(out, ")");
	}
	if (value->reason && ktstr_str_starts_with(value->reason, "cycle")) {
		ktstr_str_add(out, " [cycle]");
	} else if (value->reason) {
		ktstr_str_add(out, " [chase: ");
		ktstr_text_guest(out, value->reason);
		ktstr_str_add(out, "]");
	}
	if (value->deref)
		ktstr_str_add(out, " → ");
}

static void scalar(struct ktstr_str *out, const struct ktstr_rendered_value *value, bool hex)
{
	switch (value->kind) {
	case KTSTR_RENDERED_INT:
		ktstr_str_addf(out, "%lld", (long long)value->number);
		break;
	case KTSTR_RENDERED_UINT:
		ktstr_str_addf(out, hex && value->bits >= WIDE_BITS ? "0x%llx" : "%llu",
			       (unsigned long long)value->number);
		break;
	case KTSTR_RENDERED_BOOL:
		ktstr_str_add(out, value->number ? "true" : "false");
		break;
	case KTSTR_RENDERED_CHAR:
		character(out, value->number);
		break;
	case KTSTR_RENDERED_FLOAT:
		ktstr_str_addf(out, "%g", value->real);
		break;
	case KTSTR_RENDERED_ENUM:
		enumerator(out, value);
		break;
	case KTSTR_RENDERED_CPU_LIST:
		ktstr_str_add(out, "cpus={");
		ktstr_text_guest(out, value->text);
		ktstr_str_add(out, "}");
		break;
	case KTSTR_RENDERED_PTR:
		pointer(out, value);
		break;
	case KTSTR_RENDERED_BYTES:
		ktstr_str_addf(out, "%.*s", HEX_SHOWN, value->text[0] ? value->text : "(no bytes)");
		if (strlen(value->text) > HEX_SHOWN)
			ktstr_str_addf(out, "... (%zu bytes)", strlen(value->text) / 2);
		break;
	default:
		ktstr_str_add(out, "<");
		ktstr_text_guest(out, value->reason ? value->reason : "?");
		ktstr_str_add(out, ">");
	}
}

/* 8-bit numbers up to a zero byte, behind which there is none but zeros, all of them printable. */
static bool is_text(const struct ktstr_rendered_value *array)
{
	size_t length = 0;

	for (; length < array->elements_count; length++) {
		const struct ktstr_rendered_value *element = &array->elements[length];
		bool byte = element->kind == KTSTR_RENDERED_CHAR || (element->bits == 8 && ktstr_value_is_scalar(element));

		if (!byte)
			return false;
		if (!element->number)
			break;
		if (element->number < 0x20 || element->number > 0x7e)
			return false;
	}
	for (size_t i = length; i < array->elements_count; i++)
		if (!ktstr_value_is_zero(&array->elements[i]))
			return false;
	return length > 0;
}

static void text_of_array(struct ktstr_str *out, const struct ktstr_rendered_value *array)
{
	ktstr_str_add(out, "\"");
	for (size_t i = 0; i < array->elements_count && array->elements[i].number; i++) {
		if (array->elements[i].number == '"' || array->elements[i].number == '\\')
			ktstr_str_add(out, "\\");
		ktstr_str_addf(out, "%c", (int)array->elements[i].number);
	}
	ktstr_str_add(out, "\"");
}

static bool same(const struct ktstr_rendered_value *a, const struct ktstr_rendered_value *b)
{
	_cleanup_str_ struct ktstr_str one = { 0 }, other = { 0 };

	if (a->kind != b->kind || a->number != b->number)
		return false;
	ktstr_value_inline(&one, a);
	ktstr_value_inline(&other, b);
	return !strcmp(ktstr_str_text(&one), ktstr_str_text(&other));
}

/* The end of the run of elements equal to the one at `from`. */
static size_t end_of_same(const struct ktstr_rendered_value *array, size_t from)
{
	size_t to = from + 1;

	while (to < array->elements_count && same(&array->elements[from], &array->elements[to]))
		to++;
	return to;
}

static void index_range(struct ktstr_str *out, size_t from, size_t to)
{
	if (to == from + 1)
		ktstr_str_addf(out, "[%zu]", from);
	else
		ktstr_str_addf(out, "[%zu..%zu]", from, to - 1);
}

/* Neighbours that are not zero: once when they are the same, else as a list. */
static void run_of_scalars(struct ktstr_str *out, const struct ktstr_rendered_value *array, size_t from, size_t to)
{
	bool once = end_of_same(array, from) >= to;

	index_range(out, from, to);
	ktstr_str_add(out, once ? "=" : "={");
	for (size_t i = from; i < (once ? from + 1 : to); i++) {
		if (i > from)
			ktstr_str_add(out, ", ");
		if (array->elements[i].kind == KTSTR_RENDERED_UINT)
			scalar(out, &array->elements[i], true);
		else
			ktstr_value_inline(out, &array->elements[i]);
	}
	ktstr_str_add(out, once ? "" : "}");
}

static void rest_of_array(struct ktstr_str *out, const struct ktstr_rendered_value *array)
{
	if (array->len > array->elements_count)
		ktstr_str_addf(out, " [%llu more not read]", (unsigned long long)(array->len - array->elements_count));
}

static bool limited(struct ktstr_str *out, const struct ktstr_rendered_value *value, size_t limit);

/* Arrays of scalars, and in one line arrays of anything. */
static bool array_inline(struct ktstr_str *out, const struct ktstr_rendered_value *array, size_t limit)
{
	const char *before = "";

	if (is_text(array)) {
		text_of_array(out, array);
	} else if (ktstr_value_is_zero(array)) {
		ktstr_str_addf(out, array->elements_count ? "[all %zu zero]" : "[]", array->elements_count);
	} else {
		for (size_t from = 0, to; from < array->elements_count && out->length <= limit; from = to) {
			to = from + 1;
			if (ktstr_value_is_zero(&array->elements[from]))
				continue;
			while (to < array->elements_count && !ktstr_value_is_zero(&array->elements[to]))
				to++;
			ktstr_str_add(out, before);
			run_of_scalars(out, array, from, to);
			before = " ";
		}
	}
	rest_of_array(out, array);
	return out->length <= limit;
}

/* Calls visit() for each member that is not zero, with those of anonymous members in their place. */
static void each_member(const struct ktstr_rendered_value *value,
			void (*visit)(void *context, const struct ktstr_rendered_member *member), void *context)
{
	for (size_t i = 0; i < value->members_count; i++) {
		const struct ktstr_rendered_member *member = &value->members[i];

		if (ktstr_value_is_zero(member->value))
			continue;
		if (!member->name[0] && member->value->kind == KTSTR_RENDERED_STRUCT)
			each_member(member->value, visit, context);
		else
			visit(context, member);
	}
}

struct line {
	struct ktstr_str *out;
	size_t limit;
	bool any;
};

static void add_inline_member(void *context, const struct ktstr_rendered_member *member)
{
	struct line *line = context;

	if (line->out->length > line->limit)
		return;
	ktstr_str_add(line->out, line->any ? ", " : "");
	ktstr_text_guest(line->out, member->name);
	ktstr_str_add(line->out, "=");
	limited(line->out, member->value, line->limit);
	line->any = true;
}

static void type_name(struct ktstr_str *out, const struct ktstr_rendered_value *value)
{
	ktstr_text_guest(out, value->text ? value->text : "");
}

/* False as soon as the text is longer than limit; what is there then is a beginning. */
static bool limited(struct ktstr_str *out, const struct ktstr_rendered_value *value, size_t limit)
{
	struct line line = { out, limit, false };

	switch (value->kind) {
	case KTSTR_RENDERED_STRUCT:
		type_name(out, value);
		ktstr_str_add(out, "{");
		each_member(value, add_inline_member, &line);
		ktstr_str_add(out, "}");
		return out->length <= limit;
	case KTSTR_RENDERED_ARRAY:
		return array_inline(out, value, limit);
	case KTSTR_RENDERED_TRUNCATED:
		limited(out, value->partial, limit);
		ktstr_str_addf(out, " [%llu of %llu bytes]", (unsigned long long)value->had,
			       (unsigned long long)value->needed);
		return out->length <= limit;
	default:
		scalar(out, value, false);
		return value->deref ? limited(out, value->deref, limit) : out->length <= limit;
	}
}

void ktstr_value_inline(struct ktstr_str *out, const struct ktstr_rendered_value *value)
{
	limited(out, value, out->length + NO_LIMIT);
}

struct block {
	struct ktstr_str *out;
	int indent;
	int scalars; /* in the line that was begun */
};

static bool fits_in_line(const struct ktstr_rendered_value *value)
{
	return ktstr_value_is_scalar(value) ||
	       (value->kind == KTSTR_RENDERED_ARRAY && (is_text(value) || ktstr_value_is_zero(value)));
}

static void add_block_member(void *context, const struct ktstr_rendered_member *member)
{
	struct block *block = context;
	bool short_one = fits_in_line(member->value);

	if (!short_one || block->scalars == SCALARS_PER_LINE)
		block->scalars = 0;
	if (short_one && block->scalars)
		ktstr_str_add(block->out, ", ");
	else
		ktstr_text_line(block->out, block->indent + 2);
	block->scalars += short_one;
	ktstr_text_guest(block->out, member->name);
	ktstr_str_add(block->out, "=");
	ktstr_value_block(block->out, member->value, block->indent + 2);
}

static void array_block(struct ktstr_str *out, const struct ktstr_rendered_value *array, int indent)
{
	bool compound = array->elements_count && !ktstr_value_is_scalar(&array->elements[0]);

	if (!compound || ktstr_value_is_zero(array) || is_text(array)) {
		array_inline(out, array, out->length + NO_LIMIT);
		return;
	}
	for (size_t from = 0, to; from < array->elements_count; from = to) {
		to = end_of_same(array, from);
		if (ktstr_value_is_zero(&array->elements[from]))
			continue;
		ktstr_text_line(out, indent + 2);
		index_range(out, from, to);
		ktstr_str_add(out, "=");
		ktstr_value_block(out, &array->elements[from], indent + 2);
	}
	rest_of_array(out, array);
}

static size_t column_of(const struct ktstr_str *out)
{
	const char *line = out->length ? memrchr(out->data, '\n', out->length) : NULL;

	return out->length - (line ? (size_t)(line + 1 - out->data) : 0);
}

void ktstr_value_block(struct ktstr_str *out, const struct ktstr_rendered_value *value, int indent)
{
	_cleanup_str_ struct ktstr_str line = { 0 };
	struct block block = { out, indent, 0 };
	size_t column = column_of(out);

	if (limited(&line, value, column < KTSTR_TEXT_COLUMNS ? KTSTR_TEXT_COLUMNS - column : 0)) {
		ktstr_str_add(out, ktstr_str_text(&line));
		return;
	}
	switch (value->kind) {
	case KTSTR_RENDERED_STRUCT:
		type_name(out, value);
		ktstr_str_add(out, ":");
		each_member(value, add_block_member, &block);
		break;
	case KTSTR_RENDERED_ARRAY:
		array_block(out, value, indent);
		break;
	case KTSTR_RENDERED_TRUNCATED:
		ktstr_str_addf(out, "[%llu of %llu bytes] ", (unsigned long long)value->had,
			       (unsigned long long)value->needed);
		ktstr_value_block(out, value->partial, indent);
		break;
	default:
		scalar(out, value, false);
		if (value->deref)
			ktstr_value_block(out, value->deref, indent + 2);
	}
}

char *ktstr_rendered_to_text(const struct ktstr_rendered_value *value)
{
	_cleanup_str_ struct ktstr_str out = { 0 };

	ktstr_value_block(&out, value, 0);
	return ktstr_str_take(&out);
}
