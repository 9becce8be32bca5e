/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test starts from: cmocka with the headers that it wants before it, and asserts on our errors. */
#ifndef KTSTR_TESTS_UNIT_H
#define KTSTR_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"

#define assert_has(text, part)                                                               \
	do {                                                                                 \
		const char *text_ = (text), *part_ = (part);                                 \
		if (!text_ || !strstr(text_, part_))                                         \
			fail_msg("\"%s\" lacks \"%s\"", text_ ? text_ : "(nothing)", part_); \
	} while (0)

#define assert_ok(call)                                              \
	do {                                                         \
		struct ktstr_error *error_ = (call);                 \
		if (error_)                                          \
			fail_msg("%s", ktstr_error_message(error_)); \
	} while (0)

/* The call fails with `code`, and its message has `part` in it. */
#define assert_fails(call, code, part)                               \
	do {                                                         \
		_cleanup_error_ struct ktstr_error *error_ = (call); \
		if (!error_)                                         \
			fail_msg("no error, wanted \"%s\"", (part)); \
		assert_has(ktstr_error_message(error_), (part));     \
		assert_int_equal(ktstr_error_code(error_), (code));  \
	} while (0)

#endif
