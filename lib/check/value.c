// SPDX-License-Identifier: GPL-2.0-only
/* Values of claims and measurements: exact comparison over int64, uint64 and double, and their text. */
#include <math.h>
#include <string.h>

#include "check/members.h"
#include "check/value.h"

#define ORDER_OF(a, b) ((a) < (b) ? KTSTR_ORDER_LESS : (a) > (b) ? KTSTR_ORDER_GREATER : KTSTR_ORDER_EQUAL)

static enum ktstr_order reverse(enum ktstr_order order)
{
	return order == KTSTR_ORDER_LESS ? KTSTR_ORDER_GREATER : order == KTSTR_ORDER_GREATER ? KTSTR_ORDER_LESS : order;
}

static bool is_negative_int(struct ktstr_value value)
{
	return value.kind == KTSTR_VALUE_INT && value.i < 0;
}

/* |value| of an integer value, exact for INT64_MIN too. */
static uint64_t magnitude(struct ktstr_value value)
{
	return is_negative_int(value) ? -(uint64_t)value.i : value.u;
}

static enum ktstr_order order_magnitude(uint64_t a, double b)
{
	uint64_t whole;

	if (b < 0)
		return KTSTR_ORDER_GREATER;
	if (b >= 0x1p64)
		return KTSTR_ORDER_LESS;
	/* Truncation is exact, converting `a` to a double would not be. */
	whole = (uint64_t)b;
	if (a != whole)
		return ORDER_OF(a, whole);
	return b > (double)whole ? KTSTR_ORDER_LESS : KTSTR_ORDER_EQUAL;
}

static enum ktstr_order order_int_float(struct ktstr_value a, double b)
{
	if (isnan(b))
		return KTSTR_ORDER_NONE;
	if (is_negative_int(a))
		return reverse(order_magnitude(magnitude(a), -b));
	return order_magnitude(magnitude(a), b);
}

static enum ktstr_order order_ints(struct ktstr_value a, struct ktstr_value b)
{
	bool a_negative = is_negative_int(a), b_negative = is_negative_int(b);

	if (a_negative != b_negative)
		return a_negative ? KTSTR_ORDER_LESS : KTSTR_ORDER_GREATER;
	return a_negative ? ORDER_OF(a.i, b.i) : ORDER_OF(magnitude(a), magnitude(b));
}

/* A bool is a number, too. */
static struct ktstr_value as_number(struct ktstr_value value)
{
	return value.kind == KTSTR_VALUE_BOOL ? ktstr_value_uint(value.b) : value;
}

static enum ktstr_order order_numbers(struct ktstr_value a, struct ktstr_value b)
{
	if (a.kind != KTSTR_VALUE_FLOAT && b.kind != KTSTR_VALUE_FLOAT)
		return order_ints(a, b);
	if (a.kind != KTSTR_VALUE_FLOAT)
		return order_int_float(a, b.f);
	if (b.kind != KTSTR_VALUE_FLOAT)
		return reverse(order_int_float(b, a.f));
	if (isnan(a.f) || isnan(b.f))
		return KTSTR_ORDER_NONE;
	return ORDER_OF(a.f, b.f);
}

enum ktstr_order ktstr_value_order(struct ktstr_value a, struct ktstr_value b)
{
	if (a.kind == KTSTR_VALUE_ABSENT || b.kind == KTSTR_VALUE_ABSENT)
		return KTSTR_ORDER_NONE;
	if (a.kind != KTSTR_VALUE_TEXT && b.kind != KTSTR_VALUE_TEXT)
		return order_numbers(as_number(a), as_number(b));
	if (a.kind != b.kind)
		return KTSTR_ORDER_NONE;
	return ORDER_OF(strcmp(a.text, b.text), 0);
}

char *ktstr_value_format(struct ktstr_value value)
{
	struct ktstr_str text = { 0 };

	switch (value.kind) {
	case KTSTR_VALUE_INT:
		ktstr_str_addf(&text, "%lld", (long long)value.i);
		break;
	case KTSTR_VALUE_UINT:
		ktstr_str_addf(&text, "%llu", (unsigned long long)value.u);
		break;
	case KTSTR_VALUE_FLOAT:
		ktstr_format_f64(value.f, &text);
		break;
	case KTSTR_VALUE_BOOL:
		ktstr_str_add(&text, value.b ? "true" : "false");
		break;
	case KTSTR_VALUE_TEXT:
		ktstr_str_add(&text, value.text);
		break;
	case KTSTR_VALUE_ABSENT:
		ktstr_str_add(&text, "(absent)");
		break;
	}
	return ktstr_str_take(&text);
}

double ktstr_value_to_f64(struct ktstr_value value)
{
	switch (value.kind) {
	case KTSTR_VALUE_INT:
		return (double)value.i;
	case KTSTR_VALUE_UINT:
		return (double)value.u;
	case KTSTR_VALUE_FLOAT:
		return value.f;
	case KTSTR_VALUE_BOOL:
		return value.b;
	case KTSTR_VALUE_TEXT:
	case KTSTR_VALUE_ABSENT:
		break;
	}
	return NAN;
}

struct ktstr_value ktstr_value_copy(struct ktstr_value value)
{
	if (value.kind == KTSTR_VALUE_TEXT)
		value.text = ktstr_xstrdup(value.text);
	return value;
}

void ktstr_value_free_text(struct ktstr_value *value)
{
	if (value->kind == KTSTR_VALUE_TEXT)
		free((char *)value->text);
}
