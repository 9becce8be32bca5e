// SPDX-License-Identifier: GPL-2.0-only
/* Sets of measurements by name: putting, getting, merging, and the ratios that follow from their parts. */
#include <math.h>
#include <string.h>

#include "check/grow.h"
#include "ktstr/metric.h"

static struct ktstr_named_value *find(const struct ktstr_metric_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->items[i].name, name))
			return &set->items[i];
	return NULL;
}

struct ktstr_opt_f64 ktstr_metric_set_get(const struct ktstr_metric_set *set, const char *name)
{
	const struct ktstr_named_value *found = find(set, name);

	if (!found)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return (struct ktstr_opt_f64)KTSTR_SOME(found->value);
}

void ktstr_metric_set_put(struct ktstr_metric_set *set, const char *name, double value)
{
	struct ktstr_named_value *found = find(set, name);

	if (!isfinite(value))
		return;
	if (found) {
		found->value = value;
		return;
	}
	set->items = ktstr_grow(set->items, set->count, sizeof(*set->items));
	set->items[set->count++] = (struct ktstr_named_value){ ktstr_xstrdup(name), value };
}

void ktstr_metric_set_put_worse(struct ktstr_metric_set *set, const char *name, struct ktstr_opt_f64 value)
{
	struct ktstr_opt_f64 had = ktstr_metric_set_get(set, name);

	if (value.set)
		ktstr_metric_set_put(set, name, had.set ? ktstr_metric_worse(name, had.value, value.value) : value.value);
}

static void drop(struct ktstr_metric_set *set, const char *name)
{
	struct ktstr_named_value *found = find(set, name);

	if (!found)
		return;
	free(found->name);
	set->count--;
	memmove(found, found + 1, (size_t)(set->items + set->count - found) * sizeof(*found));
}

void ktstr_metric_set_deinit(struct ktstr_metric_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->items[i].name);
	free(set->items);
	*set = (struct ktstr_metric_set){ 0 };
}

void ktstr_metric_set_derive(struct ktstr_metric_set *set)
{
	for (size_t i = 0; i < KTSTR_METRICS_COUNT; i++) {
		const struct ktstr_metric_def *def = ktstr_metric_def((enum ktstr_builtin_metric)i);
		struct ktstr_opt_f64 over, under;

		if (def->kind != KTSTR_KIND_RATIO)
			continue;
		over = ktstr_metric_set_get(set, ktstr_metric_def((enum ktstr_builtin_metric)def->numerator)->name);
		under = ktstr_metric_set_get(set, ktstr_metric_def((enum ktstr_builtin_metric)def->denominator)->name);
		if (over.set && under.set && under.value != 0)
			ktstr_metric_set_put(set, def->name, over.value / under.value);
		else
			drop(set, def->name);
	}
}

void ktstr_metric_set_merge(struct ktstr_metric_set *into, struct ktstr_metric_set *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const char *name = from->items[i].name;
		const struct ktstr_metric_def *def = ktstr_metric_id_def(ktstr_metric_id(name));
		struct ktstr_opt_f64 had = ktstr_metric_set_get(into, name);
		double value = from->items[i].value;

		if (had.set && def && (def->kind == KTSTR_KIND_COUNTER || def->kind == KTSTR_KIND_DELTA_SUM))
			value += had.value;
		else if (had.set)
			value = ktstr_metric_worse(name, had.value, value);
		ktstr_metric_set_put(into, name, value);
	}
	ktstr_metric_set_derive(into);
	ktstr_metric_set_deinit(from);
}
