// SPDX-License-Identifier: GPL-2.0-only
/* The metrics of a run, from its cgroups and its phases. */
#include <string.h>

#include "base/str.h"
#include "check/phase_build.h"
#include "check/saturating.h"
#include "check/stats_build.h"

/* Below this many iterations a tail says nothing. */
#define TAIL_RATIO_MIN_ITERATIONS 100

/* Over phases, by kind. What is derived is left to what it derives from. */
static void fold_phases(const struct ktstr_phase_buckets *phases, const char *name, struct ktstr_metric_set *set)
{
	_cleanup_free_ struct ktstr_metric_point *points = ktstr_xcalloc(phases->count, sizeof(*points));
	struct ktstr_metric_id id = ktstr_metric_id(name);
	struct ktstr_opt_f64 folded;
	size_t found = 0;

	for (size_t i = 0; i < phases->count; i++) {
		struct ktstr_opt_f64 value = ktstr_metric_set_get(&phases->items[i].metrics, name);

		if (value.set)
			points[found++] = (struct ktstr_metric_point){ value.value,
								       (double)phases->items[i].sample_count,
								       (double)phases->items[i].end_ms };
	}
	folded = ktstr_metric_fold_phases((enum ktstr_builtin_metric)id.builtin, points, found);
	if (folded.set)
		ktstr_metric_set_put(set, name, folded.value);
}

static void add_phases(const struct ktstr_scenario_stats *stats, struct ktstr_metric_set *set)
{
	for (size_t i = 0; i < stats->phases.count; i++) {
		const struct ktstr_metric_set *metrics = &stats->phases.items[i].metrics;

		for (size_t k = 0; k < metrics->count; k++)
			if (ktstr_metric_id(metrics->items[k].name).builtin >= 0 &&
			    !ktstr_metric_set_get(set, metrics->items[k].name).set)
				fold_phases(&stats->phases, metrics->items[k].name, set);
	}
}

static bool has_slices(const struct ktstr_phase_buckets *phases, const char *cgroup_name)
{
	for (size_t i = 0; i < phases->count; i++)
		if (ktstr_phase_bucket_cgroup(&phases->items[i], cgroup_name))
			return true;
	return false;
}

/* Latencies of a cgroup whose raw samples are gone: its own statistics stand for them. */
static void add_latencies(const struct ktstr_cgroup_stats *cgroup, struct ktstr_metric_set *set)
{
	ktstr_metric_set_put_worse(set, "worst_p99_wake_latency_us", cgroup->p99_wake_latency_us);
	ktstr_metric_set_put_worse(set, "worst_median_wake_latency_us", cgroup->median_wake_latency_us);
	ktstr_metric_set_put_worse(set, "worst_wake_latency_cv", cgroup->wake_latency_cv);
	ktstr_metric_set_put_worse(set, "worst_p99_timer_latency_us", cgroup->p99_timer_latency_us);
	ktstr_metric_set_put_worse(set, "worst_median_timer_latency_us", cgroup->median_timer_latency_us);
	ktstr_metric_set_put_worse(set, "worst_p999_timer_latency_us", cgroup->p999_timer_latency_us);
	ktstr_metric_set_put_worse(set, "worst_timer_latency_us", cgroup->worst_timer_latency_us);
	ktstr_metric_set_put_worse(set, "worst_mean_run_delay_us", cgroup->mean_run_delay_us);
	ktstr_metric_set_put_worse(set, "worst_run_delay_us", cgroup->worst_run_delay_us);
}

static void add_pooled_samples(const struct ktstr_phase_buckets *phases, struct ktstr_metric_set *set)
{
	const struct ktstr_phase_cgroup_stats **cgroups;
	size_t count = 0, total = 0;

	for (size_t i = 0; i < phases->count; i++)
		total += phases->items[i].per_cgroup_count;
	cgroups = ktstr_xcalloc(total + 1, sizeof(*cgroups));
	for (size_t i = 0; i < phases->count; i++)
		for (size_t k = 0; k < phases->items[i].per_cgroup_count; k++)
			cgroups[count++] = &phases->items[i].per_cgroup[k];
	ktstr_phase_cgroups_metrics(cgroups, count, set);
	free(cgroups);
}

static void add_cgroup(const struct ktstr_cgroup_stats *cgroup, struct ktstr_metric_set *set)
{
	ktstr_metric_set_put_worse(set, "worst_spread", cgroup->spread);
	ktstr_metric_set_put_worse(set, "worst_migration_ratio", cgroup->migration_ratio);
	ktstr_metric_set_put_worse(set, "worst_iterations_per_worker", ktstr_cgroup_stats_iterations_per_worker(cgroup));
	ktstr_metric_set_put_worse(set, "worst_iterations_per_cpu_sec", ktstr_cgroup_stats_iterations_per_cpu_sec(cgroup));
	ktstr_metric_set_put_worse(set, "worst_page_locality", cgroup->page_locality);
	ktstr_metric_set_put_worse(set, "worst_cross_node_migration_ratio", cgroup->cross_node_migration_ratio);
	if (cgroup->total_iterations >= TAIL_RATIO_MIN_ITERATIONS)
		ktstr_metric_set_put_worse(set, "worst_wake_latency_tail_ratio", ktstr_cgroup_stats_wake_latency_tail_ratio(cgroup));
}

/* The whole life of all workers: includes what phases saw of it. */
static void add_totals(const struct ktstr_scenario_stats *stats, struct ktstr_metric_set *set)
{
	uint64_t cpu_time_ns = 0;

	for (size_t i = 0; i < stats->cgroups_count; i++)
		cpu_time_ns = ktstr_add_saturating(cpu_time_ns, stats->cgroups[i].total_cpu_time_ns);
	if (!stats->total_workers)
		return;
	ktstr_metric_set_put(set, "worst_gap_ms", stats->worst_gap_ms);
	ktstr_metric_set_put(set, "total_migrations", (double)stats->total_migrations);
	ktstr_metric_set_put(set, "total_iterations", (double)stats->total_iterations);
	ktstr_metric_set_put(set, "total_cpu_time_ns", (double)cpu_time_ns);
	ktstr_metric_set_put(set, "total_iterations_pooled", (double)stats->total_iterations);
	ktstr_metric_set_put(set, "total_cpu_time_sec", (double)cpu_time_ns / 1e9);
}

static void add_benchmarks(const struct ktstr_scenario_stats *stats, struct ktstr_metric_set *set)
{
	for (size_t i = 0; i < stats->cgroups_count; i++) {
		const struct ktstr_metric_set *metrics = &stats->cgroups[i].ext_metrics;
		struct ktstr_metric_set copy = { 0 };

		for (size_t k = 0; k < metrics->count; k++)
			ktstr_metric_set_put(&copy, metrics->items[k].name, metrics->items[k].value);
		ktstr_metric_set_merge(set, &copy);
	}
}

void ktstr_scenario_stats_derive(struct ktstr_scenario_stats *stats)
{
	struct ktstr_metric_set fresh = { 0 };

	add_pooled_samples(&stats->phases, &fresh);
	for (size_t i = 0; i < stats->cgroups_count; i++) {
		if (!has_slices(&stats->phases, stats->cgroups[i].cgroup_name))
			add_latencies(&stats->cgroups[i], &fresh);
		add_cgroup(&stats->cgroups[i], &fresh);
	}
	add_totals(stats, &fresh);
	add_phases(stats, &fresh);
	add_benchmarks(stats, &fresh);
	/* What others noted of the run stays. */
	for (size_t i = 0; i < fresh.count; i++)
		ktstr_metric_set_put(&stats->ext_metrics, fresh.items[i].name, fresh.items[i].value);
	ktstr_metric_set_derive(&stats->ext_metrics);
	ktstr_metric_set_deinit(&fresh);
}

void ktstr_scenario_stats_strip(struct ktstr_scenario_stats *stats)
{
	ktstr_scenario_stats_derive(stats);
	for (size_t i = 0; i < stats->phases.count; i++)
		for (size_t k = 0; k < stats->phases.items[i].per_cgroup_count; k++)
			ktstr_phase_cgroup_strip(&stats->phases.items[i].per_cgroup[k]);
}
