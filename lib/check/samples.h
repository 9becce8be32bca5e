/* SPDX-License-Identifier: GPL-2.0-only */
/* Pooling samples of several populations: percentiles, variation, and merging within a cap. */
#ifndef KTSTR_CHECK_SAMPLES_H
#define KTSTR_CHECK_SAMPLES_H

#include "ktstr/phase.h"
#include "ktstr/units.h"

/* A uniform sample of `total` values; borrowed. */
struct ktstr_sample_view {
	const uint64_t *values;
	size_t count;
	uint64_t total;
};

/* Zero samples: all of it is zero. */
struct ktstr_sample_summary {
	uint64_t total; /* true population, beyond what reservoirs kept */
	size_t samples;
	uint64_t median, p99, p999, worst;
	double mean;
	struct ktstr_opt_f64 cv; /* population standard deviation / mean; unset when the mean is 0 */
};

/*
 * Nearest rank, sorted[ceil(n * p) - 1]. A sample of a reservoir that overflowed stands for total / count values, so
 * whoever sampled more weighs more.
 */
struct ktstr_sample_summary ktstr_samples_summarise(const struct ktstr_sample_view *views, size_t count);

struct ktstr_sample_view ktstr_samples_view(const struct ktstr_samples *samples);
void ktstr_samples_append(struct ktstr_samples *samples, uint64_t value);
void ktstr_samples_deinit(struct ktstr_samples *samples);
/*
 * Adds what the view has. Beyond cap values each side keeps a share that fits its population, evenly spaced over its sorted
 * values: deterministic, and the same whichever side comes first.
 */
void ktstr_samples_merge(struct ktstr_samples *into, struct ktstr_sample_view from, size_t cap);

#endif
