// SPDX-License-Identifier: GPL-2.0-only
/*
 * Declarations: what is inherited from a scheduler, and mistakes that are told before anything boots, by the names
 * of test and field.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "guest/registry.h"
#include "ktstr/test.h"
#include "unit.h"

static void body(struct ktstr_ctx *ctx)
{
	(void)ctx;
}

static const struct ktstr_scheduler wide = {
	.name = "wide",
	.binary = "scx_wide",
	.args = KTSTR_ARGS("-v"),
	.topology = { .llcs = 4, .threads_per_core = 2 },
	.checks = { .not_stuck = KTSTR_ON, .isolation = KTSTR_ON, .max_spread_pct = KTSTR_SOME(20.0) },
};

static void expect_error(const struct ktstr_test_entry *test, const char *part, const char *other)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_test_entry_validate(test);

	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	if (!strstr(ktstr_error_message(error), part) || !strstr(ktstr_error_message(error), other))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", ktstr_error_message(error), part, other);
}

static void names(void **state)
{
	(void)state;
	expect_error(&(struct ktstr_test_entry){ .name = "a/b", .body = body }, "\"a/b\"", ".name");
	expect_error(&(struct ktstr_test_entry){ .name = "a\\b", .body = body }, "\"a\\b\"", ".name");
	expect_error(&(struct ktstr_test_entry){ .name = "", .body = body }, "test \"\"", ".name");
	expect_error(&(struct ktstr_test_entry){ .body = body }, "test \"\"", ".name");
	expect_error(&(struct ktstr_test_entry){ .name = "t" }, "test t", ".body");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .rt_app = "" }, "test t", ".rt_app is empty");
	assert_null(ktstr_test_entry_validate(&(struct ktstr_test_entry){ .name = "t", .body = body }));
}

static void topologies(void **state)
{
	(void)state;
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .topology = { .numa_nodes = 3, .llcs = 4 } },
		     "test t: .topology", "4 LLCs");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .topology = { .cores_per_llc = (unsigned int)-1 } },
		     "test t: .topology", "axis c");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .topology = { .llcs = 1024, .cores_per_llc = 2 } },
		     "test t: .topology", "2048 CPUs");
	/* The sum of what a scheduler gives and a test changes is what must fit. */
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &wide,
						 .topology = { .numa_nodes = 3 } },
		     "test t: .topology", "4 LLCs");
}

static void explicit_nodes(void **state)
{
	static const struct ktstr_numa_node none[] = { { .llcs = 0, .memory_mib = 512 } };
	static const struct ktstr_numa_node dry[] = { { .llcs = 1, .memory_mib = 0 } };

	(void)state;
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .topology = { .nodes = none, .nodes_count = 1 } },
		     "test t: .topology", "");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .topology = { .nodes = dry, .nodes_count = 1 } },
		     "test t: .topology", "memory");
}

static void thresholds(void **state)
{
	static const struct ktstr_scheduler bad = { .name = "bad", .binary = "b",
						    .checks = { .min_work_rate = KTSTR_SOME(-1.0) } };

	(void)state;
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .checks = { .max_spread_pct = { true, NAN } } },
		     "test t: .checks", "max_spread_pct");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .checks = { .min_work_rate = KTSTR_SOME(-0.5) } },
		     "test t: .checks", "min_work_rate");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &bad },
		     "test t: .scheduler: scheduler bad: .checks", "min_work_rate");
}

static void constraints(void **state)
{
	static const struct ktstr_scheduler narrow = { .name = "narrow", .binary = "b", .constraints = { .max_llcs = 3 } };
	static const struct ktstr_scheduler crossed = { .name = "crossed", .binary = "b",
							.constraints = { .min_cpus = 3, .max_cpus = 2 } };

	(void)state;
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .constraints = { .min_llcs = 4, .max_llcs = 2 } },
		     "test t: .constraints", "max_llcs (2)");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .constraints = { .min_cpus = 9, .max_cpus = 8 } },
		     "test t: .constraints", "max_cpus (8)");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body,
						 .constraints = { .min_numa_nodes = 2, .max_numa_nodes = 1 } },
		     "test t: .constraints", "max_numa_nodes (1)");
	assert_null(ktstr_test_entry_validate(&(struct ktstr_test_entry){
		.name = "t", .body = body, .constraints = { .min_llcs = 4, .max_llcs = KTSTR_NO_MAX } }));
	/* A test stands for what its scheduler sets, too. */
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &narrow,
						 .constraints = { .min_llcs = 4 } },
		     "test t: .constraints", ".max_llcs (3, the scheduler's)");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &crossed,
						 .constraints = { .max_cpus = 8 } },
		     "test t: .scheduler: scheduler crossed: .constraints", ".max_cpus (2) is below .min_cpus (3)");
}

static void schedulers(void **state)
{
	static const struct ktstr_scheduler nameless = { .binary = "b" };
	static const struct ktstr_scheduler empty = { .name = "empty", .binary = "" };

	(void)state;
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &nameless },
		     "test t: .scheduler", ".name");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &empty },
		     "scheduler empty", ".binary");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .extra_sched_args = KTSTR_ARGS("-v") },
		     "test t: .extra_sched_args", "scheduler eevdf is no program that would read them");
	expect_error(&(struct ktstr_test_entry){ .name = "t", .body = body, .scheduler = &wide,
						 .staged_schedulers = KTSTR_SCHEDULERS(&wide) },
		     "test t: .staged_schedulers", "scheduler wide is the test's own .scheduler");
}

static void shape_of(const struct ktstr_test_entry *test, const char *shape)
{
	struct ktstr_topology topology = ktstr_test_topology_of(test);
	char text[KTSTR_TOPOLOGY_TEXT_BYTES];

	assert_string_equal(ktstr_topology_format(&topology, text), shape);
}

static void topology_is_inherited_by_field(void **state)
{
	(void)state;
	shape_of(&(struct ktstr_test_entry){ .name = "t" }, "1n1l2c1t");
	shape_of(&(struct ktstr_test_entry){ .name = "t", .scheduler = &wide }, "1n4l2c2t");
	shape_of(&(struct ktstr_test_entry){ .name = "t", .scheduler = &wide,
					     .topology = { .llcs = 2, .cores_per_llc = 3 } },
		 "1n2l3c2t");
	shape_of(&(struct ktstr_test_entry){ .name = "t", .topology = { .numa_nodes = 2 } }, "2n2l2c1t");
}

static void checks_are_inherited_by_field(void **state)
{
	struct ktstr_test_entry test = { .name = "t",
					 .scheduler = &wide,
					 .checks = { .isolation = KTSTR_OFF, .max_spread_pct = KTSTR_SOME(50.0),
						     .max_gap_ms = KTSTR_SOME(100) } };
	struct ktstr_assert checks = ktstr_test_checks_of(&test);

	(void)state;
	assert_int_equal(checks.not_stuck, KTSTR_ON);
	assert_int_equal(checks.isolation, KTSTR_OFF);
	assert_true(checks.max_spread_pct.set && checks.max_spread_pct.value == 50.0);
	assert_true(checks.max_gap_ms.set && checks.max_gap_ms.value == 100);
	assert_false(checks.min_work_rate.set);
	test.scheduler = NULL;
	checks = ktstr_test_checks_of(&test);
	assert_int_equal(checks.not_stuck, KTSTR_UNSET);
}

/* Two tests of one name, a sound one and one that cannot run, two schedulers. */
static const struct ktstr_test_entry first = { .name = "same", .file = "f.c", .line = 7, .body = body,
					       .scheduler = &wide, .extra_sched_args = KTSTR_ARGS("-x") };
static const struct ktstr_test_entry second = { .name = "same", .file = "f.c", .line = 9, .body = body };
static const struct ktstr_test_entry broken = { .name = "broken", .file = "f.c", .body = body,
						.topology = { .numa_nodes = 2, .llcs = 3 } };
static const struct ktstr_test_entry demo = { .name = "demo_one", .file = "f.c", .body = body };
static const struct ktstr_test_entry *const tests_[] = { &first, &second, &broken, &demo };
static const struct ktstr_scheduler *const schedulers_[] = { &wide };

static int fill_registry(void **state)
{
	(void)state;
	ktstr_registry = (struct ktstr_registry){ tests_, tests_ + 4, schedulers_, schedulers_ + 1 };
	return 0;
}

static int empty_registry(void **state)
{
	(void)state;
	ktstr_registry = (struct ktstr_registry){ 0 };
	return 0;
}

static void lookups(void **state)
{
	(void)state;
	assert_ptr_equal(ktstr_find_test("same"), &first);
	assert_ptr_equal(ktstr_find_test("demo_one"), &demo);
	assert_null(ktstr_find_test("sam"));
	assert_ptr_equal(ktstr_find_scheduler("wide"), &wide);
	assert_ptr_equal(ktstr_find_scheduler("eevdf"), &KTSTR_SCHED_EEVDF);
	assert_null(ktstr_find_scheduler("none"));
}

static void description(void **state)
{
	json_t *json = ktstr_registry_describe(), *tests, *errors, *test, *args;

	(void)state;
	tests = json_object_get(json, "tests");
	errors = json_object_get(json, "errors");
	assert_int_equal(json_array_size(tests), 2);
	test = json_array_get(tests, 0);
	assert_string_equal(json_string_value(json_object_get(test, "name")), "same");
	assert_int_equal(json_integer_value(json_object_get(test, "line")), 7);
	assert_string_equal(json_string_value(json_object_get(json_object_get(test, "topology"), "shape")),
			    "1n4l2c2t");
	assert_int_equal(json_integer_value(json_object_get(test, "duration_ns")), 12000000000);
	args = json_object_get(json_object_get(test, "scheduler"), "args");
	assert_int_equal(json_array_size(args), 2);
	assert_string_equal(json_string_value(json_array_get(args, 1)), "-x");
	/* demo_* are shown, and run only when named. */
	assert_true(json_is_true(json_object_get(json_array_get(tests, 1), "ignore")));
	assert_int_equal(json_array_size(errors), 1);
	assert_non_null(strstr(json_string_value(json_array_get(errors, 0)), "test broken: .topology"));
	json_decref(json);
}

/* Rather than to leave the test out in silence. */
static void what_json_cannot_say_is_an_error(void **state)
{
	static const struct ktstr_test_entry latin1 = { .name = "latin1", .body = body, .description = "caf\xe9" };
	static const struct ktstr_test_entry *const entries[] = { &latin1 };
	json_t *json, *errors;

	(void)state;
	ktstr_registry = (struct ktstr_registry){ entries, entries + 1, NULL, NULL };
	json = ktstr_registry_describe();
	errors = json_object_get(json, "errors");
	assert_int_equal(json_array_size(json_object_get(json, "tests")), 0);
	assert_int_equal(json_array_size(errors), 1);
	assert_non_null(strstr(json_string_value(json_array_get(errors, 0)), "test latin1: a text"));
	json_decref(json);
	ktstr_registry = (struct ktstr_registry){ 0 };
}

static void captures_must_fit_into_the_duration(void **state)
{
	struct ktstr_test_entry test = { .name = "t", .body = body, .duration = KTSTR_SEC(10), .num_snapshots = 64 };

	(void)state;
	assert_null(ktstr_test_entry_validate(&test));
	test.num_snapshots = 65;
	expect_error(&test, "test t", ".num_snapshots is 65, at most 64");
	test.num_snapshots = 7;
	test.duration = KTSTR_SEC(1); /* 0.8 s / 8 = 100 ms */
	assert_null(ktstr_test_entry_validate(&test));
	test.num_snapshots = 8;
	expect_error(&test, "test t", "are 88 ms apart, at least 100");
}

static void writes_and_watches_of_maps_name_what_can_be_found(void **state)
{
	struct ktstr_test_entry write = { .name = "w", .body = body, .scheduler = &wide };
	struct ktstr_test_entry watch = { .name = "w", .body = body };
	static const char *const bad[] = { "bss", ".", "..", ".b s", ".a/b", ".a\\b" };

	(void)state;
	write.bpf_map_write = KTSTR_BPF_MAP_WRITES({ ".data", "knob", 1 });
	assert_null(ktstr_test_entry_validate(&write));
	write.scheduler = NULL;
	expect_error(&write, ".bpf_map_write", "EEVDF has no BPF maps");
	write.scheduler = &wide;
	write.bpf_map_write = KTSTR_BPF_MAP_WRITES({ ".data", "", 1 });
	expect_error(&write, ".bpf_map_write", ".field is missing");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write.bpf_map_write = KTSTR_BPF_MAP_WRITES({ bad[i], "knob", 1 });
		expect_error(&write, ".bpf_map_write", bad[i]);
	}
	watch.watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "a", KTSTR_MAP_SCALAR, "x" },
						    { "stats", "", KTSTR_MAP_PER_CPU, "y" });
	assert_null(ktstr_test_entry_validate(&watch));
	watch.watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "a", KTSTR_MAP_SCALAR, "x" },
						    { ".bss", "b", KTSTR_MAP_SCALAR, "x" });
	expect_error(&watch, ".watch_bpf_maps", "label \"x\" is given twice");
	watch.watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "", KTSTR_MAP_SCALAR, "x" });
	expect_error(&watch, ".watch_bpf_maps", ".field is missing");
	watch.watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "a", KTSTR_MAP_SCALAR, "" });
	expect_error(&watch, ".watch_bpf_maps", ".label is missing");
	watch.watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "a", (enum ktstr_bpf_map_agg)99, "x" });
	expect_error(&watch, ".watch_bpf_maps", ".agg is none of");
}

static void survives_storm_needs_a_scheduler_and_excludes_expect_err(void **state)
{
	const struct ktstr_scheduler builtin = { .name = "b", .enable = KTSTR_ARGS("x") };
	struct ktstr_test_entry test = { .name = "t", .body = body, .survives_storm = true, .scheduler = &wide };

	(void)state;
	assert_null(ktstr_test_entry_validate(&test));
	test.expect_err = true;
	expect_error(&test, "test t", ".survives_storm excludes .expect_err");
	test.expect_err = false;
	test.scheduler = &builtin;
	expect_error(&test, "test t", ".survives_storm needs a .scheduler");
	test.scheduler = NULL;
	expect_error(&test, "test t", ".survives_storm needs a .scheduler");
}

static void host_only_excludes_what_is_of_a_vm(void **state)
{
	const struct ktstr_test_entry sound = { .name = "t", .body = body, .host_only = true };
	struct ktstr_test_entry test = sound;

	(void)state;
	assert_null(ktstr_test_entry_validate(&test));
	test.topology.llcs = 2;
	expect_error(&test, "test t", ".host_only excludes .topology");
	test = sound;
	test.num_snapshots = 1;
	expect_error(&test, "test t", ".host_only excludes .num_snapshots");
	test = sound;
	test.watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "a", KTSTR_MAP_SCALAR, "x" });
	expect_error(&test, "test t", ".host_only excludes .watch_bpf_maps");
	test = sound;
	test.watchdog_timeout = KTSTR_SEC(3);
	expect_error(&test, "test t", ".host_only excludes .watchdog_timeout");
	test = sound;
	test.cleanup_budget = KTSTR_SEC(3);
	expect_error(&test, "test t", ".host_only excludes .cleanup_budget");
	test = sound;
	test.scheduler = &wide;
	expect_error(&test, "test t", ".host_only excludes .scheduler");
}

static void run_modes_exclude_each_other(void **state)
{
	const struct ktstr_test_entry plain = { .name = "t", .body = body };
	struct ktstr_test_entry test = plain;

	(void)state;
	test.performance_mode = true;
	assert_null(ktstr_test_entry_validate(&test));
	test.no_perf_mode = true;
	expect_error(&test, "test t", ".performance_mode excludes .no_perf_mode");
	test.no_perf_mode = false;
	test.deterministic = true;
	expect_error(&test, "test t", ".performance_mode excludes .deterministic");
	test = plain;
	test.no_perf_mode = true;
	assert_null(ktstr_test_entry_validate(&test));
	test.cpu_budget = 3;
	assert_null(ktstr_test_entry_validate(&test));
	test.no_perf_mode = false;
	expect_error(&test, "test t", ".cpu_budget needs .no_perf_mode");
	test = plain;
	test.host_only = true;
	test.performance_mode = true;
	expect_error(&test, "test t", ".host_only excludes .performance_mode");
	test.performance_mode = false;
	test.no_perf_mode = true;
	expect_error(&test, "test t", ".host_only excludes .no_perf_mode");
}

static void perf_delta_assertions_name_test_and_field(void **state)
{
	struct ktstr_test_entry test = { .name = "t", .body = body };

	(void)state;
	test.performance_mode = true;
	test.perf_delta_assertions = KTSTR_PERF_DELTA_ASSERTIONS({ "iteration_rate", .max_regression_pct = KTSTR_SOME(5) },
								 { "iteration_rate", .phase = KTSTR_SOME(1) });
	assert_null(ktstr_test_entry_validate(&test));
	test.performance_mode = false;
	expect_error(&test, "test t: .perf_delta_assertions", "needs .performance_mode: only such runs are compared");
	test.performance_mode = true;
	test.perf_delta_assertions = KTSTR_PERF_DELTA_ASSERTIONS({ "iteration_rate" }, { "iteration_rate" });
	expect_error(&test, "test t: .perf_delta_assertions", "iteration_rate is asserted twice");
	test.perf_delta_assertions = KTSTR_PERF_DELTA_ASSERTIONS({ "" });
	expect_error(&test, "test t: .perf_delta_assertions", ".metric is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(topologies),
		cmocka_unit_test(explicit_nodes),
		cmocka_unit_test(thresholds),
		cmocka_unit_test(constraints),
		cmocka_unit_test(schedulers),
		cmocka_unit_test(topology_is_inherited_by_field),
		cmocka_unit_test(checks_are_inherited_by_field),
		cmocka_unit_test_setup_teardown(lookups, fill_registry, empty_registry),
		cmocka_unit_test_setup_teardown(description, fill_registry, empty_registry),
		cmocka_unit_test(what_json_cannot_say_is_an_error),
		cmocka_unit_test(captures_must_fit_into_the_duration),
		cmocka_unit_test(writes_and_watches_of_maps_name_what_can_be_found),
		cmocka_unit_test(survives_storm_needs_a_scheduler_and_excludes_expect_err),
		cmocka_unit_test(host_only_excludes_what_is_of_a_vm),
		cmocka_unit_test(run_modes_exclude_each_other),
		cmocka_unit_test(perf_delta_assertions_name_test_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
