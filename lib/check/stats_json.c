// SPDX-License-Identifier: GPL-2.0-only
/* JSON of statistics and phases, both directions. */
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "check/members.h"
#include "check/grow.h"
#include "check/json_util.h"
#include "check/phase_build.h"
#include "check/result_json.h"
#include "check/stats_build.h"
#include "ktstr/stats_claims.h"

/* Caps on what is read: names are compared with each other, so a hostile million would take for ever. */
enum { MAX_METRICS = 4096, MAX_PHASES = 4096, MAX_PHASE_CGROUPS = 4096 };

#define ROW(TAG, member) KTSTR_MEMBER(TAG, member),

static const struct ktstr_member cgroup_fields[] = {
	KTSTR_CGROUP_STATS_TEXTS(ROW) KTSTR_CGROUP_STATS_SETS(ROW) KTSTR_CGROUP_STATS_SCALARS(ROW)
};
static const struct ktstr_member scenario_fields[] = { KTSTR_SCENARIO_STATS_SCALARS(ROW) };
static const struct ktstr_member bucket_fields[] = { KTSTR_PHASE_BUCKET_SCALARS(ROW) };
static const struct ktstr_member phase_cgroup_fields[] = {
	KTSTR_PHASE_CGROUP_STATS_SETS(ROW) KTSTR_PHASE_CGROUP_STATS_SCALARS(ROW)
};

#define SAMPLES_ROW(TAG, member) { #member, offsetof(struct TAG, member) },
static const struct {
	const char *name;
	size_t offset;
} sample_lists[] = { KTSTR_PHASE_CGROUP_STATS_SAMPLES(SAMPLES_ROW) };

static json_t *metrics_to_json(const struct ktstr_metric_set *set)
{
	json_t *json = json_object();

	for (size_t i = 0; i < set->count && i < MAX_METRICS; i++) {
		_cleanup_free_ char *key = ktstr_json_key(set->items[i].name);

		json_object_set_new(json, key, json_real(set->items[i].value));
	}
	return json;
}

static json_t *samples_to_json(const struct ktstr_samples *samples)
{
	json_t *values = json_array();

	for (size_t i = 0; i < samples->count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(values, ktstr_json_u64(samples->values[i]));
	return json_pack("{so so}", "values", values, "total", ktstr_json_u64(samples->total));
}

static json_t *phase_cgroup_to_json(const struct ktstr_phase_cgroup_stats *cgroup)
{
	json_t *json = ktstr_struct_to_json(phase_cgroup_fields, ARRAY_SIZE(phase_cgroup_fields), cgroup);
	json_t *pcts = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(sample_lists); i++)
		json_object_set_new(json, sample_lists[i].name,
				    samples_to_json((const void *)((const char *)cgroup + sample_lists[i].offset)));
	for (size_t i = 0; i < cgroup->off_cpu_pcts_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(pcts, ktstr_json_f64(cgroup->off_cpu_pcts[i]));
	json_object_set_new(json, "off_cpu_pcts", pcts);
	json_object_set_new(json, "metrics", metrics_to_json(&cgroup->metrics));
	return json;
}

static json_t *bucket_to_json(const struct ktstr_phase_bucket *bucket)
{
	json_t *json = ktstr_struct_to_json(bucket_fields, ARRAY_SIZE(bucket_fields), bucket);
	json_t *cgroups = json_array();

	for (size_t i = 0; i < bucket->per_cgroup_count && i < MAX_PHASE_CGROUPS; i++)
		json_array_append_new(cgroups, phase_cgroup_to_json(&bucket->per_cgroup[i]));
	json_object_set_new(json, "metrics", metrics_to_json(&bucket->metrics));
	json_object_set_new(json, "per_cgroup", cgroups);
	return json;
}

static json_t *cgroup_to_json(const struct ktstr_cgroup_stats *cgroup)
{
	json_t *json = ktstr_struct_to_json(cgroup_fields, ARRAY_SIZE(cgroup_fields), cgroup);

	json_object_set_new(json, "ext_metrics", metrics_to_json(&cgroup->ext_metrics));
	return json;
}

json_t *ktstr_stats_to_json(const struct ktstr_scenario_stats *stats)
{
	json_t *json = ktstr_struct_to_json(scenario_fields, ARRAY_SIZE(scenario_fields), stats);
	json_t *cgroups = json_array(), *phases = json_array();

	for (size_t i = 0; i < stats->cgroups_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(cgroups, cgroup_to_json(&stats->cgroups[i]));
	for (size_t i = 0; i < stats->phases.count && i < MAX_PHASES; i++)
		json_array_append_new(phases, bucket_to_json(&stats->phases.items[i]));
	json_object_set_new(json, "cgroups", cgroups);
	json_object_set_new(json, "ext_metrics", metrics_to_json(&stats->ext_metrics));
	json_object_set_new(json, "phases", phases);
	return json;
}

void ktstr_stats_json_strip(json_t *json)
{
	json_t *bucket, *cgroup;
	size_t i, k;

	json_array_foreach(json_object_get(json, "phases"), i, bucket) {
		json_array_foreach(json_object_get(bucket, "per_cgroup"), k, cgroup) {
			for (size_t n = 0; n < ARRAY_SIZE(sample_lists); n++)
				json_array_clear(json_object_get(json_object_get(cgroup, sample_lists[n].name), "values"));
			json_array_clear(json_object_get(cgroup, "off_cpu_pcts"));
			json_object_set_new(cgroup, "stripped", json_true());
		}
	}
}

/* May be missing: results from before there were any have none. */
static struct ktstr_error *read_metrics(const json_t *object, const char *key, struct ktstr_metric_set *set)
{
	const json_t *json = json_object_get(object, key);
	const char *name;
	json_t *value;

	if (json && !json_is_object(json))
		return ktstr_error_wrap(ktstr_json_mismatch(json, "an object"), "%s", key);
	if (json_object_size(json) > MAX_METRICS)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %zu metrics, at most %d are read", key,
				       json_object_size(json), MAX_METRICS);
	json_object_foreach((json_t *)json, name, value) {
		if (!json_is_number(value))
			return ktstr_error_wrap(ktstr_json_mismatch(value, "a number"), "%s: %.40s", key, name);
		ktstr_metric_set_put(set, name, json_number_value(value));
	}
	return NULL;
}

static struct ktstr_error *read_cgroup(const json_t *item, void *context)
{
	struct ktstr_scenario_stats *stats = context;
	struct ktstr_cgroup_stats *cgroup = KTSTR_APPEND_ZEROED(stats->cgroups, stats->cgroups_count);

	KTSTR_TRY(ktstr_struct_from_json(cgroup_fields, ARRAY_SIZE(cgroup_fields), item, cgroup));
	if (!cgroup->cgroup_name)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "cgroup_name: missing");
	return read_metrics(item, "ext_metrics", &cgroup->ext_metrics);
}

static struct ktstr_error *read_sample(const json_t *item, void *context)
{
	uint64_t value;

	KTSTR_TRY(ktstr_json_read_u64(item, &value));
	ktstr_samples_append(context, value);
	return NULL;
}

static struct ktstr_error *read_samples(const json_t *json, struct ktstr_samples *samples)
{
	uint64_t total;

	KTSTR_TRY(ktstr_json_read_array(json, "values", read_sample, samples));
	KTSTR_TRY_WRAP(ktstr_json_read_u64(json_object_get(json, "total"), &total), "total");
	if (total < samples->count)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "total: %llu, fewer than the %zu values",
				       (unsigned long long)total, samples->count);
	samples->total = total;
	return NULL;
}

static struct ktstr_error *read_pct(const json_t *item, void *context)
{
	struct ktstr_phase_cgroup_stats *cgroup = context;

	return ktstr_json_read_f64(item,
				   KTSTR_APPEND_ZEROED(cgroup->off_cpu_pcts, cgroup->off_cpu_pcts_count));
}

static struct ktstr_error *read_phase_cgroup(const json_t *item, void *context)
{
	struct ktstr_phase_bucket *bucket = context;
	struct ktstr_phase_cgroup_stats *cgroup = KTSTR_APPEND_ZEROED(bucket->per_cgroup, bucket->per_cgroup_count);

	KTSTR_TRY(ktstr_struct_from_json(phase_cgroup_fields, ARRAY_SIZE(phase_cgroup_fields), item, cgroup));
	if (!cgroup->cgroup_name)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "cgroup_name: missing");
	for (size_t i = 0; i < ARRAY_SIZE(sample_lists); i++)
		KTSTR_TRY_WRAP(read_samples(json_object_get(item, sample_lists[i].name),
					    (void *)((char *)cgroup + sample_lists[i].offset)),
			       "%s", sample_lists[i].name);
	KTSTR_TRY(ktstr_json_read_array(item, "off_cpu_pcts", read_pct, cgroup));
	return read_metrics(item, "metrics", &cgroup->metrics);
}

static struct ktstr_error *check_count(const json_t *object, const char *key, size_t max)
{
	size_t count = json_array_size(json_object_get(object, key));

	if (count > max)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %zu items, at most %zu are read", key, count, max);
	return NULL;
}

/* Labels are ours to make; the number is what counts. */
static struct ktstr_error *read_bucket(const json_t *item, void *context)
{
	struct ktstr_phase_buckets *buckets = context;
	struct ktstr_phase_bucket *bucket = KTSTR_APPEND_ZEROED(buckets->items, buckets->count);
	char label[KTSTR_PHASE_TEXT_BYTES];

	KTSTR_TRY(ktstr_struct_from_json(bucket_fields, ARRAY_SIZE(bucket_fields), item, bucket));
	if (buckets->count > 1 && bucket->step_index <= bucket[-1].step_index)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "step_index: %u does not come after %u", bucket->step_index,
				       bucket[-1].step_index);
	free(bucket->label);
	bucket->label = ktstr_xstrdup(ktstr_phase_format(bucket->step_index, label));
	KTSTR_TRY(check_count(item, "per_cgroup", MAX_PHASE_CGROUPS));
	KTSTR_TRY(ktstr_json_read_array(item, "per_cgroup", read_phase_cgroup, bucket));
	return read_metrics(item, "metrics", &bucket->metrics);
}

static struct ktstr_error *read_stats(const json_t *json, struct ktstr_scenario_stats *stats)
{
	KTSTR_TRY(ktstr_struct_from_json(scenario_fields, ARRAY_SIZE(scenario_fields), json, stats));
	KTSTR_TRY(ktstr_json_read_array(json, "cgroups", read_cgroup, stats));
	KTSTR_TRY(read_metrics(json, "ext_metrics", &stats->ext_metrics));
	if (!json_object_get(json, "phases"))
		return NULL;
	KTSTR_TRY(check_count(json, "phases", MAX_PHASES));
	return ktstr_json_read_array(json, "phases", read_bucket, &stats->phases);
}

struct ktstr_error *ktstr_stats_from_json(const json_t *json, struct ktstr_scenario_stats *stats)
{
	struct ktstr_error *error;

	*stats = (struct ktstr_scenario_stats){ 0 };
	error = read_stats(json, stats);
	if (error)
		ktstr_scenario_stats_deinit(stats);
	return error;
}
