/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of claims and measurements: how they order, and their text. */
#ifndef KTSTR_CHECK_VALUE_H
#define KTSTR_CHECK_VALUE_H

#include "ktstr/verdict.h"

enum ktstr_order {
	KTSTR_ORDER_NONE = 0, /* NaN, absent, a text beside a number: satisfies no comparator */
	KTSTR_ORDER_LESS = 1,
	KTSTR_ORDER_EQUAL = 2,
	KTSTR_ORDER_GREATER = 4,
};

/* Exact over int64, uint64 and double; a bool is 0 or 1; texts by strcmp(). */
enum ktstr_order ktstr_value_order(struct ktstr_value a, struct ktstr_value b);
/* "5", "2.5", "nan", "true", the text itself, "(absent)"; heap. */
char *ktstr_value_format(struct ktstr_value value);
/* As a double; NaN for text and what is absent. */
double ktstr_value_to_f64(struct ktstr_value value);
/* The value with a text of its own, to be freed with ktstr_value_free_text(). */
struct ktstr_value ktstr_value_copy(struct ktstr_value value);
void ktstr_value_free_text(struct ktstr_value *value);

#endif
