/* SPDX-License-Identifier: GPL-2.0-only */
/* Building statistics from worker reports; the structs and their accessors are in ktstr/stats.h. */
#ifndef KTSTR_CHECK_STATS_BUILD_H
#define KTSTR_CHECK_STATS_BUILD_H

#include "check/samples.h"
#include "ktstr/check.h"
#include "ktstr/stats.h"
#include "ktstr/work.h"

enum ktstr_report_samples {
	KTSTR_REPORT_WAKES,
	KTSTR_REPORT_COSTS,
	KTSTR_REPORT_TIMERS,
};

/* A reservoir of several workers pooled. */
struct ktstr_sample_summary ktstr_reports_summarise(const struct ktstr_worker_report *reports, size_t count,
						    enum ktstr_report_samples which);

/* off_cpu_ns / wall_time_ns * 100; unset for a worker without wall time. */
struct ktstr_opt_f64 ktstr_report_off_cpu_pct(const struct ktstr_worker_report *report);

/* Pages of a worker's memory: all, on the nodes of a mask, on nodes without CPUs. */
struct ktstr_page_counts {
	uint64_t total, local, slow;
};
struct ktstr_page_counts ktstr_count_pages(const uint64_t pages[KTSTR_REPORT_NODES], uint64_t local_nodes,
					   uint64_t slow_nodes);
/* Bit n = node n has memory and no CPUs. topo may be NULL. */
uint64_t ktstr_slow_nodes(const struct ktstr_test_topology *topo);

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
 * stats. Phase slices of the reports go into stats->phases.
 */
const struct ktstr_cgroup_stats *ktstr_stats_add_cgroup(struct ktstr_scenario_stats *stats,
							const struct ktstr_judged_cgroup *scope,
							const struct ktstr_worker_report *reports,
							size_t count);
/*
 * Moves the cgroups of `from` behind those of `into`; counts add up, the worst of each stays, phases of one number
 * become one.
 */
void ktstr_scenario_stats_merge(struct ktstr_scenario_stats *into,
				struct ktstr_scenario_stats *from);
/* Drops the raw samples of all phases, after their metrics are derived. */
void ktstr_scenario_stats_strip(struct ktstr_scenario_stats *stats);
void ktstr_scenario_stats_deinit(struct ktstr_scenario_stats *stats);

#endif
