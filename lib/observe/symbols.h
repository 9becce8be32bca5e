/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel's symbols by name and by address: all kinds, static and per-CPU ones too. They come from the symbol table of
 * a vmlinux (symtab.h) or from kallsyms in the guest's memory (kallsyms.h); nobody who asks needs to know which.
 */
#ifndef KTSTR_OBSERVE_SYMBOLS_H
#define KTSTR_OBSERVE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "ktstr/error.h"

struct ktstr_symbol {
	const char *name;
	uint64_t address;
};

struct ktstr_symbols;

enum { KTSTR_SYMBOLS_MAX = 2 * 1000 * 1000 }; /* a kernel has a tenth of that */

/* Takes over the array, which may be in any order, and what the names lie in; both are heap. */
struct ktstr_symbols *ktstr_symbols_create(struct ktstr_symbol *all, size_t count, char *names);
/*
 * Link-time symbols where KASLR has moved them: the kernel's image by slide, per-CPU variables that are numbers from 0 not
 * at all. Shares the names, so `linked` must outlive it.
 */
struct ktstr_symbols *ktstr_symbols_moved(const struct ktstr_symbols *linked, uint64_t slide);
void ktstr_symbols_destroy(struct ktstr_symbols *symbols);

/* In the order of addresses, then of names. */
const struct ktstr_symbol *ktstr_symbols_all(const struct ktstr_symbols *symbols, size_t *count);
/* The first of that name, NULL when there is none. */
const struct ktstr_symbol *ktstr_symbols_find(const struct ktstr_symbols *symbols, const char *name);
/* The last symbol that begins at or before the address, NULL below the first. */
const struct ktstr_symbol *ktstr_symbols_at(const struct ktstr_symbols *symbols, uint64_t address);

#endif
