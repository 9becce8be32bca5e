// SPDX-License-Identifier: GPL-2.0-only
/* Threshold declarations: one table of members drives merging, validating and printing them. */
#include <math.h>

#include "check/assert.h"
#include "ktstr/monitor.h"

const struct ktstr_member ktstr_assert_fields[KTSTR_ASSERT_FIELDS] = {
	KTSTR_MEMBER_OF_SWITCH(ktstr_assert, not_stuck),
	KTSTR_MEMBER_OF_SWITCH(ktstr_assert, isolation),
	KTSTR_MEMBER(ktstr_assert, max_gap_ms),
	KTSTR_MEMBER(ktstr_assert, max_spread_pct),
	KTSTR_MEMBER(ktstr_assert, max_throughput_cv),
	KTSTR_MEMBER(ktstr_assert, min_work_rate),
	KTSTR_MEMBER(ktstr_assert, max_p99_wake_latency_ns),
	KTSTR_MEMBER(ktstr_assert, max_wake_latency_cv),
	KTSTR_MEMBER(ktstr_assert, min_iteration_rate),
	KTSTR_MEMBER(ktstr_assert, max_migration_ratio),
	KTSTR_MEMBER(ktstr_assert, min_page_locality),
	KTSTR_MEMBER(ktstr_assert, max_cross_node_migration_ratio),
	KTSTR_MEMBER(ktstr_assert, max_slow_tier_ratio),
	KTSTR_MEMBER(ktstr_assert, max_imbalance_ratio),
	KTSTR_MEMBER(ktstr_assert, max_local_dsq_depth),
	KTSTR_MEMBER_OF_SWITCH(ktstr_assert, fail_on_rq_clock_stuck),
	KTSTR_MEMBER(ktstr_assert, sustained_samples),
	KTSTR_MEMBER(ktstr_assert, max_fallback_rate),
	KTSTR_MEMBER(ktstr_assert, max_keep_last_rate),
	KTSTR_MEMBER_OF_SWITCH(ktstr_assert, enforce_monitor_thresholds),
};

struct ktstr_assert ktstr_assert_merge(const struct ktstr_assert *base,
				       const struct ktstr_assert *over)
{
	struct ktstr_assert merged = *base;

	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++)
		if (ktstr_member_is_set(&ktstr_assert_fields[i], over))
			ktstr_member_copy(&ktstr_assert_fields[i], &merged, over);
	/* Asked for anywhere is asked for. */
	if (base->enforce_monitor_thresholds == KTSTR_ON)
		merged.enforce_monitor_thresholds = KTSTR_ON;
	return merged;
}

struct ktstr_assert ktstr_assert_with_monitor_defaults(const struct ktstr_assert *assert)
{
	const struct ktstr_monitor_thresholds t = KTSTR_MONITOR_THRESHOLDS_DEFAULT;
	const struct ktstr_assert defaults = {
		.max_imbalance_ratio = KTSTR_SOME(t.max_imbalance_ratio),
		.max_local_dsq_depth = KTSTR_SOME((uint64_t)t.max_local_dsq_depth),
		.fail_on_rq_clock_stuck = t.fail_on_rq_clock_stuck ? KTSTR_ON : KTSTR_OFF,
		.sustained_samples = KTSTR_SOME(t.sustained_samples),
		.max_fallback_rate = KTSTR_SOME(t.max_fallback_rate),
		.max_keep_last_rate = KTSTR_SOME(t.max_keep_last_rate),
		.enforce_monitor_thresholds = KTSTR_ON,
	};

	return ktstr_assert_merge(&defaults, assert);
}

static bool is_threshold(const struct ktstr_member *field, const struct ktstr_assert *assert)
{
	const void *value = (const char *)assert + field->offset;

	if (field->type == KTSTR_MEMBER_SWITCH)
		return *(const unsigned int *)value <= KTSTR_OFF;
	if (field->type == KTSTR_MEMBER_OPT_F64) {
		double limit = ((const struct ktstr_opt_f64 *)value)->value;

		return isfinite(limit) && limit >= 0;
	}
	return true;
}

struct ktstr_error *ktstr_assert_validate(const struct ktstr_assert *assert)
{
	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++) {
		const struct ktstr_member *field = &ktstr_assert_fields[i];
		_cleanup_str_ struct ktstr_str text = { 0 };

		if (!ktstr_member_is_set(field, assert) || is_threshold(field, assert))
			continue;
		if (field->type == KTSTR_MEMBER_SWITCH)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "%s: must be KTSTR_ON, KTSTR_OFF or unset",
					       field->name);
		ktstr_member_format(field, assert, &text);
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s: %s is no threshold, it must be a finite number >= 0",
				       field->name, ktstr_str_text(&text));
	}
	return NULL;
}

void ktstr_assert_print(const struct ktstr_assert *assert, FILE *out)
{
	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++) {
		_cleanup_str_ struct ktstr_str text = { 0 };

		ktstr_member_format(&ktstr_assert_fields[i], assert, &text);
		fprintf(out, "%-30s %s\n", ktstr_assert_fields[i].name, ktstr_str_text(&text));
	}
}

struct ktstr_default_limits ktstr_default_limits(bool strict)
{
	return strict ? (struct ktstr_default_limits){ .max_gap_ms = 2000, .max_spread_pct = 15 } :
			(struct ktstr_default_limits){ .max_gap_ms = 3000, .max_spread_pct = 35 };
}
