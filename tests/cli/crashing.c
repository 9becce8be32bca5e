// SPDX-License-Identifier: GPL-2.0-only
/* Registers a test, and dies before it can describe it. */
#include <ktstr.h>

#include <signal.h>

KTSTR_TEST(unreachable)
{
}

static void __attribute__((constructor)) die(void)
{
	raise(SIGABRT);
}
