/* SPDX-License-Identifier: GPL-2.0-only */
/* Pooling the benchmarks of several workers into metrics. */
#ifndef KTSTR_CHECK_BENCH_METRICS_H
#define KTSTR_CHECK_BENCH_METRICS_H

#include "ktstr/benchmark.h"
#include "ktstr/metric.h"

/* Zero-initialise; deinit when done. */
struct ktstr_bench_pool {
	struct ktstr_schbench_stats *schbench; /* NULL = none so far */
	struct ktstr_taobench_stats *taobench;
	uint64_t schbench_cpu_ns, taobench_cpu_ns;
};

/* Either may be NULL; cpu_time_ns: of the worker with its threads. */
void ktstr_bench_pool_add(struct ktstr_bench_pool *pool, const struct ktstr_schbench_stats *schbench,
			  const struct ktstr_taobench_stats *taobench, uint64_t cpu_time_ns);
/* whole: the metrics of a run, else those of a phase. */
void ktstr_bench_pool_emit(const struct ktstr_bench_pool *pool, bool whole, struct ktstr_metric_set *set);
void ktstr_bench_pool_deinit(struct ktstr_bench_pool *pool);

#endif
