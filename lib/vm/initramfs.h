/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The initramfs that a VM boots: the agent, the libraries that every test program needs, the kernel modules of the devices
 * that it has, which the agent loads, and a sentinel at the end. Libraries are here, not in each job, so that they are part of templates:
 * copying them costs a clone more than anything else that happens before its test.
 */
#ifndef KTSTR_VM_INITRAMFS_H
#define KTSTR_VM_INITRAMFS_H

#include "base/digest.h"
#include "base/str.h"
#include "ktstr/error.h"

struct ktstr_vm_config;

/* What does not depend on the kernel. */
struct ktstr_guest_base {
	char *agent_path; /* ktstr-init */
	struct ktstr_strv libraries; /* host paths, which are their guest paths; none below /tmp, /dev, /proc, /sys */
	char digest[KTSTR_DIGEST_BYTES]; /* of the content of all of them */
};

/* Takes agent_path. The libraries are those of the program at program_path. */
struct ktstr_error *ktstr_guest_base_init(struct ktstr_guest_base *base, char *agent_path,
					  const char *program_path) KTSTR_CHECKED;
void ktstr_guest_base_deinit(struct ktstr_guest_base *base);

enum { KTSTR_MACHINE_MODULES_MAX = 3 };

/* The modules that such a machine loads, NULL at the end; a kernel may have them built in. */
void ktstr_machine_modules(const struct ktstr_vm_config *config, const char *names[KTSTR_MACHINE_MODULES_MAX + 1]);

/* An anonymous file with the archive, positioned at its start. */
struct ktstr_error *ktstr_initramfs_build(const struct ktstr_vm_config *config, int *fd) KTSTR_CHECKED;

#endif
