/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts: outcomes with their reasons, what was found to hold, notes and measurements; how verdicts combine.
 */
#ifndef KTSTR_VERDICT_H
#define KTSTR_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/phase.h>
#include <ktstr/stats.h>
#include <ktstr/units.h>

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

/* The phase is that of the thread when it was recorded (KTSTR_IN_PHASE); unset outside of phases. */
struct ktstr_assert_detail {
	enum ktstr_detail_kind kind;
	char *message;
	struct ktstr_opt_u32 phase;
};

/* "[Stuck] message"; heap. */
char *ktstr_assert_detail_render(const struct ktstr_assert_detail *detail);

struct ktstr_outcome {
	enum ktstr_outcome_kind kind; /* never PASS: a pass is the absence of the others */
	struct ktstr_assert_detail detail;
};

/* An outcome on loan from a result; a pass has no detail. */
struct ktstr_outcome_ref {
	enum ktstr_outcome_kind kind;
	const struct ktstr_assert_detail *detail;
};

struct ktstr_pass_detail {
	char *name, *comparator, *value, *expected; /* expected may be NULL */
	struct ktstr_opt_u32 phase;
};

struct ktstr_info_note {
	char *message;
	struct ktstr_opt_u32 phase;
};

/*
 * A value that is claimed, or noted with a verdict (NoteValue): keeps integers exact. Text is borrowed, but for that of a
 * measurement. Build one with KTSTR_VALUE().
 */
struct ktstr_value {
	enum ktstr_value_kind {
		KTSTR_VALUE_INT,
		KTSTR_VALUE_UINT,
		KTSTR_VALUE_FLOAT,
		KTSTR_VALUE_BOOL,
		KTSTR_VALUE_TEXT,
		KTSTR_VALUE_ABSENT, /* an optional number that is not set */
	} kind;
	union {
		int64_t i;
		uint64_t u;
		double f;
		bool b;
		const char *text;
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
static inline struct ktstr_value ktstr_value_bool(bool v)
{
	return (struct ktstr_value){ .kind = KTSTR_VALUE_BOOL, .b = v };
}
static inline struct ktstr_value ktstr_value_text(const char *v)
{
	return (struct ktstr_value){ .kind = v ? KTSTR_VALUE_TEXT : KTSTR_VALUE_ABSENT, .text = v };
}
static inline struct ktstr_value ktstr_value_absent(void)
{
	return (struct ktstr_value){ .kind = KTSTR_VALUE_ABSENT };
}
static inline struct ktstr_value ktstr_value_opt_f64(struct ktstr_opt_f64 v)
{
	return v.set ? ktstr_value_float(v.value) : ktstr_value_absent();
}
static inline struct ktstr_value ktstr_value_opt_u64(struct ktstr_opt_u64 v)
{
	return v.set ? ktstr_value_uint(v.value) : ktstr_value_absent();
}
static inline struct ktstr_value ktstr_value_opt_i64(struct ktstr_opt_i64 v)
{
	return v.set ? ktstr_value_int(v.value) : ktstr_value_absent();
}
static inline struct ktstr_value ktstr_value_opt_u32(struct ktstr_opt_u32 v)
{
	return v.set ? ktstr_value_uint(v.value) : ktstr_value_absent();
}

#define KTSTR_VALUE(v)                                                                             \
	_Generic((v),                                                                              \
		float: ktstr_value_float,                                                          \
		double: ktstr_value_float,                                                         \
		_Bool: ktstr_value_bool,                                                           \
		unsigned char: ktstr_value_uint,                                                   \
		unsigned short: ktstr_value_uint,                                                  \
		unsigned int: ktstr_value_uint,                                                    \
		unsigned long: ktstr_value_uint,                                                   \
		unsigned long long: ktstr_value_uint,                                              \
		char *: ktstr_value_text,                                                          \
		const char *: ktstr_value_text,                                                    \
		struct ktstr_opt_f64: ktstr_value_opt_f64,                                         \
		struct ktstr_opt_u64: ktstr_value_opt_u64,                                         \
		struct ktstr_opt_i64: ktstr_value_opt_i64,                                         \
		struct ktstr_opt_u32: ktstr_value_opt_u32,                                         \
		default: ktstr_value_int)(v)

/* A measurement that a body noted with its verdict. */
struct ktstr_measurement {
	char *key;
	struct ktstr_value value; /* text is heap */
};

#define KTSTR_MAX_RECORDED_PASSES 10000
#define KTSTR_PASSES_TRUNCATION_SENTINEL_NAME "__ktstr_passes_truncated__"
#define KTSTR_PASSES_TRUNCATION_SENTINEL_COMPARATOR "truncated"

/* The words that a recorded pass may carry as its comparator. */
#define KTSTR_COMPARATORS 23
extern const char *const KTSTR_COMPARATOR_VOCABULARY[KTSTR_COMPARATORS];

/* The verdict of a test with its reasons and what it measured. Zero-initialised = pass. */
struct ktstr_assert_result {
	struct ktstr_outcome *outcomes;
	size_t outcomes_count;
	struct ktstr_pass_detail *passes;
	size_t passes_count;
	struct ktstr_info_note *notes;
	size_t notes_count;
	struct ktstr_measurement *measurements;
	size_t measurements_count;
	struct ktstr_scenario_stats stats;
	/* Print each pass to stderr as it is recorded; unset: as $KTSTR_LOG_PASSES says (not empty and not "0"). */
	enum ktstr_switch log_passes;
};

void ktstr_assert_result_deinit(struct ktstr_assert_result *result);
/*
 * Fail if any fails, else inconclusive if any is, else skip if there are outcomes, all skip, and nothing was
 * recorded as passed, else pass.
 */
enum ktstr_outcome_kind ktstr_assert_result_kind(const struct ktstr_assert_result *result);
/* That kind with the first reason of it. */
struct ktstr_outcome_ref ktstr_assert_result_outcome(const struct ktstr_assert_result *result);

static inline bool ktstr_assert_result_is_fail(const struct ktstr_assert_result *result)
{
	return ktstr_assert_result_kind(result) == KTSTR_OUTCOME_FAIL;
}
static inline bool ktstr_assert_result_is_inconclusive(const struct ktstr_assert_result *result)
{
	return ktstr_assert_result_kind(result) == KTSTR_OUTCOME_INCONCLUSIVE;
}
static inline bool ktstr_assert_result_is_skip(const struct ktstr_assert_result *result)
{
	return ktstr_assert_result_kind(result) == KTSTR_OUTCOME_SKIP;
}
static inline bool ktstr_assert_result_is_pass(const struct ktstr_assert_result *result)
{
	return ktstr_assert_result_kind(result) == KTSTR_OUTCOME_PASS;
}

/*
 * The terminal check of a program that uses verdicts without a test body: NULL unless something failed or is
 * inconclusive; else KTSTR_ERR_GUEST that lists all failures, or if there is none all inconclusives.
 */
struct ktstr_error *ktstr_assert_result_check(const struct ktstr_assert_result *result) KTSTR_CHECKED;

/* Adds a FAIL, INCONCLUSIVE or SKIP outcome. */
void ktstr_assert_record(struct ktstr_assert_result *result, enum ktstr_outcome_kind outcome,
			 enum ktstr_detail_kind kind, const char *fmt, ...) KTSTR_PRINTF(4, 5);
/* Beyond KTSTR_MAX_RECORDED_PASSES one sentinel is added and further ones are dropped. */
void ktstr_assert_record_pass(struct ktstr_assert_result *result, const char *name,
			      const char *comparator, const char *value, const char *expected);
void ktstr_assert_note(struct ktstr_assert_result *result, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* Replaces what the key had. Key and text are copied; an absent value is not kept. */
void ktstr_assert_note_value(struct ktstr_assert_result *result, const char *key, struct ktstr_value value);
/* NULL when there is none. */
const struct ktstr_value *ktstr_assert_measurement(const struct ktstr_assert_result *result, const char *key);

/*
 * Moves everything of `from` behind what `into` has; `from` is then empty. Lists concatenate, measurements of `from` win,
 * statistics combine (ktstr/stats.h).
 */
void ktstr_assert_result_merge(struct ktstr_assert_result *into, struct ktstr_assert_result *from);

/* Merges all branches into `into`, in order; without branches nothing happens. They are then empty. */
void ktstr_assert_all_of(struct ktstr_assert_result *branches, size_t count, struct ktstr_assert_result *into);
/*
 * One branch that passes is enough: outcomes, passes and statistics of the first that does, notes ("any_of[i]: ...") and
 * measurements of all that do. When none passes, all of them are merged, and a summary of their worst kind is added. Without
 * branches: a failure. They are then empty.
 */
void ktstr_assert_any_of(struct ktstr_assert_result *branches, size_t count, struct ktstr_assert_result *into);

#ifdef __cplusplus
}
#endif
#endif
