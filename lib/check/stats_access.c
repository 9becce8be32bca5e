// SPDX-License-Identifier: GPL-2.0-only
/* What statistics answer: lookups by name and phase, and the ratios derived from them. */
#include <math.h>
#include <string.h>

#include "ktstr/stats.h"

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

const struct ktstr_cgroup_stats *ktstr_stats_cgroup(const struct ktstr_scenario_stats *stats,
						    const char *name)
{
	for (size_t i = 0; i < stats->cgroups_count; i++)
		if (stats->cgroups[i].cgroup_name && !strcmp(stats->cgroups[i].cgroup_name, name))
			return &stats->cgroups[i];
	return NULL;
}

struct ktstr_opt_f64 ktstr_cgroup_stats_metric(const struct ktstr_cgroup_stats *stats, const char *name)
{
	return ktstr_metric_set_get(&stats->ext_metrics, name);
}

struct ktstr_opt_f64 ktstr_cgroup_stats_iterations_per_worker(const struct ktstr_cgroup_stats *stats)
{
	if (!stats->num_workers)
		return NONE;
	return SOME((double)stats->total_iterations / (double)stats->num_workers);
}

struct ktstr_opt_f64
ktstr_cgroup_stats_iterations_per_cpu_sec(const struct ktstr_cgroup_stats *stats)
{
	if (!stats->total_cpu_time_ns)
		return NONE;
	return SOME((double)stats->total_iterations / ((double)stats->total_cpu_time_ns / 1e9));
}

struct ktstr_opt_f64
ktstr_cgroup_stats_wake_latency_tail_ratio(const struct ktstr_cgroup_stats *stats)
{
	if (!stats->p99_wake_latency_us.set || !stats->median_wake_latency_us.set ||
	    !(stats->median_wake_latency_us.value > 0))
		return NONE;
	return SOME(stats->p99_wake_latency_us.value / stats->median_wake_latency_us.value);
}

struct ktstr_opt_f64
ktstr_scenario_stats_cgroup_balance_ratio(const struct ktstr_scenario_stats *stats)
{
	double least = INFINITY, most = 0;
	size_t manned = 0;

	for (size_t i = 0; i < stats->cgroups_count; i++) {
		struct ktstr_opt_f64 per_worker =
			ktstr_cgroup_stats_iterations_per_worker(&stats->cgroups[i]);

		if (!per_worker.set)
			continue;
		least = fmin(least, per_worker.value);
		most = fmax(most, per_worker.value);
		manned++;
	}
	if (manned < 2)
		return NONE;
	return SOME(least > 0 ? most / least : INFINITY);
}

const struct ktstr_phase_bucket *ktstr_scenario_stats_phase(const struct ktstr_scenario_stats *stats, uint16_t phase)
{
	return ktstr_phase_bucket_find(&stats->phases, phase);
}

const struct ktstr_phase_bucket *ktstr_scenario_stats_step(const struct ktstr_scenario_stats *stats, uint32_t step)
{
	return ktstr_scenario_stats_phase(stats, ktstr_phase_step(step));
}

struct ktstr_opt_f64 ktstr_scenario_stats_phase_metric(const struct ktstr_scenario_stats *stats, uint16_t phase,
						       const char *name)
{
	const struct ktstr_phase_bucket *bucket = ktstr_scenario_stats_phase(stats, phase);

	return bucket ? ktstr_metric_set_get(&bucket->metrics, name) : NONE;
}

struct ktstr_opt_f64 ktstr_scenario_stats_step_metric(const struct ktstr_scenario_stats *stats, uint32_t step,
						      const char *name)
{
	return ktstr_scenario_stats_phase_metric(stats, ktstr_phase_step(step), name);
}

struct ktstr_opt_f64 ktstr_scenario_stats_run_metric(const struct ktstr_scenario_stats *stats, const char *name)
{
	return ktstr_metric_set_get(&stats->ext_metrics, name);
}

bool ktstr_scenario_stats_is_known_metric(const struct ktstr_scenario_stats *stats, const char *name)
{
	if (ktstr_metric_id(name).builtin >= 0 || ktstr_metric_set_get(&stats->ext_metrics, name).set)
		return true;
	for (size_t i = 0; i < stats->phases.count; i++)
		if (ktstr_metric_set_get(&stats->phases.items[i].metrics, name).set)
			return true;
	return false;
}

bool ktstr_scenario_stats_has_steps(const struct ktstr_scenario_stats *stats)
{
	return stats->phases.count && stats->phases.items[stats->phases.count - 1].step_index != KTSTR_PHASE_BASELINE;
}
