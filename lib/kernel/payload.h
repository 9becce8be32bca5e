/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bzImage unpacks itself to, done on the host: the kernel's segments in place and its addresses moved, as
 * arch/x86/boot/compressed would leave them. An emulated CPU spends a third of its boot on that.
 */
#ifndef KTSTR_KERNEL_PAYLOAD_H
#define KTSTR_KERNEL_PAYLOAD_H

#include "kernel/kernel.h"

/* Places of 32 or 64 bits, by the low half of their addresses as linked, to which the shift is added or, of per-CPU
 * offsets before 6.15, from which it is subtracted. */
struct ktstr_relocations {
	const char *places;
	size_t count;
};

struct ktstr_kernel_payload {
	char *setup; /* the image's first part: the boot header, and real-mode code that makes boot_params */
	size_t setup_length;
	char *vmlinux; /* ELF, and relocations behind it */
	size_t elf_length;
	struct ktstr_relocations add_32, subtract_32, add_64; /* into vmlinux */
	uint64_t load_address; /* physical, as linked */
	uint64_t align; /* of physical and virtual addresses */
	uint64_t memory_bytes; /* from there on, until the kernel has set up its own memory management */
	bool five_levels; /* it can start with five levels of page tables */
};

/*
 * Of the kernel's image. KTSTR_ERR_UNSUPPORTED: its own boot code must do it, as it is not relocatable or of a form
 * that is not known.
 */
struct ktstr_error *ktstr_kernel_payload_open(const struct ktstr_kernel *kernel,
					      struct ktstr_kernel_payload *payload) KTSTR_CHECKED;
void ktstr_kernel_payload_deinit(struct ktstr_kernel_payload *payload);

/*
 * Fills memory, payload->memory_bytes of zeroes, with the kernel that will run shift bytes above the virtual addresses
 * that it was linked for. *entry: offset of its 64-bit entry, startup_64.
 */
struct ktstr_error *ktstr_kernel_payload_place(const struct ktstr_kernel_payload *payload, uint64_t shift, void *memory,
					       uint64_t *entry) KTSTR_CHECKED;

#endif
