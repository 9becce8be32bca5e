/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel's symbols as an ELF file that debuggers load: a distribution's vmlinux has no symbol table, and one that has
 * is not where KASLR has put it.
 */
#ifndef KTSTR_OBSERVE_SYMBOLS_ELF_H
#define KTSTR_OBSERVE_SYMBOLS_ELF_H

#include "observe/symbols.h"

/* Functions and variables at their run-time addresses; no code, no types, no lines. */
struct ktstr_error *ktstr_symbols_write_elf(const struct ktstr_symbols *symbols, const char *path) KTSTR_CHECKED;

#endif
