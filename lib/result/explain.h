/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a sidecar's nullable keys are null, and what could fill them. */
#ifndef KTSTR_RESULT_EXPLAIN_H
#define KTSTR_RESULT_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct ktstr_nullable_key {
	const char *key;
	bool actionable; /* somebody could change it; else null is expected */
	const char *causes;
	const char *fix; /* NULL = none */
};

extern const struct ktstr_nullable_key ktstr_nullable_keys[];
extern const size_t ktstr_nullable_keys_count;

#endif
