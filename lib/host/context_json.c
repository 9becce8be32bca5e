// SPDX-License-Identifier: GPL-2.0-only
/* A host's facts as results carry them. */
#include <string.h>

#include "base/str.h"
#include "check/json_util.h"
#include "host/host.h"

enum { MAPS = sizeof(ktstr_host_maps) / sizeof(ktstr_host_maps[0]), MAP_ITEMS_MAX = 65536 };

json_t *ktstr_host_context_to_json(const struct ktstr_host_context *context)
{
	json_t *json = ktstr_struct_to_json(ktstr_host_fields, ktstr_host_fields_count, context);

	for (size_t i = 0; i < MAPS; i++) {
		const struct ktstr_text_map *map = ktstr_host_map(&ktstr_host_maps[i], context);
		json_t *object = map->known ? json_object() : json_null();

		for (size_t k = 0; k < map->count; k++)
			json_object_set_new(object, map->items[k].name, ktstr_json_text(map->items[k].value));
		json_object_set_new(json, ktstr_host_maps[i].name, object);
	}
	json_object_set_new(json, "heap_state",
			    ktstr_struct_to_json(ktstr_host_heap_fields, ktstr_host_heap_fields_count,
						 &context->heap_state));
	return json;
}

static struct ktstr_error *read_map(const json_t *json, struct ktstr_text_map *map)
{
	const char *name;
	json_t *value;

	if (!json || json_is_null(json))
		return NULL;
	if (!json_is_object(json) || json_object_size(json) > MAP_ITEMS_MAX)
		return ktstr_json_mismatch(json, "an object of at most 65536 texts");
	map->known = true;
	json_object_foreach((json_t *)json, name, value) {
		_cleanup_free_ char *text = NULL;

		KTSTR_TRY_WRAP(ktstr_json_read_text(value, &text), "%s", name);
		ktstr_text_map_set(map, name, text);
	}
	return NULL;
}

static struct ktstr_error *read_all(const json_t *json, struct ktstr_host_context *context)
{
	const json_t *heap = json_object_get(json, "heap_state");

	KTSTR_TRY(ktstr_struct_from_json(ktstr_host_fields, ktstr_host_fields_count, json, context));
	for (size_t i = 0; i < MAPS; i++)
		KTSTR_TRY_WRAP(read_map(json_object_get(json, ktstr_host_maps[i].name),
					ktstr_host_map(&ktstr_host_maps[i], context)),
			       "%s", ktstr_host_maps[i].name);
	if (!heap || json_is_null(heap))
		return NULL;
	return ktstr_struct_from_json(ktstr_host_heap_fields, ktstr_host_heap_fields_count, heap, &context->heap_state);
}

struct ktstr_error *ktstr_host_context_from_json(const json_t *json, struct ktstr_host_context *context)
{
	struct ktstr_error *error;

	*context = (struct ktstr_host_context){ 0 };
	error = json_is_object(json) ? read_all(json, context) : ktstr_json_mismatch(json, "an object");
	if (error)
		ktstr_host_context_deinit(context);
	return error;
}
