// SPDX-License-Identifier: GPL-2.0-only
/* Statistics of a cgroup's workers and the totals of a scenario. */
#include <math.h>
#include <string.h>

#include "check/bench_metrics.h"
#include "check/grow.h"
#include "check/phase_build.h"
#include "check/saturating.h"
#include "check/stats_build.h"
#include "ktstr/topology.h"

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

struct ktstr_sample_summary ktstr_reports_summarise(const struct ktstr_worker_report *reports, size_t count,
						    enum ktstr_report_samples which)
{
	_cleanup_free_ struct ktstr_sample_view *views = ktstr_xcalloc(count + 1, sizeof(*views));

	for (size_t i = 0; i < count; i++) {
		const struct ktstr_reservoir *reservoir = which == KTSTR_REPORT_WAKES ? &reports[i].wake_latencies :
							  which == KTSTR_REPORT_COSTS ? &reports[i].iteration_costs :
											&reports[i].timer_latencies;

		views[i] = (struct ktstr_sample_view){ reservoir->values_ns, reservoir->count,
						       reservoir->total_samples };
	}
	return ktstr_samples_summarise(views, count);
}

struct ktstr_opt_f64 ktstr_report_off_cpu_pct(const struct ktstr_worker_report *report)
{
	if (!report->wall_time_ns)
		return NONE;
	return SOME((double)report->off_cpu_ns / (double)report->wall_time_ns * 100);
}

struct ktstr_spread ktstr_group_spread(const struct ktstr_worker_report *reports, size_t count,
				       unsigned int group_idx)
{
	struct ktstr_spread spread = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct ktstr_opt_f64 pct = ktstr_report_off_cpu_pct(&reports[i]);

		if (reports[i].group_idx != group_idx || !pct.set)
			continue;
		if (!spread.workers || pct.value < spread.min_pct) {
			spread.min_pct = pct.value;
			spread.least = &reports[i];
		}
		if (!spread.workers || pct.value > spread.max_pct) {
			spread.max_pct = pct.value;
			spread.most = &reports[i];
		}
		spread.workers++;
	}
	return spread;
}

bool ktstr_report_leads_group(const struct ktstr_worker_report *reports, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (reports[k].group_idx == reports[i].group_idx)
			return false;
	return true;
}

static void add_off_cpu(struct ktstr_cgroup_stats *cgroup,
			const struct ktstr_worker_report *reports, size_t count)
{
	double sum = 0;
	size_t measured = 0;

	for (size_t i = 0; i < count; i++) {
		struct ktstr_opt_f64 pct = ktstr_report_off_cpu_pct(&reports[i]);

		if (!pct.set)
			continue;
		sum += pct.value;
		if (!measured || pct.value < cgroup->min_off_cpu_pct.value)
			cgroup->min_off_cpu_pct = pct;
		if (!measured || pct.value > cgroup->max_off_cpu_pct.value)
			cgroup->max_off_cpu_pct = pct;
		measured++;
	}
	if (measured)
		cgroup->avg_off_cpu_pct = SOME(sum / (double)measured);
}

/* Only equal workers can be treated unfairly: a sleeper beside a spinner is another work spec. */
static void add_spread(struct ktstr_cgroup_stats *cgroup, const struct ktstr_worker_report *reports,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ktstr_spread spread;

		if (!ktstr_report_leads_group(reports, i))
			continue;
		spread = ktstr_group_spread(reports, count, reports[i].group_idx);
		if (spread.workers < 2)
			continue;
		if (!cgroup->spread.set || spread.max_pct - spread.min_pct > cgroup->spread.value)
			cgroup->spread = SOME(spread.max_pct - spread.min_pct);
	}
}

static void add_counters(struct ktstr_cgroup_stats *cgroup,
			 const struct ktstr_worker_report *reports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_worker_report *worker = &reports[i];
		double gap_ms = (double)worker->max_gap_ns / 1e6;

		cgroup->cpus_used = ktstr_cpus_or(&cgroup->cpus_used, &worker->cpus_used);
		if (gap_ms > cgroup->max_gap_ms) {
			cgroup->max_gap_ms = gap_ms;
			cgroup->max_gap_cpu = worker->max_gap_cpu;
		}
		cgroup->total_migrations =
			ktstr_add_saturating(cgroup->total_migrations, worker->migration_count);
		cgroup->total_work_units =
			ktstr_add_saturating(cgroup->total_work_units, worker->work_units);
		cgroup->total_iterations =
			ktstr_add_saturating(cgroup->total_iterations, worker->iterations);
		cgroup->total_cpu_time_ns =
			ktstr_add_saturating(cgroup->total_cpu_time_ns, worker->cpu_time_ns);
	}
	cgroup->num_cpus = ktstr_cpus_count(&cgroup->cpus_used);
	if (cgroup->total_iterations)
		cgroup->migration_ratio = SOME((double)cgroup->total_migrations /
					       (double)cgroup->total_iterations);
}

static void add_wake_latency(struct ktstr_cgroup_stats *cgroup,
			     const struct ktstr_worker_report *reports, size_t count)
{
	struct ktstr_sample_summary wake = ktstr_reports_summarise(reports, count, KTSTR_REPORT_WAKES);

	cgroup->wake_sample_total = wake.total;
	if (!wake.samples)
		return;
	cgroup->p99_wake_latency_us = SOME((double)wake.p99 / 1e3);
	cgroup->median_wake_latency_us = SOME((double)wake.median / 1e3);
	cgroup->wake_latency_cv = wake.cv;
}

static void add_timer_latency(struct ktstr_cgroup_stats *cgroup, const struct ktstr_worker_report *reports,
			      size_t count)
{
	struct ktstr_sample_summary timer = ktstr_reports_summarise(reports, count, KTSTR_REPORT_TIMERS);

	cgroup->timer_sample_total = timer.total;
	if (!timer.samples)
		return;
	cgroup->median_timer_latency_us = SOME((double)timer.median / 1e3);
	cgroup->p99_timer_latency_us = SOME((double)timer.p99 / 1e3);
	cgroup->p999_timer_latency_us = SOME((double)timer.p999 / 1e3);
	cgroup->worst_timer_latency_us = SOME((double)timer.worst / 1e3);
}

struct ktstr_page_counts ktstr_count_pages(const uint64_t pages[KTSTR_REPORT_NODES], uint64_t local_nodes,
					   uint64_t slow_nodes)
{
	struct ktstr_page_counts counts = { 0 };

	for (unsigned int node = 0; node < KTSTR_REPORT_NODES; node++) {
		counts.total = ktstr_add_saturating(counts.total, pages[node]);
		if (local_nodes >> node & 1)
			counts.local = ktstr_add_saturating(counts.local, pages[node]);
		if (slow_nodes >> node & 1)
			counts.slow = ktstr_add_saturating(counts.slow, pages[node]);
	}
	return counts;
}

uint64_t ktstr_slow_nodes(const struct ktstr_test_topology *topo)
{
	size_t count = 0;
	const unsigned int *ids = topo ? ktstr_test_topology_numa_node_ids(topo, &count) : NULL;
	uint64_t slow = 0;

	for (size_t i = 0; i < count; i++)
		if (ids[i] < 64 && ktstr_test_topology_is_memory_only(topo, ids[i]))
			slow |= UINT64_C(1) << ids[i];
	return slow;
}

uint64_t ktstr_cgroup_local_nodes(const struct ktstr_judged_cgroup *scope, const struct ktstr_worker_report *worker)
{
	uint64_t nodes;

	if (!scope->topo)
		return UINT64_MAX;
	nodes = ktstr_test_topology_nodes_of_cpus(scope->topo, scope->cpuset ?: &worker->cpus_used);
	return nodes ?: UINT64_MAX;
}

static void add_pages(struct ktstr_cgroup_stats *cgroup, const struct ktstr_judged_cgroup *scope,
		      const struct ktstr_worker_report *reports, size_t count)
{
	struct ktstr_opt_u64 migrated = KTSTR_NONE;

	for (size_t i = 0; i < count; i++) {
		struct ktstr_page_counts pages = ktstr_count_pages(
			reports[i].numa_pages, ktstr_cgroup_local_nodes(scope, &reports[i]), 0);
		const struct ktstr_opt_u64 *moved = &reports[i].vmstat_numa_pages_migrated;

		cgroup->numa_pages_local = ktstr_add_saturating(cgroup->numa_pages_local, pages.local);
		cgroup->numa_pages_total = ktstr_add_saturating(cgroup->numa_pages_total, pages.total);
		/* Each delta is of the whole system: a sum would count the same pages again. */
		if (moved->set && (!migrated.set || moved->value > migrated.value))
			migrated = *moved;
	}
	if (!cgroup->numa_pages_total)
		return;
	cgroup->page_locality =
		SOME((double)cgroup->numa_pages_local / (double)cgroup->numa_pages_total);
	if (migrated.set)
		cgroup->cross_node_migration_ratio =
			SOME((double)migrated.value / (double)cgroup->numa_pages_total);
}

static void add_run_delay(struct ktstr_cgroup_stats *cgroup,
			  const struct ktstr_worker_report *reports, size_t count)
{
	double sum_us = 0, worst_us = 0;
	size_t measured = 0;

	for (size_t i = 0; i < count; i++) {
		double delay_us = (double)reports[i].schedstat_run_delay_ns / 1e3;

		if (!reports[i].schedstat_available)
			continue;
		sum_us += delay_us;
		worst_us = fmax(worst_us, delay_us);
		measured++;
	}
	if (!measured)
		return;
	cgroup->mean_run_delay_us = SOME(sum_us / (double)measured);
	cgroup->worst_run_delay_us = SOME(worst_us);
}

static void add_benchmarks(struct ktstr_cgroup_stats *cgroup, const struct ktstr_worker_report *reports, size_t count)
{
	struct ktstr_bench_pool pool = { 0 };

	for (size_t i = 0; i < count; i++)
		ktstr_bench_pool_add(&pool, reports[i].schbench, reports[i].taobench, reports[i].cpu_time_ns);
	ktstr_bench_pool_emit(&pool, true, &cgroup->ext_metrics);
	ktstr_bench_pool_deinit(&pool);
}

static void refresh_total_cpus(struct ktstr_scenario_stats *stats)
{
	struct ktstr_cpus all = { 0 };

	for (size_t i = 0; i < stats->cgroups_count; i++)
		all = ktstr_cpus_or(&all, &stats->cgroups[i].cpus_used);
	stats->total_cpus = ktstr_cpus_count(&all);
}

/* Takes ownership of what cgroup points to. */
static void push_cgroup(struct ktstr_scenario_stats *stats, struct ktstr_cgroup_stats cgroup)
{
	stats->cgroups = ktstr_grow(stats->cgroups, stats->cgroups_count, sizeof(*stats->cgroups));
	stats->cgroups[stats->cgroups_count++] = cgroup;
	stats->total_workers = ktstr_add_saturating(stats->total_workers, cgroup.num_workers);
	stats->total_migrations = ktstr_add_saturating(stats->total_migrations, cgroup.total_migrations);
	stats->total_iterations = ktstr_add_saturating(stats->total_iterations, cgroup.total_iterations);
	if (cgroup.spread.set)
		stats->worst_spread = fmax(stats->worst_spread, cgroup.spread.value);
	if (cgroup.migration_ratio.set)
		stats->worst_migration_ratio =
			fmax(stats->worst_migration_ratio, cgroup.migration_ratio.value);
	if (cgroup.max_gap_ms > stats->worst_gap_ms) {
		stats->worst_gap_ms = cgroup.max_gap_ms;
		stats->worst_gap_cpu = cgroup.max_gap_cpu;
	}
}

const struct ktstr_cgroup_stats *ktstr_stats_add_cgroup(struct ktstr_scenario_stats *stats,
							const struct ktstr_judged_cgroup *scope,
							const struct ktstr_worker_report *reports,
							size_t count)
{
	struct ktstr_cgroup_stats cgroup = {
		.cgroup_name = ktstr_xstrdup(scope->name),
		.num_workers = count,
	};

	add_off_cpu(&cgroup, reports, count);
	add_spread(&cgroup, reports, count);
	add_counters(&cgroup, reports, count);
	add_wake_latency(&cgroup, reports, count);
	add_timer_latency(&cgroup, reports, count);
	add_run_delay(&cgroup, reports, count);
	add_pages(&cgroup, scope, reports, count);
	add_benchmarks(&cgroup, reports, count);
	push_cgroup(stats, cgroup);
	refresh_total_cpus(stats);
	ktstr_phases_add_reports(&stats->phases, scope, reports, count);
	return &stats->cgroups[stats->cgroups_count - 1];
}

void ktstr_scenario_stats_merge(struct ktstr_scenario_stats *into,
				struct ktstr_scenario_stats *from)
{
	for (size_t i = 0; i < from->cgroups_count; i++)
		push_cgroup(into, from->cgroups[i]);
	refresh_total_cpus(into);
	ktstr_metric_set_merge(&into->ext_metrics, &from->ext_metrics);
	ktstr_phase_buckets_merge(&into->phases, &from->phases);
	free(from->cgroups);
	*from = (struct ktstr_scenario_stats){ 0 };
}

void ktstr_scenario_stats_deinit(struct ktstr_scenario_stats *stats)
{
	for (size_t i = 0; i < stats->cgroups_count; i++) {
		ktstr_metric_set_deinit(&stats->cgroups[i].ext_metrics);
		free(stats->cgroups[i].cgroup_name);
	}
	free(stats->cgroups);
	ktstr_metric_set_deinit(&stats->ext_metrics);
	ktstr_phase_buckets_deinit(&stats->phases);
	*stats = (struct ktstr_scenario_stats){ 0 };
}
