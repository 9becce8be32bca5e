// SPDX-License-Identifier: GPL-2.0-only
/* Assertions on how a metric may move between commits: refused when they could never fail, and carried as JSON. */
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "check/json_util.h"
#include "check/perf_delta.h"

static struct ktstr_error *check_limits(const struct ktstr_perf_delta_assertion *assertion)
{
	const struct {
		const char *name;
		struct ktstr_opt_f64 value;
	} limits[] = { { "max_regression_pct", assertion->max_regression_pct }, { "min_abs", assertion->min_abs } };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].value.set && !(isfinite(limits[i].value.value) && limits[i].value.value >= 0))
			return ktstr_error_new(KTSTR_ERR_INVALID, "%s: .%s is %g, it must be a finite number >= 0",
					       assertion->metric, limits[i].name, limits[i].value.value);
	return NULL;
}

static struct ktstr_error *check_direction(const struct ktstr_perf_delta_assertion *assertion,
					   const struct ktstr_metric_def *def)
{
	const struct ktstr_polarity *own = &assertion->direction;

	if (own->kind == KTSTR_POLARITY_TARGET_VALUE && !isfinite(own->target))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s: the target of .direction must be finite", assertion->metric);
	if (own->kind == KTSTR_POLARITY_UNKNOWN && !def)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s is not in the metric registry (`ktstr stats list-metrics`): set .direction",
				       assertion->metric);
	if (own->kind == KTSTR_POLARITY_INFORMATIONAL ||
	    (own->kind == KTSTR_POLARITY_UNKNOWN && def->polarity == KTSTR_POLARITY_INFORMATIONAL))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s: an informational metric has no worse, and could never fail: set .direction",
				       assertion->metric);
	return NULL;
}

/* Where values of that kind exist: some are of phases alone, others of runs alone. */
static struct ktstr_error *check_scope(const struct ktstr_perf_delta_assertion *assertion,
				       const struct ktstr_metric_def *def)
{
	if (assertion->phase.set && assertion->phase.value > UINT16_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s: .phase is %u, the last one is %u", assertion->metric,
				       assertion->phase.value, UINT16_MAX);
	if (!def)
		return NULL;
	if (def->hidden)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is a component of other metrics, which are compared instead",
				       assertion->metric);
	if (def->kind == KTSTR_KIND_PER_PHASE && !assertion->phase.set)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s exists in phases only: set .phase", assertion->metric);
	if (def->kind == KTSTR_KIND_RUN_PERCENTILE && assertion->phase.set)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s exists for whole runs only: leave .phase out",
				       assertion->metric);
	return NULL;
}

struct ktstr_error *ktstr_perf_delta_assertion_validate(const struct ktstr_perf_delta_assertion *assertion)
{
	const struct ktstr_metric_def *def;

	if (!assertion->metric || !*assertion->metric)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".metric is missing");
	def = ktstr_metric_id_def(ktstr_metric_id(assertion->metric));
	KTSTR_TRY(check_limits(assertion));
	KTSTR_TRY(check_direction(assertion, def));
	return check_scope(assertion, def);
}

static bool same_scope(const struct ktstr_perf_delta_assertion *a, const struct ktstr_perf_delta_assertion *b)
{
	return !strcmp(a->metric, b->metric) && a->phase.set == b->phase.set &&
	       (!a->phase.set || a->phase.value == b->phase.value);
}

struct ktstr_error *ktstr_perf_delta_validate(const struct ktstr_perf_delta_assertion *assertions)
{
	const struct ktstr_perf_delta_assertion *at = assertions;

	for (; at && at->metric; at++) {
		KTSTR_TRY(ktstr_perf_delta_assertion_validate(at));
		for (const struct ktstr_perf_delta_assertion *earlier = assertions; earlier < at; earlier++)
			if (same_scope(earlier, at))
				return ktstr_error_new(KTSTR_ERR_INVALID, "%s is asserted twice", at->metric);
	}
	return NULL;
}

static json_t *opt_f64(struct ktstr_opt_f64 value)
{
	return value.set ? ktstr_json_f64(value.value) : json_null();
}

json_t *ktstr_perf_delta_to_json(const struct ktstr_perf_delta_assertion *assertions)
{
	json_t *array = json_array();

	for (; assertions && assertions->metric; assertions++) {
		const struct ktstr_polarity *own = &assertions->direction;
		bool has_target = own->kind == KTSTR_POLARITY_TARGET_VALUE;
		json_t *direction = own->kind == KTSTR_POLARITY_UNKNOWN ? json_null() :
									  json_string(ktstr_polarity_name(own->kind));

		json_array_append_new(array,
				      json_pack("{so so so so so so}", "metric", ktstr_json_text(assertions->metric),
						"direction", direction, "target",
						has_target ? ktstr_json_f64(own->target) : json_null(), "max_regression_pct",
						opt_f64(assertions->max_regression_pct), "min_abs",
						opt_f64(assertions->min_abs), "phase",
						assertions->phase.set ? json_integer(assertions->phase.value) : json_null()));
	}
	return array;
}

static bool is_direction(const json_t *json)
{
	const char *name = json_string_value(json);

	for (int kind = KTSTR_POLARITY_HIGHER_BETTER; name && kind <= KTSTR_POLARITY_INFORMATIONAL; kind++)
		if (!strcmp(name, ktstr_polarity_name((enum ktstr_polarity_kind)kind)))
			return true;
	return false;
}

static struct ktstr_error *clean_item(const json_t *item, void *array)
{
	static const char *const numbers[] = { "target", "max_regression_pct", "min_abs" };
	const json_t *direction = json_object_get(item, "direction"), *phase = json_object_get(item, "phase");
	json_t *clean = json_pack("{so}", "metric", ktstr_json_text(json_string_value(json_object_get(item, "metric"))));

	/* The array owns it from here on, whatever is wrong with it. */
	json_array_append_new(array, clean);
	if (!json_is_string(json_object_get(clean, "metric")))
		return ktstr_error_wrap(ktstr_json_mismatch(json_object_get(item, "metric"), "a string"), "metric");
	if (direction && !json_is_null(direction) && !is_direction(direction))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "direction: not the name of a polarity");
	json_object_set_new(clean, "direction", json_is_string(direction) ? json_incref((json_t *)direction) : json_null());
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_t *number = json_object_get(item, numbers[i]);

		if (number && !json_is_null(number) && !json_is_number(number))
			return ktstr_error_wrap(ktstr_json_mismatch(number, "a number"), "%s", numbers[i]);
		json_object_set_new(clean, numbers[i], number ? json_incref(number) : json_null());
	}
	if (phase && !json_is_null(phase) &&
	    !(json_is_integer(phase) && json_integer_value(phase) >= 0 && json_integer_value(phase) <= UINT16_MAX))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "phase: not the number of a phase");
	json_object_set_new(clean, "phase", phase ? json_incref((json_t *)phase) : json_null());
	return NULL;
}

struct ktstr_error *ktstr_perf_delta_clean(const json_t *object, json_t **clean)
{
	struct ktstr_error *error = NULL;

	*clean = json_array();
	if (json_object_get(object, "perf_delta_assertions"))
		error = ktstr_json_read_array(object, "perf_delta_assertions", clean_item, *clean);
	if (error) {
		json_decref(*clean);
		*clean = NULL;
	}
	return error;
}
