// SPDX-License-Identifier: GPL-2.0-only
/* Rows of a series: values, times, names, and notes about those without a value. */
#include "check/series_rows.h"

const char *ktstr_series_label(const struct ktstr_series_claim *claim)
{
	return claim->series.label ?: claim->label;
}

bool ktstr_series_is_good(const struct ktstr_series_view *series, size_t row)
{
	return !series->errors || !series->errors[row];
}

struct ktstr_value ktstr_series_value(const struct ktstr_series_view *series, size_t row)
{
	if (!ktstr_series_is_good(series, row))
		return ktstr_value_absent();
	switch (series->kind) {
	case KTSTR_VALUE_INT:
		return ktstr_value_int(((const int64_t *)series->values)[row]);
	case KTSTR_VALUE_UINT:
		return ktstr_value_uint(((const uint64_t *)series->values)[row]);
	case KTSTR_VALUE_FLOAT:
		return ktstr_value_float(((const double *)series->values)[row]);
	case KTSTR_VALUE_BOOL:
		return ktstr_value_bool(((const bool *)series->values)[row]);
	default:
		return ktstr_value_absent();
	}
}

struct ktstr_opt_u64 ktstr_series_time(const struct ktstr_series_view *series, size_t row)
{
	return series->elapsed_ms ? series->elapsed_ms[row] : (struct ktstr_opt_u64)KTSTR_NONE;
}

bool ktstr_series_in_phase(const struct ktstr_series_view *series, size_t row, uint16_t phase)
{
	return series->phases && series->phases[row].set && series->phases[row].value == phase;
}

void ktstr_series_add_row_name(struct ktstr_str *out, const struct ktstr_series_view *series, size_t row)
{
	struct ktstr_opt_u64 time = ktstr_series_time(series, row);

	if (series->tags && series->tags[row])
		ktstr_str_add(out, series->tags[row]);
	else
		ktstr_str_addf(out, "#%zu", row);
	if (time.set)
		ktstr_str_addf(out, " at %llu ms", (unsigned long long)time.value);
}

void ktstr_series_note_gaps(const struct ktstr_series_claim *claim)
{
	for (size_t i = 0; i < claim->series.count; i++) {
		_cleanup_str_ struct ktstr_str name = { 0 };

		if (ktstr_series_is_good(&claim->series, i))
			continue;
		ktstr_series_add_row_name(&name, &claim->series, i);
		ktstr_assert_note(claim->result, "%s: no value in %s: %s", ktstr_series_label(claim),
				  ktstr_str_text(&name), claim->series.errors[i]);
	}
}
