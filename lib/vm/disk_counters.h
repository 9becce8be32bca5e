/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the guest's disk out of an answer to query-blockstats. */
#ifndef KTSTR_VM_DISK_COUNTERS_H
#define KTSTR_VM_DISK_COUNTERS_H

#include <jansson.h>

#include "ktstr/disk.h"

/* KTSTR_ERR_NOT_FOUND when the disk is not in it. */
struct ktstr_error *ktstr_disk_counters_of(const json_t *answer, struct ktstr_virtio_blk_counters_snapshot *counters)
	KTSTR_CHECKED;

#endif
