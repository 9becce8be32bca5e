/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmarks that run as work (Schbench, Taobench) measured, and how such measurements are pooled. */
#ifndef KTSTR_BENCHMARK_H
#define KTSTR_BENCHMARK_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A histogram of 19 groups of 256 buckets: values up to 511 are exact, above that a bucket is at most 1/256 of
 * its value wide. The shape that schbench uses, so that percentiles compare. Zero-initialise.
 */
#define KTSTR_HISTOGRAM_BUCKETS (19u << 8)

struct ktstr_histogram {
	uint32_t buckets[KTSTR_HISTOGRAM_BUCKETS];
	uint64_t samples;
	uint32_t max, max_complement; /* the largest value, and ~ of the smallest one */
};

/* Threads may record into one histogram at the same time. */
void ktstr_histogram_record(struct ktstr_histogram *histogram, uint32_t value);
/* Bucket by bucket: percentiles of the sum are those of all samples together. */
void ktstr_histogram_merge(struct ktstr_histogram *into, const struct ktstr_histogram *from);
/*
 * The value of the first bucket up to which at least pct % of the samples lie; 0 and 100 give the exact extremes.
 * Unset when there are no samples.
 */
struct ktstr_opt_u64 ktstr_histogram_percentile(const struct ktstr_histogram *histogram, double pct);

/*
 * How long a kind of thread waited on runqueues, and how often it ran: deltas of
 * /proc/self/task/<tid>/schedstat, summed over the threads.
 */
struct ktstr_run_delay {
	uint64_t delay_ns, pcount;
};

struct ktstr_schbench_stats {
	struct ktstr_histogram wakeup_us;  /* post of the messenger to the worker running, us */
	struct ktstr_histogram request_us; /* think sleep and matrix products, us */
	struct ktstr_histogram rps;	   /* requests per second, one sample a second */
	uint64_t loop_count;		   /* requests */
	uint64_t transfer_bytes;	   /* pipe mode: moved between worker and messenger */
	uint64_t elapsed_ns;
	struct ktstr_run_delay message, worker;
};

void ktstr_schbench_stats_merge(struct ktstr_schbench_stats *into,
				const struct ktstr_schbench_stats *from);

struct ktstr_taobench_stats {
	uint64_t get_cmds, get_misses; /* counted when requested */
	uint64_t fast_ops, slow_ops;   /* counted when answered: from the cache, by the slow path */
	uint64_t elapsed_ns;
	struct ktstr_histogram serve_us; /* intended arrival to answer; empty in a closed loop */
};

/* Counters add up and saturate; elapsed_ns is that of the longest. */
void ktstr_taobench_stats_merge(struct ktstr_taobench_stats *into,
				const struct ktstr_taobench_stats *from);
/* Unset when there is nothing to divide by. */
struct ktstr_opt_f64 ktstr_taobench_hit_ratio(const struct ktstr_taobench_stats *stats); /* fast / ops */
struct ktstr_opt_f64 ktstr_taobench_hit_rate(const struct ktstr_taobench_stats *stats); /* of get_cmds */
struct ktstr_opt_f64 ktstr_taobench_total_qps(const struct ktstr_taobench_stats *stats);

/*
 * Calls emit for every metric the stats have a value for, by its name in the metric registry
 * ("wakeup_p99_latency_us"); a metric without signal is left out. whole: of a whole run ("_whole" names and
 * totals), else of a phase.
 */
typedef void (*ktstr_metric_fn)(void *context, const char *name, double value);
void ktstr_schbench_metrics(const struct ktstr_schbench_stats *stats, bool whole, ktstr_metric_fn emit,
			    void *context);
void ktstr_taobench_metrics(const struct ktstr_taobench_stats *stats, bool whole, ktstr_metric_fn emit,
			    void *context);

#ifdef __cplusplus
}
#endif
#endif
