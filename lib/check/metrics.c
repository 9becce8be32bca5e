// SPDX-License-Identifier: GPL-2.0-only
/* The metric registry's table, lookup in it, and what a move of a metric means. */
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "ktstr/metric.h"

/* The words of metric_table.h. */
#define NO_PARTS   .numerator = -1, .denominator = -1
#define COUNTER	   .kind = KTSTR_KIND_COUNTER, NO_PARTS
#define DELTA_SUM  .kind = KTSTR_KIND_DELTA_SUM, NO_PARTS
#define GAUGE_AVG  .kind = KTSTR_KIND_GAUGE_AVG, NO_PARTS
#define GAUGE_LAST .kind = KTSTR_KIND_GAUGE_LAST, NO_PARTS
#define PEAK	   .kind = KTSTR_KIND_PEAK, NO_PARTS
#define RATIO(NUMERATOR, DENOMINATOR)                                                              \
	.kind = KTSTR_KIND_RATIO, .numerator = KTSTR_METRIC_##NUMERATOR, .denominator = KTSTR_METRIC_##DENOMINATOR
#define SAMPLES(SOURCE, STAT)                                                                      \
	.kind = KTSTR_KIND_SAMPLES, NO_PARTS, .source = KTSTR_SOURCE_##SOURCE, .stat = KTSTR_STAT_##STAT
#define LOWEST_CGROUP	.kind = KTSTR_KIND_LOWEST_CGROUP, NO_PARTS
#define HIGHEST_CGROUP	.kind = KTSTR_KIND_HIGHEST_CGROUP, NO_PARTS
#define PER_PHASE	.kind = KTSTR_KIND_PER_PHASE, NO_PARTS
#define RUN_PERCENTILE	.kind = KTSTR_KIND_RUN_PERCENTILE, NO_PARTS

#define LOWER	      .polarity = KTSTR_POLARITY_LOWER_BETTER
#define HIGHER	      .polarity = KTSTR_POLARITY_HIGHER_BETTER
#define INFORMATIONAL .polarity = KTSTR_POLARITY_INFORMATIONAL
#define HIDDEN	      .polarity = KTSTR_POLARITY_INFORMATIONAL, .hidden = true

#define ROW(ID, NAME, POLARITY, ABS, REL, UNIT, ...)                                               \
	[KTSTR_METRIC_##ID] = {                                                                    \
		.name = NAME, .default_abs = ABS, .default_rel = REL, .unit = UNIT, POLARITY, __VA_ARGS__ \
	},

static const struct ktstr_metric_def table[] = { KTSTR_METRICS(ROW) };

const struct ktstr_metric_def *ktstr_metric_def(enum ktstr_builtin_metric metric)
{
	return (size_t)metric < ARRAY_SIZE(table) ? &table[metric] : NULL;
}

static const struct kind_words {
	const char *name, *fold;
} kinds[KTSTR_METRIC_KINDS] = {
	[KTSTR_KIND_COUNTER] = { "counter", "phase: last - first of two captures, at least 0; run: sum; runs: sum" },
	[KTSTR_KIND_DELTA_SUM] = { "delta_sum", "phase: sum; run: sum; runs: mean" },
	[KTSTR_KIND_GAUGE_AVG] = { "gauge_avg", "mean, weighted by samples, at every level" },
	[KTSTR_KIND_GAUGE_LAST] = { "gauge_last", "the latest, at every level" },
	[KTSTR_KIND_PEAK] = { "peak", "maximum, at every level" },
	[KTSTR_KIND_RATIO] = { "ratio", "sum of numerators / sum of denominators, at every level; absent for 0" },
	[KTSTR_KIND_SAMPLES] = { "samples",
				 "run: the statistic of the raw samples of all phases and cgroups pooled; where those "
				 "were dropped, the worst cgroup; runs: mean, of a maximum the maximum" },
	[KTSTR_KIND_LOWEST_CGROUP] = { "lowest_cgroup", "run: the lowest cgroup, one without a measurement passed over; "
							"runs: mean" },
	[KTSTR_KIND_HIGHEST_CGROUP] = { "highest_cgroup", "run: the highest cgroup, one without a measurement passed "
							  "over; runs: mean" },
	[KTSTR_KIND_PER_PHASE] = { "per_phase", "one value per phase, none of a run; runs: mean, phase by phase" },
	[KTSTR_KIND_RUN_PERCENTILE] = { "run_percentile", "run: of the histograms of all workers united; runs: never "
							  "averaged, absent" },
};

const char *ktstr_metric_kind_name(enum ktstr_metric_kind kind)
{
	return (unsigned int)kind < KTSTR_METRIC_KINDS ? kinds[kind].name : "unknown";
}

const char *ktstr_metric_kind_fold(enum ktstr_metric_kind kind)
{
	return (unsigned int)kind < KTSTR_METRIC_KINDS ? kinds[kind].fold : "";
}

struct ktstr_metric_id ktstr_metric_id(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name))
			return ktstr_metric_id_of((enum ktstr_builtin_metric)i);
	return (struct ktstr_metric_id){ .builtin = -1, .name = name };
}

struct ktstr_metric_id ktstr_metric_id_of(enum ktstr_builtin_metric metric)
{
	return (struct ktstr_metric_id){ .builtin = (int)metric, .name = table[metric].name };
}

const struct ktstr_metric_def *ktstr_metric_id_def(struct ktstr_metric_id id)
{
	return id.builtin < 0 ? NULL : ktstr_metric_def((enum ktstr_builtin_metric)id.builtin);
}

static bool contains_any(const char *name, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

enum ktstr_polarity_kind ktstr_metric_guess_polarity(const char *name)
{
	static const char *const lower[] = { "latency", "delay", "_gap",   "stall", "stuck", "_cv", "error", "fail",
					     "drop",	"spread", "_us",   "_ms",   "_ns",   "migration_ratio",
					     "imbalance", "depth" };
	static const char *const higher[] = { "iops",	     "throughput", "bandwidth", "iterations",
					      "ops_per_sec", "locality",   "_score",	"goodput" };

	if (contains_any(name, lower, ARRAY_SIZE(lower)))
		return KTSTR_POLARITY_LOWER_BETTER;
	if (contains_any(name, higher, ARRAY_SIZE(higher)))
		return KTSTR_POLARITY_HIGHER_BETTER;
	return KTSTR_POLARITY_LOWER_BETTER;
}

double ktstr_metric_worse(const char *name, double a, double b)
{
	const struct ktstr_metric_def *def = ktstr_metric_id_def(ktstr_metric_id(name));
	enum ktstr_polarity_kind polarity = def ? def->polarity : ktstr_metric_guess_polarity(name);

	return polarity == KTSTR_POLARITY_HIGHER_BETTER ? fmin(a, b) : fmax(a, b);
}

enum ktstr_metric_change ktstr_metric_compare(const struct ktstr_metric_def *def, double before, double after,
					      const struct ktstr_metric_gates *gates)
{
	double abs_gate = gates && gates->abs.set ? gates->abs.value : def->default_abs;
	double rel_gate = gates && gates->rel.set ? gates->rel.value : def->default_rel;
	double delta = after - before;

	if (delta == 0 || fabs(delta) < abs_gate || (before != 0 && fabs(delta / before) < rel_gate))
		return KTSTR_CHANGE_NONE;
	switch (def->polarity) {
	case KTSTR_POLARITY_LOWER_BETTER:
		return delta < 0 ? KTSTR_CHANGE_BETTER : KTSTR_CHANGE_WORSE;
	case KTSTR_POLARITY_HIGHER_BETTER:
		return delta > 0 ? KTSTR_CHANGE_BETTER : KTSTR_CHANGE_WORSE;
	default:
		return KTSTR_CHANGE_INFORMATIONAL;
	}
}
