/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's memory as a file for crash, drgn and makedumpfile. */
#ifndef KTSTR_OBSERVE_VMCORE_H
#define KTSTR_OBSERVE_VMCORE_H

#include <jansson.h>

#include "observe/kernel_view.h"

/*
 * Writes all RAM as an ELF core like those of kdump: a VMCOREINFO note, one NT_PRSTATUS note per CPU (instruction and
 * stack pointer are all that is in them), a PT_LOAD segment per region of RAM at its address in the direct map, and one
 * more for the kernel's image at its own. Zero
 * pages are holes of the file, and so are pages that were not read when the memory records that. vcpu_regs as in a dump, or NULL. The guest should hold still meanwhile.
 */
struct ktstr_error *ktstr_vmcore_write(const struct ktstr_kernel_view *view, const json_t *vcpu_regs, const char *path)
	KTSTR_CHECKED;

#endif
