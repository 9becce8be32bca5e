// SPDX-License-Identifier: GPL-2.0-only
/* Buckets of phases: finding, merging by number, and the metrics that their cgroups' samples give. */
#include <math.h>
#include <string.h>

#include "check/grow.h"
#include "check/phase_build.h"
#include "check/saturating.h"

static struct ktstr_phase_bucket *find(const struct ktstr_phase_buckets *buckets, uint16_t phase)
{
	for (size_t i = 0; i < buckets->count; i++)
		if (buckets->items[i].step_index == phase)
			return &buckets->items[i];
	return NULL;
}

const struct ktstr_phase_bucket *ktstr_phase_bucket_find(const struct ktstr_phase_buckets *buckets, uint16_t phase)
{
	return find(buckets, phase);
}

static struct ktstr_phase_cgroup_stats *find_cgroup(const struct ktstr_phase_bucket *bucket, const char *name)
{
	for (size_t i = 0; i < bucket->per_cgroup_count; i++)
		if (!strcmp(bucket->per_cgroup[i].cgroup_name, name))
			return &bucket->per_cgroup[i];
	return NULL;
}

const struct ktstr_phase_cgroup_stats *ktstr_phase_bucket_cgroup(const struct ktstr_phase_bucket *bucket,
								 const char *cgroup_name)
{
	return find_cgroup(bucket, cgroup_name);
}

static void bucket_deinit(struct ktstr_phase_bucket *bucket)
{
	for (size_t i = 0; i < bucket->per_cgroup_count; i++)
		ktstr_phase_cgroup_deinit(&bucket->per_cgroup[i]);
	free(bucket->per_cgroup);
	free(bucket->label);
	ktstr_metric_set_deinit(&bucket->metrics);
}

void ktstr_phase_buckets_deinit(struct ktstr_phase_buckets *buckets)
{
	for (size_t i = 0; i < buckets->count; i++)
		bucket_deinit(&buckets->items[i]);
	free(buckets->items);
	*buckets = (struct ktstr_phase_buckets){ 0 };
}

/* Keeps the order of phases. */
static struct ktstr_phase_bucket *insert(struct ktstr_phase_buckets *buckets, struct ktstr_phase_bucket bucket)
{
	size_t place = buckets->count;
	char text[KTSTR_PHASE_TEXT_BYTES];

	buckets->items = ktstr_grow(buckets->items, buckets->count, sizeof(*buckets->items));
	while (place > 0 && buckets->items[place - 1].step_index > bucket.step_index)
		place--;
	memmove(&buckets->items[place + 1], &buckets->items[place], (buckets->count - place) * sizeof(bucket));
	if (!bucket.label)
		bucket.label = ktstr_xstrdup(ktstr_phase_format(bucket.step_index, text));
	buckets->items[place] = bucket;
	buckets->count++;
	return &buckets->items[place];
}

struct ktstr_phase_bucket *ktstr_phase_buckets_get(struct ktstr_phase_buckets *buckets, uint16_t phase)
{
	return find(buckets, phase) ?: insert(buckets, (struct ktstr_phase_bucket){ .step_index = phase });
}

/* A bucket of worker slices alone has no times of its own. */
static bool has_times(const struct ktstr_phase_bucket *bucket)
{
	return bucket->end_ms > 0;
}

static void merge_times(struct ktstr_phase_bucket *into, const struct ktstr_phase_bucket *from)
{
	if (!has_times(from))
		return;
	if (!has_times(into) || from->start_ms < into->start_ms)
		into->start_ms = from->start_ms;
	if (from->end_ms > into->end_ms)
		into->end_ms = from->end_ms;
}

static void merge_metrics(struct ktstr_phase_bucket *into, struct ktstr_phase_bucket *from)
{
	for (size_t i = 0; i < from->metrics.count; i++) {
		const char *name = from->metrics.items[i].name;
		struct ktstr_metric_id id = ktstr_metric_id(name);
		const struct ktstr_metric_def *def = ktstr_metric_id_def(id);
		struct ktstr_opt_f64 had = ktstr_metric_set_get(&into->metrics, name), folded = KTSTR_NONE;
		struct ktstr_metric_point points[2] = {
			{ had.value, (double)into->sample_count, (double)into->end_ms },
			{ from->metrics.items[i].value, (double)from->sample_count, (double)from->end_ms },
		};

		if (!had.set) {
			ktstr_metric_set_put(&into->metrics, name, points[1].value);
			continue;
		}
		folded = def ? ktstr_metric_fold_phases((enum ktstr_builtin_metric)id.builtin, points, 2) :
			       ktstr_metric_mean(points, 2);
		/* What is derived and cannot be computed anew: the worse. */
		ktstr_metric_set_put(&into->metrics, name,
				     folded.set ? folded.value :
						  ktstr_metric_worse(name, points[0].value, points[1].value));
	}
}

static void merge_cgroups(struct ktstr_phase_bucket *into, struct ktstr_phase_bucket *from)
{
	for (size_t i = 0; i < from->per_cgroup_count; i++) {
		struct ktstr_phase_cgroup_stats *cgroup = &from->per_cgroup[i];
		struct ktstr_phase_cgroup_stats *same = find_cgroup(into, cgroup->cgroup_name);

		if (same) {
			ktstr_phase_cgroup_merge(same, cgroup);
			continue;
		}
		into->per_cgroup =
			ktstr_grow(into->per_cgroup, into->per_cgroup_count, sizeof(*into->per_cgroup));
		into->per_cgroup[into->per_cgroup_count++] = *cgroup;
		*cgroup = (struct ktstr_phase_cgroup_stats){ 0 };
	}
}

void ktstr_phase_buckets_add(struct ktstr_phase_buckets *buckets, struct ktstr_phase_bucket bucket)
{
	struct ktstr_phase_bucket *same = find(buckets, bucket.step_index);

	if (!same) {
		ktstr_phase_bucket_derive(insert(buckets, bucket));
		return;
	}
	merge_metrics(same, &bucket);
	merge_times(same, &bucket);
	same->sample_count = ktstr_add_saturating(same->sample_count, bucket.sample_count);
	merge_cgroups(same, &bucket);
	ktstr_phase_bucket_derive(same);
	bucket_deinit(&bucket);
}

void ktstr_phase_buckets_merge(struct ktstr_phase_buckets *into, struct ktstr_phase_buckets *from)
{
	for (size_t i = 0; i < from->count; i++)
		ktstr_phase_buckets_add(into, from->items[i]);
	free(from->items);
	*from = (struct ktstr_phase_buckets){ 0 };
}

/* A metric of the registry whose kind is SAMPLES, from the pooled samples. */
static struct ktstr_opt_f64 stat_of(const struct ktstr_metric_def *def, const struct ktstr_sample_summary *summary)
{
	switch (def->stat) {
	case KTSTR_STAT_MEDIAN:
		return (struct ktstr_opt_f64)KTSTR_SOME((double)summary->median / 1e3);
	case KTSTR_STAT_P99:
		return (struct ktstr_opt_f64)KTSTR_SOME((double)summary->p99 / 1e3);
	case KTSTR_STAT_P999:
		return (struct ktstr_opt_f64)KTSTR_SOME((double)summary->p999 / 1e3);
	case KTSTR_STAT_MEAN:
		return (struct ktstr_opt_f64)KTSTR_SOME(summary->mean / 1e3);
	case KTSTR_STAT_WORST:
		return (struct ktstr_opt_f64)KTSTR_SOME((double)summary->worst / 1e3);
	case KTSTR_STAT_CV:
		return summary->cv;
	case KTSTR_STAT_NONE:
		break;
	}
	return (struct ktstr_opt_f64)KTSTR_NONE;
}

static struct ktstr_sample_summary pool(const struct ktstr_phase_cgroup_stats *const *cgroups, size_t count,
					enum ktstr_sample_source source)
{
	_cleanup_free_ struct ktstr_sample_view *views = ktstr_xcalloc(count + 1, sizeof(*views));

	for (size_t i = 0; i < count; i++)
		views[i] = ktstr_samples_view(source == KTSTR_SOURCE_WAKE  ? &cgroups[i]->wake_latencies_ns :
					      source == KTSTR_SOURCE_TIMER ? &cgroups[i]->timer_latencies_ns :
									     &cgroups[i]->run_delays_ns);
	return ktstr_samples_summarise(views, count);
}

/* The per-cgroup name of a SAMPLES metric, for cgroups whose samples are gone: worst_p99_... -> p99_... */
static const char *cgroup_name_of(const struct ktstr_metric_def *def)
{
	if (def->source == KTSTR_SOURCE_RUN_DELAY && def->stat == KTSTR_STAT_WORST)
		return "max_run_delay_us";
	return def->name + strlen("worst_");
}

static void put_samples(const struct ktstr_phase_cgroup_stats *const *cgroups, size_t count,
			struct ktstr_metric_set *set)
{
	struct ktstr_sample_summary summaries[KTSTR_SOURCE_RUN_DELAY + 1] = { 0 };

	for (int source = KTSTR_SOURCE_WAKE; source <= KTSTR_SOURCE_RUN_DELAY; source++)
		summaries[source] = pool(cgroups, count, (enum ktstr_sample_source)source);
	for (size_t i = 0; i < KTSTR_METRICS_COUNT; i++) {
		const struct ktstr_metric_def *def = ktstr_metric_def((enum ktstr_builtin_metric)i);
		struct ktstr_metric_set fresh = { 0 };
		struct ktstr_opt_f64 value;

		if (def->kind != KTSTR_KIND_SAMPLES)
			continue;
		if (summaries[def->source].samples)
			ktstr_metric_set_put_worse(&fresh, def->name, stat_of(def, &summaries[def->source]));
		for (size_t k = 0; k < count; k++)
			if (cgroups[k]->stripped)
				ktstr_metric_set_put_worse(&fresh, def->name,
					  ktstr_metric_set_get(&cgroups[k]->metrics, cgroup_name_of(def)));
		value = ktstr_metric_set_get(&fresh, def->name);
		if (value.set)
			ktstr_metric_set_put(set, def->name, value.value);
		ktstr_metric_set_deinit(&fresh);
	}
}

void ktstr_phase_cgroups_metrics(const struct ktstr_phase_cgroup_stats *const *cgroups, size_t count,
				 struct ktstr_metric_set *set)
{
	uint64_t iterations = 0, migrations = 0, cpu_time_ns = 0;

	put_samples(cgroups, count, set);
	for (size_t i = 0; i < count; i++) {
		iterations = ktstr_add_saturating(iterations, cgroups[i]->total_iterations);
		migrations = ktstr_add_saturating(migrations, cgroups[i]->total_migrations);
		cpu_time_ns = ktstr_add_saturating(cpu_time_ns, cgroups[i]->total_cpu_time_ns);
	}
	if (!count)
		return;
	ktstr_metric_set_put(set, "total_iterations", (double)iterations);
	ktstr_metric_set_put(set, "total_migrations", (double)migrations);
	ktstr_metric_set_put(set, "total_cpu_time_ns", (double)cpu_time_ns);
	ktstr_metric_set_put(set, "total_iterations_pooled", (double)iterations);
	ktstr_metric_set_put(set, "total_cpu_time_sec", (double)cpu_time_ns / 1e9);
}

/* The lowest or highest of the cgroups, under the name that the run has for it. */
static void put_extremes(struct ktstr_phase_bucket *bucket)
{
	static const char *const names[][2] = {
		{ "iterations_per_worker", "worst_iterations_per_worker" },
		{ "page_locality", "worst_page_locality" },
		{ "cross_node_migration_ratio", "worst_cross_node_migration_ratio" },
		{ "migration_ratio", "worst_migration_ratio" },
		{ "off_cpu_spread_pct", "worst_spread" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ktstr_metric_set fresh = { 0 };
		struct ktstr_opt_f64 value;

		for (size_t k = 0; k < bucket->per_cgroup_count; k++)
			ktstr_metric_set_put_worse(&fresh, names[i][1],
				  ktstr_metric_set_get(&bucket->per_cgroup[k].metrics, names[i][0]));
		value = ktstr_metric_set_get(&fresh, names[i][1]);
		if (value.set)
			ktstr_metric_set_put(&bucket->metrics, names[i][1], value.value);
		ktstr_metric_set_deinit(&fresh);
	}
}

static void put_gap(struct ktstr_phase_bucket *bucket)
{
	double gap_ms = 0;

	for (size_t i = 0; i < bucket->per_cgroup_count; i++)
		gap_ms = fmax(gap_ms, bucket->per_cgroup[i].max_gap_ms);
	if (bucket->per_cgroup_count)
		ktstr_metric_set_put(&bucket->metrics, "worst_gap_ms", gap_ms);
}

void ktstr_phase_bucket_derive(struct ktstr_phase_bucket *bucket)
{
	_cleanup_free_ const struct ktstr_phase_cgroup_stats **cgroups =
		ktstr_xcalloc(bucket->per_cgroup_count + 1, sizeof(*cgroups));

	for (size_t i = 0; i < bucket->per_cgroup_count; i++)
		cgroups[i] = &bucket->per_cgroup[i];
	ktstr_phase_cgroups_metrics(cgroups, bucket->per_cgroup_count, &bucket->metrics);
	put_extremes(bucket);
	put_gap(bucket);
	ktstr_metric_set_derive(&bucket->metrics);
}
