// SPDX-License-Identifier: GPL-2.0-only
/* What samples of the runqueues say one by one, and their summary over a run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "check/monitor_events.h"
#include "check/saturating.h"
#include "ktstr/monitor.h"

#define SOME_F64(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define SOME_U64(v) ((struct ktstr_opt_u64)KTSTR_SOME(v))

double ktstr_monitor_imbalance(const struct ktstr_monitor_sample *sample)
{
	uint32_t most = 0, least = UINT32_MAX;

	if (!sample->cpus_count)
		return 1;
	for (size_t i = 0; i < sample->cpus_count; i++) {
		uint32_t nr_running = sample->cpus[i].nr_running;

		most = nr_running > most ? nr_running : most;
		least = nr_running < least ? nr_running : least;
	}
	return (double)most / (least ? least : 1);
}

bool ktstr_monitor_is_plausible(const struct ktstr_monitor_sample *sample)
{
	for (size_t i = 0; i < sample->cpus_count; i++)
		if (sample->cpus[i].local_dsq_depth > KTSTR_MONITOR_DEPTH_PLAUSIBLE)
			return false;
	return true;
}

bool ktstr_monitor_is_stuck(const struct ktstr_monitor_sample *earlier, const struct ktstr_monitor_sample *later,
			    size_t cpu, uint64_t preemption_threshold_ns)
{
	const struct ktstr_cpu_snapshot *before, *now;

	if (cpu >= earlier->cpus_count || cpu >= later->cpus_count)
		return false;
	before = &earlier->cpus[cpu];
	now = &later->cpus[cpu];
	if (!now->rq_clock || now->rq_clock != before->rq_clock)
		return false;
	if (!now->nr_running && !before->nr_running)
		return false;
	if (now->vcpu_cpu_time_ns.set && before->vcpu_cpu_time_ns.set &&
	    now->vcpu_cpu_time_ns.value - before->vcpu_cpu_time_ns.value < preemption_threshold_ns)
		return false;
	return true;
}

static void add_sample(struct ktstr_monitor_summary *summary, const struct ktstr_monitor_sample *sample,
		       uint64_t *readings)
{
	double imbalance = ktstr_monitor_imbalance(sample);

	summary->plausible_samples++;
	summary->max_imbalance_ratio = fmax(summary->max_imbalance_ratio, imbalance);
	summary->avg_imbalance_ratio += imbalance;
	for (size_t i = 0; i < sample->cpus_count; i++) {
		const struct ktstr_cpu_snapshot *cpu = &sample->cpus[i];

		if (cpu->local_dsq_depth > summary->max_local_dsq_depth)
			summary->max_local_dsq_depth = cpu->local_dsq_depth;
		summary->avg_local_dsq_depth += cpu->local_dsq_depth;
		summary->avg_nr_running += cpu->nr_running;
		(*readings)++;
	}
}

static void add_irq(struct ktstr_monitor_summary *summary, const struct ktstr_monitor_series *series)
{
	double util_sum = 0, util_max = 0, psi_sum = 0;
	uint64_t utils = 0, psis = 0;
	struct ktstr_opt_u64 first = KTSTR_NONE, last = KTSTR_NONE;

	for (size_t i = 0; i < series->count; i++) {
		const struct ktstr_monitor_sample *sample = &series->samples[i];

		for (size_t k = 0; k < sample->cpus_count; k++) {
			if (!sample->cpus[k].avg_irq_util.set)
				continue;
			util_sum += sample->cpus[k].avg_irq_util.value;
			util_max = fmax(util_max, sample->cpus[k].avg_irq_util.value);
			utils++;
		}
		if (sample->psi_irq_full_avg10.set) {
			psi_sum += sample->psi_irq_full_avg10.value;
			psis++;
		}
		if (sample->psi_irq_full_total_ns.set) {
			first = first.set ? first : sample->psi_irq_full_total_ns;
			last = sample->psi_irq_full_total_ns;
		}
	}
	if (utils) {
		summary->avg_irq_util = SOME_F64(util_sum / (double)utils);
		summary->max_avg_irq_util = SOME_F64(util_max);
	}
	if (psis)
		summary->psi_irq_full_avg10 = SOME_F64(psi_sum / (double)psis);
	if (first.set && last.value >= first.value)
		summary->total_irq_pressure_us = SOME_U64((last.value - first.value) / 1000);
}

struct ktstr_opt_i64 ktstr_monitor_sum_event(const struct ktstr_monitor_sample *sample, size_t offset)
{
	struct ktstr_opt_i64 sum = KTSTR_NONE;

	for (size_t i = 0; i < sample->cpus_count; i++) {
		const struct ktstr_opt_i64 *count =
			(const void *)((const char *)&sample->cpus[i].events + offset);

		if (!sample->cpus[i].has_events || !count->set)
			continue;
		sum.set = true;
		if (__builtin_add_overflow(sum.value, count->value, &sum.value))
			sum.value = INT64_MAX;
	}
	return sum;
}

/* last - first sample that has the counter; *span_ms between the two. Unset without two of them. */
static struct ktstr_opt_i64 event_delta(const struct ktstr_monitor_series *series, size_t offset, uint64_t *span_ms)
{
	struct ktstr_opt_i64 first = KTSTR_NONE, last = KTSTR_NONE, delta = KTSTR_NONE;
	size_t found = 0;
	uint64_t first_ms = 0, last_ms = 0;

	for (size_t i = 0; i < series->count; i++) {
		struct ktstr_opt_i64 sum = ktstr_monitor_sum_event(&series->samples[i], offset);

		if (!sum.set)
			continue;
		if (!found++) {
			first = sum;
			first_ms = series->samples[i].elapsed_ms;
		}
		last = sum;
		last_ms = series->samples[i].elapsed_ms;
	}
	*span_ms = last_ms - first_ms;
	if (found < 2)
		return delta;
	delta.set = true;
	if (__builtin_sub_overflow(last.value, first.value, &delta.value) || delta.value < 0)
		delta.value = last.value < first.value ? 0 : INT64_MAX;
	return delta;
}

static struct ktstr_opt_f64 event_rate(struct ktstr_opt_i64 delta, uint64_t span_ms)
{
	if (!delta.set)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return SOME_F64(span_ms ? (double)delta.value * 1e3 / (double)span_ms : 0);
}

static struct ktstr_opt_u64 largest_step(const struct ktstr_monitor_series *series, size_t offset)
{
	struct ktstr_opt_i64 before = KTSTR_NONE;
	struct ktstr_opt_u64 largest = KTSTR_NONE;

	for (size_t i = 0; i < series->count; i++) {
		struct ktstr_opt_i64 sum = ktstr_monitor_sum_event(&series->samples[i], offset);
		uint64_t step;

		if (!sum.set)
			continue;
		step = before.set && sum.value > before.value ? (uint64_t)sum.value - (uint64_t)before.value : 0;
		if (before.set && (!largest.set || step > largest.value))
			largest = SOME_U64(step);
		before = sum;
	}
	return largest;
}

static void add_events(struct ktstr_event_deltas *deltas, const struct ktstr_monitor_series *series)
{
	uint64_t span_ms;

#define DELTA(name) deltas->total.name = event_delta(series, offsetof(struct ktstr_scx_events, name), &span_ms);
	KTSTR_SCX_EVENTS(DELTA)
#undef DELTA
	event_delta(series, offsetof(struct ktstr_scx_events, select_cpu_fallback), &span_ms);
	deltas->fallback_rate = event_rate(deltas->total.select_cpu_fallback, span_ms);
	event_delta(series, offsetof(struct ktstr_scx_events, dispatch_keep_last), &span_ms);
	deltas->keep_last_rate = event_rate(deltas->total.dispatch_keep_last, span_ms);
	deltas->max_fallback_burst = largest_step(series, offsetof(struct ktstr_scx_events, select_cpu_fallback));
}

/* All CPUs of a sample; available when every CPU has it. */
static struct ktstr_rq_schedstat sum_schedstat(const struct ktstr_monitor_sample *sample)
{
	struct ktstr_rq_schedstat sum = { .available = sample->cpus_count > 0 };

	for (size_t i = 0; i < sample->cpus_count; i++) {
		const struct ktstr_rq_schedstat *cpu = &sample->cpus[i].schedstat;

		sum.available &= cpu->available;
#define ADD(name) sum.name = ktstr_add_saturating(sum.name, cpu->name);
		KTSTR_RQ_SCHEDSTATS(ADD)
#undef ADD
	}
	return sum;
}

static void add_schedstat(struct ktstr_monitor_summary *summary, const struct ktstr_monitor_series *series)
{
	struct ktstr_rq_schedstat first = { 0 }, last = { 0 };
	uint64_t first_ms = 0, last_ms = 0;
	size_t found = 0;

	for (size_t i = 0; i < series->count; i++) {
		struct ktstr_rq_schedstat sum = sum_schedstat(&series->samples[i]);

		if (!sum.available)
			continue;
		if (!found++) {
			first = sum;
			first_ms = series->samples[i].elapsed_ms;
		}
		last = sum;
		last_ms = series->samples[i].elapsed_ms;
	}
	if (found < 2)
		return;
	summary->schedstat.available = true;
	summary->schedstat_wall_sec = SOME_F64((double)(last_ms - first_ms) / 1e3);
#define SUB(name) summary->schedstat.name = last.name > first.name ? last.name - first.name : 0;
	KTSTR_RQ_SCHEDSTATS(SUB)
#undef SUB
}

static const struct ktstr_prog_sample *find_prog(const struct ktstr_monitor_sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->progs_count; i++)
		if (!strcmp(sample->progs[i].name, name))
			return &sample->progs[i];
	return NULL;
}

/* Programs that the first and the last sample with programs both have. */
static void add_progs(struct ktstr_monitor_summary *summary, const struct ktstr_monitor_series *series)
{
	const struct ktstr_monitor_sample *first = NULL, *last = NULL;

	for (size_t i = 0; i < series->count; i++) {
		if (!series->samples[i].progs)
			continue;
		first = first ?: &series->samples[i];
		last = &series->samples[i];
	}
	if (!first || first == last)
		return;
	summary->progs = ktstr_xcalloc(last->progs_count + 1, sizeof(*summary->progs));
	for (size_t i = 0; i < last->progs_count; i++) {
		const struct ktstr_prog_sample *now = &last->progs[i], *before = find_prog(first, now->name);
		struct ktstr_prog_delta *delta = &summary->progs[summary->progs_count];

		if (!before)
			continue;
		delta->name = ktstr_xstrdup(now->name);
		delta->cnt = now->cnt > before->cnt ? now->cnt - before->cnt : 0;
		delta->nsecs = now->nsecs > before->nsecs ? now->nsecs - before->nsecs : 0;
		delta->nsecs_per_call = delta->cnt ? (double)delta->nsecs / (double)delta->cnt : 0;
		summary->progs_count++;
	}
}

struct ktstr_monitor_summary ktstr_monitor_summarise(const struct ktstr_monitor_series *series)
{
	struct ktstr_monitor_summary summary = { .total_samples = series->count, .max_imbalance_ratio = 1 };
	uint64_t readings = 0;

	for (size_t i = 0; i < series->count; i++) {
		const struct ktstr_monitor_sample *sample = &series->samples[i];

		if (ktstr_monitor_is_plausible(sample))
			add_sample(&summary, sample, &readings);
		for (size_t cpu = 0; i > 0 && cpu < sample->cpus_count; cpu++)
			summary.stuck_count += ktstr_monitor_is_stuck(sample - 1, sample, cpu,
								      series->preemption_threshold_ns);
	}
	if (summary.plausible_samples)
		summary.avg_imbalance_ratio /= (double)summary.plausible_samples;
	if (readings) {
		summary.avg_local_dsq_depth /= (double)readings;
		summary.avg_nr_running /= (double)readings;
	}
	add_irq(&summary, series);
	add_events(&summary.events, series);
	add_schedstat(&summary, series);
	add_progs(&summary, series);
	return summary;
}

void ktstr_monitor_summary_deinit(struct ktstr_monitor_summary *summary)
{
	for (size_t i = 0; i < summary->progs_count; i++)
		free(summary->progs[i].name);
	free(summary->progs);
	*summary = (struct ktstr_monitor_summary){ 0 };
}

static void put_opt(struct ktstr_metric_set *set, const char *name, struct ktstr_opt_f64 value)
{
	if (value.set)
		ktstr_metric_set_put(set, name, value.value);
}

static void put_event(struct ktstr_metric_set *set, const char *name, struct ktstr_opt_i64 value)
{
	if (value.set)
		ktstr_metric_set_put(set, name, (double)value.value);
}

void ktstr_monitor_summary_metrics(const struct ktstr_monitor_summary *summary, struct ktstr_metric_set *set)
{
	if (summary->plausible_samples) {
		ktstr_metric_set_put(set, "max_imbalance_ratio", summary->max_imbalance_ratio);
		ktstr_metric_set_put(set, "avg_imbalance_ratio", summary->avg_imbalance_ratio);
		ktstr_metric_set_put(set, "max_dsq_depth", (double)summary->max_local_dsq_depth);
		ktstr_metric_set_put(set, "avg_dsq_depth", summary->avg_local_dsq_depth);
		ktstr_metric_set_put(set, "avg_nr_running", summary->avg_nr_running);
	}
	if (summary->total_samples > 1)
		ktstr_metric_set_put(set, "stuck_count", (double)summary->stuck_count);
	put_event(set, "total_fallback", summary->events.total.select_cpu_fallback);
	put_event(set, "total_keep_last", summary->events.total.dispatch_keep_last);
	put_opt(set, "avg_irq_util", summary->avg_irq_util);
	put_opt(set, "max_avg_irq_util", summary->max_avg_irq_util);
	put_opt(set, "psi_irq_full_avg10", summary->psi_irq_full_avg10);
	if (summary->total_irq_pressure_us.set)
		ktstr_metric_set_put(set, "total_irq_pressure_us", (double)summary->total_irq_pressure_us.value);
	if (summary->schedstat.available) {
		const struct ktstr_rq_schedstat *stat = &summary->schedstat;

		ktstr_metric_set_put(set, "total_run_delay", (double)stat->run_delay);
		ktstr_metric_set_put(set, "total_pcount", (double)stat->pcount);
		ktstr_metric_set_put(set, "total_sched_count", (double)stat->sched_count);
		ktstr_metric_set_put(set, "total_yld_count", (double)stat->yld_count);
		ktstr_metric_set_put(set, "total_sched_goidle", (double)stat->sched_goidle);
		ktstr_metric_set_put(set, "total_ttwu_count", (double)stat->ttwu_count);
		ktstr_metric_set_put(set, "total_ttwu_local", (double)stat->ttwu_local);
		put_opt(set, "total_schedstat_wall_sec", summary->schedstat_wall_sec);
	}
	ktstr_metric_set_derive(set);
}
