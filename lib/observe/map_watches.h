/* SPDX-License-Identifier: GPL-2.0-only */
/* Variables of BPF maps that are read at each tick of a running guest (struct ktstr_watch_bpf_map). */
#ifndef KTSTR_OBSERVE_MAP_WATCHES_H
#define KTSTR_OBSERVE_MAP_WATCHES_H

#include "ktstr/observe.h"
#include "observe/map_field.h"

struct ktstr_map_watch {
	const struct ktstr_watch_bpf_map *spec; /* borrowed */
	bool bound;
	struct ktstr_map_field field;
	char object[17]; /* the map's name without the suffix */
	uint64_t readings; /* samples; of a per-CPU variable: samples x CPUs */
	double sum, max, last;
};

struct ktstr_map_watches {
	struct ktstr_map_watch *all;
	size_t count;
	uint64_t sched; /* *scx_root when they were bound */
	unsigned int ticks_to_retry;
};

void ktstr_map_watches_init(struct ktstr_map_watches *watches, const struct ktstr_watch_bpf_map *specs, size_t count);
void ktstr_map_watches_deinit(struct ktstr_map_watches *watches);
/* Reads all. A new scheduler has new maps: they are looked for again, and once a second as long as one is missing. */
void ktstr_map_watches_tick(struct ktstr_map_watches *watches, const struct ktstr_kernel_view *view);
/* {"<object>_<label>": number}; what was never read is not in it. New reference. */
json_t *ktstr_map_watches_metrics(const struct ktstr_map_watches *watches);
/* Takes a reading into a watch: what a tick does once it has the numbers of all CPUs (one, when it is no per-CPU map). */
void ktstr_map_watch_add(struct ktstr_map_watch *watch, const uint64_t *values, size_t count);

#endif
