/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of a series as patterns see them: whether there is a value, when and in which phase. */
#ifndef KTSTR_CHECK_SERIES_ROWS_H
#define KTSTR_CHECK_SERIES_ROWS_H

#include "base/str.h"
#include "ktstr/temporal.h"

const char *ktstr_series_label(const struct ktstr_series_claim *claim);
/* The value of a row; absent where it has an error. */
struct ktstr_value ktstr_series_value(const struct ktstr_series_view *series, size_t row);
bool ktstr_series_is_good(const struct ktstr_series_view *series, size_t row);
struct ktstr_opt_u64 ktstr_series_time(const struct ktstr_series_view *series, size_t row);
bool ktstr_series_in_phase(const struct ktstr_series_view *series, size_t row, uint16_t phase);
/* "periodic_003 at 1200 ms", "#2" */
void ktstr_series_add_row_name(struct ktstr_str *out, const struct ktstr_series_view *series, size_t row);
/* Notes each row without a value: its name and the error. */
void ktstr_series_note_gaps(const struct ktstr_series_claim *claim);

#endif
