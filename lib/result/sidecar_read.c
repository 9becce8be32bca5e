// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a sidecar back. What it says may come from another process or another version: types are
 * checked, sizes capped, a nullable key may be missing, and nothing is left half read.
 */
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "check/json_util.h"
#include "check/perf_delta.h"
#include "check/result_json.h"
#include "disk/disk.h"
#include "host/host.h"
#include "net/counters.h"
#include "payload/payload.h"
#include "result/internal.h"
#include "result/stimulus_json.h"

enum { MAX_LIST_ITEMS = 4096, MAX_LOG_TAIL_BYTES = 1 << 20 };

#define MEMBER(name) offsetof(struct ktstr_test_result, name)

static const struct text_key {
	const char *name;
	size_t offset;
	bool required;
} text_keys[] = {
	{ "test_name", MEMBER(test_name), true },
	{ "topology", MEMBER(topology), true },
	{ "scheduler", MEMBER(scheduler), true },
	{ "full_name", MEMBER(full_name), false },
	{ "scheduler_binary", MEMBER(scheduler_binary), false },
	{ "resolve_source", MEMBER(resolve_source), false },
	{ "work_type", MEMBER(work_type), false },
	{ "payload", MEMBER(payload), false },
	{ "kernel_version", MEMBER(kernel_version), false },
	{ "kernel_release", MEMBER(kernel_release), false },
	{ "kernel_commit", MEMBER(kernel_commit), false },
	{ "project_commit", MEMBER(project_commit), false },
	{ "accel", MEMBER(accel), false },
	{ "accel_reason", MEMBER(accel_reason), false },
	{ "digest", MEMBER(digest), false },
	{ "start_mode", MEMBER(start_mode), false },
	{ "start_reason", MEMBER(start_reason), false },
	{ "qemu_version", MEMBER(qemu_version), false },
	{ "cause", MEMBER(cause), false },
	{ "crash_message", MEMBER(crash_message), false },
	{ "output", MEMBER(output), false },
};

static const struct {
	const char *name;
	size_t offset;
} list_keys[] = {
	{ "scheduler_args", MEMBER(scheduler_args) },
	{ "active_schedulers", MEMBER(active_schedulers) },
	{ "reproduce", MEMBER(reproduce) },
	{ "kargs", MEMBER(kargs) },
	{ "sysctls", MEMBER(sysctls) },
};

/* Names of stages are static in the record: a name that is none of these is left out. */
static const char *const stage_names[] = {
	"wait", "template", "boot", "spawn", "restore", "inject", "attach", "load", "unpack", "exec", "prepare", "run", "collect",
};

static struct ktstr_error *read_texts(const json_t *json, struct ktstr_test_result *result)
{
	for (size_t i = 0; i < sizeof(text_keys) / sizeof(text_keys[0]); i++) {
		const struct text_key *key = &text_keys[i];
		const json_t *value = json_object_get(json, key->name);

		if (!key->required && (!value || json_is_null(value)))
			continue;
		KTSTR_TRY_WRAP(ktstr_json_read_text(value, (char **)((char *)result + key->offset)),
			       "%s", key->name);
	}
	if (result->output)
		result->output_length = strlen(result->output);
	return NULL;
}

static struct ktstr_error *read_list(const json_t *json, const char *key, struct ktstr_strv *list)
{
	const json_t *array = json_object_get(json, key);

	if (!array || json_is_null(array))
		return NULL;
	if (!json_is_array(array))
		return ktstr_error_wrap(ktstr_json_mismatch(array, "an array"), "%s", key);
	if (json_array_size(array) > MAX_LIST_ITEMS)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %zu items, at most %d are read", key,
				       json_array_size(array), MAX_LIST_ITEMS);
	for (size_t i = 0; i < json_array_size(array); i++) {
		_cleanup_free_ char *text = NULL;

		KTSTR_TRY_WRAP(ktstr_json_read_text(json_array_get(array, i), &text), "%s[%zu]",
			       key, i);
		ktstr_strv_add(list, text);
	}
	return NULL;
}

static struct ktstr_error *read_number(const json_t *json, const char *key, uint64_t max,
				       uint64_t *number)
{
	const json_t *value = json_object_get(json, key);
	uint64_t read = 0;

	if (value && !json_is_null(value))
		KTSTR_TRY_WRAP(ktstr_json_read_u64(value, &read), "%s", key);
	if (read > max)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %llu, at most %llu makes sense", key,
				       (unsigned long long)read, (unsigned long long)max);
	*number = read;
	return NULL;
}

/* Those that may not have been made. */
static struct ktstr_error *read_measurements(const json_t *json, struct ktstr_test_result *result)
{
	const json_t *cleanup = json_object_get(json, "cleanup_duration_ms");
	const json_t *dilation = json_object_get(json, "host_dilation");

	if (cleanup && !json_is_null(cleanup)) {
		KTSTR_TRY(read_number(json, "cleanup_duration_ms", UINT64_MAX / 1000000, &result->cleanup_duration_ns.value));
		result->cleanup_duration_ns.value *= 1000000;
		result->cleanup_duration_ns.set = true;
	}
	if (dilation && !json_is_null(dilation)) {
		KTSTR_TRY_WRAP(ktstr_json_read_f64(dilation, &result->host_dilation.value), "host_dilation");
		result->host_dilation.set = true;
	}
	return NULL;
}

static struct ktstr_error *read_bool(const json_t *json, const char *key, bool required,
				     bool *value)
{
	const json_t *found = json_object_get(json, key);

	if (!required && (!found || json_is_null(found)))
		return NULL;
	if (!json_is_boolean(found))
		return ktstr_error_wrap(ktstr_json_mismatch(found, "true or false"), "%s", key);
	*value = json_is_true(found);
	return NULL;
}

static struct ktstr_error *read_phase(const json_t *json, struct ktstr_test_result *result)
{
	const char *name = json_string_value(json_object_get(json, "final_phase"));

	for (int phase = KTSTR_PHASE_NONE; name && phase <= KTSTR_PHASE_DONE; phase++) {
		if (!strcmp(name, ktstr_guest_phase_name((enum ktstr_guest_phase)phase))) {
			result->final_phase = (enum ktstr_guest_phase)phase;
			return NULL;
		}
	}
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "final_phase: not the name of a phase");
}

static struct ktstr_error *read_stages(const json_t *json, struct ktstr_test_result *result)
{
	const size_t max = sizeof(result->stages) / sizeof(result->stages[0]);
	const json_t *stages = json_object_get(json, "stages");

	if (stages && !json_is_null(stages) && !json_is_object(stages))
		return ktstr_error_wrap(ktstr_json_mismatch(stages, "an object"), "stages");
	for (size_t i = 0; i < sizeof(stage_names) / sizeof(stage_names[0]); i++) {
		struct ktstr_stage_time *stage = &result->stages[result->stages_count];

		if (!json_object_get(stages, stage_names[i]) || result->stages_count == max)
			continue;
		KTSTR_TRY_WRAP(read_number(stages, stage_names[i], UINT64_MAX, &stage->duration_ns),
			       "stages");
		stage->name = stage_names[i];
		result->stages_count++;
	}
	return NULL;
}

static int64_t parse_utc(const char *text)
{
	struct tm utc = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc) : NULL;

	return end && !*end ? (int64_t)timegm(&utc) : 0;
}

static struct ktstr_error *read_course(const json_t *json, struct ktstr_test_result *result)
{
	const json_t *exit_code = json_object_get(json, "guest_exit_code");
	uint64_t vcpus, cpu_budget, code;

	KTSTR_TRY(read_number(json, "vcpus", UINT_MAX, &vcpus));
	result->vcpus = (unsigned int)vcpus;
	KTSTR_TRY(read_number(json, "cpu_budget", UINT_MAX, &cpu_budget));
	result->cpu_budget = (unsigned int)cpu_budget;
	KTSTR_TRY(read_number(json, "memory_mib", UINT64_MAX, &result->memory_mib));
	KTSTR_TRY(read_number(json, "duration_ns", UINT64_MAX, &result->duration_ns));
	KTSTR_TRY(read_measurements(json, result));
	KTSTR_TRY(read_number(json, "corrupt_frames", UINT64_MAX, &result->corrupt_frames));
	KTSTR_TRY(read_number(json, "guest_exit_code", INT_MAX, &code));
	result->guest_exit_code = exit_code && !json_is_null(exit_code) ? (int)code : -1;
	KTSTR_TRY(read_bool(json, "guest_result_received", true, &result->guest_result_received));
	KTSTR_TRY(read_bool(json, "timed_out", false, &result->timed_out));
	KTSTR_TRY(read_bool(json, "expected_failure", false, &result->expected_failure));
	KTSTR_TRY(read_bool(json, "allow_inconclusive", false, &result->allow_inconclusive));
	KTSTR_TRY(read_bool(json, "deterministic", false, &result->deterministic));
	KTSTR_TRY(read_number(json, "seed", UINT64_MAX, &result->seed));
	if (json_is_object(json_object_get(json, "recipe")))
		result->recipe = json_incref(json_object_get(json, "recipe"));
	result->started_unix_seconds =
		parse_utc(json_string_value(json_object_get(json, "timestamp")));
	KTSTR_TRY(read_phase(json, result));
	return read_stages(json, result);
}

static struct ktstr_error *read_payload_run(const json_t *item, void *runs)
{
	json_t *clean;

	KTSTR_TRY(ktstr_payload_record_clean(item, &clean));
	json_array_append_new(runs, clean);
	return NULL;
}

/* Read and written again: only what we know of passes. */
static struct ktstr_error *read_host(const json_t *json, struct ktstr_test_result *result)
{
	const json_t *host = json_object_get(json, "host");
	struct ktstr_host_context context;

	if (!host || json_is_null(host))
		return NULL;
	KTSTR_TRY(ktstr_host_context_from_json(host, &context));
	result->host = ktstr_host_context_to_json(&context);
	ktstr_host_context_deinit(&context);
	return NULL;
}

static struct ktstr_error *read_payload_runs(const json_t *json, struct ktstr_test_result *result)
{
	if (!json_array_size(json_object_get(json, "metrics")))
		return NULL;
	result->payload_runs = json_array();
	return ktstr_json_read_array(json, "metrics", read_payload_run, result->payload_runs);
}

/* Texts that go to people and on to other files; what else an entry has is left out. */
static struct ktstr_error *read_scheduler_instance(const json_t *item, void *instances)
{
	static const char *const keys[] = { "name", "ops", "end", "log" };
	json_t *clean = json_object();

	json_object_set_new(clean, "instance", json_integer((json_int_t)json_array_size(instances) + 1));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set_new(clean, keys[i], ktstr_json_text(json_string_value(json_object_get(item, keys[i]))));
	json_array_append_new(instances, clean);
	return NULL;
}

static struct ktstr_error *read_scheduler_instances(const json_t *json, struct ktstr_test_result *result)
{
	if (!json_array_size(json_object_get(json, "scheduler_instances")))
		return NULL;
	result->scheduler_instances = json_array();
	return ktstr_json_read_array(json, "scheduler_instances", read_scheduler_instance, result->scheduler_instances);
}

/* Read and written again: only what we know of passes. */
static void read_disk_counters(const json_t *json, struct ktstr_test_result *result)
{
	const json_t *counters = json_object_get(json, "virtio_blk_counters");
	struct ktstr_virtio_blk_counters_snapshot known = ktstr_disk_counters_from_json(counters);

	if (json_is_object(counters))
		result->virtio_blk_counters = ktstr_disk_counters_to_json(&known);
}

/* The statistics are put back where the verdict's own reader expects them. */
static struct ktstr_error *read_verdict(const json_t *json, struct ktstr_test_result *result)
{
	json_t *verdict = json_object_get(json, "verdict"), *whole;
	struct ktstr_error *error;

	if (!json_is_object(verdict))
		return ktstr_error_wrap(ktstr_json_mismatch(verdict, "an object"), "verdict");
	whole = json_copy(verdict);
	if (json_object_get(json, "stats"))
		json_object_set(whole, "stats", json_object_get(json, "stats"));
	error = ktstr_assert_result_from_json(whole, &result->verdict);
	json_decref(whole);
	return error ? ktstr_error_wrap(error, "verdict") : NULL;
}

/* A sidecar whose status bits contradict its reasons was not written by us. */
static struct ktstr_error *check_status(const json_t *json, const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	bool passed, skipped, inconclusive;

	KTSTR_TRY(read_bool(json, "passed", true, &passed));
	KTSTR_TRY(read_bool(json, "skipped", true, &skipped));
	KTSTR_TRY(read_bool(json, "inconclusive", true, &inconclusive));
	if (passed != (kind == KTSTR_OUTCOME_PASS) || skipped != (kind == KTSTR_OUTCOME_SKIP) ||
	    inconclusive != (kind == KTSTR_OUTCOME_INCONCLUSIVE))
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "passed, skipped and inconclusive contradict the verdict, "
				       "which is %s",
				       ktstr_outcome_name(kind));
	return NULL;
}

/* Bare names only: a sidecar does not send its reader to other places. */
static char *file_beside(const json_t *json, const char *key)
{
	const char *name = json_string_value(json_object_get(json_object_get(json, "files"), key));

	if (!name || !*name || *name == '.' || strchr(name, '/') || strlen(name) > NAME_MAX)
		return NULL;
	return ktstr_xstrdup(name);
}

static struct ktstr_error *read_all(const json_t *json, struct ktstr_test_result *result)
{
	if (!json_is_object(json))
		return ktstr_json_mismatch(json, "an object");
	KTSTR_TRY(read_texts(json, result));
	for (size_t i = 0; i < sizeof(list_keys) / sizeof(list_keys[0]); i++)
		KTSTR_TRY(read_list(json, list_keys[i].name,
				    (struct ktstr_strv *)((char *)result + list_keys[i].offset)));
	KTSTR_TRY(read_course(json, result));
	KTSTR_TRY(read_payload_runs(json, result));
	KTSTR_TRY_WRAP(read_host(json, result), "host");
	KTSTR_TRY(read_scheduler_instances(json, result));
	read_disk_counters(json, result);
	KTSTR_TRY(ktstr_perf_delta_clean(json, &result->perf_delta_assertions));
	KTSTR_TRY(ktstr_stimulus_events_from_json(json, result));
	/* Only ever written down again: people see the notes. */
	if (json_array_size(json_object_get(json, "stalls")))
		result->stalls = json_incref(json_object_get(json, "stalls"));
	KTSTR_TRY(read_verdict(json, result));
	if (json_is_object(json_object_get(json, "monitor")))
		result->monitor = json_incref(json_object_get(json, "monitor"));
	result->networks = ktstr_net_counters_clean(json_object_get(json, "networks"));
	if (json_is_object(json_object_get(json, "captures")))
		result->captures = json_incref(json_object_get(json, "captures"));
	if (json_is_array(json_object_get(json, "verifier_stats")))
		result->verifier_stats = json_incref(json_object_get(json, "verifier_stats"));
	result->periodic_fired = (unsigned int)json_integer_value(json_object_get(json, "periodic_fired"));
	result->periodic_target = (unsigned int)json_integer_value(json_object_get(json, "periodic_target"));
	result->console_path = file_beside(json, "console");
	result->scheduler_log_path = file_beside(json, "scheduler_log");
	result->output_path = file_beside(json, "output");
	result->failure_dump_path = file_beside(json, "failure_dump");
	return check_status(json, result);
}

struct ktstr_error *ktstr_result_from_json(const json_t *json, struct ktstr_test_result *result)
{
	struct ktstr_error *error;

	*result = (struct ktstr_test_result){ .guest_exit_code = -1 };
	error = read_all(json, result);
	if (!error)
		return NULL;
	ktstr_test_result_deinit(result);
	return ktstr_error_wrap(error, "not a result");
}

/*
 * Replaces the bare name by a path in dir and reads the end of that file; a missing file is no
 * error.
 */
static void load_log(const char *dir, char **path, char **text, size_t *length)
{
	_cleanup_free_ char *name = ktstr_take(*path);
	_cleanup_fclose_ FILE *file = NULL;
	long size;

	if (!name)
		return;
	*path = ktstr_xasprintf("%s/%s", dir, name);
	file = fopen(*path, "re");
	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
		return;
	if (fseek(file, size > MAX_LOG_TAIL_BYTES ? size - MAX_LOG_TAIL_BYTES : 0, SEEK_SET))
		return;
	free(*text); /* a shorter end of it, from the sidecar */
	*text = ktstr_xmalloc(MAX_LOG_TAIL_BYTES + 1);
	*length = fread(*text, 1, MAX_LOG_TAIL_BYTES, file);
	(*text)[*length] = '\0';
}

static struct ktstr_error *load_json(const char *path, struct ktstr_test_result *result)
{
	_cleanup_free_ char *text = NULL;
	struct ktstr_error *error;
	json_error_t where;
	size_t length;
	json_t *json;

	KTSTR_TRY(ktstr_read_file(path, &text, &length));
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s:%d: %s", path, where.line,
				       where.text);
	error = ktstr_result_from_json(json, result);
	json_decref(json);
	return error ? ktstr_error_wrap(error, "%s", path) : NULL;
}

struct ktstr_error *ktstr_result_load(const char *sidecar_path, struct ktstr_test_result *result)
{
	_cleanup_free_ char *dir = ktstr_xstrdup(sidecar_path);
	char *slash = strrchr(dir, '/');

	*result = (struct ktstr_test_result){ .guest_exit_code = -1 };
	KTSTR_TRY(load_json(sidecar_path, result));
	if (slash)
		*slash = '\0';
	result->sidecar_path = ktstr_xstrdup(sidecar_path);
	load_log(slash ? dir : ".", &result->console_path, &result->console,
		 &result->console_length);
	load_log(slash ? dir : ".", &result->scheduler_log_path, &result->scheduler_log,
		 &result->scheduler_log_length);
	load_log(slash ? dir : ".", &result->output_path, &result->output, &result->output_length);
	if (result->failure_dump_path) {
		_cleanup_free_ char *name = ktstr_take(result->failure_dump_path);

		result->failure_dump_path = ktstr_xasprintf("%s/%s", slash ? dir : ".", name);
	}
	return NULL;
}
