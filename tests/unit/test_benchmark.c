// SPDX-License-Identifier: GPL-2.0-only
/* Histograms, pooled statistics, and short runs of the benchmarks on this host. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "ktstr/benchmark.h"
#include "ktstr/work.h"
#include "unit.h"

static void test_small_values_are_exact(void **state)
{
	struct ktstr_histogram *histogram = calloc(1, sizeof(*histogram));

	(void)state;
	for (uint32_t value = 1; value <= 511; value++)
		ktstr_histogram_record(histogram, value);
	assert_int_equal(histogram->samples, 511);
	assert_int_equal(ktstr_histogram_percentile(histogram, 0).value, 1);
	assert_int_equal(ktstr_histogram_percentile(histogram, 50).value, 256);
	assert_int_equal(ktstr_histogram_percentile(histogram, 99).value, 506);
	assert_int_equal(ktstr_histogram_percentile(histogram, 100).value, 511);
	free(histogram);
}

static void test_large_values_are_near(void **state)
{
	struct ktstr_histogram *histogram = calloc(1, sizeof(*histogram));

	(void)state;
	for (uint64_t value = 512; value < UINT32_MAX; value = value * 5 / 4) {
		uint64_t shown;

		memset(histogram, 0, sizeof(*histogram));
		ktstr_histogram_record(histogram, (uint32_t)value);
		shown = ktstr_histogram_percentile(histogram, 50).value;
		/* The last bucket takes all that lies beyond 2^26. */
		if (value < UINT32_C(1) << 26)
			assert_true(shown <= value + value / 256 && shown + value / 256 >= value);
		assert_int_equal(ktstr_histogram_percentile(histogram, 100).value, value);
	}
	free(histogram);
}

static int by_value(const void *a, const void *b)
{
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : *(const uint32_t *)a > *(const uint32_t *)b;
}

/*
 * Percentiles computed in another way: sort all values, take the one at ceil(p * n). Ours is the middle of the bucket that
 * holds it, at most 1/512 off above 511.
 */
static void test_percentiles_agree_with_sorting(void **state)
{
	enum { SAMPLES = 20000 };
	static const double pcts[] = { 20, 50, 90, 99, 99.9 };
	struct ktstr_histogram *histogram = ktstr_xcalloc(1, sizeof(*histogram));
	uint32_t *values = ktstr_xcalloc(SAMPLES, sizeof(*values));
	struct ktstr_random random = ktstr_random_seeded(11);

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		/* Over five decades, as latencies are: a uniform exponent. */
		values[i] = (uint32_t)exp2((double)(ktstr_random_next(&random) % 20000) / 1000);
		ktstr_histogram_record(histogram, values[i]);
	}
	qsort(values, SAMPLES, sizeof(*values), by_value);
	for (size_t i = 0; i < sizeof(pcts) / sizeof(pcts[0]); i++) {
		double exact = values[(size_t)ceil(pcts[i] / 100 * SAMPLES) - 1];
		double ours = (double)ktstr_histogram_percentile(histogram, pcts[i]).value;

		assert_true(fabs(ours - exact) <= (exact < 512 ? 0 : exact / 512 + 1));
	}
	free(values);
	free(histogram);
}

static void test_an_empty_histogram_has_no_percentiles(void **state)
{
	struct ktstr_histogram *histogram = calloc(1, sizeof(*histogram));

	(void)state;
	assert_false(ktstr_histogram_percentile(histogram, 0).set);
	assert_false(ktstr_histogram_percentile(histogram, 50).set);
	assert_false(ktstr_histogram_percentile(histogram, 100).set);
	free(histogram);
}

static void test_merged_histograms_are_one(void **state)
{
	struct ktstr_histogram *parts = calloc(4, sizeof(*parts));

	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		ktstr_histogram_record(&parts[i % 2], i * 7 % 4001 + 5);
		ktstr_histogram_record(&parts[2], i * 7 % 4001 + 5);
	}
	ktstr_histogram_merge(&parts[0], &parts[3]); /* an empty one takes nothing away from min */
	ktstr_histogram_merge(&parts[0], &parts[1]);
	assert_memory_equal(&parts[0], &parts[2], sizeof(parts[0]));
	free(parts);
}

/* Metrics by name, as a caller would keep them. */
struct kept {
	const char *wanted;
	double value;
	unsigned int hits, total;
};

static void keep(void *context, const char *name, double value)
{
	struct kept *kept = context;

	kept->total++;
	if (strcmp(name, kept->wanted))
		return;
	kept->value = value;
	kept->hits++;
}

static void test_metrics_without_signal_are_absent(void **state)
{
	struct ktstr_schbench_stats *schbench = calloc(1, sizeof(*schbench));
	struct ktstr_taobench_stats *taobench = calloc(1, sizeof(*taobench));
	struct kept kept = { .wanted = "wakeup_p99_latency_us_whole" };

	(void)state;
	ktstr_schbench_metrics(schbench, true, keep, &kept);
	assert_int_equal(kept.hits, 0);
	assert_int_equal(kept.total, 1); /* total_schbench_loops: nothing was done, and that is known */
	kept = (struct kept){ .wanted = "taobench_hit_ratio" };
	ktstr_taobench_metrics(taobench, false, keep, &kept);
	assert_int_equal(kept.total, 0);
	ktstr_histogram_record(&schbench->wakeup_us, 17);
	schbench->worker = (struct ktstr_run_delay){ .delay_ns = 6000, .pcount = 3 };
	kept = (struct kept){ .wanted = "wakeup_p99_latency_us_whole" };
	ktstr_schbench_metrics(schbench, true, keep, &kept);
	assert_float_equal(kept.value, 17, 0);
	kept = (struct kept){ .wanted = "sched_delay_worker_us" };
	ktstr_schbench_metrics(schbench, false, keep, &kept);
	assert_float_equal(kept.value, 2, 1e-9);
	free(schbench);
	free(taobench);
}

static void test_taobench_counters_saturate(void **state)
{
	struct ktstr_taobench_stats *sum = calloc(2, sizeof(*sum));

	(void)state;
	sum[0] = (struct ktstr_taobench_stats){ .fast_ops = UINT64_MAX - 1, .elapsed_ns = 5 };
	sum[1] = (struct ktstr_taobench_stats){ .fast_ops = 7, .slow_ops = 1, .elapsed_ns = 3 };
	ktstr_taobench_stats_merge(&sum[0], &sum[1]);
	assert_true(sum[0].fast_ops == UINT64_MAX);
	assert_int_equal(sum[0].slow_ops, 1);
	assert_int_equal(sum[0].elapsed_ns, 5);
	free(sum);
}

static struct ktstr_workload_handle *run_one(struct ktstr_work_type type, uint64_t duration_ns,
					     const struct ktstr_worker_report **report)
{
	const struct ktstr_work_spec spec = { .type = type, .workers = 1 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .seed = 3 };
	struct ktstr_workload_handle *handle;
	size_t count;

	assert_null(ktstr_workload_spawn(&config, &handle));
	assert_null(ktstr_workload_start(handle));
	ktstr_sleep_ns(duration_ns);
	*report = ktstr_workload_stop_and_collect(handle, &count);
	assert_int_equal(count, 1);
	assert_int_equal((*report)->exit, KTSTR_WORKER_COMPLETED);
	return handle;
}

static void test_schbench_serves_requests(void **state)
{
	const struct ktstr_worker_report *report;
	struct ktstr_workload_handle *handle =
		run_one(KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 16), KTSTR_MS(1300), &report);

	(void)state;
	assert_non_null(report->schbench);
	assert_null(report->taobench);
	assert_true(report->schbench->loop_count > 0);
	assert_int_equal(report->work_units, report->schbench->loop_count);
	assert_int_equal(report->schbench->request_us.samples, report->schbench->loop_count);
	assert_true(report->schbench->wakeup_us.samples > 0);
	assert_true(report->schbench->rps.samples >= 1);
	/* A request sleeps 100 us before it computes. */
	assert_true(ktstr_histogram_percentile(&report->schbench->request_us, 0).value >= 100);
	ktstr_workload_destroy(handle);
}

static void test_schbench_keeps_a_rate(void **state)
{
	const struct ktstr_worker_report *report;
	struct ktstr_workload_handle *handle =
		run_one(KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 4, .requests_per_sec = 40), KTSTR_MS(1500),
			&report);

	(void)state;
	/* 40 at once, 40 after a second, some perhaps cut off by the stop: never as many as unpaced workers do. */
	assert_in_range(report->schbench->loop_count, 40, 80);
	ktstr_workload_destroy(handle);
}

static void test_schbench_modes(void **state)
{
	const struct ktstr_work_type modes[] = {
		KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 16, .split_percent = KTSTR_SOME(50)),
		KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 16, .skip_locking = true, .message_threads = 2),
		KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 16, .auto_rps = 50),
		KTSTR_WORK(SCHBENCH, .pipe_transfer_bytes = 4096),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct ktstr_worker_report *report;
		struct ktstr_workload_handle *handle = run_one(modes[i], KTSTR_MS(300), &report);

		assert_true(report->schbench->loop_count > 0);
		assert_int_equal(report->schbench->transfer_bytes > 0, i == 3);
		ktstr_workload_destroy(handle);
	}
}

static void test_taobench_hits_as_told(void **state)
{
	const struct ktstr_worker_report *report;
	struct ktstr_workload_handle *handle = run_one(
		KTSTR_WORK(TAOBENCH, .cache_capacity_mib = 16, .slow_path_sleep_us = 20), KTSTR_MS(800), &report);
	const struct ktstr_taobench_stats *stats = report->taobench;

	(void)state;
	assert_non_null(stats);
	assert_true(stats->fast_ops > 0 && stats->slow_ops > 0);
	assert_int_equal(report->work_units, stats->fast_ops + stats->slow_ops);
	assert_true(stats->get_cmds >= stats->fast_ops + stats->slow_ops);
	assert_true(ktstr_taobench_hit_ratio(stats).value > 0.80);
	assert_true(ktstr_taobench_hit_ratio(stats).value < 0.97);
	assert_int_equal(stats->serve_us.samples, 0); /* a closed loop has no arrivals */
	ktstr_workload_destroy(handle);
}

static void test_taobench_open_loop(void **state)
{
	const struct ktstr_worker_report *report;
	struct ktstr_workload_handle *handle =
		run_one(KTSTR_WORK(TAOBENCH, .cache_capacity_mib = 1, .arrival_rate = 200, .slow_path_sleep_us = 50,
				   .slow_path_p99_us = 5000),
			KTSTR_MS(700), &report);

	(void)state;
	assert_true(report->taobench->serve_us.samples > 0);
	assert_true(report->taobench->get_cmds <= 200);
	ktstr_workload_destroy(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_large_values_are_near),
		cmocka_unit_test(test_percentiles_agree_with_sorting),
		cmocka_unit_test(test_an_empty_histogram_has_no_percentiles),
		cmocka_unit_test(test_merged_histograms_are_one),
		cmocka_unit_test(test_metrics_without_signal_are_absent),
		cmocka_unit_test(test_taobench_counters_saturate),
		cmocka_unit_test(test_schbench_serves_requests),
		cmocka_unit_test(test_schbench_keeps_a_rate),
		cmocka_unit_test(test_schbench_modes),
		cmocka_unit_test(test_taobench_hits_as_told),
		cmocka_unit_test(test_taobench_open_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
