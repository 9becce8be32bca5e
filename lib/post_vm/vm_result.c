// SPDX-License-Identifier: GPL-2.0-only
/* From the keys of a sidecar to struct ktstr_vm_result. Captures are read from their files. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "check/result_json.h"
#include "disk/disk.h"
#include "net/counters.h"
#include "post_vm/vm_result.h"

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static uint64_t number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) && json_number_value(value) > 0 ?
		       (json_is_integer(value) ? (uint64_t)json_integer_value(value) : (uint64_t)json_real_value(value)) :
		       0;
}

static struct ktstr_opt_f64 opt_f64(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct ktstr_opt_f64){ json_is_number(value), json_number_value(value) };
}

static struct ktstr_opt_u64 opt_u64(const json_t *object, const char *key)
{
	return (struct ktstr_opt_u64){ json_is_number(json_object_get(object, key)), number_of(object, key) };
}

/* --- files beside the sidecar: bare names --- */

static char *beside(const char *sidecar_path, const char *name)
{
	const char *slash = strrchr(sidecar_path, '/');

	if (!*name || strchr(name, '/'))
		return NULL;
	return ktstr_xasprintf("%.*s%s", slash ? (int)(slash - sidecar_path) + 1 : 0, sidecar_path, name);
}

static char *file_text(const char *sidecar_path, const char *name)
{
	_cleanup_free_ char *path = beside(sidecar_path, name);
	_cleanup_error_ struct ktstr_error *error = NULL;
	char *text = NULL;

	if (path)
		error = ktstr_read_file(path, &text, NULL);
	return error || !text ? ktstr_xstrdup("") : text;
}

/* --- the monitor --- */

static void read_events(const json_t *json, struct ktstr_event_deltas *events)
{
#define READ_(name)                                                                                                    \
	events->total.name = (struct ktstr_opt_i64){ json_is_integer(json_object_get(json, #name)),                    \
						     json_integer_value(json_object_get(json, #name)) };
	KTSTR_SCX_EVENTS(READ_)
#undef READ_
	events->fallback_rate = opt_f64(json, "fallback_rate");
	events->keep_last_rate = opt_f64(json, "keep_last_rate");
	events->max_fallback_burst = opt_u64(json, "max_fallback_burst");
}

static void read_progs(const json_t *json, struct ktstr_monitor_summary *summary)
{
	const json_t *item;
	size_t i;

	summary->progs = ktstr_xcalloc(json_array_size(json) + 1, sizeof(*summary->progs));
	json_array_foreach(json, i, item)
		summary->progs[summary->progs_count++] = (struct ktstr_prog_delta){
			.name = ktstr_xstrdup(text_of(item, "name")),
			.cnt = number_of(item, "cnt"),
			.nsecs = number_of(item, "nsecs"),
			.nsecs_per_call = opt_f64(item, "nsecs_per_call").value,
		};
}

static void read_monitor(const json_t *json, struct ktstr_vm_result *vm)
{
	const json_t *schedstat = json_object_get(json, "schedstat_deltas"),
		     *watchdog = json_object_get(json, "watchdog_observation");
	struct ktstr_monitor_summary *summary = &vm->monitor;

	vm->has_monitor = json_is_object(json);
	if (!vm->has_monitor)
		return;
	summary->total_samples = number_of(json, "total_samples");
	summary->plausible_samples = number_of(json, "plausible_samples");
	summary->max_imbalance_ratio = opt_f64(json, "max_imbalance_ratio").value;
	summary->avg_imbalance_ratio = opt_f64(json, "avg_imbalance_ratio").value;
	summary->max_local_dsq_depth = number_of(json, "max_local_dsq_depth");
	summary->avg_local_dsq_depth = opt_f64(json, "avg_local_dsq_depth").value;
	summary->avg_nr_running = opt_f64(json, "avg_nr_running").value;
	summary->stuck_count = number_of(json, "stuck_count");
	summary->avg_irq_util = opt_f64(json, "avg_irq_util");
	summary->max_avg_irq_util = opt_f64(json, "max_avg_irq_util");
	summary->psi_irq_full_avg10 = opt_f64(json, "psi_irq_full_avg10");
	summary->total_irq_pressure_us = opt_u64(json, "total_irq_pressure_us");
	read_events(json_object_get(json, "event_deltas"), &summary->events);
	summary->schedstat.available = json_is_object(schedstat);
#define READ_(name) summary->schedstat.name = number_of(schedstat, #name);
	KTSTR_RQ_SCHEDSTATS(READ_)
#undef READ_
	summary->schedstat_wall_sec = opt_f64(schedstat, "wall_sec");
	read_progs(json_object_get(json, "prog_stats_deltas"), summary);
	vm->watchdog = (struct ktstr_watchdog_observation){
		.set = json_is_integer(json_object_get(watchdog, "expected_jiffies")),
		.expected_jiffies = number_of(watchdog, "expected_jiffies"),
		.observed_jiffies = number_of(watchdog, "observed_jiffies"),
	};
}

/* --- captures --- */

/* A capture with its report from its file; NULL when it has none, or one of a guest that did not stop. */
static json_t *load_capture(const json_t *snapshot, const char *sidecar_path)
{
	_cleanup_free_ char *path = beside(sidecar_path, text_of(snapshot, "file"));
	json_t *report = path ? json_load_file(path, 0, NULL) : NULL, *whole;

	if (strcmp(text_of(report, "schema"), "single")) {
		json_decref(report);
		return NULL;
	}
	whole = json_copy((json_t *)snapshot);
	json_object_set_new(whole, "report", report);
	if (!json_object_get(whole, "stats_missing"))
		json_object_set_new(whole, "stats_missing", json_string("NoSchedulerBinary"));
	return whole;
}

static struct ktstr_error *read_captures(const json_t *captures, const char *sidecar_path, struct ktstr_vm_result *vm)
{
	json_t *whole = json_object(), *list = json_array();
	struct ktstr_error *error;
	const json_t *snapshot;
	size_t i;

	json_array_foreach(json_object_get(captures, "snapshots"), i, snapshot) {
		json_t *loaded = load_capture(snapshot, sidecar_path);

		if (loaded)
			json_array_append_new(list, loaded);
	}
	if (captures)
		json_object_update(whole, (json_t *)captures);
	json_object_set_new(whole, "snapshots", list);
	error = ktstr_snapshot_bridge_from_json(whole, &vm->snapshot_bridge);
	json_decref(whole);
	if (error)
		return ktstr_error_wrap(error, "captures");
	vm->periodic_real = (unsigned int)ktstr_snapshot_bridge_periodic_real_count(vm->snapshot_bridge);
	return NULL;
}

/* --- the whole --- */

static void read_verifier_stats(const json_t *list, struct ktstr_vm_result *vm)
{
	const json_t *item;
	size_t i;

	vm->verifier_stats = ktstr_xcalloc(json_array_size(list) + 1, sizeof(*vm->verifier_stats));
	json_array_foreach(list, i, item)
		vm->verifier_stats[vm->verifier_stats_count++] =
			(struct ktstr_verifier_stat){ text_of(item, "name"), number_of(item, "verified_insns") };
}

static void read_networks(const json_t *list, struct ktstr_vm_result *vm)
{
	const json_t *item;
	size_t i;

	vm->networks = ktstr_xcalloc(json_array_size(list) + 1, sizeof(*vm->networks));
	json_array_foreach(list, i, item)
		vm->networks[vm->networks_count++] = ktstr_net_counters_from_json(item);
}

/* Captures are due on the clock of the first scenario; others have clocks of their own. */
static void read_step_starts(const json_t *events, struct ktstr_vm_result *vm)
{
	const json_t *event;
	size_t i;

	vm->step_starts = ktstr_xcalloc(json_array_size(events) + 1, sizeof(*vm->step_starts));
	json_array_foreach(events, i, event) {
		if (json_is_true(json_object_get(event, "is_terminal")))
			return;
		if (ktstr_str_starts_with(text_of(event, "label"), "StepStart["))
			vm->step_starts[vm->step_starts_count++] = (struct ktstr_step_start){
				number_of(event, "elapsed_ms"), (uint32_t)number_of(event, "step_index")
			};
	}
}

/* Statistics have a key of their own in a sidecar. */
static struct ktstr_error *read_verdict(const json_t *sidecar, struct ktstr_vm_result *vm)
{
	json_t *verdict = json_copy(json_object_get(sidecar, "verdict"));
	struct ktstr_error *error;

	json_object_set(verdict, "stats", json_object_get(sidecar, "stats"));
	error = ktstr_assert_result_from_json(verdict, &vm->guest_assert_result);
	json_decref(verdict);
	return error ? ktstr_error_wrap(error, "verdict") : NULL;
}

static void read_facts(const json_t *sidecar, struct ktstr_vm_result *vm)
{
	const json_t *code = json_object_get(sidecar, "guest_exit_code"),
		     *delivered = json_object_get(sidecar, "bpf_map_writes_delivered");

	vm->entry_name = text_of(sidecar, "test_name");
	vm->topology = text_of(sidecar, "topology");
	vm->scheduler = text_of(sidecar, "scheduler");
	vm->kernel_version = text_of(sidecar, "kernel_version");
	vm->resolve_source = text_of(sidecar, "resolve_source");
	vm->exit_code = json_is_integer(code) ? (int)json_integer_value(code) : -1;
	vm->success = json_is_true(json_object_get(sidecar, "passed")) && !vm->exit_code;
	vm->timed_out = json_is_true(json_object_get(sidecar, "timed_out"));
	vm->duration_ns = number_of(sidecar, "duration_ns");
	vm->final_guest_phase = text_of(sidecar, "final_phase");
	vm->crash_message = text_of(sidecar, "crash_message");
	vm->vcpus = (unsigned int)number_of(sidecar, "vcpus");
	vm->cpu_budget = (unsigned int)number_of(sidecar, "cpu_budget");
	vm->output = text_of(sidecar, "output");
	vm->periodic_target = (unsigned int)number_of(sidecar, "periodic_target");
	vm->periodic_fired = (unsigned int)number_of(sidecar, "periodic_fired");
	if (json_is_boolean(delivered))
		vm->bpf_map_writes_delivered = (struct ktstr_opt_u64){ true, json_is_true(delivered) };
}

struct ktstr_error *ktstr_vm_result_read(const json_t *sidecar, const char *path, struct ktstr_vm_result *vm)
{
	const json_t *files = json_object_get(sidecar, "files");

	*vm = (struct ktstr_vm_result){ 0 };
	read_facts(sidecar, vm);
	vm->guest_kmsg = file_text(path, text_of(files, "console"));
	vm->scheduler_log = file_text(path, text_of(files, "scheduler_log"));
	vm->failure_dump_path = beside(path, text_of(files, "failure_dump")) ?: ktstr_xstrdup("");
	read_monitor(json_object_get(sidecar, "monitor"), vm);
	read_verifier_stats(json_object_get(sidecar, "verifier_stats"), vm);
	vm->has_virtio_blk_counters = json_is_object(json_object_get(sidecar, "virtio_blk_counters"));
	vm->virtio_blk_counters = ktstr_disk_counters_from_json(json_object_get(sidecar, "virtio_blk_counters"));
	read_networks(json_object_get(sidecar, "networks"), vm);
	read_step_starts(json_object_get(sidecar, "stimulus_events"), vm);
	KTSTR_TRY(read_verdict(sidecar, vm));
	return read_captures(json_object_get(sidecar, "captures"), path, vm);
}

void ktstr_vm_result_deinit(struct ktstr_vm_result *vm)
{
	free((char *)vm->guest_kmsg);
	free((char *)vm->scheduler_log);
	free((char *)vm->failure_dump_path);
	free(vm->verifier_stats);
	free(vm->step_starts);
	free(vm->networks);
	ktstr_monitor_summary_deinit(&vm->monitor);
	ktstr_assert_result_deinit(&vm->guest_assert_result);
	ktstr_assert_result_deinit(&vm->result);
	ktstr_sample_series_destroy(vm->captures);
	ktstr_snapshot_bridge_unref(vm->snapshot_bridge);
	*vm = (struct ktstr_vm_result){ 0 };
}

struct ktstr_sample_series *ktstr_vm_result_captures_series(struct ktstr_vm_result *vm)
{
	size_t count;
	struct ktstr_sample *samples;

	if (!vm->captures) {
		samples = ktstr_snapshot_bridge_drain_ordered_with_stats(vm->snapshot_bridge, &count);
		vm->captures = ktstr_sample_series_from_drained_typed(samples, count,
								      vm->has_monitor ? &vm->monitor : NULL);
	}
	return vm->captures;
}

struct ktstr_sample_series *ktstr_vm_result_periodic_series(struct ktstr_vm_result *vm)
{
	return ktstr_sample_series_periodic_ref(ktstr_vm_result_captures_series(vm));
}

void ktstr_post_vm_skip(struct ktstr_vm_result *vm, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str reason = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&reason, fmt, args);
	va_end(args);
	ktstr_assert_record(&vm->result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "%s", ktstr_str_text(&reason));
}
