// SPDX-License-Identifier: GPL-2.0-only
/* The log-linear latency histogram that benchmarks share. */
#include <stdbool.h>

#include "work/bench_stats.h"

enum { GROUP_BITS = 8, GROUP = 1 << GROUP_BITS };

/* Values below 2 * GROUP have a bucket each; later groups keep the GROUP_BITS bits after the highest one. */
static unsigned int bucket_of(uint32_t value)
{
	unsigned int dropped_bits, bucket;

	if (value < 2 * GROUP)
		return value;
	dropped_bits = 31 - (unsigned int)__builtin_clz(value) - GROUP_BITS;
	bucket = (dropped_bits + 1) * GROUP + ((value >> dropped_bits) & (GROUP - 1));
	return bucket < KTSTR_HISTOGRAM_BUCKETS ? bucket : KTSTR_HISTOGRAM_BUCKETS - 1;
}

/* The middle of what the bucket holds. */
static uint64_t value_of(unsigned int bucket)
{
	unsigned int dropped_bits;

	if (bucket < 2 * GROUP)
		return bucket;
	dropped_bits = bucket / GROUP - 1;
	return (((uint64_t)GROUP + bucket % GROUP) << dropped_bits) + ((UINT64_C(1) << dropped_bits) >> 1);
}

static void raise_to(uint32_t *word, uint32_t value)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);

	while (value > seen && !__atomic_compare_exchange_n(word, &seen, value, true, __ATOMIC_RELAXED,
							    __ATOMIC_RELAXED))
		;
}

void ktstr_histogram_record(struct ktstr_histogram *histogram, uint32_t value)
{
	__atomic_fetch_add(&histogram->samples, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&histogram->buckets[bucket_of(value)], 1, __ATOMIC_RELAXED);
	raise_to(&histogram->max, value);
	raise_to(&histogram->max_complement, ~value);
}

void ktstr_histogram_merge(struct ktstr_histogram *into, const struct ktstr_histogram *from)
{
	if (from->max > into->max)
		into->max = from->max;
	if (from->max_complement > into->max_complement)
		into->max_complement = from->max_complement;
	for (unsigned int i = 0; i < KTSTR_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->samples += from->samples;
}

void work_histogram_since(struct ktstr_histogram *histogram, const struct ktstr_histogram *before)
{
	histogram->samples = 0; /* of the buckets: a thread may have recorded in between */
	histogram->max = histogram->max_complement = 0;
	for (unsigned int i = 0; i < KTSTR_HISTOGRAM_BUCKETS; i++) {
		uint32_t value = (uint32_t)value_of(i);

		histogram->buckets[i] -= before->buckets[i];
		histogram->samples += histogram->buckets[i];
		if (!histogram->buckets[i])
			continue;
		histogram->max = value;
		if (!histogram->max_complement)
			histogram->max_complement = ~value;
	}
}

struct ktstr_opt_u64 ktstr_histogram_percentile(const struct ktstr_histogram *histogram, double pct)
{
	double wanted = pct / 100 * (double)histogram->samples;
	struct ktstr_opt_u64 value = { .set = histogram->samples > 0, .value = histogram->max };
	uint64_t sum = 0;

	if (pct <= 0)
		value.value = (uint32_t)~histogram->max_complement;
	if (pct <= 0 || pct >= 100 || !value.set)
		return value;
	for (unsigned int i = 0; i < KTSTR_HISTOGRAM_BUCKETS; i++) {
		sum += histogram->buckets[i];
		if (sum && (double)sum >= wanted)
			return (struct ktstr_opt_u64)KTSTR_SOME(value_of(i));
	}
	return value;
}
