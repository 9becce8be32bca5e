// SPDX-License-Identifier: GPL-2.0-only
/* A series per sample (KTSTR_CLAIM_EACH) and per phase (reducers). */
#include <math.h>

#include "check/claim_words.h"
#include "check/series_rows.h"
#include "check/value.h"

bool ktstr_each_claim_compare(struct ktstr_series_claim claim, enum ktstr_comparator comparator,
			      struct ktstr_value expected, struct ktstr_value upper,
			      struct ktstr_claim_modifiers modifiers)
{
	const char *mistake = ktstr_claim_caller_error(comparator, expected, upper);
	const char *label = ktstr_series_label(&claim), *word = ktstr_claim_word(comparator);
	_cleanup_free_ char *expected_text = ktstr_claim_expected_text(comparator, expected, upper);
	_cleanup_free_ char *judged = ktstr_xasprintf("%zu samples", claim.series.count);
	_cleanup_str_ struct ktstr_str offenders = { 0 };
	size_t count = 0;

	if (mistake)
		return ktstr_claim_fails(claim.result, modifiers, "%s: caller error: %s %s: %s", label, word,
					 expected_text, mistake);
	for (size_t i = 0; i < claim.series.count; i++) {
		struct ktstr_value value = ktstr_series_value(&claim.series, i);
		_cleanup_free_ char *value_text = ktstr_value_format(value);

		if (ktstr_claim_holds(value, comparator, expected, upper))
			continue;
		ktstr_str_add(&offenders, count++ ? "; " : "");
		ktstr_series_add_row_name(&offenders, &claim.series, i);
		ktstr_str_addf(&offenders, ": %s",
			       ktstr_series_is_good(&claim.series, i) ? value_text : claim.series.errors[i]);
	}
	if (count)
		return ktstr_claim_fails(claim.result, modifiers, "%s: %zu of %zu samples are not %s %s: %s", label,
					 count, claim.series.count, word, expected_text, ktstr_str_text(&offenders));
	if (claim.series.count)
		ktstr_assert_record_pass(claim.result, label, KTSTR_COMPARATOR_VOCABULARY[comparator], judged,
					 expected_text);
	else
		ktstr_assert_note(claim.result, "%s: each %s claims nothing: no samples", label, word);
	return true;
}

/* The value of a row that reducers take; unset for others. */
static struct ktstr_opt_f64 usable(const struct ktstr_series_view *series, size_t row)
{
	double value = ktstr_value_to_f64(ktstr_series_value(series, row));

	if (!isfinite(value) || !series->phases || !series->phases[row].set || series->phases[row].value > UINT16_MAX)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return (struct ktstr_opt_f64)KTSTR_SOME(value);
}

struct ktstr_opt_f64 ktstr_series_value_at_phase(struct ktstr_series_view series, uint16_t phase)
{
	struct ktstr_opt_f64 last = KTSTR_NONE;

	for (size_t i = 0; i < series.count; i++)
		if (ktstr_series_in_phase(&series, i, phase) && usable(&series, i).set)
			last = usable(&series, i);
	return last;
}

struct ktstr_phase_map ktstr_series_first_per_phase(struct ktstr_series_view series)
{
	struct ktstr_phase_map map = { 0 };

	for (size_t i = 0; i < series.count; i++)
		if (usable(&series, i).set && !ktstr_phase_map_get(&map, (uint16_t)series.phases[i].value).set)
			ktstr_phase_map_set(&map, (uint16_t)series.phases[i].value, usable(&series, i).value);
	return map;
}

struct ktstr_phase_map ktstr_series_last_per_phase(struct ktstr_series_view series)
{
	struct ktstr_phase_map map = { 0 };

	for (size_t i = 0; i < series.count; i++)
		if (usable(&series, i).set)
			ktstr_phase_map_set(&map, (uint16_t)series.phases[i].value, usable(&series, i).value);
	return map;
}

static size_t usable_in(const struct ktstr_series_view *series, uint16_t phase)
{
	size_t count = 0;

	for (size_t i = 0; i < series->count; i++)
		count += ktstr_series_in_phase(series, i, phase) && usable(series, i).set;
	return count;
}

struct ktstr_phase_map ktstr_series_counter_delta_per_phase(struct ktstr_series_view series,
							    struct ktstr_assert_result *result)
{
	struct ktstr_phase_map first = ktstr_series_first_per_phase(series), map = { 0 };
	struct ktstr_phase_map last = ktstr_series_last_per_phase(series);

	for (size_t i = 0; i < first.count; i++) {
		double delta = last.items[i].value - first.items[i].value;
		char text[KTSTR_PHASE_TEXT_BYTES];

		if (usable_in(&series, first.items[i].phase) < 2)
			continue;
		if (delta < 0 && result)
			ktstr_assert_note(result, "%s: warning: went backward in %s, by %g; its delta is taken as 0",
					  series.label ?: "counter", ktstr_phase_format(first.items[i].phase, text),
					  -delta);
		ktstr_phase_map_set(&map, first.items[i].phase, fmax(0, delta));
	}
	ktstr_phase_map_deinit(&first);
	ktstr_phase_map_deinit(&last);
	return map;
}

struct ktstr_phase_map ktstr_series_aggregate_by_phase(struct ktstr_series_view series, struct ktstr_metric_id metric)
{
	struct ktstr_phase_map phases = ktstr_series_first_per_phase(series), map = { 0 };
	_cleanup_free_ struct ktstr_metric_point *points = ktstr_xcalloc(series.count + 1, sizeof(*points));

	for (size_t i = 0; metric.builtin >= 0 && i < phases.count; i++) {
		struct ktstr_opt_f64 folded;
		size_t count = 0;

		for (size_t row = 0; row < series.count; row++)
			if (ktstr_series_in_phase(&series, row, phases.items[i].phase) && usable(&series, row).set)
				points[count++] = (struct ktstr_metric_point){ .value = usable(&series, row).value,
									       .at = (double)row };
		folded = ktstr_metric_fold_captures((enum ktstr_builtin_metric)metric.builtin, points, count);
		if (folded.set)
			ktstr_phase_map_set(&map, phases.items[i].phase, folded.value);
	}
	ktstr_phase_map_deinit(&phases);
	return map;
}
