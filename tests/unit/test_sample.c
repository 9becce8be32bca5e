// SPDX-License-Identifier: GPL-2.0-only
/* Series of samples and what is projected out of them; the bridge that stores captures. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ktstr/monitor.h"
#include "ktstr/snapshot_bridge.h"
#include "unit.h"

/* A dump of a scheduler whose `count` is the number, with maps at kva. */
static struct ktstr_failure_dump *dump_with(unsigned int count, unsigned int kva)
{
	_cleanup_free_ char *json = ktstr_xasprintf(
		"{\"schema\":\"single\",\"active_obj_name\":\"foo\",\"active_map_kvas\":[\"0x%x\"],\"maps\":[{\"name\":\"foo.bss\","
		"\"map_kva\":\"0x%x\",\"map_type\":\"array\",\"value_size\":8,\"max_entries\":1,\"value\":{\"kind\":\"struct\","
		"\"members\":[{\"name\":\"count\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":%u}},"
		"{\"name\":\"half\",\"value\":{\"kind\":\"float\",\"bits\":64,\"value\":0.5}}]}},"
		"{\"name\":\"p\",\"map_type\":\"percpu_array\",\"value_size\":8,\"max_entries\":1,\"percpu_entries\":[{\"key\":0,"
		"\"per_cpu\":[{\"kind\":\"struct\",\"members\":[{\"name\":\"n\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":%u}}]},"
		"{\"kind\":\"struct\",\"members\":[{\"name\":\"n\",\"value\":{\"kind\":\"uint\",\"bits\":64,\"value\":1}}]}]}]}]}",
		kva, kva, count, count);
	struct ktstr_failure_dump_any dump;
	struct ktstr_error *error = ktstr_failure_dump_parse(json, strlen(json), &dump);

	if (error)
		fail_msg("%s", ktstr_error_message(error));
	return dump.single;
}

static struct ktstr_sample sample_of(const char *tag, struct ktstr_failure_dump *dump, uint64_t ms, uint32_t step)
{
	return (struct ktstr_sample){ .tag = ktstr_xstrdup(tag), .dump = dump, .elapsed_ms = { true, ms },
				      .step_index = { true, step } };
}

/* periodic_000 (5, step 0), by_hand (6, step 0), periodic_001 (placeholder, step 1), periodic_002 (9, step 1). */
static struct ktstr_sample_series *four_samples(void)
{
	struct ktstr_sample samples[] = {
		sample_of("periodic_000", dump_with(5, 0x1000), 100, 0),
		sample_of("by_hand", dump_with(6, 0x1000), 150, 0),
		sample_of("periodic_001", ktstr_failure_dump_placeholder("the guest did not stop"), 200, 1),
		sample_of("periodic_002", dump_with(9, 0x2000), 300, 1),
	};

	samples[0].stats = json_loads("{\"llc\":{\"nr\":3,\"name\":\"x\"}}", 0, NULL);
	samples[3].boundary_offset_ms = (struct ktstr_opt_u64){ true, 250 };
	return ktstr_sample_series_from_drained(samples, 4);
}

static void live_variables_become_columns(void **state)
{
	struct ktstr_sample_series *series = four_samples();
	struct ktstr_series_u64 column;

	(void)state;
	ktstr_sample_series_bpf_live_u64(series, "count", &column);
	assert_int_equal(column.count, 4);
	assert_string_equal(column.label, "count");
	assert_string_equal(column.tags[1], "by_hand");
	assert_int_equal(column.elapsed_ms[3].value, 300);
	assert_int_equal(column.values[0], 5);
	assert_null(column.errors[0]);
	assert_string_equal(column.errors[2], "sample periodic_001 is a placeholder: the guest did not stop");
	assert_int_equal(column.values[3], 9);
	assert_int_equal(column.phases[3].value, 1);
	ktstr_series_u64_deinit(&column);
	ktstr_sample_series_bpf_live_u64(series, "cout", &column);
	assert_non_null(strstr(column.errors[0], "did you mean \"count\"?"));
	ktstr_series_u64_deinit(&column);
	ktstr_sample_series_destroy(series);
}

static void a_scheduler_that_changes_within_a_phase_is_an_error(void **state)
{
	struct ktstr_sample samples[] = {
		sample_of("a", dump_with(1, 0x1000), 1, 1), sample_of("b", dump_with(2, 0x2000), 2, 1),
		sample_of("c", dump_with(3, 0x2000), 3, 2),
	};
	struct ktstr_sample_series *series = ktstr_sample_series_from_drained(samples, 3);
	struct ktstr_series_u64 column;

	(void)state;
	ktstr_sample_series_bpf_live_u64(series, "count", &column);
	assert_null(column.errors[0]);
	assert_string_equal(column.errors[1], "the scheduler was another one earlier in phase 1: maps 0x1000 then, 0x2000");
	assert_null(column.errors[2]);
	ktstr_series_u64_deinit(&column);
	ktstr_sample_series_destroy(series);
}

static void periodic_ones_and_phases(void **state)
{
	static const struct ktstr_step_start starts[] = { { 100, 1 }, { 240, 2 }, { 260, 3 } };
	struct ktstr_sample_series *series = four_samples(), *periodic = ktstr_sample_series_periodic_ref(series);

	(void)state;
	assert_int_equal(ktstr_sample_series_len(periodic), 3);
	assert_string_equal(ktstr_sample_series_at(periodic, 1)->tag, "periodic_001");
	ktstr_sample_series_destroy(periodic);
	ktstr_sample_series_by_stimulus_phase(series, starts, 3);
	assert_int_equal(ktstr_sample_series_phase(series, 3).value, 2);
	assert_int_equal(ktstr_sample_series_phase(series, 2).value, 1); /* no due time: its stamp */
	ktstr_sample_series_by_stimulus_phase(series, starts + 2, 1);
	assert_int_equal(ktstr_sample_series_phase(series, 3).value, 0);
	series = ktstr_sample_series_periodic_only(series);
	assert_int_equal(ktstr_sample_series_len(series), 3);
	ktstr_sample_series_destroy(series);
}

static const struct ktstr_snapshot_error *count_is_odd(const struct ktstr_snapshot *snapshot, void *context, bool *odd)
{
	uint64_t count;
	const struct ktstr_snapshot_error *error = ktstr_snapshot_field_as_u64(ktstr_snapshot_var(snapshot, "count"), &count);

	(void)context;
	*odd = count % 2;
	return error;
}

static void functions_and_statistics(void **state)
{
	struct ktstr_sample_series *series = four_samples();
	struct ktstr_stats_path_projector llc = ktstr_sample_series_stats_path(series, "llc");
	struct ktstr_series_bool odd;
	struct ktstr_series_u64 nr, *all;
	size_t count;
	char **names;

	(void)state;
	ktstr_sample_series_bpf_bool(series, "odd", count_is_odd, NULL, &odd);
	assert_true(odd.values[0] && !odd.values[1] && odd.errors[2] && odd.values[3]);
	ktstr_series_bool_deinit(&odd);
	ktstr_stats_path_projector_field_u64(&llc, "nr", &nr);
	assert_int_equal(nr.values[0], 3);
	assert_string_equal(nr.label, "llc.nr");
	assert_non_null(strstr(nr.errors[1], "NoSchedulerBinary"));
	ktstr_series_u64_deinit(&nr);
	names = ktstr_stats_path_projector_key_names(&llc, &count);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "name");
	free(names[0]), free(names[1]), free(names);
	all = ktstr_stats_path_projector_u64_fields(&llc, &count); /* the name is no number */
	assert_int_equal(count, 1);
	ktstr_series_u64_deinit(&all[0]);
	free(all);
	ktstr_stats_path_projector_deinit(&llc);
	ktstr_sample_series_destroy(series);
}

static void maps_over_samples(void **state)
{
	struct ktstr_sample_series *series = four_samples();
	struct ktstr_bpf_map_projector p = ktstr_sample_series_bpf_map(series, "p");
	struct ktstr_series_u64 column, *all;
	size_t count;

	(void)state;
	ktstr_bpf_map_projector_field_u64(p, "n", &column);
	assert_non_null(strstr(column.errors[0], "choose one with cpu(n)"));
	ktstr_series_u64_deinit(&column);
	ktstr_bpf_map_cpu_projector_field_u64(ktstr_bpf_map_projector_cpu(p, 0), "n", &column);
	assert_int_equal(column.values[3], 9);
	assert_string_equal(column.label, "p[0] cpu 0: n");
	ktstr_series_u64_deinit(&column);
	ktstr_bpf_map_projector_field_cpu_sum_u64(p, "n", &column);
	assert_int_equal(column.values[3], 10);
	assert_non_null(column.errors[2]);
	ktstr_series_u64_deinit(&column);
	ktstr_bpf_map_projector_field_u64(ktstr_bpf_map_projector_at(p, 4), "n", &column);
	assert_non_null(strstr(column.errors[0], "no entry 4"));
	ktstr_series_u64_deinit(&column);
	all = ktstr_bpf_map_projector_u64_fields(ktstr_sample_series_bpf_map(series, "foo.bss"), &count);
	assert_int_equal(count, 1); /* half is no u64 */
	assert_int_equal(all[0].values[0], 5);
	ktstr_series_u64_deinit(&all[0]);
	free(all);
	ktstr_sample_series_destroy(series);
}

static void variables_are_picked_together(void **state)
{
	static const char *const names[] = { "count" };
	struct ktstr_sample_series *series = four_samples();
	struct ktstr_series_u64 columns[1];

	(void)state;
	ktstr_sample_series_live_bpf_vars_via(series, names, 1, ktstr_snapshot_max_by_sum_u64, NULL, columns);
	assert_int_equal(columns[0].values[1], 6);
	assert_non_null(columns[0].errors[2]);
	ktstr_series_u64_deinit(&columns[0]);
	ktstr_sample_series_destroy(series);
}

static struct ktstr_failure_dump *capture(const char *tag, void *context)
{
	(void)context;
	return strcmp(tag, "none") ? dump_with(1, 0x1000) : NULL;
}

static void the_bridge_stores_and_tells(void **state)
{
	struct ktstr_snapshot_bridge *bridge = ktstr_snapshot_bridge_new(capture, NULL);
	struct ktstr_bridge_event *events;
	struct ktstr_sample *samples;
	struct ktstr_error *error;
	size_t count;
	char tag[32];

	(void)state;
	error = ktstr_snapshot_bridge_capture(bridge, "none");
	assert_non_null(error);
	ktstr_error_free(error);
	for (int i = 0; i < KTSTR_MAX_STORED_SNAPSHOTS + 1; i++) {
		snprintf(tag, sizeof(tag), "periodic_%03d", i);
		assert_null(ktstr_snapshot_bridge_capture(bridge, tag));
	}
	assert_null(ktstr_snapshot_bridge_capture(bridge, "periodic_005"));
	assert_int_equal(ktstr_snapshot_bridge_len(bridge), KTSTR_MAX_STORED_SNAPSHOTS);
	assert_int_equal(ktstr_snapshot_bridge_periodic_real_count(bridge), KTSTR_MAX_STORED_SNAPSHOTS);
	assert_false(ktstr_snapshot_bridge_has(bridge, "periodic_000"));
	events = ktstr_snapshot_bridge_drain_events(bridge, &count);
	assert_int_equal(count, 3);
	assert_int_equal(events[0].kind, KTSTR_BRIDGE_CAPTURE_UNAVAILABLE);
	assert_int_equal(events[1].kind, KTSTR_BRIDGE_EVICTION);
	assert_string_equal(events[1].tag, "periodic_000");
	assert_string_equal(events[1].detail, "periodic_064");
	assert_int_equal(events[2].kind, KTSTR_BRIDGE_OVERWRITE);
	for (size_t i = 0; i < count; i++)
		ktstr_bridge_event_deinit(&events[i]);
	free(events);
	samples = ktstr_snapshot_bridge_drain_ordered_with_stats(bridge, &count);
	assert_int_equal(count, KTSTR_MAX_STORED_SNAPSHOTS);
	assert_string_equal(samples[count - 1].tag, "periodic_005"); /* the newest */
	for (size_t i = 0; i < count; i++)
		ktstr_sample_deinit(&samples[i]);
	free(samples);
	assert_int_equal(ktstr_snapshot_bridge_len(bridge), 0);
	ktstr_snapshot_bridge_unref(bridge);
}

static void events_beyond_the_cap_are_counted(void **state)
{
	struct ktstr_snapshot_bridge *bridge = ktstr_snapshot_bridge_new(NULL, NULL);
	struct ktstr_bridge_event *events;
	size_t count;

	(void)state;
	for (int i = 0; i < KTSTR_MAX_STORED_EVENTS + 5; i++)
		ktstr_error_free(ktstr_snapshot_bridge_capture(bridge, "x"));
	events = ktstr_snapshot_bridge_drain_events(bridge, &count);
	assert_int_equal(count, KTSTR_MAX_STORED_EVENTS + 1);
	assert_int_equal(events[count - 1].kind, KTSTR_BRIDGE_EVENT_LOG_TRUNCATED);
	assert_int_equal(events[count - 1].number, 5);
	for (size_t i = 0; i < count; i++)
		ktstr_bridge_event_deinit(&events[i]);
	free(events);
	ktstr_snapshot_bridge_unref(bridge);
}

static struct ktstr_error *watch(const char *symbol, void *context)
{
	(void)context;
	return strcmp(symbol, "jiffies_65") ? NULL : ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no such symbol");
}

static void watches_are_few(void **state)
{
	struct ktstr_snapshot_bridge *bridge = ktstr_snapshot_bridge_new(NULL, NULL);
	struct ktstr_error *error = ktstr_snapshot_bridge_watch(bridge, "a");

	(void)state;
	assert_non_null(strstr(ktstr_error_message(error), "nothing here can watch"));
	ktstr_error_free(error);
	ktstr_snapshot_bridge_with_watch_register(bridge, watch, NULL);
	error = ktstr_snapshot_bridge_watch(bridge, "jiffies_65"); /* uses up no place */
	assert_non_null(error);
	ktstr_error_free(error);
	for (int i = 0; i < KTSTR_MAX_WATCH_SNAPSHOTS; i++)
		assert_null(ktstr_snapshot_bridge_watch(bridge, "jiffies_64"));
	error = ktstr_snapshot_bridge_watch(bridge, "jiffies_64");
	assert_non_null(strstr(ktstr_error_message(error), "at most 3"));
	ktstr_error_free(error);
	ktstr_snapshot_bridge_unref(bridge);
}

static void guards_nest(void **state)
{
	struct ktstr_snapshot_bridge *one = ktstr_snapshot_bridge_new(NULL, NULL), *two = ktstr_snapshot_bridge_new(NULL, NULL);
	struct ktstr_bridge_guard outer = ktstr_snapshot_bridge_set_thread_local(one), inner;

	(void)state;
	inner = ktstr_snapshot_bridge_set_thread_local(two);
	assert_ptr_equal(ktstr_snapshot_bridge_current(), two);
	ktstr_bridge_guard_release(&inner);
	assert_ptr_equal(ktstr_snapshot_bridge_current(), one);
	ktstr_bridge_guard_release(&outer);
	assert_null(ktstr_snapshot_bridge_current());
	ktstr_snapshot_bridge_unref(one);
	ktstr_snapshot_bridge_unref(two);
}

static void a_run_leaves_json(void **state)
{
	json_t *json = json_loads("{\"snapshots\":[{\"tag\":\"s\",\"report\":{\"schema\":\"single\"},\"elapsed_ms\":7,\"step_index\":2}],"
				  "\"kernel_ops\":[{\"tag\":\"k\",\"values\":[5]}],"
				  "\"cgroup_procs\":[{\"tag\":\"c\",\"cgroup\":\"cg_0\",\"pids\":[3,4]},{\"tag\":\"c\",\"cgroup\":\"cg_1\"}]}",
				  0, NULL);
	json_t *bad = json_loads("{\"snapshots\":[{\"tag\":\"s\",\"report\":{\"schema\":\"dual\"}}]}", 0, NULL);
	struct ktstr_snapshot_bridge *bridge;
	struct ktstr_error *error;

	(void)state;
	assert_null(ktstr_snapshot_bridge_from_json(json, &bridge));
	assert_true(ktstr_snapshot_bridge_has(bridge, "s"));
	assert_int_equal(json_integer_value(json_array_get(ktstr_snapshot_bridge_kernel_op_value(bridge, "k"), 0)), 5);
	assert_int_equal(ktstr_snapshot_bridge_cgroup_procs_by_tag(bridge, "c")->pids[1], 4);
	assert_null(ktstr_snapshot_bridge_cgroup_procs_by_tag(bridge, "d"));
	ktstr_snapshot_bridge_unref(bridge);
	error = ktstr_snapshot_bridge_from_json(bad, &bridge);
	assert_non_null(strstr(ktstr_error_message(error), "snapshots[0]: report"));
	ktstr_error_free(error);
	json_decref(json);
	json_decref(bad);
}

static bool user_ns(const struct ktstr_per_cpu_time_stats *time, void *context, uint64_t *value)
{
	(void)context;
	*value = time->cpustat_user_ns;
	return true;
}

static bool iowait_ns(const struct ktstr_per_cpu_time_stats *time, void *context, uint64_t *value)
{
	(void)context;
	*value = time->iowait_sleeptime_ns.value;
	return time->iowait_sleeptime_ns.set;
}

static struct ktstr_failure_dump *dump_with_cpu(void)
{
	static const char json[] = "{\"schema\":\"single\",\"per_cpu_time\":[{\"cpu\":1,\"cpustat_user_ns\":70,\"cpustat_nice_ns\":0,"
				   "\"cpustat_system_ns\":0,\"cpustat_softirq_ns\":0,\"cpustat_irq_ns\":0,\"cpustat_idle_ns\":0,"
				   "\"cpustat_iowait_ns\":0,\"cpustat_steal_ns\":0,\"softirqs\":[],\"irqs_sum\":0}]}";
	struct ktstr_failure_dump_any dump;
	struct ktstr_error *error = ktstr_failure_dump_parse(json, strlen(json), &dump);

	if (error)
		fail_msg("%s", ktstr_error_message(error));
	return dump.single;
}

static void what_the_host_saw_of_a_cpu_and_of_the_run(void **state)
{
	struct ktstr_monitor_summary monitor = { .total_samples = 9 };
	struct ktstr_sample samples[] = { sample_of("periodic_000", dump_with_cpu(), 100, 0),
					  sample_of("periodic_001", ktstr_failure_dump_placeholder("no"), 200, 0) };
	struct ktstr_sample_series *series = ktstr_sample_series_from_drained_typed(samples, 2, &monitor);
	struct ktstr_sample_series *periodic = ktstr_sample_series_periodic_ref(series);
	struct ktstr_series_u64 column;

	(void)state;
	assert_int_equal(ktstr_sample_series_monitor(periodic)->total_samples, 9);
	ktstr_sample_series_destroy(periodic);
	ktstr_sample_series_host_u64(series, "user", 1, user_ns, NULL, &column);
	assert_null(column.errors[0]);
	assert_int_equal(column.values[0], 70);
	assert_non_null(strstr(column.errors[1], "is a placeholder"));
	ktstr_series_u64_deinit(&column);
	ktstr_sample_series_host_u64(series, "user", 0, user_ns, NULL, &column);
	assert_string_equal(column.errors[0], "sample periodic_000 has nothing about CPU 0");
	ktstr_series_u64_deinit(&column);
	ktstr_sample_series_host_u64(series, "iowait", 1, iowait_ns, NULL, &column);
	assert_non_null(strstr(column.errors[0], "CPU 1"));
	ktstr_series_u64_deinit(&column);
	ktstr_sample_series_destroy(series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_variables_become_columns),
		cmocka_unit_test(a_scheduler_that_changes_within_a_phase_is_an_error),
		cmocka_unit_test(periodic_ones_and_phases),
		cmocka_unit_test(functions_and_statistics),
		cmocka_unit_test(maps_over_samples),
		cmocka_unit_test(what_the_host_saw_of_a_cpu_and_of_the_run),
		cmocka_unit_test(variables_are_picked_together),
		cmocka_unit_test(the_bridge_stores_and_tells),
		cmocka_unit_test(events_beyond_the_cap_are_counted),
		cmocka_unit_test(watches_are_few),
		cmocka_unit_test(guards_nest),
		cmocka_unit_test(a_run_leaves_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
