/* SPDX-License-Identifier: GPL-2.0-only */
/* What a scenario measured, per cgroup and as a whole. Absent measurements are unset, never zero. */
#ifndef KTSTR_STATS_H
#define KTSTR_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A measurement by its name in the metric registry. */
struct ktstr_named_value {
	char *name;
	double value;
};

struct ktstr_cgroup_stats {
	char *cgroup_name;
	uint64_t num_workers;
	struct ktstr_cpus cpus_used;
	uint64_t num_cpus;
	/* off_cpu_ns / wall_time_ns * 100 over workers with wall time; unset when there are none. */
	struct ktstr_opt_f64 avg_off_cpu_pct, min_off_cpu_pct, max_off_cpu_pct;
	/* The largest max - min within one work spec, points; needs a spec with >= 2 measured workers. */
	struct ktstr_opt_f64 spread;
	double max_gap_ms;
	unsigned int max_gap_cpu;
	uint64_t total_migrations;
	struct ktstr_opt_f64 migration_ratio; /* migrations / iterations */
	struct ktstr_opt_f64 p99_wake_latency_us, median_wake_latency_us;
	struct ktstr_opt_f64 wake_latency_cv; /* population standard deviation / mean, pooled */
	uint64_t wake_sample_total;
	uint64_t total_work_units;
	uint64_t total_iterations;
	uint64_t total_cpu_time_ns;
	struct ktstr_opt_f64 mean_run_delay_us, worst_run_delay_us; /* schedstat, per worker sums */
	/* What its benchmarks measured (ktstr/benchmark.h), pooled over the workers. */
	struct ktstr_named_value *ext_metrics;
	size_t ext_metrics_count;
};

struct ktstr_scenario_stats {
	struct ktstr_cgroup_stats *cgroups;
	size_t cgroups_count;
	uint64_t total_workers;
	uint64_t total_cpus; /* CPUs used by any worker */
	uint64_t total_migrations;
	uint64_t total_iterations;
	double worst_spread;
	double worst_gap_ms;
	unsigned int worst_gap_cpu;
	double worst_migration_ratio;
};

/* NULL when there is no cgroup of that name. */
const struct ktstr_cgroup_stats *ktstr_stats_cgroup(const struct ktstr_scenario_stats *stats,
						    const char *name);
/* An ext metric by name; unset when it was not measured. */
struct ktstr_opt_f64 ktstr_cgroup_stats_metric(const struct ktstr_cgroup_stats *stats, const char *name);
struct ktstr_opt_f64 ktstr_cgroup_stats_iterations_per_worker(const struct ktstr_cgroup_stats *stats);
struct ktstr_opt_f64
ktstr_cgroup_stats_iterations_per_cpu_sec(const struct ktstr_cgroup_stats *stats);
struct ktstr_opt_f64
ktstr_cgroup_stats_wake_latency_tail_ratio(const struct ktstr_cgroup_stats *stats);
/*
 * max / min of iterations per worker over the cgroups that have workers; unset with fewer than two of
 * them, +inf when the smallest is 0.
 */
struct ktstr_opt_f64
ktstr_scenario_stats_cgroup_balance_ratio(const struct ktstr_scenario_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
