/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of lib/host, and the JSON form for lib/result. */
#ifndef KTSTR_HOST_HOST_H
#define KTSTR_HOST_HOST_H

#include <jansson.h>

#include "check/members.h"
#include "ktstr/host.h"

/* The plain fields in the order of files and printing; the maps follow behind them. */
extern const struct ktstr_member ktstr_host_fields[];
extern const size_t ktstr_host_fields_count;
extern const struct ktstr_member ktstr_host_heap_fields[];
extern const size_t ktstr_host_heap_fields_count;

struct ktstr_host_map_field {
	const char *name;
	size_t offset;
};
extern const struct ktstr_host_map_field ktstr_host_maps[2];

static inline struct ktstr_text_map *ktstr_host_map(const struct ktstr_host_map_field *field, const void *context)
{
	return (struct ktstr_text_map *)((char *)context + field->offset);
}

/* Keeps the order of names; a name that is there already gets the new value. */
void ktstr_text_map_set(struct ktstr_text_map *map, const char *name, const char *value);
/* NULL when the map has no such name. */
const char *ktstr_text_map_get(const struct ktstr_text_map *map, const char *name);

/* As ktstr_host_context_collect() with the file systems below root ("" = this machine). */
void ktstr_host_context_collect_at(const char *root, struct ktstr_host_context *context);

/* New reference. */
json_t *ktstr_host_context_to_json(const struct ktstr_host_context *context);
/* Unknown keys are ignored, missing ones are unknown. *context is zeroed on failure. */
struct ktstr_error *ktstr_host_context_from_json(const json_t *json, struct ktstr_host_context *context) KTSTR_CHECKED;

#endif
