// SPDX-License-Identifier: GPL-2.0-only
/* Checks on what a program's run gave: its exit code and its metrics. */
#include <math.h>
#include <string.h>

#include "check/members.h"
#include "payload/internal.h"

void payload_apply_hints(const struct ktstr_metric_hint *hints, struct ktstr_payload_metrics *metrics)
{
	for (size_t i = 0; i < metrics->metrics_count; i++) {
		for (size_t j = 0; hints && hints[j].name; j++) {
			if (strcmp(hints[j].name, metrics->metrics[i].name))
				continue;
			metrics->metrics[i].polarity = hints[j].polarity;
			metrics->metrics[i].unit = hints[j].unit ? hints[j].unit : "";
		}
	}
}

/* Either names what it saw and returns true, or says why it fails. */
struct verdict {
	bool passed;
	const char *comparator; /* of the vocabulary of recorded passes */
	struct ktstr_str value, expected;
};

static const struct {
	const char *comparator, *words;
	bool lo, hi;
} bounds[] = {
	[KTSTR_METRIC_CHECK_MIN] = { "ge", "at least ", true, false },
	[KTSTR_METRIC_CHECK_MAX] = { "le", "at most ", false, true },
	[KTSTR_METRIC_CHECK_RANGE] = { "in_range", "", true, true },
	[KTSTR_METRIC_CHECK_EXISTS] = { "is_finite", NULL, false, false },
};

static void judge_metric(const struct ktstr_metric_check *check, const struct ktstr_metric *metric,
			 struct verdict *verdict)
{
	bool lo = bounds[check->kind].lo, hi = bounds[check->kind].hi;

	verdict->comparator = bounds[check->kind].comparator;
	verdict->passed = (!lo || metric->value >= check->lo) && (!hi || metric->value <= check->hi);
	ktstr_format_f64(metric->value, &verdict->value);
	if (lo)
		ktstr_format_f64(check->lo, &verdict->expected);
	if (lo && hi)
		ktstr_str_add(&verdict->expected, " to ");
	if (hi)
		ktstr_format_f64(check->hi, &verdict->expected);
}

static void fail_missing(const char *title, const struct ktstr_metric_check *check,
			 const struct ktstr_payload_metrics *metrics, struct ktstr_assert_result *result)
{
	_cleanup_free_ const char **names = ktstr_xcalloc(metrics->metrics_count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < metrics->metrics_count; i++)
		names[i] = metrics->metrics[i].name;
	nearest = ktstr_nearest_name(check->metric, names, metrics->metrics_count);
	ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_PAYLOAD,
			    "%s: metric %s is missing: its output gave %zu metrics%s%s%s", title, check->metric,
			    metrics->metrics_count, nearest ? "; did you mean " : "", nearest ? nearest : "",
			    nearest ? "?" : "");
}

/* One that failed names the metric, its value, and what it should have been. */
static bool judge_one(const char *title, const struct ktstr_metric_check *check,
		      const struct ktstr_payload_metrics *metrics, struct ktstr_assert_result *result)
{
	const struct ktstr_metric *metric = ktstr_payload_metrics_get(metrics, check->metric);
	_cleanup_free_ char *name = ktstr_xasprintf("%s: %s", title, check->metric);
	struct verdict verdict = { 0 };

	if (!metric) {
		fail_missing(title, check, metrics, result);
		return false;
	}
	judge_metric(check, metric, &verdict);
	if (verdict.passed)
		ktstr_assert_record_pass(result, name, verdict.comparator, ktstr_str_text(&verdict.value),
					 verdict.expected.length ? verdict.expected.data : NULL);
	else
		ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_PAYLOAD,
				    "%s: metric %s was %s%s%s, expected %s%s", title, check->metric,
				    ktstr_str_text(&verdict.value), *metric->unit ? " " : "", metric->unit,
				    bounds[check->kind].words, ktstr_str_text(&verdict.expected));
	ktstr_str_deinit(&verdict.value);
	ktstr_str_deinit(&verdict.expected);
	return verdict.passed;
}

static bool judge_exit_code(const char *title, int expected, int exit_code, struct ktstr_assert_result *result)
{
	_cleanup_free_ char *name = ktstr_xasprintf("%s: exit code", title);
	char value[16], wanted[16];

	if (exit_code != expected) {
		ktstr_assert_record(result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_PAYLOAD, "%s was %d%s, expected %d", name,
				    exit_code, exit_code == -1 ? " (killed)" : "", expected);
		return false;
	}
	snprintf(value, sizeof(value), "%d", exit_code);
	snprintf(wanted, sizeof(wanted), "%d", expected);
	ktstr_assert_record_pass(result, name, "eq", value, wanted);
	return true;
}

size_t payload_judge(const char *title, const struct ktstr_metric_check *checks, bool exit_codes,
		     const struct ktstr_payload_metrics *metrics, struct ktstr_assert_result *result)
{
	size_t failed = 0;

	for (; checks && checks->kind; checks++) {
		bool on_exit_code = checks->kind == KTSTR_METRIC_CHECK_EXIT_CODE_EQ;

		if (on_exit_code != exit_codes)
			continue;
		failed += on_exit_code ? !judge_exit_code(title, checks->exit_code, metrics->exit_code, result) :
					 !judge_one(title, checks, metrics, result);
	}
	return failed;
}
