/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's symbols, from kallsyms as it lies in the guest's memory: all kinds, static and per-CPU ones too, at
 * their run-time addresses. Distribution kernels have no other symbol table.
 */
#ifndef KTSTR_OBSERVE_SYMBOLS_H
#define KTSTR_OBSERVE_SYMBOLS_H

#include "observe/address.h"
#include "observe/vmcoreinfo.h"

struct ktstr_symbol {
	const char *name;
	uint64_t address;
	char type; /* as `nm` prints it */
};

struct ktstr_symbols;

/* KTSTR_ERR_CORRUPT names the table that makes no sense. */
struct ktstr_error *ktstr_symbols_read(const struct ktstr_address_space *space,
				       const struct ktstr_vmcoreinfo *info, struct ktstr_symbols **symbols)
	KTSTR_CHECKED;
void ktstr_symbols_destroy(struct ktstr_symbols *symbols);

/* In the order of addresses. */
const struct ktstr_symbol *ktstr_symbols_all(const struct ktstr_symbols *symbols, size_t *count);
/* The first of that name, NULL when there is none. */
const struct ktstr_symbol *ktstr_symbols_find(const struct ktstr_symbols *symbols, const char *name);
/* The symbol that begins at or before the address, NULL below the first. */
const struct ktstr_symbol *ktstr_symbols_at(const struct ktstr_symbols *symbols, uint64_t address);

#endif
