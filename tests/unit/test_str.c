// SPDX-License-Identifier: GPL-2.0-only
/* Growing strings and arrays, names that were mistyped, and guest text made safe for a terminal. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "unit.h"

static void strings_grow(void **state)
{
	_cleanup_str_ struct ktstr_str str = { 0 };

	(void)state;
	assert_string_equal(ktstr_str_text(&str), "");
	for (int i = 0; i < 1000; i++)
		ktstr_str_addf(&str, "%03d", i);
	assert_int_equal(str.length, 3000);
	assert_int_equal(strlen(str.data), 3000);
	assert_memory_equal(str.data + 3 * 742, "742743", 6);
	ktstr_str_add_bytes(&str, "\0x", 2);
	assert_int_equal(str.length, 3002);
	assert_int_equal(str.data[3002], '\0');
}

static void take_empties(void **state)
{
	struct ktstr_str str = { 0 };
	_cleanup_free_ char *empty = ktstr_str_take(&str), *full = NULL;

	(void)state;
	assert_string_equal(empty, "");
	ktstr_str_add(&str, "text");
	full = ktstr_str_take(&str);
	assert_string_equal(full, "text");
	assert_null(str.data);
	assert_int_equal(str.length, 0);
}

static void arrays_end_with_null(void **state)
{
	_cleanup_strv_ struct ktstr_strv strv = { 0 };

	(void)state;
	ktstr_strv_add(&strv, "a");
	ktstr_strv_addf(&strv, "%s-%d", "b", 2);
	assert_int_equal(strv.count, 2);
	assert_string_equal(strv.items[1], "b-2");
	assert_null(strv.items[2]);
	assert_true(ktstr_strv_contains(&strv, "b-2"));
	assert_false(ktstr_strv_contains(&strv, "b"));
}

static void nearest_names(void **state)
{
	static const char *const names[] = { "run", "test", "list", "kernel", "oversubscribed" };
	char long_name[300];

	(void)state;
	assert_string_equal(ktstr_nearest_name("kernal", names, 5), "kernel");
	assert_string_equal(ktstr_nearest_name("OVERSUBSCRIBE", names, 5), "oversubscribed");
	assert_string_equal(ktstr_nearest_name("lst", names, 5), "list");
	assert_null(ktstr_nearest_name("completely-else", names, 5));
	assert_null(ktstr_nearest_name("run", names, 0));
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_null(ktstr_nearest_name(long_name, names, 5));
}

static void control_bytes_become_visible(void **state)
{
	static const char text[] = "a\x1b[31mred\r\n\tb\x7f\0c\xc3\xa4";
	_cleanup_str_ struct ktstr_str str = { 0 };

	(void)state;
	ktstr_str_add_printable(&str, text, sizeof(text) - 1);
	assert_string_equal(str.data, "a\\x1b[31mred\n\tb\\x7f\\x00c\xc3\xa4");
}

static void assert_printed(const char *text, const char *expected)
{
	_cleanup_str_ struct ktstr_str str = { 0 };

	ktstr_str_add_printable(&str, text, strlen(text));
	assert_string_equal(ktstr_str_text(&str), expected);
}

static void only_well_formed_text_is_printed(void **state)
{
	(void)state;
	assert_printed("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
	assert_printed("C1: \xc2\x9b", "C1: \\xc2\\x9b"); /* CSI in one character */
	assert_printed("\x9b" "1m", "\\x9b1m"); /* the same as a byte */
	assert_printed("cut \xe2\x82", "cut \\xe2\\x82");
	assert_printed("\xe2\x28\xa1", "\\xe2(\\xa1");
	assert_printed("\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", /* '/' in too many bytes */
		       "\\xc0\\xaf \\xe0\\x80\\xaf \\xf0\\x80\\x80\\xaf");
	assert_printed("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* half of a surrogate pair */
	assert_printed("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
	assert_printed("\xff\xfe", "\\xff\\xfe");
	assert_printed("a\xe2\x80\xae" "b", "a\\xe2\\x80\\xae" "b"); /* right-to-left override */
	assert_printed("\xef\xbb\xbf" "x", "\\xef\\xbb\\xbfx");
}

static void prefixes_and_suffixes(void **state)
{
	(void)state;
	assert_true(ktstr_str_starts_with("ktstr/steady", "ktstr/"));
	assert_false(ktstr_str_starts_with("kt", "ktstr/"));
	assert_true(ktstr_str_ends_with("a.json", ".json"));
	assert_false(ktstr_str_ends_with("json", ".json"));
	assert_true(ktstr_str_ends_with("x", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_grow),		  cmocka_unit_test(take_empties),
		cmocka_unit_test(arrays_end_with_null),	  cmocka_unit_test(nearest_names),
		cmocka_unit_test(control_bytes_become_visible), cmocka_unit_test(prefixes_and_suffixes),
		cmocka_unit_test(only_well_formed_text_is_printed), cmocka_unit_test(prefixes_and_suffixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
