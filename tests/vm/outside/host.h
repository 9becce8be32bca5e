/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the host's program. */
#ifndef OUTSIDE_HOST_H
#define OUTSIDE_HOST_H

#include "observe/kernel_view.h"

/* Lines of the guest, "KEY VALUE". */
struct outside_readings {
	struct outside_reading {
		char *key, *value;
	} *items;
	size_t count;
};

void outside_readings_parse(const char *text, struct outside_readings *readings);
void outside_readings_deinit(struct outside_readings *readings);

/* What the kernel itself would say for a key, read from its memory: heap; NULL = the host cannot tell. */
char *outside_read(const struct ktstr_kernel_view *view, const char *key);
/*
 * A copy of a stripped vmlinux with a symbol table as a linker would have made it, of the symbols of a guest that runs it:
 * Debian's kernels come without.
 */
struct ktstr_error *outside_write_symtab(const struct ktstr_kernel_view *view, const char *stripped, const char *path)
	KTSTR_CHECKED;

/* Tables that outside_read() makes once; freed here. */
void outside_forget(void);

#endif
