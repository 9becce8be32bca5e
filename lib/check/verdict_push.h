/* SPDX-License-Identifier: GPL-2.0-only */
/* Adding whole records to a verdict; each takes ownership of what the record points to. */
#ifndef KTSTR_CHECK_VERDICT_PUSH_H
#define KTSTR_CHECK_VERDICT_PUSH_H

#include "ktstr/verdict.h"

void ktstr_push_outcome(struct ktstr_assert_result *result, struct ktstr_outcome outcome);
void ktstr_push_pass(struct ktstr_assert_result *result, struct ktstr_pass_detail pass);
void ktstr_push_note(struct ktstr_assert_result *result, struct ktstr_info_note note);
/* Replaces the one of that key. */
void ktstr_push_measurement(struct ktstr_assert_result *result, struct ktstr_measurement measurement);

#endif
