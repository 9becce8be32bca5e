// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges the workers of one cgroup by the declared thresholds: a table of checks, each with the limit that
 * applies (unset = not asked for) and the function that compares. Here: fairness and isolation.
 */
#include <string.h>

#include "base/clock.h"
#include "check/evaluation.h"
#include "check/members.h"

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

void ktstr_check_passes(const struct ktstr_evaluation *e, const struct ktstr_check *check, const char *comparator,
			const char *value, const char *expected)
{
	_cleanup_free_ char *name = ktstr_xasprintf("cgroup %s: %s", e->scope->name, check->name);

	ktstr_assert_record_pass(e->result, name, comparator, value, expected);
}

void ktstr_check_passes_number(const struct ktstr_evaluation *e, const struct ktstr_check *check,
			       const char *comparator, double value, double expected)
{
	_cleanup_str_ struct ktstr_str value_text = { 0 }, expected_text = { 0 };

	ktstr_format_f64(value, &value_text);
	ktstr_format_f64(expected, &expected_text);
	ktstr_check_passes(e, check, comparator, value_text.data, expected_text.data);
}

static struct ktstr_opt_f64 opt_of_u64(struct ktstr_opt_u64 opt)
{
	return opt.set ? SOME((double)opt.value) : NONE;
}

/* Progress: every worker did work and was there until the end. */

static struct ktstr_opt_f64 progress_limit(const struct ktstr_evaluation *e)
{
	return e->assert->not_stuck == KTSTR_ON ? SOME(1) : NONE;
}

static bool judge_progress(const struct ktstr_evaluation *e, const struct ktstr_worker_report *worker)
{
	char wall[32];

	switch (worker->exit) {
	case KTSTR_WORKER_COMPLETED:
		break;
	case KTSTR_WORKER_TIMED_OUT: /* a gap without end: told by the gap check, which not_stuck includes */
		return false;
	case KTSTR_WORKER_SIGNALED:
		ktstr_check_fails(e, KTSTR_DETAIL_NO_PROGRESS, KTSTR_WORKER_FMT " was killed by signal %d (%s)",
				  KTSTR_WORKER_ARGS(e, worker), worker->exit_code, strsignal(worker->exit_code));
		return false;
	case KTSTR_WORKER_PANICKED:
	case KTSTR_WORKER_WAIT_FAILED:
		ktstr_check_fails(e, KTSTR_DETAIL_NO_PROGRESS, KTSTR_WORKER_FMT " ended before it was stopped: %s",
				  KTSTR_WORKER_ARGS(e, worker), worker->exit_message);
		return false;
	case KTSTR_WORKER_EXITED:
		ktstr_check_fails(e, KTSTR_DETAIL_NO_PROGRESS,
				  KTSTR_WORKER_FMT " ended before it was stopped: exit code %d",
				  KTSTR_WORKER_ARGS(e, worker), worker->exit_code);
		return false;
	}
	if (worker->work_units)
		return true;
	ktstr_check_fails(e, KTSTR_DETAIL_NO_PROGRESS,
	     "cgroup %s: worker %u (tid %d, %s/%u) made no progress: 0 work units in %s (limit: at least 1)",
	     KTSTR_WORKER_ARGS(e, worker), e->scope->name, worker->index,
	     ktstr_format_duration(worker->wall_time_ns, wall));
	return false;
}

static void check_progress(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	uint64_t least = UINT64_MAX;
	bool held = e->count > 0;

	for (size_t i = 0; i < e->count; i++) {
		if (!judge_progress(e, &e->reports[i]))
			held = false;
		if (e->reports[i].work_units < least)
			least = e->reports[i].work_units;
	}
	if (held)
		ktstr_check_passes_number(e, check, "ge", (double)least, limit);
}

/*
 * Spread: points between the most and the least descheduled worker. Only workers of the same work spec are
 * compared: a sleeper beside a spinner is off the CPU because it wants to be. Among workers that sleep on
 * purpose (Bursty, IoSyncWrite, PipeIo) the difference holds chance as well; give those a wider limit.
 */

static struct ktstr_opt_f64 spread_limit(const struct ktstr_evaluation *e)
{
	if (e->assert->max_spread_pct.set)
		return e->assert->max_spread_pct;
	return e->assert->not_stuck == KTSTR_ON ? SOME(e->limits->max_spread_pct) : NONE;
}

static void check_spread(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	bool held = true;

	for (size_t i = 0; i < e->count; i++) {
		struct ktstr_spread spread;

		if (!ktstr_report_leads_group(e->reports, i))
			continue;
		spread = ktstr_group_spread(e->reports, e->count, e->reports[i].group_idx);
		if (spread.workers < 2 || spread.max_pct - spread.min_pct <= limit)
			continue;
		held = false;
		ktstr_check_fails(e, KTSTR_DETAIL_UNFAIR,
		     "cgroup %s: unfair: off-CPU time spread %.1f %% (%.1f-%.1f %%, workers %u and %u), limit %g %%",
		     e->scope->name, spread.max_pct - spread.min_pct, spread.min_pct, spread.max_pct,
		     spread.least->index, spread.most->index, limit);
	}
	if (held && e->stats->spread.set)
		ktstr_check_passes_number(e, check, "le", e->stats->spread.value, limit);
}

/* Gap: the longest time a worker did not get to its next checkpoint. */

static struct ktstr_opt_f64 gap_limit(const struct ktstr_evaluation *e)
{
	if (e->assert->max_gap_ms.set)
		return opt_of_u64(e->assert->max_gap_ms);
	return e->assert->not_stuck == KTSTR_ON ? SOME((double)e->limits->max_gap_ms) : NONE;
}

static bool judge_gap(const struct ktstr_evaluation *e, const struct ktstr_worker_report *worker,
		      double limit_ms)
{
	double gap_ms = (double)worker->max_gap_ns / 1e6;

	if (worker->exit == KTSTR_WORKER_TIMED_OUT) {
		ktstr_check_fails(e, KTSTR_DETAIL_STUCK,
		     KTSTR_WORKER_FMT " was stuck at the end: it did not answer the stop and was killed (limit %.0f ms)",
		     KTSTR_WORKER_ARGS(e, worker), limit_ms);
		return false;
	}
	if (gap_ms <= limit_ms)
		return true;
	ktstr_check_fails(e, KTSTR_DETAIL_STUCK,
	     KTSTR_WORKER_FMT " was stuck for %.*f ms on CPU %u at +%.1f s (limit %.0f ms)",
	     KTSTR_WORKER_ARGS(e, worker), gap_ms < limit_ms + 1 ? 6 : 0, gap_ms, worker->max_gap_cpu,
	     (double)worker->max_gap_at_ns / 1e9, limit_ms);
	return false;
}

static void check_gap(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	bool held = e->count > 0;

	for (size_t i = 0; i < e->count; i++)
		if (!judge_gap(e, &e->reports[i], limit))
			held = false;
	if (held)
		ktstr_check_passes_number(e, check, "le", e->stats->max_gap_ms, limit);
}

/* Isolation: no CPU outside the cpuset of the cgroup. */

static struct ktstr_opt_f64 isolation_limit(const struct ktstr_evaluation *e)
{
	return e->assert->isolation == KTSTR_ON && e->scope->cpuset ? SOME(1) : NONE;
}

static void check_isolation(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	_cleanup_free_ char *allowed = ktstr_cpus_to_text(e->scope->cpuset);
	_cleanup_free_ char *used = ktstr_cpus_to_text(&e->stats->cpus_used);
	bool held = e->count > 0;

	(void)limit;
	for (size_t i = 0; i < e->count; i++) {
		const struct ktstr_worker_report *worker = &e->reports[i];
		struct ktstr_cpus outside = ktstr_cpus_minus(&worker->cpus_used, e->scope->cpuset);
		_cleanup_free_ char *text = NULL;

		if (!ktstr_cpus_count(&outside))
			continue;
		held = false;
		text = ktstr_cpus_to_text(&outside);
		ktstr_check_fails(e, KTSTR_DETAIL_ISOLATION,
		     KTSTR_WORKER_FMT " ran on CPU %s outside the cgroup's cpuset %s",
		     KTSTR_WORKER_ARGS(e, worker), text, *allowed ? allowed : "(empty)");
	}
	if (held)
		ktstr_check_passes(e, check, "subset_of", used, allowed);
}

static struct ktstr_opt_f64 p99_wake_limit(const struct ktstr_evaluation *e)
{
	return opt_of_u64(e->assert->max_p99_wake_latency_ns);
}

/* Where the member of that name is the limit. */
#define MEMBER_LIMIT(member)                                                                       \
	static struct ktstr_opt_f64 member##_limit(const struct ktstr_evaluation *e)               \
	{                                                                                          \
		return e->assert->member;                                                          \
	}
MEMBER_LIMIT(max_throughput_cv)
MEMBER_LIMIT(min_work_rate)
MEMBER_LIMIT(max_wake_latency_cv)
MEMBER_LIMIT(min_iteration_rate)
MEMBER_LIMIT(max_migration_ratio)
MEMBER_LIMIT(min_page_locality)
MEMBER_LIMIT(max_cross_node_migration_ratio)
MEMBER_LIMIT(max_slow_tier_ratio)

/* In the order of the report: fairness, isolation, throughput, wakeups and iterations, migrations, memory. */
static const struct ktstr_check checks[] = {
	{ "not_stuck", false, progress_limit, check_progress },
	{ "max_spread_pct", false, spread_limit, check_spread },
	{ "max_gap_ms", false, gap_limit, check_gap },
	{ "isolation", false, isolation_limit, check_isolation },
	{ "max_throughput_cv", true, max_throughput_cv_limit, ktstr_check_throughput_cv },
	{ "min_work_rate", true, min_work_rate_limit, ktstr_check_work_rate },
	{ "max_p99_wake_latency_ns", true, p99_wake_limit, ktstr_check_p99_wake },
	{ "max_wake_latency_cv", true, max_wake_latency_cv_limit, ktstr_check_wake_cv },
	{ "min_iteration_rate", true, min_iteration_rate_limit, ktstr_check_iteration_rate },
	{ "max_migration_ratio", true, max_migration_ratio_limit, ktstr_check_migration_ratio },
	{ "min_page_locality", true, min_page_locality_limit, ktstr_check_page_locality },
	{ "max_cross_node_migration_ratio", true, max_cross_node_migration_ratio_limit, ktstr_check_cross_node },
	{ "max_slow_tier_ratio", true, max_slow_tier_ratio_limit, ktstr_check_slow_tier },
};

/* What makes the numbers mean less than the test thinks, although no check fails by it. */
static void note_oddities(const struct ktstr_evaluation *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct ktstr_worker_report *worker = &e->reports[i];

		if (worker->affinity_errno)
			ktstr_assert_note(e->result, KTSTR_WORKER_FMT " could not set its CPU affinity: %s",
					  KTSTR_WORKER_ARGS(e, worker), strerror(worker->affinity_errno));
		if (worker->exit != KTSTR_WORKER_COMPLETED && e->assert->not_stuck != KTSTR_ON)
			ktstr_assert_note(e->result,
					  KTSTR_WORKER_FMT " did not run to the end and is not in the numbers",
					  KTSTR_WORKER_ARGS(e, worker));
	}
}

void ktstr_assert_cgroup(const struct ktstr_assert *assert,
			 const struct ktstr_default_limits *limits, const struct ktstr_judged_cgroup *scope,
			 const struct ktstr_worker_report *reports, size_t count,
			 struct ktstr_assert_result *result)
{
	const struct ktstr_evaluation e = {
		.assert = assert,
		.limits = limits,
		.scope = scope,
		.reports = reports,
		.count = count,
		.stats = ktstr_stats_add_cgroup(&result->stats, scope, reports, count),
		.result = result,
	};

	note_oddities(&e);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct ktstr_check *check = &checks[i];
		struct ktstr_opt_f64 limit = check->limit(&e);

		if (!limit.set)
			continue;
		if (count)
			check->evaluate(&e, check, limit.value);
		else if (check->benchmark)
			ktstr_assert_record(result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP,
					    "cgroup %s: %s skipped: no worker reports", scope->name,
					    check->name);
	}
}
