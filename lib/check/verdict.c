// SPDX-License-Identifier: GPL-2.0-only
/* How outcomes add up to a verdict, and how verdicts combine. */
#include <string.h>

#include "base/str.h"
#include "check/stats_build.h"
#include "check/verdict_push.h"

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

struct ktstr_outcome_ref ktstr_assert_result_outcome(const struct ktstr_assert_result *result)
{
	struct ktstr_outcome_ref ref = { .kind = ktstr_assert_result_kind(result) };

	for (size_t i = 0; i < result->outcomes_count && !ref.detail; i++)
		if (result->outcomes[i].kind == ref.kind)
			ref.detail = &result->outcomes[i].detail;
	return ref;
}

struct ktstr_error *ktstr_assert_result_check(const struct ktstr_assert_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_assert_result_kind(result);
	_cleanup_str_ struct ktstr_str list = { 0 };
	size_t count = 0;

	if (kind != KTSTR_OUTCOME_FAIL && kind != KTSTR_OUTCOME_INCONCLUSIVE)
		return NULL;
	for (size_t i = 0; i < result->outcomes_count; i++) {
		_cleanup_free_ char *line = NULL;

		if (result->outcomes[i].kind != kind)
			continue;
		line = ktstr_assert_detail_render(&result->outcomes[i].detail);
		ktstr_str_addf(&list, "\n%s", line);
		count++;
	}
	return ktstr_error_new(KTSTR_ERR_GUEST, "%s, %zu reason%s:%s",
			       kind == KTSTR_OUTCOME_FAIL ? "failed" : "inconclusive", count, count == 1 ? "" : "s",
			       ktstr_str_text(&list));
}

static void merge_measurements(struct ktstr_assert_result *into, struct ktstr_assert_result *from)
{
	for (size_t i = 0; i < from->measurements_count; i++)
		ktstr_push_measurement(into, from->measurements[i]);
	free(from->measurements);
	from->measurements = NULL;
	from->measurements_count = 0;
}

static void merge_notes(struct ktstr_assert_result *into, struct ktstr_assert_result *from)
{
	for (size_t i = 0; i < from->notes_count; i++)
		ktstr_push_note(into, from->notes[i]);
	free(from->notes);
	from->notes = NULL;
	from->notes_count = 0;
}

void ktstr_assert_result_merge(struct ktstr_assert_result *into, struct ktstr_assert_result *from)
{
	for (size_t i = 0; i < from->outcomes_count; i++)
		ktstr_push_outcome(into, from->outcomes[i]);
	for (size_t i = 0; i < from->passes_count; i++)
		ktstr_push_pass(into, from->passes[i]);
	merge_notes(into, from);
	merge_measurements(into, from);
	ktstr_scenario_stats_merge(&into->stats, &from->stats);
	free(from->outcomes);
	free(from->passes);
	*from = (struct ktstr_assert_result){ 0 };
}

void ktstr_assert_all_of(struct ktstr_assert_result *branches, size_t count, struct ktstr_assert_result *into)
{
	for (size_t i = 0; i < count; i++)
		ktstr_assert_result_merge(into, &branches[i]);
}

static void prefix_notes(struct ktstr_assert_result *branch, size_t index)
{
	for (size_t i = 0; i < branch->notes_count; i++) {
		char *message = ktstr_xasprintf("any_of[%zu]: %s", index, branch->notes[i].message);

		free(branch->notes[i].message);
		branch->notes[i].message = message;
	}
}

/* Only what a passing branch has to say besides the first. */
static void take_side_results(struct ktstr_assert_result *into, struct ktstr_assert_result *branch)
{
	merge_notes(into, branch);
	merge_measurements(into, branch);
	ktstr_assert_result_deinit(branch);
}

static void no_branch_passed(struct ktstr_assert_result *branches, size_t count, struct ktstr_assert_result *into)
{
	enum ktstr_outcome_kind worst = KTSTR_OUTCOME_SKIP;

	for (size_t i = 0; i < count; i++)
		worst = ktstr_outcome_worst(worst, ktstr_assert_result_kind(&branches[i]));
	ktstr_assert_all_of(branches, count, into);
	ktstr_assert_record(into, worst, worst == KTSTR_OUTCOME_SKIP ? KTSTR_DETAIL_SKIP : KTSTR_DETAIL_OTHER,
			    "any_of: none of %zu branches passed, the worst is %s", count, ktstr_outcome_name(worst));
}

void ktstr_assert_any_of(struct ktstr_assert_result *branches, size_t count, struct ktstr_assert_result *into)
{
	bool passed = false;

	if (!count)
		ktstr_assert_record(into, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "any_of: without branches there is nothing that could pass");
	for (size_t i = 0; i < count; i++)
		passed |= ktstr_assert_result_is_pass(&branches[i]);
	if (!passed) {
		if (count)
			no_branch_passed(branches, count, into);
		return;
	}
	passed = false;
	for (size_t i = 0; i < count; i++) {
		if (!ktstr_assert_result_is_pass(&branches[i])) {
			ktstr_assert_result_deinit(&branches[i]);
			continue;
		}
		prefix_notes(&branches[i], i);
		if (passed)
			take_side_results(into, &branches[i]);
		else
			ktstr_assert_result_merge(into, &branches[i]);
		passed = true;
	}
}
