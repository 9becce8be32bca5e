/* SPDX-License-Identifier: GPL-2.0-only */
/* Readers of BPF maps that do not hold values: descriptors, ring buffers, stack traces, arenas. */
#ifndef KTSTR_OBSERVE_BPF_MAP_SPECIAL_H
#define KTSTR_OBSERVE_BPF_MAP_SPECIAL_H

#include "observe/bpf_maps.h"

/* The memory of an arena. The kernel sees an address of user space at its lower 32 bits behind kernel_start. */
struct ktstr_arena {
	const struct ktstr_kernel_view *view;
	uint64_t kernel_start, user_start, bytes; /* declared, not used */
};

/* False when the map is no arena, or its memory cannot be found. */
bool ktstr_arena_open(const struct ktstr_bpf_map *map, struct ktstr_arena *arena);
/* At an address of user space. */
bool ktstr_arena_read(const struct ktstr_arena *arena, uint64_t user_address, void *out, size_t bytes);

/* Each sets its key of the map's JSON, or "error". */
void ktstr_read_fd_array(const struct ktstr_bpf_map *map, json_t *json);
void ktstr_read_ringbuf(const struct ktstr_bpf_map *map, json_t *json);
void ktstr_read_stack_trace(const struct ktstr_bpf_map *map, json_t *json);
void ktstr_read_arena(const struct ktstr_bpf_map *map, json_t *json);

#endif
