// SPDX-License-Identifier: GPL-2.0-only
/* The memory budget: what runs claim, what is left beside them, what hosts and cgroups allow. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "runner/memory.h"
#include "scratch.h"

static const struct ktstr_memory_claim boots = { .guest_mib = 2048, .vcpus = 2 };
static const struct ktstr_memory_claim clones = { .guest_mib = 2048, .vcpus = 2, .clone = true };

static void test_booting_claims_the_whole_guest(void **state)
{
	(void)state;
	assert_int_equal(ktstr_memory_claim_mib(&boots, 0), 2048 + 64 + 2 * 12);
	/* What clones were measured at says nothing about it. */
	assert_int_equal(ktstr_memory_claim_mib(&boots, 100), 2048 + 64 + 2 * 12);
}

static void test_a_clone_claims_its_share(void **state)
{
	struct ktstr_memory_claim hungry = clones, small = clones;

	(void)state;
	assert_int_equal(ktstr_memory_claim_mib(&clones, 0), 64 + 2 * 12 + 128 + 2 * 8);
	assert_int_equal(ktstr_memory_claim_mib(&clones, 80), 100);
	hungry.used_mib = 700;
	assert_int_equal(ktstr_memory_claim_mib(&hungry, 80), 700);
	small.guest_mib = 10;
	assert_int_equal(ktstr_memory_claim_mib(&small, 0), 10 + 64 + 2 * 12);
}

static void test_what_is_in_use_is_not_counted_twice(void **state)
{
	struct ktstr_memory_host host = { .total_mib = 16000, .available_mib = 10000 };
	struct ktstr_memory_claim claims[] = { boots, clones };

	(void)state;
	assert_int_equal(ktstr_memory_left_mib(&host, NULL, 0, 0), 9000);
	assert_int_equal(ktstr_memory_left_mib(&host, claims, 2, 80), 9000 - 2136 - 100);
	claims[0].used_mib = 136;
	claims[1].used_mib = 90;
	assert_int_equal(ktstr_memory_left_mib(&host, claims, 2, 80), 9000 - 2000 - 10);
	host.available_mib = 500;
	assert_int_equal(ktstr_memory_left_mib(&host, claims, 2, 80), 0);
}

static void test_a_budget_counts_claims(void **state)
{
	struct ktstr_memory_host host;
	struct ktstr_memory_claim claims[] = { boots };

	(void)state;
	setenv("KTSTR_MEMORY_BUDGET_MIB", "3000", 1);
	ktstr_memory_host_read("/nonexistent", &host);
	unsetenv("KTSTR_MEMORY_BUDGET_MIB");
	assert_true(host.limited);
	claims[0].used_mib = 1000;
	assert_int_equal(ktstr_memory_left_mib(&host, claims, 1, 0), 3000 - 2136);
}

static void test_refusals_name_need_have_and_remedy(void **state)
{
	struct ktstr_memory_host host = { .total_mib = 1600, .available_mib = 1100 };
	_cleanup_error_ struct ktstr_error *by_host = ktstr_memory_refusal(&host, &boots, 0);
	_cleanup_error_ struct ktstr_error *by_budget = NULL;

	(void)state;
	assert_int_equal(ktstr_error_code(by_host), KTSTR_ERR_NO_MEMORY);
	assert_non_null(strstr(ktstr_error_message(by_host), "needs 2136 MiB (guest 2048, QEMU 88)"));
	assert_non_null(strstr(ktstr_error_message(by_host), "has 1000 MiB"));
	assert_non_null(strstr(ktstr_error_message(by_host), "less memory"));
	host.limited = true;
	by_budget = ktstr_memory_refusal(&host, &boots, 0);
	assert_non_null(strstr(ktstr_error_message(by_budget), "KTSTR_MEMORY_BUDGET_MIB allows 1100"));
}

static int set_up(void **state)
{
	unsetenv("KTSTR_MEMORY_BUDGET_MIB");
	return make_scratch(state);
}

static void test_the_tightest_cgroup_counts(void **state)
{
	struct ktstr_memory_host host;

	(void)state;
	put("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\n");
	ktstr_memory_host_read(scratch, &host);
	assert_int_equal(host.total_mib, 16384);
	assert_int_equal(host.available_mib, 8192);
	put("proc/self/cgroup", "0::/job/inner\n");
	put("sys/fs/cgroup/job/inner/memory.max", "max\n");
	put("sys/fs/cgroup/job/inner/memory.current", "1\n");
	ktstr_memory_host_read(scratch, &host);
	assert_int_equal(host.available_mib, 8192);
	put("sys/fs/cgroup/job/memory.max", "4294967296\n");
	put("sys/fs/cgroup/job/memory.current", "1073741824\n");
	put("sys/fs/cgroup/job/memory.stat", "anon 5\ninactive_file 536870912\n");
	ktstr_memory_host_read(scratch, &host);
	assert_int_equal(host.available_mib, 4096 - 512);
	assert_false(host.limited);
}

static void test_a_share_covers_the_children(void **state)
{
	(void)state;
	put("proc/7/task/7/children", "8 9 ");
	put("proc/7/smaps_rollup", "00-ff ---p 0 [rollup]\nRss: 99999 kB\nPss:   1024 kB\n");
	put("proc/8/smaps_rollup", "00-ff ---p 0 [rollup]\nRss: 99999 kB\nPss:   204800 kB\n");
	assert_int_equal(ktstr_memory_share_mib(scratch, 7), 201);
	assert_int_equal(ktstr_memory_share_mib(scratch, 12), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_booting_claims_the_whole_guest),
		cmocka_unit_test(test_a_clone_claims_its_share),
		cmocka_unit_test(test_what_is_in_use_is_not_counted_twice),
		cmocka_unit_test(test_a_budget_counts_claims),
		cmocka_unit_test(test_refusals_name_need_have_and_remedy),
		cmocka_unit_test_setup_teardown(test_the_tightest_cgroup_counts, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_a_share_covers_the_children, set_up, remove_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
