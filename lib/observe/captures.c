// SPDX-License-Identifier: GPL-2.0-only
/* A store of captures that forgets the oldest and says so. */
#include <string.h>

#include "observe/captures.h"

void ktstr_captures_deinit(struct ktstr_captures *captures)
{
	json_decref(captures->snapshots);
	json_decref(captures->events);
	json_decref(captures->kernel_ops);
	json_decref(captures->cgroup_procs);
	*captures = (struct ktstr_captures){ 0 };
}

void ktstr_captures_append(json_t **list, json_t *value)
{
	if (!*list)
		*list = json_array();
	if (value)
		json_array_append_new(*list, value);
}

void ktstr_captures_event(struct ktstr_captures *captures, const char *name, const char *tag, json_t *details)
{
	json_t *event = json_pack("{ss ss}", "event", name, "tag", tag);

	if (event && details)
		json_object_update(event, details);
	json_decref(details);
	if (json_array_size(captures->events) >= KTSTR_MAX_STORED_EVENTS) {
		captures->events_dropped++;
		json_decref(event);
		return;
	}
	ktstr_captures_append(&captures->events, event);
}

static const char *tag_at(const struct ktstr_captures *captures, size_t i)
{
	return json_string_value(json_object_get(json_array_get(captures->snapshots, i), "tag"));
}

static void replace_same_tag(struct ktstr_captures *captures, const char *tag)
{
	for (size_t i = 0; i < json_array_size(captures->snapshots); i++) {
		const json_t *schema;

		if (strcmp(tag_at(captures, i), tag))
			continue;
		schema = json_object_get(json_object_get(json_array_get(captures->snapshots, i), "report"), "schema");
		ktstr_captures_event(captures, "Overwrite", tag,
				     json_pack("{sO*}", "prior_schema", (json_t *)schema));
		json_array_remove(captures->snapshots, i);
		return;
	}
}

static void evict_oldest(struct ktstr_captures *captures, const char *new_tag)
{
	if (json_array_size(captures->snapshots) < KTSTR_MAX_STORED_SNAPSHOTS)
		return;
	ktstr_captures_event(captures, "Eviction", tag_at(captures, 0),
			     json_pack("{ss si}", "new_tag", new_tag, "cap", KTSTR_MAX_STORED_SNAPSHOTS));
	json_array_remove(captures->snapshots, 0);
}

static void set_number(json_t *json, const char *key, struct ktstr_opt_u64 number)
{
	if (number.set)
		json_object_set_new(json, key, json_integer((json_int_t)number.value));
}

void ktstr_captures_store(struct ktstr_captures *captures, const struct ktstr_capture *capture)
{
	json_t *entry = json_pack("{ss ss sI so}", "tag", capture->tag, "kind", capture->kind, "elapsed_ms",
				  (json_int_t)capture->elapsed_ms, "report", capture->report);

	if (!entry) { /* a tag of a hostile guest, which is no text; jansson has dropped the report */
		ktstr_captures_event(captures, "CaptureUnavailable", "?", NULL);
		return;
	}
	set_number(entry, "step_index", capture->step_index);
	set_number(entry, "boundary_offset_ms", capture->boundary_offset_ms);
	replace_same_tag(captures, capture->tag);
	evict_oldest(captures, capture->tag);
	ktstr_captures_append(&captures->snapshots, entry);
}

static json_t *list_or_empty(json_t *list)
{
	return list ? json_incref(list) : json_array();
}

json_t *ktstr_captures_to_json(const struct ktstr_captures *captures)
{
	json_t *events = captures->events ? json_copy(captures->events) : json_array();

	if (captures->events_dropped)
		json_array_append_new(events, json_pack("{ss sI}", "event", "EventLogTruncated", "dropped_count",
							(json_int_t)captures->events_dropped));
	return json_pack("{so so so so}", "snapshots", list_or_empty(captures->snapshots), "events", events,
			 "kernel_ops", list_or_empty(captures->kernel_ops), "cgroup_procs",
			 list_or_empty(captures->cgroup_procs));
}
