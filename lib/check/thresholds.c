// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judges the workers of one cgroup by the declared thresholds: a table of checks, each with the limit that
 * applies (unset = not asked for) and the function that compares.
 */
#include <string.h>

#include "base/clock.h"
#include "check/fields.h"
#include "check/stats_build.h"
#include "ktstr/check.h"

struct evaluation {
	const struct ktstr_assert *assert;
	const struct ktstr_default_limits *limits;
	const char *cgroup;
	const struct ktstr_cpus *cpuset;
	const struct ktstr_worker_report *reports;
	size_t count;
	const struct ktstr_cgroup_stats *stats;
	struct ktstr_assert_result *result;
};

struct check {
	const char *name;
	bool benchmark; /* a performance number: without any worker it skips instead of saying nothing */
	struct ktstr_opt_f64 (*limit)(const struct evaluation *e);
	void (*evaluate)(const struct evaluation *e, const struct check *check, double limit);
};

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

#define WORKER_FMT		 "cgroup %s: worker %u (tid %d)"
#define WORKER_ARGS(e, w) (e)->cgroup, (w)->index, (w)->tid

#define fail(e, kind, ...) ktstr_assert_record((e)->result, KTSTR_OUTCOME_FAIL, kind, __VA_ARGS__)

static void pass_text(const struct evaluation *e, const struct check *check, const char *comparator,
		      const char *value, const char *expected)
{
	_cleanup_free_ char *name = ktstr_xasprintf("cgroup %s: %s", e->cgroup, check->name);

	ktstr_assert_record_pass(e->result, name, comparator, value, expected);
}

static void pass_number(const struct evaluation *e, const struct check *check,
			const char *comparator, double value, double expected)
{
	_cleanup_str_ struct ktstr_str value_text = { 0 }, expected_text = { 0 };

	ktstr_format_f64(value, &value_text);
	ktstr_format_f64(expected, &expected_text);
	pass_text(e, check, comparator, value_text.data, expected_text.data);
}

static struct ktstr_opt_f64 opt_of_u64(struct ktstr_opt_u64 opt)
{
	return opt.set ? SOME((double)opt.value) : NONE;
}

/* Progress: every worker did work and was there until the end. */

static struct ktstr_opt_f64 progress_limit(const struct evaluation *e)
{
	return e->assert->not_stuck == KTSTR_ON ? SOME(1) : NONE;
}

static bool judge_progress(const struct evaluation *e, const struct ktstr_worker_report *worker)
{
	char wall[32];

	switch (worker->exit) {
	case KTSTR_WORKER_EXITED:
		fail(e, KTSTR_DETAIL_NO_PROGRESS, WORKER_FMT " ended before it was stopped: exit code %d",
		     WORKER_ARGS(e, worker), worker->exit_code);
		return false;
	case KTSTR_WORKER_SIGNALED:
		fail(e, KTSTR_DETAIL_NO_PROGRESS, WORKER_FMT " was killed by signal %d (%s)",
		     WORKER_ARGS(e, worker), worker->exit_code, strsignal(worker->exit_code));
		return false;
	case KTSTR_WORKER_PANICKED:
	case KTSTR_WORKER_WAIT_FAILED:
		fail(e, KTSTR_DETAIL_NO_PROGRESS, WORKER_FMT " ended before it was stopped: %s", WORKER_ARGS(e, worker),
		     worker->exit_message);
		return false;
	case KTSTR_WORKER_TIMED_OUT: /* a gap without end: told by the gap check, which not_stuck includes */
		return false;
	case KTSTR_WORKER_COMPLETED:
		break;
	}
	if (worker->work_units)
		return true;
	fail(e, KTSTR_DETAIL_NO_PROGRESS,
	     "cgroup %s: worker %u (tid %d, %s/%u) made no progress: 0 work units in %s (limit: at least 1)",
	     WORKER_ARGS(e, worker), e->cgroup, worker->index,
	     ktstr_format_duration(worker->wall_time_ns, wall));
	return false;
}

static void check_progress(const struct evaluation *e, const struct check *check, double limit)
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
		pass_number(e, check, "ge", (double)least, limit);
}

/*
 * Spread: points between the most and the least descheduled worker. Only workers of the same work spec are
 * compared: a sleeper beside a spinner is off the CPU because it wants to be. Among workers that sleep on
 * purpose (Bursty, IoSyncWrite, PipeIo) the difference holds chance as well; give those a wider limit.
 */

static struct ktstr_opt_f64 spread_limit(const struct evaluation *e)
{
	if (e->assert->max_spread_pct.set)
		return e->assert->max_spread_pct;
	return e->assert->not_stuck == KTSTR_ON ? SOME(e->limits->max_spread_pct) : NONE;
}

static void check_spread(const struct evaluation *e, const struct check *check, double limit)
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
		fail(e, KTSTR_DETAIL_UNFAIR,
		     "cgroup %s: unfair: off-CPU time spread %.1f %% (%.1f-%.1f %%, workers %u and %u), limit %g %%",
		     e->cgroup, spread.max_pct - spread.min_pct, spread.min_pct, spread.max_pct,
		     spread.least->index, spread.most->index, limit);
	}
	if (held && e->stats->spread.set)
		pass_number(e, check, "le", e->stats->spread.value, limit);
}

/* Gap: the longest time a worker did not get to its next checkpoint. */

static struct ktstr_opt_f64 gap_limit(const struct evaluation *e)
{
	if (e->assert->max_gap_ms.set)
		return opt_of_u64(e->assert->max_gap_ms);
	return e->assert->not_stuck == KTSTR_ON ? SOME((double)e->limits->max_gap_ms) : NONE;
}

static bool judge_gap(const struct evaluation *e, const struct ktstr_worker_report *worker,
		      double limit_ms)
{
	double gap_ms = (double)worker->max_gap_ns / 1e6;

	if (worker->exit == KTSTR_WORKER_TIMED_OUT) {
		fail(e, KTSTR_DETAIL_STUCK,
		     WORKER_FMT " was stuck at the end: it did not answer the stop and was killed (limit %.0f ms)",
		     WORKER_ARGS(e, worker), limit_ms);
		return false;
	}
	if (gap_ms <= limit_ms)
		return true;
	fail(e, KTSTR_DETAIL_STUCK,
	     WORKER_FMT " was stuck for %.*f ms on CPU %u at +%.1f s (limit %.0f ms)",
	     WORKER_ARGS(e, worker), gap_ms < limit_ms + 1 ? 6 : 0, gap_ms, worker->max_gap_cpu,
	     (double)worker->max_gap_at_ns / 1e9, limit_ms);
	return false;
}

static void check_gap(const struct evaluation *e, const struct check *check, double limit)
{
	bool held = e->count > 0;

	for (size_t i = 0; i < e->count; i++)
		if (!judge_gap(e, &e->reports[i], limit))
			held = false;
	if (held)
		pass_number(e, check, "le", e->stats->max_gap_ms, limit);
}

/* Isolation: no CPU outside the cpuset of the cgroup. */

static struct ktstr_opt_f64 isolation_limit(const struct evaluation *e)
{
	return e->assert->isolation == KTSTR_ON && e->cpuset ? SOME(1) : NONE;
}

static void check_isolation(const struct evaluation *e, const struct check *check, double limit)
{
	_cleanup_free_ char *allowed = ktstr_cpus_to_text(e->cpuset);
	_cleanup_free_ char *used = ktstr_cpus_to_text(&e->stats->cpus_used);
	bool held = e->count > 0;

	(void)limit;
	for (size_t i = 0; i < e->count; i++) {
		const struct ktstr_worker_report *worker = &e->reports[i];
		struct ktstr_cpus outside = ktstr_cpus_minus(&worker->cpus_used, e->cpuset);
		_cleanup_free_ char *text = NULL;

		if (!ktstr_cpus_count(&outside))
			continue;
		held = false;
		text = ktstr_cpus_to_text(&outside);
		fail(e, KTSTR_DETAIL_ISOLATION,
		     WORKER_FMT " ran on CPU %s outside the cgroup's cpuset %s",
		     WORKER_ARGS(e, worker), text, *allowed ? allowed : "(empty)");
	}
	if (held)
		pass_text(e, check, "subset_of", used, allowed);
}

/* Work rate: units of work per second of CPU time, each worker. */

static struct ktstr_opt_f64 work_rate_limit(const struct evaluation *e)
{
	return e->assert->min_work_rate;
}

static void check_work_rate(const struct evaluation *e, const struct check *check, double limit)
{
	double least = 0;
	size_t measured = 0, below = 0;

	for (size_t i = 0; i < e->count; i++) {
		const struct ktstr_worker_report *worker = &e->reports[i];
		double rate;

		if (!worker->cpu_time_ns)
			continue;
		rate = (double)worker->work_units / ((double)worker->cpu_time_ns / 1e9);
		if (!measured++ || rate < least)
			least = rate;
		if (rate >= limit)
			continue;
		below++;
		fail(e, KTSTR_DETAIL_BENCHMARK,
		     WORKER_FMT " did %.1f work units per CPU second, floor %g", WORKER_ARGS(e, worker),
		     rate, limit);
	}
	if (!measured)
		ktstr_assert_record(e->result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
				    "cgroup %s: %s cannot be told: %llu work units over 0 ns of CPU time in all "
				    "%zu workers, floor %g per CPU second",
				    e->cgroup, check->name,
				    (unsigned long long)e->stats->total_work_units, e->count, limit);
	else if (!below)
		pass_number(e, check, "ge", least, limit);
}

/* Wake latency: time from a wakeup to running, pooled over the cgroup. */

static struct ktstr_opt_f64 p99_wake_limit(const struct evaluation *e)
{
	return opt_of_u64(e->assert->max_p99_wake_latency_ns);
}

static void check_p99_wake(const struct evaluation *e, const struct check *check, double limit)
{
	double p99_us = e->stats->p99_wake_latency_us.value, limit_us = limit / 1e3;

	if (!e->stats->p99_wake_latency_us.set)
		return;
	if (p99_us <= limit_us)
		pass_number(e, check, "le", p99_us * 1e3, limit);
	else
		fail(e, KTSTR_DETAIL_BENCHMARK,
		     "cgroup %s: p99 wake latency %.3f us over %llu wakeups, limit %.3f us", e->cgroup,
		     p99_us, (unsigned long long)e->stats->wake_sample_total, limit_us);
}

/* In the order of the report: fairness, isolation, throughput, latency. */
static const struct check checks[] = {
	{ "not_stuck", false, progress_limit, check_progress },
	{ "max_spread_pct", false, spread_limit, check_spread },
	{ "max_gap_ms", false, gap_limit, check_gap },
	{ "isolation", false, isolation_limit, check_isolation },
	{ "min_work_rate", true, work_rate_limit, check_work_rate },
	{ "max_p99_wake_latency_ns", true, p99_wake_limit, check_p99_wake },
};

/* What makes the numbers mean less than the test thinks, although no check fails by it. */
static void note_oddities(const struct evaluation *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct ktstr_worker_report *worker = &e->reports[i];

		if (worker->affinity_errno)
			ktstr_assert_note(e->result, WORKER_FMT " could not set its CPU affinity: %s",
					  WORKER_ARGS(e, worker), strerror(worker->affinity_errno));
		if (worker->exit != KTSTR_WORKER_COMPLETED && e->assert->not_stuck != KTSTR_ON)
			ktstr_assert_note(e->result,
					  WORKER_FMT " did not run to the end and is not in the numbers",
					  WORKER_ARGS(e, worker));
	}
}

void ktstr_assert_cgroup(const struct ktstr_assert *assert,
			 const struct ktstr_default_limits *limits, const char *cgroup_name,
			 const struct ktstr_cpus *cpuset, const struct ktstr_worker_report *reports,
			 size_t count, struct ktstr_assert_result *result)
{
	const struct evaluation e = {
		.assert = assert,
		.limits = limits,
		.cgroup = cgroup_name,
		.cpuset = cpuset,
		.reports = reports,
		.count = count,
		.stats = ktstr_stats_add_cgroup(&result->stats, cgroup_name, reports, count),
		.result = result,
	};

	note_oddities(&e);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct check *check = &checks[i];
		struct ktstr_opt_f64 limit = check->limit(&e);

		if (!limit.set)
			continue;
		if (count)
			check->evaluate(&e, check, limit.value);
		else if (check->benchmark)
			ktstr_assert_record(result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP,
					    "cgroup %s: %s skipped: no worker reports", cgroup_name,
					    check->name);
	}
}
