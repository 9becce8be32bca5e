// SPDX-License-Identifier: GPL-2.0-only
/* A program that ends in a guest before its main(): vm/warm.bats. */
#include <stdlib.h>
#include <unistd.h>

#include <ktstr.h>

__attribute__((constructor)) static void end_in_guests(void)
{
	if (getenv("KTSTR_GUEST_INIT"))
		_exit(3);
}

KTSTR_TEST(never_runs)
{
}
