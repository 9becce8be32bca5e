// SPDX-License-Identifier: GPL-2.0-only
/* When captures are taken and what is kept of them; watched variables; the plan that a test program describes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ktstr/dump.h"
#include "ktstr/units.h"
#include "observe/captures.h"
#include "observe/map_watches.h"
#include "observe/periodic.h"
#include "observe/plan.h"
#include "observe/reactive.h"
#include "observe/session.h"
#include "unit.h"

static void boundaries_lie_in_the_middle_four_fifths(void **state)
{
	struct ktstr_periodic periodic;

	(void)state;
	ktstr_periodic_init(&periodic, 0, KTSTR_SEC(10), 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(ktstr_periodic_boundary(&periodic, i) == KTSTR_SEC(3 + 2 * i));
	ktstr_periodic_init(&periodic, KTSTR_SEC(100), KTSTR_SEC(101), 1);
	assert_true(ktstr_periodic_boundary(&periodic, 0) == KTSTR_MS(100500));
}

static void boundaries_of_long_windows_do_not_overflow(void **state)
{
	uint64_t day = 24 * 3600 * KTSTR_SEC(1);
	struct ktstr_periodic periodic;

	(void)state;
	ktstr_periodic_init(&periodic, 0, 100 * day, 64);
	assert_true(ktstr_periodic_boundary(&periodic, 63) == 10 * day + (uint64_t)((unsigned __int128)80 * day * 64 / 65));
}

static void an_empty_window_has_no_boundary(void **state)
{
	struct ktstr_periodic periodic;
	uint64_t boundary;

	(void)state;
	ktstr_periodic_init(&periodic, 100, 100, 3);
	assert_false(ktstr_periodic_next(&periodic, &boundary));
	ktstr_periodic_init(&periodic, 100, 50, 3);
	assert_false(ktstr_periodic_next(&periodic, &boundary));
	ktstr_periodic_init(&periodic, 0, 4, 4); /* W = 4 < 5 */
	assert_false(ktstr_periodic_next(&periodic, &boundary));
	ktstr_periodic_init(&periodic, 0, 5, 4);
	assert_true(ktstr_periodic_next(&periodic, &boundary));
}

static void two_timeouts_in_a_row_abandon_the_rest(void **state)
{
	struct ktstr_periodic periodic;
	uint64_t boundary;

	(void)state;
	ktstr_periodic_init(&periodic, 0, KTSTR_SEC(10), 8);
	ktstr_periodic_fired(&periodic, true);
	ktstr_periodic_fired(&periodic, false);
	ktstr_periodic_fired(&periodic, true);
	assert_true(ktstr_periodic_next(&periodic, &boundary));
	ktstr_periodic_fired(&periodic, true);
	assert_false(ktstr_periodic_next(&periodic, &boundary));
	assert_int_equal(periodic.next, 4);
}

static void store(struct ktstr_captures *captures, const char *tag, int number)
{
	struct ktstr_capture capture = { .tag = tag,
					 .kind = "on_demand",
					 .report = json_pack("{ss si}", "schema", "single", "number", number),
					 .elapsed_ms = (uint64_t)number };

	ktstr_captures_store(captures, &capture);
}

static const char *text_at(const json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static void the_65th_capture_evicts_the_oldest_with_an_event(void **state)
{
	struct ktstr_captures captures = { 0 };
	char tag[16];

	(void)state;
	for (int i = 0; i <= KTSTR_MAX_STORED_SNAPSHOTS; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		store(&captures, tag, i);
	}
	assert_int_equal(json_array_size(captures.snapshots), KTSTR_MAX_STORED_SNAPSHOTS);
	assert_string_equal(text_at(captures.snapshots, 0, "tag"), "t1");
	assert_int_equal(json_array_size(captures.events), 1);
	assert_string_equal(text_at(captures.events, 0, "event"), "Eviction");
	assert_string_equal(text_at(captures.events, 0, "tag"), "t0");
	assert_string_equal(text_at(captures.events, 0, "new_tag"), "t64");
	ktstr_captures_deinit(&captures);
}

static void the_same_tag_replaces_and_becomes_the_newest(void **state)
{
	struct ktstr_captures captures = { 0 };

	(void)state;
	store(&captures, "a", 1);
	store(&captures, "b", 2);
	store(&captures, "a", 3);
	assert_int_equal(json_array_size(captures.snapshots), 2);
	assert_string_equal(text_at(captures.snapshots, 1, "tag"), "a");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(captures.snapshots, 1), "elapsed_ms")), 3);
	assert_string_equal(text_at(captures.events, 0, "event"), "Overwrite");
	assert_string_equal(text_at(captures.events, 0, "prior_schema"), "single");
	ktstr_captures_deinit(&captures);
}

static void a_full_event_log_says_how_much_is_missing(void **state)
{
	struct ktstr_captures captures = { 0 };
	json_t *json;
	const json_t *last;

	(void)state;
	for (int i = 0; i < KTSTR_MAX_STORED_EVENTS + 5; i++)
		ktstr_captures_event(&captures, "Overwrite", "tag", NULL);
	json = ktstr_captures_to_json(&captures);
	last = json_array_get(json_object_get(json, "events"), KTSTR_MAX_STORED_EVENTS);
	assert_string_equal(json_string_value(json_object_get(last, "event")), "EventLogTruncated");
	assert_int_equal(json_integer_value(json_object_get(last, "dropped_count")), 5);
	json_decref(json);
	ktstr_captures_deinit(&captures);
}

static void a_tag_that_is_no_text_is_an_event(void **state)
{
	struct ktstr_captures captures = { 0 };

	(void)state;
	store(&captures, "\xff", 1);
	assert_int_equal(json_array_size(captures.snapshots), 0);
	assert_string_equal(text_at(captures.events, 0, "event"), "CaptureUnavailable");
	ktstr_captures_deinit(&captures);
}

static double metric(const json_t *metrics, const char *name)
{
	const json_t *value = json_object_get(metrics, name);

	return value ? json_number_value(value) : NAN;
}

static void watched_variables_become_metrics_by_their_aggregation(void **state)
{
	static const struct ktstr_watch_bpf_map specs[] = {
		{ ".bss", "a", KTSTR_MAP_SCALAR, "mean" },	  { ".bss", "b", KTSTR_MAP_SCALAR_COUNTER, "last" },
		{ "stats", "", KTSTR_MAP_PER_CPU, "cpus" },	  { "stats", "", KTSTR_MAP_PER_CPU_COUNTER, "sum" },
		{ ".bss", "never", KTSTR_MAP_SCALAR, "never" },
	};
	static const uint64_t readings[][2] = { { 1, 7 }, { 4, 2 } };
	struct ktstr_map_watches watches;
	json_t *metrics;

	(void)state;
	ktstr_map_watches_init(&watches, specs, 5);
	for (size_t i = 0; i < 5; i++)
		strcpy(watches.all[i].object, "obj");
	for (size_t reading = 0; reading < 2; reading++) {
		ktstr_map_watch_add(&watches.all[0], readings[reading], 1);
		ktstr_map_watch_add(&watches.all[1], readings[reading], 1);
		ktstr_map_watch_add(&watches.all[2], readings[reading], 2);
		ktstr_map_watch_add(&watches.all[3], readings[reading], 2);
	}
	metrics = ktstr_map_watches_metrics(&watches);
	assert_true(metric(metrics, "obj_mean") == 2.5);
	assert_true(metric(metrics, "obj_last") == 4);
	assert_true(metric(metrics, "obj_cpus_avg") == 3.5);
	assert_true(metric(metrics, "obj_cpus_max") == 7);
	assert_true(metric(metrics, "obj_sum") == 6);
	assert_int_equal(json_object_size(metrics), 5); /* what was never read is absent, not 0 */
	json_decref(metrics);
	ktstr_map_watches_deinit(&watches);
}

static void a_plan_is_read_as_it_is_described(void **state)
{
	json_t *json = json_pack("{si sI s[{ss ss sI}] s[{ss ss si ss}]}", "num_snapshots", 3, "watchdog_timeout_ns",
				 (json_int_t)KTSTR_SEC(2), "bpf_map_write", "map_suffix", ".data", "field", "knob", "value",
				 (json_int_t)UINT32_MAX, "watch_bpf_maps", "map_suffix", ".bss", "field", "nr", "agg",
				 KTSTR_MAP_PER_CPU, "label", "n");
	struct ktstr_observe_plan plan;

	(void)state;
	assert_null(ktstr_observe_plan_read(json, &plan));
	assert_int_equal(plan.num_snapshots, 3);
	assert_true(plan.watchdog_timeout_ns == KTSTR_SEC(2));
	assert_int_equal(plan.map_writes_count, 1);
	assert_string_equal(plan.map_writes[0].field, "knob");
	assert_true(plan.map_writes[0].value == UINT32_MAX);
	assert_int_equal(plan.map_watches[0].agg, KTSTR_MAP_PER_CPU);
	assert_string_equal(plan.map_watches[0].label, "n");
	ktstr_observe_plan_deinit(&plan);
	json_decref(json);
	assert_null(ktstr_observe_plan_read(NULL, &plan));
	assert_int_equal(plan.map_writes_count + plan.map_watches_count + plan.num_snapshots, 0);
	ktstr_observe_plan_deinit(&plan);
}

/* Samples of two CPUs, of which one has `deep` tasks in its local queue. */
static bool look(struct ktstr_reactive *reactive, const uint32_t *deep, size_t count)
{
	struct ktstr_cpu_snapshot cpus[8][2] = { 0 };
	struct ktstr_monitor_sample samples[8] = { 0 };
	struct ktstr_monitor_series series = { samples, count, KTSTR_MS(40) };

	for (size_t i = 0; i < count; i++) {
		samples[i].cpus = cpus[i];
		samples[i].cpus_count = 2;
		cpus[i][1].local_dsq_depth = deep[i];
		cpus[i][0].rq_clock = cpus[i][1].rq_clock = i + 1;
	}
	return ktstr_reactive_look(reactive, &series);
}

static void a_violation_that_lasts_is_captured_once(void **state)
{
	static const uint32_t depths[] = { 99, 99, 0, 99, 99, 99, 99 };
	struct ktstr_reactive reactive = { .thresholds = KTSTR_MONITOR_THRESHOLDS_DEFAULT };

	(void)state;
	reactive.thresholds.sustained_samples = 3;
	assert_false(look(&reactive, depths, 7)); /* nothing is enforced */
	reactive.thresholds.enforce = true;
	assert_false(look(&reactive, depths, 5));
	assert_true(look(&reactive, depths, 6));
	assert_false(look(&reactive, depths, 7));
}

static void a_guest_that_does_not_stop_leaves_a_degraded_dump(void **state)
{
	struct ktstr_session session = { .began_ns = ktstr_now_ns() - KTSTR_SEC(2) };
	json_t *json = ktstr_degraded_dump(&session, "the guest's CPUs did not stop", true);
	char *text = json_dumps(json, 0);
	struct ktstr_failure_dump_any dump;

	(void)state;
	assert_null(ktstr_failure_dump_parse(text, strlen(text), &dump));
	assert_int_equal(dump.schema, KTSTR_DUMP_DEGRADED);
	assert_ptr_equal(strstr(dump.degraded->reason, KTSTR_REASON_DEGRADED_RENDEZVOUS_TIMEOUT), dump.degraded->reason);
	assert_non_null(strstr(dump.degraded->reason, "did not stop"));
	assert_true(dump.degraded->watchpoint_hit);
	assert_string_equal(dump.degraded->bss_latch_state, "not_resolved");
	assert_false(dump.degraded->exit_kind.set);
	assert_true(dump.degraded->elapsed_ms >= 2000);
	ktstr_failure_dump_deinit(&dump);
	free(text);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boundaries_lie_in_the_middle_four_fifths),
		cmocka_unit_test(boundaries_of_long_windows_do_not_overflow),
		cmocka_unit_test(an_empty_window_has_no_boundary),
		cmocka_unit_test(two_timeouts_in_a_row_abandon_the_rest),
		cmocka_unit_test(the_65th_capture_evicts_the_oldest_with_an_event),
		cmocka_unit_test(the_same_tag_replaces_and_becomes_the_newest),
		cmocka_unit_test(a_full_event_log_says_how_much_is_missing),
		cmocka_unit_test(a_tag_that_is_no_text_is_an_event),
		cmocka_unit_test(watched_variables_become_metrics_by_their_aggregation),
		cmocka_unit_test(a_plan_is_read_as_it_is_described),
		cmocka_unit_test(a_violation_that_lasts_is_captured_once),
		cmocka_unit_test(a_guest_that_does_not_stop_leaves_a_degraded_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
