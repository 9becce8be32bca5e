/* SPDX-License-Identifier: GPL-2.0-only */
/* What is fuzzed, and the guest that it is fuzzed with. */
#ifndef KTSTR_FUZZ_H
#define KTSTR_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "observe/kernel_view.h"

/* The guest of the image; view NULL = there is no image. */
struct fuzz_guest {
	struct ktstr_kernel_view *view;
	uint64_t *pages; /* physical addresses of what the image has */
	size_t pages_count;
};

/* From the environment; leaves a guest without a view when there is none. Aborts on an image that cannot be read. */
void fuzz_guest_open(struct fuzz_guest *guest);
/*
 * Overwrites bytes of the image as the input says: records of 2 bytes of page number, 2 of offset, 1 of length (1 to 16)
 * and that many bytes. fuzz_guest_restore() puts back what was there.
 */
void fuzz_guest_patch(struct fuzz_guest *guest, const uint8_t *input, size_t length);
void fuzz_guest_restore(struct fuzz_guest *guest);

/* Runs the target that the first byte chooses. */
void fuzz_target_run(struct fuzz_guest *guest, const uint8_t *input, size_t length);

#endif
