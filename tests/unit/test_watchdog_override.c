// SPDX-License-Identifier: GPL-2.0-only
/* Which limit sched_ext's watchdog gets. */
#include "observe/watchdog_override.h"
#include "unit.h"

enum { HZ = 250 };

static uint64_t jiffies_of(uint64_t timeout_ns, unsigned int vcpus_per_cpu, uint64_t own)
{
	struct ktstr_watchdog_override override = { .timeout_ns = timeout_ns, .vcpus_per_cpu = vcpus_per_cpu, .hz = HZ };

	return ktstr_watchdog_override_jiffies(&override, own);
}

static void the_stricter_of_ours_and_the_schedulers(void **state)
{
	(void)state;
	assert_int_equal(jiffies_of(0, 0, 30 * HZ), 5 * HZ);
	assert_int_equal(jiffies_of(0, 1, 3 * HZ), 3 * HZ);
	assert_int_equal(jiffies_of(0, 1, 0), 5 * HZ);
}

static void vcpus_that_share_a_cpu_have_as_much_longer(void **state)
{
	(void)state;
	assert_int_equal(jiffies_of(0, 2, 30 * HZ), 10 * HZ);
	assert_int_equal(jiffies_of(0, 4, 3 * HZ), 12 * HZ);
}

static void what_a_test_asks_for_stands(void **state)
{
	(void)state;
	assert_int_equal(jiffies_of(UINT64_C(2000000000), 1, HZ), 2 * HZ);
	assert_int_equal(jiffies_of(UINT64_C(8000000000), 4, 3 * HZ), 8 * HZ);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stricter_of_ours_and_the_schedulers),
		cmocka_unit_test(vcpus_that_share_a_cpu_have_as_much_longer),
		cmocka_unit_test(what_a_test_asks_for_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
