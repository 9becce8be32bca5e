// SPDX-License-Identifier: GPL-2.0-only
/* Claims about single values: which orders satisfy which comparator, and what is recorded. */
#include <math.h>
#include <stdarg.h>

#include "check/claim_words.h"
#include "check/value.h"

static const char *const words[KTSTR_COMPARATORS] = {
	[KTSTR_CMP_eq] = "eq",
	[KTSTR_CMP_ne] = "ne",
	[KTSTR_CMP_at_least] = "at_least",
	[KTSTR_CMP_at_most] = "at_most",
	[KTSTR_CMP_lt] = "lt",
	[KTSTR_CMP_gt] = "gt",
	[KTSTR_CMP_between] = "between",
	[KTSTR_CMP_near] = "near",
	[KTSTR_CMP_is_finite] = "is_finite",
	[KTSTR_CMP_set_empty] = "empty",
	[KTSTR_CMP_set_nonempty] = "nonempty",
	[KTSTR_CMP_set_len_eq] = "len_eq",
	[KTSTR_CMP_set_len_at_most] = "len_at_most",
	[KTSTR_CMP_set_len_at_least] = "len_at_least",
	[KTSTR_CMP_set_contains] = "contains",
	[KTSTR_CMP_set_subset_of] = "subset_of",
	[KTSTR_CMP_set_disjoint_from] = "disjoint_from",
	[KTSTR_CMP_seq_empty] = "empty",
	[KTSTR_CMP_seq_nonempty] = "nonempty",
	[KTSTR_CMP_seq_len_eq] = "len_eq",
	[KTSTR_CMP_seq_len_at_most] = "len_at_most",
	[KTSTR_CMP_seq_len_at_least] = "len_at_least",
	[KTSTR_CMP_seq_contains] = "contains",
};

/* Of the comparators that only look at the order. */
static const unsigned int satisfied_by[] = {
	[KTSTR_CMP_eq] = KTSTR_ORDER_EQUAL,
	[KTSTR_CMP_ne] = KTSTR_ORDER_LESS | KTSTR_ORDER_GREATER,
	[KTSTR_CMP_at_least] = KTSTR_ORDER_GREATER | KTSTR_ORDER_EQUAL,
	[KTSTR_CMP_at_most] = KTSTR_ORDER_LESS | KTSTR_ORDER_EQUAL,
	[KTSTR_CMP_lt] = KTSTR_ORDER_LESS,
	[KTSTR_CMP_gt] = KTSTR_ORDER_GREATER,
};

const char *ktstr_claim_word(enum ktstr_comparator comparator)
{
	return words[comparator];
}

char *ktstr_claim_expected_text(enum ktstr_comparator comparator, struct ktstr_value expected,
				struct ktstr_value upper)
{
	_cleanup_free_ char *first = ktstr_value_format(expected);
	_cleanup_free_ char *second = ktstr_value_format(upper);

	switch (comparator) {
	case KTSTR_CMP_between:
		return ktstr_xasprintf("%s and %s", first, second);
	case KTSTR_CMP_near:
		return ktstr_xasprintf("%s within %s", first, second);
	default:
		return ktstr_xstrdup(expected.kind == KTSTR_VALUE_ABSENT ? "" : first);
	}
}

/* Differences are taken as doubles: a tolerance is no exact thing. Equal values are near whatever their kind. */
static bool is_near(struct ktstr_value value, struct ktstr_value target, struct ktstr_value tolerance)
{
	if (ktstr_value_order(value, target) == KTSTR_ORDER_EQUAL)
		return true;
	return fabs(ktstr_value_to_f64(value) - ktstr_value_to_f64(target)) <= ktstr_value_to_f64(tolerance);
}

bool ktstr_claim_holds(struct ktstr_value value, enum ktstr_comparator comparator, struct ktstr_value expected,
		       struct ktstr_value upper)
{
	switch (comparator) {
	case KTSTR_CMP_between:
		return ktstr_claim_holds(value, KTSTR_CMP_at_least, expected, upper) &&
		       ktstr_claim_holds(value, KTSTR_CMP_at_most, upper, upper);
	case KTSTR_CMP_near:
		return is_near(value, expected, upper);
	case KTSTR_CMP_is_finite:
		return isfinite(ktstr_value_to_f64(value));
	default:
		return ktstr_value_order(value, expected) & satisfied_by[comparator];
	}
}

const char *ktstr_claim_caller_error(enum ktstr_comparator comparator, struct ktstr_value expected,
				     struct ktstr_value upper)
{
	if (comparator == KTSTR_CMP_between && !(ktstr_value_order(expected, upper) & satisfied_by[KTSTR_CMP_at_most]))
		return "the range is empty";
	if (comparator == KTSTR_CMP_near && !(ktstr_value_to_f64(upper) >= 0))
		return "the tolerance must be >= 0";
	return NULL;
}

bool ktstr_claim_fails(struct ktstr_assert_result *result, struct ktstr_claim_modifiers modifiers, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str message = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&message, fmt, args);
	va_end(args);
	if (modifiers.because)
		ktstr_str_addf(&message, " (%s)", modifiers.because);
	ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, modifiers.kind, "%s", ktstr_str_text(&message));
	return false;
}

bool ktstr_claim_compare(struct ktstr_claim claim, enum ktstr_comparator comparator, struct ktstr_value expected,
			 struct ktstr_value upper, struct ktstr_claim_modifiers modifiers)
{
	const char *mistake = ktstr_claim_caller_error(comparator, expected, upper);
	_cleanup_free_ char *expected_text = ktstr_claim_expected_text(comparator, expected, upper);
	const char *blank = *expected_text ? " " : "";
	_cleanup_free_ char *observed_text = ktstr_value_format(claim.value);

	if (mistake)
		return ktstr_claim_fails(claim.result, modifiers, "%s: caller error: %s %s: %s", claim.label,
					 ktstr_claim_word(comparator), expected_text, mistake);
	if (claim.value.kind == KTSTR_VALUE_ABSENT)
		return ktstr_claim_fails(claim.result, modifiers, "%s was not measured, expected %s%s%s", claim.label,
					 ktstr_claim_word(comparator), blank, expected_text);
	if (!ktstr_claim_holds(claim.value, comparator, expected, upper))
		return ktstr_claim_fails(claim.result, modifiers, "%s was %s, expected %s%s%s", claim.label,
					 observed_text, ktstr_claim_word(comparator), blank, expected_text);
	ktstr_assert_record_pass(claim.result, claim.label, KTSTR_COMPARATOR_VOCABULARY[comparator], observed_text,
				 *expected_text ? expected_text : NULL);
	return true;
}
