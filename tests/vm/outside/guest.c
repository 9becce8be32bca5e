// SPDX-License-Identifier: GPL-2.0-only
/* The guest's side: says what it sees, holds still, says it again. */
#include <stdio.h>

#include "guest.h"

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	outside_fill_maps();
	outside_make_cgroups();
	puts("FIRST");
	outside_say();
	puts("HOLD");
	fflush(stdout);
	outside_hold();
	puts("SECOND");
	outside_say();
	puts("END");
	fflush(stdout);
	return 0;
}
