/* SPDX-License-Identifier: GPL-2.0-only */
/* The QEMU of this host and what it can use: binary, version, and an accelerator that truly works. */
#ifndef KTSTR_VM_QEMU_H
#define KTSTR_VM_QEMU_H

#include <stdbool.h>

#include "ktstr/error.h"
#include "vm/machine.h"

struct ktstr_qemu {
	char *path; /* heap */
	char *version; /* "10.0.2", heap */
	unsigned int major, minor;
};

/* $KTSTR_QEMU, else qemu-system-x86_64 in PATH. KTSTR_ERR_NOT_FOUND names the package to install. */
struct ktstr_error *ktstr_qemu_find(struct ktstr_qemu *qemu) KTSTR_CHECKED;
void ktstr_qemu_deinit(struct ktstr_qemu *qemu);

struct ktstr_accel_choice {
	enum ktstr_accel accel;
	bool multi_threaded; /* TCG: one host thread per vCPU */
	char *reason; /* why this one, for people; heap */
};

const char *ktstr_accel_name(enum ktstr_accel accel); /* "tcg", "kvm" */

/*
 * $KTSTR_ACCEL=kvm|tcg decides when set (another value is an error). Else KVM if it works: /dev/kvm can be
 * opened, the CPU has vmx or svm, and a tiny VM of image_path under KVM prints within 20 s; the answer of the
 * tiny VM is cached in <cache>/accel.json per host boot id and QEMU version. image_path may be NULL: then
 * an uncached answer is TCG, and the reason says that no kernel was there to probe with.
 */
struct ktstr_error *ktstr_accel_choose(const struct ktstr_qemu *qemu, const char *image_path,
				       struct ktstr_accel_choice *choice) KTSTR_CHECKED;
void ktstr_accel_choice_deinit(struct ktstr_accel_choice *choice);

#endif
