// SPDX-License-Identifier: GPL-2.0-only
/* What QEMU counts of a guest's disk (query-blockstats). */
#include <string.h>

#include "base/clock.h"
#include "vm/argv.h"
#include "vm/disk_counters.h"
#include "vm/vm_private.h"

static struct ktstr_opt_u64 counter(const json_t *stats, const char *key)
{
	const json_t *value = json_object_get(stats, key);
	json_int_t count = json_integer_value(value);

	return (struct ktstr_opt_u64){ json_is_integer(value), count > 0 ? (uint64_t)count : 0 };
}

static struct ktstr_opt_u64 sum(const json_t *stats, const char *const *keys, size_t count)
{
	struct ktstr_opt_u64 whole = { .set = true };

	for (size_t i = 0; i < count; i++) {
		struct ktstr_opt_u64 part = counter(stats, keys[i]);

		whole.set = whole.set && part.set;
		whole.value += part.value;
	}
	return whole;
}

struct ktstr_error *ktstr_disk_counters_of(const json_t *answer, struct ktstr_virtio_blk_counters_snapshot *counters)
{
	static const char *const failed[] = { "failed_rd_operations", "failed_wr_operations", "failed_flush_operations" };
	const json_t *device;
	size_t i;

	*counters = (struct ktstr_virtio_blk_counters_snapshot){ 0 };
	json_array_foreach(answer, i, device) {
		const char *id = json_string_value(json_object_get(device, "device"));
		const json_t *stats = json_object_get(device, "stats");

		if (!id || strcmp(id, KTSTR_VM_DISK_ID))
			continue;
		counters->reads_completed = counter(stats, "rd_operations");
		counters->writes_completed = counter(stats, "wr_operations");
		counters->flushes_completed = counter(stats, "flush_operations");
		counters->bytes_read = counter(stats, "rd_bytes");
		counters->bytes_written = counter(stats, "wr_bytes");
		counters->io_errors = sum(stats, failed, sizeof(failed) / sizeof(failed[0]));
		return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "QEMU knows no disk %s", KTSTR_VM_DISK_ID);
}

struct ktstr_error *ktstr_vm_disk_counters(struct ktstr_vm *vm, struct ktstr_virtio_blk_counters_snapshot *counters)
{
	struct ktstr_error *error;
	json_t *answer = NULL;

	*counters = (struct ktstr_virtio_blk_counters_snapshot){ 0 };
	KTSTR_TRY(ktstr_vm_open_qmp(vm));
	KTSTR_TRY(ktstr_qmp_execute(vm->qmp, "query-blockstats", NULL, ktstr_now_ns() + KTSTR_VM_QUERY_LIMIT, &answer));
	error = ktstr_disk_counters_of(answer, counters);
	json_decref(answer);
	return error;
}
