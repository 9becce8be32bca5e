// SPDX-License-Identifier: GPL-2.0-only
/* Temporal patterns and reducers: what they say, and their edges. The bulk of their rules is in test_vectors.c. */
#include "check_fixture.h"
#include "ktstr/temporal.h"

/* A series of up to eight rows, ms 100, 200, ...; three rows a phase. */
static double values[8];
static char *errors[8];
static struct ktstr_opt_u64 times[8];
static struct ktstr_opt_u32 phases[8];
static const char *tags[8] = { "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7" };
static struct ktstr_series_f64 depth = { .label = (char *)"depth", .tags = tags, .values = values, .errors = errors,
					 .elapsed_ms = times, .phases = phases };

static void fill(size_t count, const double *from)
{
	ktstr_assert_result_deinit(&verdict.result);
	depth.count = count;
	for (size_t i = 0; i < count; i++) {
		values[i] = from[i];
		errors[i] = NULL;
		times[i] = (struct ktstr_opt_u64)KTSTR_SOME(100 * (i + 1));
		phases[i] = (struct ktstr_opt_u32)KTSTR_SOME((uint32_t)i / 3);
	}
}

#define FILL(...) fill(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), (double[]){ __VA_ARGS__ })

static void expect_note(size_t index, const char *message)
{
	assert_true(verdict.result.notes_count > index);
	assert_string_equal(verdict.result.notes[index].message, message);
}

static void order_names_the_place(void **state)
{
	(void)state;
	FILL(1, 2, 2, 3);
	assert_true(KTSTR_CLAIM_SERIES(&verdict, &depth, nondecreasing));
	assert_string_equal(verdict.result.passes[0].name, "depth nondecreasing");
	assert_string_equal(verdict.result.passes[0].comparator, "ge");
	assert_string_equal(verdict.result.passes[0].value, "3 judged");
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, strictly_increasing));
	expect_fail(KTSTR_DETAIL_TEMPORAL, "depth: not strictly_increasing in 1 place: 2 -> 2 in p2 at 300 ms");
}

static void rows_without_a_value_become_notes(void **state)
{
	(void)state;
	FILL(1, 0, 2);
	errors[1] = (char *)"map not found";
	assert_true(KTSTR_CLAIM_SERIES(&verdict, &depth, nondecreasing)); /* no pair is left */
	assert_int_equal(verdict.result.passes_count, 0);
	expect_note(0, "depth: no value in p1 at 200 ms: map not found");
	expect_note(1, "depth: nondecreasing claims nothing: not enough samples");
}

static void a_series_without_columns_is_fine(void **state)
{
	struct ktstr_series_f64 bare = { .count = 2, .values = values };

	(void)state;
	FILL(5, 4);
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &bare, nondecreasing));
	expect_fail(KTSTR_DETAIL_TEMPORAL, "&bare: not nondecreasing in 1 place: 5 -> 4 in #1");
	ktstr_assert_result_deinit(&verdict.result);
	assert_true(KTSTR_CLAIM_SERIES(&verdict, &bare, rate_within, 0, 1)); /* nobody knows when */
	expect_note(0, "&bare: no time for #0");
}

static void counters_are_compared_exactly(void **state)
{
	uint64_t counts[] = { (1ull << 53) + 1, 1ull << 53 }; /* equal as doubles */
	struct ktstr_series_u64 counter = { .count = 2, .values = counts };

	(void)state;
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &counter, nondecreasing));
}

static void caller_errors_fail(void **state)
{
	struct ktstr_series_f64 shorter = depth;

	(void)state;
	FILL(1, 1, 1);
	shorter = depth;
	shorter.count = 2;
	KTSTR_CLAIM_SERIES(&verdict, &depth, rate_within, 1, 0);
	KTSTR_CLAIM_SERIES(&verdict, &depth, steady_within, 0, -1);
	KTSTR_CLAIM_SERIES(&verdict, &depth, converges_to, 1, NAN, 900);
	KTSTR_CLAIM_SERIES(&verdict, &depth, ratio_within, KTSTR_SERIES_VIEW(&shorter), 0, 1);
	KTSTR_CLAIM_SERIES(&verdict, &depth, ratio_within, KTSTR_SERIES_VIEW(&depth), 2, 1);
	assert_int_equal(verdict.result.outcomes_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(verdict.result.outcomes[i].kind, KTSTR_OUTCOME_FAIL);
		assert_int_equal(verdict.result.outcomes[i].detail.kind, KTSTR_DETAIL_TEMPORAL);
		assert_non_null(strstr(verdict.result.outcomes[i].detail.message, "caller error"));
	}
}

/* All samples NaN: a pattern that judges values fails; one that drops what is not finite has nothing left, and says so. */
static void nan_passes_no_pattern(void **state)
{
	(void)state;
	FILL(NAN, NAN, NAN, NAN, NAN, NAN);
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, nondecreasing));
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, strictly_increasing));
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, rate_within, -1e9, 1e9));
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, converges_to, 0, 1e9, 1000));
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, ratio_within, KTSTR_SERIES_VIEW(&depth), -1e9, 1e9));
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, ratio_across_phases, 0, 1, 1e9));
	assert_int_equal(verdict.result.passes_count, 0);
}

static void convergence_names_what_interrupted_it(void **state)
{
	(void)state;
	FILL(9, 5, 5, 0, 5, 5);
	errors[3] = (char *)"frozen";
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, converges_to, 5, 0.5, 600));
	expect_fail(KTSTR_DETAIL_TEMPORAL,
		    "depth: does not converge to 5 within 0.5 by 600 ms: at most 2 samples in a row did, 3 are needed "
		    "(interrupted by p3 at 400 ms: frozen)");
	FILL(9, 5, 5, 5, 9);
	assert_true(KTSTR_CLAIM_SERIES(&verdict, &depth, converges_to, 5, 0.5, 400));
	FILL(9, 5, 5, 5, 9);
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, converges_to, 5, 0.5, 399)); /* the third is too late */
}

static void a_ratio_over_phases_is_noted(void **state)
{
	(void)state;
	FILL(9, 9, 4, 1, 1, 6);
	assert_true(KTSTR_CLAIM_SERIES(&verdict, &depth, ratio_across_phases, 0, 1, 1.5));
	expect_note(0, "depth: Step[0] / BASELINE is 1.5");
	assert_false(KTSTR_CLAIM_SERIES(&verdict, &depth, ratio_across_phases, 0, 1, 1.4));
	expect_fail(KTSTR_DETAIL_TEMPORAL, "depth: not ratio_across_phases in 1 place: Step[0] 6 / BASELINE 4 is 1.5, "
					   "allowed at most 1.4");
}

static void each_lists_every_offender(void **state)
{
	(void)state;
	FILL(1, 60, NAN, 0, 70);
	errors[3] = (char *)"lost";
	assert_false(KTSTR_CLAIM_EACH(&verdict, &depth, at_most, 50, .kind = KTSTR_DETAIL_MONITOR, .because = "it overflows"));
	expect_fail(KTSTR_DETAIL_MONITOR, "depth: 4 of 5 samples are not at_most 50: p1 at 200 ms: 60; p2 at 300 ms: nan; p3 at "
					  "400 ms: lost; p4 at 500 ms: 70 (it overflows)");
	FILL(1, 2);
	assert_true(KTSTR_CLAIM_EACH(&verdict, &depth, between, 1, 2));
	assert_string_equal(verdict.result.passes[0].value, "2 samples");
	fill(0, NULL);
	assert_true(KTSTR_CLAIM_EACH(&verdict, &depth, at_least, 1));
	expect_note(0, "depth: each at_least claims nothing: no samples");
}

/* Reducers */

static void reducers_take_good_values_of_each_phase(void **state)
{
	struct ktstr_series_view view;
	struct ktstr_phase_map first, last, deltas, peaks, none;

	(void)state;
	FILL(5, 7, 9, 100, 40, NAN, 3);
	errors[0] = (char *)"lost";
	view = KTSTR_SERIES_VIEW(&depth);
	first = ktstr_series_first_per_phase(view);
	last = ktstr_series_last_per_phase(view);
	deltas = ktstr_series_counter_delta_per_phase(view, &verdict.result);
	peaks = ktstr_series_aggregate_by_phase(view, ktstr_metric_id("worst_gap_ms"));
	none = ktstr_series_aggregate_by_phase(view, ktstr_metric_id("mine"));
	assert_int_equal(first.count, 3);
	assert_true(first.items[0].value == 7 && last.items[0].value == 9);
	assert_true(ktstr_phase_map_get(&last, 1).value == 40); /* NaN is none */
	assert_true(ktstr_series_value_at_phase(view, 2).value == 3);
	assert_false(ktstr_series_value_at_phase(view, 3).set);
	assert_int_equal(deltas.count, 2); /* one value has no delta */
	assert_true(deltas.items[0].value == 2 && deltas.items[1].value == 0);
	expect_note(0, "depth: warning: went backward in Step[0], by 60; its delta is taken as 0");
	assert_true(peaks.items[0].value == 9 && peaks.items[1].value == 100 && peaks.items[2].value == 3);
	assert_int_equal(none.count, 0); /* nothing is aggregated by guess */
	ktstr_phase_map_deinit(&first);
	ktstr_phase_map_deinit(&last);
	ktstr_phase_map_deinit(&deltas);
	ktstr_phase_map_deinit(&peaks);
}

static void phase_maps_combine(void **state)
{
	struct ktstr_phase_map a = { 0 }, b = { 0 }, fractions;
	struct ktstr_phase_pairs pairs;
	struct ktstr_frac_pair frac = { &a, &b };

	(void)state;
	ktstr_phase_map_set(&a, 3, 30);
	ktstr_phase_map_set(&a, 1, 10);
	ktstr_phase_map_set(&a, 2, 0);
	ktstr_phase_map_set(&a, 1, 15);
	ktstr_phase_map_set(&b, 1, 5);
	ktstr_phase_map_set(&b, 2, 0);
	ktstr_phase_map_set(&b, 4, 1);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.items[0].phase, 1);
	pairs = ktstr_phase_map_zip(&a, &b);
	assert_int_equal(pairs.count, 2); /* what both have */
	assert_true(pairs.items[0].a == 15 && pairs.items[0].b == 5);
	fractions = ktstr_frac_pair_per_phase(&frac);
	assert_int_equal(fractions.count, 1); /* 0 of 0 is no fraction */
	assert_true(fractions.items[0].value == 0.75);
	assert_true(ktstr_phase_map_ratio(&a, 1, 3).value == 2);
	assert_false(ktstr_phase_map_ratio(&a, 2, 3).set);
	assert_false(ktstr_phase_map_ratio(&a, 1, 9).set);
	free(pairs.items);
	ktstr_phase_map_deinit(&fractions);
	ktstr_phase_map_deinit(&a);
	ktstr_phase_map_deinit(&b);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(order_names_the_place),
		TEST(nan_passes_no_pattern),
		TEST(rows_without_a_value_become_notes),
		TEST(a_series_without_columns_is_fine),
		TEST(counters_are_compared_exactly),
		TEST(caller_errors_fail),
		TEST(convergence_names_what_interrupted_it),
		TEST(a_ratio_over_phases_is_noted),
		TEST(each_lists_every_offender),
		TEST(reducers_take_good_values_of_each_phase),
		TEST(phase_maps_combine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
