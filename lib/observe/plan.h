/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test's declaration asks of its observation; as the test program describes it, in JSON. */
#ifndef KTSTR_OBSERVE_PLAN_H
#define KTSTR_OBSERVE_PLAN_H

#include <jansson.h>

#include "ktstr/error.h"
#include "ktstr/observe.h"

struct ktstr_observe_plan {
	unsigned int num_snapshots; /* periodic captures */
	uint64_t watchdog_timeout_ns; /* 0 = not set */
	struct ktstr_bpf_map_write *map_writes; /* own their text */
	size_t map_writes_count;
	struct ktstr_watch_bpf_map *map_watches;
	size_t map_watches_count;
	bool post_vm; /* there is a callback that looks at captures */
};

/* The "observe" object of a test's description; NULL = nothing is asked for. The program is not trusted with lengths. */
struct ktstr_error *ktstr_observe_plan_read(const json_t *json, struct ktstr_observe_plan *plan) KTSTR_CHECKED;
void ktstr_observe_plan_deinit(struct ktstr_observe_plan *plan);

#endif
