// SPDX-License-Identifier: GPL-2.0-only
/* Tests that want what the host does not have. */
#include <ktstr.h>

KTSTR_PAYLOAD(absent, .binary = "no-such-program", .package = "no-such-package");
KTSTR_PAYLOAD(script, .binary = "/etc/passwd");

KTSTR_TEST(missing_program, .payload = &absent)
{
}

KTSTR_TEST(missing_file, .extra_include_files = KTSTR_ARGS("./no-such-file"))
{
}

KTSTR_TEST(not_a_program, .payload = &script)
{
}
