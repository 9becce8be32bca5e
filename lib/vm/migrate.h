/* SPDX-License-Identifier: GPL-2.0-only */
/* Saving and loading device state over QMP, with RAM left in its file (capability x-ignore-shared). */
#ifndef KTSTR_VM_MIGRATE_H
#define KTSTR_VM_MIGRATE_H

#include "vm/qmp.h"

/* Stops the CPUs and writes the state of all devices to path. */
struct ktstr_error *ktstr_migrate_save(struct ktstr_qmp *qmp, const char *path, uint64_t deadline_ns)
	KTSTR_CHECKED;
/* For a QEMU started with `-incoming defer`. Returns when every device is loaded. */
struct ktstr_error *ktstr_migrate_load(struct ktstr_qmp *qmp, const char *path, uint64_t deadline_ns)
	KTSTR_CHECKED;

#endif
