// SPDX-License-Identifier: GPL-2.0-only
/* Disks and their counters as JSON: from a test program to the host, and into results. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/json_util.h"
#include "disk/disk.h"

json_t *ktstr_disk_to_json(const struct ktstr_disk_config *disk)
{
	if (!disk)
		return json_null();
	return json_pack("{sI ss s{sI sI sI sI} sb ss* sb}", "capacity_mib", (json_int_t)(ktstr_disk_bytes(disk) >> 20),
			 "filesystem", ktstr_filesystem_name(disk->filesystem), "throttle", "iops",
			 (json_int_t)disk->throttle.iops, "bytes_per_sec", (json_int_t)disk->throttle.bytes_per_sec,
			 "iops_burst_capacity", (json_int_t)disk->throttle.iops_burst_capacity, "bytes_burst_capacity",
			 (json_int_t)disk->throttle.bytes_burst_capacity, "read_only", (int)disk->read_only, "name", disk->name,
			 "no_auto_mount", (int)disk->no_auto_mount);
}

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

struct ktstr_error *ktstr_disk_from_json(const json_t *json, struct ktstr_disk_config **out)
{
	const json_t *throttle = json_object_get(json, "throttle");
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *filesystem = json_string_value(json_object_get(json, "filesystem"));
	struct ktstr_disk_config *disk;
	struct ktstr_error *error;

	*out = NULL;
	if (!json_is_object(json))
		return NULL;
	disk = ktstr_xcalloc(1, sizeof(*disk));
	*disk = (struct ktstr_disk_config){
		.capacity_mib = (unsigned int)number_of(json, "capacity_mib"),
		.filesystem = filesystem && !strcmp(filesystem, "btrfs") ? KTSTR_FILESYSTEM_BTRFS : KTSTR_FILESYSTEM_RAW,
		.throttle = { .iops = number_of(throttle, "iops"),
			      .bytes_per_sec = number_of(throttle, "bytes_per_sec"),
			      .iops_burst_capacity = number_of(throttle, "iops_burst_capacity"),
			      .bytes_burst_capacity = number_of(throttle, "bytes_burst_capacity") },
		.read_only = json_is_true(json_object_get(json, "read_only")),
		.name = name ? ktstr_xstrdup(name) : NULL,
		.no_auto_mount = json_is_true(json_object_get(json, "no_auto_mount")),
	};
	error = ktstr_disk_config_validate(disk);
	if (error)
		ktstr_disk_free(ktstr_take(disk));
	*out = disk;
	return error;
}

void ktstr_disk_free(struct ktstr_disk_config *disk)
{
	if (disk)
		free((char *)disk->name);
	free(disk);
}

json_t *ktstr_disk_counters_to_json(const struct ktstr_virtio_blk_counters_snapshot *counters)
{
	json_t *json = json_object();

#define WRITE_(field) json_object_set_new(json, #field, ktstr_json_opt_u64(counters->field));
	KTSTR_VIRTIO_BLK_COUNTERS(WRITE_)
#undef WRITE_
	return json;
}

struct ktstr_virtio_blk_counters_snapshot ktstr_disk_counters_from_json(const json_t *json)
{
	struct ktstr_virtio_blk_counters_snapshot counters;

#define READ_(field)                                                                                                   \
	counters.field = (struct ktstr_opt_u64){ json_is_integer(json_object_get(json, #field)), number_of(json, #field) };
	KTSTR_VIRTIO_BLK_COUNTERS(READ_)
#undef READ_
	return counters;
}
