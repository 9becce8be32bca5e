// SPDX-License-Identifier: GPL-2.0-only
/* Statistics of cgroups and scenarios: formulas, absence of measurements, merging, JSON. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/json_util.h"
#include "check/result_json.h"
#include "check/stats_build.h"
#include "ktstr/check.h"
#include "unit.h"

#define close_to(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static struct ktstr_worker_report worker(unsigned int index, uint64_t wall_ms, uint64_t cpu_ms)
{
	struct ktstr_worker_report report = {
		.tid = 100 + (int)index,
		.index = index,
		.work_units = 10,
		.iterations = 100,
		.cpu_time_ns = KTSTR_MS(cpu_ms),
		.wall_time_ns = KTSTR_MS(wall_ms),
		.off_cpu_ns = KTSTR_MS(wall_ms - cpu_ms),
	};

	ktstr_cpus_add(&report.cpus_used, index);
	return report;
}

static const struct ktstr_cgroup_stats *add_cgroup(struct ktstr_scenario_stats *stats, const char *name,
						   const struct ktstr_worker_report *reports, size_t count)
{
	return ktstr_stats_add_cgroup(stats, &(struct ktstr_judged_cgroup){ .name = name }, reports, count);
}

static struct ktstr_reservoir reservoir(const uint64_t *values, size_t count, uint64_t total)
{
	return (struct ktstr_reservoir){ .values_ns = values, .count = count, .total_samples = total };
}

static void percentiles_of_hundred_are_nearest_rank(void **state)
{
	struct ktstr_worker_report reports[2] = { worker(0, 10, 5), worker(1, 10, 5) };
	uint64_t values[100];
	struct ktstr_sample_summary wake;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		values[i] = (i * 37 + 11) % 100 + 1; /* 1..100, shuffled */
	/* Pooling: the two halves live in different workers. */
	reports[0].wake_latencies = reservoir(values, 50, 50);
	reports[1].wake_latencies = reservoir(values + 50, 50, 50);
	wake = ktstr_reports_summarise(reports, 2, KTSTR_REPORT_WAKES);
	assert_int_equal(wake.p99, 99);
	assert_int_equal(wake.median, 50);
	assert_int_equal(wake.total, 100);
}

static void percentile_of_one_sample_is_that_sample(void **state)
{
	struct ktstr_worker_report report = worker(0, 10, 5);
	uint64_t value = 7;
	struct ktstr_sample_summary wake;

	(void)state;
	report.wake_latencies = reservoir(&value, 1, 1);
	wake = ktstr_reports_summarise(&report, 1, KTSTR_REPORT_WAKES);
	assert_int_equal(wake.p99, 7);
	assert_int_equal(wake.median, 7);
	assert_true(wake.cv.set);
	close_to(wake.cv.value, 0);
}

static void overflowed_reservoirs_weigh_by_population(void **state)
{
	struct ktstr_worker_report reports[2] = { worker(0, 10, 5), worker(1, 10, 5) };
	uint64_t busy[4] = { 1, 1, 1, 1 }, idle[4] = { 9, 9, 9, 9 };
	struct ktstr_sample_summary wake;

	(void)state;
	/* 4000 wakeups of 1 ns beside 4 of 9 ns: the 99th percentile is 1, by plain pooling 9. */
	reports[0].wake_latencies = reservoir(busy, 4, 4000);
	reports[1].wake_latencies = reservoir(idle, 4, 4);
	wake = ktstr_reports_summarise(reports, 2, KTSTR_REPORT_WAKES);
	assert_int_equal(wake.p99, 1);
	assert_int_equal(wake.median, 1);
	assert_int_equal(wake.total, 4004);
}

static void cv_is_population_deviation_over_mean(void **state)
{
	struct ktstr_worker_report report = worker(0, 10, 5);
	uint64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9 }, zeros[] = { 0, 0 };
	struct ktstr_sample_summary wake;

	(void)state;
	report.wake_latencies = reservoir(values, 8, 8);
	wake = ktstr_reports_summarise(&report, 1, KTSTR_REPORT_WAKES); /* mean 5, deviation 2 */
	close_to(wake.cv.value, 0.4);
	report.wake_latencies = reservoir(zeros, 2, 2);
	assert_false(ktstr_reports_summarise(&report, 1, KTSTR_REPORT_WAKES).cv.set);
}

static void off_cpu_and_gap_of_a_cgroup(void **state)
{
	struct ktstr_worker_report reports[3] = { worker(0, 100, 90), worker(1, 100, 50),
						  worker(2, 0, 0) };
	struct ktstr_scenario_stats stats = { 0 };
	const struct ktstr_cgroup_stats *cgroup;

	(void)state;
	reports[1].max_gap_ns = KTSTR_MS(40);
	reports[1].max_gap_cpu = 3;
	reports[0].migration_count = 30;
	cgroup = add_cgroup(&stats, "cg_0", reports, 3);
	close_to(cgroup->min_off_cpu_pct.value, 10);
	close_to(cgroup->max_off_cpu_pct.value, 50);
	close_to(cgroup->avg_off_cpu_pct.value, 30); /* the worker without wall time does not count */
	close_to(cgroup->spread.value, 40);
	close_to(cgroup->max_gap_ms, 40);
	assert_int_equal(cgroup->max_gap_cpu, 3);
	assert_int_equal(cgroup->num_workers, 3);
	assert_int_equal(cgroup->num_cpus, 3);
	close_to(cgroup->migration_ratio.value, 0.1);
	assert_int_equal(cgroup->total_cpu_time_ns, KTSTR_MS(140));
	assert_int_equal(cgroup->total_work_units, 30);
	ktstr_scenario_stats_deinit(&stats);
}

static void spread_compares_only_equal_workers(void **state)
{
	struct ktstr_worker_report reports[3] = { worker(0, 100, 90), worker(1, 100, 85),
						  worker(2, 100, 10) };
	struct ktstr_scenario_stats stats = { 0 };

	(void)state;
	reports[2].group_idx = 1;
	close_to(add_cgroup(&stats, "cg_0", reports, 3)->spread.value, 5);
	reports[1].group_idx = 2;
	assert_false(add_cgroup(&stats, "cg_1", reports, 3)->spread.set);
	ktstr_scenario_stats_deinit(&stats);
}

static void nothing_measured_is_unset_never_zero(void **state)
{
	struct ktstr_worker_report report = { .tid = 1 };
	struct ktstr_scenario_stats stats = { 0 };
	const struct ktstr_cgroup_stats *cgroup;

	(void)state;
	cgroup = add_cgroup(&stats, "cg_0", &report, 1);
	assert_false(cgroup->avg_off_cpu_pct.set);
	assert_false(cgroup->min_off_cpu_pct.set);
	assert_false(cgroup->spread.set);
	assert_false(cgroup->migration_ratio.set);
	assert_false(cgroup->p99_wake_latency_us.set);
	assert_false(cgroup->wake_latency_cv.set);
	assert_false(cgroup->mean_run_delay_us.set);
	assert_false(cgroup->worst_run_delay_us.set);
	assert_false(ktstr_cgroup_stats_iterations_per_cpu_sec(cgroup).set);
	assert_false(ktstr_cgroup_stats_wake_latency_tail_ratio(cgroup).set);
	assert_true(ktstr_cgroup_stats_iterations_per_worker(cgroup).set);
	ktstr_scenario_stats_deinit(&stats);
}

static void run_delay_takes_only_workers_with_schedstat(void **state)
{
	struct ktstr_worker_report reports[3] = { worker(0, 10, 5), worker(1, 10, 5),
						  worker(2, 10, 5) };
	struct ktstr_scenario_stats stats = { 0 };
	const struct ktstr_cgroup_stats *cgroup;

	(void)state;
	reports[0].schedstat_available = reports[1].schedstat_available = true;
	reports[0].schedstat_run_delay_ns = KTSTR_US(100);
	reports[1].schedstat_run_delay_ns = KTSTR_US(300);
	reports[2].schedstat_run_delay_ns = KTSTR_US(9000); /* unavailable: noise */
	cgroup = add_cgroup(&stats, "cg_0", reports, 3);
	close_to(cgroup->mean_run_delay_us.value, 200);
	close_to(cgroup->worst_run_delay_us.value, 300);
	ktstr_scenario_stats_deinit(&stats);
}

static void totals_fold_cgroups(void **state)
{
	struct ktstr_worker_report a[2] = { worker(0, 100, 90), worker(1, 100, 50) };
	struct ktstr_worker_report b = worker(1, 100, 90);
	struct ktstr_scenario_stats stats = { 0 };

	(void)state;
	a[0].max_gap_ns = KTSTR_MS(5);
	a[0].max_gap_cpu = 1;
	b.max_gap_ns = KTSTR_MS(9);
	b.max_gap_cpu = 6;
	b.migration_count = 50;
	add_cgroup(&stats, "a", a, 2);
	add_cgroup(&stats, "b", &b, 1);
	add_cgroup(&stats, "empty", NULL, 0);
	assert_int_equal(stats.total_workers, 3);
	assert_int_equal(stats.total_cpus, 2); /* CPU 1 served both */
	assert_int_equal(stats.total_migrations, 50);
	assert_int_equal(stats.total_iterations, 300);
	close_to(stats.worst_spread, 40);
	close_to(stats.worst_gap_ms, 9);
	assert_int_equal(stats.worst_gap_cpu, 6);
	close_to(stats.worst_migration_ratio, 0.5);
	assert_string_equal(ktstr_stats_cgroup(&stats, "b")->cgroup_name, "b");
	assert_int_equal(ktstr_stats_cgroup(&stats, "empty")->num_workers, 0);
	assert_null(ktstr_stats_cgroup(&stats, "c"));
	ktstr_scenario_stats_deinit(&stats);
}

static void totals_saturate(void **state)
{
	struct ktstr_worker_report reports[2] = { worker(0, 10, 5), worker(1, 10, 5) };
	struct ktstr_scenario_stats stats = { 0 };

	(void)state;
	reports[0].iterations = UINT64_MAX;
	assert_true(add_cgroup(&stats, "a", reports, 2)->total_iterations == UINT64_MAX);
	ktstr_scenario_stats_deinit(&stats);
}

static void merge_is_the_same_as_adding_both(void **state)
{
	struct ktstr_worker_report a = worker(0, 100, 90), b = worker(5, 100, 50);
	struct ktstr_scenario_stats left = { 0 }, right = { 0 };

	(void)state;
	b.max_gap_ns = KTSTR_MS(7);
	b.max_gap_cpu = 5;
	add_cgroup(&left, "a", &a, 1);
	add_cgroup(&right, "b", &b, 1);
	ktstr_scenario_stats_merge(&left, &right);
	assert_int_equal(left.cgroups_count, 2);
	assert_int_equal(left.total_workers, 2);
	assert_int_equal(left.total_cpus, 2);
	assert_int_equal(left.worst_gap_cpu, 5);
	assert_null(right.cgroups);
	assert_int_equal(right.total_workers, 0);
	ktstr_scenario_stats_deinit(&left);
}

static void accessors_compute_ratios(void **state)
{
	struct ktstr_cgroup_stats cgroup = {
		.num_workers = 4,
		.total_iterations = 1000,
		.total_cpu_time_ns = KTSTR_MS(500),
		.p99_wake_latency_us = KTSTR_SOME(90),
		.median_wake_latency_us = KTSTR_SOME(30),
	};

	(void)state;
	close_to(ktstr_cgroup_stats_iterations_per_worker(&cgroup).value, 250);
	close_to(ktstr_cgroup_stats_iterations_per_cpu_sec(&cgroup).value, 2000);
	close_to(ktstr_cgroup_stats_wake_latency_tail_ratio(&cgroup).value, 3);
	cgroup.median_wake_latency_us.value = 0;
	assert_false(ktstr_cgroup_stats_wake_latency_tail_ratio(&cgroup).set);
	cgroup.num_workers = 0;
	assert_false(ktstr_cgroup_stats_iterations_per_worker(&cgroup).set);
}

static void balance_ratio_needs_two_manned_cgroups(void **state)
{
	struct ktstr_cgroup_stats cgroups[3] = {
		{ .num_workers = 1, .total_iterations = 300 },
		{ .num_workers = 0 },
		{ .num_workers = 2, .total_iterations = 200 },
	};
	struct ktstr_scenario_stats stats = { .cgroups = cgroups, .cgroups_count = 2 };

	(void)state;
	assert_false(ktstr_scenario_stats_cgroup_balance_ratio(&stats).set);
	stats.cgroups_count = 3;
	close_to(ktstr_scenario_stats_cgroup_balance_ratio(&stats).value, 3);
	cgroups[2].total_iterations = 0;
	assert_true(isinf(ktstr_scenario_stats_cgroup_balance_ratio(&stats).value));
}

static void json_round_trip_keeps_everything(void **state)
{
	struct ktstr_worker_report reports[2] = { worker(0, 100, 90), worker(7, 100, 33) };
	uint64_t values[] = { 1500, 2500, 3500 };
	struct ktstr_scenario_stats stats = { 0 }, back;
	json_t *json, *again;

	(void)state;
	reports[0].wake_latencies = reservoir(values, 3, 3);
	reports[1].max_gap_ns = 123456789;
	reports[1].max_gap_cpu = 7;
	add_cgroup(&stats, "cg_0", reports, 2);
	add_cgroup(&stats, "no\xff utf-8", NULL, 0);
	stats.total_iterations = UINT64_MAX; /* beyond jansson's integers */
	json = ktstr_stats_to_json(&stats);
	assert_null(ktstr_stats_from_json(json, &back));
	assert_true(back.total_iterations == UINT64_MAX);
	assert_string_equal(back.cgroups[0].cgroup_name, "cg_0");
	assert_string_equal(back.cgroups[1].cgroup_name, "no\\xff utf-8");
	assert_true(ktstr_cpus_equal(&back.cgroups[0].cpus_used, &stats.cgroups[0].cpus_used));
	assert_false(back.cgroups[1].spread.set);
	again = ktstr_stats_to_json(&back);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	ktstr_scenario_stats_deinit(&stats);
	ktstr_scenario_stats_deinit(&back);
}

static void json_has_the_documented_keys(void **state)
{
	static const char *const keys[] = { "total_workers",	"total_cpus",	"total_migrations",
					    "total_iterations", "worst_spread", "worst_gap_ms",
					    "worst_gap_cpu",	"cgroups",	"worst_migration_ratio" };
	struct ktstr_scenario_stats stats = { .worst_spread = INFINITY };
	json_t *json;

	(void)state;
	add_cgroup(&stats, "cg_0", NULL, 0);
	json = ktstr_stats_to_json(&stats);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(json, keys[i]));
	assert_true(json_is_null(json_object_get(json, "worst_spread"))); /* no infinity in JSON */
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(json, "cgroups"), 0),
						 "p99_wake_latency_us")));
	json_decref(json);
	ktstr_scenario_stats_deinit(&stats);
}

/* Replaces one value of a good document and expects an error that names the key. */
static void refuse(const char *path, json_t *bad, const char *message)
{
	struct ktstr_worker_report report = worker(0, 10, 5);
	struct ktstr_scenario_stats stats = { 0 }, back;
	_cleanup_error_ struct ktstr_error *error = NULL;
	json_t *json, *target;

	add_cgroup(&stats, "cg_0", &report, 1);
	json = ktstr_stats_to_json(&stats);
	target = json;
	if (strncmp(path, "cg.", 3) == 0) {
		target = json_array_get(json_object_get(json, "cgroups"), 0);
		path += 3;
	}
	if (bad)
		json_object_set_new(target, path, bad);
	else
		json_object_del(target, path);
	error = ktstr_stats_from_json(json, &back);
	assert_non_null(error);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
	assert_non_null(strstr(ktstr_error_message(error), message));
	assert_null(back.cgroups);
	assert_int_equal(back.cgroups_count, 0);
	json_decref(json);
	ktstr_scenario_stats_deinit(&stats);
}

static void hostile_json_is_refused_by_key(void **state)
{
	json_t *many = json_array();
	char *huge = malloc(KTSTR_JSON_TEXT_MAX + 2);

	(void)state;
	for (int i = 0; i <= KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(many, json_null());
	memset(huge, 'x', KTSTR_JSON_TEXT_MAX + 1);
	huge[KTSTR_JSON_TEXT_MAX + 1] = 0;
	refuse("total_workers", json_integer(-1), "total_workers: expected a whole number >= 0, got -1");
	refuse("total_workers", json_real(1.5), "total_workers: ");
	refuse("total_workers", json_string("3"), "total_workers: ");
	refuse("total_cpus", NULL, "total_cpus: expected a whole number >= 0, got nothing");
	refuse("worst_gap_ms", json_true(), "worst_gap_ms: expected a number, got true");
	refuse("worst_gap_cpu", json_integer(1LL << 33), "worst_gap_cpu: ");
	refuse("cgroups", json_object(), "cgroups: expected an array, got an object");
	refuse("cgroups", NULL, "cgroups: ");
	refuse("cgroups", many, "cgroups: 100001 items");
	refuse("cg.cpus_used", json_string("0-99999"), "cgroups[0]: cpus_used: ");
	refuse("cg.cpus_used", json_string("all"), "cgroups[0]: cpus_used: ");
	refuse("cg.spread", json_string("x"), "cgroups[0]: spread: expected a number, got text");
	refuse("cg.cgroup_name", json_null(), "cgroups[0]: cgroup_name: missing");
	refuse("cg.cgroup_name", json_stringn("a\0b", 3), "cgroup_name: text contains a zero byte");
	refuse("cg.cgroup_name", json_string(huge), "cgroup_name: text of 65537 bytes");
	free(huge);
}

static void unknown_keys_are_ignored(void **state)
{
	struct ktstr_scenario_stats stats = { 0 }, back;
	json_t *json = ktstr_stats_to_json(&stats);

	(void)state;
	json_object_set_new(json, "from_the_future", json_array());
	assert_null(ktstr_stats_from_json(json, &back));
	json_decref(json);
	ktstr_scenario_stats_deinit(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_of_hundred_are_nearest_rank),
		cmocka_unit_test(percentile_of_one_sample_is_that_sample),
		cmocka_unit_test(overflowed_reservoirs_weigh_by_population),
		cmocka_unit_test(cv_is_population_deviation_over_mean),
		cmocka_unit_test(off_cpu_and_gap_of_a_cgroup),
		cmocka_unit_test(spread_compares_only_equal_workers),
		cmocka_unit_test(nothing_measured_is_unset_never_zero),
		cmocka_unit_test(run_delay_takes_only_workers_with_schedstat),
		cmocka_unit_test(totals_fold_cgroups),
		cmocka_unit_test(totals_saturate),
		cmocka_unit_test(merge_is_the_same_as_adding_both),
		cmocka_unit_test(accessors_compute_ratios),
		cmocka_unit_test(balance_ratio_needs_two_manned_cgroups),
		cmocka_unit_test(json_round_trip_keeps_everything),
		cmocka_unit_test(json_has_the_documented_keys),
		cmocka_unit_test(hostile_json_is_refused_by_key),
		cmocka_unit_test(unknown_keys_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
