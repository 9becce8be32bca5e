/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of vm/: what the choice of an accelerator depends on, so that unit tests can stand in for
 * a host.
 */
#ifndef KTSTR_VM_ACCEL_H
#define KTSTR_VM_ACCEL_H

#include <stdint.h>

#include "ktstr/error.h"
#include "vm/qemu.h"

struct ktstr_accel_inputs {
	const char *override;     /* $KTSTR_ACCEL, NULL = not set */
	const char *cpuinfo_path; /* /proc/cpuinfo */
	const char *kvm_path;     /* /dev/kvm */
	const char *boot_id_path; /* /proc/sys/kernel/random/boot_id */
	const char *cache_path;   /* <cache>/accel.json; NULL = remember nothing */
	const char *image_path;   /* kernel to probe with; NULL = there is none */
	uint64_t probe_timeout_ns;
};

struct ktstr_error *ktstr_accel_choose_from(const struct ktstr_qemu *qemu,
					    const struct ktstr_accel_inputs *inputs,
					    struct ktstr_accel_choice *choice) KTSTR_CHECKED;

/*
 * Boots image_path under KVM with 256 MiB, no disk and no initrd until its kernel panics for want
 * of a root file system. NULL = it did; else what went wrong, for people, heap.
 */
char *ktstr_accel_probe(const struct ktstr_qemu *qemu, const char *image_path, uint64_t timeout_ns);

#endif
