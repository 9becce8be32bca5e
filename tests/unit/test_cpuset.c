// SPDX-License-Identifier: GPL-2.0-only
/* CPU sets: operations, list text, and specs validated and resolved against a topology. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ktstr/cpuset.h"
#include "ktstr/topology.h"
#include "cpus.h"

/* 12 CPUs, usable 0-10; nodes 0-7, 8-11 and one of memory only. */
static struct ktstr_test_topology *topology;

static int set_up(void **state)
{
	static const struct ktstr_numa_node nodes[] = {
		{ .llcs = 2, .memory_mib = 512 },
		{ .llcs = 1, .memory_mib = 256 },
		{ .memory_mib = 1024 },
	};
	const struct ktstr_topology spec = { 3, 3, 4, 1, nodes, 3, NULL };
	struct ktstr_error *error = ktstr_test_topology_from_spec(&spec, 0, &topology);

	(void)state;
	ktstr_error_free(error);
	return error ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	ktstr_test_topology_destroy(topology);
	return 0;
}

static void list_text_round_trips(void **state)
{
	static const char *const texts[] = {
		"", "0", "0-3,5,7-9", "63-64", "127,128,1023", "0-1023", "1021-1023"
	};
	static const char *const printed[] = {
		"", "0", "0-3,5,7-9", "63-64", "127-128,1023", "0-1023", "1021-1023"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_cpus(cpus_of(texts[i]), printed[i]);
	assert_cpus(cpus_of("9,3,3,0-1,1-4"), "0-4,9");
}

static void bad_lists_quote_the_bad_part(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "0-3,x", "\"x\" is not a CPU number or a range" },
		{ "0,,1", "\"\" is not a CPU number" },
		{ "0,", "\"\" is not a CPU number" },
		{ "3-1", "\"3-1\" is a range that runs backwards" },
		{ "1-", "\"1-\" is not" },
		{ "-1", "\"-1\" is not" },
		{ "1-2-3", "\"1-2-3\" is not" },
		{ " 1", "\" 1\" is not" },
		{ "1\n", "is not" },
		{ "1024", "\"1024\" names a CPU above the highest possible one, 1023" },
		{ "5,0-99999999999999999999", "names a CPU above" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_cpus untouched = ktstr_cpus_range(9, 1);
		_cleanup_error_ struct ktstr_error *error =
			ktstr_cpus_parse(cases[i].text, &untouched);

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
		assert_non_null(strstr(ktstr_error_message(error), cases[i].message));
		assert_cpus(untouched, "9");
	}
}

static void operations_work_across_words(void **state)
{
	const struct ktstr_cpus a = cpus_of("0-3,60-70"), b = cpus_of("2,64-100");
	struct ktstr_cpus set = { 0 };

	(void)state;
	assert_cpus(ktstr_cpus_and(&a, &b), "2,64-70");
	assert_cpus(ktstr_cpus_or(&a, &b), "0-3,60-100");
	assert_cpus(ktstr_cpus_minus(&a, &b), "0-1,3,60-63");
	assert_int_equal(ktstr_cpus_count(&a), 15);
	assert_int_equal(ktstr_cpus_next(&a, 4), 60);
	assert_int_equal(ktstr_cpus_next(&a, 71), -1);
	assert_int_equal(ktstr_cpus_next(&a, 5000), -1);
	assert_false(ktstr_cpus_subset(&a, &b));
	assert_true(ktstr_cpus_subset(&set, &b));
	assert_false(ktstr_cpus_equal(&a, &b));
	ktstr_cpus_add(&set, 1023);
	ktstr_cpus_add(&set, 1024);
	ktstr_cpus_remove(&set, 4096);
	assert_cpus(set, "1023");
	assert_false(ktstr_cpus_has(&set, 1024));
	assert_int_equal(ktstr_cpus_next(&set, 1023), 1023);
	ktstr_cpus_remove(&set, 1023);
	assert_int_equal(ktstr_cpus_next(&set, 0), -1);
	assert_cpus(ktstr_cpus_range(1022, 10), "1022-1023");
	assert_cpus(ktstr_cpus_range(3, 0), "");
	assert_cpus(ktstr_cpus_range(3, ~0u), "3-1023");
}

static void valid_specs_resolve(void **state)
{
	const struct ktstr_cpuset_spec specs[] = {
		{ 0 },
		ktstr_cpuset_llc(1),
		ktstr_cpuset_llc(2),
		ktstr_cpuset_numa(0),
		ktstr_cpuset_numa(1),
		ktstr_cpuset_range(0, 0.5),
		ktstr_cpuset_range(0.5, 1),
		ktstr_cpuset_range(0, 0.05),
		ktstr_cpuset_disjoint(0, 3),
		ktstr_cpuset_disjoint(2, 3),
		ktstr_cpuset_disjoint(0, 1),
		ktstr_cpuset_overlap(0, 2, 0.5),
		ktstr_cpuset_overlap(1, 2, 0.5),
		ktstr_cpuset_overlap(1, 3, 1),
		ktstr_cpuset_exact(cpus_of("11")),
	};
	static const char *const expected[] = {
		"0-10", "4-7",  "8-11", "0-7", "8-11", "0-4", "5-10", "",
		"0-2",  "6-10", "0-10", "0-6", "3-10", "0-8", "11",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		assert_null(ktstr_cpuset_validate(&specs[i], topology));
		assert_cpus(ktstr_cpuset_resolve(&specs[i], topology), expected[i]);
	}
}

/* Parts of DISJOINT cover every usable CPU exactly once. */
static void disjoint_parts_cover_all(void **state)
{
	(void)state;
	for (unsigned int of = 1; of <= 11; of++) {
		struct ktstr_cpus seen = { 0 };

		for (unsigned int i = 0; i < of; i++) {
			struct ktstr_cpuset_spec spec = ktstr_cpuset_disjoint(i, of);
			struct ktstr_cpus part = ktstr_cpuset_resolve(&spec, topology);
			struct ktstr_cpus twice = ktstr_cpus_and(&seen, &part);

			assert_int_equal(ktstr_cpus_count(&twice), 0);
			seen = ktstr_cpus_or(&seen, &part);
		}
		assert_cpus(seen, "0-10");
	}
}

struct bad_spec {
	struct ktstr_cpuset_spec spec;
	const char *message, *resolved;
};

/* Each is refused with its own message, and resolve still gives something sane. */
static void bad_specs_are_refused_and_clamped(void **state)
{
	const struct ktstr_cpus none = { 0 };
	const struct bad_spec cases[] = {
		{ ktstr_cpuset_llc(3), "cpuset llc(3): this machine has 3 of them", "8-11" },
		{ ktstr_cpuset_numa(3), "cpuset numa(3): this machine has 3", "" },
		{ ktstr_cpuset_numa(2), "NUMA node 2 has memory only", "" },
		{ ktstr_cpuset_range(NAN, 1), "0 <= from < to <= 1", "0-10" },
		{ ktstr_cpuset_range(0, INFINITY), "range(0, inf)", "0-10" },
		{ ktstr_cpuset_range(-0.1, 1), "range(-0.1, 1)", "0-10" },
		{ ktstr_cpuset_range(0, 1.1), "range(0, 1.1)", "0-10" },
		{ ktstr_cpuset_range(0.5, 0.5), "range(0.5, 0.5)", "" },
		{ ktstr_cpuset_disjoint(0, 0), "into 0 parts", "0-10" },
		{ ktstr_cpuset_disjoint(2, 2), "the highest is 1", "5-10" },
		{ ktstr_cpuset_disjoint(0, 12), "only 11 usable CPUs", "" },
		{ ktstr_cpuset_overlap(2, 2, 0), "cpuset overlap(2, 2)", "5-10" },
		{ ktstr_cpuset_overlap(0, 2, 1.5), "fraction between 0 and 1", "0-9" },
		{ ktstr_cpuset_overlap(0, 2, NAN), "fraction between 0 and 1", "0-4" },
		{ ktstr_cpuset_exact(none), "the set is empty", "" },
		{ ktstr_cpuset_exact(cpus_of("3,12-13")), "CPUs 12-13 do not exist", "3,12-13" },
		{ { .kind = (enum ktstr_cpuset_kind)99 }, "kind 99 does not exist", "0-10" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_error_ struct ktstr_error *error =
			ktstr_cpuset_validate(&cases[i].spec, topology);

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
		assert_non_null(strstr(ktstr_error_message(error), cases[i].message));
		assert_cpus(ktstr_cpuset_resolve(&cases[i].spec, topology), cases[i].resolved);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_text_round_trips),
		cmocka_unit_test(bad_lists_quote_the_bad_part),
		cmocka_unit_test(operations_work_across_words),
		cmocka_unit_test(valid_specs_resolve),
		cmocka_unit_test(disjoint_parts_cover_all),
		cmocka_unit_test(bad_specs_are_refused_and_clamped),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
