/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable in a BPF map of the guest, by the end of the map's name and a path; written once, or watched. */
#ifndef KTSTR_OBSERVE_MAP_FIELD_H
#define KTSTR_OBSERVE_MAP_FIELD_H

#include "observe/bpf_maps.h"

struct ktstr_map_field {
	char map_name[17];
	uint64_t address; /* of the variable; per-CPU: of CPU 0's template, as ktstr_view_per_cpu() takes it */
	uint32_t bytes;
	bool per_cpu;
};

/*
 * Of several maps that match, those with the variable count, and of these the one with the highest id: the scheduler
 * that was loaded last. KTSTR_ERR_NOT_FOUND names what is not there.
 */
struct ktstr_error *ktstr_map_field_find(const struct ktstr_bpf_maps *maps, const char *map_suffix, const char *path,
					 struct ktstr_map_field *field) KTSTR_CHECKED;

#endif
