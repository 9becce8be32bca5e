// SPDX-License-Identifier: GPL-2.0-only
/* From QEMU's counters to the result. */
#include "base/cleanup.h"
#include "base/file.h"
#include "disk/disk.h"
#include "disk/image.h"
#include "runner/disk.h"

void ktstr_run_judge_disk(const struct ktstr_virtio_blk_counters_snapshot *counters, const char *dir,
			  struct ktstr_test_result *result)
{
	uint64_t free_bytes = 0;

	if (!counters->io_errors.value)
		return;
	ktstr_free_bytes(dir, &free_bytes);
	ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
			    "%llu requests of the guest's disk failed on the host: its file lies in %s, which has %llu MiB free; "
			    "free some, or set KTSTR_CACHE_DIR to a folder on a larger disk",
			    (unsigned long long)counters->io_errors.value, dir, (unsigned long long)free_bytes >> 20);
}

void ktstr_run_count_disk(struct ktstr_vm *vm, struct ktstr_test_result *result)
{
	_cleanup_free_ char *dir = ktstr_disk_dir();
	struct ktstr_virtio_blk_counters_snapshot counters;
	_cleanup_error_ struct ktstr_error *error = ktstr_vm_disk_counters(vm, &counters);

	if (error)
		return;
	result->virtio_blk_counters = ktstr_disk_counters_to_json(&counters);
	ktstr_run_judge_disk(&counters, dir, result);
}
