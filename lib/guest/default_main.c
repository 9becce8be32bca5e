// SPDX-License-Identifier: GPL-2.0-only
/* main() of test programs that do not bring their own: libktstr_main.a. */
#include "ktstr/test.h"

int main(int argc, char **argv)
{
	return KTSTR_MAIN(argc, argv);
}
