// SPDX-License-Identifier: GPL-2.0-only
/* Maps from phases to values, and what two of them give together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/grow.h"
#include "ktstr/phase.h"

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

void ktstr_phase_map_set(struct ktstr_phase_map *map, uint16_t phase, double value)
{
	size_t place = map->count;

	while (place > 0 && map->items[place - 1].phase > phase)
		place--;
	if (place > 0 && map->items[place - 1].phase == phase) {
		map->items[place - 1].value = value;
		return;
	}
	map->items = ktstr_grow(map->items, map->count, sizeof(*map->items));
	memmove(&map->items[place + 1], &map->items[place], (map->count - place) * sizeof(*map->items));
	map->items[place] = (struct ktstr_phase_value){ phase, value };
	map->count++;
}

struct ktstr_opt_f64 ktstr_phase_map_get(const struct ktstr_phase_map *map, uint16_t phase)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->items[i].phase == phase)
			return SOME(map->items[i].value);
	return NONE;
}

void ktstr_phase_map_deinit(struct ktstr_phase_map *map)
{
	free(map->items);
	*map = (struct ktstr_phase_map){ 0 };
}

struct ktstr_phase_pairs ktstr_phase_map_zip(const struct ktstr_phase_map *a, const struct ktstr_phase_map *b)
{
	struct ktstr_phase_pairs pairs = { 0 };

	for (size_t i = 0; i < a->count; i++) {
		struct ktstr_opt_f64 other = ktstr_phase_map_get(b, a->items[i].phase);

		if (!other.set)
			continue;
		pairs.items = ktstr_grow(pairs.items, pairs.count, sizeof(*pairs.items));
		pairs.items[pairs.count++] =
			(struct ktstr_phase_pair){ a->items[i].phase, a->items[i].value, other.value };
	}
	return pairs;
}

struct ktstr_opt_f64 ktstr_phase_map_ratio(const struct ktstr_phase_map *map, uint16_t earlier, uint16_t later)
{
	struct ktstr_opt_f64 from = ktstr_phase_map_get(map, earlier), to = ktstr_phase_map_get(map, later);

	return from.set && to.set && from.value != 0 ? SOME(to.value / from.value) : NONE;
}

struct ktstr_phase_map ktstr_frac_pair_per_phase(const struct ktstr_frac_pair *pair)
{
	struct ktstr_phase_pairs pairs = ktstr_phase_map_zip(pair->a, pair->b);
	struct ktstr_phase_map fractions = { 0 };

	for (size_t i = 0; i < pairs.count; i++) {
		double a = fmax(0, pairs.items[i].a), b = fmax(0, pairs.items[i].b);

		if (a + b > 0)
			ktstr_phase_map_set(&fractions, pairs.items[i].phase, a / (a + b));
	}
	free(pairs.items);
	return fractions;
}
