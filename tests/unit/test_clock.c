// SPDX-License-Identifier: GPL-2.0-only
/* Durations as people write and read them, and times that are shown. */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "unit.h"

static void good_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "7ns", 7 },		   { "10us", 10000 },	       { "250ms", 250000000 },
		{ "5s", 5000000000 },	   { "1.5s", 1500000000 },     { "2m", 120000000000 },
		{ "1h", 3600000000000 },   { "0.1ms", 100000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ns = 0;

		assert_null(ktstr_parse_duration(cases[i].text, &ns));
		assert_int_equal(ns, cases[i].ns);
	}
}

static void bad_durations_are_quoted(void **state)
{
	static const char *const texts[] = { "",   "5",	   "s",	    "0s",   "-1s",  "5 s",  "5sec", "5S",
					     "1d", "nans", "infs", "1e40s", "5s5",  "0.1ns", "x5s", "1e10h" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t ns = 42;
		_cleanup_error_ struct ktstr_error *error = ktstr_parse_duration(texts[i], &ns);

		if (!error)
			fail_msg("\"%s\" was taken for %llu ns", texts[i], (unsigned long long)ns);
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
		assert_non_null(strstr(ktstr_error_message(error), texts[i]));
		assert_non_null(strstr(ktstr_error_message(error), "500ms"));
		assert_int_equal(ns, 42);
	}
}

static void formats_come_back(void **state)
{
	static const uint64_t values[] = { 1, 999, 1000, 250000000, 1500000000, 60000000000, 12000000000 };
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t ns = 0;

		assert_null(ktstr_parse_duration(ktstr_format_duration(values[i], text), &ns));
		assert_int_equal(ns, values[i]);
	}
	assert_string_equal(ktstr_format_duration(1500000000, text), "1.5s");
	assert_string_equal(ktstr_format_duration(250000000, text), "250ms");
}

static void utc_texts(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(ktstr_format_utc(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(ktstr_format_utc(1795383696, text), "2026-11-22T21:41:36Z");
}

static void time_left(void **state)
{
	(void)state;
	assert_int_equal(ktstr_ms_until(0), 0);
	assert_int_equal(ktstr_ms_until(ktstr_now_ns()), 0);
	assert_int_equal(ktstr_ms_until(UINT64_MAX), INT_MAX);
	/* What is left of a millisecond counts as one: a wait must not spin. */
	assert_true(ktstr_ms_until(ktstr_now_ns() + 3600000000000ull) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_durations), cmocka_unit_test(bad_durations_are_quoted),
		cmocka_unit_test(formats_come_back), cmocka_unit_test(utc_texts),
		cmocka_unit_test(time_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
