// SPDX-License-Identifier: GPL-2.0-only
/* CPU sets: set operations and the kernel's list text ("0-3,5"). */
#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "ktstr/cpuset.h"

#define WORDS (KTSTR_MAX_CPUS / 64)

void ktstr_cpus_add(struct ktstr_cpus *cpus, unsigned int cpu)
{
	if (cpu < KTSTR_MAX_CPUS)
		cpus->bits[cpu / 64] |= 1ull << (cpu % 64);
}

void ktstr_cpus_remove(struct ktstr_cpus *cpus, unsigned int cpu)
{
	if (cpu < KTSTR_MAX_CPUS)
		cpus->bits[cpu / 64] &= ~(1ull << (cpu % 64));
}

bool ktstr_cpus_has(const struct ktstr_cpus *cpus, unsigned int cpu)
{
	return cpu < KTSTR_MAX_CPUS && (cpus->bits[cpu / 64] >> (cpu % 64) & 1);
}

unsigned int ktstr_cpus_count(const struct ktstr_cpus *cpus)
{
	unsigned int count = 0;

	for (int i = 0; i < WORDS; i++)
		count += __builtin_popcountll(cpus->bits[i]);
	return count;
}

int ktstr_cpus_next(const struct ktstr_cpus *cpus, unsigned int from)
{
	uint64_t word;

	if (from >= KTSTR_MAX_CPUS)
		return -1;
	word = cpus->bits[from / 64] & (~0ull << (from % 64));
	for (unsigned int i = from / 64;; word = cpus->bits[i]) {
		if (word)
			return i * 64 + __builtin_ctzll(word);
		if (++i == WORDS)
			return -1;
	}
}

struct ktstr_cpus ktstr_cpus_range(unsigned int first, unsigned int count)
{
	struct ktstr_cpus cpus = { 0 };

	for (unsigned int cpu = first; cpu < KTSTR_MAX_CPUS && cpu - first < count; cpu++)
		ktstr_cpus_add(&cpus, cpu);
	return cpus;
}

struct ktstr_cpus ktstr_cpus_and(const struct ktstr_cpus *a, const struct ktstr_cpus *b)
{
	struct ktstr_cpus result;

	for (int i = 0; i < WORDS; i++)
		result.bits[i] = a->bits[i] & b->bits[i];
	return result;
}

struct ktstr_cpus ktstr_cpus_or(const struct ktstr_cpus *a, const struct ktstr_cpus *b)
{
	struct ktstr_cpus result;

	for (int i = 0; i < WORDS; i++)
		result.bits[i] = a->bits[i] | b->bits[i];
	return result;
}

struct ktstr_cpus ktstr_cpus_minus(const struct ktstr_cpus *a, const struct ktstr_cpus *b)
{
	struct ktstr_cpus result;

	for (int i = 0; i < WORDS; i++)
		result.bits[i] = a->bits[i] & ~b->bits[i];
	return result;
}

bool ktstr_cpus_subset(const struct ktstr_cpus *inner, const struct ktstr_cpus *outer)
{
	for (int i = 0; i < WORDS; i++)
		if (inner->bits[i] & ~outer->bits[i])
			return false;
	return true;
}

bool ktstr_cpus_equal(const struct ktstr_cpus *a, const struct ktstr_cpus *b)
{
	return ktstr_cpus_subset(a, b) && ktstr_cpus_subset(b, a);
}

char *ktstr_cpus_to_text(const struct ktstr_cpus *cpus)
{
	struct ktstr_str text = { 0 };
	int first = ktstr_cpus_next(cpus, 0);

	while (first >= 0) {
		int last = first;

		while (ktstr_cpus_has(cpus, last + 1))
			last++;
		ktstr_str_addf(&text, text.length ? ",%d" : "%d", first);
		if (last > first)
			ktstr_str_addf(&text, "-%d", last);
		first = ktstr_cpus_next(cpus, last + 1);
	}
	return ktstr_str_take(&text);
}

/*
 * Reads decimal digits at *at and moves past them. -1 when there are none, KTSTR_MAX_CPUS if too
 * large.
 */
static int parse_cpu(const char **at)
{
	int value = -1;

	for (; isdigit((unsigned char)**at); (*at)++) {
		value = (value < 0 ? 0 : value) * 10 + (**at - '0');
		if (value > KTSTR_MAX_CPUS)
			value = KTSTR_MAX_CPUS;
	}
	return value;
}

/* One part, "3" or "0-3", which ends at end. NULL when good, else what is wrong with it. */
static const char *parse_part(const char *at, const char *end, struct ktstr_cpus *cpus)
{
	int first = parse_cpu(&at), last = first;

	if (first >= 0 && *at == '-') {
		at++;
		last = parse_cpu(&at);
	}
	if (first < 0 || last < 0 || at != end)
		return "is not a CPU number or a range";
	if (first >= KTSTR_MAX_CPUS || last >= KTSTR_MAX_CPUS)
		return "names a CPU above the highest possible one, 1023";
	if (first > last)
		return "is a range that runs backwards";
	for (int cpu = first; cpu <= last; cpu++)
		ktstr_cpus_add(cpus, cpu);
	return NULL;
}
_Static_assert(KTSTR_MAX_CPUS == 1024, "the message in parse_part() names the highest CPU");

struct ktstr_error *ktstr_cpus_parse(const char *text, struct ktstr_cpus *cpus)
{
	struct ktstr_cpus result = { 0 };

	for (const char *at = text; *text;) {
		const char *end = at;
		const char *problem;

		while (*end && *end != ',')
			end++;
		problem = parse_part(at, end, &result);
		if (problem)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "CPU list \"%s\": \"%.*s\" %s; write it like 0-3,5",
					       text, (int)(end - at), at, problem);
		if (!*end)
			break;
		at = end + 1;
	}
	*cpus = result;
	return NULL;
}
