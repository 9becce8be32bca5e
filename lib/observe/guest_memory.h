/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical memory of a guest, read and written from outside: the RAM file of a booted VM, the private
 * copy-on-write mapping of a clone, or a saved ELF core. Readers neither know nor care which.
 *
 * The guest may be running, broken or hostile: nothing read here can be trusted, and what lies outside its RAM
 * simply cannot be read.
 */
#ifndef KTSTR_OBSERVE_GUEST_MEMORY_H
#define KTSTR_OBSERVE_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktstr/error.h"
#include "vm/machine.h"

struct ktstr_guest_memory;

/* Takes over fd, which is read (and written) at region offsets. Regions are copied, and may not overlap. */
struct ktstr_guest_memory *ktstr_guest_memory_create(int fd, const struct ktstr_ram_region *regions,
						     size_t count);
/*
 * The RAM of a running QEMU, whose regions give offsets into its RAM file `ram`: found among the mappings of the
 * process by the file they map. Works for shared mappings and for the private ones of clones.
 */
struct ktstr_error *ktstr_guest_memory_of_process(int pid, int ram, const struct ktstr_ram_region *regions,
						  size_t count, struct ktstr_guest_memory **memory)
	KTSTR_CHECKED;
/* The PT_LOAD segments of an ELF core by their physical addresses. */
struct ktstr_error *ktstr_guest_memory_of_core(const char *path, struct ktstr_guest_memory **memory)
	KTSTR_CHECKED;
/* The same, and writes go to the file. */
struct ktstr_error *ktstr_guest_memory_of_writable_core(const char *path, struct ktstr_guest_memory **memory)
	KTSTR_CHECKED;
void ktstr_guest_memory_destroy(struct ktstr_guest_memory *memory);

/* All of [physical, physical + bytes) or nothing: false when any of it is not RAM; out is then undefined. */
bool ktstr_guest_read(struct ktstr_guest_memory *memory, uint64_t physical, void *out, size_t bytes);
/* The same past what is kept of a frozen guest, and not recorded: for whole memories. */
bool ktstr_guest_peek(struct ktstr_guest_memory *memory, uint64_t physical, void *out, size_t bytes);
bool ktstr_guest_write(struct ktstr_guest_memory *memory, uint64_t physical, const void *bytes, size_t count);

/* RAM, lowest address first. */
const struct ktstr_ram_region *ktstr_guest_regions(const struct ktstr_guest_memory *memory, size_t *count);
/*
 * While frozen, pages are read once and kept: for a guest that is stopped. Thawing (or a write) forgets them.
 */
void ktstr_guest_freeze(struct ktstr_guest_memory *memory, bool frozen);
/*
 * From now on pages that are read are remembered: an image for tests needs no others. Without it every page counts as
 * read.
 */
void ktstr_guest_record(struct ktstr_guest_memory *memory);
bool ktstr_guest_was_read(const struct ktstr_guest_memory *memory, uint64_t physical);
/* Bytes asked for since creation: what bench/observe reports. */
uint64_t ktstr_guest_bytes_read(const struct ktstr_guest_memory *memory);

#endif
