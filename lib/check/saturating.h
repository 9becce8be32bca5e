/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums of counters that stop at their maximum instead of starting over. */
#ifndef KTSTR_CHECK_SATURATING_H
#define KTSTR_CHECK_SATURATING_H

#include <stdint.h>

static inline uint64_t ktstr_add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

#endif
