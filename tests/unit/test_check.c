// SPDX-License-Identifier: GPL-2.0-only
/* Verdicts, thresholds, claims and their JSON: each check once holding, once failing, once without signal. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "check/assert.h"
#include "check/json_util.h"
#include "check/result_json.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct ktstr_worker_report workers[4];
static struct ktstr_assert_result result;
static struct ktstr_default_limits limits;

/* Four healthy SpinWait workers of cg_0: tids 120.., 10 % off CPU, 1000 units per CPU second, CPUs 0-1. */
static int setup(void **state)
{
	(void)state;
	limits = ktstr_default_limits(false);
	for (unsigned int i = 0; i < 4; i++) {
		workers[i] = (struct ktstr_worker_report){
			.tid = 120 + (int)i,
			.index = i,
			.work_units = 900,
			.iterations = 90,
			.wall_time_ns = KTSTR_SEC(1),
			.cpu_time_ns = KTSTR_MS(900),
			.off_cpu_ns = KTSTR_MS(100),
			.max_gap_ns = KTSTR_MS(20),
		};
		ktstr_cpus_add(&workers[i].cpus_used, i % 2);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ktstr_assert_result_deinit(&result);
	return 0;
}

static void evaluate_in(const struct ktstr_cpus *cpuset, struct ktstr_assert assert, size_t count)
{
	ktstr_assert_result_deinit(&result);
	ktstr_assert_cgroup(&assert, &limits, "cg_0", cpuset, workers, count, &result);
}

#define evaluate(...) evaluate_in(NULL, (struct ktstr_assert){ __VA_ARGS__ }, 4)

static void expect_pass(const char *check, const char *comparator, const char *value,
			const char *expected)
{
	_cleanup_free_ char *name = ktstr_xasprintf("cgroup cg_0: %s", check);

	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
	for (size_t i = 0; i < result.passes_count; i++) {
		if (strcmp(result.passes[i].name, name) != 0)
			continue;
		assert_string_equal(result.passes[i].comparator, comparator);
		assert_string_equal(result.passes[i].value, value);
		assert_string_equal(result.passes[i].expected, expected);
		return;
	}
	fail_msg("no pass named %s", name);
}

static void expect_outcome(enum ktstr_outcome_kind kind, enum ktstr_detail_kind detail,
			   const char *message)
{
	assert_int_equal(result.outcomes_count, 1);
	assert_string_equal(result.outcomes[0].detail.message, message);
	assert_int_equal(result.outcomes[0].kind, kind);
	assert_int_equal(result.outcomes[0].detail.kind, detail);
	assert_int_equal(ktstr_assert_result_kind(&result), kind);
}

#define expect_fail(detail, message) expect_outcome(KTSTR_OUTCOME_FAIL, detail, message)

static void expect_silence(void)
{
	assert_int_equal(result.outcomes_count, 0);
	assert_int_equal(result.passes_count, 0);
}

/* Thresholds */

static void nothing_asserts_until_asked(void **state)
{
	(void)state;
	memset(workers, 0, sizeof(workers));
	evaluate(.not_stuck = KTSTR_UNSET);
	expect_silence();
	evaluate(.not_stuck = KTSTR_OFF, .isolation = KTSTR_OFF);
	expect_silence();
	assert_int_equal(result.stats.total_workers, 4); /* measured all the same */
}

static void not_stuck_holds(void **state)
{
	(void)state;
	workers[2].work_units = 5;
	evaluate(.not_stuck = true);
	expect_pass("not_stuck", "ge", "5", "1");
	expect_pass("max_gap_ms", "le", "20", "3000");
	expect_pass("max_spread_pct", "le", "0", "35");
}

static void not_stuck_fails_without_progress(void **state)
{
	(void)state;
	workers[1].work_units = 0;
	evaluate(.not_stuck = KTSTR_ON);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS,
		    "cgroup cg_0: worker 1 (tid 121, cg_0/1) made no progress: 0 work units in 1s "
		    "(limit: at least 1)");
}

static void not_stuck_fails_for_workers_that_ended(void **state)
{
	(void)state;
	workers[0] = (struct ktstr_worker_report){ .tid = 120, .exit = KTSTR_WORKER_EXITED,
						   .exit_code = 3 };
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS,
		    "cgroup cg_0: worker 0 (tid 120) ended before it was stopped: exit code 3");
	workers[0].exit = KTSTR_WORKER_SIGNALED;
	workers[0].exit_code = 11;
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_NO_PROGRESS,
		    "cgroup cg_0: worker 0 (tid 120) was killed by signal 11 (Segmentation fault)");
	workers[0].exit = KTSTR_WORKER_TIMED_OUT;
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_STUCK, "cgroup cg_0: worker 0 (tid 120) was stuck at the end: it did not "
					"answer the stop and was killed (limit 3000 ms)");
	evaluate(.min_work_rate = KTSTR_SOME(1));
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
	assert_int_equal(result.notes_count, 1); /* not judged, but told */
}

static void not_stuck_brings_the_default_gap_limit(void **state)
{
	(void)state;
	workers[1].max_gap_ns = KTSTR_MS(4200);
	workers[1].max_gap_cpu = 2;
	workers[1].max_gap_at_ns = KTSTR_MS(3100);
	evaluate(.not_stuck = true);
	expect_fail(KTSTR_DETAIL_STUCK, "cgroup cg_0: worker 1 (tid 121) was stuck for 4200 ms on CPU 2 at "
					"+3.1 s (limit 3000 ms)");
	evaluate(.not_stuck = true, .max_gap_ms = KTSTR_SOME(5000)); /* replaces the default */
	expect_pass("max_gap_ms", "le", "4200", "5000");
}

static void strict_limits_are_tighter(void **state)
{
	(void)state;
	workers[1].max_gap_ns = KTSTR_MS(2500);
	evaluate(.not_stuck = true);
	assert_int_equal(result.outcomes_count, 0);
	limits = ktstr_default_limits(true);
	evaluate(.not_stuck = true);
	assert_int_equal(result.outcomes_count, 1);
	assert_true(limits.max_gap_ms == 2000 && limits.max_spread_pct == 15);
}

static void max_gap_alone(void **state)
{
	(void)state;
	evaluate(.max_gap_ms = KTSTR_SOME(20)); /* equal is within */
	expect_pass("max_gap_ms", "le", "20", "20");
	workers[3].max_gap_ns++;
	evaluate(.max_gap_ms = KTSTR_SOME(20));
	expect_fail(KTSTR_DETAIL_STUCK, "cgroup cg_0: worker 3 (tid 123) was stuck for 20.000001 ms on CPU 0 "
					"at +0.0 s (limit 20 ms)");
	evaluate(.not_stuck = KTSTR_OFF, .max_gap_ms = KTSTR_SOME(0));
	assert_int_equal(result.outcomes_count, 4);
}

static void max_spread(void **state)
{
	(void)state;
	workers[0].off_cpu_ns = KTSTR_MS(120);
	workers[2].off_cpu_ns = KTSTR_MS(552);
	workers[1].off_cpu_ns = workers[3].off_cpu_ns = KTSTR_MS(300);
	evaluate(.max_spread_pct = KTSTR_SOME(50));
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
	assert_int_equal(result.passes_count, 1);
	evaluate(.not_stuck = true); /* by default 35 */
	expect_fail(KTSTR_DETAIL_UNFAIR, "cgroup cg_0: unfair: off-CPU time spread 43.2 % (12.0-55.2 %, "
					 "workers 0 and 2), limit 35 %");
	evaluate(.not_stuck = true, .max_spread_pct = KTSTR_SOME(44));
	assert_int_equal(result.outcomes_count, 0);
}

static void spread_needs_two_equal_workers(void **state)
{
	(void)state;
	workers[0].off_cpu_ns = KTSTR_MS(990);
	workers[0].group_idx = 1; /* a sleeper beside spinners */
	evaluate(.max_spread_pct = KTSTR_SOME(1));
	assert_int_equal(result.outcomes_count, 0);
	for (size_t i = 0; i < 4; i++)
		workers[i].group_idx = i;
	evaluate(.max_spread_pct = KTSTR_SOME(1));
	expect_silence();
	workers[1].group_idx = 0;
	workers[1].wall_time_ns = 0; /* not measured */
	evaluate(.max_spread_pct = KTSTR_SOME(1));
	expect_silence();
}

static void isolation(void **state)
{
	struct ktstr_cpus wide = ktstr_cpus_range(0, 4), narrow = ktstr_cpus_range(0, 2), empty = { 0 };

	(void)state;
	ktstr_cpus_add(&workers[2].cpus_used, 3);
	ktstr_cpus_add(&workers[2].cpus_used, 2);
	evaluate_in(&wide, (struct ktstr_assert){ .isolation = true }, 4);
	expect_pass("isolation", "subset_of", "0-3", "0-3");
	evaluate_in(&narrow, (struct ktstr_assert){ .isolation = true }, 4);
	expect_fail(KTSTR_DETAIL_ISOLATION,
		    "cgroup cg_0: worker 2 (tid 122) ran on CPU 2-3 outside the cgroup's cpuset 0-1");
	evaluate_in(NULL, (struct ktstr_assert){ .isolation = true }, 4); /* no cpuset, no signal */
	expect_silence();
	evaluate_in(&empty, (struct ktstr_assert){ .isolation = true }, 4);
	assert_int_equal(result.outcomes_count, 4);
}

static void min_work_rate(void **state)
{
	(void)state;
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_pass("min_work_rate", "ge", "1000", "1000");
	evaluate(.min_work_rate = KTSTR_SOME(1e9)); /* unreachable: one failure a worker */
	assert_int_equal(result.outcomes_count, 4);
	workers[2].work_units = 450;
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_fail(KTSTR_DETAIL_BENCHMARK,
		    "cgroup cg_0: worker 2 (tid 122) did 500.0 work units per CPU second, floor 1000");
}

static void min_work_rate_without_cpu_time(void **state)
{
	(void)state;
	workers[0].cpu_time_ns = 0; /* excluded, the others count */
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_pass("min_work_rate", "ge", "1000", "1000");
	for (size_t i = 0; i < 4; i++)
		workers[i].cpu_time_ns = 0;
	evaluate(.min_work_rate = KTSTR_SOME(1000));
	expect_outcome(KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
		       "cgroup cg_0: min_work_rate cannot be told: 3600 work units over 0 ns of CPU time in "
		       "all 4 workers, floor 1000 per CPU second");
}

static void max_p99_wake_latency(void **state)
{
	static uint64_t values[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		values[i] = KTSTR_US(100 - i); /* p99 = 99 us, the maximum does not count */
	workers[1].wake_latencies =
		(struct ktstr_reservoir){ .values_ns = values, .count = 100, .total_samples = 100 };
	evaluate(.max_p99_wake_latency_ns = KTSTR_SOME(KTSTR_US(99)));
	expect_pass("max_p99_wake_latency_ns", "le", "99000", "99000");
	evaluate(.max_p99_wake_latency_ns = KTSTR_SOME(KTSTR_US(99) - 1));
	expect_fail(KTSTR_DETAIL_BENCHMARK, "cgroup cg_0: p99 wake latency 99.000 us over 100 wakeups, limit "
					    "98.999 us");
	workers[1].wake_latencies = (struct ktstr_reservoir){ 0 };
	evaluate(.max_p99_wake_latency_ns = KTSTR_SOME(1));
	expect_silence();
}

static void without_workers_benchmarks_skip(void **state)
{
	(void)state;
	evaluate_in(NULL,
		    (struct ktstr_assert){ .not_stuck = true,
					   .isolation = true,
					   .min_work_rate = KTSTR_SOME(1),
					   .max_p99_wake_latency_ns = KTSTR_SOME(1) },
		    0);
	assert_int_equal(result.outcomes_count, 2);
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_SKIP);
	assert_string_equal(result.outcomes[0].detail.message,
			    "cgroup cg_0: min_work_rate skipped: no worker reports");
	assert_int_equal(result.outcomes[1].detail.kind, KTSTR_DETAIL_SKIP);
	assert_int_equal(result.stats.cgroups[0].num_workers, 0);
}

static void outcomes_come_in_the_order_of_the_checks(void **state)
{
	struct ktstr_cpus none = { 0 };

	(void)state;
	workers[0].work_units = 0;
	workers[0].max_gap_ns = KTSTR_SEC(9);
	workers[0].off_cpu_ns = KTSTR_MS(900);
	evaluate_in(&none,
		    (struct ktstr_assert){ .not_stuck = true,
					   .isolation = true,
					   .min_work_rate = KTSTR_SOME(1) },
		    1 + 1);
	assert_int_equal(result.outcomes_count, 6);
	assert_int_equal(result.outcomes[0].detail.kind, KTSTR_DETAIL_NO_PROGRESS);
	assert_int_equal(result.outcomes[1].detail.kind, KTSTR_DETAIL_UNFAIR);
	assert_int_equal(result.outcomes[2].detail.kind, KTSTR_DETAIL_STUCK);
	assert_int_equal(result.outcomes[3].detail.kind, KTSTR_DETAIL_ISOLATION);
	assert_int_equal(result.outcomes[5].detail.kind, KTSTR_DETAIL_BENCHMARK);
}

static void affinity_errors_are_noted(void **state)
{
	(void)state;
	workers[1].affinity_errno = EINVAL;
	evaluate(.not_stuck = true);
	assert_int_equal(result.notes_count, 1);
	assert_string_equal(result.notes[0], "cgroup cg_0: worker 1 (tid 121) could not set its CPU affinity: "
					     "Invalid argument");
}

/* Declarations */

static void later_layers_win_field_by_field(void **state)
{
	struct ktstr_assert scheduler = { .not_stuck = KTSTR_ON,
					  .isolation = KTSTR_ON,
					  .max_gap_ms = KTSTR_SOME(100),
					  .min_work_rate = KTSTR_SOME(7) };
	struct ktstr_assert test = { .isolation = KTSTR_OFF,
				     .max_gap_ms = KTSTR_SOME(200),
				     .max_spread_pct = KTSTR_SOME(20) };
	struct ktstr_assert none = { 0 }, merged = ktstr_assert_merge(&scheduler, &test);

	(void)state;
	assert_int_equal(merged.not_stuck, KTSTR_ON); /* unset does not override */
	assert_int_equal(merged.isolation, KTSTR_OFF); /* off does */
	assert_int_equal(merged.max_gap_ms.value, 200);
	assert_true(merged.max_spread_pct.set && merged.max_spread_pct.value == 20);
	assert_false(merged.max_p99_wake_latency_ns.set);
	assert_true(merged.min_work_rate.set && merged.min_work_rate.value == 7);
	merged = ktstr_assert_merge(&none, &none);
	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++)
		assert_false(ktstr_field_is_set(&ktstr_assert_fields[i], &merged));
}

static void the_table_covers_the_whole_struct(void **state)
{
	size_t end = 0;

	(void)state;
	for (size_t i = 0; i < KTSTR_ASSERT_FIELDS; i++) {
		assert_true(ktstr_assert_fields[i].offset >= end);
		end = ktstr_assert_fields[i].offset +
		      (ktstr_assert_fields[i].type == KTSTR_FIELD_SWITCH ? 4 : 16);
	}
	assert_int_equal(end, sizeof(struct ktstr_assert));
}

static void expect_invalid(struct ktstr_assert assert, const char *message)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_assert_validate(&assert);

	assert_non_null(error);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	assert_string_equal(ktstr_error_message(error), message);
}

static void senseless_thresholds_are_invalid(void **state)
{
	struct ktstr_assert good = { .not_stuck = true,
				     .max_gap_ms = KTSTR_SOME(UINT64_MAX),
				     .max_spread_pct = KTSTR_SOME(0) };

	(void)state;
	assert_null(ktstr_assert_validate(&good));
	expect_invalid((struct ktstr_assert){ .max_spread_pct = KTSTR_SOME(-1.5) },
		       "max_spread_pct: -1.5 is no threshold, it must be a finite number >= 0");
	expect_invalid((struct ktstr_assert){ .min_work_rate = KTSTR_SOME(NAN) },
		       "min_work_rate: nan is no threshold, it must be a finite number >= 0");
	expect_invalid((struct ktstr_assert){ .min_work_rate = KTSTR_SOME(INFINITY) },
		       "min_work_rate: inf is no threshold, it must be a finite number >= 0");
	expect_invalid((struct ktstr_assert){ .isolation = 3 },
		       "isolation: must be KTSTR_ON, KTSTR_OFF or unset");
}

static void printing_says_none_for_unset(void **state)
{
	struct ktstr_assert assert = { .not_stuck = KTSTR_ON,
				       .isolation = KTSTR_OFF,
				       .max_gap_ms = KTSTR_SOME(3000),
				       .max_spread_pct = KTSTR_SOME(12.5) };
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	ktstr_assert_print(&assert, out);
	fclose(out);
	assert_string_equal(text, "not_stuck                on\n"
				  "isolation                off\n"
				  "max_gap_ms               3000\n"
				  "max_spread_pct           12.5\n"
				  "max_p99_wake_latency_ns  none\n"
				  "min_work_rate            none\n");
}

static void thresholds_survive_json(void **state)
{
	struct ktstr_assert assert = { .not_stuck = KTSTR_ON,
				       .isolation = KTSTR_OFF,
				       .max_gap_ms = KTSTR_SOME(UINT64_MAX),
				       .max_spread_pct = KTSTR_SOME(0.1) };
	struct ktstr_assert back, empty;
	json_t *json = ktstr_assert_to_json(&assert), *nothing = json_object();

	(void)state;
	assert_true(json_is_true(json_object_get(json, "not_stuck")));
	assert_true(json_is_false(json_object_get(json, "isolation")));
	assert_true(json_is_null(json_object_get(json, "min_work_rate")));
	assert_null(ktstr_assert_from_json(json, &back));
	assert_int_equal(back.not_stuck, KTSTR_ON);
	assert_int_equal(back.isolation, KTSTR_OFF);
	assert_true(back.max_gap_ms.set && back.max_gap_ms.value == UINT64_MAX);
	assert_true(back.max_spread_pct.set && back.max_spread_pct.value == 0.1);
	assert_false(back.min_work_rate.set);
	assert_null(ktstr_assert_from_json(nothing, &empty));
	assert_int_equal(empty.not_stuck, KTSTR_UNSET);
	json_decref(json);
	json_decref(nothing);
}

static void refuse_assert(const char *text, const char *message)
{
	struct ktstr_assert assert;
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	_cleanup_error_ struct ktstr_error *error = ktstr_assert_from_json(json, &assert);

	json_decref(json);
	assert_non_null(error);
	assert_non_null(strstr(ktstr_error_message(error), message));
	assert_false(assert.max_gap_ms.set);
}

static void bad_thresholds_in_json_are_refused(void **state)
{
	(void)state;
	refuse_assert("{\"max_gap_ms\":1,\"max_spread_pct\":\"x\"}", "max_spread_pct: expected a number");
	refuse_assert("{\"max_gap_ms\":-1}", "max_gap_ms: ");
	refuse_assert("{\"max_gap_ms\":1,\"not_stuck\":1}", "not_stuck: expected true, false or null");
	refuse_assert("{\"max_gap_ms\":1,\"min_work_rate\":-1}", "min_work_rate: -1 is no threshold");
	refuse_assert("[]", "expected an object, got an array");
	refuse_assert("", "expected an object, got nothing");
}

/* Verdicts */

static void precedence_of_all_pairs(void **state)
{
	enum { P = KTSTR_OUTCOME_PASS, S = KTSTR_OUTCOME_SKIP, I = KTSTR_OUTCOME_INCONCLUSIVE,
	       F = KTSTR_OUTCOME_FAIL };
	static const int worst[4][4] = { [P] = { [P] = P, [S] = P, [I] = I, [F] = F },
					 [S] = { [P] = P, [S] = S, [I] = I, [F] = F },
					 [I] = { [P] = I, [S] = I, [I] = I, [F] = F },
					 [F] = { [P] = F, [S] = F, [I] = F, [F] = F } };

	(void)state;
	for (int a = P; a <= F; a++)
		for (int b = P; b <= F; b++)
			assert_int_equal(ktstr_outcome_worst(a, b), worst[a][b]);
}

/* A result of one kind; a pass is something that held. */
static void record_kind(struct ktstr_assert_result *into, enum ktstr_outcome_kind kind)
{
	if (kind == KTSTR_OUTCOME_PASS)
		ktstr_assert_record_pass(into, "x", "eq", "1", "1");
	else
		ktstr_assert_record(into, kind, KTSTR_DETAIL_OTHER, "because of %d", (int)kind);
}

static void merging_follows_the_precedence(void **state)
{
	(void)state;
	for (int a = KTSTR_OUTCOME_PASS; a <= KTSTR_OUTCOME_FAIL; a++) {
		for (int b = KTSTR_OUTCOME_PASS; b <= KTSTR_OUTCOME_FAIL; b++) {
			struct ktstr_assert_result left = { 0 }, right = { 0 };

			record_kind(&left, a);
			record_kind(&right, b);
			assert_int_equal(ktstr_assert_result_kind(&left), a);
			ktstr_assert_result_merge(&left, &right);
			assert_int_equal(ktstr_assert_result_kind(&left), ktstr_outcome_worst(a, b));
			assert_int_equal(ktstr_assert_result_kind(&right), KTSTR_OUTCOME_PASS);
			assert_null(right.outcomes);
			ktstr_assert_result_deinit(&left);
			ktstr_assert_result_deinit(&right);
		}
	}
}

static void an_empty_verdict_passes(void **state)
{
	(void)state;
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
	ktstr_assert_note(&result, "a note never affects the verdict: %d", 1);
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
}

static void merging_keeps_order_and_stats(void **state)
{
	struct ktstr_assert_result other = { 0 };
	struct ktstr_assert assert = { 0 };

	(void)state;
	ktstr_assert_record(&result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_STUCK, "first");
	ktstr_assert_record(&other, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "second");
	ktstr_assert_note(&other, "note");
	ktstr_assert_cgroup(&assert, &limits, "cg_1", NULL, workers, 4, &other);
	ktstr_assert_result_merge(&result, &other);
	assert_string_equal(result.outcomes[0].detail.message, "first");
	assert_string_equal(result.outcomes[1].detail.message, "second");
	assert_string_equal(result.notes[0], "note");
	assert_int_equal(result.stats.total_workers, 4);
	assert_non_null(ktstr_stats_cgroup(&result.stats, "cg_1"));
}

static void passes_beyond_the_cap_leave_a_sentinel(void **state)
{
	const struct ktstr_pass_detail *tail;

	(void)state;
	for (int i = 0; i < KTSTR_MAX_RECORDED_PASSES; i++)
		ktstr_claim_value(&result, "x", KTSTR_VALUE(i), KTSTR_CMP_eq, KTSTR_VALUE(i));
	assert_int_equal(result.passes_count, KTSTR_MAX_RECORDED_PASSES);
	assert_string_equal(result.passes[KTSTR_MAX_RECORDED_PASSES - 1].name, "x");
	for (int i = 0; i < 3; i++)
		ktstr_assert_record_pass(&result, "late", "eq", "1", NULL);
	assert_int_equal(result.passes_count, KTSTR_MAX_RECORDED_PASSES + 1);
	tail = &result.passes[result.passes_count - 1];
	assert_string_equal(tail->name, KTSTR_PASSES_TRUNCATION_SENTINEL_NAME);
	assert_string_equal(tail->comparator, KTSTR_PASSES_TRUNCATION_SENTINEL_COMPARATOR);
	assert_string_equal(tail->value, "cap=10000");
	assert_null(tail->expected);
}

static void merging_respects_the_cap(void **state)
{
	struct ktstr_assert_result other = { 0 };

	(void)state;
	for (int i = 0; i < KTSTR_MAX_RECORDED_PASSES - 5; i++)
		ktstr_assert_record_pass(&result, "left", "eq", "1", NULL);
	for (int i = 0; i < 10; i++)
		ktstr_assert_record_pass(&other, "right", "eq", "1", NULL);
	ktstr_assert_result_merge(&result, &other);
	assert_int_equal(result.passes_count, KTSTR_MAX_RECORDED_PASSES + 1);
	assert_string_equal(result.passes[KTSTR_MAX_RECORDED_PASSES].name,
			    KTSTR_PASSES_TRUNCATION_SENTINEL_NAME);
	/* What was truncated stays so when it becomes the right side. */
	ktstr_assert_record_pass(&other, "small", "eq", "1", NULL);
	ktstr_assert_result_merge(&other, &result);
	assert_int_equal(other.passes_count, KTSTR_MAX_RECORDED_PASSES + 1);
	assert_string_equal(other.passes[KTSTR_MAX_RECORDED_PASSES].name,
			    KTSTR_PASSES_TRUNCATION_SENTINEL_NAME);
	ktstr_assert_result_deinit(&other);
}

/* Names */

static void names_round_trip(void **state)
{
	enum ktstr_detail_kind kind;

	(void)state;
	for (int i = 0; i < KTSTR_DETAIL_KINDS; i++) {
		assert_true(ktstr_detail_kind_from_name(ktstr_detail_kind_name(i), &kind));
		assert_int_equal(kind, i);
	}
	assert_false(ktstr_detail_kind_from_name("noprogress", &kind));
	assert_string_equal(ktstr_detail_kind_name(KTSTR_DETAIL_NO_PROGRESS), "NoProgress");
	assert_string_equal(ktstr_outcome_name(KTSTR_OUTCOME_INCONCLUSIVE), "inconclusive");
	assert_string_equal(ktstr_outcome_name(77), "unknown");
}

static bool in_vocabulary(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(KTSTR_COMPARATOR_VOCABULARY); i++)
		if (strcmp(KTSTR_COMPARATOR_VOCABULARY[i], word) == 0)
			return true;
	return false;
}

static void every_recorded_comparator_is_in_the_vocabulary(void **state)
{
	static uint64_t sample = 5;
	struct ktstr_cpus cpuset = ktstr_cpus_range(0, 4);

	(void)state;
	workers[0].wake_latencies =
		(struct ktstr_reservoir){ .values_ns = &sample, .count = 1, .total_samples = 1 };
	evaluate_in(&cpuset,
		    (struct ktstr_assert){ .not_stuck = true,
					   .isolation = true,
					   .min_work_rate = KTSTR_SOME(1),
					   .max_p99_wake_latency_ns = KTSTR_SOME(5) },
		    4);
	for (int cmp = KTSTR_CMP_at_least; cmp <= KTSTR_CMP_ne; cmp++)
		for (int value = 1; value <= 3; value++)
			ktstr_claim_value(&result, "v", KTSTR_VALUE(value), cmp, KTSTR_VALUE(2));
	assert_int_equal(result.passes_count, 6 + 2 + 2 + 1 + 1 + 1 + 2);
	for (size_t i = 0; i < result.passes_count; i++)
		assert_true(in_vocabulary(result.passes[i].comparator));
}

/* Claims */

static bool holds(struct ktstr_value a, enum ktstr_comparator comparator, struct ktstr_value b)
{
	struct ktstr_assert_result one = { 0 };
	bool held;

	ktstr_claim_value(&one, "a", a, comparator, b);
	assert_int_equal(one.outcomes_count + one.passes_count, 1);
	held = one.passes_count == 1;
	ktstr_assert_result_deinit(&one);
	return held;
}

static void assert_order(struct ktstr_value a, struct ktstr_value b, int order)
{
	for (int swap = 0; swap < 2; swap++) {
		assert_int_equal(holds(a, KTSTR_CMP_lt, b), order < 0);
		assert_int_equal(holds(a, KTSTR_CMP_at_most, b), order <= 0);
		assert_int_equal(holds(a, KTSTR_CMP_eq, b), order == 0);
		assert_int_equal(holds(a, KTSTR_CMP_ne, b), order != 0);
		assert_int_equal(holds(a, KTSTR_CMP_at_least, b), order >= 0);
		assert_int_equal(holds(a, KTSTR_CMP_gt, b), order > 0);
		struct ktstr_value c = a;
		a = b;
		b = c;
		order = -order;
	}
}

static void claims_compare_by_value(void **state)
{
	unsigned long long big = 1ull << 63;

	(void)state;
	assert_order(KTSTR_VALUE(1), KTSTR_VALUE(2), -1);
	assert_order(KTSTR_VALUE(-2), KTSTR_VALUE(-1), -1);
	assert_order(KTSTR_VALUE(-1), KTSTR_VALUE(1u), -1); /* C would say greater */
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(UINT64_MAX), -1);
	assert_order(KTSTR_VALUE(INT64_MAX), KTSTR_VALUE(big), -1);
	assert_order(KTSTR_VALUE(7), KTSTR_VALUE((unsigned char)7), 0);
	assert_order(KTSTR_VALUE((_Bool)1), KTSTR_VALUE(1), 0);
	assert_order(KTSTR_VALUE(1.5), KTSTR_VALUE(1.5f), 0);
}

static void integers_and_doubles_compare_exactly(void **state)
{
	int64_t odd = (1ll << 53) + 1; /* no double has this value */

	(void)state;
	assert_order(KTSTR_VALUE(odd), KTSTR_VALUE(0x1p53), 1);
	assert_order(KTSTR_VALUE(-odd), KTSTR_VALUE(-0x1p53), -1);
	assert_order(KTSTR_VALUE(UINT64_MAX), KTSTR_VALUE(0x1p64), -1);
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(-0x1p63), 0);
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(-0x1p64), 1);
	assert_order(KTSTR_VALUE(1), KTSTR_VALUE(1.25), -1);
	assert_order(KTSTR_VALUE(-1), KTSTR_VALUE(-1.25), 1);
	assert_order(KTSTR_VALUE(0), KTSTR_VALUE(-0.0), 0);
	assert_order(KTSTR_VALUE(0u), KTSTR_VALUE(-0.5), 1);
	assert_order(KTSTR_VALUE(UINT64_MAX), KTSTR_VALUE(INFINITY), -1);
	assert_order(KTSTR_VALUE(INT64_MIN), KTSTR_VALUE(-INFINITY), 1);
	assert_order(KTSTR_VALUE(INFINITY), KTSTR_VALUE(INFINITY), 0);
}

static void nan_satisfies_nothing(void **state)
{
	struct ktstr_value others[] = { KTSTR_VALUE(0), KTSTR_VALUE(1u), KTSTR_VALUE(1.0),
					KTSTR_VALUE(NAN) };

	(void)state;
	for (int cmp = KTSTR_CMP_at_least; cmp <= KTSTR_CMP_ne; cmp++) {
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			assert_false(holds(KTSTR_VALUE(NAN), cmp, others[i]));
			assert_false(holds(others[i], cmp, KTSTR_VALUE(NAN)));
		}
	}
}

static void claims_name_their_expression(void **state)
{
	(void)state;
	ktstr_claim_value(&result, "stats->total_migrations", KTSTR_VALUE(UINT64_MAX), KTSTR_CMP_at_most,
			  KTSTR_VALUE(-1));
	expect_fail(KTSTR_DETAIL_OTHER,
		    "stats->total_migrations was 18446744073709551615, expected at_most -1");
	ktstr_assert_result_deinit(&result);
	ktstr_claim_value(&result, "x", KTSTR_VALUE(-NAN), KTSTR_CMP_ne, KTSTR_VALUE(0.1));
	expect_fail(KTSTR_DETAIL_OTHER, "x was nan, expected ne 0.1");
	ktstr_assert_result_deinit(&result);
	ktstr_claim_value(&result, "x", KTSTR_VALUE(3), KTSTR_CMP_at_least, KTSTR_VALUE(2.5));
	assert_string_equal(result.passes[0].name, "x");
	assert_string_equal(result.passes[0].comparator, "ge");
	assert_string_equal(result.passes[0].value, "3");
	assert_string_equal(result.passes[0].expected, "2.5");
}

static void absent_values_fail_their_claim(void **state)
{
	(void)state;
	ktstr_claim_opt(&result, "cv", (struct ktstr_opt_f64)KTSTR_SOME(0.5), KTSTR_CMP_lt, 1);
	assert_int_equal(ktstr_assert_result_kind(&result), KTSTR_OUTCOME_PASS);
	ktstr_claim_opt(&result, "cv", (struct ktstr_opt_f64)KTSTR_NONE, KTSTR_CMP_lt, 1);
	expect_fail(KTSTR_DETAIL_OTHER, "cv was not measured, expected lt 1");
}

/* JSON of verdicts */

static void verdicts_survive_json(void **state)
{
	struct ktstr_assert_result back;
	json_t *json, *again;

	(void)state;
	workers[1].work_units = 0;
	evaluate(.not_stuck = true, .min_work_rate = KTSTR_SOME(2000));
	ktstr_assert_record(&result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "quote \" and \xc3\xa4 and \n");
	ktstr_assert_record(&result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_MONITOR, "no samples");
	ktstr_assert_record_pass(&result, "bare", "is_finite", "1", NULL);
	ktstr_assert_note(&result, "a note");
	json = ktstr_assert_result_to_json(&result);
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_int_equal(back.outcomes_count, result.outcomes_count);
	assert_string_equal(back.outcomes[0].detail.message, result.outcomes[0].detail.message);
	assert_int_equal(ktstr_assert_result_kind(&back), KTSTR_OUTCOME_FAIL);
	assert_null(back.passes[back.passes_count - 1].expected);
	again = ktstr_assert_result_to_json(&back);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	/* What was read can be added to. */
	ktstr_assert_record(&back, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "one more");
	ktstr_assert_result_merge(&back, &result);
	ktstr_assert_result_deinit(&back);
}

static void json_has_the_documented_shape(void **state)
{
	json_t *json, *expected = json_loads(
		"{\"kind\":\"fail\",\"detail\":{\"kind\":\"NoProgress\",\"message\":\"m\"}}", 0, NULL);

	(void)state;
	ktstr_assert_record(&result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_NO_PROGRESS, "m");
	json = ktstr_assert_result_to_json(&result);
	assert_true(json_equal(json_array_get(json_object_get(json, "outcomes"), 0), expected));
	assert_true(json_is_array(json_object_get(json, "passes")));
	assert_true(json_is_array(json_object_get(json, "notes")));
	assert_true(json_is_object(json_object_get(json, "stats")));
	json_decref(json);
	json_decref(expected);
}

static void long_and_dirty_text_can_be_read_back(void **state)
{
	struct ktstr_assert_result back;
	_cleanup_free_ char *text = malloc(3 * KTSTR_JSON_TEXT_MAX + 1);
	json_t *json;

	(void)state;
	for (size_t i = 0; i < KTSTR_JSON_TEXT_MAX; i++)
		memcpy(text + 3 * i, "\xe2\x82\xac", 3); /* the euro sign: a cut must not split it */
	text[3 * KTSTR_JSON_TEXT_MAX] = 0;
	ktstr_assert_note(&result, "%s", text);
	memset(text, 0xff, 3 * KTSTR_JSON_TEXT_MAX);
	ktstr_assert_note(&result, "%s", text);
	json = ktstr_assert_result_to_json(&result);
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_true(strlen(back.notes[0]) > KTSTR_JSON_TEXT_MAX - 20);
	assert_string_equal(back.notes[0] + strlen(back.notes[0]) - 6, " [cut]");
	assert_memory_equal(back.notes[0], "\xe2\x82\xac", 3);
	assert_memory_equal(back.notes[1], "\\xff\\xff", 8);
	json_decref(json);
	ktstr_assert_result_deinit(&back);
}

static void too_many_outcomes_keep_the_verdict(void **state)
{
	struct ktstr_assert_result back;
	json_t *json;

	(void)state;
	for (int i = 0; i < KTSTR_JSON_ITEMS_MAX; i++)
		ktstr_assert_record(&result, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_OTHER, "?");
	ktstr_assert_record(&result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "last");
	json = ktstr_assert_result_to_json(&result);
	assert_null(ktstr_assert_result_from_json(json, &back));
	assert_int_equal(ktstr_assert_result_kind(&back), KTSTR_OUTCOME_FAIL);
	json_decref(json);
	ktstr_assert_result_deinit(&back);
}

#define STATS "\"stats\":{\"total_workers\":0,\"total_cpus\":0,\"total_migrations\":0,"                    \
	      "\"total_iterations\":0,\"worst_spread\":null,\"worst_gap_ms\":0,\"worst_gap_cpu\":0,"       \
	      "\"worst_migration_ratio\":0,\"cgroups\":[]}"
#define VERDICT(outcomes, passes, notes)                                                                   \
	"{\"outcomes\":" outcomes ",\"passes\":" passes ",\"notes\":" notes "," STATS "}"
#define OUTCOME(kind, detail) "{\"kind\":" kind ",\"detail\":" detail "}"

static void hostile_verdicts_are_refused_by_key(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[]", "expected an object, got an array" },
		{ "{}", "outcomes: expected an array, got nothing" },
		{ "{\"outcomes\":[],\"passes\":[],\"notes\":[]}", "stats: expected an object, got nothing" },
		{ VERDICT("{}", "[]", "[]"), "outcomes: expected an array, got an object" },
		{ VERDICT("[1]", "[]", "[]"), "outcomes[0]: expected an object, got a number" },
		{ VERDICT("[{}]", "[]", "[]"), "outcomes[0]: kind: expected text, got nothing" },
		{ VERDICT("[" OUTCOME("\"pass\"", "{}") "]", "[]", "[]"),
		  "outcomes[0]: kind: \"pass\" is no outcome" },
		{ VERDICT("[" OUTCOME("\"fail\"", "3") "]", "[]", "[]"),
		  "outcomes[0]: detail: expected an object, got a number" },
		{ VERDICT("[" OUTCOME("\"fail\"", "{\"kind\":\"Nope\",\"message\":\"\"}") "]", "[]", "[]"),
		  "outcomes[0]: detail: kind: \"Nope\" is no kind of detail" },
		{ VERDICT("[" OUTCOME("\"fail\"", "{\"kind\":\"Other\",\"message\":null}") "]", "[]", "[]"),
		  "outcomes[0]: detail: message: expected text, got null" },
		{ VERDICT("[]", "[{\"name\":\"x\",\"comparator\":\"eq\"}]", "[]"),
		  "passes[0]: value: missing" },
		{ VERDICT("[]", "[{\"name\":[]}]", "[]"), "passes[0]: name: expected text, got an array" },
		{ VERDICT("[]", "[]", "[\"ok\",false]"), "notes[1]: expected text, got false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].text, 0, NULL);
		_cleanup_error_ struct ktstr_error *error = NULL;

		assert_non_null(json);
		error = ktstr_assert_result_from_json(json, &result);
		json_decref(json);
		assert_non_null(error);
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
		assert_string_equal(ktstr_error_message(error), cases[i].message);
		assert_null(result.outcomes);
		assert_null(result.passes);
		assert_null(result.notes);
	}
}

static void a_minimal_verdict_is_read(void **state)
{
	json_t *json = json_loads(VERDICT("[]", "[]", "[]"), 0, NULL);

	(void)state;
	assert_null(ktstr_assert_result_from_json(json, &result));
	assert_true(isnan(result.stats.worst_spread)); /* null is not zero */
	json_decref(json);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_asserts_until_asked),
		TEST(not_stuck_holds),
		TEST(not_stuck_fails_without_progress),
		TEST(not_stuck_fails_for_workers_that_ended),
		TEST(not_stuck_brings_the_default_gap_limit),
		TEST(strict_limits_are_tighter),
		TEST(max_gap_alone),
		TEST(max_spread),
		TEST(spread_needs_two_equal_workers),
		TEST(isolation),
		TEST(min_work_rate),
		TEST(min_work_rate_without_cpu_time),
		TEST(max_p99_wake_latency),
		TEST(without_workers_benchmarks_skip),
		TEST(outcomes_come_in_the_order_of_the_checks),
		TEST(affinity_errors_are_noted),
		TEST(later_layers_win_field_by_field),
		TEST(the_table_covers_the_whole_struct),
		TEST(senseless_thresholds_are_invalid),
		TEST(printing_says_none_for_unset),
		TEST(thresholds_survive_json),
		TEST(bad_thresholds_in_json_are_refused),
		TEST(precedence_of_all_pairs),
		TEST(merging_follows_the_precedence),
		TEST(an_empty_verdict_passes),
		TEST(merging_keeps_order_and_stats),
		TEST(passes_beyond_the_cap_leave_a_sentinel),
		TEST(merging_respects_the_cap),
		TEST(names_round_trip),
		TEST(every_recorded_comparator_is_in_the_vocabulary),
		TEST(claims_compare_by_value),
		TEST(integers_and_doubles_compare_exactly),
		TEST(nan_satisfies_nothing),
		TEST(claims_name_their_expression),
		TEST(absent_values_fail_their_claim),
		TEST(verdicts_survive_json),
		TEST(json_has_the_documented_shape),
		TEST(long_and_dirty_text_can_be_read_back),
		TEST(too_many_outcomes_keep_the_verdict),
		TEST(hostile_verdicts_are_refused_by_key),
		TEST(a_minimal_verdict_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
