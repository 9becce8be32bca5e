/* SPDX-License-Identifier: GPL-2.0-only */
/* Readers of BPF maps that do not hold values: descriptors, ring buffers, stack traces, arenas. */
#ifndef KTSTR_OBSERVE_BPF_MAP_SPECIAL_H
#define KTSTR_OBSERVE_BPF_MAP_SPECIAL_H

#include "observe/bpf_maps.h"

/* Each sets its key of the map's JSON, or "error". */
void ktstr_read_fd_array(const struct ktstr_bpf_map *map, json_t *json);
void ktstr_read_ringbuf(const struct ktstr_bpf_map *map, json_t *json);
void ktstr_read_stack_trace(const struct ktstr_bpf_map *map, json_t *json);
void ktstr_read_arena(const struct ktstr_bpf_map *map, json_t *json);

#endif
