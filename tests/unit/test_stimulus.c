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
static struct ktstr_stimulus_views views;
static struct ktstr_test_result result;

static int setup(void **state)
{
	(void)state;
	result = fixture_fail();
	views = (struct ktstr_stimulus_views){ 0 };
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
	ktstr_stimulus_log_finish(&course, &views, &result);
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
	ktstr_stimulus_log_finish(&course, &views, &result);
	assert_int_equal(result.stimulus_events_count, 10);
	assert_int_equal(result.verdict.stats.phases.count, 2);
	assert_true(phase_rate(0) == 500 && phase_rate(1) == 250);
	assert_true(ktstr_scenario_stats_run_metric(&result.verdict.stats, "total_phase_iterations").value == 3000);
}

/* Two CPUs; the second one runs `running` tasks. */
static struct ktstr_monitor_sample sample_at(uint64_t elapsed_ms, struct ktstr_cpu_snapshot cpus[2], uint32_t running)
{
	cpus[0] = (struct ktstr_cpu_snapshot){ .nr_running = 1, .rq_clock = elapsed_ms + 1 };
	cpus[1] = (struct ktstr_cpu_snapshot){ .nr_running = running, .rq_clock = elapsed_ms + 1 };
	return (struct ktstr_monitor_sample){ .elapsed_ms = elapsed_ms, .cpus = cpus, .cpus_count = 2 };
}

static double phase_metric(uint32_t index, const char *name)
{
	struct ktstr_opt_f64 value = ktstr_scenario_stats_step_metric(&result.verdict.stats, index, name);

	return value.set ? value.value : -1;
}

/* Scenarios that begin at 10 s and at 100 s of the session's clock; each sample falls into one phase of one of them. */
static void monitor_samples_fall_into_the_phases_of_their_scenario(void **state)
{
	static const uint64_t starts_ms[] = { 10000, 100000 };
	struct ktstr_cpu_snapshot cpus[5][2];
	const struct ktstr_monitor_sample samples[] = { sample_at(9000, cpus[0], 50), sample_at(10600, cpus[1], 3),
							sample_at(12000, cpus[2], 5), sample_at(100200, cpus[3], 7),
							sample_at(200000, cpus[4], 90) };
	const struct ktstr_monitor_series series = { samples, 5, 0 };

	(void)state;
	views = (struct ktstr_stimulus_views){ .monitor = &series, .scenario_starts_ms = starts_ms, .scenario_starts_count = 2 };
	scenario();
	scenario();
	ktstr_stimulus_log_finish(&course, &views, &result);
	assert_true(phase_metric(0, "max_imbalance_ratio") == 7); /* the worst of both scenarios */
	assert_true(phase_metric(1, "max_imbalance_ratio") == 5);
	assert_true(phase_rate(0) == 500);
}

static void a_scenario_that_was_not_seen_has_no_samples(void **state)
{
	struct ktstr_cpu_snapshot cpus[2];
	const struct ktstr_monitor_sample sample = sample_at(600, cpus, 3);
	const struct ktstr_monitor_series series = { &sample, 1, 0 };

	(void)state;
	views.monitor = &series;
	scenario();
	ktstr_stimulus_log_finish(&course, &views, &result);
	assert_true(phase_metric(0, "max_imbalance_ratio") == -1);
	assert_true(phase_rate(0) == 500);
}

static json_t *capture_at(int elapsed_ms, int step, int irqs_0, int irqs_1)
{
	return json_pack("{si si s{s[{si si s[iiiiiiii]}, {si ss s[iiiiiiii]}]}}", "elapsed_ms", elapsed_ms, "step_index",
			 step, "report", "per_cpu_time", "cpu", 0, "irqs_sum", irqs_0, "softirqs", 0, irqs_0, 0, 0, 0, 0, 0,
			 irqs_1, "cpu", 1, "irqs_sum", irqs_1 == 40 ? "40" : "10", "softirqs", 0, 0, 0, 0, 0, 0, 0, 1);
}

static void captures_tell_of_the_interrupts_of_their_phase(void **state)
{
	static const uint64_t starts_ms[] = { 10000 };
	json_t *snapshots = json_pack("[o o o o]", capture_at(5000, 1, 900, 10), capture_at(10200, 1, 1000, 10),
				      capture_at(10700, 1, 1010, 40), capture_at(12000, 2, 1500, 10));

	(void)state;
	views = (struct ktstr_stimulus_views){ .snapshots = snapshots, .scenario_starts_ms = starts_ms,
					       .scenario_starts_count = 1 };
	scenario();
	ktstr_stimulus_log_finish(&course, &views, &result);
	json_decref(snapshots);
	/* 1010 + 40 - 1000 - 10; the capture before the scenario is none of it. */
	assert_true(phase_metric(0, "total_hardirqs") == 40);
	assert_true(phase_metric(0, "total_softirq_timer") == 10);
	assert_true(phase_metric(0, "hardirq_rate") == 80); /* in half a second */
	assert_true(phase_metric(0, "max_cpu_hardirqs") == 30);
	assert_true(phase_metric(0, "max_cpu_hardirq_concentration") == 1.5); /* 30 of a mean of 20 */
	assert_true(phase_metric(0, "total_steal_time_ns") == -1); /* not in the dumps */
	assert_int_equal(ktstr_scenario_stats_step(&result.verdict.stats, 0)->sample_count, 2);
	/* One capture is no difference. */
	assert_true(phase_metric(1, "total_hardirqs") == -1);
	assert_int_equal(ktstr_scenario_stats_step(&result.verdict.stats, 1)->sample_count, 1);
}

/* Whichever captures lie between them, other phases' too, the busiest CPU is that from a phase's first to its last. */
static void captures_of_phases_may_interleave(void **state)
{
	static const uint64_t starts_ms[] = { 10000 };
	json_t *snapshots = json_pack("[o o o o o o]", capture_at(10200, 1, 100, 10), capture_at(10300, 2, 1000, 10),
				      capture_at(10400, 1, 400, 10), capture_at(10500, 2, 1100, 10),
				      capture_at(10600, 1, 105, 40), capture_at(10700, 2, 1070, 10));

	(void)state;
	views = (struct ktstr_stimulus_views){ .snapshots = snapshots, .scenario_starts_ms = starts_ms,
					       .scenario_starts_count = 1 };
	scenario();
	ktstr_stimulus_log_finish(&course, &views, &result);
	json_decref(snapshots);
	assert_true(phase_metric(0, "max_cpu_hardirqs") == 30);
	assert_true(phase_metric(1, "max_cpu_hardirqs") == 70);
	assert_int_equal(ktstr_scenario_stats_step(&result.verdict.stats, 1)->sample_count, 3);
}

/* A cgroup of a dump with its IRQ pressure. */
static json_t *cgroup_psi(int id, double avg10_pct, int total_us)
{
	return json_pack("{ss si s{sf si}}", "cgroup", "any", "id", id, "irq_full", "avg10_pct", avg10_pct, "total_us", total_us);
}

/* Takes over the cgroups. */
static json_t *capture_of_cgroups(int elapsed_ms, json_t *cgroups)
{
	return json_pack("{si si s{so}}", "elapsed_ms", elapsed_ms, "step_index", 1, "report", "cgroup_psi", cgroups);
}

static void finish_with(json_t *snapshots)
{
	static const uint64_t starts_ms[] = { 10000 };

	views = (struct ktstr_stimulus_views){ .snapshots = snapshots, .scenario_starts_ms = starts_ms,
					       .scenario_starts_count = 1 };
	scenario();
	ktstr_stimulus_log_finish(&course, &views, &result);
	json_decref(snapshots);
}

static void captures_tell_which_cgroup_the_interrupts_pressed_on(void **state)
{
	json_t *inner = cgroup_psi(5, 90.0, 900000);

	(void)state;
	json_object_set_new(inner, "has_children", json_true());
	/* 1: +300. 2: +100. 3 is gone later, 4 comes later; 5 is above the others, and no value of a CPU is anywhere. */
	finish_with(json_pack("[o o o]",
			      capture_of_cgroups(10200, json_pack("[o o o O]", cgroup_psi(1, 2.5, 1000), cgroup_psi(2, 0.5, 500),
								  cgroup_psi(3, 1.0, 7), inner)),
			      capture_of_cgroups(10500, json_pack("[o o]", cgroup_psi(1, 7.5, 1100), cgroup_psi(2, 0.5, 500))),
			      capture_of_cgroups(10700, json_pack("[o o o o]", cgroup_psi(4, 3.0, 5000), cgroup_psi(2, 1.5, 600),
								  cgroup_psi(1, 3.5, 1300), inner))));
	assert_true(phase_metric(0, "max_cgroup_irq_pressure") == 300);
	assert_true(phase_metric(0, "max_cgroup_irq_pressure_concentration") == 1.5); /* 300 of a mean of 200 */
	assert_true(phase_metric(0, "max_cgroup_psi_irq_avg10") == 7.5);
	assert_true(phase_metric(0, "max_cpu_hardirqs") == -1);
}

static void one_cgroup_is_no_concentration_and_one_without_irq_time_is_no_zero(void **state)
{
	json_t *without = json_pack("{ss si s{sf si}}", "cgroup", "any", "id", 9, "cpu_some", "avg10_pct", 50.0, "total_us", 1);

	(void)state;
	finish_with(json_pack("[o o]", capture_of_cgroups(10200, json_pack("[o O]", cgroup_psi(1, 0.0, 1000), without)),
			      capture_of_cgroups(10700, json_pack("[o o]", cgroup_psi(1, 0.0, 1400), without))));
	assert_true(phase_metric(0, "max_cgroup_irq_pressure") == 400);
	assert_true(phase_metric(0, "max_cgroup_irq_pressure_concentration") == -1);
	assert_true(phase_metric(0, "max_cgroup_psi_irq_avg10") == 0);
	ktstr_test_result_deinit(&result);
	result = fixture_fail();
	without = json_pack("{ss si}", "cgroup", "any", "id", 9);
	finish_with(json_pack("[o o]", capture_of_cgroups(10200, json_pack("[O]", without)),
			      capture_of_cgroups(10700, json_pack("[o]", without))));
	assert_true(phase_metric(0, "max_cgroup_irq_pressure") == -1);
	assert_true(phase_metric(0, "max_cgroup_psi_irq_avg10") == -1);
}

static void frames_of_a_broken_guest_do_no_harm(void **state)
{
	(void)state;
	take(KTSTR_FRAME_STIMULUS, "x", 1);
	take(KTSTR_FRAME_SCENARIO_END, "x", 1);
	for (int i = 0; i < 10000; i++)
		step(KTSTR_FRAME_STEP_END, 0, 65535, UINT64_MAX);
	end(UINT64_MAX, UINT64_MAX);
	ktstr_stimulus_log_finish(&course, &views, &result);
	assert_int_equal(result.stimulus_events_count, 4096);
	assert_int_equal(result.verdict.stats.phases.count, 0); /* nothing ever began */
}

static void events_survive_json(void **state)
{
	struct ktstr_test_result back = { 0 };
	json_t *json, *again;

	(void)state;
	scenario();
	ktstr_stimulus_log_finish(&course, &views, &result);
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
	ktstr_stimulus_log_finish(&course, &views, &result);
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
		TEST(monitor_samples_fall_into_the_phases_of_their_scenario),
		TEST(a_scenario_that_was_not_seen_has_no_samples),
		TEST(captures_tell_of_the_interrupts_of_their_phase),
		TEST(captures_of_phases_may_interleave),
		TEST(captures_tell_which_cgroup_the_interrupts_pressed_on),
		TEST(one_cgroup_is_no_concentration_and_one_without_irq_time_is_no_zero),
		TEST(frames_of_a_broken_guest_do_no_harm),
		TEST(events_survive_json),
		TEST(hostile_events_are_refused),
		TEST(the_report_tells_phases_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
