/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host saw of the guest's scheduler from outside: samples of every runqueue, about ten a second; their summary;
 * and the thresholds that judge them. Plain data: whoever samples fills it, lib/check/monitor.c evaluates it.
 */
#ifndef KTSTR_MONITOR_H
#define KTSTR_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/metric.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_assert;
struct ktstr_assert_result;

/*
 * struct scx_event_stats of kernel/sched/ext_internal.h, X(name): cumulative counts of one CPU, bypass_duration in ns.
 * The kernel's names in small letters, without SCX_EV_.
 */
#define KTSTR_SCX_EVENTS(X)                                                                                            \
	X(select_cpu_fallback)                                                                                         \
	X(dispatch_local_dsq_offline)                                                                                  \
	X(dispatch_keep_last)                                                                                          \
	X(enq_skip_exiting)                                                                                            \
	X(enq_skip_migration_disabled)                                                                                 \
	X(reenq_immed)                                                                                                 \
	X(reenq_local_repeat)                                                                                          \
	X(refill_slice_dfl)                                                                                            \
	X(bypass_duration)                                                                                             \
	X(bypass_dispatch)                                                                                             \
	X(bypass_activate)                                                                                             \
	X(insert_not_owned)                                                                                            \
	X(sub_bypass_dispatch)

/* A counter that this kernel does not have is unset: absent is not zero. */
struct ktstr_scx_events {
#define KTSTR_SCX_EVENT_MEMBER_(name) struct ktstr_opt_i64 name;
	KTSTR_SCX_EVENTS(KTSTR_SCX_EVENT_MEMBER_)
#undef KTSTR_SCX_EVENT_MEMBER_
};

/* struct rq with CONFIG_SCHEDSTATS: cumulative, of one CPU; run_delay in ns. X(name) */
#define KTSTR_RQ_SCHEDSTATS(X)                                                                                         \
	X(run_delay)                                                                                                   \
	X(pcount)                                                                                                      \
	X(yld_count)                                                                                                   \
	X(sched_count)                                                                                                 \
	X(sched_goidle)                                                                                                \
	X(ttwu_count)                                                                                                  \
	X(ttwu_local)

struct ktstr_rq_schedstat {
	bool available;
#define KTSTR_RQ_SCHEDSTAT_MEMBER_(name) uint64_t name;
	KTSTR_RQ_SCHEDSTATS(KTSTR_RQ_SCHEDSTAT_MEMBER_)
#undef KTSTR_RQ_SCHEDSTAT_MEMBER_
};

/* A level of a CPU's load balancing (struct sched_domain), innermost first. */
struct ktstr_sched_domain {
	char name[16]; /* "SMT", "MC", "PKG", "NUMA" */
	int32_t level;
	uint32_t flags, span_weight, nr_balance_failed;
	uint64_t balance_interval; /* ms */
	uint64_t max_newidle_lb_cost_ns;
	struct ktstr_opt_u64 newidle_call, newidle_success, newidle_ratio; /* kernels that weigh newidle balancing */
};

/* One runqueue at one moment. */
struct ktstr_cpu_snapshot {
	uint32_t nr_running; /* rq.nr_running, all classes */
	uint32_t scx_nr_running;
	uint32_t local_dsq_depth;
	uint32_t scx_flags; /* rq.scx.flags */
	uint64_t rq_clock; /* rq.clock, ns */
	struct ktstr_opt_f64 avg_irq_util; /* rq.avg_irq.util_avg, 0..1024 */
	bool has_events;
	struct ktstr_scx_events events;
	struct ktstr_rq_schedstat schedstat;
	struct ktstr_opt_u64 vcpu_cpu_time_ns; /* of the thread on the host that runs this CPU */
	const struct ktstr_sched_domain *sched_domains; /* borrowed; NULL = not read */
	size_t sched_domains_count;
};

/* Run-time statistics of a BPF program, summed over CPUs (bpf_stats_enabled). */
struct ktstr_prog_sample {
	const char *name; /* borrowed */
	uint64_t cnt, nsecs, misses;
};

struct ktstr_monitor_sample {
	uint64_t elapsed_ms; /* since VM start */
	const struct ktstr_cpu_snapshot *cpus; /* borrowed */
	size_t cpus_count;
	const struct ktstr_prog_sample *progs; /* borrowed; NULL = not read */
	size_t progs_count;
	/* psi_system, PSI_IRQ_FULL: the 10 s average in %, and the total. */
	struct ktstr_opt_f64 psi_irq_full_avg10;
	struct ktstr_opt_u64 psi_irq_full_total_ns;
};

/* The limits, all "strictly greater violates". Unset fields of a test take these defaults. */
struct ktstr_monitor_thresholds {
	double max_imbalance_ratio;
	double max_local_dsq_depth;
	bool fail_on_rq_clock_stuck;
	unsigned int sustained_samples; /* violations in a row before one counts */
	double max_fallback_rate; /* select_cpu_fallback per second, all CPUs */
	double max_keep_last_rate; /* dispatch_keep_last per second, all CPUs */
	bool enforce; /* false: violations are reported, and fail nothing */
};

#define KTSTR_MONITOR_THRESHOLDS_DEFAULT                                                           \
	((struct ktstr_monitor_thresholds){                                                        \
		.max_imbalance_ratio = 4.0,                                                        \
		.max_local_dsq_depth = 50,                                                         \
		.fail_on_rq_clock_stuck = true,                                                    \
		.sustained_samples = 5,                                                            \
		.max_fallback_rate = 200,                                                          \
		.max_keep_last_rate = 100,                                                         \
	})

/* The monitor fields of a test's effective checks over the defaults. */
struct ktstr_monitor_thresholds ktstr_monitor_thresholds_of(const struct ktstr_assert *assert);

/* All samples of a run. */
struct ktstr_monitor_series {
	const struct ktstr_monitor_sample *samples; /* in time order; borrowed */
	size_t count;
	/* A CPU whose vCPU thread ran less than this between two samples was preempted by the host, and is not stuck. */
	uint64_t preemption_threshold_ns;
};

/* max(nr_running) / max(1, min(nr_running)); 1 for a sample without CPUs, 0 when all are idle. */
double ktstr_monitor_imbalance(const struct ktstr_monitor_sample *sample);
#define KTSTR_MONITOR_DEPTH_PLAUSIBLE 10000
/* Every local DSQ depth is at most KTSTR_MONITOR_DEPTH_PLAUSIBLE: memory that is not set up yet reads as garbage. */
bool ktstr_monitor_is_plausible(const struct ktstr_monitor_sample *sample);
/*
 * The clock of that CPU's runqueue did not move between two samples although it should have: it is not 0, the CPU was not
 * idle in both, and its vCPU was not preempted.
 */
bool ktstr_monitor_is_stuck(const struct ktstr_monitor_sample *earlier, const struct ktstr_monitor_sample *later,
			    size_t cpu, uint64_t preemption_threshold_ns);

/* Per second over [first, last] with data; unset where no sample, or only one, had data. */
struct ktstr_event_deltas {
	struct ktstr_scx_events total; /* last - first over all CPUs, at least 0 */
	struct ktstr_opt_f64 fallback_rate, keep_last_rate;
	struct ktstr_opt_u64 max_fallback_burst; /* the largest step from one sample to the next */
};

struct ktstr_prog_delta {
	char *name;
	uint64_t cnt, nsecs;
	double nsecs_per_call; /* 0 without calls */
};

struct ktstr_monitor_summary {
	uint64_t total_samples;
	uint64_t plausible_samples; /* the averages and maxima below are over these */
	double max_imbalance_ratio, avg_imbalance_ratio; /* the maximum is at least 1 */
	uint64_t max_local_dsq_depth;
	double avg_local_dsq_depth; /* per reading of a CPU */
	double avg_nr_running; /* per reading of a CPU */
	uint64_t stuck_count; /* CPUs x pairs of samples */
	struct ktstr_opt_f64 avg_irq_util, max_avg_irq_util;
	struct ktstr_opt_f64 psi_irq_full_avg10; /* mean, % */
	struct ktstr_opt_u64 total_irq_pressure_us; /* last - first */
	struct ktstr_event_deltas events;
	struct ktstr_rq_schedstat schedstat; /* deltas over all CPUs */
	struct ktstr_opt_f64 schedstat_wall_sec; /* what they are over */
	struct ktstr_prog_delta *progs;
	size_t progs_count;
};

struct ktstr_monitor_summary ktstr_monitor_summarise(const struct ktstr_monitor_series *series);
/* By their names in the registry; a counter without two readings is left out. */
void ktstr_monitor_summary_metrics(const struct ktstr_monitor_summary *summary, struct ktstr_metric_set *set);
void ktstr_monitor_summary_deinit(struct ktstr_monitor_summary *summary);

/*
 * Judges a run. Violations become failures of kind Monitor when enforced, else notes that say "report-only". Without
 * samples, or with ones that cannot be true (clocks that never move, impossible depths), the verdict is inconclusive
 * when enforced, a note when not.
 */
void ktstr_monitor_evaluate(const struct ktstr_monitor_thresholds *thresholds,
			    const struct ktstr_monitor_series *series, struct ktstr_assert_result *result);

/* A count by its name, as from struct ktstr_scx_events. */
struct ktstr_event_count {
	const char *name;
	int64_t count;
};

/*
 * Each count must be 0, or with a bound lie in [0, bound]; a failure of kind SchedulerEvent for each that does not. True
 * when all are clean.
 */
bool ktstr_assert_scx_events_clean(struct ktstr_assert_result *result, const struct ktstr_event_count *counts,
				   size_t count, struct ktstr_opt_u64 bound);

#ifdef __cplusplus
}
#endif
#endif
