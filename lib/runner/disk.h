/* SPDX-License-Identifier: GPL-2.0-only */
/* The disk of a run's guest: what it has done, and whether the host let it. */
#ifndef KTSTR_RUNNER_DISK_H
#define KTSTR_RUNNER_DISK_H

#include "result/result.h"
#include "vm/vm.h"

/*
 * Takes the counters of the VM's disk into the result; leaves them out when QEMU does not answer. Requests that failed are
 * a failure of the run: they are the host's.
 */
void ktstr_run_count_disk(struct ktstr_vm *vm, struct ktstr_test_result *result);

/* The same for counters that are there. dir: where the file of the disk lies. */
void ktstr_run_judge_disk(const struct ktstr_virtio_blk_counters_snapshot *counters, const char *dir,
			  struct ktstr_test_result *result);

#endif
