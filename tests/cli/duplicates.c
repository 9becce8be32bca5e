// SPDX-License-Identifier: GPL-2.0-only
/* Two tests of one name: the first counts, and the shadowed one is told. */
#include <ktstr.h>

static void body(struct ktstr_ctx *ctx)
{
	ktstr_note(ctx, "never run here");
}

static const struct ktstr_test_entry same = { .name = "twice", .file = __FILE__, .line = __LINE__,
					      .body = body, .description = "the second" };

KTSTR_TEST(twice, .description = "the first")
{
}

static const struct ktstr_test_entry *const same_entry
	KTSTR_REGISTERED_("ktstr_tests") = &same;
