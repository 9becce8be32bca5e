// SPDX-License-Identifier: GPL-2.0-only
/* Thresholds on worker reports and their declaration: each check once holding, once failing, once without signal. */
#include <errno.h>

#include "check_fixture.h"

/* Thresholds */

static void nothing_asserts_until_asked(void **state)
{
	(void)state;
	memset(workers, 0, sizeof(workers));
	evaluate(.not_stuck = KTSTR_UNSET);
	expect_silence();
	evaluate(.not_stuck = KTSTR_OFF, .isolation = KTSTR_OFF);
	expect_silence();
	assert_int_equal(verdict.result.stats.total_workers, 4); /* measured all the same */
}

static void not_stuck_holds(void **state)
{
	(void)state;
	workers[2].work_units = 5;
	evaluate(.not_stuck = true);
	expect_pass("not_stuck", "ge", "5", "1");
	expect_pass("max_gap_ms", "le", "20", "3000");
	expect_pass("max_spread_pct", "le", "0", "35");
}

static void not_stuck_fails_without_progress(void **state)
{
	(void)state;
	workers[1].work_units = 0;
	evaluate(.not_stuck = KTSTR_ON);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS,
		    "cgroup cg_0: worker 1 (tid 121, cg_0/1) made no progress: 0 work units in 1s "
		    "(limit: at least 1)");
}

static void not_stuck_fails_for_workers_that_ended(void **state)
{
	(void)state;
	workers[0] = (struct ktstr_worker_report){ .tid = 120, .exit = KTSTR_WORKER_EXITED,
						   .exit_code = 3 };
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS,
		    "cgroup cg_0: worker 0 (tid 120) ended before it was stopped: exit code 3");
	workers[0].exit = KTSTR_WORKER_SIGNALED;
	workers[0].exit_code = 11;
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS,
		    "cgroup cg_0: worker 0 (tid 120) was killed by signal 11 (Segmentation fault)");
	workers[0].exit = KTSTR_WORKER_TIMED_OUT;
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_STUCK, "cgroup cg_0: worker 0 (tid 120) was stuck at the end: it did not "
					"answer the stop and was killed (limit 3000 ms)");
	evaluate(.min_work_rate = KTSTR_SOME(1));
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	assert_int_equal(verdict.result.notes_count, 1); /* not judged, but told */
}

static void not_stuck_brings_the_default_gap_limit(void **state)
{
	(void)state;
	workers[1].max_gap_ns = KTSTR_MS(4200);
	workers[1].max_gap_cpu = 2;
	workers[1].max_gap_at_ns = KTSTR_MS(3100);
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_STUCK, "cgroup cg_0: worker 1 (tid 121) was stuck for 4200 ms on CPU 2 at "
					"+3.1 s (limit 3000 ms)");
	evaluate(.not_stuck = true, .max_gap_ms = KTSTR_SOME(5000)); /* replaces the default */
	expect_pass("max_gap_ms", "le", "4200", "5000");
}

static void strict_limits_are_tighter(void **state)
{
	(void)state;
	workers[1].max_gap_ns = KTSTR_MS(2500);
	evaluate(.not_stuck = true);
	assert_int_equal(verdict.result.outcomes_count, 0);
	limits = ktstr_default_limits(true);
	evaluate(.not_stuck = true);
	assert_int_equal(verdict.result.outcomes_count, 1);
	assert_true(limits.max_gap_ms == 2000 && limits.max_spread_pct == 15);
}

static void max_gap_alone(void **state)
{
	(void)state;
	evaluate(.max_gap_ms = KTSTR_SOME(20)); /* equal is within */
	expect_pass("max_gap_ms", "le", "20", "20");
	workers[3].max_gap_ns++;
	evaluate(.max_gap_ms = KTSTR_SOME(20));
	expect_fail(KTSTR_DETAIL_STUCK, "cgroup cg_0: worker 3 (tid 123) was stuck for 20.000001 ms on CPU 0 "
					"at +0.0 s (limit 20 ms)");
	evaluate(.not_stuck = KTSTR_OFF, .max_gap_ms = KTSTR_SOME(0));
	assert_int_equal(verdict.result.outcomes_count, 4);
}

static void max_spread(void **state)
{
	(void)state;
	workers[0].off_cpu_ns = KTSTR_MS(120);
	workers[2].off_cpu_ns = KTSTR_MS(552);
	workers[1].off_cpu_ns = workers[3].off_cpu_ns = KTSTR_MS(300);
	evaluate(.max_spread_pct = KTSTR_SOME(50));
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	assert_int_equal(verdict.result.passes_count, 1);
	evaluate(.not_stuck = true); /* by default 35 */
	expect_fail(KTSTR_DETAIL_UNFAIR, "cgroup cg_0: unfair: off-CPU time spread 43.2 % (12.0-55.2 %, "
					 "workers 0 and 2), limit 35 %");
	evaluate(.not_stuck = true, .max_spread_pct = KTSTR_SOME(44));
	assert_int_equal(verdict.result.outcomes_count, 0);
}

static void spread_needs_two_equal_workers(void **state)
{
	(void)state;
	workers[0].off_cpu_ns = KTSTR_MS(990);
	workers[0].group_idx = 1; /* a sleeper beside spinners */
	evaluate(.max_spread_pct = KTSTR_SOME(1));
	assert_int_equal(verdict.result.outcomes_count, 0);
	for (size_t i = 0; i < 4; i++)
		workers[i].group_idx = i;
	evaluate(.max_spread_pct = KTSTR_SOME(1));
	expect_silence();
	workers[1].group_idx = 0;
	workers[1].wall_time_ns = 0; /* not measured */
	evaluate(.max_spread_pct = KTSTR_SOME(1));
	expect_silence();
}

static void isolation(void **state)
{
	struct ktstr_cpus wide = ktstr_cpus_range(0, 4), narrow = ktstr_cpus_range(0, 2), empty = { 0 };

	(void)state;
	ktstr_cpus_add(&workers[2].cpus_used, 3);
	ktstr_cpus_add(&workers[2].cpus_used, 2);
	evaluate_in(&wide, (struct ktstr_assert){ .isolation = true }, 4);
	expect_pass("isolation", "subset_of", "0-3", "0-3");
	evaluate_in(&narrow, (struct ktstr_assert){ .isolation = true }, 4);
	expect_fail(KTSTR_DETAIL_ISOLATION,
		    "cgroup cg_0: worker 2 (tid 122) ran on CPU 2-3 outside the cgroup's cpuset 0-1");
	evaluate_in(NULL, (struct ktstr_assert){ .isolation = true }, 4); /* no cpuset, no signal */
	expect_silence();
	evaluate_in(&empty, (struct ktstr_assert){ .isolation = true }, 4);
	assert_int_equal(verdict.result.outcomes_count, 4);
}

static void min_work_rate(void **state)
{
	(void)state;
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_pass("min_work_rate", "ge", "1000", "1000");
	evaluate(.min_work_rate = KTSTR_SOME(1e9)); /* unreachable: one failure a worker */
	assert_int_equal(verdict.result.outcomes_count, 4);
	workers[2].work_units = 450;
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_fail(KTSTR_DETAIL_BENCHMARK,
		    "cgroup cg_0: worker 2 (tid 122) did 500.0 work units per CPU second, floor 1000");
}

static void min_work_rate_without_cpu_time(void **state)
{
	(void)state;
	workers[0].cpu_time_ns = 0; /* excluded, the others count */
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_pass("min_work_rate", "ge", "1000", "1000");
	for (size_t i = 0; i < 4; i++)
		workers[i].cpu_time_ns = 0;
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
		       "cgroup cg_0: throughput cannot be told: 3600 work units over 0 ns of CPU time in "
		       "all 4 workers (floor of min_work_rate 1000 per CPU second)");
}

static void max_p99_wake_latency(void **state)
{
	static uint64_t values[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		values[i] = KTSTR_US(100 - i); /* p99 = 99 us, the maximum does not count */
	workers[1].wake_latencies =
		(struct ktstr_reservoir){ .values_ns = values, .count = 100, .total_samples = 100 };
	evaluate(.max_p99_wake_latency_ns = KTSTR_SOME(KTSTR_US(99)));
	expect_pass("max_p99_wake_latency_ns", "le", "99000", "99000");
	evaluate(.max_p99_wake_latency_ns = KTSTR_SOME(KTSTR_US(99) - 1));
	expect_fail(KTSTR_DETAIL_BENCHMARK, "cgroup cg_0: p99 wake latency 99.000 us over 100 wakeups, limit "
					    "98.999 us");
	workers[1].wake_latencies = (struct ktstr_reservoir){ 0 };
	evaluate(.max_p99_wake_latency_ns = KTSTR_SOME(1));
	expect_silence();
}

static void max_throughput_cv(void **state)
{
	(void)state;
	evaluate(.max_throughput_cv = KTSTR_SOME(0));
	expect_pass("max_throughput_cv", "le", "0", "0");
	/* 1000, 1000, 1000, 3000 units per CPU second: mean 1500, deviation sqrt(750000). */
	workers[3].work_units = 2700;
	evaluate(.max_throughput_cv = KTSTR_SOME(0.5));
	expect_fail(KTSTR_DETAIL_BENCHMARK, "cgroup cg_0: throughput of 4 equal workers varies: CV 0.577 of their work "
					    "units per CPU second, limit 0.5");
	workers[3].group_idx = 1; /* other work, other units */
	evaluate(.max_throughput_cv = KTSTR_SOME(0.5));
	expect_pass("max_throughput_cv", "le", "0", "0.5");
	for (size_t i = 0; i < 3; i++)
		workers[i].work_units = 0;
	evaluate(.max_throughput_cv = KTSTR_SOME(0.5));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
		       "cgroup cg_0: max_throughput_cv cannot be told: 3 equal workers did 0 work units (limit 0.5)");
}

static void throughput_without_cpu_time_is_said_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		workers[i].cpu_time_ns = 0;
	evaluate(.max_throughput_cv = KTSTR_SOME(0.5), .min_work_rate = KTSTR_SOME(10));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
		       "cgroup cg_0: throughput cannot be told: 3600 work units over 0 ns of CPU time in all 4 workers "
		       "(limit of max_throughput_cv 0.5, floor of min_work_rate 10 per CPU second)");
}

static void max_wake_latency_cv(void **state)
{
	static uint64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9 }, zeros[2];

	(void)state;
	workers[1].wake_latencies = (struct ktstr_reservoir){ values, 8, 8 };
	evaluate(.max_wake_latency_cv = KTSTR_SOME(0.4));
	expect_pass("max_wake_latency_cv", "le", "0.4", "0.4");
	evaluate(.max_wake_latency_cv = KTSTR_SOME(0.39));
	expect_fail(KTSTR_DETAIL_BENCHMARK, "cgroup cg_0: wake latency CV 0.400 over 8 wakeups, limit 0.39");
	workers[1].wake_latencies = (struct ktstr_reservoir){ zeros, 2, 2 };
	evaluate(.max_wake_latency_cv = KTSTR_SOME(0.39));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
		       "cgroup cg_0: max_wake_latency_cv cannot be told: the mean of 2 wake latencies is 0 (limit 0.39)");
	workers[1].wake_latencies = (struct ktstr_reservoir){ values, 1, 1 };
	evaluate(.max_wake_latency_cv = KTSTR_SOME(0));
	expect_silence();
}

static void min_iteration_rate(void **state)
{
	(void)state;
	evaluate(.min_iteration_rate = KTSTR_SOME(90));
	expect_pass("min_iteration_rate", "ge", "90", "90");
	evaluate(.min_iteration_rate = KTSTR_SOME(1e12)); /* unreachable: one failure a worker */
	assert_int_equal(verdict.result.outcomes_count, 4);
	workers[2].wall_time_ns = KTSTR_SEC(2);
	workers[3].wall_time_ns = 0; /* passed over */
	evaluate(.min_iteration_rate = KTSTR_SOME(90));
	expect_fail(KTSTR_DETAIL_BENCHMARK,
		    "cgroup cg_0: worker 2 (tid 122) did 45.0 iterations per second, floor 90");
	for (size_t i = 0; i < 4; i++)
		workers[i].wall_time_ns = 0;
	evaluate(.min_iteration_rate = KTSTR_SOME(90));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
		       "cgroup cg_0: min_iteration_rate cannot be told: none of 4 workers has wall time (floor 90)");
}

static void max_migration_ratio(void **state)
{
	(void)state;
	workers[0].migration_count = 36;
	evaluate(.max_migration_ratio = KTSTR_SOME(0.1));
	expect_pass("max_migration_ratio", "le", "0.1", "0.1");
	evaluate(.max_migration_ratio = KTSTR_SOME(0.09));
	expect_fail(KTSTR_DETAIL_MIGRATION, "cgroup cg_0: 0.1000 migrations per iteration (36 over 360), limit 0.09");
	for (size_t i = 0; i < 4; i++)
		workers[i].iterations = 0;
	evaluate(.max_migration_ratio = KTSTR_SOME(0.1));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MIGRATION,
		       "cgroup cg_0: max_migration_ratio cannot be told: 36 migrations over 0 iterations (limit 0.1)");
}

/* Two nodes of two CPUs, and a third that has only memory. */
static void use_three_nodes(void)
{
	static const struct ktstr_numa_node nodes[] = {
		{ .memory_mib = 512, .llcs = 1 }, { .memory_mib = 512, .llcs = 1 }, { .memory_mib = 512, .llcs = 0 }
	};
	const struct ktstr_topology shape = { .numa_nodes = 3, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 1,
					      .nodes = nodes, .nodes_count = 3 };

	assert_null(ktstr_test_topology_from_spec(&shape, 0, &topology));
}

static void min_page_locality(void **state)
{
	struct ktstr_cpus node0 = ktstr_cpus_range(0, 2);
	struct ktstr_assert assert = { .min_page_locality = KTSTR_SOME(0.75) };

	(void)state;
	use_three_nodes();
	workers[0].numa_pages[0] = 300;
	workers[1].numa_pages[1] = 100;
	evaluate_in(&node0, assert, 4);
	expect_pass("min_page_locality", "ge", "0.75", "0.75");
	workers[1].numa_pages[2] = 1;
	evaluate_in(&node0, assert, 4);
	expect_fail(KTSTR_DETAIL_PAGE_LOCALITY,
		    "cgroup cg_0: page locality 0.748 (300 of 401 pages on local nodes), floor 0.75");
	/* Without a cpuset: where the worker itself ran. */
	workers[1].cpus_used = ktstr_cpus_range(2, 1);
	evaluate_in(NULL, assert, 4);
	expect_pass("min_page_locality", "ge", "0.9975062344139651", "0.75");
	memset(workers[0].numa_pages, 0, sizeof(workers[0].numa_pages));
	memset(workers[1].numa_pages, 0, sizeof(workers[1].numa_pages));
	evaluate_in(&node0, assert, 4); /* no page at all is a locality of 0 */
	expect_fail(KTSTR_DETAIL_PAGE_LOCALITY,
		    "cgroup cg_0: page locality 0.000 (0 of 0 pages on local nodes), floor 0.75");
}

static void max_cross_node_migration_ratio(void **state)
{
	(void)state;
	evaluate(.max_cross_node_migration_ratio = KTSTR_SOME(1));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_CROSS_NODE_MIGRATION,
		       "cgroup cg_0: max_cross_node_migration_ratio cannot be told: its workers have 0 pages (limit 1)");
	workers[0].numa_pages[0] = 50;
	evaluate(.max_cross_node_migration_ratio = KTSTR_SOME(1));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_CROSS_NODE_MIGRATION,
		       "cgroup cg_0: max_cross_node_migration_ratio cannot be told: the kernel does not count migrated "
		       "pages (limit 1)");
	/* Both are of the whole system: 60 pages moved, not 100. */
	workers[0].vmstat_numa_pages_migrated = (struct ktstr_opt_u64)KTSTR_SOME(40);
	workers[1].vmstat_numa_pages_migrated = (struct ktstr_opt_u64)KTSTR_SOME(60);
	evaluate(.max_cross_node_migration_ratio = KTSTR_SOME(1.2));
	expect_pass("max_cross_node_migration_ratio", "le", "1.2", "1.2");
	evaluate(.max_cross_node_migration_ratio = KTSTR_SOME(1.19));
	expect_fail(KTSTR_DETAIL_CROSS_NODE_MIGRATION,
		    "cgroup cg_0: the kernel moved 1.200 pages between nodes per page of 50, limit 1.19");
}

static void max_slow_tier_ratio(void **state)
{
	(void)state;
	use_three_nodes();
	evaluate(.max_slow_tier_ratio = KTSTR_SOME(0.5));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_SLOW_TIER,
		       "cgroup cg_0: max_slow_tier_ratio cannot be told: none of 4 workers has pages (limit 0.5)");
	workers[0].numa_pages[0] = 100;
	workers[2].numa_pages[1] = 50;
	workers[2].numa_pages[2] = 50;
	evaluate(.max_slow_tier_ratio = KTSTR_SOME(0.5));
	expect_pass("max_slow_tier_ratio", "le", "0.5", "0.5");
	evaluate(.max_slow_tier_ratio = KTSTR_SOME(0.49));
	expect_fail(KTSTR_DETAIL_SLOW_TIER,
		    "cgroup cg_0: worker 2 (tid 122) has 0.500 of its 100 pages on nodes without CPUs, limit 0.49");
}

static void absolute(struct ktstr_absolute_thresholds thresholds, size_t count)
{
	ktstr_assert_result_deinit(&verdict.result);
	ktstr_assert_thresholds(&thresholds, workers, count, &verdict.result);
}

static void absolute_thresholds(void **state)
{
	static uint64_t wakes[] = { 10000000 }, costs[] = { 1000001 };

	(void)state;
	absolute(KTSTR_ABSOLUTE_THRESHOLDS_STRICT, 4); /* empty reservoirs are not judged */
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	assert_int_equal(verdict.result.passes_count, 2);
	workers[0].wake_latencies = (struct ktstr_reservoir){ wakes, 1, 1 };
	workers[0].iteration_costs = (struct ktstr_reservoir){ costs, 1, 1 };
	absolute(KTSTR_ABSOLUTE_THRESHOLDS_STRICT, 4);
	expect_fail(KTSTR_DETAIL_BENCHMARK, "p99 cost of an iteration in ns: 1000001, limit 1000000");
	wakes[0]++;
	costs[0]--;
	absolute(KTSTR_ABSOLUTE_THRESHOLDS_STRICT, 4);
	expect_fail(KTSTR_DETAIL_BENCHMARK, "p99 wake latency in ns: 10000001, limit 10000000");
	workers[0].migration_count = UINT64_MAX;
	workers[1].migration_count = 5; /* the sum saturates */
	absolute((struct ktstr_absolute_thresholds){ .max_migrations = KTSTR_SOME(1000) }, 4);
	expect_fail(KTSTR_DETAIL_MIGRATION, "migrations of all workers: 18446744073709551615, limit 1000");
	workers[3].work_units = 0;
	absolute((struct ktstr_absolute_thresholds){ .min_work_units = KTSTR_SOME(1) }, 4);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS, "worker 3 (tid 123) did 0 work units, floor 1");
	absolute(KTSTR_ABSOLUTE_THRESHOLDS_STRICT, 0);
	expect_outcome(KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "absolute thresholds skipped: no worker reports");
}

static void without_workers_benchmarks_skip(void **state)
{
	(void)state;
	evaluate_in(NULL,
		    (struct ktstr_assert){ .not_stuck = true,
					   .isolation = true,
					   .min_work_rate = KTSTR_SOME(1),
					   .max_p99_wake_latency_ns = KTSTR_SOME(1) },
		    0);
	assert_int_equal(verdict.result.outcomes_count, 2);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_SKIP);
	assert_string_equal(verdict.result.outcomes[0].detail.message,
			    "cgroup cg_0: min_work_rate skipped: no worker reports");
	assert_int_equal(verdict.result.outcomes[1].detail.kind, KTSTR_DETAIL_SKIP);
	assert_int_equal(verdict.result.stats.cgroups[0].num_workers, 0);
}

static void outcomes_come_in_the_order_of_the_checks(void **state)
{
	struct ktstr_cpus none = { 0 };

	(void)state;
	workers[0].work_units = 0;
	workers[0].max_gap_ns = KTSTR_SEC(9);
	workers[0].off_cpu_ns = KTSTR_MS(900);
	evaluate_in(&none,
		    (struct ktstr_assert){ .not_stuck = true,
					   .isolation = true,
					   .min_work_rate = KTSTR_SOME(1) },
		    1 + 1);
	assert_int_equal(verdict.result.outcomes_count, 6);
	assert_int_equal(verdict.result.outcomes[0].detail.kind, KTSTR_DETAIL_NO_PROGRESS);
	assert_int_equal(verdict.result.outcomes[1].detail.kind, KTSTR_DETAIL_UNFAIR);
	assert_int_equal(verdict.result.outcomes[2].detail.kind, KTSTR_DETAIL_STUCK);
	assert_int_equal(verdict.result.outcomes[3].detail.kind, KTSTR_DETAIL_ISOLATION);
	assert_int_equal(verdict.result.outcomes[5].detail.kind, KTSTR_DETAIL_BENCHMARK);
}

static void affinity_errors_are_noted(void **state)
{
	(void)state;
	workers[1].affinity_errno = EINVAL;
	evaluate(.not_stuck = true);
	assert_int_equal(verdict.result.notes_count, 1);
	assert_string_equal(verdict.result.notes[0].message, "cgroup cg_0: worker 1 (tid 121) could not set its CPU affinity: "
					     "Invalid argument");
}

/* Declarations */

static void later_layers_win_field_by_field(void **state)
{
	struct ktstr_assert scheduler = { .not_stuck = KTSTR_ON,
					  .isolation = KTSTR_ON,
					  .max_gap_ms = KTSTR_SOME(100),
					  .min_work_rate = KTSTR_SOME(7) };
	struct ktstr_assert test = { .isolation = KTSTR_OFF,
				     .max_gap_ms = KTSTR_SOME(200),
				     .max_spread_pct = KTSTR_SOME(20) };
	struct ktstr_assert none = { 0 }, merged = ktstr_assert_merge(&scheduler, &test);

	(void)state;
	assert_int_equal(merged.not_stuck, KTSTR_ON); /* unset does not override */
	assert_int_equal(merged.isolation, KTSTR_OFF); /* off does */
	assert_int_equal(merged.max_gap_ms.value, 200);
	assert_true(merged.max_spread_pct.set && merged.max_spread_pct.value == 20);
	assert_false(merged.max_p99_wake_latency_ns.set);
	assert_true(merged.min_work_rate.set && merged.min_work_rate.value == 7);
	merged = ktstr_assert_merge(&none, &none);
	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++)
		assert_false(ktstr_member_is_set(&ktstr_assert_fields[i], &merged));
}

static void enforcing_is_never_taken_back(void **state)
{
	struct ktstr_assert on = { .enforce_monitor_thresholds = KTSTR_ON },
			    off = { .enforce_monitor_thresholds = KTSTR_OFF };

	(void)state;
	assert_int_equal(ktstr_assert_merge(&on, &off).enforce_monitor_thresholds, KTSTR_ON);
	assert_int_equal(ktstr_assert_merge(&off, &on).enforce_monitor_thresholds, KTSTR_ON);
	assert_int_equal(ktstr_assert_merge(&off, &off).enforce_monitor_thresholds, KTSTR_OFF);
}

static void monitor_defaults_fill_what_is_unset(void **state)
{
	struct ktstr_assert some = { .max_imbalance_ratio = KTSTR_SOME(9), .fail_on_rq_clock_stuck = KTSTR_OFF };
	struct ktstr_assert filled = ktstr_assert_with_monitor_defaults(&some);

	(void)state;
	assert_int_equal(filled.enforce_monitor_thresholds, KTSTR_ON);
	assert_true(filled.max_imbalance_ratio.value == 9);
	assert_int_equal(filled.fail_on_rq_clock_stuck, KTSTR_OFF);
	assert_int_equal(filled.max_local_dsq_depth.value, 50);
	assert_int_equal(filled.sustained_samples.value, 5);
	assert_true(filled.max_fallback_rate.value == 200 && filled.max_keep_last_rate.value == 100);
	assert_false(filled.max_gap_ms.set);
}

static void the_table_covers_the_whole_struct(void **state)
{
	size_t end = 0;

	(void)state;
	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++) {
		assert_true(ktstr_assert_fields[i].offset >= end);
		assert_true(ktstr_assert_fields[i].offset - end < 8); /* no member between, at most padding */
		end = ktstr_assert_fields[i].offset +
		      (ktstr_assert_fields[i].type == KTSTR_MEMBER_SWITCH ? 4 : 16);
	}
	assert_true(sizeof(struct ktstr_assert) - end < 8);
}

static void expect_invalid(struct ktstr_assert assert, const char *message)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_assert_validate(&assert);

	assert_non_null(error);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	assert_string_equal(ktstr_error_message(error), message);
}

static void senseless_thresholds_are_invalid(void **state)
{
	struct ktstr_assert good = { .not_stuck = true,
				     .max_gap_ms = KTSTR_SOME(UINT64_MAX),
				     .max_spread_pct = KTSTR_SOME(0) };

	(void)state;
	assert_null(ktstr_assert_validate(&good));
	expect_invalid((struct ktstr_assert){ .max_spread_pct = KTSTR_SOME(-1.5) },
		       "max_spread_pct: -1.5 is no threshold, it must be a finite number >= 0");
	expect_invalid((struct ktstr_assert){ .min_work_rate = KTSTR_SOME(NAN) },
		       "min_work_rate: nan is no threshold, it must be a finite number >= 0");
	expect_invalid((struct ktstr_assert){ .min_work_rate = KTSTR_SOME(INFINITY) },
		       "min_work_rate: inf is no threshold, it must be a finite number >= 0");
	expect_invalid((struct ktstr_assert){ .isolation = 3 },
		       "isolation: must be KTSTR_ON, KTSTR_OFF or unset");
}

static void printing_says_none_for_unset(void **state)
{
	struct ktstr_assert assert = { .not_stuck = KTSTR_ON,
				       .isolation = KTSTR_OFF,
				       .max_gap_ms = KTSTR_SOME(3000),
				       .max_spread_pct = KTSTR_SOME(12.5) };
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	ktstr_assert_print(&assert, out);
	fclose(out);
	assert_non_null(strstr(text, "not_stuck                      on\n"
				     "isolation                      off\n"
				     "max_gap_ms                     3000\n"
				     "max_spread_pct                 12.5\n"
				     "max_throughput_cv              none\n"));
	assert_non_null(strstr(text, "max_cross_node_migration_ratio none\n"));
}

static void thresholds_survive_json(void **state)
{
	struct ktstr_assert assert = { .not_stuck = KTSTR_ON,
				       .isolation = KTSTR_OFF,
				       .max_gap_ms = KTSTR_SOME(UINT64_MAX),
				       .max_spread_pct = KTSTR_SOME(0.1) };
	struct ktstr_assert back, empty;
	json_t *json = ktstr_assert_to_json(&assert), *nothing = json_object();

	(void)state;
	assert_true(json_is_true(json_object_get(json, "not_stuck")));
	assert_true(json_is_false(json_object_get(json, "isolation")));
	assert_true(json_is_null(json_object_get(json, "min_work_rate")));
	assert_null(ktstr_assert_from_json(json, &back));
	assert_int_equal(back.not_stuck, KTSTR_ON);
	assert_int_equal(back.isolation, KTSTR_OFF);
	assert_true(back.max_gap_ms.set && back.max_gap_ms.value == UINT64_MAX);
	assert_true(back.max_spread_pct.set && back.max_spread_pct.value == 0.1);
	assert_false(back.min_work_rate.set);
	assert_null(ktstr_assert_from_json(nothing, &empty));
	assert_int_equal(empty.not_stuck, KTSTR_UNSET);
	json_decref(json);
	json_decref(nothing);
}

static void refuse_assert(const char *text, const char *message)
{
	struct ktstr_assert assert;
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	_cleanup_error_ struct ktstr_error *error = ktstr_assert_from_json(json, &assert);

	json_decref(json);
	assert_non_null(error);
	assert_non_null(strstr(ktstr_error_message(error), message));
	assert_false(assert.max_gap_ms.set);
}

static void bad_thresholds_in_json_are_refused(void **state)
{
	(void)state;
	refuse_assert("{\"max_gap_ms\":1,\"max_spread_pct\":\"x\"}", "max_spread_pct: expected a number");
	refuse_assert("{\"max_gap_ms\":-1}", "max_gap_ms: ");
	refuse_assert("{\"max_gap_ms\":1,\"not_stuck\":1}", "not_stuck: expected true, false or null");
	refuse_assert("{\"max_gap_ms\":1,\"min_work_rate\":-1}", "min_work_rate: -1 is no threshold");
	refuse_assert("[]", "expected an object, got an array");
	refuse_assert("", "expected an object, got nothing");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_asserts_until_asked),
		TEST(not_stuck_holds),
		TEST(not_stuck_fails_without_progress),
		TEST(not_stuck_fails_for_workers_that_ended),
		TEST(not_stuck_brings_the_default_gap_limit),
		TEST(strict_limits_are_tighter),
		TEST(max_gap_alone),
		TEST(max_spread),
		TEST(spread_needs_two_equal_workers),
		TEST(isolation),
		TEST(min_work_rate),
		TEST(min_work_rate_without_cpu_time),
		TEST(max_p99_wake_latency),
		TEST(max_throughput_cv),
		TEST(throughput_without_cpu_time_is_said_once),
		TEST(max_wake_latency_cv),
		TEST(min_iteration_rate),
		TEST(max_migration_ratio),
		TEST(min_page_locality),
		TEST(max_cross_node_migration_ratio),
		TEST(max_slow_tier_ratio),
		TEST(absolute_thresholds),
		TEST(without_workers_benchmarks_skip),
		TEST(outcomes_come_in_the_order_of_the_checks),
		TEST(affinity_errors_are_noted),
		TEST(later_layers_win_field_by_field),
		TEST(enforcing_is_never_taken_back),
		TEST(monitor_defaults_fill_what_is_unset),
		TEST(the_table_covers_the_whole_struct),
		TEST(senseless_thresholds_are_invalid),
		TEST(printing_says_none_for_unset),
		TEST(thresholds_survive_json),
		TEST(bad_thresholds_in_json_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
