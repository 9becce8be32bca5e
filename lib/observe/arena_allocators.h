/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the allocators of scx's BPF library have handed out of an arena: `struct scx_allocator` (objects of one size, in a tree
 * that the scheduler looks them up in) and `struct scx_static` (pieces that are never given back). Both are global
 * variables of the scheduler; their types come from its BTF.
 */
#ifndef KTSTR_OBSERVE_ARENA_ALLOCATORS_H
#define KTSTR_OBSERVE_ARENA_ALLOCATORS_H

#include "observe/bpf_maps.h"

struct ktstr_arena_allocators {
	json_t *allocations, *ranges; /* sdt_allocations[] and scx_static_ranges[] of a dump; new references */
	const char *unavailable;      /* why both are empty; NULL = they are not */
};

void ktstr_arena_allocators(const struct ktstr_bpf_map *maps, size_t count, struct ktstr_arena_allocators *found);

#endif
