// SPDX-License-Identifier: GPL-2.0-only
/* The verdict of a test: recording outcomes, passes and notes, merging, and the kind they add up to. */
#include <stdarg.h>
#include <string.h>

#include "check/grow.h"
#include "check/stats_build.h"
#include "ktstr/check.h"

static void pass_deinit(struct ktstr_pass_detail *pass)
{
	free(pass->name);
	free(pass->comparator);
	free(pass->value);
	free(pass->expected);
}

void ktstr_assert_result_deinit(struct ktstr_assert_result *result)
{
	for (size_t i = 0; i < result->outcomes_count; i++)
		free(result->outcomes[i].detail.message);
	for (size_t i = 0; i < result->passes_count; i++)
		pass_deinit(&result->passes[i]);
	for (size_t i = 0; i < result->notes_count; i++)
		free(result->notes[i]);
	free(result->outcomes);
	free(result->passes);
	free(result->notes);
	ktstr_scenario_stats_deinit(&result->stats);
	*result = (struct ktstr_assert_result){ 0 };
}

enum ktstr_outcome_kind ktstr_assert_result_kind(const struct ktstr_assert_result *result)
{
	enum ktstr_outcome_kind kind = KTSTR_OUTCOME_PASS;

	/* Something that held is a pass, and a pass outweighs a skip; without one, skips stand alone. */
	if (result->outcomes_count > 0 && result->passes_count == 0)
		kind = KTSTR_OUTCOME_SKIP;
	for (size_t i = 0; i < result->outcomes_count; i++)
		kind = ktstr_outcome_worst(kind, result->outcomes[i].kind);
	return kind;
}

static void push_outcome(struct ktstr_assert_result *result, struct ktstr_outcome outcome)
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
	push_outcome(result, (struct ktstr_outcome){
				     .kind = outcome,
				     .detail = { .kind = kind, .message = ktstr_str_take(&message) },
			     });
}

static void push_note(struct ktstr_assert_result *result, char *note)
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
	push_note(result, ktstr_str_take(&note));
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
	};
}

/* Takes ownership of what pass points to. The sentinel stays the last entry. */
static void push_pass(struct ktstr_assert_result *result, struct ktstr_pass_detail pass)
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

void ktstr_assert_record_pass(struct ktstr_assert_result *result, const char *name,
			      const char *comparator, const char *value, const char *expected)
{
	push_pass(result, make_pass(name, comparator, value, expected));
}

void ktstr_assert_result_merge(struct ktstr_assert_result *into, struct ktstr_assert_result *from)
{
	for (size_t i = 0; i < from->outcomes_count; i++)
		push_outcome(into, from->outcomes[i]);
	for (size_t i = 0; i < from->passes_count; i++)
		push_pass(into, from->passes[i]);
	for (size_t i = 0; i < from->notes_count; i++)
		push_note(into, from->notes[i]);
	ktstr_scenario_stats_merge(&into->stats, &from->stats);
	free(from->outcomes);
	free(from->passes);
	free(from->notes);
	*from = (struct ktstr_assert_result){ 0 };
}
