// SPDX-License-Identifier: GPL-2.0-only
/* Percentiles and variation over pooled reservoirs, and merging reservoirs within a cap. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/grow.h"
#include "check/saturating.h"
#include "check/samples.h"

struct sample {
	uint64_t value;
	double weight; /* how many real values this one stands for */
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = ((const struct sample *)a)->value, y = ((const struct sample *)b)->value;

	return (x > y) - (x < y);
}

/* Returns the pool (heap, unsorted); *weighted tells whether any reservoir overflowed. */
static struct sample *pool_samples(const struct ktstr_sample_view *views, size_t count, size_t total, bool *weighted)
{
	struct sample *pool = ktstr_xcalloc(total, sizeof(*pool));
	size_t next = 0;

	*weighted = false;
	for (size_t i = 0; i < count; i++) {
		double weight = 1;

		if (views[i].count && views[i].total > views[i].count) {
			weight = (double)views[i].total / (double)views[i].count;
			*weighted = true;
		}
		for (size_t k = 0; k < views[i].count; k++)
			pool[next++] = (struct sample){ views[i].values[k], weight };
	}
	return pool;
}

static uint64_t nearest_rank(const struct sample *sorted, size_t count, unsigned int permille)
{
	/* Integers: 100 * 0.99 in floating point may round up to the wrong rank. */
	size_t rank = (count * permille + 999) / 1000;

	return sorted[rank - 1].value;
}

static uint64_t weighted_rank(const struct sample *sorted, size_t count, unsigned int permille, double weight_sum)
{
	/* The sum of weights carries rounding errors; do not let them skip a sample. */
	double target = weight_sum * permille / 1000 * (1 - 1e-12), sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += sorted[i].weight;
		if (sum >= target)
			return sorted[i].value;
	}
	return sorted[count - 1].value;
}

/* In two passes for accuracy. */
static void add_variation(struct ktstr_sample_summary *summary, const struct sample *pool, double weight_sum)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < summary->samples; i++)
		sum += pool[i].weight * (double)pool[i].value;
	summary->mean = sum / weight_sum;
	if (summary->mean == 0)
		return;
	for (size_t i = 0; i < summary->samples; i++) {
		double off = (double)pool[i].value - summary->mean;

		squares += pool[i].weight * off * off;
	}
	summary->cv = (struct ktstr_opt_f64)KTSTR_SOME(sqrt(squares / weight_sum) / summary->mean);
}

struct ktstr_sample_summary ktstr_samples_summarise(const struct ktstr_sample_view *views, size_t count)
{
	struct ktstr_sample_summary summary = { 0 };
	_cleanup_free_ struct sample *pool = NULL;
	uint64_t *const percentiles[] = { &summary.median, &summary.p99, &summary.p999 };
	static const unsigned int permilles[] = { 500, 990, 999 };
	double weight_sum = 0;
	bool weighted;

	for (size_t i = 0; i < count; i++) {
		summary.samples += views[i].count;
		summary.total = ktstr_add_saturating(summary.total, views[i].total);
	}
	if (!summary.samples)
		return summary;
	pool = pool_samples(views, count, summary.samples, &weighted);
	qsort(pool, summary.samples, sizeof(*pool), by_value);
	for (size_t i = 0; i < summary.samples; i++)
		weight_sum += pool[i].weight;
	add_variation(&summary, pool, weight_sum);
	summary.worst = pool[summary.samples - 1].value;
	for (size_t i = 0; i < 3; i++)
		*percentiles[i] = weighted ? weighted_rank(pool, summary.samples, permilles[i], weight_sum) :
					     nearest_rank(pool, summary.samples, permilles[i]);
	return summary;
}

struct ktstr_sample_view ktstr_samples_view(const struct ktstr_samples *samples)
{
	return (struct ktstr_sample_view){ samples->values, samples->count, samples->total };
}

void ktstr_samples_append(struct ktstr_samples *samples, uint64_t value)
{
	samples->values = ktstr_grow(samples->values, samples->count, sizeof(*samples->values));
	samples->values[samples->count++] = value;
	samples->total = ktstr_add_saturating(samples->total, 1);
}

void ktstr_samples_deinit(struct ktstr_samples *samples)
{
	free(samples->values);
	*samples = (struct ktstr_samples){ 0 };
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* `keep` of the view's values, evenly spaced over the sorted ones, to the end of out. */
static void append_spread(struct ktstr_samples *out, struct ktstr_sample_view view, size_t keep)
{
	_cleanup_free_ uint64_t *sorted = ktstr_xcalloc(view.count + 1, sizeof(*sorted));

	if (view.count)
		memcpy(sorted, view.values, view.count * sizeof(*sorted));
	qsort(sorted, view.count, sizeof(*sorted), by_number);
	for (size_t i = 0; i < keep; i++)
		ktstr_samples_append(out, sorted[(2 * i + 1) * view.count / (2 * keep)]);
}

/* How many of cap are for a: its share of the population, as far as both sides have values. */
static size_t share_of(struct ktstr_sample_view a, struct ktstr_sample_view b, size_t cap)
{
	size_t share = (size_t)llrint((double)cap * (double)a.total / ((double)a.total + (double)b.total));

	if (cap - share > b.count)
		share = cap - b.count;
	return share < a.count ? share : a.count;
}

void ktstr_samples_merge(struct ktstr_samples *into, struct ktstr_sample_view from, size_t cap)
{
	struct ktstr_sample_view had = ktstr_samples_view(into);
	uint64_t total = ktstr_add_saturating(had.total, from.total);
	struct ktstr_samples merged = { 0 };

	if (had.count + from.count <= cap) {
		for (size_t i = 0; i < from.count; i++)
			ktstr_samples_append(into, from.values[i]);
		into->total = total;
		return;
	}
	append_spread(&merged, had, share_of(had, from, cap));
	append_spread(&merged, from, cap - merged.count < from.count ? cap - merged.count : from.count);
	merged.total = total;
	ktstr_samples_deinit(into);
	*into = merged;
}
