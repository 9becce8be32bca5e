/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel virtual addresses of an x86-64 guest: how each part of the address space becomes physical, and reads
 * through it.
 *
 *   kernel image (symbols)  va - 0xffffffff80000000 + phys_base       arch/x86/include/asm/page_64.h
 *   direct map (slab)       va - page_offset_base, when that is RAM   the same
 *   vmalloc, modules, all   page tables, 4 or 5 levels, large pages   Intel SDM vol. 3A, 4.5
 */
#ifndef KTSTR_OBSERVE_ADDRESS_H
#define KTSTR_OBSERVE_ADDRESS_H

#include "observe/guest_memory.h"

#define KTSTR_START_KERNEL_MAP	  UINT64_C(0xffffffff80000000)
#define KTSTR_DEFAULT_PAGE_OFFSET UINT64_C(0xffff888000000000)

struct ktstr_address_space {
	struct ktstr_guest_memory *memory; /* borrowed */
	uint64_t page_table; /* physical address of the top table: CR3, any flags in its low bits */
	uint64_t page_offset; /* where the direct map begins */
	uint64_t phys_base; /* physical - link-time address of the kernel image */
	bool five_levels;
};

/* The physical address behind va, and in *bytes how far it is contiguous. False: not mapped. */
bool ktstr_translate(const struct ktstr_address_space *space, uint64_t va, uint64_t *physical, uint64_t *bytes);
/* By page tables alone, whatever part of the address space va is in. */
bool ktstr_walk_page_tables(const struct ktstr_address_space *space, uint64_t va, uint64_t *physical,
			    uint64_t *bytes);

/* All bytes or false. */
bool ktstr_read(const struct ktstr_address_space *space, uint64_t va, void *out, size_t bytes);
bool ktstr_write(const struct ktstr_address_space *space, uint64_t va, const void *bytes, size_t count);
/* Little-endian numbers of 1, 2, 4 or 8 bytes. */
bool ktstr_read_uint(const struct ktstr_address_space *space, uint64_t va, size_t bytes, uint64_t *value);
/* A C string of at most max - 1 bytes, always terminated; false when its first byte cannot be read. */
bool ktstr_read_text(const struct ktstr_address_space *space, uint64_t va, char *out, size_t max);

#endif
