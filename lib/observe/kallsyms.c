// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decodes kallsyms (scripts/kallsyms.c, kernel/kallsyms_internal.h) from guest memory. Names are strings of tokens;
 * token_table expands each; the first character of the expansion is the symbol's type. Addresses are 32-bit offsets:
 * from kallsyms_relative_base, or, in kernels that lack it, each from its own place in the table. In kernels whose
 * per-CPU variables are numbers from 0 (CONFIG_KALLSYMS_ABSOLUTE_PERCPU, before 6.15) those are the offsets as they
 * are, and all others are negative.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/kallsyms.h"

enum {
	TOKENS = 256,
	TOKEN_TABLE_BYTES = 64 * 1024, /* offsets into it are 16 bits */
	NAME_MAX_BYTES = 1024, /* KSYM_NAME_LEN is 512 */
	BYTES_PER_SYMBOL = 128, /* of names, far above the mean: about 11 as tokens, 20 as text */
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
	bool absolute_per_cpu;
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
				       "the kernel does not say where its symbols are (CONFIG_KALLSYMS), and its vmlinux has no symbol "
				       "table that can be used: name the tree or the vmlinux that it was built with (--kernel)");
	if (ktstr_vmcoreinfo_symbol(info, "kallsyms_relative_base", &relative_base) &&
	    !ktstr_read(space, relative_base, &tables->relative_base, sizeof(uint64_t)))
		return corrupt("kallsyms_relative_base");
	if (!ktstr_read(space, count, &tables->count, sizeof(tables->count)) || !tables->count ||
	    tables->count > KTSTR_SYMBOLS_MAX)
		return corrupt("kallsyms_num_syms");
	KTSTR_TRY(read_tokens(space, token_table, token_index, tables));
	tables->offsets = ktstr_xcalloc(tables->count, sizeof(*tables->offsets));
	if (!ktstr_read(space, tables->offsets_address, tables->offsets,
			tables->count * sizeof(*tables->offsets)))
		return corrupt("kallsyms_offsets");
	for (uint32_t i = 0; tables->relative_base && i < tables->count; i++)
		tables->absolute_per_cpu |= tables->offsets[i] < 0;
	tables->names = read_names(space, names,
				   names_limit(names, (uint64_t[]){ token_table, token_index, tables->offsets_address }, 3,
					       tables->count),
				   &tables->names_bytes);
	return NULL;
}

/* Writes the name at *at in the token stream to out, which has room for NAME_MAX_BYTES; its length, 0 = it is none. */
static size_t expand(const struct kallsyms *tables, size_t *at, char *out)
{
	size_t tokens, length = 0;
	bool has_type = false;

	if (*at + 2 > tables->names_bytes)
		return 0;
	tokens = tables->names[(*at)++];
	if (tokens & 0x80) /* two bytes for the few long names, low 7 bits first */
		tokens = (tokens & 0x7f) | (size_t)tables->names[(*at)++] << 7;
	if (tokens > tables->names_bytes - *at)
		return 0;
	for (; tokens; tokens--) {
		struct token token = tables->tokens[tables->names[(*at)++]];

		if (!has_type && token.length) {
			has_type = true;
			token.text++;
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
	int64_t offset = tables->offsets[i];

	if (!tables->relative_base)
		return tables->offsets_address + i * sizeof(int32_t) + (uint64_t)offset;
	if (!tables->absolute_per_cpu)
		return tables->relative_base + (uint32_t)offset;
	return offset < 0 ? tables->relative_base - 1 - (uint64_t)offset : (uint64_t)offset;
}

/* NULL when the names make no sense. The room for them is only taken as far as they are written. */
static struct ktstr_symbols *decode(const struct kallsyms *tables)
{
	size_t room = (size_t)tables->count * BYTES_PER_SYMBOL + NAME_MAX_BYTES, at = 0;
	_cleanup_free_ struct ktstr_symbol *all = ktstr_xcalloc(tables->count, sizeof(*all));
	_cleanup_free_ char *names = ktstr_xmalloc(room);
	char *out = names;

	for (uint32_t i = 0; i < tables->count; i++) {
		size_t length = expand(tables, &at, out);

		if (!length || (size_t)(out - names) + length + 1 + NAME_MAX_BYTES > room)
			return NULL;
		all[i] = (struct ktstr_symbol){ out, address_of(tables, i) };
		out += length + 1;
	}
	return ktstr_symbols_create(ktstr_take(all), tables->count, ktstr_take(names));
}

struct ktstr_error *ktstr_kallsyms_read(const struct ktstr_address_space *space, const struct ktstr_vmcoreinfo *info,
					struct ktstr_symbols **symbols)
{
	struct kallsyms tables = { 0 };
	struct ktstr_error *error = read_tables(space, info, &tables);

	if (!error) {
		*symbols = decode(&tables);
		if (!*symbols)
			error = corrupt("kallsyms_names");
	}
	kallsyms_deinit(&tables);
	return error;
}
