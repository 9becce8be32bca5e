/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims on the members of statistics, a function each: ktstr_cgroup_stats_claim_num_cpus(result, stats) gives the claim that
 * ktstr_claim_at_most() and the others of claim.h finish. The label is the member's name; optional members must be present.
 * Made from the member lists, so that a new member has its claim.
 */
#ifndef KTSTR_STATS_CLAIMS_H
#define KTSTR_STATS_CLAIMS_H

#include <ktstr/claim.h>
#include <ktstr/phase.h>
#include <ktstr/stats.h>
#include <ktstr/work.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KTSTR_PHASE_BUCKET_SCALARS(X)                                                              \
	X(ktstr_phase_bucket, step_index)                                                          \
	X(ktstr_phase_bucket, label)                                                               \
	X(ktstr_phase_bucket, start_ms)                                                            \
	X(ktstr_phase_bucket, end_ms)                                                              \
	X(ktstr_phase_bucket, sample_count)

#define KTSTR_PHASE_CGROUP_STATS_SCALARS(X)                                                        \
	X(ktstr_phase_cgroup_stats, cgroup_name)                                                   \
	X(ktstr_phase_cgroup_stats, num_workers)                                                   \
	X(ktstr_phase_cgroup_stats, total_migrations)                                              \
	X(ktstr_phase_cgroup_stats, total_iterations)                                              \
	X(ktstr_phase_cgroup_stats, total_cpu_time_ns)                                             \
	X(ktstr_phase_cgroup_stats, numa_pages_local)                                              \
	X(ktstr_phase_cgroup_stats, numa_pages_total)                                              \
	X(ktstr_phase_cgroup_stats, cross_node_migrated)                                           \
	X(ktstr_phase_cgroup_stats, max_gap_ms)                                                    \
	X(ktstr_phase_cgroup_stats, max_gap_cpu)                                                   \
	X(ktstr_phase_cgroup_stats, stripped)
#define KTSTR_PHASE_CGROUP_STATS_SETS(X) X(ktstr_phase_cgroup_stats, cpus_used)
#define KTSTR_PHASE_CGROUP_STATS_SAMPLES(X)                                                        \
	X(ktstr_phase_cgroup_stats, wake_latencies_ns)                                             \
	X(ktstr_phase_cgroup_stats, timer_latencies_ns)                                            \
	X(ktstr_phase_cgroup_stats, run_delays_ns)

#define KTSTR_WORKER_REPORT_SCALARS(X)                                                             \
	X(ktstr_worker_report, tid)                                                                \
	X(ktstr_worker_report, group_idx)                                                          \
	X(ktstr_worker_report, index)                                                              \
	X(ktstr_worker_report, exit_code)                                                          \
	X(ktstr_worker_report, work_units)                                                         \
	X(ktstr_worker_report, iterations)                                                         \
	X(ktstr_worker_report, cpu_time_ns)                                                        \
	X(ktstr_worker_report, wall_time_ns)                                                       \
	X(ktstr_worker_report, off_cpu_ns)                                                         \
	X(ktstr_worker_report, max_gap_ns)                                                         \
	X(ktstr_worker_report, max_gap_cpu)                                                        \
	X(ktstr_worker_report, max_gap_at_ns)                                                      \
	X(ktstr_worker_report, migration_count)                                                    \
	X(ktstr_worker_report, schedstat_available)                                                \
	X(ktstr_worker_report, affinity_errno)                                                     \
	X(ktstr_worker_report, sched_policy_errno)                                                 \
	X(ktstr_worker_report, vmstat_numa_pages_migrated)                                         \
	X(ktstr_worker_report, is_messenger)
/* Absent, not 0, where the kernel has no schedstat. */
#define KTSTR_WORKER_REPORT_SCHEDSTATS(X)                                                          \
	X(ktstr_worker_report, schedstat_cpu_time_ns)                                              \
	X(ktstr_worker_report, schedstat_run_delay_ns)                                             \
	X(ktstr_worker_report, schedstat_run_count)
#define KTSTR_WORKER_REPORT_SETS(X) X(ktstr_worker_report, cpus_used)
#define KTSTR_WORKER_REPORT_RESERVOIRS(X)                                                          \
	X(ktstr_worker_report, wake_latencies)                                                     \
	X(ktstr_worker_report, iteration_costs)                                                    \
	X(ktstr_worker_report, timer_latencies)
/* Lists of structs: claims on how many there are. */
#define KTSTR_WORKER_REPORT_LISTS(X)                                                               \
	X(ktstr_worker_report, migrations)                                                         \
	X(ktstr_worker_report, phase_slices)
#define KTSTR_PHASE_BUCKET_LISTS(X) X(ktstr_phase_bucket, per_cgroup)
#define KTSTR_SCENARIO_STATS_LISTS(X) X(ktstr_scenario_stats, cgroups)

#define KTSTR_CLAIM_FIELD_(TYPE, TAG, member, ...)                                                 \
	static inline struct TYPE TAG##_claim_##member(struct ktstr_assert_result *result,         \
						       const struct TAG *object)                   \
	{                                                                                          \
		return (struct TYPE){ .result = result, .label = #member, __VA_ARGS__ };           \
	}
#define KTSTR_CLAIM_SCALAR_FIELD_(TAG, member)                                                     \
	KTSTR_CLAIM_FIELD_(ktstr_claim, TAG, member, .value = KTSTR_VALUE(object->member))
#define KTSTR_CLAIM_SCHEDSTAT_FIELD_(TAG, member)                                                  \
	KTSTR_CLAIM_FIELD_(ktstr_claim, TAG, member,                                               \
			   .value = object->schedstat_available ? KTSTR_VALUE(object->member)      \
								: ktstr_value_absent())
#define KTSTR_CLAIM_SET_FIELD_(TAG, member)                                                        \
	KTSTR_CLAIM_FIELD_(ktstr_set_claim, TAG, member, .items = ktstr_items_of_cpus(object->member))
#define KTSTR_CLAIM_SAMPLES_FIELD_(TAG, member)                                                    \
	KTSTR_CLAIM_FIELD_(ktstr_seq_claim, TAG, member,                                           \
			   .items = KTSTR_ITEMS(object->member.values, object->member.count))
#define KTSTR_CLAIM_RESERVOIR_FIELD_(TAG, member)                                                  \
	KTSTR_CLAIM_FIELD_(ktstr_seq_claim, TAG, member,                                           \
			   .items = KTSTR_ITEMS(object->member.values_ns, object->member.count))
#define KTSTR_CLAIM_LIST_FIELD_(TAG, member)                                                       \
	KTSTR_CLAIM_FIELD_(ktstr_seq_claim, TAG, member,                                           \
			   .items = { .kind = KTSTR_ITEMS_OPAQUE, .count = object->member##_count })

KTSTR_CGROUP_STATS_TEXTS(KTSTR_CLAIM_SCALAR_FIELD_)
KTSTR_CGROUP_STATS_SCALARS(KTSTR_CLAIM_SCALAR_FIELD_)
KTSTR_CGROUP_STATS_SETS(KTSTR_CLAIM_SET_FIELD_)
KTSTR_SCENARIO_STATS_SCALARS(KTSTR_CLAIM_SCALAR_FIELD_)
KTSTR_SCENARIO_STATS_LISTS(KTSTR_CLAIM_LIST_FIELD_)
KTSTR_PHASE_BUCKET_SCALARS(KTSTR_CLAIM_SCALAR_FIELD_)
KTSTR_PHASE_BUCKET_LISTS(KTSTR_CLAIM_LIST_FIELD_)
KTSTR_PHASE_CGROUP_STATS_SCALARS(KTSTR_CLAIM_SCALAR_FIELD_)
KTSTR_PHASE_CGROUP_STATS_SETS(KTSTR_CLAIM_SET_FIELD_)
KTSTR_PHASE_CGROUP_STATS_SAMPLES(KTSTR_CLAIM_SAMPLES_FIELD_)
KTSTR_WORKER_REPORT_SCALARS(KTSTR_CLAIM_SCALAR_FIELD_)
KTSTR_WORKER_REPORT_SCHEDSTATS(KTSTR_CLAIM_SCHEDSTAT_FIELD_)
KTSTR_WORKER_REPORT_SETS(KTSTR_CLAIM_SET_FIELD_)
KTSTR_WORKER_REPORT_RESERVOIRS(KTSTR_CLAIM_RESERVOIR_FIELD_)
KTSTR_WORKER_REPORT_LISTS(KTSTR_CLAIM_LIST_FIELD_)

static inline struct ktstr_seq_claim
ktstr_phase_cgroup_stats_claim_off_cpu_pcts(struct ktstr_assert_result *result,
					    const struct ktstr_phase_cgroup_stats *object)
{
	return (struct ktstr_seq_claim){ .result = result,
					 .label = "off_cpu_pcts",
					 .items = KTSTR_ITEMS(object->off_cpu_pcts, object->off_cpu_pcts_count) };
}

static inline struct ktstr_seq_claim ktstr_scenario_stats_claim_phases(struct ktstr_assert_result *result,
								       const struct ktstr_scenario_stats *object)
{
	return (struct ktstr_seq_claim){ .result = result,
					 .label = "phases",
					 .items = { .kind = KTSTR_ITEMS_OPAQUE, .count = object->phases.count } };
}

#undef KTSTR_CLAIM_FIELD_
#undef KTSTR_CLAIM_SCALAR_FIELD_
#undef KTSTR_CLAIM_SCHEDSTAT_FIELD_
#undef KTSTR_CLAIM_SET_FIELD_
#undef KTSTR_CLAIM_SAMPLES_FIELD_
#undef KTSTR_CLAIM_RESERVOIR_FIELD_
#undef KTSTR_CLAIM_LIST_FIELD_

#ifdef __cplusplus
}
#endif
#endif
