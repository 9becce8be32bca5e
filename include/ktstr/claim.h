/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims about values: KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_migrations, at_most, 1000). A claim that holds is recorded
 * as a pass, one that does not as a failure that quotes the expression. Every form returns whether it held.
 *
 * The first argument is anything with a member `result` of type struct ktstr_assert_result: a struct ktstr_ctx *, or a
 * struct ktstr_verdict *. Modifiers come last: .kind = KTSTR_DETAIL_BENCHMARK, .because = "the service promises it".
 */
#ifndef KTSTR_CLAIM_H
#define KTSTR_CLAIM_H

#include <ktstr/cpuset.h>
#include <ktstr/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_assert; /* ktstr/check.h */

/* A verdict of one's own, outside of a test body. Zero-initialise; deinit the result. */
struct ktstr_verdict {
	struct ktstr_assert_result result;
	const struct ktstr_assert *assert; /* thresholds that go with it; may be NULL */
};

/* In the order of KTSTR_COMPARATOR_VOCABULARY; the names are what a test writes. */
enum ktstr_comparator {
	KTSTR_CMP_eq,
	KTSTR_CMP_ne,
	KTSTR_CMP_at_least,
	KTSTR_CMP_at_most,
	KTSTR_CMP_lt,
	KTSTR_CMP_gt,
	KTSTR_CMP_between,
	KTSTR_CMP_near,
	KTSTR_CMP_is_finite,
	KTSTR_CMP_set_empty,
	KTSTR_CMP_set_nonempty,
	KTSTR_CMP_set_len_eq,
	KTSTR_CMP_set_len_at_most,
	KTSTR_CMP_set_len_at_least,
	KTSTR_CMP_set_contains,
	KTSTR_CMP_set_subset_of,
	KTSTR_CMP_set_disjoint_from,
	KTSTR_CMP_seq_empty,
	KTSTR_CMP_seq_nonempty,
	KTSTR_CMP_seq_len_eq,
	KTSTR_CMP_seq_len_at_most,
	KTSTR_CMP_seq_len_at_least,
	KTSTR_CMP_seq_contains,
};

struct ktstr_claim_modifiers {
	enum ktstr_detail_kind kind; /* of a failure; OTHER */
	const char *because; /* appended to a failure in parentheses */
};

/* A claim on one value, to be finished with a comparator (ClaimBuilder). */
struct ktstr_claim {
	struct ktstr_assert_result *result;
	const char *label;
	struct ktstr_value value;
};

/*
 * NaN and absent values satisfy no comparator. Integers compare by value whatever their signedness, and exactly with
 * doubles; texts compare with texts, byte by byte. `upper` is of between (inclusive; lower > upper is the caller's error
 * and fails) and the tolerance of near (negative fails; equal infinities are near).
 */
bool ktstr_claim_compare(struct ktstr_claim claim, enum ktstr_comparator comparator, struct ktstr_value expected,
			 struct ktstr_value upper, struct ktstr_claim_modifiers modifiers);

#define KTSTR_CLAIM_SCALAR_(claim, cmp, a, b, ...)                                                 \
	ktstr_claim_compare((claim), KTSTR_CMP_##cmp, (a), (b), (struct ktstr_claim_modifiers){ __VA_ARGS__ })
#define KTSTR_CLAIM_UNARY_(claim, cmp, a, ...)                                                     \
	KTSTR_CLAIM_SCALAR_(claim, cmp, KTSTR_VALUE(a), ktstr_value_absent(), ##__VA_ARGS__)
#define ktstr_claim_eq(claim, v, ...)	    KTSTR_CLAIM_UNARY_(claim, eq, v, ##__VA_ARGS__)
#define ktstr_claim_ne(claim, v, ...)	    KTSTR_CLAIM_UNARY_(claim, ne, v, ##__VA_ARGS__)
#define ktstr_claim_at_least(claim, v, ...) KTSTR_CLAIM_UNARY_(claim, at_least, v, ##__VA_ARGS__)
#define ktstr_claim_at_most(claim, v, ...)  KTSTR_CLAIM_UNARY_(claim, at_most, v, ##__VA_ARGS__)
#define ktstr_claim_lt(claim, v, ...)	    KTSTR_CLAIM_UNARY_(claim, lt, v, ##__VA_ARGS__)
#define ktstr_claim_gt(claim, v, ...)	    KTSTR_CLAIM_UNARY_(claim, gt, v, ##__VA_ARGS__)
#define ktstr_claim_between(claim, lo, hi, ...)                                                    \
	KTSTR_CLAIM_SCALAR_(claim, between, KTSTR_VALUE(lo), KTSTR_VALUE(hi), ##__VA_ARGS__)
#define ktstr_claim_near(claim, target, tolerance, ...)                                            \
	KTSTR_CLAIM_SCALAR_(claim, near, KTSTR_VALUE(target), KTSTR_VALUE(tolerance), ##__VA_ARGS__)
#define ktstr_claim_is_finite(claim, ...)                                                          \
	KTSTR_CLAIM_SCALAR_(claim, is_finite, ktstr_value_absent(), ktstr_value_absent(), ##__VA_ARGS__)

/* Comparators: at_least, at_most, lt, gt, eq, ne, between(lo, hi), near(target, tolerance), is_finite. */
#define KTSTR_CLAIM(v, expr, comparator, ...)                                                      \
	ktstr_claim_##comparator(((struct ktstr_claim){ .result = &(v)->result,                    \
							.label = #expr, /* here, before expr is expanded */ \
							.value = KTSTR_VALUE(expr) }),             \
				 ##__VA_ARGS__)
/* The same for an optional number (or text that may be NULL): an absent one fails, and another type does not compile. */
#define KTSTR_CLAIM_PRESENT(v, expr, comparator, ...)                                              \
	ktstr_claim_##comparator(((struct ktstr_claim){ .result = &(v)->result,                    \
							.label = #expr,                            \
							.value = KTSTR_OPTIONAL_VALUE_(expr) }),   \
				 ##__VA_ARGS__)
#define KTSTR_OPTIONAL_VALUE_(v)                                                                   \
	_Generic((v),                                                                              \
		char *: ktstr_value_text,                                                          \
		const char *: ktstr_value_text,                                                    \
		struct ktstr_opt_f64: ktstr_value_opt_f64,                                         \
		struct ktstr_opt_u64: ktstr_value_opt_u64,                                         \
		struct ktstr_opt_i64: ktstr_value_opt_i64,                                         \
		struct ktstr_opt_u32: ktstr_value_opt_u32)(v)

/* A list of numbers, texts, or the members of a CPU set; borrowed. As a set, equal items count once. */
struct ktstr_items {
	enum ktstr_items_kind {
		KTSTR_ITEMS_ABSENT,
		KTSTR_ITEMS_CPUS,
		KTSTR_ITEMS_U64,
		KTSTR_ITEMS_I64,
		KTSTR_ITEMS_UINT,
		KTSTR_ITEMS_INT,
		KTSTR_ITEMS_F64,
		KTSTR_ITEMS_TEXT,
		KTSTR_ITEMS_OPAQUE, /* only their number is known */
	} kind;
	const void *data;
	size_t count;
	struct ktstr_cpus cpus;
};

static inline struct ktstr_items ktstr_items_of_cpus(struct ktstr_cpus cpus)
{
	return (struct ktstr_items){ .kind = KTSTR_ITEMS_CPUS, .cpus = cpus };
}
static inline struct ktstr_items ktstr_items_of_cpus_ptr(const struct ktstr_cpus *cpus)
{
	return cpus ? ktstr_items_of_cpus(*cpus) : (struct ktstr_items){ .kind = KTSTR_ITEMS_ABSENT };
}
static inline struct ktstr_items ktstr_items_same(struct ktstr_items items)
{
	return items;
}
/* KTSTR_ITEMS(array, count): of uint64_t, int64_t, unsigned, int, double or text. */
#define KTSTR_ITEMS(array, n)                                                                      \
	((struct ktstr_items){ .kind = _Generic((array)[0],                                        \
				       unsigned long: KTSTR_ITEMS_U64,                             \
				       unsigned long long: KTSTR_ITEMS_U64,                        \
				       long: KTSTR_ITEMS_I64,                                      \
				       long long: KTSTR_ITEMS_I64,                                 \
				       unsigned int: KTSTR_ITEMS_UINT,                             \
				       int: KTSTR_ITEMS_INT,                                       \
				       double: KTSTR_ITEMS_F64,                                    \
				       char *: KTSTR_ITEMS_TEXT,                                   \
				       const char *: KTSTR_ITEMS_TEXT),                            \
			       .data = (array),                                                    \
			       .count = (n) })
#define KTSTR_ITEMS_OF_(v)                                                                         \
	_Generic((v),                                                                              \
		struct ktstr_items: ktstr_items_same,                                              \
		struct ktstr_cpus: ktstr_items_of_cpus,                                            \
		struct ktstr_cpus *: ktstr_items_of_cpus_ptr,                                      \
		const struct ktstr_cpus *: ktstr_items_of_cpus_ptr)(v)

/* Claims on a collection, to be finished with a comparator (SetClaim, SeqClaim). */
struct ktstr_set_claim {
	struct ktstr_assert_result *result;
	const char *label;
	struct ktstr_items items;
};
struct ktstr_seq_claim {
	struct ktstr_assert_result *result;
	const char *label;
	struct ktstr_items items;
};

/* value: of contains and of the lengths; other: of subset_of and disjoint_from, whose failures list the offenders. */
bool ktstr_set_claim_compare(struct ktstr_set_claim claim, enum ktstr_comparator comparator, struct ktstr_value value,
			     struct ktstr_items other, struct ktstr_claim_modifiers modifiers);
bool ktstr_seq_claim_compare(struct ktstr_seq_claim claim, enum ktstr_comparator comparator, struct ktstr_value value,
			     struct ktstr_claim_modifiers modifiers);

#define KTSTR_CLAIM_SET_(claim, cmp, v, other, ...)                                                \
	ktstr_set_claim_compare((claim), KTSTR_CMP_set_##cmp, (v), (other),                        \
				(struct ktstr_claim_modifiers){ __VA_ARGS__ })
#define KTSTR_NO_ITEMS_ ((struct ktstr_items){ .kind = KTSTR_ITEMS_ABSENT })
#define ktstr_set_claim_empty(claim, ...)                                                          \
	KTSTR_CLAIM_SET_(claim, empty, ktstr_value_absent(), KTSTR_NO_ITEMS_, ##__VA_ARGS__)
#define ktstr_set_claim_nonempty(claim, ...)                                                       \
	KTSTR_CLAIM_SET_(claim, nonempty, ktstr_value_absent(), KTSTR_NO_ITEMS_, ##__VA_ARGS__)
#define ktstr_set_claim_len_eq(claim, n, ...)                                                      \
	KTSTR_CLAIM_SET_(claim, len_eq, KTSTR_VALUE(n), KTSTR_NO_ITEMS_, ##__VA_ARGS__)
#define ktstr_set_claim_len_at_most(claim, n, ...)                                                 \
	KTSTR_CLAIM_SET_(claim, len_at_most, KTSTR_VALUE(n), KTSTR_NO_ITEMS_, ##__VA_ARGS__)
#define ktstr_set_claim_len_at_least(claim, n, ...)                                                \
	KTSTR_CLAIM_SET_(claim, len_at_least, KTSTR_VALUE(n), KTSTR_NO_ITEMS_, ##__VA_ARGS__)
#define ktstr_set_claim_contains(claim, v, ...)                                                    \
	KTSTR_CLAIM_SET_(claim, contains, KTSTR_VALUE(v), KTSTR_NO_ITEMS_, ##__VA_ARGS__)
#define ktstr_set_claim_subset_of(claim, other, ...)                                               \
	KTSTR_CLAIM_SET_(claim, subset_of, ktstr_value_absent(), KTSTR_ITEMS_OF_(other), ##__VA_ARGS__)
#define ktstr_set_claim_disjoint_from(claim, other, ...)                                           \
	KTSTR_CLAIM_SET_(claim, disjoint_from, ktstr_value_absent(), KTSTR_ITEMS_OF_(other), ##__VA_ARGS__)

#define KTSTR_CLAIM_SEQ_(claim, cmp, v, ...)                                                       \
	ktstr_seq_claim_compare((claim), KTSTR_CMP_seq_##cmp, (v), (struct ktstr_claim_modifiers){ __VA_ARGS__ })
#define ktstr_seq_claim_empty(claim, ...)    KTSTR_CLAIM_SEQ_(claim, empty, ktstr_value_absent(), ##__VA_ARGS__)
#define ktstr_seq_claim_nonempty(claim, ...) KTSTR_CLAIM_SEQ_(claim, nonempty, ktstr_value_absent(), ##__VA_ARGS__)
#define ktstr_seq_claim_len_eq(claim, n, ...)	  KTSTR_CLAIM_SEQ_(claim, len_eq, KTSTR_VALUE(n), ##__VA_ARGS__)
#define ktstr_seq_claim_len_at_most(claim, n, ...) KTSTR_CLAIM_SEQ_(claim, len_at_most, KTSTR_VALUE(n), ##__VA_ARGS__)
#define ktstr_seq_claim_len_at_least(claim, n, ...)                                                \
	KTSTR_CLAIM_SEQ_(claim, len_at_least, KTSTR_VALUE(n), ##__VA_ARGS__)
#define ktstr_seq_claim_contains(claim, v, ...) KTSTR_CLAIM_SEQ_(claim, contains, KTSTR_VALUE(v), ##__VA_ARGS__)

/*
 * KTSTR_CLAIM_SET(ctx, cg->cpus_used, subset_of, llc0): on a struct ktstr_cpus, a pointer to one (NULL fails), or
 * KTSTR_ITEMS(). Comparators: empty, nonempty, contains(v), len_eq(n), len_at_most(n), len_at_least(n), subset_of(set),
 * disjoint_from(set).
 */
#define KTSTR_CLAIM_SET(v, expr, comparator, ...)                                                  \
	ktstr_set_claim_##comparator(((struct ktstr_set_claim){ .result = &(v)->result,            \
								.label = #expr,                    \
								.items = KTSTR_ITEMS_OF_(expr) }), \
				     ##__VA_ARGS__)
/* KTSTR_CLAIM_SEQ(ctx, KTSTR_ITEMS(names, n), contains, "a"): the same without the last two. */
#define KTSTR_CLAIM_SEQ(v, expr, comparator, ...)                                                  \
	ktstr_seq_claim_##comparator(((struct ktstr_seq_claim){ .result = &(v)->result,            \
								.label = #expr,                    \
								.items = KTSTR_ITEMS_OF_(expr) }), \
				     ##__VA_ARGS__)

/* A claim that a metric became better, to be finished with by how much. */
struct ktstr_better_claim {
	struct ktstr_assert_result *result;
	struct ktstr_metric_id metric;
	struct ktstr_opt_f64 candidate, base;
	struct ktstr_opt_u32 candidate_phase, base_phase; /* unset: not of phases */
};

/* The same run, two phases: is the metric better in phase `candidate` than in phase `base`? */
struct ktstr_better_claim ktstr_better_across_phases(struct ktstr_assert_result *result,
						     const struct ktstr_scenario_stats *stats,
						     struct ktstr_metric_id metric, uint16_t candidate,
						     uint16_t base);

/*
 * Strictly better than the base, the direction from the registry. By at least a margin: (base - candidate) / base >= margin
 * when lower is better, else (candidate - base) / base >= margin. A missing value, a metric without direction or that is
 * not registered, and a base of 0 with a margin are inconclusive; a value or margin that is not finite fails.
 */
bool ktstr_better_than(struct ktstr_better_claim claim, struct ktstr_claim_modifiers modifiers);
bool ktstr_better_by_at_least(struct ktstr_better_claim claim, double margin, struct ktstr_claim_modifiers modifiers);

static inline struct ktstr_metric_id ktstr_metric_id_same(struct ktstr_metric_id id)
{
	return id;
}
/* A name, an enum constant, or an id. */
#define KTSTR_METRIC_ID(m)                                                                         \
	_Generic((m),                                                                              \
		char *: ktstr_metric_id,                                                           \
		const char *: ktstr_metric_id,                                                     \
		struct ktstr_metric_id: ktstr_metric_id_same,                                      \
		default: ktstr_metric_id_of)(m)
#define KTSTR_BETTER_(v, metric_, candidate_, base_)                                               \
	((struct ktstr_better_claim){ .result = &(v)->result,                                      \
				      .metric = KTSTR_METRIC_ID(metric_),                          \
				      .candidate = (candidate_),                                   \
				      .base = (base_) })
/* KTSTR_CLAIM_BETTER(&v, KTSTR_METRIC_ITERATION_RATE, candidate, base): of optional numbers. */
#define KTSTR_CLAIM_BETTER(v, metric, candidate, base, ...)                                        \
	ktstr_better_than(KTSTR_BETTER_(v, metric, candidate, base), (struct ktstr_claim_modifiers){ __VA_ARGS__ })
#define KTSTR_CLAIM_BETTER_BY(v, metric, candidate, base, margin, ...)                             \
	ktstr_better_by_at_least(KTSTR_BETTER_(v, metric, candidate, base), (margin),              \
				 (struct ktstr_claim_modifiers){ __VA_ARGS__ })

#ifdef __cplusplus
}
#endif
#endif
