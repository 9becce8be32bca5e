// SPDX-License-Identifier: GPL-2.0-only
/* Reading one guest, and what is kept of it. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/dump.h"
#include "observe/dump.h"
#include "observe/kernel_ops.h"
#include "observe/render.h"
#include "observe/scx_state.h"
#include "observe/session.h"
#include "observe/vm_view.h"
#include "observe/vmcore.h"

#define DUMP_LIMIT KTSTR_SEC(10) /* after which the rest of a dump is left out */

enum { TIMELINE_MAX = 600 /* the last minute */, CAPTURE_LISTS_MAX = 1024 };

void ktstr_session_open(struct ktstr_session *session, const struct ktstr_session_config *config)
{
	_cleanup_error_ struct ktstr_error *error = NULL;
	struct ktstr_sampler_config sampler = { .hz = config->hz,
						.qemu_pid = ktstr_vm_pid(config->vm),
						.vcpu_tids = config->vcpu_tids,
						.vcpu_tids_count = config->vcpu_tids_count };

	*session = (struct ktstr_session){ .config = *config, .boot_wait_outcome = "not_configured",
					     .began_ns = ktstr_now_ns() };
	session->watchdog = (struct ktstr_watchdog_override){ .timeout_ns = config->plan->watchdog_timeout_ns,
							      .vcpus_per_cpu = config->vcpus_per_cpu,
							      .hz = config->hz };
	ktstr_map_watches_init(&session->map_watches, config->plan->map_watches, config->plan->map_watches_count);
	error = ktstr_view_of_vm(config->vm, config->vmlinux, &session->view);
	if (error) {
		session->unavailable = ktstr_xstrdup(ktstr_error_message(error));
		return;
	}
	session->cost.open_ns = ktstr_now_ns() - session->began_ns;
	session->began_jiffies = ktstr_view_jiffies(session->view);
	sampler.view = session->view;
	session->sampler = ktstr_sampler_create(&sampler);
}

void ktstr_session_deinit(struct ktstr_session *session)
{
	ktstr_sampler_destroy(session->sampler);
	ktstr_map_watches_deinit(&session->map_watches);
	ktstr_captures_deinit(&session->captures);
	json_decref(session->failure_dump);
	json_decref(session->unseen_failure);
	ktstr_kernel_view_close(session->view);
	free(session->unavailable);
	free(session->exits_unseen);
	*session = (struct ktstr_session){ 0 };
}

uint64_t ktstr_session_elapsed_ns(const struct ktstr_session *session)
{
	if (!session->config.guest_clock)
		return ktstr_now_ns() - session->began_ns - session->frozen_ns;
	if (!session->view || !session->config.hz)
		return 0;
	return (ktstr_view_jiffies(session->view) - session->began_jiffies) * KTSTR_SEC(1) / session->config.hz;
}

static uint64_t elapsed_ms(const struct ktstr_session *session)
{
	return ktstr_session_elapsed_ns(session) / 1000000;
}

void ktstr_session_tick(struct ktstr_session *session)
{
	uint64_t began = ktstr_now_ns(), bytes;

	if (!session->view)
		return;
	bytes = ktstr_guest_bytes_read(session->view->memory);
	if (session->config.has_scheduler)
		ktstr_watchdog_override_tick(&session->watchdog, session->view);
	if (session->config.no_samples)
		return;
	ktstr_sampler_take(session->sampler, elapsed_ms(session));
	ktstr_map_watches_tick(&session->map_watches, session->view);
	session->cost.ticks++;
	session->cost.tick_ns += ktstr_now_ns() - began;
	session->cost.tick_bytes += ktstr_guest_bytes_read(session->view->memory) - bytes;
}

/* --- dumps --- */

/* Sum of a counter over the CPUs that have it. */
static struct ktstr_opt_i64 sum_of(const struct ktstr_monitor_sample *sample, size_t event)
{
	struct ktstr_opt_i64 sum = { 0 };

	for (size_t cpu = 0; cpu < sample->cpus_count; cpu++) {
		const struct ktstr_opt_i64 *count = (const struct ktstr_opt_i64 *)&sample->cpus[cpu].events + event;

		if (!sample->cpus[cpu].has_events || !count->set)
			continue;
		sum.set = true;
		if (__builtin_add_overflow(sum.value, count->value, &sum.value))
			sum.value = INT64_MAX;
	}
	return sum;
}

static json_t *timeline_entry(const struct ktstr_monitor_sample *sample)
{
	static const char *const names[] = {
#define NAME_(name) #name,
		KTSTR_SCX_EVENTS(NAME_)
#undef NAME_
	};
	json_t *entry = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ktstr_opt_i64 sum = sum_of(sample, i);

		if (sum.set)
			json_object_set_new(entry, names[i], json_integer(sum.value));
	}
	if (!json_object_size(entry)) {
		json_decref(entry);
		return NULL;
	}
	json_object_set_new(entry, "elapsed_ms", json_integer((json_int_t)sample->elapsed_ms));
	return entry;
}

/* Samples without counters are left out. */
static json_t *event_counter_timeline(const struct ktstr_session *session)
{
	struct ktstr_monitor_series series = ktstr_sampler_series(session->sampler);
	json_t *timeline = json_array();

	for (size_t i = series.count > TIMELINE_MAX ? series.count - TIMELINE_MAX : 0; i < series.count; i++) {
		json_t *entry = timeline_entry(&series.samples[i]);

		if (entry)
			json_array_append_new(timeline, entry);
	}
	return timeline;
}

json_t *ktstr_session_dump(struct ktstr_session *session, json_t *registers)
{
	struct ktstr_dump_options options = { .vcpu_regs = registers,
					      .workload_cgroup = session->config.workload_cgroup,
					      .hz = session->config.hz,
					      /* Dumps of one deterministic run are alike, on a slow host, too. */
					      .deadline_ns = session->config.guest_clock ? 0 : ktstr_now_ns() + DUMP_LIMIT };
	json_t *dump, *timeline = event_counter_timeline(session);
	uint64_t began = ktstr_now_ns(), bytes = ktstr_guest_bytes_read(session->view->memory);

	ktstr_guest_freeze(session->view->memory, true);
	dump = ktstr_dump(session->view, &options);
	ktstr_guest_freeze(session->view->memory, false);
	if (json_array_size(timeline))
		json_object_set(dump, "event_counter_timeline", timeline);
	json_decref(timeline);
	session->cost.captures++;
	session->cost.capture_ns += ktstr_now_ns() - began;
	session->cost.capture_bytes += ktstr_guest_bytes_read(session->view->memory) - bytes;
	return dump;
}

void ktstr_session_fail(struct ktstr_session *session, json_t *registers)
{
	const char *path = session->config.vmcore_path;
	_cleanup_error_ struct ktstr_error *error = NULL;

	json_decref(session->failure_dump);
	session->failure_dump = ktstr_session_dump(session, registers);
	if (!path)
		return;
	error = ktstr_vmcore_write(session->view, registers, path);
	if (error)
		json_object_set_new(session->failure_dump, "vmcore_unavailable", json_string(ktstr_error_message(error)));
	else
		json_object_set_new(session->failure_dump, "vmcore", json_string(path));
}

void ktstr_session_capture(struct ktstr_session *session, const char *tag, const char *kind,
			   struct ktstr_opt_u64 boundary_offset_ms, json_t *registers)
{
	struct ktstr_capture capture = { .tag = tag,
					 .kind = kind,
					 .elapsed_ms = elapsed_ms(session),
					 .step_index = session->step_index,
					 .boundary_offset_ms = boundary_offset_ms };

	capture.report = ktstr_session_dump(session, registers);
	ktstr_captures_store(&session->captures, &capture);
}

bool ktstr_session_is_error_exit(const struct ktstr_session *session)
{
	struct ktstr_object sched = ktstr_scx_sched(session->view);

	return ktstr_get_or_zero(&sched, "exit_kind") >= KTSTR_SCX_EXIT_ERROR;
}

json_t *ktstr_degraded_dump(const struct ktstr_session *session, const char *detail, bool watchpoint_hit)
{
	struct ktstr_object sched = { 0 };
	json_t *registers = json_array(), *json;
	uint64_t exit_kind;

	for (unsigned int cpu = 0; session->view && cpu < session->view->cpus; cpu++)
		json_array_append_new(registers, json_null());
	json = json_pack("{ss so so sb ss sI}", "schema", KTSTR_SCHEMA_DEGRADED, "reason",
			 json_sprintf("%s: %s", KTSTR_REASON_DEGRADED_RENDEZVOUS_TIMEOUT, detail), "vcpu_regs", registers,
			 "watchpoint_hit", watchpoint_hit, "bss_latch_state", "not_resolved", "elapsed_ms",
			 (json_int_t)elapsed_ms(session));
	if (session->view)
		sched = ktstr_scx_sched(session->view);
	if (sched.address && ktstr_get(&sched, "exit_kind", &exit_kind))
		json_object_set_new(json, "exit_kind", json_integer((json_int_t)exit_kind));
	return json;
}

/* --- writes --- */

static struct ktstr_error *write_variable(const struct ktstr_session *session, const struct ktstr_bpf_maps *maps,
					  const struct ktstr_bpf_map_write *write)
{
	struct ktstr_map_field field;

	KTSTR_TRY(ktstr_map_field_find(maps, write->map_suffix, write->field, &field));
	if (field.per_cpu || field.bytes != sizeof(write->value))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s in %s is no variable of 4 bytes", write->field,
				       field.map_name);
	if (!ktstr_write(&session->view->space, field.address, &write->value, sizeof(write->value)))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s in %s is not mapped", write->field, field.map_name);
	return NULL;
}

struct ktstr_error *ktstr_session_map_writes(struct ktstr_session *session)
{
	const struct ktstr_observe_plan *plan = session->config.plan;
	_cleanup_str_ struct ktstr_str failures = { 0 };
	struct ktstr_bpf_maps *maps;

	session->map_writes_delivered = (struct ktstr_opt_u64){ true, 0 };
	if (!session->view)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s", session->unavailable);
	maps = ktstr_bpf_maps_find(session->view);
	for (size_t i = 0; i < plan->map_writes_count; i++) {
		_cleanup_error_ struct ktstr_error *error = write_variable(session, maps, &plan->map_writes[i]);

		if (error)
			ktstr_str_addf(&failures, "%s%s", failures.length ? "; " : "", ktstr_error_message(error));
	}
	ktstr_bpf_maps_destroy(maps);
	if (failures.length)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s", ktstr_str_text(&failures));
	session->map_writes_delivered.value = 1;
	return NULL;
}

struct ktstr_error *ktstr_session_kernel_op(struct ktstr_session *session,
					    const struct ktstr_kernel_op_request *request, uint32_t id,
					    struct ktstr_str *reply)
{
	struct ktstr_kernel_op_reply result;
	struct ktstr_error *error;

	if (!session->view)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s", session->unavailable);
	ktstr_kernel_ops_do(session->view, request, &result);
	result.request_id = id;
	if (result.success && !request->write && json_array_size(session->captures.kernel_ops) < CAPTURE_LISTS_MAX)
		ktstr_captures_append(&session->captures.kernel_ops, ktstr_kernel_op_to_json(request->tag, &result));
	error = ktstr_kernel_op_reply_encode(&result, reply);
	ktstr_kernel_op_reply_deinit(&result);
	return error;
}

void ktstr_session_take_cgroup_procs(struct ktstr_session *session, const void *payload, size_t length)
{
	json_error_t why;
	json_t *json = json_loadb(payload, length, 0, &why);

	if (json_is_string(json_object_get(json, "tag")) && json_is_string(json_object_get(json, "cgroup")) &&
	    json_is_array(json_object_get(json, "pids")) &&
	    json_array_size(session->captures.cgroup_procs) < CAPTURE_LISTS_MAX)
		ktstr_captures_append(&session->captures.cgroup_procs, json_incref(json));
	json_decref(json);
}
