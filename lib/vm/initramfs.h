/* SPDX-License-Identifier: GPL-2.0-only */
/* The initramfs that every VM boots: the agent, the kernel modules it loads, and a sentinel at the end. */
#ifndef KTSTR_VM_INITRAMFS_H
#define KTSTR_VM_INITRAMFS_H

#include "kernel/kernel.h"
#include "ktstr/error.h"

/* An anonymous file with the archive, positioned at its start. */
struct ktstr_error *ktstr_initramfs_build(const char *agent_path, const struct ktstr_kernel *kernel,
					  int *fd) KTSTR_CHECKED;

#endif
