// SPDX-License-Identifier: GPL-2.0-only
/* Translation of kernel virtual addresses, and reads and writes that may cross pages. */
#include <string.h>

#include "observe/address.h"

/* Bits of a page table entry, and the part of it that is an address. */
#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_LARGE   UINT64_C(0x80) /* PS: the entry maps a 1 GiB or 2 MiB page */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

#define KERNEL_IMAGE_BYTES (UINT64_C(1) << 30) /* KERNEL_IMAGE_SIZE: modules begin behind it */

static bool canonical(uint64_t va, unsigned int bits)
{
	uint64_t high = va >> (bits - 1);

	return high == 0 || high == UINT64_MAX >> (bits - 1);
}

bool ktstr_walk_page_tables(const struct ktstr_address_space *space, uint64_t va, uint64_t *physical,
			    uint64_t *bytes)
{
	uint64_t table = space->page_table & ENTRY_ADDRESS;

	if (!canonical(va, space->five_levels ? 57 : 48))
		return false;
	for (int shift = space->five_levels ? 48 : 39; shift >= 12; shift -= 9) {
		uint64_t entry, span = UINT64_C(1) << shift;

		if (!ktstr_guest_read(space->memory, table + (va >> shift & 511) * 8, &entry, 8) ||
		    !(entry & ENTRY_PRESENT))
			return false;
		if (shift == 12 || (shift <= 30 && entry & ENTRY_LARGE)) {
			*physical = (entry & ENTRY_ADDRESS & ~(span - 1)) | (va & (span - 1));
			*bytes = span - (va & (span - 1));
			return true;
		}
		table = entry & ENTRY_ADDRESS;
	}
	return false;
}

/* The RAM region around a physical address. */
static bool in_ram(struct ktstr_guest_memory *memory, uint64_t physical, uint64_t *bytes)
{
	size_t count;
	const struct ktstr_ram_region *regions = ktstr_guest_regions(memory, &count);

	for (size_t i = 0; i < count; i++) {
		if (physical < regions[i].physical || physical - regions[i].physical >= regions[i].bytes)
			continue;
		*bytes = regions[i].bytes - (physical - regions[i].physical);
		return true;
	}
	return false;
}

bool ktstr_translate(const struct ktstr_address_space *space, uint64_t va, uint64_t *physical, uint64_t *bytes)
{
	uint64_t into_image = va - KTSTR_START_KERNEL_MAP;

	if (va >= KTSTR_START_KERNEL_MAP && into_image < KERNEL_IMAGE_BYTES) {
		*physical = into_image + space->phys_base;
		return in_ram(space->memory, *physical, bytes);
	}
	*physical = va - space->page_offset;
	if (va >= space->page_offset && in_ram(space->memory, *physical, bytes))
		return true;
	return ktstr_walk_page_tables(space, va, physical, bytes);
}

/* Calls guest(memory, physical, at, piece) for each contiguous piece of [va, va + count). */
static bool each_piece(const struct ktstr_address_space *space, uint64_t va, void *at, size_t count,
		       bool (*guest)(struct ktstr_guest_memory *memory, uint64_t physical, void *at, size_t bytes))
{
	char *next = at;

	while (count) {
		uint64_t physical, bytes;
		size_t piece;

		if (!ktstr_translate(space, va, &physical, &bytes))
			return false;
		piece = bytes < count ? (size_t)bytes : count;
		if (!guest(space->memory, physical, next, piece))
			return false;
		va += piece;
		next += piece;
		count -= piece;
	}
	return true;
}

static bool write_piece(struct ktstr_guest_memory *memory, uint64_t physical, void *at, size_t bytes)
{
	return ktstr_guest_write(memory, physical, at, bytes);
}

bool ktstr_read(const struct ktstr_address_space *space, uint64_t va, void *out, size_t bytes)
{
	return each_piece(space, va, out, bytes, ktstr_guest_read);
}

bool ktstr_write(const struct ktstr_address_space *space, uint64_t va, const void *bytes, size_t count)
{
	return each_piece(space, va, (void *)bytes, count, write_piece);
}

bool ktstr_read_uint(const struct ktstr_address_space *space, uint64_t va, size_t bytes, uint64_t *value)
{
	*value = 0;
	return bytes <= sizeof(*value) && ktstr_read(space, va, value, bytes);
}

bool ktstr_read_text(const struct ktstr_address_space *space, uint64_t va, char *out, size_t max)
{
	size_t length = 0;

	while (length + 1 < max && ktstr_read(space, va + length, &out[length], 1) && out[length])
		length++;
	/* An unreadable first byte left out[0] undefined. */
	if (!length && !ktstr_read(space, va, out, 1))
		return false;
	out[length] = '\0';
	return true;
}
