// SPDX-License-Identifier: GPL-2.0-only
/* What samples of the runqueues say: predicates, summary, thresholds. Which runs violate is in test_vectors.c. */
#include "check_fixture.h"
#include "ktstr/monitor.h"

enum { SAMPLES = 8, CPUS = 2 };

static struct ktstr_cpu_snapshot cpus[SAMPLES][CPUS];
static struct ktstr_monitor_sample samples[SAMPLES];
static struct ktstr_monitor_series series;

/* Two busy CPUs whose clocks move, a sample every 100 ms. */
static int healthy(void **state)
{
	setup(state);
	series = (struct ktstr_monitor_series){ samples, SAMPLES, KTSTR_MS(10) };
	for (size_t i = 0; i < SAMPLES; i++) {
		for (size_t cpu = 0; cpu < CPUS; cpu++)
			cpus[i][cpu] = (struct ktstr_cpu_snapshot){ .nr_running = 2,
								    .local_dsq_depth = 1,
								    .rq_clock = 1000 * (i + 1) + cpu };
		samples[i] = (struct ktstr_monitor_sample){ .elapsed_ms = 100 * i, .cpus = cpus[i], .cpus_count = CPUS };
	}
	return 0;
}

static void judge(bool enforce)
{
	struct ktstr_monitor_thresholds thresholds = KTSTR_MONITOR_THRESHOLDS_DEFAULT;

	thresholds.enforce = enforce;
	ktstr_assert_result_deinit(&verdict.result);
	ktstr_monitor_evaluate(&thresholds, &series, &verdict.result);
}

static void a_healthy_run_passes(void **state)
{
	(void)state;
	judge(true);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	assert_int_equal(verdict.result.passes_count, 1);
	judge(false);
	assert_int_equal(verdict.result.passes_count + verdict.result.notes_count, 0);
}

static void violations_must_last(void **state)
{
	(void)state;
	for (size_t i = 1; i < 5; i++)
		cpus[i][0].nr_running = 20;
	judge(true);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS); /* four are not five */
	cpus[5][0].nr_running = 20;
	judge(true);
	expect_fail(KTSTR_DETAIL_MONITOR,
		    "monitor: nr_running imbalance reached 10.00 (limit 4) in 5 samples in a row, up to +0.5 s");
	judge(false);
	assert_int_equal(verdict.result.outcomes_count, 0);
	assert_string_equal(verdict.result.notes[0].message,
			    "monitor (report-only): nr_running imbalance reached 10.00 (limit 4) in 5 samples in a row, up "
			    "to +0.5 s");
}

static void depth_is_judged_for_each_cpu(void **state)
{
	(void)state;
	for (size_t i = 2; i < SAMPLES; i++)
		cpus[i][i % 2].local_dsq_depth = 90; /* never the same CPU twice in a row */
	judge(true);
	assert_int_equal(verdict.result.outcomes_count, 0);
	for (size_t i = 2; i < SAMPLES; i++)
		cpus[i][1].local_dsq_depth = 51;
	judge(true);
	expect_fail(KTSTR_DETAIL_MONITOR,
		    "monitor: CPU 1: local DSQ depth reached 51 (limit 50) in 6 samples in a row, up to +0.7 s");
}

static void stop_clock(size_t cpu)
{
	for (size_t i = 0; i < SAMPLES; i++)
		cpus[i][cpu].rq_clock = 77;
}

static void a_clock_that_stands_still_is_stuck(void **state)
{
	(void)state;
	stop_clock(1);
	judge(true);
	expect_fail(KTSTR_DETAIL_MONITOR, "monitor: CPU 1: its runqueue's clock stood still for 700 ms while tasks were "
					  "runnable (limit 0) in 7 samples in a row, up to +0.7 s");
	/* Idle in both of two samples: nothing has to move. */
	for (size_t i = 0; i < SAMPLES; i++)
		cpus[i][1].nr_running = 0;
	assert_false(ktstr_monitor_is_stuck(&samples[0], &samples[1], 1, 0));
	cpus[1][1].nr_running = 1;
	assert_true(ktstr_monitor_is_stuck(&samples[0], &samples[1], 1, 0));
	/* The host took its vCPU away. */
	cpus[0][1].vcpu_cpu_time_ns = (struct ktstr_opt_u64)KTSTR_SOME(KTSTR_MS(100));
	cpus[1][1].vcpu_cpu_time_ns = (struct ktstr_opt_u64)KTSTR_SOME(KTSTR_MS(105));
	assert_false(ktstr_monitor_is_stuck(&samples[0], &samples[1], 1, KTSTR_MS(10)));
	cpus[1][1].vcpu_cpu_time_ns.value = KTSTR_MS(110);
	assert_true(ktstr_monitor_is_stuck(&samples[0], &samples[1], 1, KTSTR_MS(10)));
	/* Never set up. */
	cpus[0][1].rq_clock = cpus[1][1].rq_clock = 0;
	assert_false(ktstr_monitor_is_stuck(&samples[0], &samples[1], 1, 0));
	assert_false(ktstr_monitor_is_stuck(&samples[0], &samples[1], CPUS, 0));
}

static void event_rates(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		cpus[i][0].has_events = i != 3; /* one sample without data */
		cpus[i][0].events.dispatch_keep_last.set = true;
		cpus[i][0].events.dispatch_keep_last.value = (int64_t)(20 * i);
	}
	judge(true);
	assert_int_equal(verdict.result.outcomes_count, 0); /* the gap ends the run of violations */
	cpus[3][0].has_events = true;
	judge(true);
	expect_fail(KTSTR_DETAIL_MONITOR,
		    "monitor: dispatch_keep_last reached 200 per second (limit 100) in 7 samples in a row, up to +0.7 s");
}

static void unusable_samples_tell_nothing(void **state)
{
	(void)state;
	series.count = 0;
	judge(true);
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR, "monitor: no monitor samples");
	series.count = SAMPLES;
	cpus[2][0].local_dsq_depth = 10001;
	judge(true);
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR,
		       "monitor: monitor data not yet initialized: a local DSQ depth is impossible");
	cpus[2][0].local_dsq_depth = 1;
	stop_clock(0);
	stop_clock(1);
	judge(true);
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR,
		       "monitor: monitor data not yet initialized: all runqueue clocks are equal");
	judge(false);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	assert_int_equal(verdict.result.notes_count, 1);
}

static void imbalance_of_idle_and_empty(void **state)
{
	struct ktstr_monitor_sample empty = { 0 };

	(void)state;
	assert_true(ktstr_monitor_imbalance(&empty) == 1);
	cpus[0][0].nr_running = cpus[0][1].nr_running = 0;
	assert_true(ktstr_monitor_imbalance(&samples[0]) == 0);
	cpus[0][0].nr_running = 6;
	assert_true(ktstr_monitor_imbalance(&samples[0]) == 6); /* the divisor is at least 1 */
}

static void the_summary_is_over_plausible_samples(void **state)
{
	struct ktstr_prog_sample first = { "ktstr_enqueue", 10, 1000, 0 }, last = { "ktstr_enqueue", 30, 5000, 0 };
	struct ktstr_monitor_summary summary;
	struct ktstr_metric_set set = { 0 };

	(void)state;
	cpus[1][0].local_dsq_depth = 20000;
	cpus[1][0].nr_running = 1000;
	cpus[2][0].nr_running = 8;
	samples[1].progs = &first;
	samples[7].progs = &last;
	samples[1].progs_count = samples[7].progs_count = 1;
	for (size_t i = 0; i < SAMPLES; i++) {
		cpus[i][0].has_events = cpus[i][1].has_events = true;
		cpus[i][0].events.select_cpu_fallback = (struct ktstr_opt_i64)KTSTR_SOME((int64_t)(i * i));
		cpus[i][1].events.select_cpu_fallback = (struct ktstr_opt_i64)KTSTR_SOME(5);
		cpus[i][0].schedstat = cpus[i][1].schedstat =
			(struct ktstr_rq_schedstat){ .available = true, .run_delay = 100 * i, .pcount = 2 * i };
	}
	summary = ktstr_monitor_summarise(&series);
	assert_int_equal(summary.total_samples, 8);
	assert_int_equal(summary.plausible_samples, 7);
	assert_true(summary.max_imbalance_ratio == 4);
	assert_int_equal(summary.max_local_dsq_depth, 1);
	assert_true(summary.events.total.select_cpu_fallback.value == 49);
	assert_false(summary.events.total.insert_not_owned.set);
	assert_true(summary.events.fallback_rate.value == 70); /* 49 in 0.7 s */
	assert_int_equal(summary.events.max_fallback_burst.value, 13);
	assert_int_equal(summary.schedstat.run_delay, 1400);
	assert_int_equal(summary.progs_count, 1);
	assert_true(summary.progs[0].nsecs_per_call == 200);
	ktstr_monitor_summary_metrics(&summary, &set);
	assert_true(ktstr_metric_set_get(&set, "total_run_delay_ns_per_sched").value == 50); /* 1400 / 28 */
	assert_true(ktstr_metric_set_get(&set, "total_fallback").value == 49);
	assert_false(ktstr_metric_set_get(&set, "total_keep_last").set); /* this kernel has none: absent, not 0 */
	ktstr_metric_set_deinit(&set);
	ktstr_monitor_summary_deinit(&summary);
}

static void thresholds_come_from_the_test(void **state)
{
	struct ktstr_assert assert = { .max_fallback_rate = KTSTR_SOME(1), .fail_on_rq_clock_stuck = KTSTR_OFF,
				       .enforce_monitor_thresholds = KTSTR_ON };
	struct ktstr_monitor_thresholds t = ktstr_monitor_thresholds_of(&assert);

	(void)state;
	assert_true(t.max_fallback_rate == 1 && t.max_imbalance_ratio == 4 && t.enforce);
	assert_false(t.fail_on_rq_clock_stuck);
}

static void scheduler_events_are_clean_or_not(void **state)
{
	const struct ktstr_event_count counts[] = { { "bypass_activate", 0 }, { "enq_skip_exiting", 3 },
						    { "reenq_immed", -1 } };
	const struct ktstr_opt_u64 none = KTSTR_NONE, three = KTSTR_SOME(3);

	(void)state;
	assert_true(ktstr_assert_scx_events_clean(&verdict.result, counts, 1, none));
	assert_true(ktstr_assert_scx_events_clean(&verdict.result, counts, 2, three));
	assert_false(ktstr_assert_scx_events_clean(&verdict.result, counts, 2, none));
	expect_fail(KTSTR_DETAIL_SCHEDULER_EVENT, "scheduler event enq_skip_exiting: 3, expected 0");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(ktstr_assert_scx_events_clean(&verdict.result, counts, 3, three));
	expect_fail(KTSTR_DETAIL_SCHEDULER_EVENT, "scheduler event reenq_immed: -1, expected 0 to 3");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, healthy, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_healthy_run_passes),
		TEST(violations_must_last),
		TEST(depth_is_judged_for_each_cpu),
		TEST(a_clock_that_stands_still_is_stuck),
		TEST(event_rates),
		TEST(unusable_samples_tell_nothing),
		TEST(imbalance_of_idle_and_empty),
		TEST(the_summary_is_over_plausible_samples),
		TEST(thresholds_come_from_the_test),
		TEST(scheduler_events_are_clean_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
