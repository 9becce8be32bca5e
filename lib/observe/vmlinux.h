/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel's vmlinux file tells, read once for all guests that run it: types, and symbols if it has a table of them. */
#ifndef KTSTR_OBSERVE_VMLINUX_H
#define KTSTR_OBSERVE_VMLINUX_H

#include "observe/symbols.h"
#include "observe/types.h"
#include "observe/vmcoreinfo.h"

struct ktstr_vmlinux {
	char *path;
	struct ktstr_types *types;
	struct ktstr_symbols *symbols; /* at link-time addresses; NULL = there is no table of them */
	char *damage; /* why there are none although there may be a table; NULL = there is no such reason */
	char *build_id; /* hex digits; NULL = unknown */
};

/* A file without types (.BTF) is an error; one without symbols, or with damaged ones, is not. */
struct ktstr_error *ktstr_vmlinux_load(const char *path, struct ktstr_vmlinux **vmlinux) KTSTR_CHECKED;
void ktstr_vmlinux_destroy(struct ktstr_vmlinux *vmlinux);
/*
 * Its symbols at the run-time addresses of the guest that info is from, which share the names: vmlinux must outlive them.
 * NULL: there are none, or they are not those of this guest's kernel. *note: what a user should know of that, heap, or NULL.
 */
struct ktstr_symbols *ktstr_vmlinux_symbols(const struct ktstr_vmlinux *vmlinux, const struct ktstr_vmcoreinfo *info,
					    char **note);

#endif
