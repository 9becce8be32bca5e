// SPDX-License-Identifier: GPL-2.0-only
/* Claims that a metric became better, against a base or another phase; the registry says which way that is. */
#include <math.h>

#include "check/claim_words.h"
#include "check/value.h"

struct ktstr_better_claim ktstr_better_across_phases(struct ktstr_assert_result *result,
						     const struct ktstr_scenario_stats *stats,
						     struct ktstr_metric_id metric, uint16_t candidate,
						     uint16_t base)
{
	return (struct ktstr_better_claim){
		.result = result,
		.metric = metric,
		.candidate = ktstr_scenario_stats_phase_metric(stats, candidate, metric.name),
		.base = ktstr_scenario_stats_phase_metric(stats, base, metric.name),
		.candidate_phase = KTSTR_SOME(candidate),
		.base_phase = KTSTR_SOME(base),
	};
}

/* "candidate", "Step[1]" */
static const char *side_name(struct ktstr_opt_u32 phase, const char *otherwise, char text[KTSTR_PHASE_TEXT_BYTES])
{
	return phase.set ? ktstr_phase_format((uint16_t)phase.value, text) : otherwise;
}

/* Why the two cannot be compared; NULL = they can. Heap. */
static char *obstacle(const struct ktstr_better_claim *claim, bool with_margin)
{
	const struct ktstr_metric_def *def = ktstr_metric_id_def(claim->metric);
	char text[KTSTR_PHASE_TEXT_BYTES];

	if (!def)
		return ktstr_xstrdup("it is not in the metric registry, so nobody knows which way is better");
	if (def->polarity != KTSTR_POLARITY_LOWER_BETTER && def->polarity != KTSTR_POLARITY_HIGHER_BETTER)
		return ktstr_xstrdup("neither way is better");
	if (!claim->candidate.set)
		return ktstr_xasprintf("%s has no value",
				       side_name(claim->candidate_phase, "the candidate", text));
	if (!claim->base.set)
		return ktstr_xasprintf("%s has no value", side_name(claim->base_phase, "the base", text));
	if (with_margin && claim->base.value == 0)
		return ktstr_xstrdup("the base is 0: there is no relative change");
	return NULL;
}

/* "iteration_rate of Step[1]" */
static char *subject(const struct ktstr_better_claim *claim)
{
	char text[KTSTR_PHASE_TEXT_BYTES];

	if (!claim->candidate_phase.set)
		return ktstr_xstrdup(claim->metric.name);
	return ktstr_xasprintf("%s of %s", claim->metric.name,
			       side_name(claim->candidate_phase, "", text));
}

static bool inconclusive(const struct ktstr_better_claim *claim, struct ktstr_claim_modifiers modifiers,
			 const char *what, const char *why)
{
	ktstr_assert_record(claim->result, KTSTR_OUTCOME_INCONCLUSIVE, modifiers.kind, "%s cannot be compared: %s%s%s%s",
			    what, why, modifiers.because ? " (" : "", modifiers.because ?: "",
			    modifiers.because ? ")" : "");
	return false;
}

/* margin unset: strictly better. */
static bool judge(const struct ktstr_better_claim *claim, struct ktstr_opt_f64 margin,
		  struct ktstr_claim_modifiers modifiers)
{
	_cleanup_free_ char *what = subject(claim);
	_cleanup_free_ char *why = obstacle(claim, margin.set);
	double candidate = claim->candidate.value, base = claim->base.value, gain;
	_cleanup_free_ char *candidate_text = ktstr_value_format(ktstr_value_float(candidate));
	_cleanup_free_ char *base_text = ktstr_value_format(ktstr_value_float(base));
	bool lower;
	char text[KTSTR_PHASE_TEXT_BYTES];

	if (why)
		return inconclusive(claim, modifiers, what, why);
	lower = ktstr_metric_id_def(claim->metric)->polarity == KTSTR_POLARITY_LOWER_BETTER;
	if (!isfinite(candidate) || !isfinite(base) || (margin.set && !isfinite(margin.value)))
		return ktstr_claim_fails(claim->result, modifiers, "%s: %s against %s is not finite", what,
					 candidate_text, base_text);
	gain = lower ? base - candidate : candidate - base;
	if (margin.set ? gain / base >= margin.value : gain > 0) {
		ktstr_assert_record_pass(claim->result, what,
					 KTSTR_COMPARATOR_VOCABULARY[lower ? KTSTR_CMP_lt : KTSTR_CMP_gt],
					 candidate_text, base_text);
		return true;
	}
	if (!margin.set)
		return ktstr_claim_fails(claim->result, modifiers, "%s was %s, not better (%s) than %s of %s", what,
					 candidate_text, lower ? "lower" : "higher", base_text,
					 side_name(claim->base_phase, "the base", text));
	return ktstr_claim_fails(claim->result, modifiers,
				 "%s was %s, %.2f %% better (%s) than %s of %s, expected at least %.2f %%", what,
				 candidate_text, gain / base * 100, lower ? "lower" : "higher", base_text,
				 side_name(claim->base_phase, "the base", text), margin.value * 100);
}

bool ktstr_better_than(struct ktstr_better_claim claim, struct ktstr_claim_modifiers modifiers)
{
	return judge(&claim, (struct ktstr_opt_f64)KTSTR_NONE, modifiers);
}

bool ktstr_better_by_at_least(struct ktstr_better_claim claim, double margin, struct ktstr_claim_modifiers modifiers)
{
	return judge(&claim, (struct ktstr_opt_f64)KTSTR_SOME(margin), modifiers);
}
