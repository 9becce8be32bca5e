/* SPDX-License-Identifier: GPL-2.0-only */
/* What a scenario measured, per cgroup and as a whole. Absent measurements are unset, never zero. */
#ifndef KTSTR_STATS_H
#define KTSTR_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/metric.h>
#include <ktstr/phase.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

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
	/* Of the pooled samples, nearest rank. Unset: nobody sampled any. */
	struct ktstr_opt_f64 p99_wake_latency_us, median_wake_latency_us;
	struct ktstr_opt_f64 wake_latency_cv; /* population standard deviation / mean, pooled; unset for a mean of 0 */
	uint64_t wake_sample_total;
	struct ktstr_opt_f64 median_timer_latency_us, p99_timer_latency_us, p999_timer_latency_us;
	struct ktstr_opt_f64 worst_timer_latency_us;
	uint64_t timer_sample_total;
	uint64_t total_work_units;
	uint64_t total_iterations;
	uint64_t total_cpu_time_ns;
	struct ktstr_opt_f64 mean_run_delay_us, worst_run_delay_us; /* schedstat, per worker sums */
	uint64_t numa_pages_local, numa_pages_total; /* of the workers' memory at their end */
	struct ktstr_opt_f64 page_locality; /* local / total; unset without pages */
	/* The largest vmstat delta of its workers / pages: the kernel counts for the whole system. May exceed 1. */
	struct ktstr_opt_f64 cross_node_migration_ratio;
	/* What its benchmarks measured (ktstr/benchmark.h), pooled over the workers. */
	struct ktstr_metric_set ext_metrics;
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
	struct ktstr_metric_set ext_metrics; /* of the run, by their names in the registry */
	struct ktstr_phase_buckets phases;
};

/*
 * The members by kind, X(struct tag, member): what claims (stats_claims.h) and JSON are made from. Each member but the maps
 * and lists of structs is in exactly one list.
 */
#define KTSTR_CGROUP_STATS_TEXTS(X) X(ktstr_cgroup_stats, cgroup_name)
#define KTSTR_CGROUP_STATS_SETS(X) X(ktstr_cgroup_stats, cpus_used)
#define KTSTR_CGROUP_STATS_SCALARS(X)                                                              \
	X(ktstr_cgroup_stats, num_workers)                                                         \
	X(ktstr_cgroup_stats, num_cpus)                                                            \
	X(ktstr_cgroup_stats, avg_off_cpu_pct)                                                     \
	X(ktstr_cgroup_stats, min_off_cpu_pct)                                                     \
	X(ktstr_cgroup_stats, max_off_cpu_pct)                                                     \
	X(ktstr_cgroup_stats, spread)                                                              \
	X(ktstr_cgroup_stats, max_gap_ms)                                                          \
	X(ktstr_cgroup_stats, max_gap_cpu)                                                         \
	X(ktstr_cgroup_stats, total_migrations)                                                    \
	X(ktstr_cgroup_stats, migration_ratio)                                                     \
	X(ktstr_cgroup_stats, p99_wake_latency_us)                                                 \
	X(ktstr_cgroup_stats, median_wake_latency_us)                                              \
	X(ktstr_cgroup_stats, wake_latency_cv)                                                     \
	X(ktstr_cgroup_stats, wake_sample_total)                                                   \
	X(ktstr_cgroup_stats, median_timer_latency_us)                                             \
	X(ktstr_cgroup_stats, p99_timer_latency_us)                                                \
	X(ktstr_cgroup_stats, p999_timer_latency_us)                                               \
	X(ktstr_cgroup_stats, worst_timer_latency_us)                                              \
	X(ktstr_cgroup_stats, timer_sample_total)                                                  \
	X(ktstr_cgroup_stats, total_work_units)                                                    \
	X(ktstr_cgroup_stats, total_iterations)                                                    \
	X(ktstr_cgroup_stats, total_cpu_time_ns)                                                   \
	X(ktstr_cgroup_stats, mean_run_delay_us)                                                   \
	X(ktstr_cgroup_stats, worst_run_delay_us)                                                  \
	X(ktstr_cgroup_stats, numa_pages_local)                                                    \
	X(ktstr_cgroup_stats, numa_pages_total)                                                    \
	X(ktstr_cgroup_stats, page_locality)                                                       \
	X(ktstr_cgroup_stats, cross_node_migration_ratio)

#define KTSTR_SCENARIO_STATS_SCALARS(X)                                                            \
	X(ktstr_scenario_stats, total_workers)                                                     \
	X(ktstr_scenario_stats, total_cpus)                                                        \
	X(ktstr_scenario_stats, total_migrations)                                                  \
	X(ktstr_scenario_stats, total_iterations)                                                  \
	X(ktstr_scenario_stats, worst_spread)                                                      \
	X(ktstr_scenario_stats, worst_gap_ms)                                                      \
	X(ktstr_scenario_stats, worst_gap_cpu)                                                     \
	X(ktstr_scenario_stats, worst_migration_ratio)

/* Was it measured at all? */
static inline bool ktstr_cgroup_stats_wake_measured(const struct ktstr_cgroup_stats *stats)
{
	return stats->p99_wake_latency_us.set;
}
static inline bool ktstr_cgroup_stats_timer_measured(const struct ktstr_cgroup_stats *stats)
{
	return stats->p99_timer_latency_us.set;
}
static inline bool ktstr_cgroup_stats_run_delay_measured(const struct ktstr_cgroup_stats *stats)
{
	return stats->mean_run_delay_us.set;
}

/*
 * Computes the metrics of the run from cgroups and phases: stats->ext_metrics. Executors call it when their workers are
 * evaluated; calling it again changes nothing.
 */
void ktstr_scenario_stats_derive(struct ktstr_scenario_stats *stats);

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

/* A phase by its number, a step by its index from 0; NULL when there is none. */
const struct ktstr_phase_bucket *ktstr_scenario_stats_phase(const struct ktstr_scenario_stats *stats, uint16_t phase);
const struct ktstr_phase_bucket *ktstr_scenario_stats_step(const struct ktstr_scenario_stats *stats, uint32_t step);
/* A metric of a phase, of a step, of the run; unset when it was not measured. */
struct ktstr_opt_f64 ktstr_scenario_stats_phase_metric(const struct ktstr_scenario_stats *stats, uint16_t phase,
						       const char *name);
struct ktstr_opt_f64 ktstr_scenario_stats_step_metric(const struct ktstr_scenario_stats *stats, uint32_t step,
						      const char *name);
struct ktstr_opt_f64 ktstr_scenario_stats_run_metric(const struct ktstr_scenario_stats *stats, const char *name);
/* In the registry, or measured in this run. */
bool ktstr_scenario_stats_is_known_metric(const struct ktstr_scenario_stats *stats, const char *name);
/* Is there a phase besides the baseline? */
bool ktstr_scenario_stats_has_steps(const struct ktstr_scenario_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
