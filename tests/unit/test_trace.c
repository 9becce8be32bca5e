// SPDX-License-Identifier: GPL-2.0-only
/* Traces of deterministic runs: what they keep of a frame, their digest, and where two of them part. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/trace.h"
#include "unit.h"

static void add(struct ktstr_str *trace, uint32_t type, const char *payload, bool crc_ok)
{
	ktstr_trace_add(trace, &(struct ktstr_frame){ .type = type,
						       .length = (uint32_t)strlen(payload),
						       .payload = (const uint8_t *)payload,
						       .crc_ok = crc_ok });
}

static void test_a_frame_is_one_line(void **state)
{
	_cleanup_str_ struct ktstr_str trace = { 0 };

	(void)state;
	add(&trace, KTSTR_FRAME_STDOUT, "two\nlines\\", true);
	add(&trace, KTSTR_FRAME_RESULT, "x", false);
	assert_string_equal(trace.data, "SOUT two\\x0alines\\x5c\nTEST x (damaged)\n");
}

static void test_digest_sees_every_byte(void **state)
{
	_cleanup_str_ struct ktstr_str a = { 0 }, b = { 0 };
	char digest_a[KTSTR_DIGEST_BYTES], digest_b[KTSTR_DIGEST_BYTES];

	(void)state;
	add(&a, KTSTR_FRAME_STDOUT, "1000", true);
	add(&b, KTSTR_FRAME_STDOUT, "1001", true);
	assert_null(ktstr_trace_digest(&a, digest_a));
	assert_null(ktstr_trace_digest(&b, digest_b));
	assert_string_not_equal(digest_a, digest_b);
	assert_int_equal(strlen(digest_a), 64);
}

static void test_first_difference(void **state)
{
	_cleanup_free_ char *same = ktstr_trace_first_difference("A 1\nB 2\n", "A 1\nB 2\n");
	_cleanup_free_ char *second = ktstr_trace_first_difference("A 1\nBBBB 2\n", "A 1\nBBBB 3\n");
	_cleanup_free_ char *shorter = ktstr_trace_first_difference("A 1\nBBBB 2\n", "A 1\n");

	(void)state;
	assert_null(same);
	assert_string_equal(second, "event 2 (BBBB): \"BBBB 2\" against \"BBBB 3\"");
	assert_non_null(shorter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_frame_is_one_line),
		cmocka_unit_test(test_digest_sees_every_byte),
		cmocka_unit_test(test_first_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
