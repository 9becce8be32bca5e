/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of the metric registry, X(ID, name, polarity, absolute gate, relative gate, unit, kind): enum constants, the
 * table in lib/check/metrics.c, docs/reference/metrics.md and `ktstr stats list-metrics` all come from here.
 *
 * polarity  LOWER, HIGHER (is better), INFORMATIONAL, HIDDEN (a component of a RATIO)
 * kind      how it folds, see enum ktstr_metric_kind: COUNTER, DELTA_SUM, GAUGE_AVG, GAUGE_LAST, PEAK,
 *           RATIO(numerator, denominator), SAMPLES(source, statistic), LOWEST_CGROUP, HIGHEST_CGROUP, PER_PHASE,
 *           RUN_PERCENTILE
 *
 * Append only: the order is that of listings. The absolute gate of a count or a rate is only a guard near idle.
 */
#ifndef KTSTR_METRIC_TABLE_H
#define KTSTR_METRIC_TABLE_H

/* clang-format off */
#define KTSTR_METRICS(X) \
	/* Fairness, progress, what the monitor saw */ \
	X(WORST_SPREAD, "worst_spread", LOWER, 5, 0.25, "%", GAUGE_LAST) \
	X(WORST_GAP_MS, "worst_gap_ms", LOWER, 500, 0.5, "ms", PEAK) \
	X(TOTAL_MIGRATIONS, "total_migrations", LOWER, 2, 0.3, "", COUNTER) \
	X(WORST_MIGRATION_RATIO, "worst_migration_ratio", LOWER, 0.05, 0.2, "", GAUGE_LAST) \
	X(MAX_IMBALANCE_RATIO, "max_imbalance_ratio", LOWER, 1, 0.25, "x", PEAK) \
	X(AVG_IMBALANCE_RATIO, "avg_imbalance_ratio", LOWER, 0.5, 0.25, "x", GAUGE_AVG) \
	X(MAX_DSQ_DEPTH, "max_dsq_depth", LOWER, 10, 0.5, "", PEAK) \
	X(AVG_DSQ_DEPTH, "avg_dsq_depth", LOWER, 5, 0.5, "", GAUGE_AVG) \
	X(STUCK_COUNT, "stuck_count", LOWER, 1, 0.5, "", COUNTER) \
	X(TOTAL_FALLBACK, "total_fallback", LOWER, 5, 0.3, "", COUNTER) \
	X(TOTAL_KEEP_LAST, "total_keep_last", LOWER, 5, 0.3, "", COUNTER) \
	X(AVG_NR_RUNNING, "avg_nr_running", LOWER, 0.5, 0.2, "", GAUGE_AVG) \
	/* Schedstat of the runqueues */ \
	X(TOTAL_RUN_DELAY, "total_run_delay", INFORMATIONAL, 1e6, 0.1, "ns", COUNTER) \
	X(TOTAL_PCOUNT, "total_pcount", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_SCHED_COUNT, "total_sched_count", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_YLD_COUNT, "total_yld_count", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_SCHED_GOIDLE, "total_sched_goidle", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_TTWU_COUNT, "total_ttwu_count", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_TTWU_LOCAL, "total_ttwu_local", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_SCHEDSTAT_WALL_SEC, "total_schedstat_wall_sec", HIDDEN, 0, 0, "s", COUNTER) \
	X(TOTAL_RUN_DELAY_NS_PER_SCHED, "total_run_delay_ns_per_sched", LOWER, 1000, 0.15, "ns", RATIO(TOTAL_RUN_DELAY, TOTAL_PCOUNT)) \
	X(TTWU_LOCAL_FRACTION, "ttwu_local_fraction", HIGHER, 0.05, 0.1, "", RATIO(TOTAL_TTWU_LOCAL, TOTAL_TTWU_COUNT)) \
	X(SCHED_GOIDLE_FRACTION, "sched_goidle_fraction", INFORMATIONAL, 0.05, 0.1, "", RATIO(TOTAL_SCHED_GOIDLE, TOTAL_SCHED_COUNT)) \
	X(RUN_DELAY_PER_SEC, "run_delay_per_sec", INFORMATIONAL, 1e6, 0.1, "ns/s", RATIO(TOTAL_RUN_DELAY, TOTAL_SCHEDSTAT_WALL_SEC)) \
	X(PCOUNT_PER_SEC, "pcount_per_sec", INFORMATIONAL, 10, 0.1, "/s", RATIO(TOTAL_PCOUNT, TOTAL_SCHEDSTAT_WALL_SEC)) \
	X(SCHED_COUNT_PER_SEC, "sched_count_per_sec", INFORMATIONAL, 10, 0.1, "/s", RATIO(TOTAL_SCHED_COUNT, TOTAL_SCHEDSTAT_WALL_SEC)) \
	X(YLD_COUNT_PER_SEC, "yld_count_per_sec", INFORMATIONAL, 10, 0.1, "/s", RATIO(TOTAL_YLD_COUNT, TOTAL_SCHEDSTAT_WALL_SEC)) \
	X(TTWU_COUNT_PER_SEC, "ttwu_count_per_sec", INFORMATIONAL, 10, 0.1, "/s", RATIO(TOTAL_TTWU_COUNT, TOTAL_SCHEDSTAT_WALL_SEC)) \
	X(SCHED_GOIDLE_PER_SEC, "sched_goidle_per_sec", INFORMATIONAL, 10, 0.1, "/s", RATIO(TOTAL_SCHED_GOIDLE, TOTAL_SCHEDSTAT_WALL_SEC)) \
	/* Latency, of all workers pooled */ \
	X(WORST_P99_WAKE_LATENCY_US, "worst_p99_wake_latency_us", LOWER, 50, 0.25, "us", SAMPLES(WAKE, P99)) \
	X(WORST_MEDIAN_WAKE_LATENCY_US, "worst_median_wake_latency_us", LOWER, 20, 0.25, "us", SAMPLES(WAKE, MEDIAN)) \
	X(WORST_WAKE_LATENCY_CV, "worst_wake_latency_cv", LOWER, 0.1, 0.25, "", SAMPLES(WAKE, CV)) \
	X(WORST_P99_TIMER_LATENCY_US, "worst_p99_timer_latency_us", LOWER, 50, 0.25, "us", SAMPLES(TIMER, P99)) \
	X(WORST_MEDIAN_TIMER_LATENCY_US, "worst_median_timer_latency_us", LOWER, 20, 0.25, "us", SAMPLES(TIMER, MEDIAN)) \
	X(WORST_P999_TIMER_LATENCY_US, "worst_p999_timer_latency_us", LOWER, 100, 0.25, "us", SAMPLES(TIMER, P999)) \
	X(WORST_TIMER_LATENCY_US, "worst_timer_latency_us", LOWER, 200, 0.25, "us", SAMPLES(TIMER, WORST)) \
	X(WORST_MEAN_RUN_DELAY_US, "worst_mean_run_delay_us", LOWER, 50, 0.25, "us", SAMPLES(RUN_DELAY, MEAN)) \
	X(WORST_RUN_DELAY_US, "worst_run_delay_us", LOWER, 100, 0.5, "us", SAMPLES(RUN_DELAY, WORST)) \
	X(WORST_WAKE_LATENCY_TAIL_RATIO, "worst_wake_latency_tail_ratio", LOWER, 0.5, 0.25, "x", HIGHEST_CGROUP) \
	/* Throughput */ \
	X(ITERATION_RATE, "iteration_rate", HIGHER, 1, 0.3, "iter/s", RATIO(TOTAL_PHASE_ITERATIONS, TOTAL_PHASE_DURATION_SEC)) \
	X(TOTAL_ITERATIONS, "total_iterations", HIGHER, 2, 0.1, "", COUNTER) \
	X(ITERATIONS_PER_CPU_SEC, "iterations_per_cpu_sec", HIGHER, 10, 0.1, "iter/cpu-s", RATIO(TOTAL_ITERATIONS_POOLED, TOTAL_CPU_TIME_SEC)) \
	X(WORST_ITERATIONS_PER_WORKER, "worst_iterations_per_worker", HIGHER, 10, 0.1, "", LOWEST_CGROUP) \
	X(WORST_ITERATIONS_PER_CPU_SEC, "worst_iterations_per_cpu_sec", HIGHER, 10, 0.1, "iter/cpu-s", LOWEST_CGROUP) \
	X(TOTAL_CPU_TIME_NS, "total_cpu_time_ns", HIGHER, 100, 0.1, "ns", COUNTER) \
	X(TOTAL_PHASE_ITERATIONS, "total_phase_iterations", HIDDEN, 0, 0, "", COUNTER) \
	X(TOTAL_PHASE_DURATION_SEC, "total_phase_duration_sec", HIDDEN, 0, 0, "s", COUNTER) \
	X(TOTAL_ITERATIONS_POOLED, "total_iterations_pooled", HIDDEN, 0, 0, "", COUNTER) \
	X(TOTAL_CPU_TIME_SEC, "total_cpu_time_sec", HIDDEN, 0, 0, "s", COUNTER) \
	/* NUMA and CPU time */ \
	X(WORST_PAGE_LOCALITY, "worst_page_locality", HIGHER, 0.05, 0.1, "", LOWEST_CGROUP) \
	X(WORST_CROSS_NODE_MIGRATION_RATIO, "worst_cross_node_migration_ratio", LOWER, 0.05, 0.2, "", HIGHEST_CGROUP) \
	X(SYSTEM_TIME_NS, "system_time_ns", LOWER, 1e6, 0.3, "ns", DELTA_SUM) \
	X(USER_TIME_NS, "user_time_ns", LOWER, 1e6, 0.3, "ns", DELTA_SUM) \
	/* Interrupts; need two captures */ \
	X(TOTAL_HARDIRQS, "total_hardirqs", INFORMATIONAL, 1000, 0.5, "", COUNTER) \
	X(TOTAL_SOFTIRQ_TIMER, "total_softirq_timer", INFORMATIONAL, 1000, 0.5, "", COUNTER) \
	X(TOTAL_SOFTIRQ_SCHED, "total_softirq_sched", INFORMATIONAL, 1000, 0.5, "", COUNTER) \
	X(TOTAL_SOFTIRQ_NET_RX, "total_softirq_net_rx", INFORMATIONAL, 500, 0.5, "", COUNTER) \
	X(TOTAL_SOFTIRQ_NET_TX, "total_softirq_net_tx", INFORMATIONAL, 500, 0.5, "", COUNTER) \
	X(TOTAL_IRQ_TIME_NS, "total_irq_time_ns", INFORMATIONAL, 1e6, 0.5, "ns", COUNTER) \
	X(TOTAL_SOFTIRQ_TIME_NS, "total_softirq_time_ns", INFORMATIONAL, 1e6, 0.5, "ns", COUNTER) \
	X(TOTAL_STEAL_TIME_NS, "total_steal_time_ns", INFORMATIONAL, 1e6, 0.5, "ns", COUNTER) \
	X(AVG_IRQ_UTIL, "avg_irq_util", LOWER, 20, 0.3, "/1024", GAUGE_AVG) \
	X(MAX_AVG_IRQ_UTIL, "max_avg_irq_util", LOWER, 50, 0.3, "/1024", PEAK) \
	X(TOTAL_PHASE_WALL_SEC, "total_phase_wall_sec", HIDDEN, 0, 0, "s", COUNTER) \
	X(TOTAL_PHASE_WALL_NS, "total_phase_wall_ns", HIDDEN, 0, 0, "ns", COUNTER) \
	X(HARDIRQ_RATE, "hardirq_rate", INFORMATIONAL, 10, 0.3, "/s", RATIO(TOTAL_HARDIRQS, TOTAL_PHASE_WALL_SEC)) \
	X(NET_RX_SOFTIRQ_RATE, "net_rx_softirq_rate", INFORMATIONAL, 10, 0.3, "/s", RATIO(TOTAL_SOFTIRQ_NET_RX, TOTAL_PHASE_WALL_SEC)) \
	X(IRQ_TIME_FRACTION, "irq_time_fraction", LOWER, 0.02, 0.3, "", RATIO(TOTAL_IRQ_TIME_NS, TOTAL_PHASE_WALL_NS)) \
	X(MAX_CPU_HARDIRQS, "max_cpu_hardirqs", INFORMATIONAL, 500, 0.5, "", PEAK) \
	X(MAX_CPU_SOFTIRQ_NET_RX, "max_cpu_softirq_net_rx", INFORMATIONAL, 500, 0.5, "", PEAK) \
	X(MAX_CGROUP_IRQ_PRESSURE, "max_cgroup_irq_pressure", INFORMATIONAL, 1000, 0.5, "us", PEAK) \
	X(MAX_CPU_HARDIRQ_CONCENTRATION, "max_cpu_hardirq_concentration", LOWER, 1, 0.25, "x", PEAK) \
	X(MAX_CPU_SOFTIRQ_NET_RX_CONCENTRATION, "max_cpu_softirq_net_rx_concentration", LOWER, 1, 0.25, "x", PEAK) \
	X(MAX_CGROUP_IRQ_PRESSURE_CONCENTRATION, "max_cgroup_irq_pressure_concentration", LOWER, 1, 0.25, "x", PEAK) \
	X(MAX_CGROUP_PSI_IRQ_AVG10, "max_cgroup_psi_irq_avg10", LOWER, 5, 0.3, "%", PEAK) \
	X(PSI_IRQ_FULL_AVG10, "psi_irq_full_avg10", LOWER, 5, 0.3, "%", GAUGE_AVG) \
	X(TOTAL_IRQ_PRESSURE_US, "total_irq_pressure_us", INFORMATIONAL, 1000, 0.5, "us", COUNTER) \
	/* Schbench, of a phase */ \
	X(WAKEUP_P50_LATENCY_US, "wakeup_p50_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(WAKEUP_P90_LATENCY_US, "wakeup_p90_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(WAKEUP_P99_LATENCY_US, "wakeup_p99_latency_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(WAKEUP_P999_LATENCY_US, "wakeup_p999_latency_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(WAKEUP_MIN_LATENCY_US, "wakeup_min_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(WAKEUP_MAX_LATENCY_US, "wakeup_max_latency_us", LOWER, 50, 0.5, "us", PER_PHASE) \
	X(REQUEST_P50_LATENCY_US, "request_p50_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(REQUEST_P90_LATENCY_US, "request_p90_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(REQUEST_P99_LATENCY_US, "request_p99_latency_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(REQUEST_P999_LATENCY_US, "request_p999_latency_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(REQUEST_MIN_LATENCY_US, "request_min_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(REQUEST_MAX_LATENCY_US, "request_max_latency_us", LOWER, 50, 0.5, "us", PER_PHASE) \
	X(SCHED_DELAY_MSG_US, "sched_delay_msg_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(SCHED_DELAY_WORKER_US, "sched_delay_worker_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(SCHBENCH_LOOP_COUNT, "schbench_loop_count", INFORMATIONAL, 10, 0.3, "", PER_PHASE) \
	X(RPS_P20, "rps_p20", HIGHER, 100, 0.1, "req/s", PER_PHASE) \
	X(RPS_P50, "rps_p50", HIGHER, 100, 0.1, "req/s", PER_PHASE) \
	X(RPS_P90, "rps_p90", HIGHER, 100, 0.1, "req/s", PER_PHASE) \
	X(RPS_MIN, "rps_min", HIGHER, 100, 0.1, "req/s", PER_PHASE) \
	X(RPS_MAX, "rps_max", HIGHER, 100, 0.1, "req/s", PER_PHASE) \
	/* Schbench, of a run */ \
	X(WAKEUP_P50_LATENCY_US_WHOLE, "wakeup_p50_latency_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(WAKEUP_P90_LATENCY_US_WHOLE, "wakeup_p90_latency_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(WAKEUP_P99_LATENCY_US_WHOLE, "wakeup_p99_latency_us_whole", LOWER, 50, 0.25, "us", RUN_PERCENTILE) \
	X(WAKEUP_P999_LATENCY_US_WHOLE, "wakeup_p999_latency_us_whole", LOWER, 50, 0.25, "us", RUN_PERCENTILE) \
	X(WAKEUP_MIN_LATENCY_US_WHOLE, "wakeup_min_latency_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(WAKEUP_MAX_LATENCY_US_WHOLE, "wakeup_max_latency_us_whole", LOWER, 50, 0.5, "us", RUN_PERCENTILE) \
	X(REQUEST_P50_LATENCY_US_WHOLE, "request_p50_latency_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(REQUEST_P90_LATENCY_US_WHOLE, "request_p90_latency_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(REQUEST_P99_LATENCY_US_WHOLE, "request_p99_latency_us_whole", LOWER, 50, 0.25, "us", RUN_PERCENTILE) \
	X(REQUEST_P999_LATENCY_US_WHOLE, "request_p999_latency_us_whole", LOWER, 50, 0.25, "us", RUN_PERCENTILE) \
	X(REQUEST_MIN_LATENCY_US_WHOLE, "request_min_latency_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(REQUEST_MAX_LATENCY_US_WHOLE, "request_max_latency_us_whole", LOWER, 50, 0.5, "us", RUN_PERCENTILE) \
	X(RPS_P20_WHOLE, "rps_p20_whole", HIGHER, 100, 0.1, "req/s", RUN_PERCENTILE) \
	X(RPS_P50_WHOLE, "rps_p50_whole", HIGHER, 100, 0.1, "req/s", RUN_PERCENTILE) \
	X(RPS_P90_WHOLE, "rps_p90_whole", HIGHER, 100, 0.1, "req/s", RUN_PERCENTILE) \
	X(RPS_MIN_WHOLE, "rps_min_whole", HIGHER, 100, 0.1, "req/s", RUN_PERCENTILE) \
	X(RPS_MAX_WHOLE, "rps_max_whole", HIGHER, 100, 0.1, "req/s", RUN_PERCENTILE) \
	X(TOTAL_SCHBENCH_LOOPS, "total_schbench_loops", INFORMATIONAL, 100, 0.1, "", COUNTER) \
	X(TOTAL_SCHBENCH_MSG_RUN_DELAY_NS, "total_schbench_msg_run_delay_ns", HIDDEN, 0, 0, "ns", COUNTER) \
	X(TOTAL_SCHBENCH_MSG_PCOUNT, "total_schbench_msg_pcount", HIDDEN, 0, 0, "", COUNTER) \
	X(SCHBENCH_MSG_RUN_DELAY_NS_PER_SCHED, "schbench_msg_run_delay_ns_per_sched", LOWER, 1000, 0.1, "ns", RATIO(TOTAL_SCHBENCH_MSG_RUN_DELAY_NS, TOTAL_SCHBENCH_MSG_PCOUNT)) \
	X(TOTAL_SCHBENCH_WORKER_RUN_DELAY_NS, "total_schbench_worker_run_delay_ns", HIDDEN, 0, 0, "ns", COUNTER) \
	X(TOTAL_SCHBENCH_WORKER_PCOUNT, "total_schbench_worker_pcount", HIDDEN, 0, 0, "", COUNTER) \
	X(SCHBENCH_WORKER_RUN_DELAY_NS_PER_SCHED, "schbench_worker_run_delay_ns_per_sched", LOWER, 1000, 0.1, "ns", RATIO(TOTAL_SCHBENCH_WORKER_RUN_DELAY_NS, TOTAL_SCHBENCH_WORKER_PCOUNT)) \
	X(TOTAL_SCHBENCH_CPU_SEC, "total_schbench_cpu_sec", HIDDEN, 0, 0, "s", COUNTER) \
	X(SCHBENCH_LOOPS_PER_CPU_SEC, "schbench_loops_per_cpu_sec", HIGHER, 10, 0.1, "loops/cpu-s", RATIO(TOTAL_SCHBENCH_LOOPS, TOTAL_SCHBENCH_CPU_SEC)) \
	/* Taobench, of a phase */ \
	X(TAOBENCH_TOTAL_QPS, "taobench_total_qps", HIGHER, 1000, 0.1, "op/s", PER_PHASE) \
	X(TAOBENCH_FAST_QPS, "taobench_fast_qps", HIGHER, 1000, 0.1, "op/s", PER_PHASE) \
	X(TAOBENCH_SLOW_QPS, "taobench_slow_qps", INFORMATIONAL, 1000, 0.1, "op/s", PER_PHASE) \
	X(TAOBENCH_HIT_RATIO, "taobench_hit_ratio", INFORMATIONAL, 0.02, 0.05, "", PER_PHASE) \
	X(TAOBENCH_HIT_RATE, "taobench_hit_rate", INFORMATIONAL, 0.02, 0.05, "", PER_PHASE) \
	X(TAOBENCH_SERVE_P50_US, "taobench_serve_p50_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(TAOBENCH_SERVE_P90_US, "taobench_serve_p90_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(TAOBENCH_SERVE_P99_US, "taobench_serve_p99_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(TAOBENCH_SERVE_P999_US, "taobench_serve_p999_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(TAOBENCH_SERVE_MIN_US, "taobench_serve_min_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(TAOBENCH_SERVE_MAX_US, "taobench_serve_max_us", LOWER, 50, 0.5, "us", PER_PHASE) \
	/* Taobench, of a run */ \
	X(TAOBENCH_SERVE_P50_US_WHOLE, "taobench_serve_p50_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(TAOBENCH_SERVE_P90_US_WHOLE, "taobench_serve_p90_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(TAOBENCH_SERVE_P99_US_WHOLE, "taobench_serve_p99_us_whole", LOWER, 50, 0.25, "us", RUN_PERCENTILE) \
	X(TAOBENCH_SERVE_P999_US_WHOLE, "taobench_serve_p999_us_whole", LOWER, 50, 0.25, "us", RUN_PERCENTILE) \
	X(TAOBENCH_SERVE_MIN_US_WHOLE, "taobench_serve_min_us_whole", LOWER, 20, 0.25, "us", RUN_PERCENTILE) \
	X(TAOBENCH_SERVE_MAX_US_WHOLE, "taobench_serve_max_us_whole", LOWER, 50, 0.5, "us", RUN_PERCENTILE) \
	X(TOTAL_TAOBENCH_OPS, "total_taobench_ops", HIDDEN, 0, 0, "", COUNTER) \
	X(TOTAL_TAOBENCH_FAST_OPS, "total_taobench_fast_ops", HIDDEN, 0, 0, "", COUNTER) \
	X(TOTAL_TAOBENCH_SLOW_OPS, "total_taobench_slow_ops", HIDDEN, 0, 0, "", COUNTER) \
	X(TOTAL_TAOBENCH_WALL_SEC, "total_taobench_wall_sec", HIDDEN, 0, 0, "s", COUNTER) \
	X(TOTAL_TAOBENCH_CPU_SEC, "total_taobench_cpu_sec", HIDDEN, 0, 0, "s", COUNTER) \
	X(TOTAL_TAOBENCH_GET_CMDS, "total_taobench_get_cmds", HIDDEN, 0, 0, "", COUNTER) \
	X(TOTAL_TAOBENCH_GET_HITS, "total_taobench_get_hits", HIDDEN, 0, 0, "", COUNTER) \
	X(TAOBENCH_TOTAL_OPS_PER_SEC, "taobench_total_ops_per_sec", HIGHER, 1000, 0.1, "op/s", RATIO(TOTAL_TAOBENCH_OPS, TOTAL_TAOBENCH_WALL_SEC)) \
	X(TAOBENCH_TOTAL_OPS_PER_CPU_SEC, "taobench_total_ops_per_cpu_sec", HIGHER, 1000, 0.1, "op/cpu-s", RATIO(TOTAL_TAOBENCH_OPS, TOTAL_TAOBENCH_CPU_SEC)) \
	X(TAOBENCH_FAST_OPS_PER_SEC, "taobench_fast_ops_per_sec", HIGHER, 1000, 0.1, "op/s", RATIO(TOTAL_TAOBENCH_FAST_OPS, TOTAL_TAOBENCH_WALL_SEC)) \
	X(TAOBENCH_FAST_OPS_PER_CPU_SEC, "taobench_fast_ops_per_cpu_sec", HIGHER, 1000, 0.1, "op/cpu-s", RATIO(TOTAL_TAOBENCH_FAST_OPS, TOTAL_TAOBENCH_CPU_SEC)) \
	X(TAOBENCH_SLOW_OPS_PER_SEC, "taobench_slow_ops_per_sec", INFORMATIONAL, 1000, 0.1, "op/s", RATIO(TOTAL_TAOBENCH_SLOW_OPS, TOTAL_TAOBENCH_WALL_SEC)) \
	X(TAOBENCH_SLOW_OPS_PER_CPU_SEC, "taobench_slow_ops_per_cpu_sec", INFORMATIONAL, 1000, 0.1, "op/cpu-s", RATIO(TOTAL_TAOBENCH_SLOW_OPS, TOTAL_TAOBENCH_CPU_SEC)) \
	X(TAOBENCH_HIT_FRACTION, "taobench_hit_fraction", INFORMATIONAL, 0.02, 0.05, "", RATIO(TOTAL_TAOBENCH_FAST_OPS, TOTAL_TAOBENCH_OPS)) \
	X(TAOBENCH_COMMAND_HIT_RATE, "taobench_command_hit_rate", INFORMATIONAL, 0.02, 0.05, "", RATIO(TOTAL_TAOBENCH_GET_HITS, TOTAL_TAOBENCH_GET_CMDS)) \
	/* Of one cgroup in a phase */ \
	X(P99_WAKE_LATENCY_US, "p99_wake_latency_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(MEDIAN_WAKE_LATENCY_US, "median_wake_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(WAKE_LATENCY_CV, "wake_latency_cv", LOWER, 0.1, 0.25, "", PER_PHASE) \
	X(P99_TIMER_LATENCY_US, "p99_timer_latency_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(MEDIAN_TIMER_LATENCY_US, "median_timer_latency_us", LOWER, 20, 0.25, "us", PER_PHASE) \
	X(P999_TIMER_LATENCY_US, "p999_timer_latency_us", LOWER, 100, 0.25, "us", PER_PHASE) \
	X(MEAN_RUN_DELAY_US, "mean_run_delay_us", LOWER, 50, 0.25, "us", PER_PHASE) \
	X(MAX_RUN_DELAY_US, "max_run_delay_us", LOWER, 100, 0.5, "us", PER_PHASE) \
	X(AVG_OFF_CPU_PCT, "avg_off_cpu_pct", LOWER, 5, 0.25, "%", PER_PHASE) \
	X(MIN_OFF_CPU_PCT, "min_off_cpu_pct", LOWER, 5, 0.25, "%", PER_PHASE) \
	X(MAX_OFF_CPU_PCT, "max_off_cpu_pct", LOWER, 5, 0.25, "%", PER_PHASE) \
	X(OFF_CPU_SPREAD_PCT, "off_cpu_spread_pct", LOWER, 5, 0.25, "%", PER_PHASE) \
	X(MIGRATION_RATIO, "migration_ratio", LOWER, 0.05, 0.2, "", PER_PHASE) \
	X(ITERATIONS_PER_WORKER, "iterations_per_worker", HIGHER, 10, 0.1, "", PER_PHASE) \
	X(PAGE_LOCALITY, "page_locality", HIGHER, 0.05, 0.1, "", PER_PHASE) \
	X(CROSS_NODE_MIGRATION_RATIO, "cross_node_migration_ratio", LOWER, 0.05, 0.2, "", PER_PHASE)
/* clang-format on */

#endif
