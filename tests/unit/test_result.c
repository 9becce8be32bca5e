// SPDX-License-Identifier: GPL-2.0-only
/* The record of a run: variant hash, sidecar keys, hostile files. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "check/json_util.h"
#include "result/internal.h"
#include "result_fixture.h"
#include "runs_root.h"

#define _cleanup_result_ _cleanup_(ktstr_test_result_deinit)

/* --- variant hash --- */

/*
 * Reference output for k = 0; the texts agree with CPython's hash(bytes) under PYTHONHASHSEED=0,
 * also SipHash-1-3.
 */
static void siphash13_matches_reference_vectors(void **state)
{
	unsigned char counting[63];

	(void)state;
	for (size_t i = 0; i < sizeof(counting); i++)
		counting[i] = (unsigned char)i;
	assert_int_equal(ktstr_siphash13("", 0), 0xd1fba762150c532c);
	assert_int_equal(ktstr_siphash13(counting, 1), 0x68a914128e01e473);
	assert_int_equal(ktstr_siphash13(counting, 8), 0xead411e67ebe2eea);
	assert_int_equal(ktstr_siphash13(counting, 63), 0x385d3e39e5f37359);
	assert_int_equal(ktstr_siphash13("siphash", 7), 0x8264ceeccb16bcbe);
	assert_int_equal(ktstr_siphash13("digest-sip_hash", 15), 0xce31007e34130c0a);
}

static uint64_t hash_of(struct ktstr_variant variant)
{
	return ktstr_variant_hash(&variant);
}

static void variant_hash_ignores_order_of_sysctls_and_kargs(void **state)
{
	char *ab[] = { (char *)"a=1", (char *)"b=2", NULL };
	char *ba[] = { (char *)"b=2", (char *)"a=1", NULL };
	struct ktstr_strv first = { .items = ab, .count = 2 }, second = { .items = ba, .count = 2 };
	struct ktstr_variant variant = { .topology = "1n1l2c1t", .scheduler = "eevdf" };
	uint64_t hash;

	(void)state;
	variant.sysctls = &first;
	variant.kargs = &second;
	hash = hash_of(variant);
	variant.sysctls = &second;
	variant.kargs = &first;
	assert_int_equal(hash_of(variant), hash);
	/* Arguments of a scheduler mean what they mean in their order. */
	variant.scheduler_args = &first;
	hash = hash_of(variant);
	variant.scheduler_args = &second;
	assert_int_not_equal(hash_of(variant), hash);
}

static void variant_hash_tells_every_input_apart(void **state)
{
	char *items[] = { (char *)"ab", (char *)"c", NULL };
	char *joined[] = { (char *)"a", (char *)"bc", NULL };
	struct ktstr_strv list = { .items = items, .count = 2 };
	struct ktstr_strv shifted = { .items = joined, .count = 2 };
	uint64_t hashes[] = {
		hash_of((struct ktstr_variant){ .topology = "t", .scheduler = "s" }),
		hash_of((struct ktstr_variant){ .topology = "u", .scheduler = "s" }),
		hash_of((struct ktstr_variant){ .topology = "t", .scheduler = "r" }),
		hash_of((struct ktstr_variant){ .topology = "ts", .scheduler = "" }),
		hash_of((struct ktstr_variant){ .topology = "t", .scheduler = "s", .payload = "" }),
		hash_of((struct ktstr_variant){
			.topology = "t", .scheduler = "s", .work_type = "" }),
		hash_of((struct ktstr_variant){
			.topology = "t", .scheduler = "s", .scheduler_args = &list }),
		hash_of((struct ktstr_variant){
			.topology = "t", .scheduler = "s", .scheduler_args = &shifted }),
		hash_of((struct ktstr_variant){
			.topology = "t", .scheduler = "s", .sysctls = &list }),
		hash_of((struct ktstr_variant){
			.topology = "t", .scheduler = "s", .kargs = &list }),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(hashes[i], hashes[j]);
}

/* Names on disk are compared across versions: this value must never change. */
static void file_stem_is_stable_and_ignores_host_and_commit(void **state)
{
	_cleanup_result_ struct ktstr_test_result a = fixture_pass(), b = fixture_fail();
	_cleanup_free_ char *first = ktstr_result_file_stem(&a), *second = NULL;

	(void)state;
	fixture_set(&b.project_commit, "abcdef1-dirty");
	fixture_set(&b.kernel_release, "6.16");
	fixture_set(&b.accel, "kvm");
	second = ktstr_result_file_stem(&b);
	assert_string_equal(first, "steady-" STEADY_HASH);
	assert_string_equal(first, second);
}

static void file_stems_of_odd_names_stay_apart(void **state)
{
	_cleanup_result_ struct ktstr_test_result a = fixture_pass(), b = fixture_pass();
	_cleanup_free_ char *first = NULL, *second = NULL, *third = NULL, *name = NULL;

	(void)state;
	fixture_set(&a.test_name, "../etc/a b");
	fixture_set(&b.test_name, "../etc/a_b");
	first = ktstr_result_file_stem(&a);
	second = ktstr_result_file_stem(&b);
	assert_string_not_equal(first, second);
	assert_null(strchr(first, '/'));
	assert_int_equal(first[0], '_');
	name = ktstr_xmalloc(1000);
	memset(name, 'x', 999);
	name[999] = '\0';
	fixture_set(&a.test_name, name);
	third = ktstr_result_file_stem(&a);
	assert_true(strlen(third) < 200);
}

/* --- sidecar --- */

static const char *const every_key[] = {
	"test_name",
	"topology",
	"scheduler",
	"work_type",
	"payload",
	"passed",
	"skipped",
	"inconclusive",
	"expected_failure",
	"stats",
	"metrics",
	"monitor",
	"stimulus_events",
	"virtio_blk_counters",
	"verifier_stats",
	"kvm_stats",
	"periodic_fired",
	"periodic_target",
	"vcpus",
	"cpu_budget",
	"host_dilation",
	"throughput_denomination",
	"kernel_version",
	"kernel_commit",
	"project_commit",
	"scheduler_commit",
	"resolve_source",
	"timestamp",
	"run_id",
	"run_source",
	"sysctls",
	"kargs",
	"cleanup_duration_ms",
	"host",
	"perf_delta_assertions",
	/* ours */
	"schema_version",
	"full_name",
	"outcome",
	"cause",
	"verdict",
	"accel",
	"accel_reason",
	"qemu_version",
	"stages",
	"final_phase",
	"timed_out",
	"guest_exit_code",
	"crash_message",
	"corrupt_frames",
	"scheduler_args",
	"active_schedulers",
	"files",
	"reproduce",
	"duration_ns",
};

typedef struct ktstr_test_result (*make_fn)(void);
static const struct {
	make_fn make;
	enum ktstr_outcome_kind kind;
} makers[] = {
	{ fixture_pass, KTSTR_OUTCOME_PASS },
	{ fixture_fail, KTSTR_OUTCOME_FAIL },
	{ fixture_skip, KTSTR_OUTCOME_SKIP },
	{ fixture_inconclusive, KTSTR_OUTCOME_INCONCLUSIVE },
	{ fixture_never_booted, KTSTR_OUTCOME_FAIL },
};
#define MAKERS (sizeof(makers) / sizeof(makers[0]))

static void sidecar_has_every_key_whatever_happened(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAKERS; i++) {
		_cleanup_result_ struct ktstr_test_result result = makers[i].make();
		json_t *json = ktstr_result_to_json(&result);

		for (size_t k = 0; k < sizeof(every_key) / sizeof(every_key[0]); k++)
			if (!json_object_get(json, every_key[k]))
				fail_msg("result %zu: no key %s", i, every_key[k]);
		assert_true(
			json_is_array(json_object_get(json_object_get(json, "stats"), "cgroups")));
		assert_true(
			json_is_array(json_object_get(json_object_get(json, "stats"), "phases")));
		json_decref(json);
	}
}

/* Values are held against it in vm/results.bats. */
static void the_schema_has_the_keys_of_a_sidecar_and_no_other(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	json_t *json = ktstr_result_to_json(&result), *value;
	json_t *schema = json_load_file(KTSTR_SOURCE_DIR "/docs/schema/sidecar.schema.json", 0, NULL);
	const json_t *properties = json_object_get(schema, "properties");
	const char *key;

	(void)state;
	assert_non_null(schema);
	json_object_foreach(json, key, value)
		if (!json_object_get(properties, key))
			fail_msg("the schema lacks %s", key);
	assert_int_equal(json_object_size(properties), json_object_size(json));
	assert_int_equal(json_array_size(json_object_get(schema, "required")), json_object_size(json));
	json_decref(schema);
	json_decref(json);
}

static void sidecar_of_a_zeroed_record_is_written(void **state)
{
	struct ktstr_test_result result = { 0 };
	json_t *json = ktstr_result_to_json(&result);
	char *report = ktstr_result_report(&result, true);

	(void)state;
	for (size_t k = 0; k < sizeof(every_key) / sizeof(every_key[0]); k++)
		assert_non_null(json_object_get(json, every_key[k]));
	assert_string_equal(json_string_value(json_object_get(json, "outcome")), "fail");
	assert_non_null(strstr(report, "the guest did not start"));
	free(report);
	json_decref(json);
}

static void status_bits_are_exclusive(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAKERS; i++) {
		_cleanup_result_ struct ktstr_test_result result = makers[i].make();
		json_t *json = ktstr_result_to_json(&result);

		assert_int_equal(ktstr_test_result_kind(&result), makers[i].kind);
		assert_int_equal(json_is_true(json_object_get(json, "passed")),
				 makers[i].kind == KTSTR_OUTCOME_PASS);
		assert_int_equal(json_is_true(json_object_get(json, "skipped")),
				 makers[i].kind == KTSTR_OUTCOME_SKIP);
		assert_int_equal(json_is_true(json_object_get(json, "inconclusive")),
				 makers[i].kind == KTSTR_OUTCOME_INCONCLUSIVE);
		json_decref(json);
	}
}

static void silence_of_the_guest_is_never_a_pass(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();

	(void)state;
	result.guest_result_received = false;
	assert_int_equal(ktstr_test_result_kind(&result), KTSTR_OUTCOME_FAIL);
}

static const char *text_at(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void sidecar_values_follow_the_spec(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass(), skip = fixture_skip();
	json_t *json = ktstr_result_to_json(&result), *skipped;

	(void)state;
	assert_string_equal(text_at(json, "timestamp"), "2026-11-22T21:41:36Z");
	assert_string_equal(text_at(json, "run_id"), "20261122T214136Z-7");
	assert_string_equal(text_at(json, "run_source"), "local");
	assert_string_equal(text_at(json, "throughput_denomination"), "wall");
	assert_int_equal(json_integer_value(json_object_get(json, "cpu_budget")), 3);
	assert_string_equal(text_at(json, "kernel_commit"), "0123abc-dirty");
	assert_true(json_is_null(json_object_get(json, "project_commit")));
	assert_true(json_is_null(json_object_get(json, "cause")));
	assert_null(json_object_get(json_object_get(json, "verdict"), "stats"));
	json_decref(json);
	setenv("KTSTR_CI", "1", 1);
	skipped = ktstr_result_to_json(&skip);
	assert_string_equal(text_at(skipped, "run_source"), "ci");
	/* 0 = never booted */
	assert_int_equal(json_integer_value(json_object_get(skipped, "cpu_budget")), 0);
	assert_string_equal(text_at(skipped, "cause"), "needs 64 CPUs, this host can show 4");
	assert_true(json_is_null(json_object_get(skipped, "guest_exit_code")));
	json_decref(skipped);
}

static void json_round_trip_keeps_everything(void **state)
{
	(void)state;
	for (size_t i = 0; i < MAKERS; i++) {
		_cleanup_result_ struct ktstr_test_result result = makers[i].make(), back;
		json_t *json = ktstr_result_to_json(&result), *again;

		assert_ok(ktstr_result_from_json(json, &back));
		again = ktstr_result_to_json(&back);
		if (!json_equal(json, again)) {
			char *a = json_dumps(json, JSON_INDENT(1)),
			     *b = json_dumps(again, JSON_INDENT(1));

			fail_msg("result %zu:\n%s\n%s", i, a, b);
		}
		json_decref(json);
		json_decref(again);
	}
}

static void missing_nullable_keys_load_missing_others_do_not(void **state)
{
	static const char *const nullable[] = { "work_type", "host",  "project_commit",
						"monitor",   "cause", "stages",
						"output",    "files", "accel" };
	static const char *const required[] = { "test_name", "topology", "scheduler",
						"passed",    "stats",    "verdict" };
	_cleanup_result_ struct ktstr_test_result result = fixture_fail(), back;
	json_t *json = ktstr_result_to_json(&result);

	(void)state;
	for (size_t i = 0; i < sizeof(nullable) / sizeof(nullable[0]); i++)
		json_object_del(json, nullable[i]);
	assert_ok(ktstr_result_from_json(json, &back));
	assert_int_equal(ktstr_test_result_kind(&back), KTSTR_OUTCOME_FAIL);
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		json_t *copy = json_copy(json);
		struct ktstr_test_result bad;
		struct ktstr_error *error;

		json_object_del(copy, required[i]);
		error = ktstr_result_from_json(copy, &bad);
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
		assert_null(bad.test_name);
		ktstr_error_free(error);
		json_decref(copy);
	}
	json_decref(json);
}

static void status_that_contradicts_the_verdict_is_refused(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	struct ktstr_test_result back;
	json_t *json = ktstr_result_to_json(&result);
	struct ktstr_error *error;

	(void)state;
	json_object_set_new(json, "passed", json_true());
	error = ktstr_result_from_json(json, &back);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
	ktstr_error_free(error);
	json_decref(json);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Some value of any type; sometimes absurdly long. */
static json_t *random_value(uint64_t *seed)
{
	char *text;
	json_t *json;

	switch (next_random(seed) % 9) {
	case 0:
		return json_null();
	case 1:
		return json_true();
	case 2:
		return json_integer(-1);
	case 3:
		return json_integer((json_int_t)(next_random(seed) << 31));
	case 4:
		return json_real(1e300);
	case 5:
		return json_object();
	case 6:
		return json_array();
	case 7:
		return json_stringn("a\0b", 3);
	default:
		text = ktstr_xmalloc(100001);
		memset(text, 'x', 100000);
		text[100000] = '\0';
		json = json_string(text);
		free(text);
		return json;
	}
}

/* Replaces, removes or adds one value somewhere in the tree. */
static void mutate(json_t *json, uint64_t *seed)
{
	size_t size = json_is_object(json) ? json_object_size(json) : json_array_size(json);
	size_t pick = size ? next_random(seed) % size : 0, i = 0;
	const char *key = NULL;
	json_t *child = NULL;
	void *iter;

	if (json_is_object(json)) {
		for (iter = json_object_iter(json); iter && i < pick; i++)
			iter = json_object_iter_next(json, iter);
		key = iter ? json_object_iter_key(iter) : "new";
		child = iter ? json_object_iter_value(iter) : NULL;
	} else {
		child = json_array_get(json, pick);
	}
	if (child && (json_is_object(child) || json_is_array(child)) && next_random(seed) % 4)
		mutate(child, seed);
	else if (key && next_random(seed) % 3 == 0)
		json_object_del(json, key);
	else if (key)
		json_object_set_new(json, key, random_value(seed));
	else if (size)
		json_array_set_new(json, pick, random_value(seed));
	else
		json_array_append_new(json, random_value(seed));
}

static void mutated_json_never_breaks_the_reader(void **state)
{
	uint64_t seed = 1;
	size_t accepted = 0, refused = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		_cleanup_result_ struct ktstr_test_result result = makers[round % MAKERS].make();
		_cleanup_result_ struct ktstr_test_result back = { 0 };
		json_t *json = ktstr_result_to_json(&result);
		struct ktstr_error *error;

		for (int i = round % 4; i >= 0; i--)
			mutate(json, &seed);
		error = ktstr_result_from_json(json, &back);
		if (!error) {
			char *report = ktstr_result_report(&back, false);

			assert_true(strlen(report) > 0);
			free(report);
			accepted++;
		} else {
			assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
			refused++;
		}
		ktstr_error_free(error);
		json_decref(json);
	}
	assert_true(accepted > 100 && refused > 100);
}

static void garbage_is_refused(void **state)
{
	json_t *values[] = { NULL, json_null(), json_array(), json_object(), json_string("x") };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct ktstr_test_result back;
		struct ktstr_error *error = ktstr_result_from_json(values[i], &back);

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_CORRUPT);
		ktstr_error_free(error);
		json_decref(values[i]);
	}
}

static void bytes_that_are_no_utf8_still_make_a_sidecar(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	json_t *json;
	char *text;

	(void)state;
	result.crash_message = ktstr_xstrdup("BUG: \xff\xfe\x1b[2J");
	result.output = ktstr_xstrndup("a\033[31mb\xc3", 9);
	result.output_length = 8;
	json = ktstr_result_to_json(&result);
	text = json_dumps(json, 0);
	assert_non_null(text);
	assert_true(json_is_string(json_object_get(json, "crash_message")));
	assert_null(strchr(text_at(json, "output"), '\033'));
	free(text);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RUNS_ROOT(siphash13_matches_reference_vectors),
		IN_RUNS_ROOT(variant_hash_ignores_order_of_sysctls_and_kargs),
		IN_RUNS_ROOT(variant_hash_tells_every_input_apart),
		IN_RUNS_ROOT(file_stem_is_stable_and_ignores_host_and_commit),
		IN_RUNS_ROOT(file_stems_of_odd_names_stay_apart),
		IN_RUNS_ROOT(sidecar_has_every_key_whatever_happened),
		IN_RUNS_ROOT(the_schema_has_the_keys_of_a_sidecar_and_no_other),
		IN_RUNS_ROOT(sidecar_of_a_zeroed_record_is_written),
		IN_RUNS_ROOT(status_bits_are_exclusive),
		IN_RUNS_ROOT(silence_of_the_guest_is_never_a_pass),
		IN_RUNS_ROOT(sidecar_values_follow_the_spec),
		IN_RUNS_ROOT(json_round_trip_keeps_everything),
		IN_RUNS_ROOT(missing_nullable_keys_load_missing_others_do_not),
		IN_RUNS_ROOT(status_that_contradicts_the_verdict_is_refused),
		IN_RUNS_ROOT(mutated_json_never_breaks_the_reader),
		IN_RUNS_ROOT(garbage_is_refused),
		IN_RUNS_ROOT(bytes_that_are_no_utf8_still_make_a_sidecar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
