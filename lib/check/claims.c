// SPDX-License-Identifier: GPL-2.0-only
/* Claims about single values: exact comparison over int64, uint64 and double, and what is recorded. */
#include <math.h>

#include "check/fields.h"
#include "ktstr/check.h"

enum order {
	ORDER_LESS = 1,
	ORDER_EQUAL = 2,
	ORDER_GREATER = 4,
	ORDER_NONE = 0, /* NaN: satisfies no comparator */
};

/* The word a test wrote, the word of the vocabulary for the pass record, and the orders that satisfy it. */
static const struct comparator {
	const char *claim_name;
	const char *vocabulary_name;
	unsigned int satisfied_by;
} comparators[] = {
	[KTSTR_CMP_at_least] = { "at_least", "ge", ORDER_GREATER | ORDER_EQUAL },
	[KTSTR_CMP_at_most] = { "at_most", "le", ORDER_LESS | ORDER_EQUAL },
	[KTSTR_CMP_lt] = { "lt", "lt", ORDER_LESS },
	[KTSTR_CMP_gt] = { "gt", "gt", ORDER_GREATER },
	[KTSTR_CMP_eq] = { "eq", "eq", ORDER_EQUAL },
	[KTSTR_CMP_ne] = { "ne", "ne", ORDER_LESS | ORDER_GREATER },
};

#define ORDER_OF(a, b) ((a) < (b) ? ORDER_LESS : (a) > (b) ? ORDER_GREATER : ORDER_EQUAL)

static enum order reverse(enum order order)
{
	return order == ORDER_LESS ? ORDER_GREATER : order == ORDER_GREATER ? ORDER_LESS : order;
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

static enum order order_magnitude(uint64_t a, double b)
{
	uint64_t whole;

	if (b < 0)
		return ORDER_GREATER;
	if (b >= 0x1p64)
		return ORDER_LESS;
	/* Truncation is exact, converting `a` to a double would not be. */
	whole = (uint64_t)b;
	if (a != whole)
		return ORDER_OF(a, whole);
	return b > (double)whole ? ORDER_LESS : ORDER_EQUAL;
}

static enum order order_int_float(struct ktstr_value a, double b)
{
	if (isnan(b))
		return ORDER_NONE;
	if (is_negative_int(a))
		return reverse(order_magnitude(magnitude(a), -b));
	return order_magnitude(magnitude(a), b);
}

static enum order order_ints(struct ktstr_value a, struct ktstr_value b)
{
	bool a_negative = is_negative_int(a), b_negative = is_negative_int(b);

	if (a_negative != b_negative)
		return a_negative ? ORDER_LESS : ORDER_GREATER;
	return a_negative ? ORDER_OF(a.i, b.i) : ORDER_OF(magnitude(a), magnitude(b));
}

static enum order order_values(struct ktstr_value a, struct ktstr_value b)
{
	if (a.kind != KTSTR_VALUE_FLOAT && b.kind != KTSTR_VALUE_FLOAT)
		return order_ints(a, b);
	if (a.kind != KTSTR_VALUE_FLOAT)
		return order_int_float(a, b.f);
	if (b.kind != KTSTR_VALUE_FLOAT)
		return reverse(order_int_float(b, a.f));
	if (isnan(a.f) || isnan(b.f))
		return ORDER_NONE;
	return ORDER_OF(a.f, b.f);
}

static char *value_text(struct ktstr_value value)
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
		/* printf may write a NaN's sign, which means nothing. */
		if (isnan(value.f))
			ktstr_str_add(&text, "nan");
		else
			ktstr_format_f64(value.f, &text);
		break;
	}
	return ktstr_str_take(&text);
}

void ktstr_claim_value(struct ktstr_assert_result *result, const char *label,
		       struct ktstr_value value, enum ktstr_comparator comparator,
		       struct ktstr_value expected)
{
	const struct comparator *word = &comparators[comparator];
	_cleanup_free_ char *observed_text = value_text(value);
	_cleanup_free_ char *expected_text = value_text(expected);

	if (order_values(value, expected) & word->satisfied_by)
		ktstr_assert_record_pass(result, label, word->vocabulary_name, observed_text,
					 expected_text);
	else
		ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "%s was %s, expected %s %s", label, observed_text,
				    word->claim_name, expected_text);
}

void ktstr_claim_opt(struct ktstr_assert_result *result, const char *label,
		     struct ktstr_opt_f64 value, enum ktstr_comparator comparator, double expected)
{
	_cleanup_free_ char *expected_text = value_text(ktstr_value_float(expected));

	if (value.set)
		ktstr_claim_value(result, label, ktstr_value_float(value.value), comparator,
				  ktstr_value_float(expected));
	else
		ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "%s was not measured, expected %s %s", label,
				    comparators[comparator].claim_name, expected_text);
}
