// SPDX-License-Identifier: GPL-2.0-only
/* The store of captures: caps, events, and what is drained from it. */
#include <ctype.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ktstr/snapshot_bridge.h"

struct ktstr_snapshot_bridge {
	atomic_uint references;
	ktstr_capture_cb capture;
	void *capture_context;
	ktstr_watch_register_cb watch_register;
	void *watch_context;
	size_t watches;

	struct ktstr_sample samples[KTSTR_MAX_STORED_SNAPSHOTS]; /* oldest first */
	size_t count;
	struct ktstr_bridge_event *events;
	size_t events_count;
	uint64_t events_dropped;
	struct ktstr_cgroup_procs_snapshot *cgroup_procs;
	size_t cgroup_procs_count;
	struct ktstr_kernel_op_result *kernel_ops;
	size_t kernel_ops_count;
};

static _Thread_local struct ktstr_snapshot_bridge *current;

struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_new(ktstr_capture_cb capture, void *context)
{
	struct ktstr_snapshot_bridge *bridge = ktstr_xcalloc(1, sizeof(*bridge));

	bridge->references = 1;
	bridge->capture = capture;
	bridge->capture_context = context;
	return bridge;
}

struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_with_watch_register(struct ktstr_snapshot_bridge *bridge,
									ktstr_watch_register_cb watch_register,
									void *context)
{
	bridge->watch_register = watch_register;
	bridge->watch_context = context;
	return bridge;
}

struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_ref(struct ktstr_snapshot_bridge *bridge)
{
	bridge->references++;
	return bridge;
}

void ktstr_snapshot_bridge_unref(struct ktstr_snapshot_bridge *bridge)
{
	if (!bridge || --bridge->references)
		return;
	for (size_t i = 0; i < bridge->count; i++)
		ktstr_sample_deinit(&bridge->samples[i]);
	for (size_t i = 0; i < bridge->events_count; i++)
		ktstr_bridge_event_deinit(&bridge->events[i]);
	for (size_t i = 0; i < bridge->cgroup_procs_count; i++)
		ktstr_cgroup_procs_snapshot_deinit(&bridge->cgroup_procs[i]);
	for (size_t i = 0; i < bridge->kernel_ops_count; i++)
		ktstr_kernel_op_result_deinit(&bridge->kernel_ops[i]);
	free(bridge->events);
	free(bridge->cgroup_procs);
	free(bridge->kernel_ops);
	free(bridge);
}

struct ktstr_bridge_guard ktstr_snapshot_bridge_set_thread_local(struct ktstr_snapshot_bridge *bridge)
{
	struct ktstr_bridge_guard guard = { current };

	current = ktstr_snapshot_bridge_ref(bridge);
	return guard;
}

void ktstr_bridge_guard_release(struct ktstr_bridge_guard *guard)
{
	ktstr_snapshot_bridge_unref(current);
	current = guard->previous;
	guard->previous = NULL;
}

struct ktstr_snapshot_bridge *ktstr_snapshot_bridge_current(void)
{
	return current;
}

/* One item more in a heap list. */
#define APPEND(list, count, item)                                                                                      \
	do {                                                                                                           \
		(list) = ktstr_xrealloc((list), ((count) + 1) * sizeof(*(list)));                                      \
		(list)[(count)++] = (item);                                                                            \
	} while (0)

static void add_event(struct ktstr_snapshot_bridge *bridge, enum ktstr_bridge_event_kind kind, const char *tag,
		      const char *detail, uint64_t number)
{
	struct ktstr_bridge_event event = { kind, NULL, NULL, number };

	if (bridge->events_count == KTSTR_MAX_STORED_EVENTS) {
		bridge->events_dropped++;
		return;
	}
	event.tag = ktstr_xstrdup(tag);
	event.detail = detail ? ktstr_xstrdup(detail) : NULL;
	APPEND(bridge->events, bridge->events_count, event);
}

static int find(const struct ktstr_snapshot_bridge *bridge, const char *tag)
{
	for (size_t i = 0; i < bridge->count; i++)
		if (!strcmp(bridge->samples[i].tag, tag))
			return (int)i;
	return -1;
}

static void remove_at(struct ktstr_snapshot_bridge *bridge, size_t i)
{
	ktstr_sample_deinit(&bridge->samples[i]);
	bridge->count--;
	memmove(&bridge->samples[i], &bridge->samples[i + 1], (bridge->count - i) * sizeof(bridge->samples[0]));
}

void ktstr_snapshot_bridge_store(struct ktstr_snapshot_bridge *bridge, struct ktstr_sample *sample)
{
	int same = find(bridge, sample->tag);

	if (same >= 0) {
		add_event(bridge, KTSTR_BRIDGE_OVERWRITE, sample->tag, KTSTR_SCHEMA_SINGLE, 0);
		remove_at(bridge, (size_t)same);
	} else if (bridge->count == KTSTR_MAX_STORED_SNAPSHOTS) {
		add_event(bridge, KTSTR_BRIDGE_EVICTION, bridge->samples[0].tag, sample->tag, KTSTR_MAX_STORED_SNAPSHOTS);
		remove_at(bridge, 0);
	}
	bridge->samples[bridge->count++] = *sample;
	memset(sample, 0, sizeof(*sample));
}

struct ktstr_error *ktstr_snapshot_bridge_capture(struct ktstr_snapshot_bridge *bridge, const char *tag)
{
	struct ktstr_failure_dump *dump = bridge->capture ? bridge->capture(tag, bridge->capture_context) : NULL;
	struct ktstr_sample sample = { .dump = dump };

	if (!dump) {
		add_event(bridge, KTSTR_BRIDGE_CAPTURE_UNAVAILABLE, tag, NULL, 0);
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "snapshot \"%s\": no capture could be taken", tag);
	}
	sample.tag = ktstr_xstrdup(tag);
	ktstr_snapshot_bridge_store(bridge, &sample);
	return NULL;
}

struct ktstr_error *ktstr_snapshot_bridge_watch(struct ktstr_snapshot_bridge *bridge, const char *symbol)
{
	if (bridge->watches == KTSTR_MAX_WATCH_SNAPSHOTS)
		return ktstr_error_new(KTSTR_ERR_INVALID, "watch on %s: at most %d symbols can be watched in a run "
				       "(KTSTR_MAX_WATCH_SNAPSHOTS)", symbol, KTSTR_MAX_WATCH_SNAPSHOTS);
	if (!bridge->watch_register)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "watch on %s: nothing here can watch symbols", symbol);
	KTSTR_TRY_WRAP(bridge->watch_register(symbol, bridge->watch_context), "watch on %s", symbol);
	bridge->watches++;
	return NULL;
}

size_t ktstr_snapshot_bridge_len(const struct ktstr_snapshot_bridge *bridge)
{
	return bridge->count;
}

bool ktstr_snapshot_bridge_has(const struct ktstr_snapshot_bridge *bridge, const char *tag)
{
	return find(bridge, tag) >= 0;
}

/* "periodic_" and three digits. */
static bool is_periodic(const char *tag)
{
	const char *digits = ktstr_str_starts_with(tag, "periodic_") ? tag + strlen("periodic_") : "";

	return strlen(digits) == 3 && strspn(digits, "0123456789") == 3;
}

size_t ktstr_snapshot_bridge_periodic_real_count(const struct ktstr_snapshot_bridge *bridge)
{
	size_t count = 0;

	for (size_t i = 0; i < bridge->count; i++)
		count += is_periodic(bridge->samples[i].tag) && bridge->samples[i].dump &&
			 !bridge->samples[i].dump->is_placeholder;
	return count;
}

struct ktstr_sample *ktstr_snapshot_bridge_drain_ordered_with_stats(struct ktstr_snapshot_bridge *bridge, size_t *count)
{
	struct ktstr_sample *samples = ktstr_xcalloc(bridge->count + 1, sizeof(*samples));

	*count = bridge->count;
	memcpy(samples, bridge->samples, bridge->count * sizeof(*samples));
	bridge->count = 0;
	return samples;
}

struct ktstr_sample *ktstr_snapshot_bridge_drain_ordered(struct ktstr_snapshot_bridge *bridge, size_t *count)
{
	struct ktstr_sample *samples = ktstr_snapshot_bridge_drain_ordered_with_stats(bridge, count);

	for (size_t i = 0; i < *count; i++) {
		json_decref(samples[i].stats);
		samples[i].stats = NULL;
		free(ktstr_take(samples[i].stats_missing));
	}
	return samples;
}

struct ktstr_failure_dump **ktstr_snapshot_bridge_drain(struct ktstr_snapshot_bridge *bridge, size_t *count)
{
	_cleanup_free_ struct ktstr_sample *samples = ktstr_snapshot_bridge_drain_ordered_with_stats(bridge, count);
	struct ktstr_failure_dump **dumps = ktstr_xcalloc(*count + 1, sizeof(*dumps));

	for (size_t i = 0; i < *count; i++) {
		dumps[i] = ktstr_take(samples[i].dump);
		ktstr_sample_deinit(&samples[i]);
	}
	return dumps;
}

void ktstr_bridge_event_deinit(struct ktstr_bridge_event *event)
{
	free(event->tag);
	free(event->detail);
	memset(event, 0, sizeof(*event));
}

void ktstr_cgroup_procs_snapshot_deinit(struct ktstr_cgroup_procs_snapshot *snapshot)
{
	free(snapshot->tag);
	free(snapshot->cgroup);
	free(snapshot->pids);
	memset(snapshot, 0, sizeof(*snapshot));
}

void ktstr_kernel_op_result_deinit(struct ktstr_kernel_op_result *result)
{
	free(result->tag);
	json_decref(result->values);
	memset(result, 0, sizeof(*result));
}

/* Gives the list away: never NULL. */
#define DRAIN(bridge, list, count_out)                                                                                 \
	({                                                                                                             \
		*(count_out) = (bridge)->list##_count;                                                                 \
		(bridge)->list##_count = 0;                                                                            \
		__auto_type drained_ = ktstr_take((bridge)->list);                                                     \
		drained_ ? drained_ : ktstr_xcalloc(1, sizeof(*drained_));                                             \
	})

struct ktstr_bridge_event *ktstr_snapshot_bridge_drain_events(struct ktstr_snapshot_bridge *bridge, size_t *count)
{
	if (bridge->events_dropped)
		APPEND(bridge->events, bridge->events_count,
		       ((struct ktstr_bridge_event){ .kind = KTSTR_BRIDGE_EVENT_LOG_TRUNCATED,
						     .number = bridge->events_dropped }));
	bridge->events_dropped = 0;
	return DRAIN(bridge, events, count);
}

void ktstr_snapshot_bridge_add_cgroup_procs(struct ktstr_snapshot_bridge *bridge,
					    struct ktstr_cgroup_procs_snapshot *snapshot)
{
	APPEND(bridge->cgroup_procs, bridge->cgroup_procs_count, *snapshot);
	memset(snapshot, 0, sizeof(*snapshot));
}

const struct ktstr_cgroup_procs_snapshot *
ktstr_snapshot_bridge_cgroup_procs_by_tag(const struct ktstr_snapshot_bridge *bridge, const char *tag)
{
	for (size_t i = 0; i < bridge->cgroup_procs_count; i++)
		if (!strcmp(bridge->cgroup_procs[i].tag, tag))
			return &bridge->cgroup_procs[i];
	return NULL;
}

struct ktstr_cgroup_procs_snapshot *ktstr_snapshot_bridge_drain_cgroup_procs(struct ktstr_snapshot_bridge *bridge,
									      size_t *count)
{
	return DRAIN(bridge, cgroup_procs, count);
}

void ktstr_snapshot_bridge_add_kernel_op(struct ktstr_snapshot_bridge *bridge, struct ktstr_kernel_op_result *result)
{
	APPEND(bridge->kernel_ops, bridge->kernel_ops_count, *result);
	memset(result, 0, sizeof(*result));
}

const struct json_t *ktstr_snapshot_bridge_kernel_op_value(const struct ktstr_snapshot_bridge *bridge, const char *tag)
{
	for (size_t i = 0; i < bridge->kernel_ops_count; i++)
		if (!strcmp(bridge->kernel_ops[i].tag, tag))
			return bridge->kernel_ops[i].values;
	return NULL;
}

struct ktstr_kernel_op_result *ktstr_snapshot_bridge_drain_kernel_ops(struct ktstr_snapshot_bridge *bridge,
								      size_t *count)
{
	return DRAIN(bridge, kernel_ops, count);
}
