// SPDX-License-Identifier: GPL-2.0-only
/* Verdicts with a cause: what the guest said, what happened to its scheduler, how the VM ended. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "check/result_json.h"
#include "payload/payload.h"
#include "runner/judge.h"
#include "sched/resolve.h"
#include "vm/console.h"

enum { PANIC_LINES = 24, REASON_MAX = 300, OUTPUT_MAX = 16 << 20, PAYLOAD_RUNS_MAX = 1000 };

void ktstr_observation_deinit(struct ktstr_observation *observation)
{
	free(observation->agent_error);
	ktstr_str_deinit(&observation->output);
	free(observation->not_started);
	free(observation->lost);
	free(observation->inactive);
	ktstr_sched_instances_deinit(&observation->schedulers);
	ktstr_stimulus_log_deinit(&observation->stimulus);
	ktstr_survival_deinit(&observation->survival);
}

static void take_verdict(const struct ktstr_frame *frame, struct ktstr_test_result *result)
{
	json_error_t parse_error;
	json_t *json = json_loadb((const char *)frame->payload, frame->length, 0, &parse_error);
	struct ktstr_assert_result verdict = { 0 };
	struct ktstr_error *error;

	if (!json) {
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "the guest's verdict is not JSON: %s", parse_error.text);
		return;
	}
	error = ktstr_assert_result_from_json(json_object_get(json, "verdict"), &verdict);
	json_decref(json);
	if (error)
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "the guest's verdict cannot be read: %s", ktstr_error_message(error));
	ktstr_error_free(error);
	ktstr_assert_result_merge(&result->verdict, &verdict);
	ktstr_assert_result_deinit(&verdict);
	result->guest_result_received = true;
}

static void take_payload_run(const struct ktstr_frame *frame, struct ktstr_test_result *result)
{
	json_error_t parse_error;
	json_t *json = json_loadb((const char *)frame->payload, frame->length, 0, &parse_error);
	json_t *clean;
	struct ktstr_error *error;

	if (!result->payload_runs)
		result->payload_runs = json_array();
	if (json_array_size(result->payload_runs) >= PAYLOAD_RUNS_MAX) {
		json_decref(json);
		return;
	}
	error = json ? ktstr_payload_record_clean(json, &clean) :
		       ktstr_error_new(KTSTR_ERR_CORRUPT, "%s", parse_error.text);
	if (error)
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "the guest's record of a payload cannot be read: %s", ktstr_error_message(error));
	else
		json_array_append_new(result->payload_runs, clean);
	ktstr_error_free(error);
	json_decref(json);
}

static struct ktstr_sched_instance *current_scheduler(struct ktstr_observation *observation,
						      const struct ktstr_test_result *result)
{
	return ktstr_sched_instances_current(&observation->schedulers, result->scheduler);
}

/* Only the first loss is told: what follows may follow from it. */
static void lose_scheduler(struct ktstr_observation *observation, const char *how, struct ktstr_test_result *result)
{
	struct ktstr_sched_instance *current = current_scheduler(observation, result);

	if (!observation->lost)
		observation->lost = ktstr_xstrdup(current->name);
	free(current->end);
	current->end = ktstr_xasprintf("gone by itself: %s", how);
}

/* A workload runs: under the scheduler that has attached last, unless that was ended as planned. */
static void check_active(struct ktstr_observation *observation, const char *active, struct ktstr_test_result *result)
{
	const struct ktstr_sched_instance *current =
		observation->schedulers.count ? current_scheduler(observation, result) : NULL;

	if (current && current->ops && !current->end && !observation->inactive &&
	    !ktstr_str_starts_with(active, "enabled "))
		observation->inactive = ktstr_xstrdup(active);
	ktstr_strv_add(&result->active_schedulers, active);
}

static void take_lifecycle(struct ktstr_observation *observation, const struct ktstr_frame *frame,
			   struct ktstr_test_result *result)
{
	_cleanup_free_ char *text = NULL;

	if (!frame->length)
		return;
	text = ktstr_xstrndup((const char *)frame->payload + 1, frame->length - 1);
	switch ((enum ktstr_lifecycle)frame->payload[0]) {
	case KTSTR_LIFE_INIT_STARTED:
		break;
	case KTSTR_LIFE_SCHED_ATTACHED:
		observation->attached = true;
		free(current_scheduler(observation, result)->ops);
		current_scheduler(observation, result)->ops = ktstr_take(text);
		break;
	case KTSTR_LIFE_SCHED_STARTED:
		ktstr_sched_instances_start(&observation->schedulers, text);
		break;
	case KTSTR_LIFE_SCHED_STOPPED:
		free(current_scheduler(observation, result)->end);
		current_scheduler(observation, result)->end = ktstr_take(text);
		break;
	case KTSTR_LIFE_PAYLOAD_STARTING:
		result->final_phase = KTSTR_PHASE_BODY;
		break;
	case KTSTR_LIFE_WORKLOAD_DISPATCHED:
		check_active(observation, text, result);
		break;
	case KTSTR_LIFE_SCHED_DIED:
		observation->died = true;
		lose_scheduler(observation, text, result);
		break;
	case KTSTR_LIFE_SCHED_DETACHED:
		observation->detached = true;
		lose_scheduler(observation, "the kernel unloaded it", result);
		break;
	case KTSTR_LIFE_SCHED_NOT_ATTACHED:
		observation->attach_timed_out = !strcmp(text, "timeout");
		observation->no_sched_ext = !strcmp(text, "sched_ext sysfs absent");
		if (observation->attach_timed_out || observation->no_sched_ext)
			break;
		free(observation->not_started);
		observation->not_started = ktstr_take(text);
		break;
	case KTSTR_LIFE_AGENT_ERROR:
		free(observation->agent_error);
		observation->agent_error = ktstr_take(text);
		break;
	}
}

static void take_text(struct ktstr_str *into, const struct ktstr_frame *frame)
{
	if (into->length < OUTPUT_MAX)
		ktstr_str_add_bytes(into, frame->payload, frame->length);
}

void ktstr_observe_frame(struct ktstr_observation *observation, const struct ktstr_frame *frame,
			 struct ktstr_test_result *result)
{
	int32_t status;

	if (!frame->crc_ok)
		return;
	ktstr_stimulus_log_take(&observation->stimulus, frame);
	ktstr_survival_take(&observation->survival, frame);
	switch (frame->type) {
	case KTSTR_FRAME_READY:
		result->final_phase = KTSTR_PHASE_ATTACH;
		break;
	case KTSTR_FRAME_LIFECYCLE:
		take_lifecycle(observation, frame, result);
		break;
	case KTSTR_FRAME_RESULT:
		take_verdict(frame, result);
		result->final_phase = KTSTR_PHASE_TEARDOWN;
		break;
	case KTSTR_FRAME_PAYLOAD:
		take_payload_run(frame, result);
		break;
	case KTSTR_FRAME_STDOUT:
	case KTSTR_FRAME_STDERR:
		take_text(&observation->output, frame);
		break;
	case KTSTR_FRAME_SCHED_LOG:
		ktstr_sched_instances_log(&observation->schedulers, result->scheduler, frame->payload, frame->length);
		break;
	case KTSTR_FRAME_SCHED_EXIT:
		if (ktstr_frame_read_i32(frame, &status))
			observation->sched_status = status;
		break;
	case KTSTR_FRAME_SCENARIO_END:
		if (frame->length >= sizeof(uint64_t))
			memcpy(&observation->scenario_elapsed_ms, frame->payload, sizeof(uint64_t));
		break;
	case KTSTR_FRAME_EXIT:
		if (!ktstr_frame_read_i32(frame, &status))
			break;
		observation->exited = true;
		observation->program_status = status;
		result->guest_exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		result->final_phase = KTSTR_PHASE_DONE;
		break;
	}
}

/*
 * The kernel's own words when it unloads a scheduler, from the console: the line after
 * `sched_ext: BPF scheduler "x" disabled (runtime error)` carries the message. Heap, NULL = none.
 */
static char *kernel_reason(const struct ktstr_test_result *result)
{
	static const char disabled[] = "\" disabled (";
	struct ktstr_str reason = { 0 };
	const char *mark = result->console ? strstr(result->console, disabled) : NULL;
	const char *end, *message;

	if (!mark)
		return NULL;
	mark += strlen(disabled);
	end = strpbrk(mark, ")\n");
	ktstr_str_add_printable(&reason, mark, end ? (size_t)(end - mark) : strlen(mark));
	message = strstr(mark, "sched_ext: ");
	message = message ? strstr(message + strlen("sched_ext: "), ": ") : NULL;
	if (message) {
		size_t length = strcspn(message + 2, "\r\n");

		ktstr_str_add(&reason, ": ");
		ktstr_str_add_printable(&reason, message + 2, length > REASON_MAX ? REASON_MAX : length);
	}
	return ktstr_str_take(&reason);
}

/* The guest only knows that the scheduler vanished; the host's finding replaces that. */
static void drop_unknown_deaths(struct ktstr_assert_result *verdict)
{
	size_t kept = 0;

	for (size_t i = 0; i < verdict->outcomes_count; i++) {
		if (verdict->outcomes[i].detail.kind == KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON)
			free(verdict->outcomes[i].detail.message);
		else
			verdict->outcomes[kept++] = verdict->outcomes[i];
	}
	verdict->outcomes_count = kept;
}

/* Puts the host's finding first: everything else follows from it. */
static void find_fault(struct ktstr_test_result *result, enum ktstr_detail_kind kind, char *message)
{
	struct ktstr_assert_result whole = { 0 };

	drop_unknown_deaths(&result->verdict);
	ktstr_assert_record(&whole, KTSTR_OUTCOME_FAIL, kind, "%s", message);
	ktstr_assert_result_merge(&whole, &result->verdict);
	ktstr_assert_result_deinit(&result->verdict);
	result->verdict = whole;
	free(result->cause);
	result->cause = message;
}

static void judge_failed_attach(const struct ktstr_observation *observation,
				struct ktstr_test_result *result)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(observation->sched_status);
	_cleanup_free_ char *log = ktstr_sched_instances_text(&observation->schedulers);
	_cleanup_free_ char *last_line = ktstr_console_tail(log, strlen(log), 1);
	char *cause;

	if (observation->not_started)
		cause = ktstr_xasprintf("scheduler %s could not be started: %s", result->scheduler,
					observation->not_started);
	else if (observation->no_sched_ext)
		cause = ktstr_xasprintf("kernel %s has no sched_ext (CONFIG_SCHED_CLASS_EXT): scheduler %s cannot run",
					result->kernel_version, result->scheduler);
	else if (observation->attach_timed_out)
		cause = ktstr_xasprintf("scheduler %s never attached: its process runs, but sched_ext stayed disabled until the time limit",
					result->scheduler);
	else if (ktstr_sched_verifier_log(log))
		cause = ktstr_xasprintf("scheduler %s was rejected by the BPF verifier (%s)",
					result->scheduler, how);
	else
		cause = ktstr_xasprintf("scheduler %s exited before it attached (%s)%s%s", result->scheduler,
					how, *last_line ? ": " : "", last_line);
	find_fault(result, KTSTR_DETAIL_SCHEDULER_CRASHED, cause);
}

static void judge_lost_scheduler(const struct ktstr_observation *observation,
				 struct ktstr_test_result *result)
{
	_cleanup_free_ char *reason = kernel_reason(result);
	_cleanup_free_ char *how = observation->died ?
					   ktstr_describe_wait_status(observation->sched_status) :
					   ktstr_xstrdup("its process still runs");
	/* Guest time: a stalled guest tells us of everything at once, when it is over. */
	double seconds = (double)observation->scenario_elapsed_ms / 1e3;
	bool clean = observation->died && WIFEXITED(observation->sched_status) &&
		     !WEXITSTATUS(observation->sched_status);
	const char *name = observation->lost ? observation->lost : result->scheduler;
	const char *what = clean ? "exited by itself" : observation->died ? "died" : "was unloaded by the kernel";

	find_fault(result, clean ? KTSTR_DETAIL_SCHEDULER_EXITED_CLEANLY : KTSTR_DETAIL_SCHEDULER_CRASHED,
		   ktstr_xasprintf("scheduler %s %s %.1f s into the workload (%s)%s%s", name, what,
				   seconds, how, reason ? ": " : "", reason ? reason : ""));
}

static void judge_missing_result(const struct ktstr_observation *observation,
				 const struct ktstr_error *end_error, struct ktstr_test_result *result)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(observation->program_status);
	char *cause;

	if (result->crash_message)
		cause = ktstr_xasprintf("the guest kernel crashed: %.*s",
					(int)strcspn(result->crash_message, "\n"), result->crash_message);
	else if (observation->agent_error)
		cause = ktstr_xasprintf("the guest's agent failed: %s", observation->agent_error);
	else if (observation->exited)
		cause = ktstr_xasprintf("the test program ended without a verdict (%s)", how);
	else
		cause = ktstr_xstrdup(end_error ? ktstr_error_message(end_error) :
						  "the guest ended without a verdict");
	find_fault(result, KTSTR_DETAIL_OTHER, cause);
}

static const struct ktstr_outcome *first_of(const struct ktstr_assert_result *verdict,
					    enum ktstr_outcome_kind kind)
{
	for (size_t i = 0; i < verdict->outcomes_count; i++)
		if (verdict->outcomes[i].kind == kind)
			return &verdict->outcomes[i];
	return NULL;
}

static void set_cause_from_verdict(struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_assert_result_kind(&result->verdict);
	const struct ktstr_outcome *outcome = first_of(&result->verdict, kind);

	if (!result->cause && outcome)
		result->cause = ktstr_xstrdup(outcome->detail.message);
}

void ktstr_judge(struct ktstr_observation *observation, const struct ktstr_error *end_error,
		 struct ktstr_test_result *result)
{
	bool wants_scheduler = result->scheduler_binary != NULL;

	result->crash_message =
		ktstr_console_panic_text(result->console ? result->console : "", result->console_length,
					 PANIC_LINES);
	if (result->crash_message && !observation->exited)
		judge_missing_result(observation, end_error, result);
	else if (observation->not_started ||
		 (wants_scheduler && !observation->attached &&
		  (observation->died || observation->no_sched_ext || observation->attach_timed_out)))
		judge_failed_attach(observation, result);
	else if (observation->died || observation->detached)
		judge_lost_scheduler(observation, result);
	else if (!result->guest_result_received || !observation->exited)
		judge_missing_result(observation, end_error, result);
	else if (observation->inactive)
		find_fault(result, KTSTR_DETAIL_OTHER,
			   ktstr_xasprintf("sched_ext was not active during the workload (state: %s)",
					   observation->inactive));
	set_cause_from_verdict(result);
	result->output = ktstr_str_take(&observation->output);
	result->output_length = strlen(result->output);
	result->scheduler_instances = ktstr_sched_instances_json(&observation->schedulers);
	result->scheduler_log = ktstr_sched_instances_text(&observation->schedulers);
	result->scheduler_log_length = strlen(result->scheduler_log);
}
