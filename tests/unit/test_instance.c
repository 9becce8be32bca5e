// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a run to tell it from others, and while it waits for its template. */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "runner/runner.h"
#include "unit.h"

static const struct ktstr_topology two_cpus = { .numa_nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 };
static const struct ktstr_topology two_llcs = { .numa_nodes = 1, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 1 };

static void expect(const struct ktstr_run *runs, size_t count, size_t index, const char *expected)
{
	_cleanup_free_ char *instance = ktstr_run_instance(runs, count, index);

	if (expected)
		assert_string_equal(instance, expected);
	else
		assert_null(instance);
}

static void a_name_says_what_others_of_its_test_differ_in(void **state)
{
	const struct ktstr_run runs[] = {
		{ .full_name = "ktstr/alone", .topology = two_cpus },
		{ .full_name = "ktstr/shapes", .topology = two_cpus },
		{ .full_name = "ktstr/shapes", .topology = two_llcs },
		{ .full_name = "ktstr/seeds", .topology = two_cpus, .deterministic = true, .seed = 7 },
		{ .full_name = "ktstr/seeds", .topology = two_cpus, .deterministic = true, .seed = 8 },
		{ .full_name = "ktstr/both", .topology = two_cpus, .deterministic = true, .seed = 7 },
		{ .full_name = "ktstr/both", .topology = two_llcs, .deterministic = true, .seed = 8 },
	};
	static const char *const expected[] = { NULL, "1n1l2c1t", "1n2l2c1t", "seed 7", "seed 8", "1n1l2c1t seed 7", "1n2l2c1t seed 8" };

	(void)state;
	for (size_t i = 0; i < 7; i++)
		expect(runs, 7, i, expected[i]);
	/* Alone they need none. */
	for (size_t i = 0; i < 7; i++)
		expect(&runs[i], 1, 0, NULL);
}

static void a_template_that_is_made_is_named(void **state)
{
	const struct ktstr_run run = { .topology = two_llcs, .scheduler.label = (char *)"scx_simple" };
	_cleanup_free_ char *boots = ktstr_run_build_note(&run, KTSTR_STAGE_BUILDING);
	_cleanup_free_ char *attaches = ktstr_run_build_note(&run, KTSTR_STAGE_ATTACHING);

	(void)state;
	assert_true(ktstr_str_starts_with(boots, "building template 1n2l2c1t: "));
	assert_true(ktstr_str_starts_with(attaches, "building template 1n2l2c1t with scx_simple: "));
	assert_null(ktstr_run_build_note(&run, KTSTR_STAGE_RESTORING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_says_what_others_of_its_test_differ_in),
		cmocka_unit_test(a_template_that_is_made_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
