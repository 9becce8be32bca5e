// SPDX-License-Identifier: GPL-2.0-only
/* Symbols in the order of their addresses, with a hash table of their names. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/address.h"
#include "observe/symbols.h"

enum { PROBES_MAX = 256 };

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

struct ktstr_symbols {
	struct ktstr_symbol *all;
	size_t count;
	uint32_t *by_name; /* hash table: number of a symbol + 1, 0 = free */
	size_t slots; /* of it: a power of two, at least twice as many as symbols */
	char *names; /* all of them, each terminated */
	bool shared; /* by_name and names are those of others */
};

/* Names decide between aliases, so that both sources of symbols tell the same. */
static int by_address(const void *a, const void *b)
{
	const struct ktstr_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Most come in order but for aliases: then those are all that is sorted. */
static void sort(struct ktstr_symbol *all, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (all[i].address < all[i - 1].address) {
			qsort(all, count, sizeof(*all), by_address);
			return;
		}
	for (size_t first = 0, past; first < count; first = past) {
		for (past = first + 1; past < count && all[past].address == all[first].address;)
			past++;
		if (past - first > 1)
			qsort(&all[first], past - first, sizeof(*all), by_address);
	}
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

struct ktstr_symbols *ktstr_symbols_create(struct ktstr_symbol *all, size_t count, char *names)
{
	struct ktstr_symbols *symbols = ktstr_xcalloc(1, sizeof(*symbols));

	*symbols = (struct ktstr_symbols){ .all = all, .count = count, .names = names };
	sort(all, count);
	index_names(symbols);
	return symbols;
}

/* The image is above all that does not move and stays so: neither order nor index change. */
struct ktstr_symbols *ktstr_symbols_moved(const struct ktstr_symbols *linked, uint64_t slide)
{
	struct ktstr_symbols *moved = ktstr_xcalloc(1, sizeof(*moved));

	*moved = *linked;
	moved->shared = true;
	moved->all = ktstr_xcalloc(linked->count, sizeof(*moved->all));
	for (size_t i = 0; i < linked->count; i++) {
		moved->all[i] = linked->all[i];
		if (linked->all[i].address >= KTSTR_START_KERNEL_MAP)
			moved->all[i].address += slide;
	}
	return moved;
}

void ktstr_symbols_destroy(struct ktstr_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->all);
	if (!symbols->shared) {
		free(symbols->by_name);
		free(symbols->names);
	}
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
