// SPDX-License-Identifier: GPL-2.0-only
/* Percentiles and variation of the wake latencies that several workers sampled. */
#include <math.h>

#include "base/str.h"
#include "check/stats_build.h"

struct sample {
	uint64_t value_ns;
	double weight; /* how many real wakeups this sample stands for */
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = ((const struct sample *)a)->value_ns, y = ((const struct sample *)b)->value_ns;

	return (x > y) - (x < y);
}

/* Returns the pool (heap, unsorted); *weighted tells whether any reservoir overflowed. */
static struct sample *pool_samples(const struct ktstr_worker_report *reports, size_t count,
				   size_t total, bool *weighted)
{
	struct sample *pool = ktstr_xcalloc(total, sizeof(*pool));
	size_t next = 0;

	*weighted = false;
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_reservoir *reservoir = &reports[i].wake_latencies;
		double weight = 1;

		if (reservoir->count && reservoir->total_samples > reservoir->count) {
			weight = (double)reservoir->total_samples / (double)reservoir->count;
			*weighted = true;
		}
		for (size_t k = 0; k < reservoir->count; k++)
			pool[next++] = (struct sample){ reservoir->values_ns[k], weight };
	}
	return pool;
}

static uint64_t nearest_rank(const struct sample *sorted, size_t count, unsigned int percent)
{
	/* Integers: 100 * 0.99 in floating point may round up to the wrong rank. */
	size_t rank = (count * percent + 99) / 100;

	return sorted[rank - 1].value_ns;
}

static uint64_t weighted_rank(const struct sample *sorted, size_t count, unsigned int percent,
			      double weight_sum)
{
	/* The sum of weights carries rounding errors; do not let them skip a sample. */
	double target = weight_sum * percent / 100 * (1 - 1e-12), sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += sorted[i].weight;
		if (sum >= target)
			return sorted[i].value_ns;
	}
	return sorted[count - 1].value_ns;
}

/* Population standard deviation / mean, in two passes for accuracy. */
static struct ktstr_opt_f64 variation(const struct sample *pool, size_t count, double weight_sum)
{
	double sum = 0, squares = 0, mean;

	for (size_t i = 0; i < count; i++)
		sum += pool[i].weight * (double)pool[i].value_ns;
	mean = sum / weight_sum;
	if (mean == 0)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	for (size_t i = 0; i < count; i++) {
		double off = (double)pool[i].value_ns - mean;

		squares += pool[i].weight * off * off;
	}
	return (struct ktstr_opt_f64)KTSTR_SOME(sqrt(squares / weight_sum) / mean);
}

struct ktstr_wake_summary ktstr_wake_summarise(const struct ktstr_worker_report *reports,
					       size_t count)
{
	struct ktstr_wake_summary summary = { 0 };
	_cleanup_free_ struct sample *pool = NULL;
	double weight_sum = 0;
	bool weighted;

	for (size_t i = 0; i < count; i++) {
		summary.samples += reports[i].wake_latencies.count;
		summary.sample_total += reports[i].wake_latencies.total_samples;
	}
	if (!summary.samples)
		return summary;
	pool = pool_samples(reports, count, summary.samples, &weighted);
	qsort(pool, summary.samples, sizeof(*pool), by_value);
	for (size_t i = 0; i < summary.samples; i++)
		weight_sum += pool[i].weight;
	summary.cv = variation(pool, summary.samples, weight_sum);
	if (weighted) {
		summary.p99_ns = weighted_rank(pool, summary.samples, 99, weight_sum);
		summary.median_ns = weighted_rank(pool, summary.samples, 50, weight_sum);
	} else {
		summary.p99_ns = nearest_rank(pool, summary.samples, 99);
		summary.median_ns = nearest_rank(pool, summary.samples, 50);
	}
	return summary;
}
