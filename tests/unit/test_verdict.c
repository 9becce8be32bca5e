// SPDX-License-Identifier: GPL-2.0-only
/* Verdicts: precedence, merging, combining, the cap on passes, names, and their JSON. */
#include <errno.h>

#include "check_fixture.h"

#include "check/json_util.h"

/* Verdicts */

static void precedence_of_all_pairs(void **state)
{
	enum { P = KTSTR_OUTCOME_PASS, S = KTSTR_OUTCOME_SKIP, I = KTSTR_OUTCOME_INCONCLUSIVE,
	       F = KTSTR_OUTCOME_FAIL };
	static const int worst[4][4] = { [P] = { [P] = P, [S] = P, [I] = I, [F] = F },
					 [S] = { [P] = P, [S] = S, [I] = I, [F] = F },
					 [I] = { [P] = I, [S] = I, [I] = I, [F] = F },
					 [F] = { [P] = F, [S] = F, [I] = F, [F] = F } };

	(void)state;
	for (int a = P; a <= F; a++)
		for (int b = P; b <= F; b++)
			assert_int_equal(ktstr_outcome_worst(a, b), worst[a][b]);
}

/* A result of one kind; a pass is something that held. */
static void record_kind(struct ktstr_assert_result *into, enum ktstr_outcome_kind kind)
{
	if (kind == KTSTR_OUTCOME_PASS)
		ktstr_assert_record_pass(into, "x", "eq", "1", "1");
	else
		ktstr_assert_record(into, kind, KTSTR_DETAIL_OTHER, "because of %d", (int)kind);
}

static void merging_follows_the_precedence(void **state)
{
	(void)state;
	for (int a = KTSTR_OUTCOME_PASS; a <= KTSTR_OUTCOME_FAIL; a++) {
		for (int b = KTSTR_OUTCOME_PASS; b <= KTSTR_OUTCOME_FAIL; b++) {
			struct ktstr_assert_result left = { 0 }, right = { 0 };

			record_kind(&left, a);
			record_kind(&right, b);
			assert_int_equal(ktstr_assert_result_kind(&left), a);
			ktstr_assert_result_merge(&left, &right);
			assert_int_equal(ktstr_assert_result_kind(&left), ktstr_outcome_worst(a, b));
			assert_int_equal(ktstr_assert_result_kind(&right), KTSTR_OUTCOME_PASS);
			assert_null(right.outcomes);
			ktstr_assert_result_deinit(&left);
			ktstr_assert_result_deinit(&right);
		}
	}
}

static void an_empty_verdict_passes(void **state)
{
	(void)state;
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	ktstr_assert_note(&verdict.result, "a note never affects the verdict: %d", 1);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
}

static void merging_keeps_order_and_stats(void **state)
{
	struct ktstr_assert_result other = { 0 };
	struct ktstr_assert assert = { 0 };

	(void)state;
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_STUCK, "first");
	ktstr_assert_record(&other, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "second");
	ktstr_assert_note(&other, "note");
	ktstr_assert_cgroup(&assert, &limits, &(struct ktstr_judged_cgroup){ .name = "cg_1" }, workers, 4, &other);
	ktstr_assert_result_merge(&verdict.result, &other);
	assert_string_equal(verdict.result.outcomes[0].detail.message, "first");
	assert_string_equal(verdict.result.outcomes[1].detail.message, "second");
	assert_string_equal(verdict.result.notes[0].message, "note");
	assert_int_equal(verdict.result.stats.total_workers, 4);
	assert_non_null(ktstr_stats_cgroup(&verdict.result.stats, "cg_1"));
}

static void passes_beyond_the_cap_leave_a_sentinel(void **state)
{
	const struct ktstr_pass_detail *tail;

	(void)state;
	for (int i = 0; i < KTSTR_MAX_RECORDED_PASSES; i++)
		KTSTR_CLAIM(&verdict, i, eq, i);
	assert_int_equal(verdict.result.passes_count, KTSTR_MAX_RECORDED_PASSES);
	assert_string_equal(verdict.result.passes[KTSTR_MAX_RECORDED_PASSES - 1].name, "i");
	for (int i = 0; i < 3; i++)
		ktstr_assert_record_pass(&verdict.result, "late", "eq", "1", NULL);
	assert_int_equal(verdict.result.passes_count, KTSTR_MAX_RECORDED_PASSES + 1);
	tail = &verdict.result.passes[verdict.result.passes_count - 1];
	assert_string_equal(tail->name, KTSTR_PASSES_TRUNCATION_SENTINEL_NAME);
	assert_string_equal(tail->comparator, KTSTR_PASSES_TRUNCATION_SENTINEL_COMPARATOR);
	assert_string_equal(tail->value, "cap=10000");
	assert_null(tail->expected);
}

static void merging_respects_the_cap(void **state)
{
	struct ktstr_assert_result other = { 0 };

	(void)state;
	for (int i = 0; i < KTSTR_MAX_RECORDED_PASSES - 5; i++)
		ktstr_assert_record_pass(&verdict.result, "left", "eq", "1", NULL);
	for (int i = 0; i < 10; i++)
		ktstr_assert_record_pass(&other, "right", "eq", "1", NULL);
	ktstr_assert_result_merge(&verdict.result, &other);
	assert_int_equal(verdict.result.passes_count, KTSTR_MAX_RECORDED_PASSES + 1);
	assert_string_equal(verdict.result.passes[KTSTR_MAX_RECORDED_PASSES].name,
			    KTSTR_PASSES_TRUNCATION_SENTINEL_NAME);
	/* What was truncated stays so when it becomes the right side. */
	ktstr_assert_record_pass(&other, "small", "eq", "1", NULL);
	ktstr_assert_result_merge(&other, &verdict.result);
	assert_int_equal(other.passes_count, KTSTR_MAX_RECORDED_PASSES + 1);
	assert_string_equal(other.passes[KTSTR_MAX_RECORDED_PASSES].name,
			    KTSTR_PASSES_TRUNCATION_SENTINEL_NAME);
	ktstr_assert_result_deinit(&other);
}

/* Names */

static void names_round_trip(void **state)
{
	enum ktstr_detail_kind kind;

	(void)state;
	for (int i = 0; i < KTSTR_DETAIL_KINDS; i++) {
		assert_true(ktstr_detail_kind_from_name(ktstr_detail_kind_name(i), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(ktstr_detail_kind_from_name("noprogress", &kind));
	assert_string_equal(ktstr_detail_kind_name(KTSTR_DETAIL_NO_PROGRESS), "NoProgress");
	assert_string_equal(ktstr_outcome_name(KTSTR_OUTCOME_INCONCLUSIVE), "inconclusive");
	assert_string_equal(ktstr_outcome_name(77), "unknown");
}

/* Combining */

static struct ktstr_assert_result branch(enum ktstr_outcome_kind kind, const char *message)
{
	struct ktstr_assert_result made = { 0 };

	if (kind != KTSTR_OUTCOME_PASS)
		ktstr_assert_record(&made, kind, KTSTR_DETAIL_OTHER, "%s", message);
	ktstr_assert_note(&made, "%s", message);
	ktstr_assert_note_value(&made, message, KTSTR_VALUE(1));
	return made;
}

static void any_of_nothing_fails_all_of_nothing_passes(void **state)
{
	(void)state;
	ktstr_assert_all_of(NULL, 0, &verdict.result);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	ktstr_assert_any_of(NULL, 0, &verdict.result);
	expect_fail(KTSTR_DETAIL_OTHER, "any_of: without branches there is nothing that could pass");
}

static void any_of_takes_the_first_that_passes(void **state)
{
	struct ktstr_assert_result branches[] = { branch(KTSTR_OUTCOME_FAIL, "bad"), branch(KTSTR_OUTCOME_PASS, "one"),
						  branch(KTSTR_OUTCOME_SKIP, "no"), branch(KTSTR_OUTCOME_PASS, "two") };

	(void)state;
	branches[1].stats.total_workers = 3;
	branches[3].stats.total_workers = 40;
	ktstr_assert_any_of(branches, 4, &verdict.result);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	assert_int_equal(verdict.result.outcomes_count, 0);
	assert_int_equal(verdict.result.notes_count, 2);
	assert_string_equal(verdict.result.notes[0].message, "any_of[1]: one");
	assert_string_equal(verdict.result.notes[1].message, "any_of[3]: two");
	assert_non_null(ktstr_assert_measurement(&verdict.result, "two"));
	assert_null(ktstr_assert_measurement(&verdict.result, "bad"));
}

static void any_of_without_a_pass_says_all(void **state)
{
	struct ktstr_assert_result branches[] = { branch(KTSTR_OUTCOME_SKIP, "no"),
						  branch(KTSTR_OUTCOME_INCONCLUSIVE, "who knows") };

	(void)state;
	ktstr_assert_any_of(branches, 2, &verdict.result);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_INCONCLUSIVE);
	assert_int_equal(verdict.result.outcomes_count, 3);
	assert_string_equal(verdict.result.outcomes[2].detail.message,
			    "any_of: none of 2 branches passed, the worst is inconclusive");
	assert_null(branches[0].outcomes);
}

static void the_outcome_is_the_first_of_its_kind(void **state)
{
	struct ktstr_outcome_ref ref = ktstr_assert_result_outcome(&verdict.result);

	(void)state;
	assert_int_equal(ref.kind, KTSTR_OUTCOME_PASS);
	assert_null(ref.detail);
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "skip");
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_STUCK, "first");
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "second");
	ref = ktstr_assert_result_outcome(&verdict.result);
	assert_int_equal(ref.kind, KTSTR_OUTCOME_FAIL);
	assert_string_equal(ref.detail->message, "first");
}

static void the_terminal_check_lists_reasons_of_the_worst_kind(void **state)
{
	struct ktstr_error *error;

	(void)state;
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "skip");
	assert_null(ktstr_assert_result_check(&verdict.result));
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR, "no samples");
	error = ktstr_assert_result_check(&verdict.result);
	assert_string_equal(ktstr_error_message(error), "inconclusive, 1 reason:\n[Monitor] no samples");
	ktstr_error_free(error);
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_STUCK, "a");
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "b");
	error = ktstr_assert_result_check(&verdict.result);
	assert_string_equal(ktstr_error_message(error), "failed, 2 reasons:\n[Stuck] a\n[Other] b");
	ktstr_error_free(error);
}

/* Phases, notes, measurements */

static void what_is_recorded_in_a_phase_is_stamped(void **state)
{
	(void)state;
	ktstr_assert_note(&verdict.result, "outside");
	{
		KTSTR_IN_PHASE(KTSTR_PHASE_BASELINE);
		ktstr_assert_record_pass(&verdict.result, "x", "eq", "1", "1");
		{
			KTSTR_IN_PHASE(ktstr_phase_step(1));
			ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "in");
		}
		ktstr_assert_note(&verdict.result, "back in the baseline");
	}
	assert_false(ktstr_phase_current().set);
	assert_false(verdict.result.notes[0].phase.set);
	assert_true(verdict.result.passes[0].phase.set && verdict.result.passes[0].phase.value == 0);
	assert_int_equal(verdict.result.outcomes[0].detail.phase.value, 2);
	assert_true(verdict.result.notes[1].phase.set && verdict.result.notes[1].phase.value == 0);
}

static void phases_have_a_text(void **state)
{
	static const char *const bad[] = { "", "baseline", "Step", "Step[]", "Step[-1]", "Step[01]", "Step[1] ",
					   "Step[65535]", "Step[99999]", " Step[1]" };
	char text[KTSTR_PHASE_TEXT_BYTES];
	uint16_t phase;

	(void)state;
	assert_int_equal(ktstr_phase_step(0), 1);
	assert_int_equal(ktstr_phase_step(UINT32_MAX), UINT16_MAX); /* saturates */
	for (uint32_t k = 0; k <= UINT16_MAX; k += 37) {
		assert_true(ktstr_phase_parse(ktstr_phase_format((uint16_t)k, text), &phase));
		assert_int_equal(phase, k);
	}
	assert_string_equal(ktstr_phase_format(UINT16_MAX, text), "Step[65534]");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(ktstr_phase_parse(bad[i], &phase));
}

static void measurements_keep_their_type_and_the_last_wins(void **state)
{
	struct ktstr_assert_result other = { 0 };

	(void)state;
	ktstr_assert_note_value(&verdict.result, "n", KTSTR_VALUE(-5));
	ktstr_assert_note_value(&verdict.result, "n", KTSTR_VALUE("text"));
	ktstr_assert_note_value(&verdict.result, "gone", ktstr_value_absent());
	assert_int_equal(verdict.result.measurements_count, 1);
	ktstr_assert_note_value(&other, "n", KTSTR_VALUE(2.5));
	ktstr_assert_note_value(&other, "flag", KTSTR_VALUE((_Bool)1));
	ktstr_assert_result_merge(&verdict.result, &other);
	assert_int_equal(verdict.result.measurements_count, 2);
	assert_int_equal(ktstr_assert_measurement(&verdict.result, "n")->kind, KTSTR_VALUE_FLOAT);
	assert_true(ktstr_assert_measurement(&verdict.result, "flag")->b);
	assert_null(ktstr_assert_measurement(&verdict.result, "gone"));
}

static void measurements_survive_json(void **state)
{
	struct ktstr_assert_result back;
	json_t *json, *expected = json_loads("{\"i\":{\"Int\":-5},\"u\":{\"Uint\":7},\"f\":{\"Float\":0.5},"
					     "\"nan\":{\"Float\":null},\"b\":{\"Bool\":true},"
					     "\"t\":{\"Text\":\"x\"}}",
					     0, NULL);

	(void)state;
	ktstr_assert_note_value(&verdict.result, "i", KTSTR_VALUE(-5));
	ktstr_assert_note_value(&verdict.result, "u", KTSTR_VALUE(7u));
	ktstr_assert_note_value(&verdict.result, "f", KTSTR_VALUE(0.5));
	ktstr_assert_note_value(&verdict.result, "nan", KTSTR_VALUE(NAN));
	ktstr_assert_note_value(&verdict.result, "b", KTSTR_VALUE((_Bool)1));
	ktstr_assert_note_value(&verdict.result, "t", KTSTR_VALUE("x"));
	json = ktstr_assert_result_to_json(&verdict.result);
	assert_true(json_equal(json_object_get(json, "measurements"), expected));
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_int_equal(back.measurements_count, 6);
	assert_int_equal(ktstr_assert_measurement(&back, "i")->i, -5);
	assert_true(isnan(ktstr_assert_measurement(&back, "nan")->f));
	json_decref(json);
	json_decref(expected);
	ktstr_assert_result_deinit(&back);
}

/* JSON of verdicts */

static void verdicts_survive_json(void **state)
{
	struct ktstr_assert_result back;
	json_t *json, *again;

	(void)state;
	workers[1].work_units = 0;
	evaluate(.not_stuck = true, .min_work_rate = KTSTR_SOME(2000));
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "quote \" and \xc3\xa4 and \n");
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR, "no samples");
	ktstr_assert_record_pass(&verdict.result, "bare", "is_finite", "1", NULL);
	ktstr_assert_note(&verdict.result, "a note");
	json = ktstr_assert_result_to_json(&verdict.result);
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_int_equal(back.outcomes_count, verdict.result.outcomes_count);
	assert_string_equal(back.outcomes[0].detail.message, verdict.result.outcomes[0].detail.message);
	assert_int_equal(ktstr_assert_result_kind(&back), KTSTR_OUTCOME_FAIL);
	assert_null(back.passes[back.passes_count - 1].expected);
	again = ktstr_assert_result_to_json(&back);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	/* What was read can be added to. */
	ktstr_assert_record(&back, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "one more");
	ktstr_assert_result_merge(&back, &verdict.result);
	ktstr_assert_result_deinit(&back);
}

static void json_has_the_documented_shape(void **state)
{
	json_t *json, *expected = json_loads(
		"{\"kind\":\"fail\",\"detail\":{\"kind\":\"NoProgress\",\"message\":\"m\",\"phase\":null}}", 0, NULL);

	(void)state;
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_NO_PROGRESS, "m");
	json = ktstr_assert_result_to_json(&verdict.result);
	assert_true(json_equal(json_array_get(json_object_get(json, "outcomes"), 0), expected));
	assert_true(json_is_array(json_object_get(json, "passes")));
	assert_true(json_is_array(json_object_get(json, "notes")));
	assert_true(json_is_object(json_object_get(json, "stats")));
	json_decref(json);
	json_decref(expected);
}

static void long_and_dirty_text_can_be_read_back(void **state)
{
	struct ktstr_assert_result back;
	_cleanup_free_ char *text = malloc(3 * KTSTR_JSON_TEXT_MAX + 1);
	json_t *json;

	(void)state;
	for (size_t i = 0; i < KTSTR_JSON_TEXT_MAX; i++)
		memcpy(text + 3 * i, "\xe2\x82\xac", 3); /* the euro sign: a cut must not split it */
	text[3 * KTSTR_JSON_TEXT_MAX] = 0;
	ktstr_assert_note(&verdict.result, "%s", text);
	memset(text, 0xff, 3 * KTSTR_JSON_TEXT_MAX);
	ktstr_assert_note(&verdict.result, "%s", text);
	json = ktstr_assert_result_to_json(&verdict.result);
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_true(strlen(back.notes[0].message) > KTSTR_JSON_TEXT_MAX - 20);
	assert_string_equal(back.notes[0].message + strlen(back.notes[0].message) - 6, " [cut]");
	assert_memory_equal(back.notes[0].message, "\xe2\x82\xac", 3);
	assert_memory_equal(back.notes[1].message, "\\xff\\xff", 8);
	json_decref(json);
	ktstr_assert_result_deinit(&back);
}

static void too_many_outcomes_keep_the_verdict(void **state)
{
	struct ktstr_assert_result back;
	json_t *json;

	(void)state;
	for (int i = 0; i < KTSTR_JSON_ITEMS_MAX; i++)
		ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_OTHER, "?");
	ktstr_assert_record(&verdict.result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "last");
	json = ktstr_assert_result_to_json(&verdict.result);
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_int_equal(ktstr_assert_result_kind(&back), KTSTR_OUTCOME_FAIL);
	json_decref(json);
	ktstr_assert_result_deinit(&back);
}

#define STATS "\"stats\":{\"total_workers\":0,\"total_cpus\":0,\"total_migrations\":0,"                    \
	      "\"total_iterations\":0,\"worst_spread\":null,\"worst_gap_ms\":0,\"worst_gap_cpu\":0,"       \
	      "\"worst_migration_ratio\":0,\"cgroups\":[]}"
#define VERDICT(outcomes, passes, notes)                                                                   \
	"{\"outcomes\":" outcomes ",\"passes\":" passes ",\"notes\":" notes "," STATS "}"
#define OUTCOME(kind, detail) "{\"kind\":" kind ",\"detail\":" detail "}"

static void hostile_verdicts_are_refused_by_key(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[]", "expected an object, got an array" },
		{ "{}", "outcomes: expected an array, got nothing" },
		{ "{\"outcomes\":[],\"passes\":[],\"notes\":[]}", "stats: expected an object, got nothing" },
		{ VERDICT("{}", "[]", "[]"), "outcomes: expected an array, got an object" },
		{ VERDICT("[1]", "[]", "[]"), "outcomes[0]: expected an object, got a number" },
		{ VERDICT("[{}]", "[]", "[]"), "outcomes[0]: kind: expected text, got nothing" },
		{ VERDICT("[" OUTCOME("\"pass\"", "{}") "]", "[]", "[]"),
		  "outcomes[0]: kind: \"pass\" is no outcome" },
		{ VERDICT("[" OUTCOME("\"fail\"", "3") "]", "[]", "[]"),
		  "outcomes[0]: detail: expected an object, got a number" },
		{ VERDICT("[" OUTCOME("\"fail\"", "{\"kind\":\"Nope\",\"message\":\"\"}") "]", "[]", "[]"),
		  "outcomes[0]: detail: kind: \"Nope\" is no kind of detail" },
		{ VERDICT("[" OUTCOME("\"fail\"", "{\"kind\":\"Other\",\"message\":null}") "]", "[]", "[]"),
		  "outcomes[0]: detail: message: missing" },
		{ VERDICT("[]", "[{\"name\":\"x\",\"comparator\":\"eq\"}]", "[]"),
		  "passes[0]: value: missing" },
		{ VERDICT("[]", "[{\"name\":[]}]", "[]"), "passes[0]: name: expected text, got an array" },
		{ VERDICT("[]", "[]", "[\"ok\",false]"), "notes[1]: expected text, got false" },
		{ VERDICT("[]", "[]", "[{\"phase\":null}]"), "notes[0]: message: missing" },
		{ VERDICT("[]", "[]", "[{\"message\":\"m\",\"phase\":\"Step[x]\"}]"),
		  "notes[0]: phase: \"Step[x]\" is no phase" },
		{ VERDICT("[]", "[]", "[],\"measurements\":[]"), "measurements: expected an object, got an array" },
		{ VERDICT("[]", "[]", "[],\"measurements\":{\"k\":5}"),
		  "measurements: k: expected an object with one member, the value by its type, got a number" },
		{ VERDICT("[]", "[]", "[],\"measurements\":{\"k\":{\"Int\":\"5\"}}"),
		  "measurements: k: \"Int\" is no type of a value, or the value is of another" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].text, 0, NULL);
		_cleanup_error_ struct ktstr_error *error = NULL;

		assert_non_null(json);
		error = ktstr_assert_result_from_json(json, &verdict.result);
		json_decref(json);
		assert_non_null(error);
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
		assert_string_equal(ktstr_error_message(error), cases[i].message);
		assert_null(verdict.result.outcomes);
		assert_null(verdict.result.passes);
		assert_null(verdict.result.notes);
	}
}

static void a_minimal_verdict_is_read(void **state)
{
	json_t *json = json_loads(VERDICT("[]", "[]", "[]"), 0, NULL);

	(void)state;
	assert_null(ktstr_assert_result_from_json(json, &verdict.result));
	assert_true(isnan(verdict.result.stats.worst_spread)); /* null is not zero */
	json_decref(json);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(precedence_of_all_pairs),
		TEST(merging_follows_the_precedence),
		TEST(an_empty_verdict_passes),
		TEST(merging_keeps_order_and_stats),
		TEST(passes_beyond_the_cap_leave_a_sentinel),
		TEST(merging_respects_the_cap),
		TEST(names_round_trip),
		TEST(any_of_nothing_fails_all_of_nothing_passes),
		TEST(any_of_takes_the_first_that_passes),
		TEST(any_of_without_a_pass_says_all),
		TEST(the_outcome_is_the_first_of_its_kind),
		TEST(the_terminal_check_lists_reasons_of_the_worst_kind),
		TEST(what_is_recorded_in_a_phase_is_stamped),
		TEST(phases_have_a_text),
		TEST(measurements_keep_their_type_and_the_last_wins),
		TEST(measurements_survive_json),
		TEST(verdicts_survive_json),
		TEST(json_has_the_documented_shape),
		TEST(long_and_dirty_text_can_be_read_back),
		TEST(too_many_outcomes_keep_the_verdict),
		TEST(hostile_verdicts_are_refused_by_key),
		TEST(a_minimal_verdict_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
