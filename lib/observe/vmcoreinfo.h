/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmcoreinfo: the page in which a kernel says, for whoever finds its memory, where its tables are and how far
 * KASLR moved it (kernel/vmcore_info.c, arch/x86/kernel/machine_kexec_64.c). All a reader from outside needs to
 * begin with.
 */
#ifndef KTSTR_OBSERVE_VMCOREINFO_H
#define KTSTR_OBSERVE_VMCOREINFO_H

#include "observe/guest_memory.h"

struct ktstr_vmcoreinfo {
	char *text; /* "KEY=value" lines, one page at most */
};

/* KTSTR_ERR_NOT_FOUND when no page of RAM holds one: the kernel has not booted that far. Reads all RAM up to it. */
struct ktstr_error *ktstr_vmcoreinfo_find(struct ktstr_guest_memory *memory, struct ktstr_vmcoreinfo *info)
	KTSTR_CHECKED;
/* At a known place, or in the ELF note at that place (/sys/kernel/vmcoreinfo tells of the note); false when there is none. */
bool ktstr_vmcoreinfo_read(struct ktstr_guest_memory *memory, uint64_t physical, struct ktstr_vmcoreinfo *info);
void ktstr_vmcoreinfo_deinit(struct ktstr_vmcoreinfo *info);

/* SYMBOL(name)=<hex>: a run-time address. */
bool ktstr_vmcoreinfo_symbol(const struct ktstr_vmcoreinfo *info, const char *name, uint64_t *address);
/* NUMBER(name)=<decimal>, which may be negative. */
bool ktstr_vmcoreinfo_number(const struct ktstr_vmcoreinfo *info, const char *name, int64_t *value);
/* name=<hex>, as KERNELOFFSET. */
bool ktstr_vmcoreinfo_hex(const struct ktstr_vmcoreinfo *info, const char *name, uint64_t *value);
/* name=<text up to the end of the line>; heap, NULL when absent. */
char *ktstr_vmcoreinfo_string(const struct ktstr_vmcoreinfo *info, const char *name);

#endif
