/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One value over the samples of a run: columns of equal length, a row a sample. A row has a value, or an error that
 * says why it has none; it never reads as zero. Projections of a sample series (snapshot.h) make these; temporal
 * patterns (check.h) judge them.
 */
#ifndef KTSTR_SERIES_H
#define KTSTR_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, C type) for each kind of series. X must use its first argument with ## only: `bool` is a macro. */
#define KTSTR_SERIES_TYPES(X)                                                                                          \
	X(f64, double)                                                                                                 \
	X(u64, uint64_t)                                                                                               \
	X(i64, int64_t)                                                                                                \
	X(bool, bool)

/*
 * struct ktstr_series_f64, _u64, _i64, _bool.
 *
 *   label       what the values are, as in "scx_foo.bss: nr_enqueues"; heap
 *   tags        name of the sample of each row; the array is heap, the texts belong to the sample series
 *   elapsed_ms  when the sample was taken, since the VM started (pauses of the scenario left out)
 *   values      undefined where there is an error
 *   errors      heap text where a row has no value, NULL where it has one
 *   phases      0 baseline, 1..N the scenario's steps; not set: the sample belongs to none
 *
 * ktstr_series_<name>_deinit() frees what a projection has filled. One that was put together by hand, from arrays of
 * one's own, needs no freeing.
 */
#define KTSTR_DECLARE_SERIES_(name, value_type)                                                                        \
	struct ktstr_series_##name {                                                                                   \
		char *label;                                                                                           \
		size_t count;                                                                                          \
		const char **tags;                                                                                     \
		struct ktstr_opt_u64 *elapsed_ms;                                                                      \
		value_type *values;                                                                                    \
		char **errors;                                                                                         \
		struct ktstr_opt_u32 *phases;                                                                          \
	};                                                                                                             \
	void ktstr_series_##name##_deinit(struct ktstr_series_##name *series);

KTSTR_SERIES_TYPES(KTSTR_DECLARE_SERIES_)

#ifdef __cplusplus
}
#endif
#endif
