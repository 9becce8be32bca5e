// SPDX-License-Identifier: GPL-2.0-only
/* Absolute thresholds over any worker reports. */
#include <inttypes.h>

#include "base/str.h"
#include "check/saturating.h"
#include "check/stats_build.h"

static void compare(struct ktstr_assert_result *result, enum ktstr_detail_kind kind, const char *name, const char *what,
		    uint64_t value, struct ktstr_opt_u64 limit)
{
	_cleanup_free_ char *value_text = ktstr_xasprintf("%" PRIu64, value);
	_cleanup_free_ char *limit_text = ktstr_xasprintf("%" PRIu64, limit.value);

	if (!limit.set)
		return;
	if (value <= limit.value)
		ktstr_assert_record_pass(result, name, "le", value_text, limit_text);
	else
		ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, kind, "%s %s, limit %s", what, value_text, limit_text);
}

static void judge_work(struct ktstr_assert_result *result, const struct ktstr_worker_report *reports, size_t count,
		       struct ktstr_opt_u64 floor)
{
	_cleanup_free_ char *floor_text = ktstr_xasprintf("%" PRIu64, floor.value), *least_text = NULL;
	uint64_t least = UINT64_MAX;

	if (!floor.set)
		return;
	for (size_t i = 0; i < count; i++) {
		if (reports[i].work_units < least)
			least = reports[i].work_units;
		if (reports[i].work_units < floor.value)
			ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_NO_PROGRESS,
					    "worker %u (tid %d) did %" PRIu64 " work units, floor %s", reports[i].index,
					    reports[i].tid, reports[i].work_units, floor_text);
	}
	least_text = ktstr_xasprintf("%" PRIu64, least);
	if (least >= floor.value)
		ktstr_assert_record_pass(result, "min_work_units", "ge", least_text, floor_text);
}

void ktstr_assert_thresholds(const struct ktstr_absolute_thresholds *thresholds,
			     const struct ktstr_worker_report *reports, size_t count,
			     struct ktstr_assert_result *result)
{
	struct ktstr_sample_summary wake = ktstr_reports_summarise(reports, count, KTSTR_REPORT_WAKES);
	struct ktstr_sample_summary cost = ktstr_reports_summarise(reports, count, KTSTR_REPORT_COSTS);
	uint64_t migrations = 0;

	if (!count) {
		ktstr_assert_record(result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP,
				    "absolute thresholds skipped: no worker reports");
		return;
	}
	for (size_t i = 0; i < count; i++)
		migrations = ktstr_add_saturating(migrations, reports[i].migration_count);
	if (wake.samples)
		compare(result, KTSTR_DETAIL_BENCHMARK, "max_p99_wake_latency_ns", "p99 wake latency in ns:", wake.p99,
			thresholds->max_p99_wake_latency_ns);
	if (cost.samples)
		compare(result, KTSTR_DETAIL_BENCHMARK, "max_iteration_cost_p99_ns", "p99 cost of an iteration in ns:",
			cost.p99, thresholds->max_iteration_cost_p99_ns);
	compare(result, KTSTR_DETAIL_MIGRATION, "max_migrations", "migrations of all workers:", migrations,
		thresholds->max_migrations);
	judge_work(result, reports, count, thresholds->min_work_units);
}
