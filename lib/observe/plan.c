// SPDX-License-Identifier: GPL-2.0-only
/* Reads the plan that guest/describe.c writes. */
#include <stdlib.h>

#include "base/str.h"
#include "observe/plan.h"

enum { LIST_MAX = 1024 };

static char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return ktstr_xstrdup(text ? text : "");
}

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

struct ktstr_error *ktstr_observe_plan_read(const json_t *json, struct ktstr_observe_plan *plan)
{
	const json_t *writes = json_object_get(json, "bpf_map_write"), *watches = json_object_get(json, "watch_bpf_maps");
	const json_t *item;
	size_t i;

	*plan = (struct ktstr_observe_plan){
		.num_snapshots = (unsigned int)number_of(json, "num_snapshots"),
		.watchdog_timeout_ns = number_of(json, "watchdog_timeout_ns"),
		.post_vm = json_is_true(json_object_get(json, "post_vm")),
	};
	if (json_array_size(writes) > LIST_MAX || json_array_size(watches) > LIST_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "more than %d writes or watches of BPF maps", LIST_MAX);
	plan->map_writes = ktstr_xcalloc(json_array_size(writes) + 1, sizeof(*plan->map_writes));
	plan->map_watches = ktstr_xcalloc(json_array_size(watches) + 1, sizeof(*plan->map_watches));
	json_array_foreach(writes, i, item)
		plan->map_writes[plan->map_writes_count++] = (struct ktstr_bpf_map_write){
			text_of(item, "map_suffix"), text_of(item, "field"), (uint32_t)number_of(item, "value")
		};
	json_array_foreach(watches, i, item)
		plan->map_watches[plan->map_watches_count++] = (struct ktstr_watch_bpf_map){
			text_of(item, "map_suffix"), text_of(item, "field"),
			(enum ktstr_bpf_map_agg)number_of(item, "agg"), text_of(item, "label")
		};
	return NULL;
}

void ktstr_observe_plan_deinit(struct ktstr_observe_plan *plan)
{
	for (size_t i = 0; i < plan->map_writes_count; i++) {
		free((char *)plan->map_writes[i].map_suffix);
		free((char *)plan->map_writes[i].field);
	}
	for (size_t i = 0; i < plan->map_watches_count; i++) {
		free((char *)plan->map_watches[i].map_suffix);
		free((char *)plan->map_watches[i].field);
		free((char *)plan->map_watches[i].label);
	}
	free(plan->map_writes);
	free(plan->map_watches);
	*plan = (struct ktstr_observe_plan){ 0 };
}
