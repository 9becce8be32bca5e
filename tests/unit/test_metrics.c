// SPDX-License-Identifier: GPL-2.0-only
/* The metric registry: its rows, lookup, and that folds neither depend on order nor on how often they are taken. */
#include <ctype.h>

#include "check_fixture.h"
#include "check/perf_delta.h"
#include "ktstr/metric.h"

static void rows_and_constants_are_one(void **state)
{
	static const char *const constants[] = {
#define NAME_OF(ID, ...) #ID,
		KTSTR_METRICS(NAME_OF)
#undef NAME_OF
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(constants), KTSTR_METRICS_COUNT);
	for (size_t i = 0; i < KTSTR_METRICS_COUNT; i++) {
		const struct ktstr_metric_def *def = ktstr_metric_def((enum ktstr_builtin_metric)i);

		assert_int_equal(strlen(def->name), strlen(constants[i]));
		for (size_t k = 0; def->name[k]; k++)
			assert_int_equal(toupper((unsigned char)def->name[k]), constants[i][k]);
		assert_int_equal(ktstr_metric_id(def->name).builtin, i); /* and no name twice */
	}
	assert_null(ktstr_metric_def(KTSTR_METRIC_COUNT_));
}

static void rows_make_sense(void **state)
{
	(void)state;
	for (size_t i = 0; i < KTSTR_METRICS_COUNT; i++) {
		const struct ktstr_metric_def *def = ktstr_metric_def((enum ktstr_builtin_metric)i);

		assert_true(def->hidden || (def->default_abs > 0 && def->default_rel > 0));
		assert_int_equal(def->kind == KTSTR_KIND_SAMPLES, def->source != KTSTR_SOURCE_NONE);
		if (def->kind != KTSTR_KIND_RATIO)
			continue;
		/* Of sums, or it would be a ratio of averages. */
		assert_int_equal(ktstr_metric_def((enum ktstr_builtin_metric)def->numerator)->kind, KTSTR_KIND_COUNTER);
		assert_int_equal(ktstr_metric_def((enum ktstr_builtin_metric)def->denominator)->kind, KTSTR_KIND_COUNTER);
	}
}

static void names_that_are_not_registered_have_no_kind(void **state)
{
	struct ktstr_metric_id id = KTSTR_METRIC_ID("my_metric");

	(void)state;
	assert_int_equal(id.builtin, -1);
	assert_string_equal(id.name, "my_metric");
	assert_null(ktstr_metric_id_def(id));
	assert_int_equal(KTSTR_METRIC_ID(KTSTR_METRIC_STUCK_COUNT).builtin, KTSTR_METRIC_STUCK_COUNT);
	assert_string_equal(KTSTR_METRIC_ID(KTSTR_METRIC_STUCK_COUNT).name, "stuck_count");
}

static uint64_t random_state = 7;

static double draw(double below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (double)(random_state >> 11) / 0x1p53 * below;
}

static void shuffle(struct ktstr_metric_point *points, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = (size_t)draw((double)i);
		struct ktstr_metric_point swapped = points[i - 1];

		points[i - 1] = points[k];
		points[k] = swapped;
	}
}

typedef struct ktstr_opt_f64 (*fold_fn)(enum ktstr_builtin_metric metric, const struct ktstr_metric_point *points,
					size_t count);

static void no_fold_depends_on_order(void **state)
{
	static const fold_fn folds[] = { ktstr_metric_fold_captures, ktstr_metric_fold_phases, ktstr_metric_fold_runs };
	struct ktstr_metric_point points[12];

	(void)state;
	for (size_t metric = 0; metric < KTSTR_METRICS_COUNT; metric++) {
		for (size_t i = 0; i < ARRAY_SIZE(points); i++)
			points[i] = (struct ktstr_metric_point){ draw(1e9), floor(draw(5)), floor(draw(4)) };
		for (size_t f = 0; f < ARRAY_SIZE(folds); f++) {
			struct ktstr_opt_f64 first = folds[f]((enum ktstr_builtin_metric)metric, points, ARRAY_SIZE(points));

			for (int round = 0; round < 20; round++) {
				struct ktstr_opt_f64 again;

				shuffle(points, ARRAY_SIZE(points));
				again = folds[f]((enum ktstr_builtin_metric)metric, points, ARRAY_SIZE(points));
				assert_int_equal(again.set, first.set);
				assert_true(again.value == first.value); /* to the last bit */
			}
		}
	}
}

/* For each ratio of the table: phases of unequal length, folded, against the sums over all of them. */
static void rates_equal_their_recomputation(void **state)
{
	(void)state;
	for (size_t metric = 0; metric < KTSTR_METRICS_COUNT; metric++) {
		const struct ktstr_metric_def *def = ktstr_metric_def((enum ktstr_builtin_metric)metric);
		struct ktstr_metric_set sets[5] = { 0 }, folded;
		struct ktstr_metric_run runs[5];
		const char *over, *under;
		double sum = 0, total = 0;

		if (def->kind != KTSTR_KIND_RATIO)
			continue;
		over = ktstr_metric_def((enum ktstr_builtin_metric)def->numerator)->name;
		under = ktstr_metric_def((enum ktstr_builtin_metric)def->denominator)->name;
		for (size_t i = 0; i < 5; i++) {
			double n = floor(draw(1e6)), d = floor(draw(1000)) + 1;

			ktstr_metric_set_put(&sets[i], over, n);
			ktstr_metric_set_put(&sets[i], under, d);
			ktstr_metric_set_derive(&sets[i]);
			runs[i] = (struct ktstr_metric_run){ &sets[i], (double)i };
			sum += n;
			total += d;
		}
		folded = ktstr_metric_fold_run_sets(runs, 5);
		assert_true(fabs(ktstr_metric_set_get(&folded, def->name).value - sum / total) <= 1e-12 * (sum / total));
		/* Parts of one run, merged one after the other. */
		for (size_t i = 1; i < 5; i++)
			ktstr_metric_set_merge(&sets[0], &sets[i]);
		assert_true(ktstr_metric_set_get(&sets[0], def->name).value ==
			    ktstr_metric_set_get(&folded, def->name).value);
		ktstr_metric_set_deinit(&sets[0]);
		ktstr_metric_set_deinit(&folded);
	}
}

static void a_ratio_without_a_denominator_is_absent(void **state)
{
	struct ktstr_metric_set set = { 0 };

	(void)state;
	ktstr_metric_set_put(&set, "total_phase_iterations", 5);
	ktstr_metric_set_put(&set, "total_phase_duration_sec", 0);
	ktstr_metric_set_put(&set, "iteration_rate", 99); /* of other parts */
	ktstr_metric_set_put(&set, "worst_gap_ms", NAN);
	ktstr_metric_set_derive(&set);
	assert_false(ktstr_metric_set_get(&set, "iteration_rate").set);
	assert_false(ktstr_metric_set_get(&set, "worst_gap_ms").set);
	assert_int_equal(set.count, 2);
	ktstr_metric_set_deinit(&set);
}

static void expect_bad(struct ktstr_perf_delta_assertion assertion, const char *message)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_perf_delta_assertion_validate(&assertion);

	assert_non_null(error);
	assert_string_equal(ktstr_error_message(error), message);
}

static void perf_delta_assertions_are_checked(void **state)
{
	struct ktstr_perf_delta_assertion plain = { .metric = "iteration_rate" },
					  own = { .metric = "mine", .direction = KTSTR_LOWER_BETTER, .phase = KTSTR_SOME(2) };

	(void)state;
	assert_null(ktstr_perf_delta_assertion_validate(&plain));
	assert_null(ktstr_perf_delta_assertion_validate(&own));
	expect_bad((struct ktstr_perf_delta_assertion){ 0 }, ".metric is missing");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "mine" },
		   "mine is not in the metric registry (`ktstr stats list-metrics`): set .direction");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "stuck_count", .max_regression_pct = KTSTR_SOME(-1) },
		   "stuck_count: .max_regression_pct is -1, it must be a finite number >= 0");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "stuck_count", .min_abs = KTSTR_SOME(NAN) },
		   "stuck_count: .min_abs is nan, it must be a finite number >= 0");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "stuck_count", .direction = KTSTR_TARGET_VALUE(INFINITY) },
		   "stuck_count: the target of .direction must be finite");
	/* What could never fail. */
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "total_hardirqs" },
		   "total_hardirqs: an informational metric has no worse, and could never fail: set .direction");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "total_phase_iterations", .direction = KTSTR_HIGHER_BETTER },
		   "total_phase_iterations is a component of other metrics, which are compared instead");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "rps_p50" }, "rps_p50 exists in phases only: set .phase");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "rps_p50_whole", .phase = KTSTR_SOME(1) },
		   "rps_p50_whole exists for whole runs only: leave .phase out");
	expect_bad((struct ktstr_perf_delta_assertion){ .metric = "stuck_count", .phase = KTSTR_SOME(70000) },
		   "stuck_count: .phase is 70000, the last one is 65535");
}

static void perf_delta_assertions_survive_json(void **state)
{
	static const char *const bad[] = { "{}", "[{}]", "[{\"metric\":1}]", "[{\"metric\":\"x\",\"direction\":\"up\"}]",
					   "[{\"metric\":\"x\",\"min_abs\":\"1\"}]", "[{\"metric\":\"x\",\"phase\":-1}]" };
	json_t *json = json_pack("{so}", "perf_delta_assertions",
				 ktstr_perf_delta_to_json(KTSTR_PERF_DELTA_ASSERTIONS(
					 { "iteration_rate", .max_regression_pct = KTSTR_SOME(5), .phase = KTSTR_SOME(0) },
					 { "mine", .direction = KTSTR_TARGET_VALUE(2.5), .min_abs = KTSTR_SOME(1) })));
	json_t *clean;

	(void)state;
	assert_null(ktstr_perf_delta_clean(json, &clean));
	assert_true(json_equal(clean, json_object_get(json, "perf_delta_assertions")));
	assert_true(json_is_null(json_object_get(json_array_get(clean, 0), "direction")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(clean, 0), "phase")), 0);
	assert_true(json_real_value(json_object_get(json_array_get(clean, 1), "target")) == 2.5);
	json_decref(clean);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ktstr_error *error;

		json_object_set_new(json, "perf_delta_assertions", json_loads(bad[i], 0, NULL));
		error = ktstr_perf_delta_clean(json, &clean);
		if (!error)
			fail_msg("read: %s", bad[i]);
		ktstr_error_free(error);
	}
	json_decref(json);
}

static void gates_can_be_replaced(void **state)
{
	const struct ktstr_metric_def *def = ktstr_metric_def(KTSTR_METRIC_WORST_SPREAD);
	struct ktstr_metric_gates tight = { .abs = KTSTR_SOME(0.5), .rel = KTSTR_SOME(0.01) };

	(void)state;
	assert_int_equal(ktstr_metric_compare(def, 10, 11, NULL), KTSTR_CHANGE_NONE);
	assert_int_equal(ktstr_metric_compare(def, 10, 11, &tight), KTSTR_CHANGE_WORSE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_and_constants_are_one),
		TEST(rows_make_sense),
		TEST(names_that_are_not_registered_have_no_kind),
		TEST(no_fold_depends_on_order),
		TEST(rates_equal_their_recomputation),
		TEST(a_ratio_without_a_denominator_is_absent),
		TEST(perf_delta_assertions_are_checked),
		TEST(perf_delta_assertions_survive_json),
		TEST(gates_can_be_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
