/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patterns over the samples of a run, and what a series is per phase: KTSTR_CLAIM_SERIES(ctx, &depth, nondecreasing),
 * KTSTR_CLAIM_EACH(ctx, &depth, at_most, 50). Failures are of kind Temporal; rows without a value become notes that name the
 * sample, its time and the error, and are passed over, unless it says otherwise.
 */
#ifndef KTSTR_TEMPORAL_H
#define KTSTR_TEMPORAL_H

#include <ktstr/claim.h>
#include <ktstr/series.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A series of any of the types; borrowed. Columns other than the values may be NULL. */
struct ktstr_series_view {
	const char *label;
	size_t count;
	const char *const *tags;
	const struct ktstr_opt_u64 *elapsed_ms;
	const struct ktstr_opt_u32 *phases;
	char *const *errors;
	enum ktstr_value_kind kind; /* of the values */
	const void *values;
};

#define KTSTR_SERIES_VIEW_(name, KIND)                                                             \
	static inline struct ktstr_series_view ktstr_series_view_##name(const struct ktstr_series_##name *series) \
	{                                                                                          \
		return (struct ktstr_series_view){ .label = series->label,                         \
						   .count = series->count,                         \
						   .tags = series->tags,                           \
						   .elapsed_ms = series->elapsed_ms,               \
						   .phases = series->phases,                       \
						   .errors = series->errors,                       \
						   .kind = (KIND),                                 \
						   .values = series->values };                     \
	}
KTSTR_SERIES_VIEW_(f64, KTSTR_VALUE_FLOAT)
KTSTR_SERIES_VIEW_(u64, KTSTR_VALUE_UINT)
KTSTR_SERIES_VIEW_(i64, KTSTR_VALUE_INT)
KTSTR_SERIES_VIEW_(bool, KTSTR_VALUE_BOOL)
#undef KTSTR_SERIES_VIEW_

/* The view of a series of any type, through a pointer to it. */
#define KTSTR_SERIES_VIEW(series)                                                                  \
	_Generic((series),                                                                         \
		struct ktstr_series_f64 *: ktstr_series_view_f64,                                  \
		const struct ktstr_series_f64 *: ktstr_series_view_f64,                            \
		struct ktstr_series_u64 *: ktstr_series_view_u64,                                  \
		const struct ktstr_series_u64 *: ktstr_series_view_u64,                            \
		struct ktstr_series_i64 *: ktstr_series_view_i64,                                  \
		const struct ktstr_series_i64 *: ktstr_series_view_i64,                            \
		struct ktstr_series_bool *: ktstr_series_view_bool,                                \
		const struct ktstr_series_bool *: ktstr_series_view_bool)(series)

/* A pattern is claimed of a series; the label is that of the series, else the expression's text. */
struct ktstr_series_claim {
	struct ktstr_assert_result *result;
	const char *label;
	struct ktstr_series_view series;
};

#define KTSTR_SERIES_CLAIM_(v, text, expr)                                                         \
	((struct ktstr_series_claim){ .result = &(v)->result, .label = (text), .series = KTSTR_SERIES_VIEW(expr) })
/* KTSTR_CLAIM_SERIES(ctx, &rate, steady_within, 2000, 0.1): the patterns below by their names. */
#define KTSTR_CLAIM_SERIES(v, expr, pattern, ...) ktstr_series_##pattern(KTSTR_SERIES_CLAIM_(v, #expr, expr), ##__VA_ARGS__)

/* Each returns whether no failure and nothing inconclusive came of it. */

/* v[i] <= v[i + 1]; v[i] < v[i + 1]. Fewer than two good samples: a note, nothing is claimed. NaN fails. */
bool ktstr_series_nondecreasing(struct ktstr_series_claim claim);
bool ktstr_series_strictly_increasing(struct ktstr_series_claim claim);
/*
 * low <= (v[i + 1] - v[i]) / ms between them <= high, for rows that follow each other. low > high fails. No time passed:
 * inconclusive. Not finite: fails. A missing time is passed over like a missing value.
 */
bool ktstr_series_rate_within(struct ktstr_series_claim claim, double low_per_ms, double high_per_ms);
/*
 * All values from warmup_ms on are within mean * (1 - tolerance) .. mean * (1 + tolerance), the mean being their own.
 * tolerance < 0 fails; values that are not finite are passed over with a note; none left: nothing is claimed.
 */
bool ktstr_series_steady_within(struct ktstr_series_claim claim, uint64_t warmup_ms, double tolerance);
/*
 * Three values in a row within target - tolerance .. target + tolerance, the third no later than deadline_ms. An error in
 * between starts the count anew. Fewer than three good samples: a note. tolerance < 0 fails.
 */
bool ktstr_series_converges_to(struct ktstr_series_claim claim, double target, double tolerance, uint64_t deadline_ms);
/* Every value is true (not 0); a row without a value fails. */
bool ktstr_series_always_true(struct ktstr_series_claim claim);
/*
 * low <= v[i] / other[i] <= high. Different lengths or low > high fail. other[i] = 0: inconclusive. Not finite: fails.
 * KTSTR_CLAIM_SERIES(ctx, &a, ratio_within, KTSTR_SERIES_VIEW(&b), 0.5, 2)
 */
bool ktstr_series_ratio_within(struct ktstr_series_claim claim, struct ktstr_series_view other, double low, double high);
/*
 * Last good value of phase `later` / last good value of phase `earlier` <= ceiling; a pass notes the ratio. A phase without
 * a good value or an earlier value of 0: inconclusive. Not finite: fails.
 */
bool ktstr_series_ratio_across_phases(struct ktstr_series_claim claim, uint16_t earlier, uint16_t later, double ceiling);

/* KTSTR_CLAIM_EACH(ctx, &depth, between, 0, 50): every sample; one without a value or NaN fails. Lists every offender. */
bool ktstr_each_claim_compare(struct ktstr_series_claim claim, enum ktstr_comparator comparator,
			      struct ktstr_value expected, struct ktstr_value upper,
			      struct ktstr_claim_modifiers modifiers);
#define KTSTR_EACH_(claim, cmp, a, b, ...)                                                         \
	ktstr_each_claim_compare((claim), KTSTR_CMP_##cmp, (a), (b), (struct ktstr_claim_modifiers){ __VA_ARGS__ })
#define ktstr_each_claim_at_least(claim, v, ...)                                                   \
	KTSTR_EACH_(claim, at_least, KTSTR_VALUE(v), ktstr_value_absent(), ##__VA_ARGS__)
#define ktstr_each_claim_at_most(claim, v, ...)                                                    \
	KTSTR_EACH_(claim, at_most, KTSTR_VALUE(v), ktstr_value_absent(), ##__VA_ARGS__)
#define ktstr_each_claim_between(claim, lo, hi, ...)                                               \
	KTSTR_EACH_(claim, between, KTSTR_VALUE(lo), KTSTR_VALUE(hi), ##__VA_ARGS__)
#define KTSTR_CLAIM_EACH(v, expr, comparator, ...)                                                 \
	ktstr_each_claim_##comparator(KTSTR_SERIES_CLAIM_(v, #expr, expr), ##__VA_ARGS__)

/* Reducers: over good values (no error, finite), rows of phase `phase` or of any phase. Free maps with their deinit. */

/* The last of the phase. */
struct ktstr_opt_f64 ktstr_series_value_at_phase(struct ktstr_series_view series, uint16_t phase);
struct ktstr_phase_map ktstr_series_first_per_phase(struct ktstr_series_view series);
struct ktstr_phase_map ktstr_series_last_per_phase(struct ktstr_series_view series);
/* Last - first of each phase with two values; one that went backward is 0, and a note in `result` (may be NULL) says so. */
struct ktstr_phase_map ktstr_series_counter_delta_per_phase(struct ktstr_series_view series,
							    struct ktstr_assert_result *result);
/* Each phase's rows folded as captures of the metric; a dynamic metric has no fold, and gives an empty map. */
struct ktstr_phase_map ktstr_series_aggregate_by_phase(struct ktstr_series_view series, struct ktstr_metric_id metric);

#ifdef __cplusplus
}
#endif
#endif
