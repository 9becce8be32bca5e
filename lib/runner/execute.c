// SPDX-License-Identifier: GPL-2.0-only
/* One run: boot, submit, listen, judge. */
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ktstr/units.h"
#include "observe/dump.h"
#include "observe/observer.h"
#include "runner/job_bundle.h"
#include "runner/judge.h"
#include "runner/recipe.h"
#include "runner/runner.h"
#include "runner/start.h"
#include "runner/trace.h"
#include "vm/vm.h"

/* Beyond the workload itself: setup and teardown of the body under emulation on a busy host. */
#define BODY_HEADROOM KTSTR_SEC(60)

struct execution {
	const struct ktstr_run_setup *setup;
	const struct ktstr_run *run;
	ktstr_stage_fn stage;
	void *stage_context;
	struct ktstr_observation observation;
	struct ktstr_test_result *result;
	struct ktstr_str trace; /* deterministic runs */
	struct ktstr_observer *observer; /* of ordinary runs under a scheduler */
	uint64_t stage_began_ns;
};

static void enter_stage(struct execution *execution, const char *shown)
{
	execution->stage_began_ns = ktstr_now_ns();
	if (execution->stage)
		execution->stage(execution->stage_context, shown);
}

static void leave_stage_at(struct execution *execution, const char *name, uint64_t ended_ns)
{
	ktstr_test_result_add_stage(execution->result, name, ended_ns - execution->stage_began_ns);
	execution->stage_began_ns = ended_ns;
}

static void leave_stage(struct execution *execution, const char *name)
{
	leave_stage_at(execution, name, ktstr_now_ns());
}

static void identify(const struct execution *execution)
{
	const struct ktstr_run_setup *setup = execution->setup;
	const struct ktstr_run *run = execution->run;
	struct ktstr_test_result *result = execution->result;
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	*result = (struct ktstr_test_result){
		.test_name = ktstr_xstrdup(run->test->name),
		.full_name = ktstr_xstrdup(run->full_name),
		.topology = ktstr_xstrdup(ktstr_topology_format(&run->topology, shape)),
		.scheduler = ktstr_xstrdup(run->scheduler.label),
		.scheduler_binary = run->scheduler.path ? ktstr_xstrdup(run->scheduler.path) : NULL,
		.resolve_source = run->scheduler.resolve_source ?
					  ktstr_xstrdup(run->scheduler.resolve_source) :
					  NULL,
		.kernel_version = ktstr_xstrdup(setup->kernel.version),
		.kernel_release = ktstr_xstrdup(setup->kernel.release),
		.project_commit = setup->project_commit ? ktstr_xstrdup(setup->project_commit) : NULL,
		.accel = ktstr_xstrdup(ktstr_accel_name(setup->accel.accel)),
		.accel_reason = ktstr_xstrdup(setup->accel.reason),
		.qemu_version = ktstr_xstrdup(setup->qemu.version),
		.vcpus = ktstr_topology_total_cpus(&run->topology),
		.memory_mib = ktstr_machine_memory_mib(&run->topology, run->test->memory_mib),
		.guest_exit_code = -1,
		.started_unix_seconds = (int64_t)time(NULL),
	};
	result->work_type = run->rt_app ? ktstr_xasprintf("rt-app %s", strrchr(run->rt_app, '/') + 1) : NULL;
	result->payload = run->test->payload ? ktstr_xstrdup(run->test->payload) : NULL;
	result->host = json_incref(setup->host);
	result->deterministic = run->deterministic;
	result->seed = run->seed;
	for (size_t i = 0; i < run->scheduler.args.count; i++)
		ktstr_strv_add(&result->scheduler_args, run->scheduler.args.items[i]);
	for (size_t i = 0; i < run->kargs.count; i++)
		ktstr_strv_add(&result->kargs, run->kargs.items[i]);
	for (size_t i = 0; i < run->sysctls.count; i++)
		ktstr_strv_add(&result->sysctls, run->sysctls.items[i]);
	for (size_t i = 0; i < run->reproduce.count; i++)
		ktstr_strv_add(&result->reproduce, run->reproduce.items[i]);
}

/* What a frame means for the stages that people see and results record. */
static void follow_stages(struct execution *execution, const struct ktstr_frame *frame)
{
	bool attached_here = execution->run->scheduler.path &&
			     strcmp(execution->result->start_mode, "warm+scheduler");

	/* Later ones are what the test body does with its schedulers. */
	if (frame->type == KTSTR_FRAME_LIFECYCLE && frame->length && attached_here &&
	    frame->payload[0] == KTSTR_LIFE_SCHED_ATTACHED && execution->result->final_phase == KTSTR_PHASE_ATTACH) {
		leave_stage(execution, "attach");
	} else if (frame->type == KTSTR_FRAME_LIFECYCLE && frame->length &&
		   frame->payload[0] == KTSTR_LIFE_PAYLOAD_STARTING) {
		leave_stage(execution, "unpack");
	} else if (frame->type == KTSTR_FRAME_BODY_START) {
		leave_stage(execution, "exec");
	} else if (frame->type == KTSTR_FRAME_SCENARIO_START) {
		leave_stage(execution, "prepare");
		enter_stage(execution, "running");
	} else if (frame->type == KTSTR_FRAME_SCENARIO_END) {
		leave_stage(execution, "run");
	}
}

/*
 * The reply to a request of the test program; false when the frame is none. What nobody on this side answers is
 * refused, so that no test waits for nothing.
 */
static bool answer_request(const struct ktstr_frame *frame, uint32_t *type, struct ktstr_str *payload)
{
	uint32_t id;

	if (!frame->crc_ok || !ktstr_frame_is_host_request(frame->type) || !ktstr_frame_read_u32(frame, 0, &id))
		return false;
	*type = KTSTR_FRAME_REFUSED;
	ktstr_frame_refusal(payload, id, KTSTR_ERR_UNSUPPORTED, "this ktstr does not answer such requests");
	return true;
}

static void answer_running(struct ktstr_vm *vm, const struct ktstr_frame *frame)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	uint32_t type;

	if (answer_request(frame, &type, &payload))
		ktstr_error_free(ktstr_vm_send_frame(vm, type, payload.data, payload.length));
}

/* A deterministic guest stands still while it is answered. */
static void answer_frozen(void *context, struct ktstr_vm *vm, struct ktstr_vm_freeze *freeze)
{
	_cleanup_(ktstr_frame_decoder_deinit) struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str payload = { 0 };
	_cleanup_str_ struct ktstr_str reply = { 0 };
	struct ktstr_frame frame;
	uint32_t type;

	(void)context;
	(void)vm;
	if (freeze->reason != KTSTR_FREEZE_REQUEST)
		return;
	ktstr_frame_decoder_feed(&decoder, freeze->request, freeze->request_length);
	if (!ktstr_frame_decoder_next(&decoder, &frame) || !answer_request(&frame, &type, &payload))
		return;
	ktstr_frame_encode(&reply, type, payload.data, payload.length);
	freeze->reply_length = reply.length;
	memcpy(freeze->reply, reply.data, reply.length < freeze->reply_capacity ? reply.length : freeze->reply_capacity);
}

static void follow_scheduler(const struct execution *execution, const struct ktstr_frame *frame)
{
	if (execution->observer && frame->type == KTSTR_FRAME_LIFECYCLE && frame->length &&
	    frame->payload[0] == KTSTR_LIFE_SCHED_ATTACHED)
		ktstr_observer_scheduler_attached(execution->observer);
}

/* Nothing may stop a deterministic guest from outside, and only sched_ext has error exits. */
static struct ktstr_error *start_observer(struct execution *execution, struct ktstr_vm *vm)
{
	if (!ktstr_run_is_observed(execution->run))
		return NULL;
	return ktstr_observer_start(vm, execution->setup->kernel.vmlinux_path, &execution->observer);
}

/* The dump of an error exit; a failure without one says why there is none. */
static void stop_observer(struct execution *execution)
{
	struct ktstr_test_result *result = execution->result;
	struct ktstr_sightings sightings;
	json_t *dump;

	if (!execution->observer)
		return;
	ktstr_observer_stop(execution->observer, &sightings);
	dump = sightings.failure_dump;
	if (!dump && ktstr_test_result_kind(result) == KTSTR_OUTCOME_FAIL)
		dump = ktstr_dump_placeholder(sightings.unavailable ? sightings.unavailable :
								      "the scheduler did not exit with an error");
	result->failure_dump = dump ? json_dumps(dump, JSON_INDENT(1)) : NULL;
	json_decref(dump);
	free(sightings.unavailable);
}

/*
 * Under virtual time the guest's seconds are not ours: a busy guest of many CPUs takes several of ours for one of its
 * own, an idle one far less.
 */
static uint64_t run_limit_ns(const struct ktstr_run *run)
{
	uint64_t limit = run->duration_ns + BODY_HEADROOM +
			 (run->scheduler.path ? KTSTR_MS(KTSTR_ATTACH_TIMEOUT_MS) : 0);

	return run->deterministic ? limit * (2 + ktstr_topology_total_cpus(&run->topology)) : limit;
}

/* Listens until the program's end is reported or the VM is gone; an error says why there is no such report. */
static struct ktstr_error *listen(struct execution *execution, struct ktstr_vm *vm)
{
	uint64_t limit = run_limit_ns(execution->run);
	uint64_t deadline = execution->run->debug ? UINT64_MAX : ktstr_now_ns() + limit;
	_cleanup_free_ char *ended = NULL;
	struct ktstr_frame frame;
	char text[32];

	for (;;) {
		switch (ktstr_vm_next_frame(vm, deadline, &frame)) {
		case KTSTR_VM_FRAME:
			if (execution->run->deterministic)
				ktstr_trace_add(&execution->trace, &frame);
			ktstr_observe_frame(&execution->observation, &frame, execution->result);
			if (frame.crc_ok) {
				follow_stages(execution, &frame);
				follow_scheduler(execution, &frame);
				answer_running(vm, &frame);
			}
			if (execution->observation.exited)
				return NULL;
			break;
		case KTSTR_VM_ENDED:
			ended = ktstr_vm_describe_end(vm);
			return ktstr_error_new(KTSTR_ERR_GUEST, "%s in the middle of the test", ended);
		case KTSTR_VM_DEADLINE:
			execution->result->timed_out = true;
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the test overran: no verdict within %s",
					       ktstr_format_duration(limit, text));
		}
	}
}

static void on_stage(void *context, const char *shown)
{
	enter_stage(context, shown);
}

static void on_stage_done(void *context, const char *name, uint64_t ended_ns)
{
	leave_stage_at(context, name, ended_ns);
}

static struct ktstr_error *run_in_vm(struct execution *execution, struct ktstr_started *started)
{
	struct ktstr_test_result *result = execution->result;
	struct ktstr_start_events events = { on_stage, on_stage_done, execution };
	struct ktstr_error *error;

	result->final_phase = KTSTR_PHASE_BOOT;
	error = ktstr_run_start(execution->setup, execution->run, &events, started);
	result->start_mode = ktstr_xstrdup(started->mode);
	result->start_reason = ktstr_take(started->reason);
	if (error)
		return error;
	enter_stage(execution, "starting");
	if (!started->not_attached)
		KTSTR_TRY(start_observer(execution, started->vm));
	ktstr_vm_on_freeze(started->vm, answer_frozen, execution);
	if (execution->run->debug)
		KTSTR_TRY(execution->run->debug->ready(execution->run->debug->context, started->vm));
	error = listen(execution, started->vm);
	leave_stage(execution, "collect");
	return error;
}

static void keep_trace(struct execution *execution)
{
	struct ktstr_test_result *result = execution->result;
	char digest[KTSTR_DIGEST_BYTES];
	struct ktstr_error *error;

	if (!execution->run->deterministic)
		return;
	error = ktstr_trace_digest(&execution->trace, digest);
	if (!error)
		result->digest = ktstr_xstrdup(digest);
	ktstr_error_free(error);
	result->trace = ktstr_str_take(&execution->trace);
}

/* A test whose scheduler is not for this kernel does not boot it. */
static bool skip_kernel(struct execution *execution)
{
	_cleanup_free_ char *reason = ktstr_run_refuses_kernel(execution->run, &execution->setup->kernel);

	if (reason)
		ktstr_assert_record(&execution->result->verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "%s", reason);
	return reason;
}

static void execute_once(struct execution *execution)
{
	_cleanup_(ktstr_started_deinit) struct ktstr_started started = { 0 };
	struct ktstr_test_result *result = execution->result;
	uint64_t began = ktstr_now_ns();
	_cleanup_error_ struct ktstr_error *error = NULL;

	identify(execution);
	if (skip_kernel(execution))
		return;
	error = run_in_vm(execution, &started);
	if (started.vm) {
		result->console = ktstr_vm_console(started.vm, &result->console_length);
		result->corrupt_frames = ktstr_vm_corrupt_frames(started.vm);
	}
	ktstr_judge(&execution->observation, error, result);
	ktstr_expect_apply(&execution->run->test->expect, result);
	stop_observer(execution);
	ktstr_observation_deinit(&execution->observation);
	keep_trace(execution);
	result->duration_ns = ktstr_now_ns() - began;
}

/* Runs it again and holds the two against each other; a difference is a failure of ours, and says where. */
static void compare_with_second(struct execution *execution)
{
	struct ktstr_test_result second, *first = execution->result;
	struct execution again = { .setup = execution->setup,
				   .run = execution->run,
				   .stage = execution->stage,
				   .stage_context = execution->stage_context,
				   .result = &second };
	_cleanup_free_ char *difference = NULL;

	execute_once(&again);
	difference = ktstr_trace_first_difference(first->trace, second.trace);
	if (difference) {
		ktstr_assert_record(&first->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "two runs of seed %llu differ at %s", (unsigned long long)first->seed, difference);
		if (!first->cause)
			first->cause = ktstr_xasprintf("not repeatable: two runs of seed %llu differ at %s",
						       (unsigned long long)first->seed, difference);
	} else {
		ktstr_assert_note(&first->verdict, "run twice: both have the digest %s", first->digest);
	}
	ktstr_test_result_deinit(&second);
}

void ktstr_run_execute(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
		       ktstr_stage_fn stage, void *context, struct ktstr_test_result *result)
{
	struct execution execution = { .setup = setup,
				       .run = run,
				       .stage = stage,
				       .stage_context = context,
				       .result = result };

	execute_once(&execution);
	if (run->twice)
		compare_with_second(&execution);
	if (run->deterministic)
		result->recipe = ktstr_recipe(setup, run, result);
}
