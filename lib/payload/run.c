// SPDX-License-Identifier: GPL-2.0-only
/* Runs of payloads as a test body sees them: started, ended, judged, reported. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ktstr/scenario.h"
#include "payload/internal.h"
#include "wire/program.h"

enum { TAIL_LINES = 15, TAIL_BYTES = 4096 };

struct ktstr_payload_handle {
	struct ktstr_ctx *ctx;
	const struct ktstr_payload *payload;
	const struct ktstr_metric_check *check_lists[2];
	char *title; /* "payload fio", "payload fio in cgroup a" */
	char *cgroup;
	struct payload_process *process; /* NULL once its result was given */
	int pid;
};

/* The i-th line-wise tail: where the last lines of text begin. */
static size_t tail_start(const char *text, size_t length)
{
	size_t start = length, lines = 0;

	while (start && length - start < TAIL_BYTES && (lines += text[start - 1] == '\n' && start < length) < TAIL_LINES)
		start--;
	return start;
}

/* To the test's own output, which a failure report shows. */
static void show_tail(const char *title, const char *stream, const struct payload_output *output)
{
	_cleanup_str_ struct ktstr_str shown = { 0 };
	size_t start;

	if (!output->kept.length)
		return;
	start = tail_start(output->kept.data, output->kept.length);
	ktstr_str_add_printable(&shown, output->kept.data + start, output->kept.length - start);
	fprintf(stderr, "%s: %s%s:\n%s%s", title, start ? "end of its " : "its ", stream, ktstr_str_text(&shown),
		ktstr_str_ends_with(ktstr_str_text(&shown), "\n") ? "" : "\n");
}

static void append_args(struct ktstr_strv *argv, const char *const *args)
{
	for (size_t i = 0; args && args[i]; i++)
		ktstr_strv_add(argv, args[i]);
}

/* In the guest binaries are where the runner put them; on a host they are looked up. */
static struct ktstr_error *find_program(const struct ktstr_payload *payload, char **path)
{
	const char *slash = strrchr(payload->binary, '/');

	if (!ktstr_env("KTSTR_GUEST_INIT"))
		return ktstr_include_find(payload->binary, NULL, path);
	*path = ktstr_xasprintf(KTSTR_INCLUDE_DIR "/%s", slash ? slash + 1 : payload->binary);
	if (ktstr_path_exists(*path))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "%s was not brought into the guest: name the payload in the test's .payload or .workloads",
			       *path);
}

static struct ktstr_error *check_run(const struct ktstr_payload_run *run)
{
	if (run->payload->kind == KTSTR_PAYLOAD_SCHEDULER)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "it is of kind SCHEDULER and cannot be run; use it as the test's .scheduler");
	KTSTR_TRY(ktstr_payload_check_args(run->payload, run->args));
	KTSTR_TRY_WRAP(ktstr_payload_checks_validate(run->checks), ".checks");
	return run->cgroup && *run->cgroup ? ktstr_cgroup_check_name(run->cgroup) : NULL;
}

static struct ktstr_error *start(const struct ktstr_payload_run *run, uint64_t timeout_ns,
				 struct ktstr_payload_handle *handle)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	_cleanup_free_ char *program = NULL;
	struct payload_start config = {
		.cgroups = handle->ctx->cgroups,
		.cgroup = handle->cgroup,
		.own_group = !run->payload->uses_parent_pgrp,
		.timeout_ns = timeout_ns,
	};

	KTSTR_TRY(check_run(run));
	KTSTR_TRY(find_program(run->payload, &program));
	ktstr_strv_add(&argv, program);
	if (!run->clear_args)
		append_args(&argv, run->payload->default_args);
	append_args(&argv, run->args);
	config.argv = (const char *const *)argv.items;
	KTSTR_TRY(payload_process_start(&config, &handle->process));
	handle->pid = payload_process_pid(handle->process);
	return NULL;
}

static struct ktstr_error *start_run(struct ktstr_ctx *ctx, const struct ktstr_payload_run *run, uint64_t timeout_ns,
				     struct ktstr_payload_handle **out)
{
	struct ktstr_payload_handle *handle;
	struct ktstr_error *error;

	KTSTR_TRY(ktstr_payload_validate(run->payload));
	handle = ktstr_xcalloc(1, sizeof(*handle));
	handle->ctx = ctx;
	handle->payload = run->payload;
	handle->check_lists[0] = run->clear_checks ? NULL : run->payload->default_checks;
	handle->check_lists[1] = run->checks;
	handle->cgroup = ktstr_xstrdup(run->cgroup ? run->cgroup : "");
	handle->title = ktstr_xasprintf("payload %s%s%s", run->payload->name, *handle->cgroup ? " in cgroup " : "",
					handle->cgroup);
	error = start(run, timeout_ns, handle);
	if (error) {
		error = ktstr_error_wrap(error, "%s", handle->title);
		ktstr_payload_handle_destroy(handle);
		return error;
	}
	*out = handle;
	return NULL;
}

/* Never both streams in one: what they say need not belong together. */
static void extract(const struct ktstr_payload *payload, const struct payload_end *end,
		    struct ktstr_payload_metrics *metrics)
{
	ktstr_metrics_extract(end->out.kept.data, end->out.kept.length, payload->output, KTSTR_STREAM_STDOUT, metrics);
	if (!metrics->metrics_count)
		ktstr_metrics_extract(end->err.kept.data, end->err.kept.length, payload->output, KTSTR_STREAM_STDERR,
				      metrics);
	payload_apply_hints(payload->metrics, metrics);
}

static int exit_code_of(const struct payload_end *end)
{
	if (end->timed_out || end->unkillable || !WIFEXITED(end->wait_status))
		return -1;
	return WEXITSTATUS(end->wait_status);
}

static void judge(const struct ktstr_payload_handle *handle, const struct payload_end *end,
		  const struct ktstr_payload_metrics *metrics)
{
	struct ktstr_assert_result *result = &handle->ctx->result;
	bool asked = false;
	size_t failed = 0;

	for (int on_metrics = 0; on_metrics < 2; on_metrics++)
		for (size_t i = 0; i < 2; i++)
			failed += payload_judge(handle->title, handle->check_lists[i], !on_metrics, metrics, result);
	for (size_t i = 0; i < 2; i++)
		for (const struct ktstr_metric_check *check = handle->check_lists[i]; check && check->kind; check++)
			asked |= check->kind == KTSTR_METRIC_CHECK_EXIT_CODE_EQ;
	if (end->unkillable)
		ktstr_fail(handle->ctx, "%s: process %d did not die of SIGKILL within 5 s", handle->title, handle->pid);
	else if (end->timed_out)
		ktstr_note(handle->ctx, "%s: killed with its process group at its time limit", handle->title);
	else if (metrics->exit_code && !asked)
		ktstr_note(handle->ctx, "%s: exit code %d, which no check asks about", handle->title, metrics->exit_code);
	/* Output that gave its metrics has said what it has to say. */
	if (metrics->exit_code || (failed && !metrics->metrics_count)) {
		show_tail(handle->title, "stdout", &end->out);
		show_tail(handle->title, "stderr", &end->err);
	}
}

static void report(const struct ktstr_payload_handle *handle, const struct payload_end *end,
		   const struct ktstr_payload_metrics *metrics)
{
	struct payload_record record = { handle->payload->name, handle->cgroup, metrics, end };
	json_t *json = payload_record_to_json(&record);
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (text)
		ktstr_wire_send(KTSTR_FRAME_PAYLOAD, text, strlen(text));
}

/* Evaluates an end; the handle has nothing more to give. */
static void finish(struct ktstr_payload_handle *handle, struct payload_end *end, struct ktstr_payload_metrics *wanted)
{
	static _Atomic unsigned int runs;
	struct ktstr_payload_metrics metrics = { .payload_index = atomic_fetch_add(&runs, 1),
						 .exit_code = exit_code_of(end) };

	payload_process_destroy(ktstr_take(handle->process));
	extract(handle->payload, end, &metrics);
	judge(handle, end, &metrics);
	report(handle, end, &metrics);
	payload_end_deinit(end);
	if (wanted)
		*wanted = metrics;
	else
		ktstr_payload_metrics_deinit(&metrics);
}

static struct ktstr_error *check_live(const struct ktstr_payload_handle *handle)
{
	return handle->process ? NULL :
				 ktstr_error_new(KTSTR_ERR_INVALID, "%s: its result was given before", handle->title);
}

struct ktstr_error *ktstr_payload_run_spawn(struct ktstr_ctx *ctx, const struct ktstr_payload_run *run,
					    struct ktstr_payload_handle **handle)
{
	return start_run(ctx, run, 0, handle);
}

struct ktstr_error *ktstr_payload_handle_wait(struct ktstr_payload_handle *handle,
					      struct ktstr_payload_metrics *metrics)
{
	struct payload_end end;

	KTSTR_TRY(check_live(handle));
	payload_process_join(handle->process, true, &end);
	finish(handle, &end, metrics);
	return NULL;
}

struct ktstr_error *ktstr_payload_handle_kill(struct ktstr_payload_handle *handle,
					      struct ktstr_payload_metrics *metrics)
{
	KTSTR_TRY(check_live(handle));
	payload_process_kill(handle->process);
	return ktstr_payload_handle_wait(handle, metrics);
}

struct ktstr_error *ktstr_payload_handle_try_wait(struct ktstr_payload_handle *handle, bool *ended,
						  struct ktstr_payload_metrics *metrics)
{
	struct payload_end end;

	*ended = false;
	KTSTR_TRY(check_live(handle));
	*ended = payload_process_join(handle->process, false, &end);
	if (*ended)
		finish(handle, &end, metrics);
	return NULL;
}

struct ktstr_error *ktstr_payload_run_foreground(struct ktstr_ctx *ctx, const struct ktstr_payload_run *run,
						 struct ktstr_payload_metrics *metrics)
{
	struct ktstr_payload_handle *handle;
	struct ktstr_error *error;

	KTSTR_TRY(start_run(ctx, run, run->timeout, &handle));
	error = ktstr_payload_handle_wait(handle, metrics);
	ktstr_payload_handle_destroy(handle);
	return error;
}

const char *ktstr_payload_handle_name(const struct ktstr_payload_handle *handle)
{
	return handle->payload->name;
}

const char *ktstr_payload_handle_cgroup(const struct ktstr_payload_handle *handle)
{
	return handle->cgroup;
}

int ktstr_payload_handle_pid(const struct ktstr_payload_handle *handle)
{
	return handle->pid;
}

void ktstr_payload_handle_destroy(struct ktstr_payload_handle *handle)
{
	struct payload_end end;

	if (!handle)
		return;
	if (handle->process) {
		payload_process_kill(handle->process);
		payload_process_join(handle->process, true, &end);
		payload_end_deinit(&end);
		payload_process_destroy(handle->process);
		ktstr_note(handle->ctx, "%s: still ran when it was given up: killed, its metrics are lost", handle->title);
	}
	free(handle->title);
	free(handle->cgroup);
	free(handle);
}
