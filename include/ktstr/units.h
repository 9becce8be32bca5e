/* SPDX-License-Identifier: GPL-2.0-only */
/* Durations (always ns), sizes and optional numbers as constants for declarations. */
#ifndef KTSTR_UNITS_H
#define KTSTR_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define KTSTR_NS(n) ((uint64_t)(n))
#define KTSTR_US(n) ((uint64_t)((n) * 1000ull))
#define KTSTR_MS(n) ((uint64_t)((n) * 1000000ull))
#define KTSTR_SEC(n) ((uint64_t)((n) * 1000000000ull))

/* A number that may be absent; an absent one never reads as zero. */
struct ktstr_opt_f64 {
	bool set;
	double value;
};

struct ktstr_opt_u64 {
	bool set;
	uint64_t value;
};

struct ktstr_opt_i64 {
	bool set;
	int64_t value;
};

struct ktstr_opt_u32 {
	bool set;
	uint32_t value;
};

struct ktstr_opt_i32 {
	bool set;
	int32_t value;
};

/*
 * A switch with a third state, so that a later layer can turn off what an earlier one turned on: write true
 * or KTSTR_ON, KTSTR_OFF, or nothing.
 */
enum ktstr_switch {
	KTSTR_UNSET = 0,
	KTSTR_ON = 1,
	KTSTR_OFF = 2,
};

/* Works for each of the optional types: .max_spread_pct = KTSTR_SOME(20.0) */
#define KTSTR_SOME(v) { .set = true, .value = (v) }
#define KTSTR_NONE    { .set = false }

#endif
