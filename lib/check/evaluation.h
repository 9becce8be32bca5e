/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One evaluation of a cgroup's workers: what a check sees, and how it says what it found. A check is a row of checks[] in
 * thresholds.c: the limit that applies, and the function that compares.
 */
#ifndef KTSTR_CHECK_EVALUATION_H
#define KTSTR_CHECK_EVALUATION_H

#include "base/str.h"
#include "check/stats_build.h"
#include "ktstr/check.h"

struct ktstr_evaluation {
	const struct ktstr_assert *assert;
	const struct ktstr_default_limits *limits;
	const struct ktstr_judged_cgroup *scope;
	const struct ktstr_worker_report *reports;
	size_t count; /* > 0 when a check is evaluated */
	const struct ktstr_cgroup_stats *stats;
	struct ktstr_assert_result *result;
};

struct ktstr_check {
	const char *name;
	bool benchmark; /* a performance number: without any worker it skips instead of saying nothing */
	/* The limit that applies; unset = not asked for. */
	struct ktstr_opt_f64 (*limit)(const struct ktstr_evaluation *e);
	void (*evaluate)(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
};

#define KTSTR_WORKER_FMT	 "cgroup %s: worker %u (tid %d)"
#define KTSTR_WORKER_ARGS(e, w) (e)->scope->name, (w)->index, (w)->tid

#define ktstr_check_fails(e, kind, ...) ktstr_assert_record((e)->result, KTSTR_OUTCOME_FAIL, kind, __VA_ARGS__)
#define ktstr_check_untold(e, kind, ...)                                                           \
	ktstr_assert_record((e)->result, KTSTR_OUTCOME_INCONCLUSIVE, kind, __VA_ARGS__)

void ktstr_check_passes(const struct ktstr_evaluation *e, const struct ktstr_check *check, const char *comparator,
			const char *value, const char *expected);
void ktstr_check_passes_number(const struct ktstr_evaluation *e, const struct ktstr_check *check,
			       const char *comparator, double value, double expected);

/* thresholds_rates.c */
void ktstr_check_throughput_cv(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_work_rate(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_p99_wake(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_wake_cv(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_iteration_rate(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
/* thresholds_placement.c */
void ktstr_check_migration_ratio(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_page_locality(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_cross_node(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);
void ktstr_check_slow_tier(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit);

#endif
