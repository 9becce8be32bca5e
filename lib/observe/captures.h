/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was captured during a run: dumps by tag in the order they were taken, values of kernel reads, the contents of
 * cgroup.procs, and events that say what was lost. All of it is JSON, for the run directory and for post-VM callbacks.
 */
#ifndef KTSTR_OBSERVE_CAPTURES_H
#define KTSTR_OBSERVE_CAPTURES_H

#include <jansson.h>

#include "ktstr/snapshot_bridge.h" /* KTSTR_MAX_STORED_* */
#include "ktstr/units.h"

struct ktstr_captures {
	json_t *snapshots; /* array of {tag, kind, report, elapsed_ms, step_index?, boundary_offset_ms?} */
	json_t *events; /* array of {event, ...} */
	json_t *kernel_ops; /* array of {tag, values[]} */
	json_t *cgroup_procs; /* array of {tag, cgroup, pids[]} */
	uint64_t events_dropped;
};

/* Zero-initialised captures are empty. */
void ktstr_captures_deinit(struct ktstr_captures *captures);

struct ktstr_capture {
	const char *tag;
	const char *kind; /* "on_demand", "watch", "periodic" */
	json_t *report; /* stolen */
	uint64_t elapsed_ms; /* since the VM started, without the time that it stood still */
	struct ktstr_opt_u64 step_index, boundary_offset_ms;
};

/*
 * Stores a capture as the newest. The same tag replaces what was there; beyond KTSTR_MAX_STORED_SNAPSHOTS the oldest
 * goes. Both leave an event.
 */
void ktstr_captures_store(struct ktstr_captures *captures, const struct ktstr_capture *capture);
/* {event: name, tag: tag, ...}; details may be NULL and is stolen. */
void ktstr_captures_event(struct ktstr_captures *captures, const char *name, const char *tag, json_t *details);
/* Lists are appended to and never collapsed; the value is stolen. */
void ktstr_captures_append(json_t **list, json_t *value);

/* {snapshots, events, kernel_ops, cgroup_procs}; new reference. A drop of events is its last event. */
json_t *ktstr_captures_to_json(const struct ktstr_captures *captures);

#endif
