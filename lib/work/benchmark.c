// SPDX-License-Identifier: GPL-2.0-only
/* Pooling what benchmarks measured, and the metrics that come of it. */
#include <stddef.h>
#include <stdio.h>

#include "work/bench_stats.h"

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct ktstr_opt_f64 ratio(uint64_t of, uint64_t total)
{
	return (struct ktstr_opt_f64){ total > 0, total ? (double)of / (double)total : 0 };
}

static struct ktstr_opt_f64 per_second(uint64_t count, uint64_t elapsed_ns)
{
	struct ktstr_opt_f64 rate = ratio(count, elapsed_ns);

	rate.value *= 1e9;
	return rate;
}

static void run_delay_merge(struct ktstr_run_delay *into, const struct ktstr_run_delay *from)
{
	into->delay_ns = add(into->delay_ns, from->delay_ns);
	into->pcount = add(into->pcount, from->pcount);
}

void ktstr_schbench_stats_merge(struct ktstr_schbench_stats *into,
				const struct ktstr_schbench_stats *from)
{
	ktstr_histogram_merge(&into->wakeup_us, &from->wakeup_us);
	ktstr_histogram_merge(&into->request_us, &from->request_us);
	ktstr_histogram_merge(&into->rps, &from->rps);
	into->loop_count = add(into->loop_count, from->loop_count);
	into->transfer_bytes = add(into->transfer_bytes, from->transfer_bytes);
	into->elapsed_ns = larger(into->elapsed_ns, from->elapsed_ns);
	run_delay_merge(&into->message, &from->message);
	run_delay_merge(&into->worker, &from->worker);
}

void ktstr_taobench_stats_merge(struct ktstr_taobench_stats *into,
				const struct ktstr_taobench_stats *from)
{
	into->get_cmds = add(into->get_cmds, from->get_cmds);
	into->get_misses = add(into->get_misses, from->get_misses);
	into->fast_ops = add(into->fast_ops, from->fast_ops);
	into->slow_ops = add(into->slow_ops, from->slow_ops);
	into->elapsed_ns = larger(into->elapsed_ns, from->elapsed_ns);
	ktstr_histogram_merge(&into->serve_us, &from->serve_us);
}

static void run_delay_since(struct ktstr_run_delay *delay, const struct ktstr_run_delay *before)
{
	delay->delay_ns -= before->delay_ns;
	delay->pcount -= before->pcount;
}

void work_schbench_stats_since(void *stats, const void *before)
{
	struct ktstr_schbench_stats *now = stats;
	const struct ktstr_schbench_stats *then = before;

	work_histogram_since(&now->wakeup_us, &then->wakeup_us);
	work_histogram_since(&now->request_us, &then->request_us);
	work_histogram_since(&now->rps, &then->rps);
	now->loop_count -= then->loop_count;
	now->transfer_bytes -= then->transfer_bytes;
	now->elapsed_ns -= then->elapsed_ns;
	run_delay_since(&now->message, &then->message);
	run_delay_since(&now->worker, &then->worker);
}

void work_taobench_stats_since(void *stats, const void *before)
{
	struct ktstr_taobench_stats *now = stats;
	const struct ktstr_taobench_stats *then = before;

	now->get_cmds -= then->get_cmds;
	now->get_misses -= then->get_misses;
	now->fast_ops -= then->fast_ops;
	now->slow_ops -= then->slow_ops;
	now->elapsed_ns -= then->elapsed_ns;
	work_histogram_since(&now->serve_us, &then->serve_us);
}

struct ktstr_opt_f64 ktstr_taobench_hit_ratio(const struct ktstr_taobench_stats *stats)
{
	return ratio(stats->fast_ops, add(stats->fast_ops, stats->slow_ops));
}

struct ktstr_opt_f64 ktstr_taobench_hit_rate(const struct ktstr_taobench_stats *stats)
{
	uint64_t hits = stats->get_cmds > stats->get_misses ? stats->get_cmds - stats->get_misses : 0;

	return ratio(hits, stats->get_cmds);
}

struct ktstr_opt_f64 ktstr_taobench_total_qps(const struct ktstr_taobench_stats *stats)
{
	return per_second(add(stats->fast_ops, stats->slow_ops), stats->elapsed_ns);
}

/* Where metrics go, and which of their two names they have there. */
struct sink {
	ktstr_metric_fn emit;
	void *context;
	bool whole;
};

static void emit_opt(const struct sink *sink, const char *phase_name, const char *whole_name,
		     struct ktstr_opt_f64 value)
{
	const char *name = sink->whole ? whole_name : phase_name;

	if (value.set && name)
		sink->emit(sink->context, name, value.value);
}

static void emit_count(const struct sink *sink, const char *phase_name, const char *whole_name,
		       uint64_t count)
{
	emit_opt(sink, phase_name, whole_name, (struct ktstr_opt_f64)KTSTR_SOME((double)count));
}

struct stat_name {
	const char *name;
	double pct;
};

static const struct stat_name latency_stats[] = {
	{ "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p999", 99.9 }, { "min", 0 }, { "max", 100 }, { 0 },
};
static const struct stat_name rps_stats[] = {
	{ "p20", 20 }, { "p50", 50 }, { "p90", 90 }, { "min", 0 }, { "max", 100 }, { 0 },
};

/* "<prefix><stat><suffix>", of a whole run with "_whole" behind it. */
static void emit_histogram(const struct sink *sink, const char *prefix, const char *suffix,
			   const struct stat_name *stats, const struct ktstr_histogram *histogram)
{
	for (; stats->name; stats++) {
		struct ktstr_opt_u64 value = ktstr_histogram_percentile(histogram, stats->pct);
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s%s", prefix, stats->name, suffix,
			 sink->whole ? "_whole" : "");
		if (value.set)
			sink->emit(sink->context, name, (double)value.value);
	}
}

/* A run has the parts, so that several runs can be pooled; a phase has the quotient in us. */
static void emit_run_delay(const struct sink *sink, const char *const names[4],
			   const struct ktstr_run_delay *delay)
{
	struct ktstr_opt_f64 per_run_ns = ratio(delay->delay_ns, delay->pcount);
	struct ktstr_opt_f64 per_run_us = { per_run_ns.set, per_run_ns.value / 1000 };

	emit_opt(sink, names[0], NULL, per_run_us);
	emit_opt(sink, NULL, names[1], per_run_ns);
	if (!delay->pcount)
		return;
	emit_count(sink, NULL, names[2], delay->delay_ns);
	emit_count(sink, NULL, names[3], delay->pcount);
}

void ktstr_schbench_metrics(const struct ktstr_schbench_stats *stats, bool whole, ktstr_metric_fn emit,
			    void *context)
{
	static const char *const message[] = { "sched_delay_msg_us", "schbench_msg_run_delay_ns_per_sched",
					       "total_schbench_msg_run_delay_ns",
					       "total_schbench_msg_pcount" };
	static const char *const worker[] = { "sched_delay_worker_us",
					      "schbench_worker_run_delay_ns_per_sched",
					      "total_schbench_worker_run_delay_ns",
					      "total_schbench_worker_pcount" };
	const struct sink sink = { emit, context, whole };

	emit_histogram(&sink, "wakeup_", "_latency_us", latency_stats, &stats->wakeup_us);
	emit_histogram(&sink, "request_", "_latency_us", latency_stats, &stats->request_us);
	emit_histogram(&sink, "rps_", "", rps_stats, &stats->rps);
	emit_count(&sink, "schbench_loop_count", "total_schbench_loops", stats->loop_count);
	emit_run_delay(&sink, message, &stats->message);
	emit_run_delay(&sink, worker, &stats->worker);
}

void ktstr_taobench_metrics(const struct ktstr_taobench_stats *stats, bool whole, ktstr_metric_fn emit,
			    void *context)
{
	const struct sink sink = { emit, context, whole };
	uint64_t ops = add(stats->fast_ops, stats->slow_ops);

	emit_opt(&sink, "taobench_total_qps", "taobench_total_ops_per_sec", per_second(ops, stats->elapsed_ns));
	emit_opt(&sink, "taobench_fast_qps", "taobench_fast_ops_per_sec",
		 per_second(stats->fast_ops, stats->elapsed_ns));
	emit_opt(&sink, "taobench_slow_qps", "taobench_slow_ops_per_sec",
		 per_second(stats->slow_ops, stats->elapsed_ns));
	emit_opt(&sink, "taobench_hit_ratio", "taobench_hit_fraction", ktstr_taobench_hit_ratio(stats));
	emit_opt(&sink, "taobench_hit_rate", "taobench_command_hit_rate", ktstr_taobench_hit_rate(stats));
	emit_histogram(&sink, "taobench_serve_", "_us", latency_stats, &stats->serve_us);
	emit_count(&sink, NULL, "total_taobench_ops", ops);
	emit_count(&sink, NULL, "total_taobench_fast_ops", stats->fast_ops);
	emit_count(&sink, NULL, "total_taobench_slow_ops", stats->slow_ops);
	emit_count(&sink, NULL, "total_taobench_get_cmds", stats->get_cmds);
	emit_count(&sink, NULL, "total_taobench_get_hits", stats->get_cmds - stats->get_misses);
	emit_opt(&sink, NULL, "total_taobench_wall_sec",
		 (struct ktstr_opt_f64)KTSTR_SOME((double)stats->elapsed_ns / 1e9));
}
