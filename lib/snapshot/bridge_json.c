// SPDX-License-Identifier: GPL-2.0-only
/* What a run stored, from the JSON that it left. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "dump/number.h"
#include "dump/shape.h"
#include "ktstr/snapshot_bridge.h"

static struct ktstr_error *read_tag(const json_t *json, const char *key, char **text)
{
	const char *value = json_string_value(json_object_get(json, key));

	if (!value)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: expected text", key);
	*text = ktstr_xstrdup(value);
	return NULL;
}

static struct ktstr_opt_u64 read_number(const json_t *json, const char *key)
{
	struct ktstr_opt_u64 number = { 0 };
	bool negative;

	number.set = ktstr_json_read_exact(json_object_get(json, key), &number.value, &negative) && !negative;
	return number;
}

static struct ktstr_error *fill_sample(const json_t *json, struct ktstr_sample *sample)
{
	const char *missing = json_string_value(json_object_get(json, "stats_missing"));
	struct ktstr_opt_u64 step = read_number(json, "step_index");
	json_t *stats = json_object_get(json, "stats");

	KTSTR_TRY(read_tag(json, "tag", &sample->tag));
	sample->dump = ktstr_xcalloc(1, sizeof(*sample->dump));
	KTSTR_TRY_WRAP(ktstr_shape_from_json(&ktstr_single_shape, json_object_get(json, "report"), sample->dump), "report");
	sample->elapsed_ms = read_number(json, "elapsed_ms");
	sample->boundary_offset_ms = read_number(json, "boundary_offset_ms");
	sample->step_index = (struct ktstr_opt_u32){ step.set && step.value <= UINT32_MAX, (uint32_t)step.value };
	sample->stats = json_is_null(stats) ? NULL : json_incref(stats);
	sample->stats_missing = missing ? ktstr_xstrdup(missing) : NULL;
	return NULL;
}

static struct ktstr_error *read_sample(const json_t *json, struct ktstr_snapshot_bridge *bridge)
{
	struct ktstr_sample sample = { 0 };
	struct ktstr_error *error = fill_sample(json, &sample);

	if (error)
		ktstr_sample_deinit(&sample);
	else
		ktstr_snapshot_bridge_store(bridge, &sample);
	return error;
}

static struct ktstr_error *read_kernel_op(const json_t *json, struct ktstr_snapshot_bridge *bridge)
{
	struct ktstr_kernel_op_result result = { 0 };

	KTSTR_TRY(read_tag(json, "tag", &result.tag));
	result.values = json_incref(json_object_get(json, "values"));
	ktstr_snapshot_bridge_add_kernel_op(bridge, &result);
	return NULL;
}

static struct ktstr_error *read_cgroup_procs(const json_t *json, struct ktstr_snapshot_bridge *bridge)
{
	struct ktstr_cgroup_procs_snapshot snapshot = { 0 };
	const json_t *pids = json_object_get(json, "pids");
	struct ktstr_error *error = read_tag(json, "tag", &snapshot.tag);

	if (!error)
		error = read_tag(json, "cgroup", &snapshot.cgroup);
	if (error) {
		ktstr_cgroup_procs_snapshot_deinit(&snapshot);
		return error;
	}
	snapshot.pids = ktstr_xcalloc(json_array_size(pids) + 1, sizeof(*snapshot.pids));
	for (; snapshot.pids_count < json_array_size(pids); snapshot.pids_count++)
		snapshot.pids[snapshot.pids_count] = json_integer_value(json_array_get(pids, snapshot.pids_count));
	ktstr_snapshot_bridge_add_cgroup_procs(bridge, &snapshot);
	return NULL;
}

static const struct {
	const char *key;
	struct ktstr_error *(*read)(const json_t *json, struct ktstr_snapshot_bridge *bridge);
} lists[] = {
	{ "snapshots", read_sample },
	{ "kernel_ops", read_kernel_op },
	{ "cgroup_procs", read_cgroup_procs },
};

static struct ktstr_error *read_lists(const json_t *json, struct ktstr_snapshot_bridge *bridge)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const json_t *list = json_object_get(json, lists[i].key);

		for (size_t n = 0; n < json_array_size(list); n++)
			KTSTR_TRY_WRAP(lists[i].read(json_array_get(list, n), bridge), "%s[%zu]", lists[i].key, n);
	}
	return NULL;
}

struct ktstr_error *ktstr_snapshot_bridge_from_json(const struct json_t *json, struct ktstr_snapshot_bridge **bridge)
{
	struct ktstr_snapshot_bridge *made = ktstr_snapshot_bridge_new(NULL, NULL);
	struct ktstr_error *error = read_lists(json, made);

	if (error)
		ktstr_snapshot_bridge_unref(made);
	else
		*bridge = made;
	return error;
}
