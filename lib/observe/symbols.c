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
	BYTES_PER_SYMBOL = 128, /* of names, far above the mean: about 11 as tokens, 20 as text */
	PROBES_MAX = 256,
};

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

struct ktstr_symbols {
	struct ktstr_symbol *all; /* by address */
	size_t count;
	uint32_t *by_name; /* hash table: number of a symbol + 1, 0 = free */
	size_t slots; /* of it: a power of two, at least twice as many as symbols */
	char *names; /* all of them, each terminated */
};

struct token {
	const char *text;
	size_t length;
};

/* The tables as they lie in the guest. */
struct kallsyms {
	char *token_table;
	struct token tokens[TOKENS];
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

/* What else of kallsyms lies behind the names ends them, else a length that no kernel's have. */
static size_t names_limit(uint64_t names, const uint64_t *others, size_t count, uint32_t symbols)
{
	uint64_t limit = (uint64_t)symbols * BYTES_PER_SYMBOL;

	for (size_t i = 0; i < count; i++)
		if (others[i] > names && others[i] - names < limit)
			limit = others[i] - names;
	return (size_t)limit;
}

static struct ktstr_error *read_tokens(const struct ktstr_address_space *space, uint64_t table, uint64_t index,
				       struct kallsyms *tables)
{
	uint16_t starts[TOKENS];

	tables->token_table = ktstr_xcalloc(1, TOKEN_TABLE_BYTES + 64 + 1);
	if (!ktstr_read(space, index, starts, sizeof(starts)) ||
	    !ktstr_read(space, table, tables->token_table, starts[TOKENS - 1] + 64u))
		return corrupt("kallsyms_token_table");
	for (size_t i = 0; i < TOKENS; i++) {
		tables->tokens[i].text = tables->token_table + starts[i];
		tables->tokens[i].length = strlen(tables->tokens[i].text);
	}
	return NULL;
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
	KTSTR_TRY(read_tokens(space, token_table, token_index, tables));
	tables->offsets = ktstr_xcalloc(tables->count, sizeof(*tables->offsets));
	if (!ktstr_read(space, tables->offsets_address, tables->offsets,
			tables->count * sizeof(*tables->offsets)))
		return corrupt("kallsyms_offsets");
	tables->names = read_names(space, names,
				   names_limit(names, (uint64_t[]){ token_table, token_index, tables->offsets_address }, 3,
					       tables->count),
				   &tables->names_bytes);
	return NULL;
}

/* Writes the name at *at in the token stream to out, which has room for NAME_MAX_BYTES; its length, 0 = it is none. */
static size_t expand(const struct kallsyms *tables, size_t *at, char *type, char *out)
{
	size_t tokens, length = 0;

	if (*at + 2 > tables->names_bytes)
		return 0;
	tokens = tables->names[(*at)++];
	if (tokens & 0x80) /* two bytes for the few long names, low 7 bits first */
		tokens = (tokens & 0x7f) | (size_t)tables->names[(*at)++] << 7;
	if (tokens > tables->names_bytes - *at)
		return 0;
	*type = '\0';
	for (; tokens; tokens--) {
		struct token token = tables->tokens[tables->names[(*at)++]];

		if (!*type && token.length) {
			*type = *token.text++;
			token.length--;
		}
		if (length + token.length >= NAME_MAX_BYTES)
			return 0;
		memcpy(out + length, token.text, token.length);
		length += token.length;
	}
	out[length] = '\0';
	return length;
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

/* The room for names is only taken as far as they are written. */
static bool decode(const struct kallsyms *tables, struct ktstr_symbols *symbols)
{
	size_t room = (size_t)tables->count * BYTES_PER_SYMBOL + NAME_MAX_BYTES, at = 0;
	char *out = symbols->names = ktstr_xmalloc(room);
	bool sorted = true;

	symbols->all = ktstr_xcalloc(tables->count, sizeof(*symbols->all));
	for (symbols->count = 0; symbols->count < tables->count; symbols->count++) {
		struct ktstr_symbol *symbol = &symbols->all[symbols->count];
		size_t length = expand(tables, &at, &symbol->type, out);

		if (!length || (size_t)(out - symbols->names) + length + 1 + NAME_MAX_BYTES > room)
			return false;
		symbol->name = out;
		symbol->address = address_of(tables, (uint32_t)symbols->count);
		sorted &= !symbols->count || symbol[-1].address <= symbol->address;
		out += length + 1;
	}
	if (!sorted) /* kernels sort them but for per-CPU ones, when those are numbers from 0 */
		qsort(symbols->all, symbols->count, sizeof(*symbols->all), by_address);
	return true;
}

/*
 * The slot of a name: that of a symbol called so, a free one, or NULL. The probes are capped because a guest may make up
 * names that all fall into one place; a table that is half empty needs far fewer.
 */
static uint32_t *slot_of(const struct ktstr_symbols *symbols, const char *name)
{
	uint64_t hash = FNV_OFFSET;

	for (const char *at = name; *at; at++)
		hash = (hash ^ (uint8_t)*at) * FNV_PRIME;
	for (size_t probe = 0; probe < PROBES_MAX; probe++) {
		uint32_t *slot = &symbols->by_name[(hash + probe) & (symbols->slots - 1)];

		if (!*slot || !strcmp(symbols->all[*slot - 1].name, name))
			return slot;
	}
	return NULL;
}

/* In the order of addresses: the first of a name stays. */
static void index_names(struct ktstr_symbols *symbols)
{
	for (symbols->slots = 1024; symbols->slots < 2 * symbols->count;)
		symbols->slots *= 2;
	symbols->by_name = ktstr_xcalloc(symbols->slots, sizeof(*symbols->by_name));
	for (size_t i = 0; i < symbols->count; i++) {
		uint32_t *slot = slot_of(symbols, symbols->all[i].name);

		if (slot && !*slot)
			*slot = (uint32_t)i + 1;
	}
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
	index_names(made);
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
	const uint32_t *slot = slot_of(symbols, name);

	return slot && *slot ? &symbols->all[*slot - 1] : NULL;
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
