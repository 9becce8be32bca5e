/* SPDX-License-Identifier: GPL-2.0-only */
/* What is fuzzed, and the guest that it is fuzzed with. */
#ifndef KTSTR_FUZZ_H
#define KTSTR_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "observe/kernel_view.h"

/* Physical addresses of pages. */
struct fuzz_pages {
	uint64_t *all;
	size_t count;
};

struct fuzz_guest {
	struct ktstr_kernel_view *view; /* NULL = there is no image */
};

/* From the environment; leaves a guest without a view when there is none. Aborts on an image that cannot be read. */
void fuzz_guest_open(struct fuzz_guest *guest);
/* The pages that a walker reads: what is not read need not be overwritten. */
void fuzz_guest_pages_of(struct fuzz_guest *guest, void (*walk)(const struct ktstr_kernel_view *view),
			 struct fuzz_pages *pages);
/*
 * Overwrites bytes of these pages as the input says: records of 2 bytes of page number, 2 of offset, 1 of length (1 to 16)
 * and that many bytes. fuzz_guest_restore() puts back what was there.
 */
void fuzz_guest_patch(struct fuzz_guest *guest, const struct fuzz_pages *pages, const uint8_t *input, size_t length);
void fuzz_guest_restore(struct fuzz_guest *guest);

/* Before the first fuzz_target_run(). */
void fuzz_targets_init(struct fuzz_guest *guest);
/* Runs the target that the first byte chooses. */
void fuzz_target_run(struct fuzz_guest *guest, const uint8_t *input, size_t length);

#endif
