// SPDX-License-Identifier: GPL-2.0-only
/* Stimulus frames become events and phases of a result, which its JSON and its report show. */
#include <endian.h>
#include <stddef.h>
#include <stdint.h>

#include "result_fixture.h"
#include "result/stimulus_json.h"
#include "runner/stimulus.h"
#include "wire/stimulus.h"
#include "unit.h"

static struct ktstr_stimulus_log course;
static struct ktstr_test_result result;

static int setup(void **state)
{
	(void)state;
	result = fixture_fail();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ktstr_stimulus_log_deinit(&course);
	ktstr_test_result_deinit(&result);
	return 0;
}

static void take(uint32_t type, const void *payload, size_t length)
{
	const struct ktstr_frame frame = { .type = type, .length = (uint32_t)length, .payload = payload, .crc_ok = true };

	ktstr_stimulus_log_take(&course, &frame);
}

static void step(uint32_t type, uint32_t ms, uint16_t index, uint64_t iterations)
{
	const struct ktstr_stimulus_record record = { .elapsed_ms = ms, .step_index = index, .op_count = 2, .cgroup_count = 1,
						      .worker_count = 4, .total_iterations = iterations };
	uint8_t payload[KTSTR_STIMULUS_BYTES];

	ktstr_stimulus_encode(&record, payload);
	take(type, payload, sizeof(payload));
}

static void end(uint64_t ms, uint64_t iterations)
{
	uint64_t words[2] = { htole64(ms), htole64(iterations) };

	take(KTSTR_FRAME_SCENARIO_END, words, sizeof(words));
}

/* Steps of 1 s with 500 iterations and of 4 s with 1000. */
static void scenario(void)
{
	take(KTSTR_FRAME_SCENARIO_START, NULL, 0);
	step(KTSTR_FRAME_STIMULUS, 100, 0, 0);
	step(KTSTR_FRAME_STEP_END, 1100, 0, 500);
	step(KTSTR_FRAME_STIMULUS, 1200, 1, 500);
	step(KTSTR_FRAME_STEP_END, 5200, 1, 1500);
	end(5300, 1500);
}

static double phase_rate(uint32_t index)
{
	return ktstr_scenario_stats_step_metric(&result.verdict.stats, index, "iteration_rate").value;
}

static void frames_become_phases(void **state)
{
	(void)state;
	scenario();
	ktstr_stimulus_log_finish(&course, &result);
	assert_int_equal(result.stimulus_events_count, 5);
	assert_string_equal(result.stimulus_events[2].label, "StepStart[1]");
	assert_string_equal(result.stimulus_events[2].op_kind, "ops=2");
	assert_string_equal(result.stimulus_events[4].label, "ScenarioEnd");
	assert_int_equal(result.verdict.stats.phases.count, 2);
	assert_true(phase_rate(0) == 500 && phase_rate(1) == 250);
	/* 1500 in 5 s: neither the mean of both rates nor over the pauses. */
	assert_true(ktstr_scenario_stats_run_metric(&result.verdict.stats, "iteration_rate").value == 300);
}

static void each_scenario_has_a_clock_of_its_own(void **state)
{
	(void)state;
	scenario();
	scenario();
	ktstr_stimulus_log_finish(&course, &result);
	assert_int_equal(result.stimulus_events_count, 10);
	assert_int_equal(result.verdict.stats.phases.count, 2);
	assert_true(phase_rate(0) == 500 && phase_rate(1) == 250);
	assert_true(ktstr_scenario_stats_run_metric(&result.verdict.stats, "total_phase_iterations").value == 3000);
}

static void frames_of_a_broken_guest_do_no_harm(void **state)
{
	(void)state;
	take(KTSTR_FRAME_STIMULUS, "x", 1);
	take(KTSTR_FRAME_SCENARIO_END, "x", 1);
	for (int i = 0; i < 10000; i++)
		step(KTSTR_FRAME_STEP_END, 0, 65535, UINT64_MAX);
	end(UINT64_MAX, UINT64_MAX);
	ktstr_stimulus_log_finish(&course, &result);
	assert_int_equal(result.stimulus_events_count, 4096);
	assert_int_equal(result.verdict.stats.phases.count, 0); /* nothing ever began */
}

static void events_survive_json(void **state)
{
	struct ktstr_test_result back = { 0 };
	json_t *json, *again;

	(void)state;
	scenario();
	ktstr_stimulus_log_finish(&course, &result);
	json = json_pack("{so}", "stimulus_events",
			 ktstr_stimulus_events_to_json(result.stimulus_events, result.stimulus_events_count));
	assert_null(ktstr_stimulus_events_from_json(json, &back));
	again = ktstr_stimulus_events_to_json(back.stimulus_events, back.stimulus_events_count);
	assert_true(json_equal(json_object_get(json, "stimulus_events"), again));
	assert_true(back.stimulus_events[4].is_terminal);
	assert_false(back.stimulus_events[4].step_index.set);
	json_decref(json);
	json_decref(again);
	ktstr_test_result_deinit(&back);
}

static void hostile_events_are_refused(void **state)
{
	static const char *const texts[] = { "{\"stimulus_events\":{}}", "{\"stimulus_events\":[{}]}",
					     "{\"stimulus_events\":[{\"elapsed_ms\":1}]}",
					     "{\"stimulus_events\":[{\"elapsed_ms\":1,\"label\":\"x\",\"step_index\":70000}]}" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct ktstr_test_result back = { 0 };
		json_t *json = json_loads(texts[i], 0, NULL);
		struct ktstr_error *error = ktstr_stimulus_events_from_json(json, &back);

		assert_non_null(error);
		ktstr_error_free(error);
		json_decref(json);
		ktstr_test_result_deinit(&back);
	}
}

static void the_report_tells_phases_apart(void **state)
{
	_cleanup_free_ char *report = NULL, *short_report = NULL;

	(void)state;
	short_report = ktstr_result_report(&result, false);
	assert_null(strstr(short_report, "Step["));
	{
		KTSTR_IN_PHASE(ktstr_phase_step(1));
		ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_STUCK, "late");
	}
	scenario();
	ktstr_stimulus_log_finish(&course, &result);
	report = ktstr_result_report(&result, false);
	assert_non_null(strstr(report, "  late (in Step[1])\n"));
	assert_non_null(strstr(report, "  Step[0]: 0.1-1.1s iter/s=500\n"));
	assert_non_null(strstr(report, "  Step[1]: 1.2-5.2s iter/s=250\n"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_become_phases),
		TEST(each_scenario_has_a_clock_of_its_own),
		TEST(frames_of_a_broken_guest_do_no_harm),
		TEST(events_survive_json),
		TEST(hostile_events_are_refused),
		TEST(the_report_tells_phases_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
