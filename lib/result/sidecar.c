// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sidecar: a result as JSON. Keys are those that readers of run directories know; a key whose
 * feature does not exist yet is written as null or empty, so that a reader finds every key in every
 * file.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "check/json_util.h"
#include "check/result_json.h"
#include "result/internal.h"
#include "result/stimulus_json.h"

enum { SCHEMA_VERSION = 1, OUTPUT_KEPT_BYTES = 16 * 1024 };

static void set_text(json_t *json, const char *key, const char *text)
{
	json_object_set_new(json, key, ktstr_json_text(text));
}

static void set_number(json_t *json, const char *key, uint64_t number)
{
	json_object_set_new(json, key, ktstr_json_u64(number));
}

static void set_bool(json_t *json, const char *key, bool value)
{
	json_object_set_new(json, key, json_boolean(value));
}

static void set_list(json_t *json, const char *key, const struct ktstr_strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, ktstr_json_text(list->items[i]));
	json_object_set_new(json, key, array);
}

static void set_null(json_t *json, const char *key)
{
	json_object_set_new(json, key, json_null());
}

/*
 * A run of ktstr has one id, whichever process writes: the moment of its KTSTR_RUN_EPOCH and the ns
 * in it.
 */
static char *run_id(const struct ktstr_test_result *result)
{
	const char *token = ktstr_env("KTSTR_RUN_EPOCH");
	unsigned long long epoch_ns = token ? strtoull(token, NULL, 10) : 0;
	time_t seconds = (time_t)(epoch_ns ? (int64_t)(epoch_ns / 1000000000u)
					   : result->started_unix_seconds);
	struct tm utc = { 0 };
	char text[32] = "";

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &utc);
	return ktstr_xasprintf("%s-%llu", text, epoch_ns % 1000000000u);
}

static void add_identity(json_t *json, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *id = run_id(result);
	char when[32];

	set_number(json, "schema_version", SCHEMA_VERSION);
	set_text(json, "test_name", result->test_name);
	set_text(json, "full_name", result->full_name);
	set_text(json, "topology", result->topology);
	set_text(json, "scheduler", result->scheduler);
	set_text(json, "scheduler_binary", result->scheduler_binary);
	set_list(json, "scheduler_args", &result->scheduler_args);
	set_null(json, "scheduler_commit");
	set_text(json, "resolve_source", result->resolve_source);
	set_text(json, "work_type", result->work_type);
	set_text(json, "payload", result->payload);
	set_text(json, "kernel_version", result->kernel_version);
	set_text(json, "kernel_release", result->kernel_release);
	set_text(json, "kernel_commit", result->kernel_commit);
	set_text(json, "project_commit", result->project_commit);
	set_text(json, "timestamp", ktstr_format_utc(result->started_unix_seconds, when));
	set_text(json, "run_id", id);
	set_text(json, "run_source", ktstr_env("KTSTR_CI") ? "ci" : "local");
}

/*
 * The statistics have a key of their own, where comparisons look for them; the verdict does not
 * repeat them.
 */
static void add_verdict(json_t *json, const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	_cleanup_free_ char *cause =
		kind == KTSTR_OUTCOME_PASS ? NULL : ktstr_result_cause_line(result);
	json_t *verdict = ktstr_assert_result_to_json(&result->verdict);
	json_t *stats = json_incref(json_object_get(verdict, "stats"));

	json_object_del(verdict, "stats");
	ktstr_stats_json_strip(stats);
	set_text(json, "outcome", ktstr_outcome_name(kind));
	set_bool(json, "passed", kind == KTSTR_OUTCOME_PASS);
	set_bool(json, "skipped", kind == KTSTR_OUTCOME_SKIP);
	set_bool(json, "inconclusive", kind == KTSTR_OUTCOME_INCONCLUSIVE);
	set_bool(json, "expected_failure", result->expected_failure);
	set_bool(json, "allow_inconclusive", result->allow_inconclusive);
	set_text(json, "cause", cause);
	json_object_set_new(json, "verdict", verdict);
	json_object_set_new(json, "stats", stats);
}

static json_t *or_empty(json_t *list)
{
	return list ? json_incref(list) : json_array();
}

static void add_machine(json_t *json, const struct ktstr_test_result *result)
{
	bool booted = result->guest_result_received || result->final_phase != KTSTR_PHASE_NONE;

	set_number(json, "vcpus", result->vcpus);
	set_number(json, "cpu_budget", booted ? result->cpu_budget : 0);
	set_number(json, "memory_mib", result->memory_mib);
	set_text(json, "accel", result->accel);
	set_text(json, "accel_reason", result->accel_reason);
	json_object_set_new(json, "deterministic", json_boolean(result->deterministic));
	json_object_set_new(json, "seed", result->deterministic ? json_integer((json_int_t)result->seed) : json_null());
	set_text(json, "digest", result->digest);
	json_object_set_new(json, "recipe", result->recipe ? json_incref(result->recipe) : json_null());
	set_text(json, "start_mode", result->start_mode);
	set_text(json, "start_reason", result->start_reason);
	set_text(json, "qemu_version", result->qemu_version);
	json_object_set_new(json, "networks", or_empty(result->networks));
	json_object_set_new(json, "host", result->host ? json_incref(result->host) : json_null());
	set_list(json, "sysctls", &result->sysctls);
	set_list(json, "kargs", &result->kargs);
}

static void add_course(json_t *json, const struct ktstr_test_result *result)
{
	json_t *stages = json_object();

	for (size_t i = 0; i < result->stages_count; i++)
		set_number(stages, result->stages[i].name, result->stages[i].duration_ns);
	set_number(json, "duration_ns", result->duration_ns);
	json_object_set_new(json, "stages", stages);
	set_text(json, "final_phase", ktstr_guest_phase_name(result->final_phase));
	set_bool(json, "guest_result_received", result->guest_result_received);
	set_bool(json, "timed_out", result->timed_out);
	json_object_set_new(json, "guest_exit_code",
			    result->guest_exit_code < 0 ? json_null()
							: json_integer(result->guest_exit_code));
	json_object_set_new(json, "metrics",
			    result->payload_runs ? json_incref(result->payload_runs) : json_array());
	set_text(json, "crash_message", result->crash_message);
	set_number(json, "corrupt_frames", result->corrupt_frames);
	set_list(json, "active_schedulers", &result->active_schedulers);
	json_object_set_new(json, "stalls", result->stalls ? json_incref(result->stalls) : json_array());
	json_object_set_new(json, "scheduler_instances",
			    result->scheduler_instances ? json_incref(result->scheduler_instances) : json_array());
	json_object_set_new(json, "stimulus_events",
			    ktstr_stimulus_events_to_json(result->stimulus_events, result->stimulus_events_count));
	json_object_set_new(json, "cleanup_duration_ms",
			    result->cleanup_duration_ns.set ? ktstr_json_u64(result->cleanup_duration_ns.value / 1000000) : json_null());
	json_object_set_new(json, "host_dilation",
			    result->host_dilation.set ? ktstr_json_f64(result->host_dilation.value) : json_null());
}

static void add_observation(json_t *json, const struct ktstr_test_result *result)
{
	json_object_set_new(json, "monitor", result->monitor ? json_incref(result->monitor) : json_null());
	json_object_set_new(json, "virtio_blk_counters",
			    result->virtio_blk_counters ? json_incref(result->virtio_blk_counters) : json_null());
	json_object_set_new(json, "verifier_stats", or_empty(result->verifier_stats));
	set_number(json, "periodic_fired", result->periodic_fired);
	set_number(json, "periodic_target", result->periodic_target);
	json_object_set_new(json, "bpf_map_writes_delivered",
			    result->map_writes_delivered.set ? json_boolean(result->map_writes_delivered.value) :
							       json_null());
	json_object_set_new(json, "perf_delta_assertions", or_empty(result->perf_delta_assertions));
	json_object_set_new(json, "captures", result->captures ? json_incref(result->captures) : json_null());
}

/* What later features will measure. */
static void add_unmeasured(json_t *json)
{
	set_null(json, "kvm_stats");
	set_text(json, "throughput_denomination", "wall");
}

/* A file beside the sidecar goes by its bare name, so that a run directory can be moved. */
static void set_path(json_t *json, const char *key, const char *path, const char *sidecar_path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

	if (slash && sidecar_path && !strncmp(path, sidecar_path, dir) &&
	    !strchr(sidecar_path + dir, '/'))
		path = slash + 1;
	set_text(json, key, path);
}

/* Only the tail of a long output, from the start of a line. */
static void set_output(json_t *json, const struct ktstr_test_result *result)
{
	const char *text = result->output;
	size_t length = result->output_length;
	_cleanup_str_ struct ktstr_str printable = { 0 };

	if (text && length > OUTPUT_KEPT_BYTES) {
		const char *cut = text + length - OUTPUT_KEPT_BYTES;
		const char *line = memchr(cut, '\n', OUTPUT_KEPT_BYTES - 1);

		text = line ? line + 1 : cut;
		length -= (size_t)(text - result->output);
	}
	if (text)
		ktstr_str_add_printable(&printable, text, length);
	set_text(json, "output", text ? ktstr_str_text(&printable) : NULL);
}

static void add_files(json_t *json, const struct ktstr_test_result *result)
{
	json_t *files = json_object();

	set_path(files, "console", result->console_path, result->sidecar_path);
	set_path(files, "scheduler_log", result->scheduler_log_path, result->sidecar_path);
	set_path(files, "output", result->output_path, result->sidecar_path);
	set_path(files, "failure_dump", result->failure_dump_path, result->sidecar_path);
	json_object_set_new(json, "files", files);
	set_list(json, "reproduce", &result->reproduce);
	set_output(json, result);
}

json_t *ktstr_result_to_json(const struct ktstr_test_result *result)
{
	json_t *json = json_object();

	add_identity(json, result);
	add_verdict(json, result);
	add_machine(json, result);
	add_course(json, result);
	add_observation(json, result);
	add_unmeasured(json);
	add_files(json, result);
	return json;
}
