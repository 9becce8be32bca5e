/* SPDX-License-Identifier: GPL-2.0-only */
/* What claims of every kind share: the words of comparators, and how a claim that does not hold is recorded. */
#ifndef KTSTR_CHECK_CLAIM_WORDS_H
#define KTSTR_CHECK_CLAIM_WORDS_H

#include "base/str.h"
#include "ktstr/claim.h"

/* "at_least": as a test writes it. The word of records is KTSTR_COMPARATOR_VOCABULARY[comparator]. */
const char *ktstr_claim_word(enum ktstr_comparator comparator);
/* "5", "1 and 3", "5 within 0.1", "": the expected side in a message; heap. */
char *ktstr_claim_expected_text(enum ktstr_comparator comparator, struct ktstr_value expected,
				struct ktstr_value upper);
/* Does the value satisfy the comparator? Of scalars only; NaN and absent values satisfy none. */
bool ktstr_claim_holds(struct ktstr_value value, enum ktstr_comparator comparator, struct ktstr_value expected,
		       struct ktstr_value upper);
/* What the caller did wrong: an empty range, a negative tolerance; NULL = nothing. Static. */
const char *ktstr_claim_caller_error(enum ktstr_comparator comparator, struct ktstr_value expected,
				     struct ktstr_value upper);
/* A failure of the modifiers' kind, with their reason behind it. Returns false, as the claim does. */
bool ktstr_claim_fails(struct ktstr_assert_result *result, struct ktstr_claim_modifiers modifiers, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);

#endif
