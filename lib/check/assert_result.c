// SPDX-License-Identifier: GPL-2.0-only
/* The verdict of a test as a record: outcomes, passes, notes and measurements go in, stamped with their phase. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check/grow.h"
#include "check/stats_build.h"
#include "check/value.h"
#include "check/verdict_push.h"
#include "ktstr/verdict.h"

static void pass_deinit(struct ktstr_pass_detail *pass)
{
	free(pass->name);
	free(pass->comparator);
	free(pass->value);
	free(pass->expected);
}

static void measurement_deinit(struct ktstr_measurement *measurement)
{
	free(measurement->key);
	ktstr_value_free_text(&measurement->value);
}

void ktstr_assert_result_deinit(struct ktstr_assert_result *result)
{
	for (size_t i = 0; i < result->outcomes_count; i++)
		free(result->outcomes[i].detail.message);
	for (size_t i = 0; i < result->passes_count; i++)
		pass_deinit(&result->passes[i]);
	for (size_t i = 0; i < result->notes_count; i++)
		free(result->notes[i].message);
	for (size_t i = 0; i < result->measurements_count; i++)
		measurement_deinit(&result->measurements[i]);
	free(result->outcomes);
	free(result->passes);
	free(result->notes);
	free(result->measurements);
	ktstr_scenario_stats_deinit(&result->stats);
	*result = (struct ktstr_assert_result){ 0 };
}

char *ktstr_assert_detail_render(const struct ktstr_assert_detail *detail)
{
	return ktstr_xasprintf("[%s] %s", ktstr_detail_kind_name(detail->kind), detail->message);
}

void ktstr_push_outcome(struct ktstr_assert_result *result, struct ktstr_outcome outcome)
{
	result->outcomes =
		ktstr_grow(result->outcomes, result->outcomes_count, sizeof(*result->outcomes));
	result->outcomes[result->outcomes_count++] = outcome;
}

void ktstr_assert_record(struct ktstr_assert_result *result, enum ktstr_outcome_kind outcome,
			 enum ktstr_detail_kind kind, const char *fmt, ...)
{
	struct ktstr_str message = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&message, fmt, args);
	va_end(args);
	ktstr_push_outcome(result, (struct ktstr_outcome){ .kind = outcome,
							   .detail = { .kind = kind,
								       .message = ktstr_str_take(&message),
								       .phase = ktstr_phase_current() } });
}

void ktstr_push_note(struct ktstr_assert_result *result, struct ktstr_info_note note)
{
	result->notes = ktstr_grow(result->notes, result->notes_count, sizeof(*result->notes));
	result->notes[result->notes_count++] = note;
}

void ktstr_assert_note(struct ktstr_assert_result *result, const char *fmt, ...)
{
	struct ktstr_str note = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&note, fmt, args);
	va_end(args);
	ktstr_push_note(result, (struct ktstr_info_note){ .message = ktstr_str_take(&note),
							  .phase = ktstr_phase_current() });
}

static struct ktstr_measurement *find_measurement(const struct ktstr_assert_result *result, const char *key)
{
	for (size_t i = 0; i < result->measurements_count; i++)
		if (!strcmp(result->measurements[i].key, key))
			return &result->measurements[i];
	return NULL;
}

const struct ktstr_value *ktstr_assert_measurement(const struct ktstr_assert_result *result, const char *key)
{
	const struct ktstr_measurement *found = find_measurement(result, key);

	return found ? &found->value : NULL;
}

void ktstr_push_measurement(struct ktstr_assert_result *result, struct ktstr_measurement measurement)
{
	struct ktstr_measurement *found = find_measurement(result, measurement.key);

	if (found) {
		measurement_deinit(found);
		*found = measurement;
		return;
	}
	result->measurements = ktstr_grow(result->measurements, result->measurements_count,
					  sizeof(*result->measurements));
	result->measurements[result->measurements_count++] = measurement;
}

void ktstr_assert_note_value(struct ktstr_assert_result *result, const char *key, struct ktstr_value value)
{
	if (value.kind == KTSTR_VALUE_ABSENT)
		return;
	ktstr_push_measurement(result, (struct ktstr_measurement){ .key = ktstr_xstrdup(key),
								   .value = ktstr_value_copy(value) });
}

static bool is_sentinel(const struct ktstr_pass_detail *pass)
{
	return strcmp(pass->name, KTSTR_PASSES_TRUNCATION_SENTINEL_NAME) == 0;
}

static bool passes_are_truncated(const struct ktstr_assert_result *result)
{
	return result->passes_count > 0 && is_sentinel(&result->passes[result->passes_count - 1]);
}

static void append_pass(struct ktstr_assert_result *result, struct ktstr_pass_detail pass)
{
	result->passes = ktstr_grow(result->passes, result->passes_count, sizeof(*result->passes));
	result->passes[result->passes_count++] = pass;
}

static struct ktstr_pass_detail make_pass(const char *name, const char *comparator,
					  const char *value, const char *expected)
{
	return (struct ktstr_pass_detail){
		.name = ktstr_xstrdup(name),
		.comparator = ktstr_xstrdup(comparator),
		.value = ktstr_xstrdup(value),
		.expected = expected ? ktstr_xstrdup(expected) : NULL,
		.phase = ktstr_phase_current(),
	};
}

/* The sentinel stays the last entry. */
void ktstr_push_pass(struct ktstr_assert_result *result, struct ktstr_pass_detail pass)
{
	bool truncated = passes_are_truncated(result);

	if (!truncated && (is_sentinel(&pass) || result->passes_count < KTSTR_MAX_RECORDED_PASSES)) {
		append_pass(result, pass);
		return;
	}
	pass_deinit(&pass);
	if (!truncated) {
		_cleanup_free_ char *cap = ktstr_xasprintf("cap=%d", KTSTR_MAX_RECORDED_PASSES);

		append_pass(result, make_pass(KTSTR_PASSES_TRUNCATION_SENTINEL_NAME,
					      KTSTR_PASSES_TRUNCATION_SENTINEL_COMPARATOR, cap,
					      NULL));
	}
}

static bool logs_passes(const struct ktstr_assert_result *result)
{
	const char *asked = getenv("KTSTR_LOG_PASSES");

	if (result->log_passes != KTSTR_UNSET)
		return result->log_passes == KTSTR_ON;
	return asked && *asked && strcmp(asked, "0") != 0;
}

void ktstr_assert_record_pass(struct ktstr_assert_result *result, const char *name,
			      const char *comparator, const char *value, const char *expected)
{
	ktstr_push_pass(result, make_pass(name, comparator, value, expected));
	if (logs_passes(result))
		fprintf(stderr, "ktstr: pass: %s %s %s%s%s\n", name, value, comparator, expected ? " " : "",
			expected ? expected : "");
}
