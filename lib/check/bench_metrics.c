// SPDX-License-Identifier: GPL-2.0-only
/* The metrics of benchmarks: statistics of all workers pooled first, then named. */
#include "base/str.h"
#include "check/bench_metrics.h"
#include "check/saturating.h"

void ktstr_bench_pool_add(struct ktstr_bench_pool *pool, const struct ktstr_schbench_stats *schbench,
			  const struct ktstr_taobench_stats *taobench, uint64_t cpu_time_ns)
{
	if (schbench) {
		if (!pool->schbench)
			pool->schbench = ktstr_xcalloc(1, sizeof(*pool->schbench));
		ktstr_schbench_stats_merge(pool->schbench, schbench);
		pool->schbench_cpu_ns = ktstr_add_saturating(pool->schbench_cpu_ns, cpu_time_ns);
	}
	if (taobench) {
		if (!pool->taobench)
			pool->taobench = ktstr_xcalloc(1, sizeof(*pool->taobench));
		ktstr_taobench_stats_merge(pool->taobench, taobench);
		pool->taobench_cpu_ns = ktstr_add_saturating(pool->taobench_cpu_ns, cpu_time_ns);
	}
}

static void keep(void *context, const char *name, double value)
{
	ktstr_metric_set_put(context, name, value);
}

void ktstr_bench_pool_emit(const struct ktstr_bench_pool *pool, bool whole, struct ktstr_metric_set *set)
{
	if (pool->schbench)
		ktstr_schbench_metrics(pool->schbench, whole, keep, set);
	if (pool->taobench)
		ktstr_taobench_metrics(pool->taobench, whole, keep, set);
	if (!whole)
		return;
	if (pool->schbench)
		ktstr_metric_set_put(set, "total_schbench_cpu_sec", (double)pool->schbench_cpu_ns / 1e9);
	if (pool->taobench)
		ktstr_metric_set_put(set, "total_taobench_cpu_sec", (double)pool->taobench_cpu_ns / 1e9);
	ktstr_metric_set_derive(set);
}

void ktstr_bench_pool_deinit(struct ktstr_bench_pool *pool)
{
	free(pool->schbench);
	free(pool->taobench);
	*pool = (struct ktstr_bench_pool){ 0 };
}
