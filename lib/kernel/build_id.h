/* SPDX-License-Identifier: GPL-2.0-only */
/* The build ID of a kernel: which files, and which running kernel, come from one link. */
#ifndef KTSTR_KERNEL_BUILD_ID_H
#define KTSTR_KERNEL_BUILD_ID_H

enum { KTSTR_BUILD_ID_BYTES = 20 }; /* SHA-1, what the kernel's own copy has room for (lib/buildid.c) */

/* In hex digits, as vmcoreinfo has it; heap. NULL: the ELF file has none of that size, or cannot be read. */
char *ktstr_build_id(const char *elf_path);

#endif
