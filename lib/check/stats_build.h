/* SPDX-License-Identifier: GPL-2.0-only */
/* Building statistics from worker reports; the structs and their accessors are in ktstr/stats.h. */
#ifndef KTSTR_CHECK_STATS_BUILD_H
#define KTSTR_CHECK_STATS_BUILD_H

#include "ktstr/stats.h"
#include "ktstr/work.h"

/* Wake latencies of several workers pooled. Zero samples: all of it is zero. */
struct ktstr_wake_summary {
	uint64_t sample_total; /* true population, beyond what reservoirs kept */
	size_t samples;
	uint64_t p99_ns, median_ns;
	struct ktstr_opt_f64 cv; /* unset when the mean is 0 */
};

/*
 * Nearest rank, sorted[ceil(n * p) - 1]. A sample of a reservoir that overflowed stands for
 * total_samples / count values, so a worker that woke more often weighs more.
 */
struct ktstr_wake_summary ktstr_wake_summarise(const struct ktstr_worker_report *reports,
					       size_t count);

/* off_cpu_ns / wall_time_ns * 100; unset for a worker without wall time. */
struct ktstr_opt_f64 ktstr_report_off_cpu_pct(const struct ktstr_worker_report *report);

/* The extremes of off-CPU % among the workers of one work spec that have wall time. */
struct ktstr_spread {
	size_t workers;
	const struct ktstr_worker_report *least, *most;
	double min_pct, max_pct;
};

struct ktstr_spread ktstr_group_spread(const struct ktstr_worker_report *reports, size_t count,
				       unsigned int group_idx);
/* Whether report i is the first of its work spec: visits each group once. */
bool ktstr_report_leads_group(const struct ktstr_worker_report *reports, size_t i);

/*
 * Appends the statistics of a cgroup and updates the totals. The result is borrowed until the next change of
 * stats.
 */
const struct ktstr_cgroup_stats *ktstr_stats_add_cgroup(struct ktstr_scenario_stats *stats,
							const char *cgroup_name,
							const struct ktstr_worker_report *reports,
							size_t count);
/* The name is copied. */
void ktstr_cgroup_stats_add_metric(struct ktstr_cgroup_stats *cgroup, const char *name, double value);
/* The metrics of the benchmarks among the workers. */
void ktstr_cgroup_stats_add_benchmarks(struct ktstr_cgroup_stats *cgroup,
				       const struct ktstr_worker_report *reports, size_t count);
/* Moves the cgroups of `from` behind those of `into`; counts add up, the worst of each stays. */
void ktstr_scenario_stats_merge(struct ktstr_scenario_stats *into,
				struct ktstr_scenario_stats *from);
void ktstr_scenario_stats_deinit(struct ktstr_scenario_stats *stats);

#endif
