/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of lib/work: what benchmark statistics grew by since an earlier copy of them. */
#ifndef KTSTR_WORK_BENCH_STATS_H
#define KTSTR_WORK_BENCH_STATS_H

#include "ktstr/benchmark.h"

/*
 * Takes off what was there before. The extremes of what remains are those of its buckets: exact up to 511, within 1/256
 * above.
 */
void work_histogram_since(struct ktstr_histogram *histogram, const struct ktstr_histogram *before);
void work_schbench_stats_since(void *stats, const void *before);
void work_taobench_stats_since(void *stats, const void *before);

#endif
