// SPDX-License-Identifier: GPL-2.0-only
/* Phases: worker slices become buckets, buckets merge, and the metrics of phase and run follow from raw samples. */
#include "check_fixture.h"
#include "check/json_util.h"
#include "check/stats_build.h"
#include "ktstr/phase.h"

static struct ktstr_phase_slice slices[4];
static uint64_t wakes[2][100];

/* Two workers that live through phases 1 and 2, with 100 wakeups of 1..100 us each in both. */
static void make_slices(void)
{
	for (size_t i = 0; i < 100; i++)
		wakes[0][i] = wakes[1][i] = KTSTR_US(i + 1);
	for (size_t i = 0; i < 4; i++)
		slices[i] = (struct ktstr_phase_slice){
			.phase_epoch = (uint32_t)(i % 2) + 1,
			.cpus_used = ktstr_cpus_range((unsigned int)i / 2, 1),
			.wake_latencies = { wakes[i / 2], 100, 100 },
			.run_delay_ns = KTSTR_SOME(KTSTR_US(10 + i)),
			.wall_time_ns = KTSTR_SEC(1),
			.cpu_time_ns = KTSTR_MS(500),
			.off_cpu_ns = KTSTR_MS(400 + 100 * (i / 2)),
			.migration_count = 3,
			.iterations = 100 * (i + 1),
			.numa_pages = { 30, 10 },
			.numa_migrated = KTSTR_SOME(5 + i),
			.max_gap_ns = KTSTR_MS(i + 1),
			.max_gap_cpu = (unsigned int)i,
		};
	workers[0].phase_slices = &slices[0];
	workers[1].phase_slices = &slices[2];
	workers[0].phase_slices_count = workers[1].phase_slices_count = 2;
}

static double metric(const struct ktstr_metric_set *set, const char *name)
{
	struct ktstr_opt_f64 value = ktstr_metric_set_get(set, name);

	if (!value.set)
		fail_msg("no %s", name);
	return value.value;
}

static const struct ktstr_scenario_stats *judged(void)
{
	make_slices();
	evaluate_in(NULL, KTSTR_ASSERT_NO_OVERRIDES, 2);
	ktstr_scenario_stats_derive(&verdict.result.stats);
	return &verdict.result.stats;
}

static void slices_become_buckets(void **state)
{
	const struct ktstr_scenario_stats *stats = judged();
	const struct ktstr_phase_cgroup_stats *cgroup;

	(void)state;
	assert_int_equal(stats->phases.count, 2);
	assert_true(ktstr_scenario_stats_has_steps(stats));
	assert_string_equal(ktstr_scenario_stats_step(stats, 1)->label, "Step[1]");
	cgroup = ktstr_phase_bucket_cgroup(ktstr_scenario_stats_step(stats, 0), "cg_0");
	assert_int_equal(cgroup->num_workers, 2);
	assert_int_equal(ktstr_cpus_count(&cgroup->cpus_used), 2);
	assert_int_equal(cgroup->wake_latencies_ns.count, 200);
	assert_int_equal(cgroup->total_iterations, 100 + 300);
	assert_int_equal(cgroup->cross_node_migrated.value, 7); /* the larger of 5 and 7 */
	assert_true(cgroup->max_gap_ms == 3);
	assert_int_equal(cgroup->max_gap_cpu, 2);
	assert_true(metric(&cgroup->metrics, "p99_wake_latency_us") == 99);
	assert_true(metric(&cgroup->metrics, "median_wake_latency_us") == 50);
	assert_true(metric(&cgroup->metrics, "mean_run_delay_us") == 11);
	assert_true(metric(&cgroup->metrics, "off_cpu_spread_pct") == 10);
	assert_true(metric(&cgroup->metrics, "iterations_per_worker") == 200);
	assert_true(metric(&cgroup->metrics, "page_locality") == 1); /* without topology all nodes are local */
	assert_true(metric(&cgroup->metrics, "migration_ratio") == 6.0 / 400);
	assert_false(ktstr_metric_set_get(&cgroup->metrics, "p99_timer_latency_us").set);
	assert_null(ktstr_scenario_stats_phase(stats, 0));
}

static void slices_between_steps_are_left_out(void **state)
{
	(void)state;
	make_slices();
	slices[0].phase_epoch = 0;
	slices[2].phase_epoch = UINT32_MAX;
	evaluate_in(NULL, KTSTR_ASSERT_NO_OVERRIDES, 2);
	assert_int_equal(verdict.result.stats.phases.count, 1);
	assert_int_equal(verdict.result.stats.phases.items[0].step_index, 2);
}

static void the_run_pools_raw_samples(void **state)
{
	const struct ktstr_scenario_stats *stats;

	(void)state;
	make_slices();
	/* Phase 1 has a tail that phase 2 lacks: neither its p99 nor a mean of both is the run's. */
	for (size_t i = 0; i < 100; i++)
		wakes[1][i] = KTSTR_US(500);
	stats = judged();
	for (size_t i = 0; i < 100; i++)
		wakes[1][i] = KTSTR_US(500);
	evaluate_in(NULL, KTSTR_ASSERT_NO_OVERRIDES, 2);
	ktstr_scenario_stats_derive(&verdict.result.stats);
	assert_true(metric(&stats->ext_metrics, "worst_p99_wake_latency_us") == 500);
	assert_true(metric(&stats->ext_metrics, "worst_median_wake_latency_us") == 100); /* 200 of 1..100, 200 of 500 */
	assert_true(metric(&stats->ext_metrics, "worst_run_delay_us") == 13);
	assert_true(metric(&stats->ext_metrics, "worst_gap_ms") == 20); /* of the workers' whole life */
	assert_true(ktstr_scenario_stats_step_metric(stats, 0, "total_iterations").value == 400);
	assert_true(ktstr_scenario_stats_is_known_metric(stats, "iteration_rate"));
	assert_false(ktstr_scenario_stats_is_known_metric(stats, "nonsense"));
}

static void deriving_again_changes_nothing(void **state)
{
	const struct ktstr_scenario_stats *stats = judged();
	json_t *once = ktstr_stats_to_json(stats), *twice;

	(void)state;
	ktstr_scenario_stats_derive(&verdict.result.stats);
	twice = ktstr_stats_to_json(stats);
	assert_true(json_equal(once, twice));
	json_decref(once);
	json_decref(twice);
}

static void stripping_keeps_what_samples_came_to(void **state)
{
	const struct ktstr_scenario_stats *stats = judged();
	double p99 = metric(&stats->ext_metrics, "worst_p99_wake_latency_us");

	(void)state;
	ktstr_scenario_stats_strip(&verdict.result.stats);
	assert_true(stats->phases.items[0].per_cgroup[0].stripped);
	assert_int_equal(stats->phases.items[0].per_cgroup[0].wake_latencies_ns.count, 0);
	ktstr_scenario_stats_derive(&verdict.result.stats);
	assert_true(metric(&stats->ext_metrics, "worst_p99_wake_latency_us") == p99);
	assert_true(metric(&stats->phases.items[1].metrics, "worst_p99_wake_latency_us") == 99);
}

static void phases_survive_json(void **state)
{
	const struct ktstr_scenario_stats *stats = judged();
	struct ktstr_scenario_stats back;
	json_t *json = ktstr_stats_to_json(stats), *again;

	(void)state;
	assert_null(ktstr_stats_from_json(json, &back));
	again = ktstr_stats_to_json(&back);
	assert_true(json_equal(json, again));
	assert_int_equal(back.phases.items[0].per_cgroup[0].wake_latencies_ns.count, 200);
	ktstr_scenario_stats_deinit(&back);
	json_decref(again);
	/* As results keep them. */
	ktstr_stats_json_strip(json);
	assert_null(ktstr_stats_from_json(json, &back));
	assert_true(back.phases.items[0].per_cgroup[0].stripped);
	assert_int_equal(back.phases.items[0].per_cgroup[0].wake_latencies_ns.count, 0);
	assert_int_equal(back.phases.items[0].per_cgroup[0].wake_latencies_ns.total, 200);
	ktstr_scenario_stats_deinit(&back);
	json_decref(json);
}

static void refuse(json_t *json, const char *message)
{
	struct ktstr_scenario_stats back;
	_cleanup_error_ struct ktstr_error *error = ktstr_stats_from_json(json, &back);

	assert_non_null(error);
	if (!strstr(ktstr_error_message(error), message))
		fail_msg("%s", ktstr_error_message(error));
	assert_int_equal(back.phases.count, 0);
	json_decref(json);
}

static json_t *bucket_of(json_t *json, size_t index)
{
	return json_array_get(json_object_get(json, "phases"), index);
}

static void hostile_phases_are_refused(void **state)
{
	const struct ktstr_scenario_stats *stats = judged();
	json_t *json = ktstr_stats_to_json(stats), *cgroup;

	(void)state;
	json_object_set_new(bucket_of(json, 1), "step_index", json_integer(1));
	refuse(json, "phases[1]: step_index: 1 does not come after 1");
	json = ktstr_stats_to_json(stats);
	json_object_set_new(bucket_of(json, 0), "step_index", json_integer(70000));
	refuse(json, "phases[0]: step_index: 70000 does not fit 16 bits");
	json = ktstr_stats_to_json(stats);
	json_object_set_new(bucket_of(json, 0), "metrics", json_array());
	refuse(json, "phases[0]: metrics: expected an object, got an array");
	json = ktstr_stats_to_json(stats);
	cgroup = json_array_get(json_object_get(bucket_of(json, 0), "per_cgroup"), 0);
	json_object_set_new(json_object_get(cgroup, "wake_latencies_ns"), "total", json_integer(3));
	refuse(json, "per_cgroup[0]: wake_latencies_ns: total: 3, fewer than the 200 values");
	json = ktstr_stats_to_json(stats);
	json_object_set_new(json, "phases", json_object());
	refuse(json, "phases: expected an array, got an object");
}

/* Merging */

static struct ktstr_phase_buckets bucket(uint64_t start_ms, uint64_t end_ms, uint64_t samples, double gauge)
{
	struct ktstr_phase_buckets made = { ktstr_xcalloc(1, sizeof(*made.items)), 1 };

	made.items[0] = (struct ktstr_phase_bucket){ .step_index = 1, .start_ms = start_ms, .end_ms = end_ms,
						     .sample_count = samples };
	made.items[0].label = ktstr_xstrdup("Step[0]");
	ktstr_metric_set_put(&made.items[0].metrics, "avg_dsq_depth", gauge);
	ktstr_metric_set_put(&made.items[0].metrics, "max_dsq_depth", gauge * 2);
	ktstr_metric_set_put(&made.items[0].metrics, "total_fallback", gauge * 3);
	ktstr_metric_set_put(&made.items[0].metrics, "worst_spread", gauge * 4);
	ktstr_metric_set_put(&made.items[0].metrics, "mine", gauge);
	ktstr_metric_set_put(&made.items[0].metrics, "total_hardirqs", gauge * 10);
	ktstr_metric_set_put(&made.items[0].metrics, "total_phase_wall_sec", gauge);
	return made;
}

static void equal_phases_merge_by_kind(void **state)
{
	struct ktstr_phase_buckets a = bucket(100, 200, 1, 10), b = bucket(50, 150, 3, 2);
	const struct ktstr_phase_bucket *merged;

	(void)state;
	ktstr_phase_buckets_merge(&a, &b);
	merged = ktstr_phase_bucket_find(&a, 1);
	assert_int_equal(merged->start_ms, 50);
	assert_int_equal(merged->end_ms, 200);
	assert_int_equal(merged->sample_count, 4);
	assert_true(metric(&merged->metrics, "avg_dsq_depth") == 4); /* (10 + 3 * 2) / 4 */
	assert_true(metric(&merged->metrics, "max_dsq_depth") == 20);
	assert_true(metric(&merged->metrics, "total_fallback") == 36);
	assert_true(metric(&merged->metrics, "worst_spread") == 40); /* of the later end */
	assert_true(metric(&merged->metrics, "mine") == 4);
	assert_true(metric(&merged->metrics, "hardirq_rate") == 10); /* 120 / 12 */
	assert_int_equal(b.count, 0);
	ktstr_phase_buckets_deinit(&a);
}

static void merging_does_not_depend_on_order(void **state)
{
	static const struct {
		uint64_t start, end, samples;
		double gauge;
	} parts[] = { { 0, 10, 1, 7 }, { 5, 90, 4, 1 }, { 20, 30, 2, 30 } };
	static const size_t orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 } };
	struct ktstr_phase_buckets results[3] = { 0 };

	(void)state;
	for (size_t o = 0; o < 3; o++) {
		for (size_t i = 0; i < 3; i++) {
			size_t k = orders[o][i];
			struct ktstr_phase_buckets part = bucket(parts[k].start, parts[k].end, parts[k].samples, parts[k].gauge);

			ktstr_phase_buckets_merge(&results[o], &part);
		}
		for (size_t i = 0; i < results[0].items[0].metrics.count; i++) {
			const struct ktstr_named_value *value = &results[0].items[0].metrics.items[i];

			assert_true(fabs(metric(&results[o].items[0].metrics, value->name) - value->value) <=
				    1e-12 * fabs(value->value));
		}
	}
	for (size_t o = 0; o < 3; o++)
		ktstr_phase_buckets_deinit(&results[o]);
}

static void reservoirs_merge_by_population(void **state)
{
	uint64_t fast[4] = { 1, 1, 1, 1 }, slow[4] = { 9, 9, 9, 9 };
	struct ktstr_samples a = { 0 }, b = { 0 };
	size_t slow_ones = 0;

	(void)state;
	ktstr_samples_merge(&a, (struct ktstr_sample_view){ fast, 4, 3000 }, 8);
	ktstr_samples_merge(&a, (struct ktstr_sample_view){ slow, 4, 1000 }, 4);
	ktstr_samples_merge(&b, (struct ktstr_sample_view){ slow, 4, 1000 }, 8);
	ktstr_samples_merge(&b, (struct ktstr_sample_view){ fast, 4, 3000 }, 4);
	assert_int_equal(a.count, 4);
	assert_int_equal(a.total, 4000);
	for (size_t i = 0; i < 4; i++)
		slow_ones += a.values[i] == 9;
	assert_int_equal(slow_ones, 1); /* a quarter of the population */
	for (size_t i = 0; i < 4; i++)
		slow_ones -= b.values[i] == 9;
	assert_int_equal(slow_ones, 0); /* and the same the other way round */
	ktstr_samples_deinit(&a);
	ktstr_samples_deinit(&b);
}

static void rates_need_time_and_progress(void **state)
{
	struct ktstr_stimulus_event from = { .elapsed_ms = 100, .total_iterations = KTSTR_SOME(50) },
				    to = { .elapsed_ms = 600, .total_iterations = KTSTR_SOME(150) };

	(void)state;
	assert_true(ktstr_stimulus_rate(&from, &to).value == 200);
	to.total_iterations.value = 50;
	assert_true(ktstr_stimulus_rate(&from, &to).set && ktstr_stimulus_rate(&from, &to).value == 0);
	to.total_iterations.value = 49;
	assert_false(ktstr_stimulus_rate(&from, &to).set);
	to.total_iterations.value = 150;
	to.elapsed_ms = 100;
	assert_false(ktstr_stimulus_rate(&from, &to).set);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slices_become_buckets),
		TEST(slices_between_steps_are_left_out),
		TEST(the_run_pools_raw_samples),
		TEST(deriving_again_changes_nothing),
		TEST(stripping_keeps_what_samples_came_to),
		TEST(phases_survive_json),
		TEST(hostile_phases_are_refused),
		TEST(equal_phases_merge_by_kind),
		TEST(merging_does_not_depend_on_order),
		TEST(reservoirs_merge_by_population),
		TEST(rates_need_time_and_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
