// SPDX-License-Identifier: GPL-2.0-only
/* Claims: on scalars, collections, members of statistics, and that a metric became better. */
#include "check_fixture.h"
#include "ktstr/stats_claims.h"

/* Claims */

static bool holds(struct ktstr_value a, enum ktstr_comparator comparator, struct ktstr_value b)
{
	struct ktstr_assert_result one = { 0 };
	bool held;

	ktstr_claim_compare((struct ktstr_claim){ &one, "a", a }, comparator, b, ktstr_value_absent(),
			    (struct ktstr_claim_modifiers){ 0 });
	assert_int_equal(one.outcomes_count + one.passes_count, 1);
	held = one.passes_count == 1;
	ktstr_assert_result_deinit(&one);
	return held;
}

static void assert_order(struct ktstr_value a, struct ktstr_value b, int order)
{
	for (int swap = 0; swap < 2; swap++) {
		assert_int_equal(holds(a, KTSTR_CMP_lt, b), order < 0);
		assert_int_equal(holds(a, KTSTR_CMP_at_most, b), order <= 0);
		assert_int_equal(holds(a, KTSTR_CMP_eq, b), order == 0);
		assert_int_equal(holds(a, KTSTR_CMP_ne, b), order != 0);
		assert_int_equal(holds(a, KTSTR_CMP_at_least, b), order >= 0);
		assert_int_equal(holds(a, KTSTR_CMP_gt, b), order > 0);
		struct ktstr_value c = a;
		a = b;
		b = c;
		order = -order;
	}
}

static void claims_compare_by_value(void **state)
{
	unsigned long long big = 1ull << 63;

	(void)state;
	assert_order(KTSTR_VALUE(1), KTSTR_VALUE(2), -1);
	assert_order(KTSTR_VALUE(-2), KTSTR_VALUE(-1), -1);
	assert_order(KTSTR_VALUE(-1), KTSTR_VALUE(1u), -1); /* C would say greater */
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(UINT64_MAX), -1);
	assert_order(KTSTR_VALUE(INT64_MAX), KTSTR_VALUE(big), -1);
	assert_order(KTSTR_VALUE(7), KTSTR_VALUE((unsigned char)7), 0);
	assert_order(KTSTR_VALUE((_Bool)1), KTSTR_VALUE(1), 0);
	assert_order(KTSTR_VALUE(1.5), KTSTR_VALUE(1.5f), 0);
}

static void integers_and_doubles_compare_exactly(void **state)
{
	int64_t odd = (1ll << 53) + 1; /* no double has this value */

	(void)state;
	assert_order(KTSTR_VALUE(odd), KTSTR_VALUE(0x1p53), 1);
	assert_order(KTSTR_VALUE(-odd), KTSTR_VALUE(-0x1p53), -1);
	assert_order(KTSTR_VALUE(UINT64_MAX), KTSTR_VALUE(0x1p64), -1);
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(-0x1p63), 0);
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(-0x1p64), 1);
	assert_order(KTSTR_VALUE(1), KTSTR_VALUE(1.25), -1);
	assert_order(KTSTR_VALUE(-1), KTSTR_VALUE(-1.25), 1);
	assert_order(KTSTR_VALUE(0), KTSTR_VALUE(-0.0), 0);
	assert_order(KTSTR_VALUE(0u), KTSTR_VALUE(-0.5), 1);
	assert_order(KTSTR_VALUE(UINT64_MAX), KTSTR_VALUE(INFINITY), -1);
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(-INFINITY), 1);
	assert_order(KTSTR_VALUE(INFINITY), KTSTR_VALUE(INFINITY), 0);
}

static void nan_satisfies_nothing(void **state)
{
	struct ktstr_value others[] = { KTSTR_VALUE(0), KTSTR_VALUE(1u), KTSTR_VALUE(1.0),
					KTSTR_VALUE(NAN) };

	(void)state;
	for (int cmp = KTSTR_CMP_eq; cmp <= KTSTR_CMP_gt; cmp++) {
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			assert_false(holds(KTSTR_VALUE(NAN), cmp, others[i]));
			assert_false(holds(others[i], cmp, KTSTR_VALUE(NAN)));
		}
	}
}

static void claims_name_their_expression(void **state)
{
	uint64_t total_migrations = UINT64_MAX;
	double x = -NAN;

	(void)state;
	KTSTR_CLAIM(&verdict, total_migrations, at_most, -1);
	expect_fail(KTSTR_DETAIL_OTHER, "total_migrations was 18446744073709551615, expected at_most -1");
	ktstr_assert_result_deinit(&verdict.result);
	KTSTR_CLAIM(&verdict, x + 1, ne, 0.1);
	expect_fail(KTSTR_DETAIL_OTHER, "x + 1 was nan, expected ne 0.1");
	ktstr_assert_result_deinit(&verdict.result);
	assert_true(KTSTR_CLAIM(&verdict, 3, at_least, 2.5));
	assert_string_equal(verdict.result.passes[0].name, "3");
	assert_string_equal(verdict.result.passes[0].comparator, "ge");
	assert_string_equal(verdict.result.passes[0].value, "3");
	assert_string_equal(verdict.result.passes[0].expected, "2.5");
}

static bool in_vocabulary(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(KTSTR_COMPARATOR_VOCABULARY); i++)
		if (strcmp(KTSTR_COMPARATOR_VOCABULARY[i], word) == 0)
			return true;
	return false;
}

static void every_recorded_comparator_is_in_the_vocabulary(void **state)
{
	static uint64_t sample = 5;
	struct ktstr_cpus cpuset = ktstr_cpus_range(0, 4);

	(void)state;
	workers[0].wake_latencies =
		(struct ktstr_reservoir){ .values_ns = &sample, .count = 1, .total_samples = 1 };
	evaluate_in(&cpuset,
		    (struct ktstr_assert){ .not_stuck = true,
					   .isolation = true,
					   .min_work_rate = KTSTR_SOME(1),
					   .max_p99_wake_latency_ns = KTSTR_SOME(5) },
		    4);
	for (int cmp = KTSTR_CMP_eq; cmp <= KTSTR_CMP_gt; cmp++)
		for (int value = 1; value <= 3; value++)
			ktstr_claim_compare((struct ktstr_claim){ &verdict.result, "v", KTSTR_VALUE(value) }, cmp,
					    KTSTR_VALUE(2), ktstr_value_absent(), (struct ktstr_claim_modifiers){ 0 });
	assert_int_equal(verdict.result.passes_count, 6 + 2 + 2 + 1 + 1 + 1 + 2);
	for (size_t i = 0; i < verdict.result.passes_count; i++)
		assert_true(in_vocabulary(verdict.result.passes[i].comparator));
}

static bool claim_at(double value, double lo, double hi)
{
	return KTSTR_CLAIM(&verdict, value, between, lo, hi);
}

static void ranges_are_inclusive(void **state)
{
	(void)state;
	assert_true(claim_at(1, 1, 3) && claim_at(3, 1, 3) && claim_at(2, 2, 2));
	assert_string_equal(verdict.result.passes[0].comparator, "in_range");
	assert_string_equal(verdict.result.passes[0].expected, "1 and 3");
	assert_false(claim_at(3.5, 1, 3));
	expect_fail(KTSTR_DETAIL_OTHER, "value was 3.5, expected between 1 and 3");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(claim_at(2, 3, 1)); /* would hold the other way round */
	expect_fail(KTSTR_DETAIL_OTHER, "value: caller error: between 3 and 1: the range is empty");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(claim_at(NAN, -INFINITY, INFINITY));
	assert_false(claim_at(2, NAN, 3));
}

static void near_and_finite(void **state)
{
	double inf = INFINITY, nan = NAN;

	(void)state;
	assert_true(KTSTR_CLAIM(&verdict, 10.5, near, 10, 0.5));
	assert_string_equal(verdict.result.passes[0].comparator, "near_within");
	assert_true(KTSTR_CLAIM(&verdict, inf, near, INFINITY, 0));
	assert_true(KTSTR_CLAIM(&verdict, 7, is_finite));
	assert_false(KTSTR_CLAIM(&verdict, 10.51, near, 10, 0.5));
	expect_fail(KTSTR_DETAIL_OTHER, "10.51 was 10.51, expected near 10 within 0.5");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM(&verdict, 1, near, 1, -1));
	expect_fail(KTSTR_DETAIL_OTHER, "1: caller error: near 1 within -1: the tolerance must be >= 0");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM(&verdict, nan, is_finite));
	expect_fail(KTSTR_DETAIL_OTHER, "nan was nan, expected is_finite");
	assert_false(KTSTR_CLAIM(&verdict, inf, is_finite));
	assert_false(KTSTR_CLAIM(&verdict, nan, near, NAN, 1));
	assert_false(KTSTR_CLAIM(&verdict, 1, near, 1, NAN));
}

static void texts_compare_with_texts(void **state)
{
	const char *name = "cg_1", *none = NULL;

	(void)state;
	assert_true(KTSTR_CLAIM(&verdict, name, eq, "cg_1"));
	assert_true(KTSTR_CLAIM(&verdict, name, gt, "cg_0"));
	assert_false(KTSTR_CLAIM(&verdict, name, eq, 1)); /* a number is no text */
	expect_fail(KTSTR_DETAIL_OTHER, "name was cg_1, expected eq 1");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM_PRESENT(&verdict, none, ne, "x"));
	expect_fail(KTSTR_DETAIL_OTHER, "none was not measured, expected ne x");
}

static void modifiers_change_kind_and_reason(void **state)
{
	(void)state;
	KTSTR_CLAIM(&verdict, 5, at_most, 4, .kind = KTSTR_DETAIL_BENCHMARK, .because = "the service promises it");
	expect_fail(KTSTR_DETAIL_BENCHMARK, "5 was 5, expected at_most 4 (the service promises it)");
	ktstr_assert_result_deinit(&verdict.result);
	KTSTR_CLAIM(&verdict, NAN, is_finite, .kind = KTSTR_DETAIL_STUCK);
	expect_fail(KTSTR_DETAIL_STUCK, "NAN was nan, expected is_finite");
}

static void absent_values_fail_their_claim(void **state)
{
	struct ktstr_opt_f64 cv = KTSTR_SOME(0.5), none = KTSTR_NONE;

	(void)state;
	assert_true(KTSTR_CLAIM_PRESENT(&verdict, cv, lt, 1));
	assert_true(KTSTR_CLAIM(&verdict, cv, between, 0, 1)); /* an optional number is one of KTSTR_CLAIM's, too */
	assert_false(KTSTR_CLAIM_PRESENT(&verdict, none, lt, 1));
	expect_fail(KTSTR_DETAIL_OTHER, "none was not measured, expected lt 1");
	assert_false(KTSTR_CLAIM(&verdict, none, ne, 1));
	assert_false(KTSTR_CLAIM_PRESENT(&verdict, none, is_finite));
}

/* Collections */

static void sets_of_cpus(void **state)
{
	struct ktstr_cpus used = ktstr_cpus_range(2, 3), llc = ktstr_cpus_range(0, 4), none = { 0 };

	(void)state;
	assert_true(KTSTR_CLAIM_SET(&verdict, used, nonempty));
	assert_true(KTSTR_CLAIM_SET(&verdict, none, empty));
	assert_true(KTSTR_CLAIM_SET(&verdict, used, contains, 3));
	assert_true(KTSTR_CLAIM_SET(&verdict, used, len_eq, 3));
	assert_true(KTSTR_CLAIM_SET(&verdict, used, len_at_least, 3u));
	assert_true(KTSTR_CLAIM_SET(&verdict, used, len_at_most, 3));
	assert_true(KTSTR_CLAIM_SET(&verdict, used, subset_of, ktstr_cpus_range(0, 8)));
	assert_true(KTSTR_CLAIM_SET(&verdict, used, disjoint_from, ktstr_cpus_range(0, 2)));
	assert_int_equal(verdict.result.passes_count, 8);
	assert_string_equal(verdict.result.passes[2].comparator, "set_contains");
	assert_string_equal(verdict.result.passes[6].value, "{2, 3, 4}");
	assert_false(KTSTR_CLAIM_SET(&verdict, used, subset_of, &llc));
	expect_fail(KTSTR_DETAIL_OTHER, "used was {2, 3, 4}, expected subset_of {0, 1, 2, 3}: not so 4");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM_SET(&verdict, used, disjoint_from, llc, .kind = KTSTR_DETAIL_ISOLATION));
	expect_fail(KTSTR_DETAIL_ISOLATION, "used was {2, 3, 4}, expected disjoint_from {0, 1, 2, 3}: not so 2, 3");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM_SET(&verdict, used, contains, -1));
	assert_false(KTSTR_CLAIM_SET(&verdict, used, contains, 2.5));
	assert_false(KTSTR_CLAIM_SET(&verdict, used, len_eq, 2));
	assert_false(KTSTR_CLAIM_SET(&verdict, used, empty));
	assert_false(KTSTR_CLAIM_SET(&verdict, none, nonempty));
}

static void absent_sets_fail(void **state)
{
	const struct ktstr_cpus *cpuset = NULL;

	(void)state;
	assert_false(KTSTR_CLAIM_SET(&verdict, cpuset, empty));
	expect_fail(KTSTR_DETAIL_OTHER, "cpuset is absent, expected empty");
}

static void sets_count_equal_items_once(void **state)
{
	const char *names[] = { "a", "b", "a" };
	struct ktstr_items items = KTSTR_ITEMS(names, 3);

	(void)state;
	assert_true(KTSTR_CLAIM_SET(&verdict, items, len_eq, 2));
	assert_true(KTSTR_CLAIM_SEQ(&verdict, items, len_eq, 3));
	assert_true(KTSTR_CLAIM_SET(&verdict, items, subset_of, KTSTR_ITEMS(((const char *[]){ "b", "a" }), 2)));
	assert_false(KTSTR_CLAIM_SET(&verdict, items, contains, "c"));
	expect_fail(KTSTR_DETAIL_OTHER, "items was {a, b} (2), expected contains c");
}

static void sequences(void **state)
{
	uint64_t values[] = { 5, 5, 9 };
	double none[1] = { 0 };

	(void)state;
	assert_true(KTSTR_CLAIM_SEQ(&verdict, KTSTR_ITEMS(values, 3), contains, 9));
	assert_true(KTSTR_CLAIM_SEQ(&verdict, KTSTR_ITEMS(values, 3), nonempty));
	assert_true(KTSTR_CLAIM_SEQ(&verdict, KTSTR_ITEMS(none, 0), empty));
	assert_true(KTSTR_CLAIM_SEQ(&verdict, KTSTR_ITEMS(values, 3), len_at_least, 3));
	assert_true(KTSTR_CLAIM_SEQ(&verdict, KTSTR_ITEMS(values, 3), len_at_most, 3));
	assert_string_equal(verdict.result.passes[0].comparator, "sequence_contains");
	assert_string_equal(verdict.result.passes[0].value, "[5, 5, 9]");
	assert_false(KTSTR_CLAIM_SEQ(&verdict, KTSTR_ITEMS(values, 3), len_eq, 2));
	expect_fail(KTSTR_DETAIL_OTHER, "KTSTR_ITEMS(values, 3) was [5, 5, 9] (3), expected len_eq 2");
}

/* Members of statistics */

static void every_struct_has_claims_on_its_members(void **state)
{
	struct ktstr_cgroup_stats cgroup = { .cgroup_name = (char *)"cg_0", .cpus_used = ktstr_cpus_range(0, 2),
					     .p99_wake_latency_us = KTSTR_SOME(40) };
	struct ktstr_scenario_stats stats = { .total_migrations = 12, .cgroups = &cgroup, .cgroups_count = 1 };
	struct ktstr_phase_bucket bucket = { .step_index = 2, .label = (char *)"Step[1]" };
	uint64_t delays[] = { 7, 9 };
	struct ktstr_phase_cgroup_stats phase = { .run_delays_ns = { delays, 2, 2 } };
	struct ktstr_assert_result *r = &verdict.result;

	(void)state;
	assert_true(ktstr_claim_at_most(ktstr_scenario_stats_claim_total_migrations(r, &stats), 12));
	assert_string_equal(r->passes[0].name, "total_migrations");
	assert_true(ktstr_claim_lt(ktstr_cgroup_stats_claim_p99_wake_latency_us(r, &cgroup), 41));
	assert_true(ktstr_claim_eq(ktstr_cgroup_stats_claim_cgroup_name(r, &cgroup), "cg_0"));
	assert_true(ktstr_set_claim_len_eq(ktstr_cgroup_stats_claim_cpus_used(r, &cgroup), 2));
	assert_true(ktstr_seq_claim_len_eq(ktstr_scenario_stats_claim_cgroups(r, &stats), 1));
	assert_true(ktstr_claim_eq(ktstr_phase_bucket_claim_step_index(r, &bucket), 2));
	assert_true(ktstr_seq_claim_contains(ktstr_phase_cgroup_stats_claim_run_delays_ns(r, &phase), 9));
	assert_true(ktstr_claim_gt(ktstr_worker_report_claim_work_units(r, &workers[0]), 1));
	assert_false(ktstr_claim_eq(ktstr_cgroup_stats_claim_spread(r, &cgroup), 0, .kind = KTSTR_DETAIL_UNFAIR));
	expect_fail(KTSTR_DETAIL_UNFAIR, "spread was not measured, expected eq 0");
	ktstr_assert_result_deinit(r);
	/* Without schedstat in the kernel there is no run delay, not one of 0. */
	assert_false(ktstr_claim_at_most(ktstr_worker_report_claim_schedstat_run_delay_ns(r, &workers[0]), 1));
	expect_fail(KTSTR_DETAIL_OTHER, "schedstat_run_delay_ns was not measured, expected at_most 1");
}

/* Better than */

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

static void better_follows_the_registry(void **state)
{
	(void)state;
	assert_true(KTSTR_CLAIM_BETTER(&verdict, KTSTR_METRIC_ITERATION_RATE, SOME(11), SOME(10)));
	assert_true(KTSTR_CLAIM_BETTER(&verdict, "worst_spread", SOME(4), SOME(5)));
	assert_true(KTSTR_CLAIM_BETTER_BY(&verdict, "worst_spread", SOME(4), SOME(5), 0.2));
	assert_string_equal(verdict.result.passes[0].comparator, "gt");
	assert_string_equal(verdict.result.passes[1].comparator, "lt");
	assert_false(KTSTR_CLAIM_BETTER(&verdict, "worst_spread", SOME(5), SOME(5))); /* strict */
	expect_fail(KTSTR_DETAIL_OTHER, "worst_spread was 5, not better (lower) than 5 of the base");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM_BETTER_BY(&verdict, "iteration_rate", SOME(104), SOME(100), 0.05));
	expect_fail(KTSTR_DETAIL_OTHER,
		    "iteration_rate was 104, 4.00 % better (higher) than 100 of the base, expected at least 5.00 %");
	ktstr_assert_result_deinit(&verdict.result);
	assert_false(KTSTR_CLAIM_BETTER(&verdict, "worst_spread", SOME(INFINITY), SOME(5)));
	expect_fail(KTSTR_DETAIL_OTHER, "worst_spread: inf against 5 is not finite");
}

static void expect_untold(bool held, const char *message)
{
	assert_false(held);
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_OTHER, message);
	ktstr_assert_result_deinit(&verdict.result);
}

static void better_without_signal_is_inconclusive(void **state)
{
	(void)state;
	expect_untold(KTSTR_CLAIM_BETTER(&verdict, "worst_spread", NONE, SOME(1)),
		      "worst_spread cannot be compared: the candidate has no value");
	expect_untold(KTSTR_CLAIM_BETTER(&verdict, "worst_spread", SOME(1), NONE),
		      "worst_spread cannot be compared: the base has no value");
	expect_untold(KTSTR_CLAIM_BETTER(&verdict, "my_metric", SOME(1), SOME(2)),
		      "my_metric cannot be compared: it is not in the metric registry, so nobody knows which way is "
		      "better");
	expect_untold(KTSTR_CLAIM_BETTER(&verdict, "total_hardirqs", SOME(1), SOME(2)),
		      "total_hardirqs cannot be compared: neither way is better");
	expect_untold(KTSTR_CLAIM_BETTER_BY(&verdict, "worst_spread", SOME(1), SOME(0), 0.1),
		      "worst_spread cannot be compared: the base is 0: there is no relative change");
}

static void better_across_phases(void **state)
{
	struct ktstr_named_value before = { (char *)"iteration_rate", 100 }, after = { (char *)"iteration_rate", 150 };
	struct ktstr_phase_bucket buckets[] = { { .step_index = 1, .metrics = { &before, 1 } },
						{ .step_index = 2, .metrics = { &after, 1 } } };
	struct ktstr_scenario_stats stats = { .phases = { buckets, 2 } };
	struct ktstr_better_claim claim = ktstr_better_across_phases(
		&verdict.result, &stats, KTSTR_METRIC_ID("iteration_rate"), ktstr_phase_step(1), ktstr_phase_step(0));

	(void)state;
	assert_true(ktstr_better_by_at_least(claim, 0.5, (struct ktstr_claim_modifiers){ 0 }));
	assert_string_equal(verdict.result.passes[0].name, "iteration_rate of Step[1]");
	assert_false(ktstr_better_by_at_least(claim, 0.6, (struct ktstr_claim_modifiers){ 0 }));
	expect_fail(KTSTR_DETAIL_OTHER, "iteration_rate of Step[1] was 150, 50.00 % better (higher) than 100 of Step[0], "
					"expected at least 60.00 %");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(claims_compare_by_value),
		TEST(integers_and_doubles_compare_exactly),
		TEST(nan_satisfies_nothing),
		TEST(claims_name_their_expression),
		TEST(every_recorded_comparator_is_in_the_vocabulary),
		TEST(ranges_are_inclusive),
		TEST(near_and_finite),
		TEST(texts_compare_with_texts),
		TEST(modifiers_change_kind_and_reason),
		TEST(absent_values_fail_their_claim),
		TEST(sets_of_cpus),
		TEST(absent_sets_fail),
		TEST(sets_count_equal_items_once),
		TEST(sequences),
		TEST(every_struct_has_claims_on_its_members),
		TEST(better_follows_the_registry),
		TEST(better_without_signal_is_inconclusive),
		TEST(better_across_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
