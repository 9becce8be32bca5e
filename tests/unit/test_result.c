// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of a run on disk: variant hash, sidecar keys, run directories, concurrent writers,
 * hostile files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "check/json_util.h"
#include "result/internal.h"
#include "result_fixture.h"
#include "scratch.h"

#define _cleanup_result_ _cleanup_(ktstr_test_result_deinit)

static int setup(void **state)
{
	if (make_scratch(state))
		return -1;
	setenv("KTSTR_RUNS_ROOT", scratch, 1);
	setenv("KTSTR_RUN_EPOCH", "1795383696000000007", 1);
	unsetenv("KTSTR_SIDECAR_DIR");
	unsetenv("KTSTR_PROJECT_COMMIT");
	unsetenv("KTSTR_CI");
	return 0;
}

static size_t count_files(const char *path, const char *suffix)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += ktstr_str_ends_with(entry->d_name, suffix);
	return count;
}

static void touch(const char *dir, const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);

	assert_ok(ktstr_write_file_atomic(path, "{}", 2));
}

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
	assert_int_equal(json_integer_value(json_object_get(json, "cpu_budget")), 4);
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

/* --- run directories and the store --- */

static void run_dir_is_named_after_kernel_and_commit(void **state)
{
	_cleanup_free_ char *path = NULL, *unknown = NULL, *expected = NULL,
			    *expected_unknown = NULL;

	(void)state;
	assert_ok(ktstr_run_dir_open("7.3", "abcdef1-dirty", &path));
	assert_ok(ktstr_run_dir_open(NULL, NULL, &unknown));
	expected = ktstr_xasprintf("%s/7.3-abcdef1-dirty", scratch);
	expected_unknown = ktstr_xasprintf("%s/unknown-unknown", scratch);
	assert_string_equal(path, expected);
	assert_string_equal(unknown, expected_unknown);
	assert_true(ktstr_path_exists(expected));
}

static void run_dir_name_cannot_leave_the_root(void **state)
{
	_cleanup_free_ char *path = NULL, *expected = NULL;

	(void)state;
	assert_ok(ktstr_run_dir_open("../../x", "a/b", &path));
	expected = ktstr_xasprintf("%s/_._.._x-a_b", scratch);
	assert_string_equal(strrchr(path, '/') + 1, "_._.._x-a_b");
	assert_string_equal(path, expected);
}

static void run_dir_is_cleared_once_per_epoch(void **state)
{
	_cleanup_free_ char *path = NULL, *again = NULL, *next = NULL;

	(void)state;
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	touch(path, "old-0000000000000000.ktstr.json");
	touch(path, "old-0000000000000000.console.log");
	touch(path, "old-0000000000000000.ktstr.json.tmp.abcdef");
	touch(path, "notes.txt");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &again));
	assert_int_equal(count_files(path, ".ktstr.json"), 1);
	setenv("KTSTR_RUN_EPOCH", "1795383700000000000", 1);
	assert_ok(ktstr_run_dir_open("7.3", NULL, &next));
	assert_int_equal(count_files(path, ".ktstr.json"), 0);
	assert_int_equal(count_files(path, ".console.log"), 0);
	assert_int_equal(count_files(path, ".abcdef"), 0);
	assert_int_equal(count_files(path, "notes.txt"), 1);
}

static void epoch_is_made_and_exported_when_unset(void **state)
{
	_cleanup_free_ char *path = NULL, *again = NULL, *first = NULL;

	(void)state;
	unsetenv("KTSTR_RUN_EPOCH");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	first = ktstr_xstrdup(getenv("KTSTR_RUN_EPOCH"));
	assert_true(strlen(first) >= 19);
	touch(path, "a-0000000000000000.ktstr.json");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &again));
	assert_string_equal(getenv("KTSTR_RUN_EPOCH"), first);
	assert_int_equal(count_files(path, ".ktstr.json"), 1);
}

static void sidecar_dir_is_used_as_it_is(void **state)
{
	_cleanup_free_ char *given = ktstr_xasprintf("%s/mine/deep", scratch), *path = NULL,
			    *next = NULL;
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	_cleanup_free_ char *locks = ktstr_xasprintf("%s/mine/.locks", scratch);

	(void)state;
	setenv("KTSTR_SIDECAR_DIR", given, 1);
	assert_ok(ktstr_run_dir_open("7.3", "abcdef1", &path));
	assert_string_equal(path, given);
	touch(path, "old-0000000000000000.ktstr.json");
	setenv("KTSTR_RUN_EPOCH", "99", 1);
	assert_ok(ktstr_run_dir_open("7.3", "abcdef1", &next));
	assert_ok(ktstr_result_store(next, &result));
	assert_int_equal(count_files(given, ".ktstr.json"), 2);
	assert_int_equal(count_files(given, ".ktstr_run_epoch"), 0);
	assert_false(ktstr_path_exists(locks));
}

static void stored_result_loads_with_its_logs(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail(), back = { 0 };
	_cleanup_free_ char *path = NULL, *moved = NULL, *sidecar = NULL;

	(void)state;
	fixture_text(&result.console, &result.console_length, "[    0.0] Linux\n");
	fixture_text(&result.scheduler_log, &result.scheduler_log_length, "attached\n");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	assert_ok(ktstr_result_store(path, &result));
	assert_non_null(
		strstr(result.sidecar_path, "/7.3-unknown/steady-" STEADY_HASH ".ktstr.json"));
	/* A run directory can be moved: files go by their bare names. */
	moved = ktstr_xasprintf("%s/archive", scratch);
	assert_int_equal(rename(path, moved), 0);
	sidecar = ktstr_xasprintf("%s%s", moved, strrchr(result.sidecar_path, '/'));
	assert_ok(ktstr_result_load(sidecar, &back));
	assert_string_equal(back.console, "[    0.0] Linux\n");
	assert_string_equal(back.scheduler_log, "attached\n");
	assert_true(ktstr_str_starts_with(back.console_path, moved));
}

static void sidecar_cannot_point_its_reader_elsewhere(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail(), back;
	json_t *json = ktstr_result_to_json(&result);

	(void)state;
	json_object_set_new(
		json, "files",
		json_pack("{ssss}", "console", "sub/../../etc/passwd", "scheduler_log", ".hidden"));
	assert_ok(ktstr_result_from_json(json, &back));
	assert_null(back.console_path);
	assert_null(back.scheduler_log_path);
	json_decref(json);
}

static void rerun_without_console_removes_the_old_one(void **state)
{
	_cleanup_result_ struct ktstr_test_result failed = fixture_fail(), passed = fixture_pass();
	_cleanup_free_ char *path = NULL;

	(void)state;
	fixture_text(&failed.console, &failed.console_length, "panic\n");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	assert_ok(ktstr_result_store(path, &failed));
	assert_int_equal(count_files(path, ".console.log"), 1);
	assert_ok(ktstr_result_store(path, &passed));
	assert_int_equal(count_files(path, ".console.log"), 0);
	assert_int_equal(count_files(path, ".ktstr.json"), 1);
	assert_null(passed.console_path);
}

static void rerun_that_passes_removes_the_dump(void **state)
{
	_cleanup_result_ struct ktstr_test_result failed = fixture_fail(), passed = fixture_pass();
	_cleanup_free_ char *path = NULL;

	(void)state;
	failed.failure_dump = ktstr_xstrdup("{}");
	fixture_text(&failed.output, &failed.output_length, "words\n");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	assert_ok(ktstr_result_store(path, &failed));
	assert_int_equal(count_files(path, ".failure-dump.json"), 1);
	assert_int_equal(count_files(path, ".output.log"), 1);
	assert_ok(ktstr_result_store(path, &passed));
	assert_int_equal(count_files(path, ".failure-dump.json"), 0);
	assert_int_equal(count_files(path, ".output.log"), 0);
}

enum { WRITERS = 20 };

/* Starts when the other end of the pipe is closed, together with all others. */
static int writer(int number, int start_fd)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *name = ktstr_xasprintf("test_%d", number), *path = NULL;
	struct ktstr_error *error;
	char start;

	if (read(start_fd, &start, 1) != 0)
		return 1;
	fixture_set(&result.test_name, name);
	fixture_text(&result.console, &result.console_length, "console\n");
	error = ktstr_run_dir_open("7.3", NULL, &path);
	if (!error)
		error = ktstr_result_store(path, &result);
	if (error)
		fprintf(stderr, "%s\n", ktstr_error_message(error));
	return !!error;
}

/*
 * All of them find an older epoch in the directory: exactly one clears, before any result is
 * stored.
 */
static void concurrent_writers_lose_nothing(void **state)
{
	_cleanup_free_ char *path = NULL;
	int start[2];

	(void)state;
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	touch(path, "old-0000000000000000.ktstr.json");
	setenv("KTSTR_RUN_EPOCH", "1795383800000000000", 1);
	assert_int_equal(pipe(start), 0);
	for (int i = 0; i < WRITERS; i++) {
		if (fork() == 0) {
			close(start[1]);
			_exit(writer(i, start[0]));
		}
	}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_files(path, ".ktstr.json"), WRITERS);
	assert_int_equal(count_files(path, ".console.log"), WRITERS);
	assert_int_equal(count_files(path, "old-0000000000000000.ktstr.json"), 0);
	for (int i = 0; i < WRITERS; i++) {
		_cleanup_result_ struct ktstr_test_result expected = fixture_fail(), back = { 0 };
		_cleanup_free_ char *name = ktstr_xasprintf("test_%d", i);
		_cleanup_free_ char *file = NULL;

		fixture_set(&expected.test_name, name);
		file = ktstr_xasprintf("%s/%s-" STEADY_HASH ".ktstr.json", path, name);
		assert_ok(ktstr_result_load(file, &back));
		assert_string_equal(back.test_name, name);
	}
}

/* In a child with a mount namespace of its own; exit code 77 where that is not allowed. */
static int fill_disk(int report_fd)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	struct ktstr_error *error;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", scratch, "tmpfs", 0, "size=64k"))
		return 77;
	setenv("KTSTR_SIDECAR_DIR", scratch, 1);
	result.console = ktstr_xcalloc(1, 1 << 20);
	result.console_length = 1 << 20;
	error = ktstr_result_store(scratch, &result);
	dprintf(report_fd, "%d %s", ktstr_error_code(error), ktstr_error_message(error));
	ktstr_error_free(error);
	return result.sidecar_path || result.console_path || count_files(scratch, "");
}

static void full_disk_is_reported_with_the_path(void **state)
{
	char text[1024] = "";
	int fds[2], status;
	_cleanup_free_ char *start = ktstr_xasprintf("%d cannot store the result of steady in %s",
						     KTSTR_ERR_NO_SPACE, scratch);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	if (fork() == 0)
		_exit(fill_disk(fds[1]) == 77 ? 77 : 0);
	close(fds[1]);
	assert_true(read(fds[0], text, sizeof(text) - 1) >= 0);
	close(fds[0]);
	wait(&status);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_true(ktstr_str_starts_with(text, start));
	assert_non_null(strstr(text, ".console.log"));
}

/* --- project commit --- */

static void run_git(const char *dir, const char *command)
{
	_cleanup_free_ char *script = ktstr_xasprintf(
		"cd %s && git -c user.name=t -c user.email=t@t -c init.defaultBranch=main %s", dir,
		command);
	const char *const argv[] = { "sh", "-c", script, NULL };

	assert_ok(ktstr_run_command(argv, 10000000000u, NULL, NULL));
}

static void project_commit_is_head_and_dirtiness(void **state)
{
	_cleanup_free_ char *clean = NULL, *dirty = NULL, *untracked = NULL, *given = NULL;
	_cleanup_free_ char *before = getcwd(NULL, 0);

	(void)state;
	assert_int_equal(chdir(scratch), 0);
	assert_null(ktstr_project_commit());
	run_git(scratch, "init -q");
	assert_null(ktstr_project_commit()); /* no commit yet */
	touch(scratch, "tracked");
	run_git(scratch, "add tracked");
	run_git(scratch, "commit -q -m first");
	clean = ktstr_project_commit();
	assert_non_null(clean);
	assert_int_equal(strlen(clean), 7);
	touch(scratch, "untracked");
	untracked = ktstr_project_commit();
	assert_string_equal(untracked, clean);
	assert_int_equal(truncate("tracked", 0), 0);
	dirty = ktstr_project_commit();
	assert_true(ktstr_str_starts_with(dirty, clean));
	assert_true(ktstr_str_ends_with(dirty, "-dirty"));
	setenv("KTSTR_PROJECT_COMMIT", "1234567", 1);
	given = ktstr_project_commit();
	assert_string_equal(given, "1234567");
	assert_int_equal(chdir(before), 0);
}

static void without_git_there_is_no_commit(void **state)
{
	_cleanup_free_ char *path = ktstr_xstrdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_null(ktstr_project_commit());
	setenv("PATH", path, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, remove_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(siphash13_matches_reference_vectors),
		TEST(variant_hash_ignores_order_of_sysctls_and_kargs),
		TEST(variant_hash_tells_every_input_apart),
		TEST(file_stem_is_stable_and_ignores_host_and_commit),
		TEST(file_stems_of_odd_names_stay_apart),
		TEST(sidecar_has_every_key_whatever_happened),
		TEST(the_schema_has_the_keys_of_a_sidecar_and_no_other),
		TEST(sidecar_of_a_zeroed_record_is_written),
		TEST(status_bits_are_exclusive),
		TEST(silence_of_the_guest_is_never_a_pass),
		TEST(sidecar_values_follow_the_spec),
		TEST(json_round_trip_keeps_everything),
		TEST(missing_nullable_keys_load_missing_others_do_not),
		TEST(status_that_contradicts_the_verdict_is_refused),
		TEST(mutated_json_never_breaks_the_reader),
		TEST(garbage_is_refused),
		TEST(bytes_that_are_no_utf8_still_make_a_sidecar),
		TEST(run_dir_is_named_after_kernel_and_commit),
		TEST(run_dir_name_cannot_leave_the_root),
		TEST(run_dir_is_cleared_once_per_epoch),
		TEST(epoch_is_made_and_exported_when_unset),
		TEST(sidecar_dir_is_used_as_it_is),
		TEST(stored_result_loads_with_its_logs),
		TEST(sidecar_cannot_point_its_reader_elsewhere),
		TEST(rerun_without_console_removes_the_old_one),
		TEST(rerun_that_passes_removes_the_dump),
		TEST(concurrent_writers_lose_nothing),
		TEST(full_disk_is_reported_with_the_path),
		TEST(project_commit_is_head_and_dirtiness),
		TEST(without_git_there_is_no_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
