// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of one test run: its end of life, its verdict, and the one line that says why it did
 * not pass.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "result/internal.h"

static const char *const phase_names[] = {
	[KTSTR_PHASE_NONE] = "none",         [KTSTR_PHASE_BOOT] = "boot",
	[KTSTR_PHASE_ATTACH] = "attach",     [KTSTR_PHASE_BODY] = "body",
	[KTSTR_PHASE_TEARDOWN] = "teardown", [KTSTR_PHASE_DONE] = "done",
};

const char *ktstr_guest_phase_name(enum ktstr_guest_phase phase)
{
	return (unsigned int)phase <= KTSTR_PHASE_DONE ? phase_names[phase] : "unknown";
}

void ktstr_test_result_deinit(struct ktstr_test_result *result)
{
	char *texts[] = {
		result->test_name,
		result->full_name,
		result->topology,
		result->scheduler,
		result->scheduler_binary,
		result->resolve_source,
		result->work_type,
		result->payload,
		result->kernel_version,
		result->kernel_release,
		result->kernel_commit,
		result->project_commit,
		result->accel,
		result->accel_reason,
		result->qemu_version,
		result->cause,
		result->crash_message,
		result->console,
		result->scheduler_log,
		result->output,
		result->start_mode,    result->start_reason, result->digest, result->trace,
		result->sidecar_path,
		result->console_path,
		result->scheduler_log_path,
		result->failure_dump,
		result->output_path,
		result->failure_dump_path,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	json_decref(result->recipe);
	json_decref(result->payload_runs);
	json_decref(result->host);
	json_decref(result->scheduler_instances);
	json_decref(result->networks);
	json_decref(result->monitor);
	json_decref(result->verifier_stats);
	json_decref(result->virtio_blk_counters);
	json_decref(result->captures);
	json_decref(result->stalls);
	json_decref(result->perf_delta_assertions);
	ktstr_strv_deinit(&result->scheduler_args);
	ktstr_strv_deinit(&result->active_schedulers);
	ktstr_strv_deinit(&result->reproduce);
	free(result->instance);
	ktstr_strv_deinit(&result->kargs);
	ktstr_strv_deinit(&result->sysctls);
	for (size_t i = 0; i < result->stimulus_events_count; i++)
		ktstr_stimulus_event_deinit(&result->stimulus_events[i]);
	free(result->stimulus_events);
	ktstr_assert_result_deinit(&result->verdict);
	*result = (struct ktstr_test_result){ 0 };
}

void ktstr_test_result_add_stage(struct ktstr_test_result *result, const char *name, uint64_t duration_ns)
{
	if (result->stages_count < sizeof(result->stages) / sizeof(result->stages[0]))
		result->stages[result->stages_count++] = (struct ktstr_stage_time){ name, duration_ns };
}

enum ktstr_outcome_kind ktstr_test_result_kind(const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_assert_result_kind(&result->verdict);

	/* Nothing was found wrong, but the guest never said that it is right. */
	if (kind == KTSTR_OUTCOME_PASS && !result->guest_result_received && !result->expected_failure)
		return KTSTR_OUTCOME_FAIL;
	return kind;
}

bool ktstr_result_scheduler_died(const struct ktstr_test_result *result)
{
	for (size_t i = 0; i < result->verdict.outcomes_count; i++) {
		switch (result->verdict.outcomes[i].detail.kind) {
		case KTSTR_DETAIL_SCHEDULER_CRASHED:
		case KTSTR_DETAIL_SCHEDULER_EXITED_CLEANLY:
		case KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON:
			return true;
		default:
			break;
		}
	}
	return false;
}

char *ktstr_result_how_ended(const struct ktstr_test_result *result)
{
	char took[32];

	if (result->crash_message)
		return ktstr_xstrdup("the guest kernel crashed");
	if (result->timed_out)
		return ktstr_xasprintf("timed out after %s",
				       ktstr_format_duration(result->duration_ns, took));
	if (result->guest_result_received)
		return ktstr_xstrdup("the guest delivered its result");
	if (result->final_phase == KTSTR_PHASE_NONE)
		return ktstr_xstrdup("the guest did not start");
	if (result->guest_exit_code >= 0)
		return ktstr_xasprintf("the test program ended with exit code %d and no result",
				       result->guest_exit_code);
	return ktstr_xstrdup("the guest ended without a result");
}

void ktstr_add_line(struct ktstr_str *out, const char *text)
{
	size_t start = out->length;

	ktstr_str_add_printable(out, text, strlen(text));
	for (size_t i = start; i < out->length; i++)
		if (out->data[i] == '\n' || out->data[i] == '\t')
			out->data[i] = ' ';
	while (out->length > start && out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
}

/* The first reason of the kind that decided the verdict. */
static const char *deciding_message(const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);

	for (size_t i = 0; i < result->verdict.outcomes_count; i++)
		if (result->verdict.outcomes[i].kind == kind)
			return result->verdict.outcomes[i].detail.message;
	return NULL;
}

char *ktstr_result_cause_line(const struct ktstr_test_result *result)
{
	_cleanup_str_ struct ktstr_str line = { 0 };
	const char *cause = result->cause ?: deciding_message(result);

	if (cause)
		ktstr_add_line(&line, cause);
	if (line.length)
		return ktstr_str_take(&line);
	if (ktstr_test_result_kind(result) == KTSTR_OUTCOME_SKIP)
		return ktstr_xstrdup("no reason given");
	return ktstr_result_how_ended(result);
}
