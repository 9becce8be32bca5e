// SPDX-License-Identifier: GPL-2.0-only
/* Counters of network devices to JSON and back. */
#include "base/cleanup.h"
#include "check/json_util.h"
#include "net/counters.h"

json_t *ktstr_net_counters_to_json(const char *mac, const struct ktstr_virtio_net_counters_snapshot *counters)
{
	json_t *json = json_object();

	json_object_set_new(json, "mac", ktstr_json_text(mac));
#define WRITE_(name) json_object_set_new(json, #name, ktstr_json_opt_u64(counters->name));
	KTSTR_VIRTIO_NET_COUNTERS(WRITE_)
#undef WRITE_
	return json;
}

static struct ktstr_opt_u64 read_counter(const json_t *json)
{
	struct ktstr_opt_u64 counter = { 0 };
	_cleanup_error_ struct ktstr_error *error = json_is_null(json) ? NULL : ktstr_json_read_u64(json, &counter.value);

	counter.set = json_is_number(json) && !error;
	return counter.set ? counter : (struct ktstr_opt_u64){ 0 };
}

struct ktstr_virtio_net_counters_snapshot ktstr_net_counters_from_json(const json_t *json)
{
	struct ktstr_virtio_net_counters_snapshot counters = { 0 };

#define READ_(name) counters.name = read_counter(json_object_get(json, #name));
	KTSTR_VIRTIO_NET_COUNTERS(READ_)
#undef READ_
	return counters;
}

json_t *ktstr_net_counters_clean(const json_t *list)
{
	json_t *clean = json_array_size(list) ? json_array() : NULL;
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		struct ktstr_virtio_net_counters_snapshot counters = ktstr_net_counters_from_json(item);
		const char *mac = json_string_value(json_object_get(item, "mac"));

		json_array_append_new(clean, ktstr_net_counters_to_json(mac, &counters));
	}
	return clean;
}
