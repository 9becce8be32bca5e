/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks: thresholds that a test declares (struct ktstr_assert) and what is judged by them. The verdict that they add to is
 * in verdict.h, claims about single values in claim.h, patterns over samples in temporal.h.
 */
#ifndef KTSTR_CHECK_H
#define KTSTR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/claim.h>
#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/stats.h>
#include <ktstr/units.h>
#include <ktstr/verdict.h>
#include <ktstr/work.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_test_topology; /* ktstr/topology.h */

/*
 * Thresholds. Everything unset asserts nothing. The effective set is defaults <- scheduler <- test, the last
 * one that sets a field wins. Formulas and the no-signal rule of each field: docs/reference/checks.
 */
struct ktstr_assert {
	enum ktstr_switch not_stuck; /* every worker progresses; default gap and spread limits */
	enum ktstr_switch isolation; /* no worker ran outside its cgroup's cpuset */
	struct ktstr_opt_u64 max_gap_ms; /* replaces not_stuck's gap limit */
	struct ktstr_opt_f64 max_spread_pct; /* replaces not_stuck's spread limit; points of off-CPU % */
	struct ktstr_opt_f64 max_throughput_cv; /* of work units per CPU second, within a work spec */
	struct ktstr_opt_f64 min_work_rate; /* work units per CPU second, each worker */
	struct ktstr_opt_u64 max_p99_wake_latency_ns;
	struct ktstr_opt_f64 max_wake_latency_cv;
	struct ktstr_opt_f64 min_iteration_rate; /* iterations per wall second, each worker */
	struct ktstr_opt_f64 max_migration_ratio; /* migrations per iteration */
	struct ktstr_opt_f64 min_page_locality; /* share of pages on local nodes, 0..1 */
	struct ktstr_opt_f64 max_cross_node_migration_ratio; /* pages the kernel moved per page */
	struct ktstr_opt_f64 max_slow_tier_ratio; /* share of pages on nodes without CPUs, each worker, 0..1 */
	/* Judged on what the host sees of the runqueues; reported always, fail only when enforced (ktstr/monitor.h). */
	struct ktstr_opt_f64 max_imbalance_ratio;
	struct ktstr_opt_u64 max_local_dsq_depth;
	enum ktstr_switch fail_on_rq_clock_stuck;
	struct ktstr_opt_u64 sustained_samples;
	struct ktstr_opt_f64 max_fallback_rate; /* per second */
	struct ktstr_opt_f64 max_keep_last_rate; /* per second */
	enum ktstr_switch enforce_monitor_thresholds; /* once on, no later layer turns it off */
};

#define KTSTR_ASSERT_NO_OVERRIDES ((struct ktstr_assert){ .not_stuck = KTSTR_UNSET })

struct ktstr_assert ktstr_assert_merge(const struct ktstr_assert *base,
				       const struct ktstr_assert *over);
/* Unset monitor fields take their defaults, and they are enforced. */
struct ktstr_assert ktstr_assert_with_monitor_defaults(const struct ktstr_assert *assert);
/* KTSTR_ERR_INVALID names the first field whose value cannot be a threshold (negative, NaN). */
struct ktstr_error *ktstr_assert_validate(const struct ktstr_assert *assert) KTSTR_CHECKED;

/* Default limits that not_stuck brings: strict ones for `--release`. */
struct ktstr_default_limits {
	uint64_t max_gap_ms; /* 3000, strict 2000 */
	double max_spread_pct; /* 35, strict 15 */
};
struct ktstr_default_limits ktstr_default_limits(bool strict);

/* A cgroup whose workers are judged. */
struct ktstr_judged_cgroup {
	const char *name;
	const struct ktstr_cpus *cpuset; /* NULL = it has none: isolation is not checked */
	const struct ktstr_test_topology *topo; /* for what is local and what is slow memory; NULL = not known */
};

/*
 * Nodes whose memory is local to a worker: those of the cpuset's CPUs; without a cpuset those of the CPUs that the worker
 * ran on. All, when the topology is not known. Bit n = node n.
 */
uint64_t ktstr_cgroup_local_nodes(const struct ktstr_judged_cgroup *scope, const struct ktstr_worker_report *worker);

/* Evaluates the workers of one cgroup, adds its statistics to result->stats and an outcome per violation. */
void ktstr_assert_cgroup(const struct ktstr_assert *assert, const struct ktstr_default_limits *limits,
			 const struct ktstr_judged_cgroup *scope, const struct ktstr_worker_report *reports,
			 size_t count, struct ktstr_assert_result *result);

/*
 * The same of any worker reports, without declarations: p99 of the pooled wake latencies, p99 of the pooled iteration
 * costs, the sum of migrations, the work units of each worker. No reports: skip. An empty reservoir: no check.
 */
struct ktstr_absolute_thresholds {
	struct ktstr_opt_u64 max_p99_wake_latency_ns;
	struct ktstr_opt_u64 max_iteration_cost_p99_ns;
	struct ktstr_opt_u64 max_migrations;
	struct ktstr_opt_u64 min_work_units;
};

#define KTSTR_ABSOLUTE_THRESHOLDS_STRICT                                                           \
	((struct ktstr_absolute_thresholds){                                                       \
		.max_p99_wake_latency_ns = KTSTR_SOME(10000000),                                   \
		.max_iteration_cost_p99_ns = KTSTR_SOME(1000000),                                  \
		.max_migrations = KTSTR_SOME(1000),                                                \
		.min_work_units = KTSTR_SOME(1),                                                   \
	})

void ktstr_assert_thresholds(const struct ktstr_absolute_thresholds *thresholds,
			     const struct ktstr_worker_report *reports, size_t count,
			     struct ktstr_assert_result *result);

#ifdef __cplusplus
}
#endif
#endif
