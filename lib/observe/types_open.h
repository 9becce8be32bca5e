/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel types for those who load them and hand them on; what can be asked of them is in types.h. */
#ifndef KTSTR_OBSERVE_TYPES_OPEN_H
#define KTSTR_OBSERVE_TYPES_OPEN_H

#include "ktstr/error.h"

struct ktstr_types;

/* Raw BTF, or an ELF file with a .BTF section (vmlinux). */
struct ktstr_error *ktstr_types_load(const char *path, struct ktstr_types **types) KTSTR_CHECKED;
void ktstr_types_destroy(struct ktstr_types *types);

#endif
