// SPDX-License-Identifier: GPL-2.0-only
/* What libFuzzer calls. */
#include "fuzz.h"

static struct fuzz_guest guest;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_guest_open(&guest);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	if (length)
		fuzz_target_run(&guest, input, length);
	return 0;
}
