// SPDX-License-Identifier: GPL-2.0-only
/* Statistics of a cgroup's workers, the totals of a scenario, and the ratios derived from both. */
#include <math.h>
#include <string.h>

#include "check/grow.h"
#include "check/stats_build.h"

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
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
			add_saturating(cgroup->total_migrations, worker->migration_count);
		cgroup->total_work_units =
			add_saturating(cgroup->total_work_units, worker->work_units);
		cgroup->total_iterations =
			add_saturating(cgroup->total_iterations, worker->iterations);
		cgroup->total_cpu_time_ns =
			add_saturating(cgroup->total_cpu_time_ns, worker->cpu_time_ns);
	}
	cgroup->num_cpus = ktstr_cpus_count(&cgroup->cpus_used);
	if (cgroup->total_iterations)
		cgroup->migration_ratio = SOME((double)cgroup->total_migrations /
					       (double)cgroup->total_iterations);
}

static void add_wake_latency(struct ktstr_cgroup_stats *cgroup,
			     const struct ktstr_worker_report *reports, size_t count)
{
	struct ktstr_wake_summary wake = ktstr_wake_summarise(reports, count);

	cgroup->wake_sample_total = wake.sample_total;
	if (!wake.samples)
		return;
	cgroup->p99_wake_latency_us = SOME((double)wake.p99_ns / 1e3);
	cgroup->median_wake_latency_us = SOME((double)wake.median_ns / 1e3);
	cgroup->wake_latency_cv = wake.cv;
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
	stats->total_workers = add_saturating(stats->total_workers, cgroup.num_workers);
	stats->total_migrations = add_saturating(stats->total_migrations, cgroup.total_migrations);
	stats->total_iterations = add_saturating(stats->total_iterations, cgroup.total_iterations);
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
							const char *cgroup_name,
							const struct ktstr_worker_report *reports,
							size_t count)
{
	struct ktstr_cgroup_stats cgroup = {
		.cgroup_name = ktstr_xstrdup(cgroup_name),
		.num_workers = count,
	};

	add_off_cpu(&cgroup, reports, count);
	add_spread(&cgroup, reports, count);
	add_counters(&cgroup, reports, count);
	add_wake_latency(&cgroup, reports, count);
	add_run_delay(&cgroup, reports, count);
	ktstr_cgroup_stats_add_benchmarks(&cgroup, reports, count);
	push_cgroup(stats, cgroup);
	refresh_total_cpus(stats);
	return &stats->cgroups[stats->cgroups_count - 1];
}

void ktstr_scenario_stats_merge(struct ktstr_scenario_stats *into,
				struct ktstr_scenario_stats *from)
{
	for (size_t i = 0; i < from->cgroups_count; i++)
		push_cgroup(into, from->cgroups[i]);
	refresh_total_cpus(into);
	free(from->cgroups);
	*from = (struct ktstr_scenario_stats){ 0 };
}

void ktstr_scenario_stats_deinit(struct ktstr_scenario_stats *stats)
{
	for (size_t i = 0; i < stats->cgroups_count; i++) {
		struct ktstr_cgroup_stats *cgroup = &stats->cgroups[i];

		for (size_t k = 0; k < cgroup->ext_metrics_count; k++)
			free(cgroup->ext_metrics[k].name);
		free(cgroup->ext_metrics);
		free(cgroup->cgroup_name);
	}
	free(stats->cgroups);
	*stats = (struct ktstr_scenario_stats){ 0 };
}

const struct ktstr_cgroup_stats *ktstr_stats_cgroup(const struct ktstr_scenario_stats *stats,
						    const char *name)
{
	for (size_t i = 0; i < stats->cgroups_count; i++)
		if (stats->cgroups[i].cgroup_name && !strcmp(stats->cgroups[i].cgroup_name, name))
			return &stats->cgroups[i];
	return NULL;
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
