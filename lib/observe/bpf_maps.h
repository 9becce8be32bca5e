/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF maps of a guest: found through the kernel's table of them, with their contents rendered by type. */
#ifndef KTSTR_OBSERVE_BPF_MAPS_H
#define KTSTR_OBSERVE_BPF_MAPS_H

#include <jansson.h>

#include "observe/kernel_view.h"

struct ktstr_bpf_map {
	const struct ktstr_kernel_view *view;
	uint64_t address; /* of struct bpf_map, which is the first member of every kind of map */
	uint32_t id, type, flags, key_size, value_size, max_entries;
	uint32_t key_type_id, value_type_id;
	char name[17];
	const struct ktstr_types *types; /* of its keys and values; NULL = it has none. Borrowed */
	unsigned int *values_left; /* that may still be rendered; NULL = as many as one value may have. Borrowed */
};

struct ktstr_bpf_maps;

/* All maps, by ascending id. Unreadable ones are left out. */
struct ktstr_bpf_maps *ktstr_bpf_maps_find(const struct ktstr_kernel_view *view);
void ktstr_bpf_maps_destroy(struct ktstr_bpf_maps *maps);
const struct ktstr_bpf_map *ktstr_bpf_maps_all(const struct ktstr_bpf_maps *maps, size_t *count);

/* "hash", "percpu_array": the kernel's enumerator without its prefix, in lower case; "unknown" for one that is not known here. */
const char *ktstr_bpf_map_type_name(uint32_t type);

/*
 * One map of a dump: name, map_kva, map_type, value_size, max_entries, and what is in it under the key of its kind, or
 * "error". Of many or large entries the first: it is "truncated" then. New reference.
 */
json_t *ktstr_bpf_map_to_json(const struct ktstr_bpf_map *map);

/* Value bytes of an entry of an ARRAY map (key 0 holds all of .bss, .data, .rodata): its address, 0 = out of range. */
uint64_t ktstr_bpf_array_element(const struct ktstr_bpf_map *map, uint32_t key);

#endif
