/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metric registry: what each metric is called, which way is better, how much it must move to mean something, and how
 * values of it are folded over captures, phases, cgroups and runs. The rows are in metric_table.h.
 */
#ifndef KTSTR_METRIC_H
#define KTSTR_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ktstr/error.h>
#include <ktstr/metric_table.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which way is better. */
enum ktstr_polarity_kind {
	KTSTR_POLARITY_UNKNOWN,
	KTSTR_POLARITY_HIGHER_BETTER,
	KTSTR_POLARITY_LOWER_BETTER,
	KTSTR_POLARITY_TARGET_VALUE, /* the nearer to `target`, the better */
	KTSTR_POLARITY_INFORMATIONAL, /* shown, never judged */
};

struct ktstr_polarity {
	enum ktstr_polarity_kind kind;
	double target; /* finite; of TARGET_VALUE */
};

#define KTSTR_HIGHER_BETTER    { .kind = KTSTR_POLARITY_HIGHER_BETTER }
#define KTSTR_LOWER_BETTER     { .kind = KTSTR_POLARITY_LOWER_BETTER }
#define KTSTR_TARGET_VALUE(v)  { .kind = KTSTR_POLARITY_TARGET_VALUE, .target = (v) }
#define KTSTR_INFORMATIONAL    { .kind = KTSTR_POLARITY_INFORMATIONAL }

/* "higher_better", ...; NULL out of range. */
const char *ktstr_polarity_name(enum ktstr_polarity_kind kind);

/* KTSTR_METRIC_WORST_SPREAD, ...: the order of the table. */
#define KTSTR_METRIC_CONSTANT_(ID, ...) KTSTR_METRIC_##ID,
enum ktstr_builtin_metric { KTSTR_METRICS(KTSTR_METRIC_CONSTANT_) KTSTR_METRIC_COUNT_ };
#undef KTSTR_METRIC_CONSTANT_
#define KTSTR_METRICS_COUNT ((size_t)KTSTR_METRIC_COUNT_)

/* How values of a metric fold. Kinds that are derived are never folded from their values within a run. */
enum ktstr_metric_kind {
	KTSTR_KIND_COUNTER, /* captures: last - first, at least 0, needs two; phases and runs: sum */
	KTSTR_KIND_DELTA_SUM, /* a difference already; phases: sum; runs: mean */
	KTSTR_KIND_GAUGE_AVG, /* mean, weighted by samples */
	KTSTR_KIND_GAUGE_LAST, /* the latest */
	KTSTR_KIND_PEAK, /* maximum */
	KTSTR_KIND_RATIO, /* derived: sum of `numerator` / sum of `denominator`; absent when that is 0 */
	KTSTR_KIND_SAMPLES, /* derived: a statistic of all raw samples pooled; runs: mean, of a maximum the maximum */
	KTSTR_KIND_LOWEST_CGROUP, /* derived: of the cgroup with the lowest; runs: mean */
	KTSTR_KIND_HIGHEST_CGROUP, /* derived: of the cgroup with the highest; runs: mean */
	KTSTR_KIND_PER_PHASE, /* one value per phase, never one of a run; runs, phase by phase: mean */
	KTSTR_KIND_RUN_PERCENTILE, /* of the histogram of one run; values are never averaged */
	KTSTR_METRIC_KINDS,
};

enum ktstr_sample_source {
	KTSTR_SOURCE_NONE,
	KTSTR_SOURCE_WAKE, /* wake latencies */
	KTSTR_SOURCE_TIMER, /* timer lateness */
	KTSTR_SOURCE_RUN_DELAY, /* one value per worker */
};

enum ktstr_sample_stat {
	KTSTR_STAT_NONE,
	KTSTR_STAT_MEDIAN,
	KTSTR_STAT_P99,
	KTSTR_STAT_P999,
	KTSTR_STAT_CV, /* population standard deviation / mean */
	KTSTR_STAT_MEAN,
	KTSTR_STAT_WORST, /* maximum */
};

/* Names of other rows, so that a row reads like its formula. */
struct ktstr_metric_def {
	const char *name; /* on the wire and in files */
	enum ktstr_polarity_kind polarity;
	enum ktstr_metric_kind kind;
	/* A move is significant when it passes both: |delta| >= default_abs, and |delta / before| >= default_rel. */
	double default_abs, default_rel;
	const char *unit; /* "" = a bare number */
	bool hidden; /* a component of others, not shown by itself */
	int numerator, denominator; /* enum ktstr_builtin_metric; -1 = none */
	enum ktstr_sample_source source;
	enum ktstr_sample_stat stat;
};

/* NULL out of range. */
const struct ktstr_metric_def *ktstr_metric_def(enum ktstr_builtin_metric metric);
const char *ktstr_metric_kind_name(enum ktstr_metric_kind kind); /* "counter", "ratio", ... */
/* "last - first; runs: sum": how values fold, in words. */
const char *ktstr_metric_kind_fold(enum ktstr_metric_kind kind);

/* A registered metric, or the name of one that is not: that has no kind, and nothing is aggregated by guess. */
struct ktstr_metric_id {
	int builtin; /* enum ktstr_builtin_metric; -1 = dynamic */
	const char *name; /* borrowed */
};

struct ktstr_metric_id ktstr_metric_id(const char *name);
struct ktstr_metric_id ktstr_metric_id_of(enum ktstr_builtin_metric metric);
/* NULL for a dynamic one. */
const struct ktstr_metric_def *ktstr_metric_id_def(struct ktstr_metric_id id);

/* A measurement by its name. */
struct ktstr_named_value {
	char *name; /* heap */
	double value;
};

/* Measurements with different names, in the order they came. Zero-initialise. */
struct ktstr_metric_set {
	struct ktstr_named_value *items;
	size_t count;
};

struct ktstr_opt_f64 ktstr_metric_set_get(const struct ktstr_metric_set *set, const char *name);
/* Replaces; the name is copied. A value that is NaN or infinite is not kept. */
void ktstr_metric_set_put(struct ktstr_metric_set *set, const char *name, double value);
/* Keeps the worse of this and what the name has (ktstr_metric_worse()). An absent value changes nothing. */
void ktstr_metric_set_put_worse(struct ktstr_metric_set *set, const char *name, struct ktstr_opt_f64 value);
void ktstr_metric_set_deinit(struct ktstr_metric_set *set);
/* Computes every RATIO whose parts are in the set; one without a denominator is removed. */
void ktstr_metric_set_derive(struct ktstr_metric_set *set);

/* One value among several that are folded. */
struct ktstr_metric_point {
	double value;
	double weight; /* samples behind it; below 1 counts as 1 */
	double at; /* its time, for the latest; equal times: the larger value */
};

/*
 * Folds, whatever the order of the points; points that are not finite are dropped. Unset without points, and where the
 * kind says that there is no fold: captures and phases of derived kinds, runs of RATIO (fold the parts and derive) and of
 * RUN_PERCENTILE.
 */
struct ktstr_opt_f64 ktstr_metric_fold_captures(enum ktstr_builtin_metric metric, const struct ktstr_metric_point *points,
						size_t count);
struct ktstr_opt_f64 ktstr_metric_fold_phases(enum ktstr_builtin_metric metric, const struct ktstr_metric_point *points,
					      size_t count);
struct ktstr_opt_f64 ktstr_metric_fold_runs(enum ktstr_builtin_metric metric, const struct ktstr_metric_point *points,
					    size_t count);
/* The weighted mean: what is left for names that have no kind. */
struct ktstr_opt_f64 ktstr_metric_mean(const struct ktstr_metric_point *points, size_t count);

struct ktstr_metric_run {
	const struct ktstr_metric_set *metrics;
	double at; /* its time */
};
/* All metrics of several runs: each folded, RATIOs derived from the folded parts. Names that are unregistered: mean. */
struct ktstr_metric_set ktstr_metric_fold_run_sets(const struct ktstr_metric_run *runs, size_t count);
/*
 * What two parts of one run measured, as one: counters add up, RATIOs are derived anew, of all others the worse stays.
 * `from` is then empty.
 */
void ktstr_metric_set_merge(struct ktstr_metric_set *into, struct ktstr_metric_set *from);

/*
 * The worse of two values of one metric. A registered one: by its polarity. Otherwise by words in the name: "latency",
 * "stall", "_ms" and the like are worse when larger, else "iops", "throughput" and the like are worse when smaller, else
 * larger is worse.
 */
double ktstr_metric_worse(const char *name, double a, double b);
enum ktstr_polarity_kind ktstr_metric_guess_polarity(const char *name);

enum ktstr_metric_change {
	KTSTR_CHANGE_NONE, /* within the gates */
	KTSTR_CHANGE_BETTER,
	KTSTR_CHANGE_WORSE,
	KTSTR_CHANGE_INFORMATIONAL, /* moved, and means neither */
};

/* Gates of one comparison; unset ones are the registry's. */
struct ktstr_metric_gates {
	struct ktstr_opt_f64 abs, rel;
};

/*
 * From `before` to `after`. before = 0: the relative gate is passed by any move. gates may be NULL. Both values must be
 * finite.
 */
enum ktstr_metric_change ktstr_metric_compare(const struct ktstr_metric_def *def, double before, double after,
					      const struct ktstr_metric_gates *gates);

/* What a test demands of a comparison between commits. Inert in a normal run; recorded with the result. */
struct ktstr_perf_delta_assertion {
	const char *metric; /* NULL ends a list */
	struct ktstr_opt_f64 max_regression_pct; /* unset: the registry's relative gate */
	struct ktstr_opt_f64 min_abs; /* unset: the registry's absolute gate */
	struct ktstr_polarity direction; /* kind UNKNOWN: the registry's */
	struct ktstr_opt_u32 phase; /* unset: of the run */
};

#define KTSTR_PERF_DELTA_ASSERTIONS(...) ((const struct ktstr_perf_delta_assertion[]){ __VA_ARGS__, { 0 } })

/*
 * KTSTR_ERR_INVALID: no name, a percentage or minimum that is not finite and >= 0, no direction for a dynamic metric; and
 * what could never fail: an informational direction, a component of other metrics, a metric of phases without a phase, or
 * one of runs with one.
 */
struct ktstr_error *ktstr_perf_delta_assertion_validate(const struct ktstr_perf_delta_assertion *assertion)
	KTSTR_CHECKED;

/* The registry as a page of the reference, from which docs/reference/metrics.md comes. */
void ktstr_metrics_print_markdown(FILE *out);

#ifdef __cplusplus
}
#endif
#endif
