/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks: thresholds that a test declares (struct ktstr_assert), the outcome of a test with every reason
 * (struct ktstr_assert_result), and claims about single values.
 */
#ifndef KTSTR_CHECK_H
#define KTSTR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/stats.h>
#include <ktstr/units.h>
#include <ktstr/work.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the order of the wire and of files: append only. */
enum ktstr_outcome_kind {
	KTSTR_OUTCOME_PASS,
	KTSTR_OUTCOME_SKIP,
	KTSTR_OUTCOME_INCONCLUSIVE,
	KTSTR_OUTCOME_FAIL,
};

/* Exit codes of test programs and of ktstr. A skip exits 0. */
#define KTSTR_EXIT_PASS		0
#define KTSTR_EXIT_FAIL		1
#define KTSTR_EXIT_INCONCLUSIVE 2

const char *ktstr_outcome_name(enum ktstr_outcome_kind kind); /* "pass", "skip", ... */
/* Fail > Inconclusive > Pass > Skip. */
enum ktstr_outcome_kind ktstr_outcome_worst(enum ktstr_outcome_kind a, enum ktstr_outcome_kind b);

/* What a detail is about; the name is the enumerator in CamelCase ("NoProgress"). */
enum ktstr_detail_kind {
	KTSTR_DETAIL_OTHER,
	KTSTR_DETAIL_NO_PROGRESS,
	KTSTR_DETAIL_STUCK,
	KTSTR_DETAIL_UNFAIR,
	KTSTR_DETAIL_ISOLATION,
	KTSTR_DETAIL_BENCHMARK,
	KTSTR_DETAIL_MIGRATION,
	KTSTR_DETAIL_PAGE_LOCALITY,
	KTSTR_DETAIL_CROSS_NODE_MIGRATION,
	KTSTR_DETAIL_SLOW_TIER,
	KTSTR_DETAIL_MONITOR,
	KTSTR_DETAIL_SCHEDULER_CRASHED,
	KTSTR_DETAIL_SCHEDULER_EXITED_CLEANLY,
	KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON,
	KTSTR_DETAIL_SCHEDULER_EVENT,
	KTSTR_DETAIL_TEMPORAL,
	KTSTR_DETAIL_WORKER_STUCK,
	KTSTR_DETAIL_SKIP,
	KTSTR_DETAIL_PAYLOAD, /* a payload's check does not hold */
	KTSTR_DETAIL_KINDS,
};

const char *ktstr_detail_kind_name(enum ktstr_detail_kind kind);
bool ktstr_detail_kind_from_name(const char *name, enum ktstr_detail_kind *kind);

/*
 * Thresholds. Everything unset asserts nothing. The effective set is defaults <- scheduler <- test, the last
 * one that sets a field wins. Formulas and the no-signal rule of each field: docs/reference/checks.
 */
struct ktstr_assert {
	enum ktstr_switch not_stuck; /* every worker progresses; default gap and spread limits */
	enum ktstr_switch isolation; /* no worker ran outside its cgroup's cpuset */
	struct ktstr_opt_u64 max_gap_ms; /* replaces not_stuck's gap limit */
	struct ktstr_opt_f64 max_spread_pct; /* replaces not_stuck's spread limit; points of off-CPU % */
	struct ktstr_opt_u64 max_p99_wake_latency_ns;
	struct ktstr_opt_f64 min_work_rate; /* work units per CPU second, each worker */
};

struct ktstr_assert ktstr_assert_merge(const struct ktstr_assert *base,
				       const struct ktstr_assert *over);
/* KTSTR_ERR_INVALID names the first field whose value cannot be a threshold (negative, NaN). */
struct ktstr_error *ktstr_assert_validate(const struct ktstr_assert *assert) KTSTR_CHECKED;

/* Default limits that not_stuck brings: strict ones for `--release`. */
struct ktstr_default_limits {
	uint64_t max_gap_ms; /* 3000, strict 2000 */
	double max_spread_pct; /* 35, strict 15 */
};
struct ktstr_default_limits ktstr_default_limits(bool strict);

struct ktstr_assert_detail {
	enum ktstr_detail_kind kind;
	char *message;
};

struct ktstr_outcome {
	enum ktstr_outcome_kind kind; /* never PASS: a pass is the absence of the others */
	struct ktstr_assert_detail detail;
};

struct ktstr_pass_detail {
	char *name, *comparator, *value, *expected; /* expected may be NULL */
};

#define KTSTR_MAX_RECORDED_PASSES 10000
#define KTSTR_PASSES_TRUNCATION_SENTINEL_NAME "__ktstr_passes_truncated__"
#define KTSTR_PASSES_TRUNCATION_SENTINEL_COMPARATOR "truncated"

/* The verdict of a test with its reasons and what it measured. Zero-initialised = pass. */
struct ktstr_assert_result {
	struct ktstr_outcome *outcomes;
	size_t outcomes_count;
	struct ktstr_pass_detail *passes;
	size_t passes_count;
	char **notes;
	size_t notes_count;
	struct ktstr_scenario_stats stats;
};

void ktstr_assert_result_deinit(struct ktstr_assert_result *result);
/*
 * Fail if any fails, else inconclusive if any is, else skip if there are outcomes, all skip, and nothing was
 * recorded as passed, else pass.
 */
enum ktstr_outcome_kind ktstr_assert_result_kind(const struct ktstr_assert_result *result);
/* Adds a FAIL, INCONCLUSIVE or SKIP outcome. */
void ktstr_assert_record(struct ktstr_assert_result *result, enum ktstr_outcome_kind outcome,
			 enum ktstr_detail_kind kind, const char *fmt, ...) KTSTR_PRINTF(4, 5);
/* Beyond KTSTR_MAX_RECORDED_PASSES one sentinel is added and further ones are dropped. */
void ktstr_assert_record_pass(struct ktstr_assert_result *result, const char *name,
			      const char *comparator, const char *value, const char *expected);
void ktstr_assert_note(struct ktstr_assert_result *result, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* Moves everything of `from` behind what `into` has; `from` is then empty. */
void ktstr_assert_result_merge(struct ktstr_assert_result *into, struct ktstr_assert_result *from);

/*
 * Evaluates the workers of one cgroup, adds its statistics to result->stats and an outcome per violation.
 * cpuset NULL = the cgroup has none (isolation is then not checked).
 */
void ktstr_assert_cgroup(const struct ktstr_assert *assert, const struct ktstr_default_limits *limits,
			 const char *cgroup_name, const struct ktstr_cpus *cpuset,
			 const struct ktstr_worker_report *reports, size_t count,
			 struct ktstr_assert_result *result);

/* A claimed value: keeps integers exact. Built by KTSTR_VALUE(), not by hand. */
struct ktstr_value {
	enum { KTSTR_VALUE_INT, KTSTR_VALUE_UINT, KTSTR_VALUE_FLOAT } kind;
	union {
		int64_t i;
		uint64_t u;
		double f;
	};
};

static inline struct ktstr_value ktstr_value_int(long long v)
{
	return (struct ktstr_value){ .kind = KTSTR_VALUE_INT, .i = v };
}
static inline struct ktstr_value ktstr_value_uint(unsigned long long v)
{
	return (struct ktstr_value){ .kind = KTSTR_VALUE_UINT, .u = v };
}
static inline struct ktstr_value ktstr_value_float(double v)
{
	return (struct ktstr_value){ .kind = KTSTR_VALUE_FLOAT, .f = v };
}

#define KTSTR_VALUE(v)                                                                             \
	_Generic((v),                                                                              \
		float: ktstr_value_float,                                                          \
		double: ktstr_value_float,                                                         \
		_Bool: ktstr_value_uint,                                                           \
		unsigned char: ktstr_value_uint,                                                   \
		unsigned short: ktstr_value_uint,                                                  \
		unsigned int: ktstr_value_uint,                                                    \
		unsigned long: ktstr_value_uint,                                                   \
		unsigned long long: ktstr_value_uint,                                              \
		default: ktstr_value_int)(v)

/* The comparators of claims on scalars; names as in KTSTR_COMPARATOR_VOCABULARY. */
enum ktstr_comparator {
	KTSTR_CMP_at_least,
	KTSTR_CMP_at_most,
	KTSTR_CMP_lt,
	KTSTR_CMP_gt,
	KTSTR_CMP_eq,
	KTSTR_CMP_ne,
};

/* The words that a recorded pass may carry as its comparator. */
extern const char *const KTSTR_COMPARATOR_VOCABULARY[23];

/*
 * Records a pass, or a failure "<label> was <value>, expected <comparator> <expected>". NaN satisfies no
 * comparator. Integers of different signedness compare by value.
 */
void ktstr_claim_value(struct ktstr_assert_result *result, const char *label, struct ktstr_value value,
		       enum ktstr_comparator comparator, struct ktstr_value expected);
/* The same for a value that may be absent: absent fails. */
void ktstr_claim_opt(struct ktstr_assert_result *result, const char *label,
		     struct ktstr_opt_f64 value, enum ktstr_comparator comparator, double expected);

#ifdef __cplusplus
}
#endif
#endif
