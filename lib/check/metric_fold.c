// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folding values of a metric over captures, phases and runs. Sums run over sorted values, so that no fold depends on the
 * order in which values come, not even in the last bit.
 */
#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "ktstr/metric.h"

#define SOME(v) ((struct ktstr_opt_f64)KTSTR_SOME(v))
#define NONE	((struct ktstr_opt_f64)KTSTR_NONE)

enum fold {
	FOLD_NONE,
	FOLD_DELTA, /* last - first */
	FOLD_SUM,
	FOLD_MEAN, /* weighted */
	FOLD_LATEST,
	FOLD_MAX,
};

/* What each kind does over captures, phases and runs. */
static const struct kind_folds {
	enum fold captures, phases, runs;
} folds[KTSTR_METRIC_KINDS] = {
	[KTSTR_KIND_COUNTER] = { FOLD_DELTA, FOLD_SUM, FOLD_SUM },
	[KTSTR_KIND_DELTA_SUM] = { FOLD_SUM, FOLD_SUM, FOLD_MEAN },
	[KTSTR_KIND_GAUGE_AVG] = { FOLD_MEAN, FOLD_MEAN, FOLD_MEAN },
	[KTSTR_KIND_GAUGE_LAST] = { FOLD_LATEST, FOLD_LATEST, FOLD_LATEST },
	[KTSTR_KIND_PEAK] = { FOLD_MAX, FOLD_MAX, FOLD_MAX },
	[KTSTR_KIND_RATIO] = { FOLD_NONE, FOLD_NONE, FOLD_NONE },
	[KTSTR_KIND_SAMPLES] = { FOLD_NONE, FOLD_NONE, FOLD_MEAN }, /* of a maximum: FOLD_MAX */
	[KTSTR_KIND_LOWEST_CGROUP] = { FOLD_NONE, FOLD_NONE, FOLD_MEAN },
	[KTSTR_KIND_HIGHEST_CGROUP] = { FOLD_NONE, FOLD_NONE, FOLD_MEAN },
	[KTSTR_KIND_PER_PHASE] = { FOLD_NONE, FOLD_NONE, FOLD_MEAN },
	[KTSTR_KIND_RUN_PERCENTILE] = { FOLD_NONE, FOLD_NONE, FOLD_NONE },
};

static double weight_of(const struct ktstr_metric_point *point)
{
	return point->weight > 1 ? point->weight : 1;
}

static int by_value(const void *a, const void *b)
{
	const struct ktstr_metric_point *x = a, *y = b;

	if (x->value != y->value)
		return (x->value > y->value) - (x->value < y->value);
	return (weight_of(x) > weight_of(y)) - (weight_of(x) < weight_of(y));
}

/* Does a come before b? Of equal times the larger value is the later. */
static bool earlier(const struct ktstr_metric_point *a, const struct ktstr_metric_point *b)
{
	return a->at != b->at ? a->at < b->at : a->value < b->value;
}

static struct ktstr_opt_f64 delta(const struct ktstr_metric_point *points, size_t count)
{
	const struct ktstr_metric_point *first = points, *last = points;

	if (count < 2)
		return NONE;
	for (size_t i = 1; i < count; i++) {
		if (earlier(&points[i], first))
			first = &points[i];
		if (earlier(last, &points[i]))
			last = &points[i];
	}
	return SOME(fmax(0, last->value - first->value));
}

static double latest(const struct ktstr_metric_point *points, size_t count)
{
	const struct ktstr_metric_point *last = points;

	for (size_t i = 1; i < count; i++)
		if (earlier(last, &points[i]))
			last = &points[i];
	return last->value;
}

static double weighted_mean(const struct ktstr_metric_point *points, size_t count)
{
	double sum = 0, weights = 0;

	for (size_t i = 0; i < count; i++) {
		sum += points[i].value * weight_of(&points[i]);
		weights += weight_of(&points[i]);
	}
	return sum / weights;
}

/* points: finite, sorted by value. */
static struct ktstr_opt_f64 apply(enum fold fold, const struct ktstr_metric_point *points, size_t count)
{
	double sum = 0;

	if (!count)
		return NONE;
	switch (fold) {
	case FOLD_NONE:
		return NONE;
	case FOLD_DELTA:
		return delta(points, count);
	case FOLD_SUM:
		for (size_t i = 0; i < count; i++)
			sum += points[i].value;
		return SOME(sum);
	case FOLD_MEAN:
		return SOME(weighted_mean(points, count));
	case FOLD_LATEST:
		return SOME(latest(points, count));
	case FOLD_MAX:
		return SOME(points[count - 1].value);
	}
	return NONE;
}

static struct ktstr_opt_f64 fold_finite(enum fold fold, const struct ktstr_metric_point *points, size_t count)
{
	_cleanup_free_ struct ktstr_metric_point *finite = ktstr_xcalloc(count + 1, sizeof(*finite));
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (isfinite(points[i].value))
			finite[kept++] = points[i];
	qsort(finite, kept, sizeof(*finite), by_value);
	return apply(fold, finite, kept);
}

struct ktstr_opt_f64 ktstr_metric_fold_captures(enum ktstr_builtin_metric metric,
						const struct ktstr_metric_point *points, size_t count)
{
	return fold_finite(folds[ktstr_metric_def(metric)->kind].captures, points, count);
}

struct ktstr_opt_f64 ktstr_metric_fold_phases(enum ktstr_builtin_metric metric,
					      const struct ktstr_metric_point *points, size_t count)
{
	return fold_finite(folds[ktstr_metric_def(metric)->kind].phases, points, count);
}

struct ktstr_opt_f64 ktstr_metric_mean(const struct ktstr_metric_point *points, size_t count)
{
	return fold_finite(FOLD_MEAN, points, count);
}

static enum fold run_fold(const struct ktstr_metric_def *def)
{
	return def->stat == KTSTR_STAT_WORST ? FOLD_MAX : folds[def->kind].runs;
}

struct ktstr_opt_f64 ktstr_metric_fold_runs(enum ktstr_builtin_metric metric, const struct ktstr_metric_point *points,
					    size_t count)
{
	return fold_finite(run_fold(ktstr_metric_def(metric)), points, count);
}

/* The values that the runs have for a name. */
static struct ktstr_opt_f64 fold_name(const char *name, const struct ktstr_metric_run *runs, size_t count)
{
	_cleanup_free_ struct ktstr_metric_point *points = ktstr_xcalloc(count, sizeof(*points));
	const struct ktstr_metric_def *def = ktstr_metric_id_def(ktstr_metric_id(name));
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		struct ktstr_opt_f64 value = ktstr_metric_set_get(runs[i].metrics, name);

		if (value.set)
			points[found++] = (struct ktstr_metric_point){ .value = value.value, .at = runs[i].at };
	}
	return fold_finite(def ? run_fold(def) : FOLD_MEAN, points, found);
}

struct ktstr_metric_set ktstr_metric_fold_run_sets(const struct ktstr_metric_run *runs, size_t count)
{
	struct ktstr_metric_set folded = { 0 };

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < runs[i].metrics->count; k++) {
			const char *name = runs[i].metrics->items[k].name;
			struct ktstr_opt_f64 value;

			if (ktstr_metric_set_get(&folded, name).set)
				continue;
			value = fold_name(name, runs, count);
			if (value.set)
				ktstr_metric_set_put(&folded, name, value.value);
		}
	}
	ktstr_metric_set_derive(&folded);
	return folded;
}
