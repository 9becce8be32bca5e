// SPDX-License-Identifier: GPL-2.0-only
/* The same predicates that judge a run in the end, looked at while it goes on. Rates are left to the end. */
#include "observe/reactive.h"

static bool any_stuck(const struct ktstr_monitor_series *series, size_t i)
{
	for (size_t cpu = 0; cpu < series->samples[i].cpus_count; cpu++)
		if (ktstr_monitor_is_stuck(&series->samples[i - 1], &series->samples[i], cpu,
					   series->preemption_threshold_ns))
			return true;
	return false;
}

static bool violates(const struct ktstr_monitor_thresholds *thresholds, const struct ktstr_monitor_series *series,
		     size_t i)
{
	const struct ktstr_monitor_sample *sample = &series->samples[i];

	if (!ktstr_monitor_is_plausible(sample))
		return false;
	if (ktstr_monitor_imbalance(sample) > thresholds->max_imbalance_ratio)
		return true;
	for (size_t cpu = 0; cpu < sample->cpus_count; cpu++)
		if (sample->cpus[cpu].local_dsq_depth > thresholds->max_local_dsq_depth)
			return true;
	return thresholds->fail_on_rq_clock_stuck && i && any_stuck(series, i);
}

bool ktstr_reactive_look(struct ktstr_reactive *reactive, const struct ktstr_monitor_series *series)
{
	if (!reactive->thresholds.enforce || reactive->fired)
		return false;
	for (; reactive->looked < series->count; reactive->looked++)
		reactive->run = violates(&reactive->thresholds, series, reactive->looked) ? reactive->run + 1 : 0;
	reactive->fired = reactive->run >= reactive->thresholds.sustained_samples;
	return reactive->fired;
}
