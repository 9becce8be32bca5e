// SPDX-License-Identifier: GPL-2.0-only
/* Numbers in variables of the environment, and what is said of those that are none. */
#include <stdlib.h>

#include "base/env.h"
#include "base/str.h"
#include "unit.h"

static void wrong_numbers_are_refused_and_change_nothing(void **state)
{
	static const char *const wrong[] = { "x", "5s", "-5", "+5", " 5", "0x5", "5 ", "4", "3600001", "18446744073709551617" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		_cleanup_free_ char *says = ktstr_xasprintf("KTSTR_A_MS=%s: give ms, such as 500; an hour at most; or unset it",
							    wrong[i]);
		uint64_t ms = 42;

		setenv("KTSTR_A_MS", wrong[i], 1);
		assert_fails(ktstr_env_ms("KTSTR_A_MS", 5, &ms), KTSTR_ERR_INVALID, says);
		assert_int_equal(ms, 42);
	}
}

static void bounds_belong_to_the_range(void **state)
{
	uint64_t value = 0;

	(void)state;
	setenv("KTSTR_A_MS", "5", 1);
	assert_ok(ktstr_env_ms("KTSTR_A_MS", 5, &value));
	assert_int_equal(value, 5);
	setenv("KTSTR_A_MS", "3600000", 1);
	assert_ok(ktstr_env_ms("KTSTR_A_MS", 5, &value));
	assert_int_equal(value, 3600000);
	setenv("KTSTR_A_MIB", "4096", 1);
	assert_ok(ktstr_env_mib("KTSTR_A_MIB", &value));
	assert_int_equal(value, 4096);
	setenv("KTSTR_A_NUMBER", "18446744073709551615", 1);
	assert_ok(ktstr_env_number("KTSTR_A_NUMBER", "a number", 0, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
}

static void an_empty_variable_is_none(void **state)
{
	uint64_t ms = 42;

	(void)state;
	setenv("KTSTR_A_MS", "", 1);
	assert_ok(ktstr_env_ms("KTSTR_A_MS", 1, &ms));
	unsetenv("KTSTR_A_MS");
	assert_ok(ktstr_env_ms("KTSTR_A_MS", 1, &ms));
	assert_int_equal(ms, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_numbers_are_refused_and_change_nothing),
		cmocka_unit_test(bounds_belong_to_the_range),
		cmocka_unit_test(an_empty_variable_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
