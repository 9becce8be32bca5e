// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decodes kallsyms (scripts/kallsyms.c, kernel/kallsyms_internal.h) from guest memory. Names are strings of tokens;
 * token_table expands each; the first character of the expansion is the symbol's type. Addresses are 32-bit offsets:
 * from kallsyms_relative_base, or, in kernels that lack it, each from its own place in the table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/symbols.h"

enum {
	TOKENS = 256,
	TOKEN_TABLE_BYTES = 64 * 1024, /* offsets into it are 16 bits */
	SYMBOLS_MAX = 2 * 1000 * 1000,
	NAME_MAX_BYTES = 1024, /* KSYM_NAME_LEN is 512 */
	NAMES_BYTES_PER_SYMBOL = 128, /* far above the mean of about 11 */
};

struct ktstr_symbols {
	struct ktstr_symbol *all; /* by address */
	size_t count;
	const struct ktstr_symbol **by_name;
	char *names; /* all of them, each terminated */
};

/* The tables as they lie in the guest. */
struct kallsyms {
	char *token_table;
	uint16_t token_index[TOKENS];
	uint8_t *names;
	size_t names_bytes;
	int32_t *offsets;
	uint64_t offsets_address, relative_base; /* base 0: offsets from their own places */
	uint32_t count;
};

static void kallsyms_deinit(struct kallsyms *tables)
{
	free(tables->token_table);
	free(tables->names);
	free(tables->offsets);
}

static struct ktstr_error *corrupt(const char *table)
{
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s in the guest's memory cannot be read or makes no sense", table);
}

/* As many bytes as can be read, at most max: the end of the names is not known before they are decoded. */
static uint8_t *read_names(const struct ktstr_address_space *space, uint64_t address, size_t max, size_t *bytes)
{
	enum { PIECE = 4096 };
	uint8_t *names = ktstr_xcalloc(1, max);

	for (*bytes = 0; *bytes < max;) {
		size_t piece = PIECE - (address + *bytes) % PIECE;

		if (piece > max - *bytes)
			piece = max - *bytes;
		if (!ktstr_read(space, address + *bytes, names + *bytes, piece))
			break;
		*bytes += piece;
	}
	return names;
}

static struct ktstr_error *read_tables(const struct ktstr_address_space *space,
				       const struct ktstr_vmcoreinfo *info, struct kallsyms *tables)
{
	uint64_t names, count, token_table, token_index, relative_base;

	if (!ktstr_vmcoreinfo_symbol(info, "kallsyms_names", &names) ||
	    !ktstr_vmcoreinfo_symbol(info, "kallsyms_num_syms", &count) ||
	    !ktstr_vmcoreinfo_symbol(info, "kallsyms_token_table", &token_table) ||
	    !ktstr_vmcoreinfo_symbol(info, "kallsyms_token_index", &token_index) ||
	    !ktstr_vmcoreinfo_symbol(info, "kallsyms_offsets", &tables->offsets_address))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "the kernel does not say where its symbols are (CONFIG_KALLSYMS)");
	if (ktstr_vmcoreinfo_symbol(info, "kallsyms_relative_base", &relative_base) &&
	    !ktstr_read(space, relative_base, &tables->relative_base, sizeof(uint64_t)))
		return corrupt("kallsyms_relative_base");
	if (!ktstr_read(space, count, &tables->count, sizeof(tables->count)) || !tables->count ||
	    tables->count > SYMBOLS_MAX)
		return corrupt("kallsyms_num_syms");
	tables->token_table = ktstr_xcalloc(1, TOKEN_TABLE_BYTES + 1);
	if (!ktstr_read(space, token_index, tables->token_index, sizeof(tables->token_index)) ||
	    !ktstr_read(space, token_table, tables->token_table, tables->token_index[TOKENS - 1] + 64u))
		return corrupt("kallsyms_token_table");
	tables->offsets = ktstr_xcalloc(tables->count, sizeof(*tables->offsets));
	if (!ktstr_read(space, tables->offsets_address, tables->offsets,
			tables->count * sizeof(*tables->offsets)))
		return corrupt("kallsyms_offsets");
	tables->names = read_names(space, names, (size_t)tables->count * NAMES_BYTES_PER_SYMBOL,
				   &tables->names_bytes);
	return NULL;
}

/* Appends the name at *at in the token stream to out; false at its end or when it is too long. */
static bool expand(const struct kallsyms *tables, size_t *at, char *type, struct ktstr_str *out)
{
	size_t tokens, before = out->length;
	bool first = true;

	if (*at + 2 > tables->names_bytes)
		return false;
	tokens = tables->names[(*at)++];
	if (tokens & 0x80) /* two bytes for the few long names, low 7 bits first */
		tokens = (tokens & 0x7f) | (size_t)tables->names[(*at)++] << 7;
	if (tokens > tables->names_bytes - *at)
		return false;
	for (; tokens; tokens--) {
		const char *text = tables->token_table + tables->token_index[tables->names[(*at)++]];

		if (first && *text)
			*type = *text++;
		first = false;
		ktstr_str_add(out, text);
		if (out->length - before > NAME_MAX_BYTES)
			return false;
	}
	return !first;
}

static uint64_t address_of(const struct kallsyms *tables, uint32_t i)
{
	if (tables->relative_base)
		return tables->relative_base + (uint32_t)tables->offsets[i];
	return tables->offsets_address + i * sizeof(int32_t) + (uint64_t)(int64_t)tables->offsets[i];
}

static int by_address(const void *a, const void *b)
{
	const struct ktstr_symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int by_name(const void *a, const void *b)
{
	const struct ktstr_symbol *x = *(const struct ktstr_symbol *const *)a,
				  *y = *(const struct ktstr_symbol *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : by_address(x, y);
}

/* Names are collected by offset first: the text they lie in moves while it grows. */
static bool decode(const struct kallsyms *tables, struct ktstr_symbols *symbols)
{
	_cleanup_free_ size_t *starts = ktstr_xcalloc(tables->count, sizeof(*starts));
	struct ktstr_str text = { 0 };
	size_t at = 0;

	symbols->all = ktstr_xcalloc(tables->count, sizeof(*symbols->all));
	for (uint32_t i = 0; i < tables->count; i++) {
		struct ktstr_symbol *symbol = &symbols->all[i];

		starts[i] = text.length;
		if (!expand(tables, &at, &symbol->type, &text)) {
			ktstr_str_deinit(&text);
			return false;
		}
		ktstr_str_add_bytes(&text, "", 1);
		symbol->address = address_of(tables, i);
	}
	symbols->count = tables->count;
	symbols->names = ktstr_str_take(&text);
	for (uint32_t i = 0; i < tables->count; i++)
		symbols->all[i].name = symbols->names + starts[i];
	return true;
}

struct ktstr_error *ktstr_symbols_read(const struct ktstr_address_space *space,
				       const struct ktstr_vmcoreinfo *info, struct ktstr_symbols **symbols)
{
	struct ktstr_symbols *made = ktstr_xcalloc(1, sizeof(*made));
	struct kallsyms tables = { 0 };
	struct ktstr_error *error = read_tables(space, info, &tables);

	if (!error && !decode(&tables, made))
		error = corrupt("kallsyms_names");
	kallsyms_deinit(&tables);
	if (error) {
		ktstr_symbols_destroy(made);
		return error;
	}
	qsort(made->all, made->count, sizeof(*made->all), by_address);
	made->by_name = ktstr_xcalloc(made->count, sizeof(*made->by_name));
	for (size_t i = 0; i < made->count; i++)
		made->by_name[i] = &made->all[i];
	qsort(made->by_name, made->count, sizeof(*made->by_name), by_name);
	*symbols = made;
	return NULL;
}

void ktstr_symbols_destroy(struct ktstr_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->all);
	free(symbols->by_name);
	free(symbols->names);
	free(symbols);
}

const struct ktstr_symbol *ktstr_symbols_all(const struct ktstr_symbols *symbols, size_t *count)
{
	*count = symbols->count;
	return symbols->all;
}

const struct ktstr_symbol *ktstr_symbols_find(const struct ktstr_symbols *symbols, const char *name)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(symbols->by_name[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < symbols->count && !strcmp(symbols->by_name[low]->name, name) ? symbols->by_name[low] : NULL;
}

const struct ktstr_symbol *ktstr_symbols_at(const struct ktstr_symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->all[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols->all[low - 1] : NULL;
}
