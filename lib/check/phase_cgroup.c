// SPDX-License-Identifier: GPL-2.0-only
/* What the workers of one cgroup measured in one phase: from their slices, merged, and as metrics. */
#include <math.h>
#include <string.h>

#include "check/bench_metrics.h"
#include "check/grow.h"
#include "check/phase_build.h"
#include "check/saturating.h"
#include "check/stats_build.h"

static struct ktstr_sample_view reservoir_view(const struct ktstr_reservoir *reservoir)
{
	return (struct ktstr_sample_view){ reservoir->values_ns, reservoir->count, reservoir->total_samples };
}

static void append_pct(struct ktstr_phase_cgroup_stats *cgroup, double pct)
{
	cgroup->off_cpu_pcts =
		ktstr_grow(cgroup->off_cpu_pcts, cgroup->off_cpu_pcts_count, sizeof(*cgroup->off_cpu_pcts));
	cgroup->off_cpu_pcts[cgroup->off_cpu_pcts_count++] = pct;
}

/* System-wide counts: the larger one includes the smaller. */
static void keep_larger(struct ktstr_opt_u64 *kept, const struct ktstr_opt_u64 *other)
{
	if (other->set && (!kept->set || other->value > kept->value))
		*kept = *other;
}

static void keep_larger_gap(struct ktstr_phase_cgroup_stats *cgroup, double gap_ms, unsigned int cpu)
{
	if (gap_ms <= cgroup->max_gap_ms)
		return;
	cgroup->max_gap_ms = gap_ms;
	cgroup->max_gap_cpu = cpu;
}

static void add_slice(struct ktstr_phase_cgroup_stats *cgroup, const struct ktstr_phase_slice *slice,
		      uint64_t local_nodes)
{
	struct ktstr_page_counts pages = ktstr_count_pages(slice->numa_pages, local_nodes, 0);

	cgroup->num_workers++;
	cgroup->cpus_used = ktstr_cpus_or(&cgroup->cpus_used, &slice->cpus_used);
	ktstr_samples_merge(&cgroup->wake_latencies_ns, reservoir_view(&slice->wake_latencies), KTSTR_RESERVOIR_CAP);
	ktstr_samples_merge(&cgroup->timer_latencies_ns, reservoir_view(&slice->timer_latencies), KTSTR_RESERVOIR_CAP);
	if (slice->run_delay_ns.set)
		ktstr_samples_append(&cgroup->run_delays_ns, slice->run_delay_ns.value);
	if (slice->wall_time_ns)
		append_pct(cgroup, (double)slice->off_cpu_ns / (double)slice->wall_time_ns * 100);
	cgroup->total_migrations = ktstr_add_saturating(cgroup->total_migrations, slice->migration_count);
	cgroup->total_iterations = ktstr_add_saturating(cgroup->total_iterations, slice->iterations);
	cgroup->total_cpu_time_ns = ktstr_add_saturating(cgroup->total_cpu_time_ns, slice->cpu_time_ns);
	cgroup->numa_pages_local = ktstr_add_saturating(cgroup->numa_pages_local, pages.local);
	cgroup->numa_pages_total = ktstr_add_saturating(cgroup->numa_pages_total, pages.total);
	keep_larger(&cgroup->cross_node_migrated, &slice->numa_migrated);
	keep_larger_gap(cgroup, (double)slice->max_gap_ns / 1e6, slice->max_gap_cpu);
}

static bool is_phase(uint32_t epoch)
{
	return epoch > 0 && epoch <= UINT16_MAX;
}

static void take_phase(struct ktstr_phase_buckets *buckets, uint16_t phase, const struct ktstr_judged_cgroup *scope,
		       const struct ktstr_worker_report *reports, size_t count)
{
	struct ktstr_phase_bucket *bucket = ktstr_phase_buckets_get(buckets, phase);
	struct ktstr_phase_bucket own = { .step_index = phase, .start_ms = bucket->start_ms, .end_ms = bucket->end_ms };
	struct ktstr_phase_cgroup_stats *cgroup = ktstr_xcalloc(1, sizeof(*cgroup));
	struct ktstr_bench_pool bench = { 0 };

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < reports[i].phase_slices_count; k++) {
			const struct ktstr_phase_slice *slice = &reports[i].phase_slices[k];

			if (slice->phase_epoch != phase)
				continue;
			add_slice(cgroup, slice, ktstr_cgroup_local_nodes(scope, &reports[i]));
			ktstr_bench_pool_add(&bench, slice->schbench, slice->taobench, slice->cpu_time_ns);
		}
	}
	cgroup->cgroup_name = ktstr_xstrdup(scope->name);
	ktstr_phase_cgroup_derive(cgroup);
	ktstr_bench_pool_emit(&bench, false, &cgroup->metrics);
	ktstr_bench_pool_deinit(&bench);
	own.per_cgroup = cgroup;
	own.per_cgroup_count = 1;
	ktstr_phase_buckets_add(buckets, own);
}

void ktstr_phases_add_reports(struct ktstr_phase_buckets *buckets, const struct ktstr_judged_cgroup *scope,
			      const struct ktstr_worker_report *reports, size_t count)
{
	bool seen[UINT16_MAX + 1] = { false };

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < reports[i].phase_slices_count; k++) {
			uint32_t epoch = reports[i].phase_slices[k].phase_epoch;

			if (!is_phase(epoch) || seen[epoch])
				continue;
			seen[epoch] = true;
			take_phase(buckets, (uint16_t)epoch, scope, reports, count);
		}
	}
}

static void put_wake(struct ktstr_metric_set *set, const struct ktstr_sample_summary *wake)
{
	if (!wake->samples)
		return;
	ktstr_metric_set_put(set, "p99_wake_latency_us", (double)wake->p99 / 1e3);
	ktstr_metric_set_put(set, "median_wake_latency_us", (double)wake->median / 1e3);
	if (wake->cv.set)
		ktstr_metric_set_put(set, "wake_latency_cv", wake->cv.value);
}

static void put_timer(struct ktstr_metric_set *set, const struct ktstr_sample_summary *timer)
{
	if (!timer->samples)
		return;
	ktstr_metric_set_put(set, "p99_timer_latency_us", (double)timer->p99 / 1e3);
	ktstr_metric_set_put(set, "median_timer_latency_us", (double)timer->median / 1e3);
	ktstr_metric_set_put(set, "p999_timer_latency_us", (double)timer->p999 / 1e3);
}

static void put_off_cpu(struct ktstr_metric_set *set, const double *pcts, size_t count)
{
	double sum = 0, least = INFINITY, most = 0;

	for (size_t i = 0; i < count; i++) {
		sum += pcts[i];
		least = fmin(least, pcts[i]);
		most = fmax(most, pcts[i]);
	}
	if (!count)
		return;
	ktstr_metric_set_put(set, "avg_off_cpu_pct", sum / (double)count);
	ktstr_metric_set_put(set, "min_off_cpu_pct", least);
	ktstr_metric_set_put(set, "max_off_cpu_pct", most);
	if (count > 1)
		ktstr_metric_set_put(set, "off_cpu_spread_pct", most - least);
}

static void put_ratio(struct ktstr_metric_set *set, const char *name, uint64_t of, uint64_t total)
{
	if (total)
		ktstr_metric_set_put(set, name, (double)of / (double)total);
}

void ktstr_phase_cgroup_derive(struct ktstr_phase_cgroup_stats *cgroup)
{
	struct ktstr_sample_view views[] = { ktstr_samples_view(&cgroup->wake_latencies_ns),
					     ktstr_samples_view(&cgroup->timer_latencies_ns),
					     ktstr_samples_view(&cgroup->run_delays_ns) };
	struct ktstr_sample_summary wake = ktstr_samples_summarise(&views[0], 1);
	struct ktstr_sample_summary timer = ktstr_samples_summarise(&views[1], 1);
	struct ktstr_sample_summary delay = ktstr_samples_summarise(&views[2], 1);
	struct ktstr_metric_set *set = &cgroup->metrics;

	if (cgroup->stripped)
		return;
	put_wake(set, &wake);
	put_timer(set, &timer);
	if (delay.samples) {
		ktstr_metric_set_put(set, "mean_run_delay_us", delay.mean / 1e3);
		ktstr_metric_set_put(set, "max_run_delay_us", (double)delay.worst / 1e3);
	}
	put_off_cpu(set, cgroup->off_cpu_pcts, cgroup->off_cpu_pcts_count);
	put_ratio(set, "migration_ratio", cgroup->total_migrations, cgroup->total_iterations);
	put_ratio(set, "iterations_per_worker", cgroup->total_iterations, cgroup->num_workers);
	put_ratio(set, "page_locality", cgroup->numa_pages_local, cgroup->numa_pages_total);
	if (cgroup->cross_node_migrated.set)
		put_ratio(set, "cross_node_migration_ratio", cgroup->cross_node_migrated.value,
			  cgroup->numa_pages_total);
}

void ktstr_phase_cgroup_merge(struct ktstr_phase_cgroup_stats *into, struct ktstr_phase_cgroup_stats *from)
{
	into->num_workers = ktstr_add_saturating(into->num_workers, from->num_workers);
	into->cpus_used = ktstr_cpus_or(&into->cpus_used, &from->cpus_used);
	ktstr_samples_merge(&into->wake_latencies_ns, ktstr_samples_view(&from->wake_latencies_ns),
			    KTSTR_RESERVOIR_CAP);
	ktstr_samples_merge(&into->timer_latencies_ns, ktstr_samples_view(&from->timer_latencies_ns),
			    KTSTR_RESERVOIR_CAP);
	ktstr_samples_merge(&into->run_delays_ns, ktstr_samples_view(&from->run_delays_ns), KTSTR_RESERVOIR_CAP);
	for (size_t i = 0; i < from->off_cpu_pcts_count; i++)
		append_pct(into, from->off_cpu_pcts[i]);
	into->total_migrations = ktstr_add_saturating(into->total_migrations, from->total_migrations);
	into->total_iterations = ktstr_add_saturating(into->total_iterations, from->total_iterations);
	into->total_cpu_time_ns = ktstr_add_saturating(into->total_cpu_time_ns, from->total_cpu_time_ns);
	into->numa_pages_local = ktstr_add_saturating(into->numa_pages_local, from->numa_pages_local);
	into->numa_pages_total = ktstr_add_saturating(into->numa_pages_total, from->numa_pages_total);
	keep_larger(&into->cross_node_migrated, &from->cross_node_migrated);
	keep_larger_gap(into, from->max_gap_ms, from->max_gap_cpu);
	into->stripped |= from->stripped;
	/* The worse of what cannot be computed from both; what can is overwritten. */
	ktstr_metric_set_merge(&into->metrics, &from->metrics);
	ktstr_phase_cgroup_derive(into);
	ktstr_phase_cgroup_deinit(from);
}

void ktstr_phase_cgroup_strip(struct ktstr_phase_cgroup_stats *cgroup)
{
	ktstr_samples_deinit(&cgroup->wake_latencies_ns);
	ktstr_samples_deinit(&cgroup->timer_latencies_ns);
	ktstr_samples_deinit(&cgroup->run_delays_ns);
	free(cgroup->off_cpu_pcts);
	cgroup->off_cpu_pcts = NULL;
	cgroup->off_cpu_pcts_count = 0;
	cgroup->stripped = true;
}

void ktstr_phase_cgroup_deinit(struct ktstr_phase_cgroup_stats *cgroup)
{
	ktstr_phase_cgroup_strip(cgroup);
	free(cgroup->cgroup_name);
	ktstr_metric_set_deinit(&cgroup->metrics);
	*cgroup = (struct ktstr_phase_cgroup_stats){ 0 };
}
