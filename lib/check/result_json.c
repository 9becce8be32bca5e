// SPDX-License-Identifier: GPL-2.0-only
/* JSON of thresholds, verdicts and statistics, both directions. */
#include <string.h>

#include "check/assert.h"
#include "check/fields.h"
#include "check/grow.h"
#include "check/json_util.h"
#include "check/result_json.h"
#include "check/stats_build.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct ktstr_field cgroup_fields[] = {
	KTSTR_FIELD(ktstr_cgroup_stats, cgroup_name),
	KTSTR_FIELD(ktstr_cgroup_stats, num_workers),
	KTSTR_FIELD(ktstr_cgroup_stats, cpus_used),
	KTSTR_FIELD(ktstr_cgroup_stats, num_cpus),
	KTSTR_FIELD(ktstr_cgroup_stats, avg_off_cpu_pct),
	KTSTR_FIELD(ktstr_cgroup_stats, min_off_cpu_pct),
	KTSTR_FIELD(ktstr_cgroup_stats, max_off_cpu_pct),
	KTSTR_FIELD(ktstr_cgroup_stats, spread),
	KTSTR_FIELD(ktstr_cgroup_stats, max_gap_ms),
	KTSTR_FIELD(ktstr_cgroup_stats, max_gap_cpu),
	KTSTR_FIELD(ktstr_cgroup_stats, total_migrations),
	KTSTR_FIELD(ktstr_cgroup_stats, migration_ratio),
	KTSTR_FIELD(ktstr_cgroup_stats, p99_wake_latency_us),
	KTSTR_FIELD(ktstr_cgroup_stats, median_wake_latency_us),
	KTSTR_FIELD(ktstr_cgroup_stats, wake_latency_cv),
	KTSTR_FIELD(ktstr_cgroup_stats, wake_sample_total),
	KTSTR_FIELD(ktstr_cgroup_stats, total_work_units),
	KTSTR_FIELD(ktstr_cgroup_stats, total_iterations),
	KTSTR_FIELD(ktstr_cgroup_stats, total_cpu_time_ns),
	KTSTR_FIELD(ktstr_cgroup_stats, mean_run_delay_us),
	KTSTR_FIELD(ktstr_cgroup_stats, worst_run_delay_us),
};

static const struct ktstr_field scenario_fields[] = {
	KTSTR_FIELD(ktstr_scenario_stats, total_workers),
	KTSTR_FIELD(ktstr_scenario_stats, total_cpus),
	KTSTR_FIELD(ktstr_scenario_stats, total_migrations),
	KTSTR_FIELD(ktstr_scenario_stats, total_iterations),
	KTSTR_FIELD(ktstr_scenario_stats, worst_spread),
	KTSTR_FIELD(ktstr_scenario_stats, worst_gap_ms),
	KTSTR_FIELD(ktstr_scenario_stats, worst_gap_cpu),
	KTSTR_FIELD(ktstr_scenario_stats, worst_migration_ratio),
};

static const struct ktstr_field pass_fields[] = {
	KTSTR_FIELD(ktstr_pass_detail, name),
	KTSTR_FIELD(ktstr_pass_detail, comparator),
	KTSTR_FIELD(ktstr_pass_detail, value),
	KTSTR_FIELD(ktstr_pass_detail, expected),
};

json_t *ktstr_assert_to_json(const struct ktstr_assert *assert)
{
	return ktstr_fields_to_json(ktstr_assert_fields, KTSTR_ASSERT_FIELDS, assert);
}

struct ktstr_error *ktstr_assert_from_json(const json_t *json, struct ktstr_assert *assert)
{
	struct ktstr_assert read = { 0 };

	*assert = read;
	KTSTR_TRY(ktstr_fields_from_json(ktstr_assert_fields, KTSTR_ASSERT_FIELDS, json, &read));
	KTSTR_TRY(ktstr_assert_validate(&read));
	*assert = read;
	return NULL;
}

static json_t *cgroup_to_json(const struct ktstr_cgroup_stats *cgroup)
{
	json_t *json = ktstr_fields_to_json(cgroup_fields, ARRAY_SIZE(cgroup_fields), cgroup);
	json_t *metrics = json_object();

	for (size_t i = 0; i < cgroup->ext_metrics_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_object_set_new(metrics, cgroup->ext_metrics[i].name, json_real(cgroup->ext_metrics[i].value));
	json_object_set_new(json, "ext_metrics", metrics);
	return json;
}

json_t *ktstr_stats_to_json(const struct ktstr_scenario_stats *stats)
{
	json_t *json = ktstr_fields_to_json(scenario_fields, ARRAY_SIZE(scenario_fields), stats);
	json_t *cgroups = json_array();

	for (size_t i = 0; i < stats->cgroups_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(cgroups, cgroup_to_json(&stats->cgroups[i]));
	json_object_set_new(json, "cgroups", cgroups);
	return json;
}

/* Appended before it is filled, so that a failure half way leaves nothing unowned. */
#define APPEND_ZEROED(array, count)                                                                \
	({                                                                                         \
		(array) = ktstr_grow((array), (count), sizeof(*(array)));                          \
		memset(&(array)[(count)], 0, sizeof(*(array)));                                    \
		&(array)[(count)++];                                                               \
	})

/* May be missing: results from before there were any have none. */
static struct ktstr_error *read_metrics(const json_t *json, struct ktstr_cgroup_stats *cgroup)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)json, name, value) {
		if (!json_is_number(value))
			return ktstr_error_wrap(ktstr_json_mismatch(value, "a number"), "%.40s", name);
		if (cgroup->ext_metrics_count < KTSTR_JSON_ITEMS_MAX)
			ktstr_cgroup_stats_add_metric(cgroup, name, json_number_value(value));
	}
	return NULL;
}

static struct ktstr_error *read_cgroup(const json_t *item, void *context)
{
	struct ktstr_scenario_stats *stats = context;
	struct ktstr_cgroup_stats *cgroup = APPEND_ZEROED(stats->cgroups, stats->cgroups_count);

	KTSTR_TRY(ktstr_fields_from_json(cgroup_fields, ARRAY_SIZE(cgroup_fields), item, cgroup));
	if (!cgroup->cgroup_name)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "cgroup_name: missing");
	KTSTR_TRY_WRAP(read_metrics(json_object_get(item, "ext_metrics"), cgroup), "ext_metrics");
	return NULL;
}

struct ktstr_error *ktstr_stats_from_json(const json_t *json, struct ktstr_scenario_stats *stats)
{
	struct ktstr_error *error;

	*stats = (struct ktstr_scenario_stats){ 0 };
	error = ktstr_fields_from_json(scenario_fields, ARRAY_SIZE(scenario_fields), json, stats);
	if (!error)
		error = ktstr_json_read_array(json, "cgroups", read_cgroup, stats);
	if (error)
		ktstr_scenario_stats_deinit(stats);
	return error;
}

static json_t *outcome_to_json(const struct ktstr_outcome *outcome)
{
	json_t *detail = json_object(), *json = json_object();

	json_object_set_new(detail, "kind",
			    json_string(ktstr_detail_kind_name(outcome->detail.kind)));
	json_object_set_new(detail, "message", ktstr_json_text(outcome->detail.message));
	json_object_set_new(json, "kind", json_string(ktstr_outcome_name(outcome->kind)));
	json_object_set_new(json, "detail", detail);
	return json;
}

static json_t *outcomes_to_json(const struct ktstr_assert_result *result)
{
	bool all = result->outcomes_count <= KTSTR_JSON_ITEMS_MAX;
	enum ktstr_outcome_kind worst = ktstr_assert_result_kind(result);
	json_t *json = json_array();

	/* Too many to be read back: keep those that decide the verdict. */
	for (size_t i = 0; i < result->outcomes_count; i++)
		if ((all || result->outcomes[i].kind == worst) &&
		    json_array_size(json) < KTSTR_JSON_ITEMS_MAX)
			json_array_append_new(json, outcome_to_json(&result->outcomes[i]));
	return json;
}

json_t *ktstr_assert_result_to_json(const struct ktstr_assert_result *result)
{
	json_t *json = json_object(), *passes = json_array(), *notes = json_array();

	for (size_t i = 0; i < result->passes_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(passes, ktstr_fields_to_json(pass_fields,
								   ARRAY_SIZE(pass_fields),
								   &result->passes[i]));
	for (size_t i = 0; i < result->notes_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(notes, ktstr_json_text(result->notes[i]));
	json_object_set_new(json, "outcomes", outcomes_to_json(result));
	json_object_set_new(json, "passes", passes);
	json_object_set_new(json, "notes", notes);
	json_object_set_new(json, "stats", ktstr_stats_to_json(&result->stats));
	return json;
}

static struct ktstr_error *read_outcome_kind(const json_t *json, enum ktstr_outcome_kind *kind)
{
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY(ktstr_json_read_text(json, &text));
	/* PASS is the absence of outcomes and never one of them. */
	for (unsigned int i = KTSTR_OUTCOME_SKIP; i <= KTSTR_OUTCOME_FAIL; i++) {
		*kind = (enum ktstr_outcome_kind)i;
		if (strcmp(ktstr_outcome_name(*kind), text) == 0)
			return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "\"%.40s\" is no outcome", text);
}

static struct ktstr_error *read_detail_kind(const json_t *json, enum ktstr_detail_kind *kind)
{
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY(ktstr_json_read_text(json, &text));
	if (!ktstr_detail_kind_from_name(text, kind))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "\"%.40s\" is no kind of detail", text);
	return NULL;
}

static struct ktstr_error *read_outcome(const json_t *item, void *context)
{
	struct ktstr_assert_result *result = context;
	struct ktstr_outcome *outcome = APPEND_ZEROED(result->outcomes, result->outcomes_count);
	const json_t *detail = json_object_get(item, "detail");

	if (!json_is_object(item))
		return ktstr_json_mismatch(item, "an object");
	KTSTR_TRY_WRAP(read_outcome_kind(json_object_get(item, "kind"), &outcome->kind), "kind");
	if (!json_is_object(detail))
		return ktstr_error_wrap(ktstr_json_mismatch(detail, "an object"), "detail");
	KTSTR_TRY_WRAP(read_detail_kind(json_object_get(detail, "kind"), &outcome->detail.kind),
		       "detail: kind");
	KTSTR_TRY_WRAP(ktstr_json_read_text(json_object_get(detail, "message"),
					    &outcome->detail.message),
		       "detail: message");
	return NULL;
}

static struct ktstr_error *read_pass(const json_t *item, void *context)
{
	struct ktstr_assert_result *result = context;
	struct ktstr_pass_detail *pass = APPEND_ZEROED(result->passes, result->passes_count);

	KTSTR_TRY(ktstr_fields_from_json(pass_fields, ARRAY_SIZE(pass_fields), item, pass));
	/* Everybody who prints a pass relies on these three. */
	if (!pass->name || !pass->comparator || !pass->value)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: missing",
				       !pass->name	 ? "name" :
				       !pass->comparator ? "comparator" :
							   "value");
	return NULL;
}

static struct ktstr_error *read_note(const json_t *item, void *context)
{
	struct ktstr_assert_result *result = context;

	return ktstr_json_read_text(item, APPEND_ZEROED(result->notes, result->notes_count));
}

static struct ktstr_error *read_result(const json_t *json, struct ktstr_assert_result *result)
{
	if (!json_is_object(json))
		return ktstr_json_mismatch(json, "an object");
	/* Every list must be there: a verdict without outcomes would read as a pass. */
	KTSTR_TRY(ktstr_json_read_array(json, "outcomes", read_outcome, result));
	KTSTR_TRY(ktstr_json_read_array(json, "passes", read_pass, result));
	KTSTR_TRY(ktstr_json_read_array(json, "notes", read_note, result));
	KTSTR_TRY_WRAP(ktstr_stats_from_json(json_object_get(json, "stats"), &result->stats), "stats");
	return NULL;
}

struct ktstr_error *ktstr_assert_result_from_json(const json_t *json,
						  struct ktstr_assert_result *result)
{
	struct ktstr_error *error;

	*result = (struct ktstr_assert_result){ 0 };
	error = read_result(json, result);
	if (error)
		ktstr_assert_result_deinit(result);
	return error;
}
