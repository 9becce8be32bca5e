// SPDX-License-Identifier: GPL-2.0-only
/* The names of outcomes, detail kinds and comparators, as output and files carry them. */
#include <string.h>

#include "ktstr/check.h"

static const char *const outcome_names[] = {
	[KTSTR_OUTCOME_PASS] = "pass",
	[KTSTR_OUTCOME_SKIP] = "skip",
	[KTSTR_OUTCOME_INCONCLUSIVE] = "inconclusive",
	[KTSTR_OUTCOME_FAIL] = "fail",
};

static const char *const detail_names[KTSTR_DETAIL_KINDS] = {
	[KTSTR_DETAIL_OTHER] = "Other",
	[KTSTR_DETAIL_NO_PROGRESS] = "NoProgress",
	[KTSTR_DETAIL_STUCK] = "Stuck",
	[KTSTR_DETAIL_UNFAIR] = "Unfair",
	[KTSTR_DETAIL_ISOLATION] = "Isolation",
	[KTSTR_DETAIL_BENCHMARK] = "Benchmark",
	[KTSTR_DETAIL_MIGRATION] = "Migration",
	[KTSTR_DETAIL_PAGE_LOCALITY] = "PageLocality",
	[KTSTR_DETAIL_CROSS_NODE_MIGRATION] = "CrossNodeMigration",
	[KTSTR_DETAIL_SLOW_TIER] = "SlowTier",
	[KTSTR_DETAIL_MONITOR] = "Monitor",
	[KTSTR_DETAIL_SCHEDULER_CRASHED] = "SchedulerCrashed",
	[KTSTR_DETAIL_SCHEDULER_EXITED_CLEANLY] = "SchedulerExitedCleanly",
	[KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON] = "SchedulerDiedUnknownReason",
	[KTSTR_DETAIL_SCHEDULER_EVENT] = "SchedulerEvent",
	[KTSTR_DETAIL_TEMPORAL] = "Temporal",
	[KTSTR_DETAIL_WORKER_STUCK] = "WorkerStuck",
	[KTSTR_DETAIL_SKIP] = "Skip",
	[KTSTR_DETAIL_PAYLOAD] = "Payload",
};

const char *const KTSTR_COMPARATOR_VOCABULARY[KTSTR_COMPARATORS] = {
	"eq",
	"ne",
	"ge",
	"le",
	"lt",
	"gt",
	"in_range",
	"near_within",
	"is_finite",
	"set_is_empty",
	"set_is_non_empty",
	"set_len_eq",
	"set_len_le",
	"set_len_ge",
	"set_contains",
	"subset_of",
	"disjoint_from",
	"sequence_is_empty",
	"sequence_is_non_empty",
	"sequence_len_eq",
	"sequence_len_le",
	"sequence_len_ge",
	"sequence_contains",
};

const char *ktstr_outcome_name(enum ktstr_outcome_kind kind)
{
	return (unsigned int)kind <= KTSTR_OUTCOME_FAIL ? outcome_names[kind] : "unknown";
}

enum ktstr_outcome_kind ktstr_outcome_worst(enum ktstr_outcome_kind a, enum ktstr_outcome_kind b)
{
	/* The order of the wire is not the order of precedence: a pass outweighs a skip. */
	static const int precedence[] = {
		[KTSTR_OUTCOME_SKIP] = 0,
		[KTSTR_OUTCOME_PASS] = 1,
		[KTSTR_OUTCOME_INCONCLUSIVE] = 2,
		[KTSTR_OUTCOME_FAIL] = 3,
	};

	return precedence[b] > precedence[a] ? b : a;
}

const char *ktstr_detail_kind_name(enum ktstr_detail_kind kind)
{
	return (unsigned int)kind < KTSTR_DETAIL_KINDS ? detail_names[kind] : "Other";
}

bool ktstr_detail_kind_from_name(const char *name, enum ktstr_detail_kind *kind)
{
	for (size_t i = 0; i < KTSTR_DETAIL_KINDS; i++) {
		if (strcmp(detail_names[i], name) == 0) {
			*kind = (enum ktstr_detail_kind)i;
			return true;
		}
	}
	return false;
}
