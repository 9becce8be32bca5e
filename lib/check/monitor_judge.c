// SPDX-License-Identifier: GPL-2.0-only
/* Judging samples of the runqueues: a violation counts once enough samples in a row have it. */
#include <string.h>

#include "base/str.h"
#include "check/monitor_events.h"
#include "ktstr/check.h"
#include "ktstr/monitor.h"

struct ktstr_monitor_thresholds ktstr_monitor_thresholds_of(const struct ktstr_assert *assert)
{
	struct ktstr_monitor_thresholds t = KTSTR_MONITOR_THRESHOLDS_DEFAULT;

	if (assert->max_imbalance_ratio.set)
		t.max_imbalance_ratio = assert->max_imbalance_ratio.value;
	if (assert->max_local_dsq_depth.set)
		t.max_local_dsq_depth = (double)assert->max_local_dsq_depth.value;
	if (assert->fail_on_rq_clock_stuck != KTSTR_UNSET)
		t.fail_on_rq_clock_stuck = assert->fail_on_rq_clock_stuck == KTSTR_ON;
	if (assert->sustained_samples.set)
		t.sustained_samples = (unsigned int)assert->sustained_samples.value;
	if (assert->max_fallback_rate.set)
		t.max_fallback_rate = assert->max_fallback_rate.value;
	if (assert->max_keep_last_rate.set)
		t.max_keep_last_rate = assert->max_keep_last_rate.value;
	t.enforce = assert->enforce_monitor_thresholds == KTSTR_ON;
	return t;
}

/* Violations in a row, of one check on one subject. */
struct streak {
	unsigned int length, longest;
	double worst; /* of the longest run so far */
	uint64_t ended_ms;
	double current_worst;
};

static void extend(struct streak *streak, bool violated, double value, uint64_t at_ms)
{
	if (!violated) {
		streak->length = 0;
		return;
	}
	streak->current_worst = streak->length && streak->current_worst > value ? streak->current_worst : value;
	streak->length++;
	if (streak->length < streak->longest)
		return;
	streak->longest = streak->length;
	streak->worst = streak->current_worst;
	streak->ended_ms = at_ms;
}

struct judgement {
	const struct ktstr_monitor_thresholds *thresholds;
	const struct ktstr_monitor_series *series;
	struct ktstr_assert_result *result;
	size_t violations;
};

static bool is_sustained(const struct judgement *j, const struct streak *streak)
{
	return streak->longest && streak->longest >= j->thresholds->sustained_samples;
}

/* What: "CPU 3: local DSQ depth reached 80"; the limit; how long. */
static void violation(struct judgement *j, const struct streak *streak, const char *what, double limit)
{
	j->violations++;
	if (j->thresholds->enforce)
		ktstr_assert_record(j->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_MONITOR,
				    "monitor: %s (limit %g) in %u samples in a row, up to +%.1f s", what, limit,
				    streak->longest, (double)streak->ended_ms / 1e3);
	else
		ktstr_assert_note(j->result,
				  "monitor (report-only): %s (limit %g) in %u samples in a row, up to +%.1f s", what,
				  limit, streak->longest, (double)streak->ended_ms / 1e3);
}

static void judge_imbalance(struct judgement *j)
{
	struct streak streak = { 0 };
	_cleanup_free_ char *what = NULL;

	for (size_t i = 0; i < j->series->count; i++) {
		double ratio = ktstr_monitor_imbalance(&j->series->samples[i]);

		extend(&streak, ratio > j->thresholds->max_imbalance_ratio, ratio, j->series->samples[i].elapsed_ms);
	}
	if (!is_sustained(j, &streak))
		return;
	what = ktstr_xasprintf("nr_running imbalance reached %.2f", streak.worst);
	violation(j, &streak, what, j->thresholds->max_imbalance_ratio);
}

static size_t cpus_of(const struct ktstr_monitor_series *series)
{
	size_t cpus = 0;

	for (size_t i = 0; i < series->count; i++)
		if (series->samples[i].cpus_count > cpus)
			cpus = series->samples[i].cpus_count;
	return cpus;
}

static void judge_depth(struct judgement *j, size_t cpu)
{
	struct streak streak = { 0 };
	_cleanup_free_ char *what = NULL;

	for (size_t i = 0; i < j->series->count; i++) {
		const struct ktstr_monitor_sample *sample = &j->series->samples[i];
		double depth = cpu < sample->cpus_count ? sample->cpus[cpu].local_dsq_depth : 0;

		extend(&streak, depth > j->thresholds->max_local_dsq_depth, depth, sample->elapsed_ms);
	}
	if (!is_sustained(j, &streak))
		return;
	what = ktstr_xasprintf("CPU %zu: local DSQ depth reached %.0f", cpu, streak.worst);
	violation(j, &streak, what, j->thresholds->max_local_dsq_depth);
}

static void judge_clock(struct judgement *j, size_t cpu)
{
	const struct ktstr_monitor_sample *samples = j->series->samples;
	struct streak streak = { 0 };
	uint64_t began_ms = 0;
	_cleanup_free_ char *what = NULL;

	for (size_t i = 1; i < j->series->count; i++) {
		bool stuck = ktstr_monitor_is_stuck(&samples[i - 1], &samples[i], cpu,
						    j->series->preemption_threshold_ns);

		if (stuck && !streak.length)
			began_ms = samples[i - 1].elapsed_ms;
		extend(&streak, stuck, (double)(samples[i].elapsed_ms - began_ms), samples[i].elapsed_ms);
	}
	if (!is_sustained(j, &streak))
		return;
	what = ktstr_xasprintf("CPU %zu: its runqueue's clock stood still for %.0f ms while tasks were runnable", cpu,
			       streak.worst);
	violation(j, &streak, what, 0);
}

/* An interval without data does not violate, and ends a run of violations. */
static void judge_rate(struct judgement *j, const char *name, size_t offset, double limit)
{
	const struct ktstr_monitor_sample *samples = j->series->samples;
	struct streak streak = { 0 };
	_cleanup_free_ char *what = NULL;

	for (size_t i = 1; i < j->series->count; i++) {
		struct ktstr_opt_i64 before = ktstr_monitor_sum_event(&samples[i - 1], offset);
		struct ktstr_opt_i64 now = ktstr_monitor_sum_event(&samples[i], offset);
		double rate = 0;
		uint64_t span_ms = samples[i].elapsed_ms - samples[i - 1].elapsed_ms;

		if (before.set && now.set && span_ms)
			rate = ((double)now.value - (double)before.value) * 1e3 / (double)span_ms;
		extend(&streak, rate > limit, rate, samples[i].elapsed_ms);
	}
	if (!is_sustained(j, &streak))
		return;
	what = ktstr_xasprintf("%s reached %.0f per second", name, streak.worst);
	violation(j, &streak, what, limit);
}

/* Clocks that never move, on any CPU of any sample: nobody runs there, or these are no clocks. */
static bool clocks_moved(const struct ktstr_monitor_series *series)
{
	const uint64_t *first = NULL;
	size_t readings = 0;

	for (size_t i = 0; i < series->count; i++) {
		for (size_t k = 0; k < series->samples[i].cpus_count; k++) {
			const uint64_t *clock = &series->samples[i].cpus[k].rq_clock;

			first = first ?: clock;
			readings++;
			if (*clock != *first)
				return true;
		}
	}
	return readings <= 1;
}

static const char *why_unusable(const struct ktstr_monitor_series *series)
{
	if (!series->count)
		return "no monitor samples";
	if (!clocks_moved(series))
		return "monitor data not yet initialized: all runqueue clocks are equal";
	for (size_t i = 0; i < series->count; i++)
		if (!ktstr_monitor_is_plausible(&series->samples[i]))
			return "monitor data not yet initialized: a local DSQ depth is impossible";
	return NULL;
}

void ktstr_monitor_evaluate(const struct ktstr_monitor_thresholds *thresholds,
			    const struct ktstr_monitor_series *series, struct ktstr_assert_result *result)
{
	struct judgement j = { .thresholds = thresholds, .series = series, .result = result };
	const char *unusable = why_unusable(series);
	size_t cpus = cpus_of(series);

	if (unusable && thresholds->enforce)
		ktstr_assert_record(result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR, "monitor: %s", unusable);
	else if (unusable)
		ktstr_assert_note(result, "monitor (report-only): %s", unusable);
	if (unusable)
		return;
	judge_imbalance(&j);
	for (size_t cpu = 0; cpu < cpus; cpu++) {
		judge_depth(&j, cpu);
		if (thresholds->fail_on_rq_clock_stuck)
			judge_clock(&j, cpu);
	}
	judge_rate(&j, "select_cpu_fallback", offsetof(struct ktstr_scx_events, select_cpu_fallback),
		   thresholds->max_fallback_rate);
	judge_rate(&j, "dispatch_keep_last", offsetof(struct ktstr_scx_events, dispatch_keep_last),
		   thresholds->max_keep_last_rate);
	if (!j.violations && thresholds->enforce) {
		_cleanup_free_ char *samples = ktstr_xasprintf("%zu", series->count);

		ktstr_assert_record_pass(result, "monitor: sustained violations", "eq", "0", "0");
		ktstr_assert_note(result, "monitor OK over %s samples", samples);
	}
}

bool ktstr_assert_scx_events_clean(struct ktstr_assert_result *result, const struct ktstr_event_count *counts,
				   size_t count, struct ktstr_opt_u64 bound)
{
	bool clean = true;

	for (size_t i = 0; i < count; i++) {
		int64_t value = counts[i].count;
		uint64_t limit = bound.set ? bound.value : 0;
		_cleanup_free_ char *name = NULL, *value_text = NULL, *limit_text = NULL;

		if (value < 0 || (uint64_t)value > limit) {
			clean = false;
			ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_SCHEDULER_EVENT,
					    "scheduler event %s: %lld, expected %s%llu", counts[i].name,
					    (long long)value, bound.set ? "0 to " : "", (unsigned long long)limit);
			continue;
		}
		name = ktstr_xasprintf("scheduler event %s", counts[i].name);
		value_text = ktstr_xasprintf("%lld", (long long)value);
		limit_text = ktstr_xasprintf("%llu", (unsigned long long)limit);
		ktstr_assert_record_pass(result, name, bound.set ? "le" : "eq", value_text, limit_text);
	}
	return clean;
}
