/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boots without the kernel's own boot code, where CPUs are emulated: the host unpacks the kernel, chooses where it runs
 * and writes it into the guest's RAM; the image that QEMU gets is the real-mode part, which makes boot_params, and a
 * stub that jumps (boot_stub.S). From startup_64 on nothing differs.
 */
#ifndef KTSTR_VM_DIRECT_BOOT_H
#define KTSTR_VM_DIRECT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"

struct ktstr_vm_config;

/*
 * ram_fd: the guest's RAM, still all zeroes; initramfs_bytes: what QEMU will put at its low half's end. *image_fd: an
 * anonymous file to boot; stays -1 when the kernel's image is to be booted, for a kernel that must unpack itself, or in
 * little memory.
 */
struct ktstr_error *ktstr_direct_boot(const struct ktstr_vm_config *config, int ram_fd, uint64_t initramfs_bytes,
				      int *image_fd) KTSTR_CHECKED;

/* Whether such a VM would be booted so, if its kernel can be: part of what a template is of. */
bool ktstr_direct_boot_wanted(const struct ktstr_vm_config *config);

#endif
