// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the vectors of tests/model/check_model.py, an independent model of verdicts, claims, temporal patterns, folds,
 * percentiles, phases and monitor rules, and compares what the library says to what the model says.
 */
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "check/samples.h"
#include "check/stats_build.h"
#include "ktstr/monitor.h"
#include "ktstr/temporal.h"
#include "unit.h"

enum { MAX_ROWS = 64, MAX_CPUS = 2 };

static json_t *vectors;
static const json_t *current; /* shown when its test fails */
static struct ktstr_assert_result result;

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static double hex(const json_t *json)
{
	return strtod(json_string_value(json), NULL);
}

static enum ktstr_outcome_kind outcome_named(const char *name)
{
	for (int kind = KTSTR_OUTCOME_PASS; kind <= KTSTR_OUTCOME_FAIL; kind++)
		if (!strcmp(ktstr_outcome_name((enum ktstr_outcome_kind)kind), name))
			return (enum ktstr_outcome_kind)kind;
	fail_msg("no outcome %s", name);
	return KTSTR_OUTCOME_PASS;
}

static void assert_close(double a, double b)
{
	if (fabs(a - b) > 1e-9 * fmax(1, fabs(b)))
		fail_msg("%.17g, the model says %.17g", a, b);
}

static void assert_opt(struct ktstr_opt_f64 value, const json_t *expected)
{
	assert_int_equal(value.set, !json_is_null(expected));
	if (value.set)
		assert_close(value.value, hex(expected));
}

static void run_verdict(const json_t *vector)
{
	struct ktstr_assert_result branches[8] = { 0 };
	const json_t *packed = json_object_get(vector, "branches"), *branch, *outcome;
	const json_t *expected = json_object_get(vector, "outcomes");
	struct ktstr_outcome_ref ref;
	size_t i, k;

	json_array_foreach(packed, i, branch) {
		json_array_foreach(json_object_get(branch, "outcomes"), k, outcome)
			ktstr_assert_record(&branches[i], outcome_named(json_string_value(outcome)), KTSTR_DETAIL_OTHER,
					    "branch %zu", i);
		for (int n = (int)json_integer_value(json_object_get(branch, "passes")); n > 0; n--)
			ktstr_assert_record_pass(&branches[i], "held", "eq", "1", "1");
	}
	if (!strcmp(text_of(vector, "combine"), "all_of"))
		ktstr_assert_all_of(branches, json_array_size(packed), &result);
	else
		ktstr_assert_any_of(branches, json_array_size(packed), &result);
	assert_int_equal(result.outcomes_count, json_array_size(expected));
	json_array_foreach(expected, i, outcome)
		assert_int_equal(result.outcomes[i].kind, outcome_named(json_string_value(outcome)));
	assert_int_equal(result.passes_count, json_integer_value(json_object_get(vector, "passes")));
	ref = ktstr_assert_result_outcome(&result);
	assert_int_equal(ref.kind, outcome_named(text_of(vector, "kind")));
	k = (size_t)json_integer_value(json_object_get(vector, "first"));
	assert_ptr_equal(ref.detail, ref.detail ? &result.outcomes[k].detail : NULL);
}

static struct ktstr_value number(const json_t *json)
{
	const char *integer = text_of(json, "int");

	if (!integer)
		return ktstr_value_float(hex(json_object_get(json, "float")));
	return *integer == '-' ? ktstr_value_int(strtoll(integer, NULL, 10)) :
				 ktstr_value_uint(strtoull(integer, NULL, 10));
}

static void run_claim(const json_t *vector)
{
	static const char *const names[] = { "eq", "ne", "at_least", "at_most", "lt", "gt", "between", "near", "is_finite" };
	struct ktstr_claim claim = { &result, "v", number(json_object_get(vector, "value")) };
	int comparator = 0;
	bool held;

	while (strcmp(names[comparator], text_of(vector, "comparator")))
		comparator++;
	held = ktstr_claim_compare(claim, (enum ktstr_comparator)comparator, number(json_object_get(vector, "first")),
				   number(json_object_get(vector, "second")), (struct ktstr_claim_modifiers){ 0 });
	assert_int_equal(held, json_is_true(json_object_get(vector, "holds")));
	assert_int_equal(result.passes_count, held);
	assert_int_equal(result.outcomes_count, !held);
}

/* A series on the stack. */
struct rows {
	struct ktstr_series_f64 series;
	double values[MAX_ROWS];
	char *errors[MAX_ROWS];
	struct ktstr_opt_u64 elapsed_ms[MAX_ROWS];
	struct ktstr_opt_u32 phases[MAX_ROWS];
};

static void read_rows(const json_t *json, struct rows *rows)
{
	const json_t *row;
	size_t i;

	rows->series = (struct ktstr_series_f64){ .count = json_array_size(json),
						  .values = rows->values,
						  .errors = rows->errors,
						  .elapsed_ms = rows->elapsed_ms,
						  .phases = rows->phases };
	json_array_foreach(json, i, row) {
		const json_t *value = json_object_get(row, "value"), *ms = json_object_get(row, "ms");
		const json_t *phase = json_object_get(row, "phase");

		rows->values[i] = json_is_null(value) ? 0 : hex(value);
		rows->errors[i] = json_is_null(value) ? (char *)"lost" : NULL;
		rows->elapsed_ms[i] = (struct ktstr_opt_u64){ !json_is_null(ms), (uint64_t)json_integer_value(ms) };
		rows->phases[i] = (struct ktstr_opt_u32){ !json_is_null(phase), (uint32_t)json_integer_value(phase) };
	}
}

static bool run_pattern(const char *name, struct ktstr_series_claim claim, const double *args, const struct rows *other)
{
	if (!strcmp(name, "nondecreasing"))
		return ktstr_series_nondecreasing(claim);
	if (!strcmp(name, "strictly_increasing"))
		return ktstr_series_strictly_increasing(claim);
	if (!strcmp(name, "rate_within"))
		return ktstr_series_rate_within(claim, args[0], args[1]);
	if (!strcmp(name, "steady_within"))
		return ktstr_series_steady_within(claim, (uint64_t)args[0], args[1]);
	if (!strcmp(name, "converges_to"))
		return ktstr_series_converges_to(claim, args[0], args[1], (uint64_t)args[2]);
	if (!strcmp(name, "always_true"))
		return ktstr_series_always_true(claim);
	if (!strcmp(name, "ratio_within"))
		return ktstr_series_ratio_within(claim, KTSTR_SERIES_VIEW(&other->series), args[0], args[1]);
	if (!strcmp(name, "ratio_across_phases"))
		return ktstr_series_ratio_across_phases(claim, (uint16_t)args[0], (uint16_t)args[1], args[2]);
	if (!strcmp(name, "each_between"))
		return ktstr_each_claim_between(claim, args[0], args[1]);
	fail_msg("no pattern %s", name);
	return false;
}

static void run_temporal(const json_t *vector)
{
	struct rows rows, other = { 0 };
	double args[3] = { 0 };
	const json_t *arg;
	size_t i;
	bool held;
	const char *verdict = text_of(vector, "verdict"), *said;

	read_rows(json_object_get(vector, "rows"), &rows);
	if (json_is_array(json_object_get(vector, "other")))
		read_rows(json_object_get(vector, "other"), &other);
	json_array_foreach(json_object_get(vector, "args"), i, arg)
		args[i] = hex(arg);
	held = run_pattern(text_of(vector, "pattern"),
			   (struct ktstr_series_claim){ &result, "v", KTSTR_SERIES_VIEW(&rows.series) }, args, &other);
	said = result.outcomes_count ? ktstr_outcome_name(ktstr_assert_result_kind(&result)) :
	       result.passes_count   ? "pass" :
				       "vacuous";
	assert_string_equal(said, verdict);
	assert_int_equal(held, !result.outcomes_count);
	/* Nobody passes in silence: a pattern that claims nothing says so. */
	if (!strcmp(verdict, "vacuous"))
		assert_true(result.notes_count > 0);
}

static size_t read_points(const json_t *json, struct ktstr_metric_point *points)
{
	const json_t *point;
	size_t i;

	json_array_foreach(json, i, point)
		points[i] = (struct ktstr_metric_point){ hex(json_array_get(point, 0)),
							 json_number_value(json_array_get(point, 1)),
							 json_number_value(json_array_get(point, 2)) };
	return json_array_size(json);
}

static struct ktstr_opt_f64 fold(const char *level, enum ktstr_builtin_metric metric,
				 const struct ktstr_metric_point *points, size_t count)
{
	return !strcmp(level, "captures") ? ktstr_metric_fold_captures(metric, points, count) :
	       !strcmp(level, "phases")	  ? ktstr_metric_fold_phases(metric, points, count) :
					    ktstr_metric_fold_runs(metric, points, count);
}

static void run_fold(const json_t *vector)
{
	struct ktstr_metric_id id = ktstr_metric_id(text_of(vector, "metric"));
	struct ktstr_metric_point points[MAX_ROWS];
	size_t count = read_points(json_object_get(vector, "points"), points);
	struct ktstr_opt_f64 value = fold(text_of(vector, "level"), (enum ktstr_builtin_metric)id.builtin, points, count);

	assert_true(id.builtin >= 0);
	assert_opt(value, json_object_get(vector, "value"));
	/* And bit for bit the same the other way round. */
	for (size_t i = 0; i < count / 2; i++) {
		struct ktstr_metric_point swapped = points[i];

		points[i] = points[count - 1 - i];
		points[count - 1 - i] = swapped;
	}
	assert_true(value.value == fold(text_of(vector, "level"), (enum ktstr_builtin_metric)id.builtin, points,
					count).value);
}

/* The same parts as phases of a run, and as runs. */
static void run_ratio(const json_t *vector)
{
	struct ktstr_phase_buckets phases = { 0 };
	struct ktstr_metric_set sets[8] = { 0 }, folded;
	struct ktstr_metric_run runs[8] = { 0 };
	struct ktstr_scenario_stats stats = { 0 };
	const json_t *part;
	size_t i, count = json_array_size(json_object_get(vector, "parts"));

	phases.items = ktstr_xcalloc(count, sizeof(*phases.items));
	phases.count = count;
	json_array_foreach(json_object_get(vector, "parts"), i, part) {
		struct ktstr_metric_set *both[] = { &sets[i], &phases.items[i].metrics };

		phases.items[i].step_index = (uint16_t)(i + 1);
		for (size_t k = 0; k < 2; k++) {
			ktstr_metric_set_put(both[k], "total_phase_iterations", hex(json_array_get(part, 0)));
			ktstr_metric_set_put(both[k], "total_phase_duration_sec", hex(json_array_get(part, 1)));
			ktstr_metric_set_derive(both[k]);
		}
		runs[i].metrics = &sets[i];
	}
	folded = ktstr_metric_fold_run_sets(runs, count);
	assert_opt(ktstr_metric_set_get(&folded, "iteration_rate"), json_object_get(vector, "value"));
	stats.phases = phases;
	ktstr_scenario_stats_derive(&stats);
	assert_opt(ktstr_scenario_stats_run_metric(&stats, "iteration_rate"), json_object_get(vector, "value"));
	ktstr_scenario_stats_deinit(&stats);
	ktstr_metric_set_deinit(&folded);
	for (i = 0; i < count; i++)
		ktstr_metric_set_deinit(&sets[i]);
}

static void run_percentile(const json_t *vector)
{
	struct ktstr_samples samples[4] = { 0 };
	struct ktstr_sample_view views[4];
	struct ktstr_sample_summary summary;
	const json_t *pool, *value;
	size_t i, k, count = json_array_size(json_object_get(vector, "pools"));

	json_array_foreach(json_object_get(vector, "pools"), i, pool) {
		json_array_foreach(json_object_get(pool, "values"), k, value)
			ktstr_samples_append(&samples[i], (uint64_t)json_integer_value(value));
		samples[i].total = (uint64_t)json_integer_value(json_object_get(pool, "total"));
		views[i] = ktstr_samples_view(&samples[i]);
	}
	summary = ktstr_samples_summarise(views, count);
	assert_int_equal(summary.median, json_integer_value(json_object_get(vector, "median")));
	assert_int_equal(summary.p99, json_integer_value(json_object_get(vector, "p99")));
	assert_int_equal(summary.p999, json_integer_value(json_object_get(vector, "p999")));
	for (i = 0; i < count; i++)
		ktstr_samples_deinit(&samples[i]);
}

static void run_compare(const json_t *vector)
{
	static const char *const names[] = { "none", "better", "worse", "informational" };
	const struct ktstr_metric_def *def = ktstr_metric_id_def(ktstr_metric_id(text_of(vector, "metric")));
	enum ktstr_metric_change change =
		ktstr_metric_compare(def, json_number_value(json_object_get(vector, "before")),
				     json_number_value(json_object_get(vector, "after")), NULL);

	assert_string_equal(names[change], text_of(vector, "change"));
}

static void run_polarity(const json_t *vector)
{
	assert_close(ktstr_metric_worse(text_of(vector, "name"), 1, 2),
		     json_number_value(json_object_get(vector, "worse_of_1_and_2")));
}

static void run_monitor(const json_t *vector)
{
	struct ktstr_cpu_snapshot cpus[MAX_ROWS][MAX_CPUS] = { 0 };
	struct ktstr_monitor_sample samples[MAX_ROWS] = { 0 };
	struct ktstr_monitor_series series = { .samples = samples };
	struct ktstr_monitor_thresholds thresholds = KTSTR_MONITOR_THRESHOLDS_DEFAULT;
	const json_t *sample;
	size_t i, violations = (size_t)json_integer_value(json_object_get(vector, "violations"));

	json_array_foreach(json_object_get(vector, "samples"), i, sample) {
		for (size_t cpu = 0; cpu < MAX_CPUS; cpu++) {
			const json_t *running = json_object_get(sample, "nr_running");
			const json_t *depth = json_object_get(sample, "depth"), *clock = json_object_get(sample, "clock");

			cpus[i][cpu].nr_running = (uint32_t)json_integer_value(json_array_get(running, cpu));
			cpus[i][cpu].local_dsq_depth = (uint32_t)json_integer_value(json_array_get(depth, cpu));
			cpus[i][cpu].rq_clock = (uint64_t)json_integer_value(json_array_get(clock, cpu));
		}
		cpus[i][0].has_events = true;
		cpus[i][0].events.select_cpu_fallback.set = true;
		cpus[i][0].events.select_cpu_fallback.value = json_integer_value(json_object_get(sample, "fallback"));
		samples[i].elapsed_ms = (uint64_t)json_integer_value(json_object_get(sample, "ms"));
		samples[i].cpus = cpus[i];
		samples[i].cpus_count = MAX_CPUS;
		series.count++;
	}
	thresholds.sustained_samples = (unsigned int)json_integer_value(json_object_get(vector, "sustained"));
	thresholds.enforce = true;
	ktstr_monitor_evaluate(&thresholds, &series, &result);
	assert_int_equal(ktstr_assert_result_kind(&result), outcome_named(text_of(vector, "kind")));
	if (series.count)
		assert_int_equal(result.outcomes_count, violations);
	/* Without enforcement the same is said, and fails nothing. */
	ktstr_assert_result_deinit(&result);
	thresholds.enforce = false;
	ktstr_monitor_evaluate(&thresholds, &series, &result);
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
	assert_int_equal(result.notes_count, series.count ? violations : 1);
}

static void expect_buckets(const struct ktstr_phase_buckets *buckets, const json_t *expected)
{
	const json_t *bucket;
	size_t i;

	assert_int_equal(buckets->count, json_array_size(expected));
	json_array_foreach(expected, i, bucket) {
		const struct ktstr_phase_bucket *got = &buckets->items[i];
		const json_t *migrations = json_object_get(bucket, "migrations"), *rate = json_object_get(bucket, "rate");
		struct ktstr_opt_f64 value = ktstr_metric_set_get(&got->metrics, "total_migrations");

		assert_int_equal(got->step_index, json_integer_value(json_object_get(bucket, "phase")));
		assert_int_equal(got->start_ms, json_integer_value(json_object_get(bucket, "start")));
		assert_int_equal(got->end_ms, json_integer_value(json_object_get(bucket, "end")));
		assert_int_equal(got->sample_count, json_integer_value(json_object_get(bucket, "samples")));
		assert_int_equal(value.set, !json_is_null(migrations));
		if (value.set)
			assert_close(value.value, json_number_value(migrations));
		value = ktstr_metric_set_get(&got->metrics, "iteration_rate");
		assert_int_equal(value.set, !json_is_null(rate));
		if (value.set)
			assert_close(value.value, json_number_value(rate));
	}
}

static void run_phases(const json_t *vector)
{
	struct ktstr_stimulus_event events[MAX_ROWS] = { 0 };
	struct ktstr_phase_capture captures[MAX_ROWS] = { 0 };
	struct ktstr_named_value values[MAX_ROWS];
	struct ktstr_phase_sources sources = { .events = events, .captures = captures };
	struct ktstr_phase_buckets buckets = { 0 };
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(vector, "events"), i, item) {
		uint32_t step = (uint32_t)json_integer_value(json_object_get(item, "step"));
		uint64_t iterations = (uint64_t)json_integer_value(json_object_get(item, "iterations"));

		events[i] = (struct ktstr_stimulus_event){
			.elapsed_ms = (uint64_t)json_integer_value(json_object_get(item, "ms")),
			.step_index = KTSTR_SOME(step),
			.total_iterations = KTSTR_SOME(iterations),
			.is_step_end = json_is_true(json_object_get(item, "end")),
		};
		sources.events_count++;
	}
	events[sources.events_count++] = (struct ktstr_stimulus_event){
		.elapsed_ms = (uint64_t)json_integer_value(json_object_get(vector, "terminal")), .is_terminal = true
	};
	json_array_foreach(json_object_get(vector, "captures"), i, item) {
		uint64_t due = (uint64_t)json_integer_value(json_object_get(item, "due"));

		values[i] = (struct ktstr_named_value){ (char *)"total_migrations",
							json_number_value(json_object_get(item, "count")) };
		captures[i] = (struct ktstr_phase_capture){ .boundary_offset_ms = KTSTR_SOME(due),
							    .step_index = 999,
							    .values = &values[i],
							    .values_count = 1 };
		sources.captures_count++;
	}
	ktstr_phase_buckets_build(&sources, &buckets);
	expect_buckets(&buckets, json_object_get(vector, "buckets"));
	ktstr_phase_buckets_deinit(&buckets);
}

/* Runs all vectors of a family; a failure is shown with its vector. */
static void run_family(const char *name, void (*run)(const json_t *vector), size_t at_least)
{
	size_t i, count = 0;
	const json_t *vector;

	json_array_foreach(vectors, i, vector) {
		if (strcmp(text_of(vector, "family"), name))
			continue;
		count++;
		ktstr_assert_result_deinit(&result);
		current = vector;
		run(vector);
	}
	current = NULL;
	assert_true(count >= at_least);
}

#define FAMILY(name, at_least)                                                                     \
	static void name##_vectors(void **state)                                                   \
	{                                                                                          \
		(void)state;                                                                       \
		run_family(#name, run_##name, at_least);                                           \
	}

FAMILY(verdict, 100)
FAMILY(claim, 150)
FAMILY(temporal, 200)
FAMILY(fold, 100)
FAMILY(ratio, 10)
FAMILY(percentile, 20)
FAMILY(compare, 40)
FAMILY(polarity, 15)
FAMILY(monitor, 20)
FAMILY(phases, 15)

static int load(void **state)
{
	(void)state;
	vectors = json_load_file(CHECK_VECTORS, 0, NULL);
	return vectors ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(vectors);
	ktstr_assert_result_deinit(&result);
	return 0;
}

static int show_failed(void **state)
{
	_cleanup_free_ char *text = current ? json_dumps(current, JSON_COMPACT) : NULL;

	(void)state;
	if (text)
		print_message("last vector: %s\n", text);
	current = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(verdict_vectors, show_failed),
		cmocka_unit_test_teardown(claim_vectors, show_failed),
		cmocka_unit_test_teardown(temporal_vectors, show_failed),
		cmocka_unit_test_teardown(fold_vectors, show_failed),
		cmocka_unit_test_teardown(ratio_vectors, show_failed),
		cmocka_unit_test_teardown(percentile_vectors, show_failed),
		cmocka_unit_test_teardown(compare_vectors, show_failed),
		cmocka_unit_test_teardown(polarity_vectors, show_failed),
		cmocka_unit_test_teardown(monitor_vectors, show_failed),
		cmocka_unit_test_teardown(phases_vectors, show_failed),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
