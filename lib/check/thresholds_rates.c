// SPDX-License-Identifier: GPL-2.0-only
/* Thresholds on performance: throughput of equal workers, work and iteration rates, wake latency. */
#include <math.h>

#include "check/evaluation.h"

/* Work units per second of CPU time; unset for a worker without any. */
static struct ktstr_opt_f64 work_rate(const struct ktstr_worker_report *worker)
{
	if (!worker->cpu_time_ns)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return (struct ktstr_opt_f64)KTSTR_SOME((double)worker->work_units / ((double)worker->cpu_time_ns / 1e9));
}

/* Iterations per second of wall time; unset for a worker without any. */
static struct ktstr_opt_f64 iteration_rate(const struct ktstr_worker_report *worker)
{
	if (!worker->wall_time_ns)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return (struct ktstr_opt_f64)KTSTR_SOME((double)worker->iterations / ((double)worker->wall_time_ns / 1e9));
}

/* No worker of the cgroup has CPU time. Both throughput checks then say so in one line between them. */
static bool lacks_cpu_time(const struct ktstr_evaluation *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->reports[i].cpu_time_ns)
			return false;
	return true;
}

static void say_no_cpu_time(const struct ktstr_evaluation *e)
{
	const struct ktstr_opt_f64 *cv = &e->assert->max_throughput_cv, *rate = &e->assert->min_work_rate;
	_cleanup_str_ struct ktstr_str limits = { 0 };

	if (cv->set)
		ktstr_str_addf(&limits, "limit of max_throughput_cv %g", cv->value);
	if (rate->set)
		ktstr_str_addf(&limits, "%sfloor of min_work_rate %g per CPU second", limits.length ? ", " : "",
			       rate->value);
	ktstr_check_untold(e, KTSTR_DETAIL_BENCHMARK,
			   "cgroup %s: throughput cannot be told: %llu work units over 0 ns of CPU time in all %zu "
			   "workers (%s)",
			   e->scope->name, (unsigned long long)e->stats->total_work_units, e->count,
			   ktstr_str_text(&limits));
}

/* Of the workers of one work spec with CPU time; unset for a mean of 0. *workers of them. */
static struct ktstr_opt_f64 group_cv(const struct ktstr_evaluation *e, unsigned int group_idx, size_t *workers)
{
	double sum = 0, squares = 0, mean;

	*workers = 0;
	for (size_t i = 0; i < e->count; i++) {
		struct ktstr_opt_f64 rate = work_rate(&e->reports[i]);

		if (e->reports[i].group_idx != group_idx || !rate.set)
			continue;
		sum += rate.value;
		(*workers)++;
	}
	if (sum == 0)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	mean = sum / (double)*workers;
	for (size_t i = 0; i < e->count; i++) {
		struct ktstr_opt_f64 rate = work_rate(&e->reports[i]);

		if (e->reports[i].group_idx == group_idx && rate.set)
			squares += (rate.value - mean) * (rate.value - mean);
	}
	return (struct ktstr_opt_f64)KTSTR_SOME(sqrt(squares / (double)*workers) / mean);
}

/* Only equal workers can be compared: another work spec counts other units. */
void ktstr_check_throughput_cv(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	double worst = 0;
	size_t measured = 0, violations = 0;

	if (lacks_cpu_time(e)) {
		say_no_cpu_time(e);
		return;
	}
	for (size_t i = 0; i < e->count; i++) {
		size_t workers;
		struct ktstr_opt_f64 cv;

		if (!ktstr_report_leads_group(e->reports, i))
			continue;
		cv = group_cv(e, e->reports[i].group_idx, &workers);
		if (workers < 2)
			continue;
		if (!cv.set) {
			ktstr_check_untold(e, KTSTR_DETAIL_BENCHMARK,
					   "cgroup %s: %s cannot be told: %zu equal workers did 0 work units (limit %g)",
					   e->scope->name, check->name, workers, limit);
			violations++;
			continue;
		}
		measured++;
		worst = fmax(worst, cv.value);
		if (cv.value <= limit)
			continue;
		violations++;
		ktstr_check_fails(e, KTSTR_DETAIL_BENCHMARK,
				  "cgroup %s: throughput of %zu equal workers varies: CV %.3f of their work units per "
				  "CPU second, limit %g",
				  e->scope->name, workers, cv.value, limit);
	}
	if (measured && !violations)
		ktstr_check_passes_number(e, check, "le", worst, limit);
}

/* A floor for each worker. Those without a value are passed over. Returns how many have one. */
static size_t check_floor(const struct ktstr_evaluation *e, const struct ktstr_check *check, double floor,
			  struct ktstr_opt_f64 (*rate_of)(const struct ktstr_worker_report *worker), const char *unit)
{
	double least = INFINITY;
	size_t measured = 0, below = 0;

	for (size_t i = 0; i < e->count; i++) {
		const struct ktstr_worker_report *worker = &e->reports[i];
		struct ktstr_opt_f64 rate = rate_of(worker);

		if (!rate.set)
			continue;
		measured++;
		least = fmin(least, rate.value);
		if (rate.value >= floor)
			continue;
		below++;
		ktstr_check_fails(e, KTSTR_DETAIL_BENCHMARK, KTSTR_WORKER_FMT " did %.1f %s, floor %g",
				  KTSTR_WORKER_ARGS(e, worker), rate.value, unit, floor);
	}
	if (measured && !below)
		ktstr_check_passes_number(e, check, "ge", least, floor);
	return measured;
}

void ktstr_check_work_rate(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	if (!check_floor(e, check, limit, work_rate, "work units per CPU second") && !e->assert->max_throughput_cv.set)
		say_no_cpu_time(e);
}

void ktstr_check_iteration_rate(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	if (!check_floor(e, check, limit, iteration_rate, "iterations per second"))
		ktstr_check_untold(e, KTSTR_DETAIL_BENCHMARK,
				   "cgroup %s: %s cannot be told: none of %zu workers has wall time (floor %g)",
				   e->scope->name, check->name, e->count, limit);
}

void ktstr_check_p99_wake(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	double p99_us = e->stats->p99_wake_latency_us.value, limit_us = limit / 1e3;

	if (!e->stats->p99_wake_latency_us.set)
		return;
	if (p99_us <= limit_us)
		ktstr_check_passes_number(e, check, "le", p99_us * 1e3, limit);
	else
		ktstr_check_fails(e, KTSTR_DETAIL_BENCHMARK,
				  "cgroup %s: p99 wake latency %.3f us over %llu wakeups, limit %.3f us",
				  e->scope->name, p99_us, (unsigned long long)e->stats->wake_sample_total, limit_us);
}

void ktstr_check_wake_cv(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	if (e->stats->wake_sample_total < 2)
		return;
	if (!e->stats->wake_latency_cv.set)
		ktstr_check_untold(e, KTSTR_DETAIL_BENCHMARK,
				   "cgroup %s: %s cannot be told: the mean of %llu wake latencies is 0 (limit %g)",
				   e->scope->name, check->name, (unsigned long long)e->stats->wake_sample_total, limit);
	else if (e->stats->wake_latency_cv.value <= limit)
		ktstr_check_passes_number(e, check, "le", e->stats->wake_latency_cv.value, limit);
	else
		ktstr_check_fails(e, KTSTR_DETAIL_BENCHMARK,
				  "cgroup %s: wake latency CV %.3f over %llu wakeups, limit %g", e->scope->name,
				  e->stats->wake_latency_cv.value, (unsigned long long)e->stats->wake_sample_total,
				  limit);
}
