// SPDX-License-Identifier: GPL-2.0-only
/* Patterns over the samples of a run: order, rates, steadiness, convergence, ratios. */
#include <math.h>
#include <stdarg.h>

#include "check/members.h"
#include "check/series_rows.h"
#include "check/value.h"

enum { CONVERGED_SAMPLES = 3, SHOWN_OFFENDERS = 20 };

/* What a pattern found so far. */
struct findings {
	const struct ktstr_series_claim *claim;
	const char *pattern;
	size_t judged;
	size_t offenders, untold;
	struct ktstr_str offender_list, untold_list;
};

/* Adds to a list of at most SHOWN_OFFENDERS. */
static void list(struct ktstr_str *out, size_t *count, const char *fmt, ...) KTSTR_PRINTF(3, 4);
static void list(struct ktstr_str *out, size_t *count, const char *fmt, ...)
{
	va_list args;

	if (*count < SHOWN_OFFENDERS) {
		ktstr_str_add(out, *count ? "; " : "");
		va_start(args, fmt);
		ktstr_str_vaddf(out, fmt, args);
		va_end(args);
	}
	(*count)++;
}

static char *row_name(const struct findings *found, size_t row)
{
	struct ktstr_str name = { 0 };

	ktstr_series_add_row_name(&name, &found->claim->series, row);
	return ktstr_str_take(&name);
}

static bool refuse(const struct ktstr_series_claim *claim, const char *pattern, const char *why)
{
	ktstr_assert_record(claim->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_TEMPORAL, "%s: %s: caller error: %s",
			    ktstr_series_label(claim), pattern, why);
	return false;
}

static void say(const struct findings *found, enum ktstr_outcome_kind kind, const struct ktstr_str *what, size_t count)
{
	const char *more = count > SHOWN_OFFENDERS ? "; ..." : "";

	if (count)
		ktstr_assert_record(found->claim->result, kind, KTSTR_DETAIL_TEMPORAL, "%s: not %s in %zu place%s: %s%s",
				    ktstr_series_label(found->claim), found->pattern, count, count == 1 ? "" : "s",
				    ktstr_str_text(what), more);
}

/* Records what was found; comparator: the word of the vocabulary for a pass. */
static bool conclude(struct findings *found, enum ktstr_comparator comparator, const char *expected)
{
	const struct ktstr_series_claim *claim = found->claim;
	bool held = !found->offenders && !found->untold;

	say(found, KTSTR_OUTCOME_FAIL, &found->offender_list, found->offenders);
	say(found, KTSTR_OUTCOME_INCONCLUSIVE, &found->untold_list, found->untold);
	if (held && found->judged) {
		_cleanup_free_ char *name = ktstr_xasprintf("%s %s", ktstr_series_label(claim), found->pattern);
		_cleanup_free_ char *judged = ktstr_xasprintf("%zu judged", found->judged);

		ktstr_assert_record_pass(claim->result, name, KTSTR_COMPARATOR_VOCABULARY[comparator], judged, expected);
	} else if (held) {
		ktstr_assert_note(claim->result, "%s: %s claims nothing: not enough samples",
				  ktstr_series_label(claim), found->pattern);
	}
	ktstr_str_deinit(&found->offender_list);
	ktstr_str_deinit(&found->untold_list);
	return held;
}

static void offend_pair(struct findings *found, size_t row)
{
	const struct ktstr_series_view *series = &found->claim->series;
	_cleanup_free_ char *from = ktstr_value_format(ktstr_series_value(series, row));
	_cleanup_free_ char *to = ktstr_value_format(ktstr_series_value(series, row + 1));
	_cleanup_free_ char *name = row_name(found, row + 1);

	list(&found->offender_list, &found->offenders, "%s -> %s in %s", from, to, name);
}

static bool judge_order(const struct ktstr_series_claim *claim, const char *pattern, unsigned int allowed,
			enum ktstr_comparator comparator)
{
	struct findings found = { .claim = claim, .pattern = pattern };
	const struct ktstr_series_view *series = &claim->series;

	ktstr_series_note_gaps(claim);
	for (size_t i = 0; i + 1 < series->count; i++) {
		if (!ktstr_series_is_good(series, i) || !ktstr_series_is_good(series, i + 1))
			continue;
		found.judged++;
		if (!(ktstr_value_order(ktstr_series_value(series, i), ktstr_series_value(series, i + 1)) & allowed))
			offend_pair(&found, i);
	}
	return conclude(&found, comparator, NULL);
}

bool ktstr_series_nondecreasing(struct ktstr_series_claim claim)
{
	return judge_order(&claim, "nondecreasing", KTSTR_ORDER_LESS | KTSTR_ORDER_EQUAL, KTSTR_CMP_at_least);
}

bool ktstr_series_strictly_increasing(struct ktstr_series_claim claim)
{
	return judge_order(&claim, "strictly_increasing", KTSTR_ORDER_LESS, KTSTR_CMP_gt);
}

/* b - a, exact for integers until it becomes a double. */
static double difference(struct ktstr_value a, struct ktstr_value b)
{
	if (a.kind == KTSTR_VALUE_UINT)
		return b.u >= a.u ? (double)(b.u - a.u) : -(double)(a.u - b.u);
	if (a.kind == KTSTR_VALUE_INT)
		return (double)((__int128)b.i - a.i);
	return ktstr_value_to_f64(b) - ktstr_value_to_f64(a);
}

static char *range_text(double low, double high)
{
	struct ktstr_str text = { 0 };

	ktstr_format_f64(low, &text);
	ktstr_str_add(&text, "..");
	ktstr_format_f64(high, &text);
	return ktstr_str_take(&text);
}

/* A row whose value would count, had it a time. */
static void note_missing_time(const struct ktstr_series_claim *claim, size_t row)
{
	_cleanup_str_ struct ktstr_str name = { 0 };

	ktstr_series_add_row_name(&name, &claim->series, row);
	ktstr_assert_note(claim->result, "%s: no time for %s", ktstr_series_label(claim), ktstr_str_text(&name));
}

static void note_missing_times(const struct ktstr_series_claim *claim)
{
	for (size_t i = 0; i < claim->series.count; i++)
		if (ktstr_series_is_good(&claim->series, i) && !ktstr_series_time(&claim->series, i).set)
			note_missing_time(claim, i);
}

static void judge_rate(struct findings *found, size_t row, double low, double high)
{
	const struct ktstr_series_view *series = &found->claim->series;
	uint64_t from_ms = ktstr_series_time(series, row).value, to_ms = ktstr_series_time(series, row + 1).value;
	double change = difference(ktstr_series_value(series, row), ktstr_series_value(series, row + 1)), rate;
	_cleanup_free_ char *name = row_name(found, row + 1);

	found->judged++;
	if (!isfinite(change)) {
		list(&found->offender_list, &found->offenders, "a value that is not finite up to %s", name);
		return;
	}
	if (to_ms <= from_ms) {
		list(&found->untold_list, &found->untold, "no time passed up to %s", name);
		return;
	}
	rate = change / (double)(to_ms - from_ms);
	if (!(rate >= low && rate <= high))
		list(&found->offender_list, &found->offenders, "%g per ms up to %s", rate, name);
}

bool ktstr_series_rate_within(struct ktstr_series_claim claim, double low_per_ms, double high_per_ms)
{
	struct findings found = { .claim = &claim, .pattern = "rate_within" };
	const struct ktstr_series_view *series = &claim.series;
	_cleanup_free_ char *range = range_text(low_per_ms, high_per_ms);

	if (!(low_per_ms <= high_per_ms))
		return refuse(&claim, found.pattern, "the range is empty");
	ktstr_series_note_gaps(&claim);
	note_missing_times(&claim);
	for (size_t i = 0; i + 1 < series->count; i++)
		if (ktstr_series_is_good(series, i) && ktstr_series_is_good(series, i + 1) &&
		    ktstr_series_time(series, i).set && ktstr_series_time(series, i + 1).set)
			judge_rate(&found, i, low_per_ms, high_per_ms);
	return conclude(&found, KTSTR_CMP_between, range);
}

/* Good, finite, with a time from warmup_ms on. Says why a value is passed over when `note`. */
static bool counts_for_steadiness(const struct ktstr_series_claim *claim, size_t row, uint64_t warmup_ms, bool note)
{
	struct ktstr_opt_u64 time = ktstr_series_time(&claim->series, row);
	_cleanup_str_ struct ktstr_str name = { 0 };

	if (!ktstr_series_is_good(&claim->series, row) || !time.set || time.value < warmup_ms)
		return false;
	if (isfinite(ktstr_value_to_f64(ktstr_series_value(&claim->series, row))))
		return true;
	ktstr_series_add_row_name(&name, &claim->series, row);
	if (note)
		ktstr_assert_note(claim->result, "%s: a value that is not finite in %s", ktstr_series_label(claim),
				  ktstr_str_text(&name));
	return false;
}

bool ktstr_series_steady_within(struct ktstr_series_claim claim, uint64_t warmup_ms, double tolerance)
{
	struct findings found = { .claim = &claim, .pattern = "steady_within" };
	_cleanup_free_ char *range = NULL;
	double sum = 0, mean, low, high;

	if (!(tolerance >= 0))
		return refuse(&claim, found.pattern, "the tolerance must be >= 0");
	ktstr_series_note_gaps(&claim);
	note_missing_times(&claim);
	for (size_t i = 0; i < claim.series.count; i++) {
		if (!counts_for_steadiness(&claim, i, warmup_ms, true))
			continue;
		sum += ktstr_value_to_f64(ktstr_series_value(&claim.series, i));
		found.judged++;
	}
	mean = found.judged ? sum / (double)found.judged : 0;
	/* A negative mean swaps the ends. */
	low = fmin(mean * (1 - tolerance), mean * (1 + tolerance));
	high = fmax(mean * (1 - tolerance), mean * (1 + tolerance));
	range = range_text(low, high);
	for (size_t i = 0; i < claim.series.count; i++) {
		double value = ktstr_value_to_f64(ktstr_series_value(&claim.series, i));
		_cleanup_free_ char *name = NULL;

		if (!counts_for_steadiness(&claim, i, warmup_ms, false) || (value >= low && value <= high))
			continue;
		name = row_name(&found, i);
		list(&found.offender_list, &found.offenders, "%g (allowed %s) in %s", value, range, name);
	}
	return conclude(&found, KTSTR_CMP_between, range);
}

static size_t good_rows(const struct ktstr_series_view *series)
{
	size_t good = 0;

	for (size_t i = 0; i < series->count; i++)
		good += ktstr_series_is_good(series, i);
	return good;
}

/* In the band, at a time that is in time. */
static bool is_witness(const struct ktstr_series_view *series, size_t row, double target, double tolerance,
		       uint64_t deadline_ms)
{
	struct ktstr_opt_u64 time = ktstr_series_time(series, row);

	return time.set && time.value <= deadline_ms &&
	       fabs(ktstr_value_to_f64(ktstr_series_value(series, row)) - target) <= tolerance;
}

static bool fail_to_converge(const struct ktstr_series_claim *claim, double target, double tolerance,
			     uint64_t deadline_ms, size_t longest)
{
	_cleanup_str_ struct ktstr_str errors = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < claim->series.count; i++) {
		_cleanup_str_ struct ktstr_str name = { 0 };

		if (ktstr_series_is_good(&claim->series, i))
			continue;
		ktstr_series_add_row_name(&name, &claim->series, i);
		list(&errors, &count, "%s: %s", ktstr_str_text(&name), claim->series.errors[i]);
	}
	ktstr_assert_record(claim->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_TEMPORAL,
			    "%s: does not converge to %g within %g by %llu ms: at most %zu samples in a row did, %d are "
			    "needed%s%s%s",
			    ktstr_series_label(claim), target, tolerance, (unsigned long long)deadline_ms, longest,
			    CONVERGED_SAMPLES, count ? " (interrupted by " : "", ktstr_str_text(&errors),
			    count ? ")" : "");
	return false;
}

bool ktstr_series_converges_to(struct ktstr_series_claim claim, double target, double tolerance, uint64_t deadline_ms)
{
	struct findings found = { .claim = &claim, .pattern = "converges_to" };
	_cleanup_free_ char *expected = ktstr_xasprintf("%g within %g by %llu ms", target, tolerance,
							(unsigned long long)deadline_ms);
	size_t in_a_row = 0, longest = 0;

	if (!(tolerance >= 0))
		return refuse(&claim, found.pattern, "the tolerance must be >= 0");
	ktstr_series_note_gaps(&claim);
	note_missing_times(&claim);
	if (good_rows(&claim.series) < CONVERGED_SAMPLES)
		return conclude(&found, KTSTR_CMP_near, NULL);
	for (size_t i = 0; i < claim.series.count && in_a_row < CONVERGED_SAMPLES; i++) {
		in_a_row = is_witness(&claim.series, i, target, tolerance, deadline_ms) ? in_a_row + 1 : 0;
		longest = in_a_row > longest ? in_a_row : longest;
	}
	if (in_a_row < CONVERGED_SAMPLES)
		return fail_to_converge(&claim, target, tolerance, deadline_ms, longest);
	found.judged = CONVERGED_SAMPLES;
	return conclude(&found, KTSTR_CMP_near, expected);
}

bool ktstr_series_always_true(struct ktstr_series_claim claim)
{
	struct findings found = { .claim = &claim, .pattern = "always_true" };

	for (size_t i = 0; i < claim.series.count; i++) {
		double value = ktstr_value_to_f64(ktstr_series_value(&claim.series, i));
		_cleanup_free_ char *name = row_name(&found, i);

		found.judged++;
		if (!ktstr_series_is_good(&claim.series, i))
			list(&found.offender_list, &found.offenders, "no value in %s: %s", name,
			     claim.series.errors[i]);
		else if (isnan(value) || value == 0)
			list(&found.offender_list, &found.offenders, "%g in %s", value, name);
	}
	return conclude(&found, KTSTR_CMP_eq, "true");
}

static void judge_ratio(struct findings *found, const struct ktstr_series_view *other, size_t row, double low,
			double high)
{
	double a = ktstr_value_to_f64(ktstr_series_value(&found->claim->series, row));
	double b = ktstr_value_to_f64(ktstr_series_value(other, row)), ratio = a / b;
	_cleanup_free_ char *name = row_name(found, row);

	found->judged++;
	if (!isfinite(a) || !isfinite(b))
		list(&found->offender_list, &found->offenders, "%g / %g is not finite in %s", a, b, name);
	else if (b == 0)
		list(&found->untold_list, &found->untold, "%g / 0 in %s", a, name);
	else if (!(ratio >= low && ratio <= high))
		list(&found->offender_list, &found->offenders, "%g in %s", ratio, name);
}

bool ktstr_series_ratio_within(struct ktstr_series_claim claim, struct ktstr_series_view other, double low, double high)
{
	struct findings found = { .claim = &claim, .pattern = "ratio_within" };
	struct ktstr_series_claim denominator = { .result = claim.result, .label = "denominator", .series = other };
	_cleanup_free_ char *range = range_text(low, high);

	if (claim.series.count != other.count)
		return refuse(&claim, found.pattern, "the two series have different lengths");
	if (!(low <= high))
		return refuse(&claim, found.pattern, "the range is empty");
	ktstr_series_note_gaps(&claim);
	ktstr_series_note_gaps(&denominator);
	for (size_t i = 0; i < claim.series.count; i++)
		if (ktstr_series_is_good(&claim.series, i) && ktstr_series_is_good(&other, i))
			judge_ratio(&found, &other, i, low, high);
	return conclude(&found, KTSTR_CMP_between, range);
}

/* The last row of a phase that has a value; count when there is none. */
static size_t last_good_row(const struct ktstr_series_view *series, uint16_t phase)
{
	size_t last = series->count;

	for (size_t i = 0; i < series->count; i++)
		if (ktstr_series_in_phase(series, i, phase) && ktstr_series_is_good(series, i))
			last = i;
	return last;
}

bool ktstr_series_ratio_across_phases(struct ktstr_series_claim claim, uint16_t earlier, uint16_t later, double ceiling)
{
	struct findings found = { .claim = &claim, .pattern = "ratio_across_phases" };
	const struct ktstr_series_view *series = &claim.series;
	size_t rows[] = { last_good_row(series, earlier), last_good_row(series, later) };
	double from, to;
	char early_text[KTSTR_PHASE_TEXT_BYTES], late_text[KTSTR_PHASE_TEXT_BYTES];
	_cleanup_free_ char *ceiling_text = ktstr_value_format(ktstr_value_float(ceiling));

	ktstr_phase_format(earlier, early_text);
	ktstr_phase_format(later, late_text);
	ktstr_series_note_gaps(&claim);
	found.judged = 1;
	if (rows[0] == series->count || rows[1] == series->count) {
		list(&found.untold_list, &found.untold, "%s has no value",
		     rows[0] == series->count ? early_text : late_text);
		return conclude(&found, KTSTR_CMP_at_most, ceiling_text);
	}
	from = ktstr_value_to_f64(ktstr_series_value(series, rows[0]));
	to = ktstr_value_to_f64(ktstr_series_value(series, rows[1]));
	if (!isfinite(from) || !isfinite(to))
		list(&found.offender_list, &found.offenders, "%g / %g is not finite", to, from);
	else if (from == 0)
		list(&found.untold_list, &found.untold, "the value of %s is 0", early_text);
	else if (!(to / from <= ceiling))
		list(&found.offender_list, &found.offenders, "%s %g / %s %g is %g, allowed at most %s", late_text, to,
		     early_text, from, to / from, ceiling_text);
	else
		ktstr_assert_note(claim.result, "%s: %s / %s is %g", ktstr_series_label(&claim), late_text, early_text,
				  to / from);
	return conclude(&found, KTSTR_CMP_at_most, ceiling_text);
}
