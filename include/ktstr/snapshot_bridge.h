/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store of captures: whoever takes them puts them in by tag, whoever judges them drains it. Runs in a VM fill one
 * of their own; a test of one's own code on the host makes one with callbacks that stand in for the VM.
 */
#ifndef KTSTR_SNAPSHOT_BRIDGE_H
#define KTSTR_SNAPSHOT_BRIDGE_H

#include <ktstr/sample.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KTSTR_MAX_STORED_SNAPSHOTS 64 /* then the oldest goes */
#define KTSTR_MAX_STORED_EVENTS	   1024 /* then later ones are only counted */
#define KTSTR_MAX_WATCH_SNAPSHOTS  3 /* symbols that one run can watch */

struct ktstr_snapshot_bridge;

/* A capture of that tag, heap, or NULL when none can be had. */
typedef struct ktstr_failure_dump *(*ktstr_capture_cb)(const char *tag, void *context);
/* NULL when the symbol is being watched now, else why not. */
typedef struct ktstr_error *(*ktstr_watch_register_cb)(const char *symbol, void *context);

/* capture may be NULL: then captures are put in by ktstr_snapshot_bridge_store() alone. One reference. */
struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_new(ktstr_capture_cb capture, void *context);
/* Sets the callback and returns the bridge. */
struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_with_watch_register(struct ktstr_snapshot_bridge *bridge,
									ktstr_watch_register_cb watch_register,
									void *context);
struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_ref(struct ktstr_snapshot_bridge *bridge);
void ktstr_snapshot_bridge_unref(struct ktstr_snapshot_bridge *bridge); /* accepts NULL */

/* The bridge that captures of this thread go to, until the guard is released; guards nest. */
struct ktstr_bridge_guard {
	struct ktstr_snapshot_bridge *previous;
};
struct ktstr_bridge_guard ktstr_snapshot_bridge_set_thread_local(struct ktstr_snapshot_bridge *bridge);
void ktstr_bridge_guard_release(struct ktstr_bridge_guard *guard);
/* Borrowed; NULL = none is set. */
struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_current(void);

/* Asks the callback and stores what it gives. Nothing given: an event, and KTSTR_ERR_NOT_FOUND. */
struct ktstr_error *ktstr_snapshot_bridge_capture(struct ktstr_snapshot_bridge *bridge, const char *tag) KTSTR_CHECKED;
/*
 * Watches writes to a symbol of the kernel. A fourth one, a symbol that the callback refuses and a bridge without a
 * callback are errors that use up no place.
 */
struct ktstr_error *ktstr_snapshot_bridge_watch(struct ktstr_snapshot_bridge *bridge, const char *symbol) KTSTR_CHECKED;
/* Takes over what the sample holds. A tag that is there is replaced as a whole and becomes the newest. */
void ktstr_snapshot_bridge_store(struct ktstr_snapshot_bridge *bridge, struct ktstr_sample *sample);

size_t ktstr_snapshot_bridge_len(const struct ktstr_snapshot_bridge *bridge);
bool ktstr_snapshot_bridge_has(const struct ktstr_snapshot_bridge *bridge, const char *tag);
/* Captures named "periodic_" and three digits that are no placeholders. */
size_t ktstr_snapshot_bridge_periodic_real_count(const struct ktstr_snapshot_bridge *bridge);

/* --- drains: each empties what it gives away ---------------------------------------------------------------------- */

/* Dumps alone, in no particular order; heap list of *count heap dumps. */
struct ktstr_failure_dump **ktstr_snapshot_bridge_drain(struct ktstr_snapshot_bridge *bridge, size_t *count);
/* Oldest first with everything that is known of each; heap list, ktstr_sample_deinit() each. */
struct ktstr_sample *ktstr_snapshot_bridge_drain_ordered_with_stats(struct ktstr_snapshot_bridge *bridge, size_t *count);
/* The same without statistics, which are dropped. */
struct ktstr_sample *ktstr_snapshot_bridge_drain_ordered(struct ktstr_snapshot_bridge *bridge, size_t *count);

enum ktstr_bridge_event_kind {
	KTSTR_BRIDGE_CAPTURE_UNAVAILABLE, /* tag */
	KTSTR_BRIDGE_OVERWRITE, /* tag, detail = schema of what was there */
	KTSTR_BRIDGE_EVICTION, /* tag = evicted, detail = new tag, number = cap */
	KTSTR_BRIDGE_EVENT_LOG_TRUNCATED, /* number = how many events were dropped; the last one, if any */
};

struct ktstr_bridge_event {
	enum ktstr_bridge_event_kind kind;
	char *tag, *detail; /* heap or NULL */
	uint64_t number;
};
void ktstr_bridge_event_deinit(struct ktstr_bridge_event *event);
struct ktstr_bridge_event *ktstr_snapshot_bridge_drain_events(struct ktstr_snapshot_bridge *bridge, size_t *count);

/* Who was in a cgroup at one moment. No pids: it was empty. */
struct ktstr_cgroup_procs_snapshot {
	char *tag, *cgroup;
	int64_t *pids;
	size_t pids_count;
};
void ktstr_cgroup_procs_snapshot_deinit(struct ktstr_cgroup_procs_snapshot *snapshot);
/* Takes over what it holds; the same tag may come again. */
void ktstr_snapshot_bridge_add_cgroup_procs(struct ktstr_snapshot_bridge *bridge,
					    struct ktstr_cgroup_procs_snapshot *snapshot);
/* The first of that tag, borrowed; NULL = none. */
const struct ktstr_cgroup_procs_snapshot *
ktstr_snapshot_bridge_cgroup_procs_by_tag(const struct ktstr_snapshot_bridge *bridge, const char *tag);
struct ktstr_cgroup_procs_snapshot *ktstr_snapshot_bridge_drain_cgroup_procs(struct ktstr_snapshot_bridge *bridge,
									      size_t *count);

/* What a read of the kernel's memory gave, one value per entry of the request. */
struct ktstr_kernel_op_result {
	char *tag;
	struct json_t *values; /* a list; one reference */
};
void ktstr_kernel_op_result_deinit(struct ktstr_kernel_op_result *result);
void ktstr_snapshot_bridge_add_kernel_op(struct ktstr_snapshot_bridge *bridge, struct ktstr_kernel_op_result *result);
/* The values of the first of that tag, borrowed; NULL = none. */
const struct json_t *ktstr_snapshot_bridge_kernel_op_value(const struct ktstr_snapshot_bridge *bridge, const char *tag);
struct ktstr_kernel_op_result *ktstr_snapshot_bridge_drain_kernel_ops(struct ktstr_snapshot_bridge *bridge,
								      size_t *count);

/*
 * A bridge with what a run stored: {"snapshots": [{"tag", "report", "elapsed_ms"?, "step_index"?, "boundary_offset_ms"?,
 * "stats"?, "stats_missing"?}], "kernel_ops": [{"tag", "values"}], "cgroup_procs": [{"tag", "cgroup", "pids"}]}.
 * KTSTR_ERR_CORRUPT names the place of what is not so.
 */
struct ktstr_error *ktstr_snapshot_bridge_from_json(const struct json_t *json, struct ktstr_snapshot_bridge **bridge)
	KTSTR_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
