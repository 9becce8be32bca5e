/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symbols from the symbol table of a vmlinux, at link-time addresses. The vmlinux of a build has one, those of
 * distributions and of boot images are stripped.
 */
#ifndef KTSTR_OBSERVE_SYMTAB_H
#define KTSTR_OBSERVE_SYMTAB_H

#include "observe/symbols.h"

/*
 * The same symbols that kallsyms would have; NULL = there is no table. KTSTR_ERR_CORRUPT or _UNSUPPORTED: the file, or its
 * table, makes no sense for an x86-64 kernel.
 */
struct ktstr_error *ktstr_symtab_read(const char *path, struct ktstr_symbols **symbols) KTSTR_CHECKED;

#endif
