// SPDX-License-Identifier: GPL-2.0-only
/* One run: boot, submit, listen, judge. */
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "check/saturating.h"
#include "ktstr/units.h"
#include "net/counters.h"
#include "observe/observer.h"
#include "reserve/apply.h"
#include "reserve/contention.h"
#include "runner/cpus.h"
#include "runner/disk.h"
#include "runner/host_run.h"
#include "runner/job_bundle.h"
#include "runner/judge.h"
#include "runner/recipe.h"
#include "runner/runner.h"
#include "runner/sightings.h"
#include "runner/start.h"
#include "runner/trace.h"
#include "vm/vcpu_time.h"
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
	struct ktstr_observer *observer;
	char *vmcore_path; /* of the observer */
	int vcpu_tids[KTSTR_MAX_CPUS]; /* of ordinary runs; the observer borrows them */
	size_t vcpu_tids_count;
	int qemu_pid;
	struct ktstr_vcpu_time before_workload;
	uint64_t stage_began_ns;
	uint64_t work_ended_ns;
	struct ktstr_reservation reservation;
	char *contention; /* why no VM came about, when that says nothing about the test */
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

static char *dup_or_null(const char *text)
{
	return text ? ktstr_xstrdup(text) : NULL;
}

static void copy_list(struct ktstr_strv *to, const struct ktstr_strv *from)
{
	for (size_t i = 0; i < from->count; i++)
		ktstr_strv_add(to, from->items[i]);
}

/* A host_only run has none of the machine that others bring along. */
static void identify_host(struct ktstr_test_result *result)
{
	char **texts[] = { &result->accel,	    &result->accel_reason,   &result->qemu_version,
			   &result->topology, &result->kernel_release, &result->kernel_version };
	struct utsname names;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(ktstr_take(*texts[i]));
	uname(&names);
	result->topology = ktstr_xstrdup("host");
	result->kernel_release = ktstr_xstrdup(names.release);
	result->kernel_version = ktstr_version_of_release(names.release);
	result->vcpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	result->cpu_budget = ktstr_allowed_count(result->vcpus);
	result->memory_mib = 0;
	result->start_mode = ktstr_xstrdup("host");
}

void ktstr_run_identify(const struct ktstr_run_setup *setup, const struct ktstr_run *run, struct ktstr_test_result *result)
{
	const struct ktstr_accel_choice *accel = ktstr_run_accel(setup, run);
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	*result = (struct ktstr_test_result){
		.test_name = ktstr_xstrdup(run->test->name),
		.full_name = ktstr_xstrdup(run->full_name),
		.topology = ktstr_xstrdup(ktstr_topology_format(&run->topology, shape)),
		.scheduler = ktstr_xstrdup(run->scheduler.label),
		.scheduler_binary = dup_or_null(run->scheduler.path),
		.resolve_source = dup_or_null(run->scheduler.resolve_source),
		.kernel_version = ktstr_xstrdup(setup->kernel.version),
		.kernel_release = ktstr_xstrdup(setup->kernel.release),
		.kernel_commit = dup_or_null(setup->kernel_commit),
		.project_commit = dup_or_null(setup->project_commit),
		.accel = ktstr_xstrdup(ktstr_accel_name(accel->accel)),
		.accel_reason = dup_or_null(accel->reason),
		.qemu_version = dup_or_null(setup->qemu.version),
		.vcpus = ktstr_topology_total_cpus(&run->topology),
		.memory_mib = ktstr_machine_memory_mib(&run->topology, run->test->memory_mib),
		.guest_exit_code = -1,
		.started_unix_seconds = (int64_t)time(NULL),
	};
	result->work_type = run->rt_app ? ktstr_xasprintf("rt-app %s", strrchr(run->rt_app, '/') + 1) :
					  dup_or_null(run->work_type);
	result->payload = dup_or_null(run->test->payload);
	result->host = json_incref(setup->host);
	result->perf_delta_assertions = json_incref(run->test->expect.perf_delta_assertions);
	result->deterministic = run->deterministic;
	result->seed = run->seed;
	copy_list(&result->scheduler_args, &run->scheduler.args);
	copy_list(&result->kargs, &run->kargs);
	copy_list(&result->sysctls, &run->sysctls);
	copy_list(&result->reproduce, &run->reproduce);
	/* Under virtual time each vCPU gets its share whatever the host has. */
	result->cpu_budget = run->deterministic ? result->vcpus : ktstr_allowed_count(result->vcpus);
	if (run->test->host_only)
		identify_host(result);
}

static struct ktstr_vcpu_time vcpu_time(const struct execution *execution)
{
	return ktstr_vcpu_time_read(execution->qemu_pid, execution->vcpu_tids, execution->vcpu_tids_count);
}

/* While workloads run; of several in one test the first to the last. */
static void follow_dilation(struct execution *execution, const struct ktstr_frame *frame)
{
	struct ktstr_vcpu_time now;

	if (frame->type == KTSTR_FRAME_SCENARIO_START && !execution->before_workload.sampled_vcpus) {
		execution->before_workload = vcpu_time(execution);
	} else if (frame->type == KTSTR_FRAME_SCENARIO_END) {
		now = vcpu_time(execution);
		execution->result->host_dilation = ktstr_vcpu_dilation(&execution->before_workload, &now);
	}
}

/* What a frame means for the stages that people see and results record. */
static void follow_stages(struct execution *execution, const struct ktstr_frame *frame)
{
	bool attached_here = execution->run->scheduler.path &&
			     !strstr(execution->result->start_mode, "+scheduler");

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

/* A test in a VM that nobody watches must not wait for nothing. */
static void refuse_request(struct ktstr_vm *vm, const struct ktstr_frame *frame)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	uint32_t id;

	if (!ktstr_frame_is_host_request(frame->type) || !ktstr_frame_read_u32(frame, 0, &id))
		return;
	ktstr_frame_refusal(&payload, id, KTSTR_ERR_UNSUPPORTED, "this run is not watched");
	ktstr_error_free(ktstr_vm_send_frame(vm, KTSTR_FRAME_REFUSED, payload.data, payload.length));
}

/* CONFIG_HZ of the guest's kernel, 0 when its config is not known. */
static unsigned int kernel_hz(const struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *hz = ktstr_kernel_config_value(kernel, "HZ");

	return hz ? (unsigned int)strtoul(hz, NULL, 10) : 0;
}

/* Named as the result's other files; heap, NULL = none is wanted. */
static char *vmcore_path(const struct execution *execution)
{
	const char *dir = execution->setup->vmcore_dir;
	_cleanup_free_ char *stem = dir ? ktstr_result_file_stem(execution->result) : NULL;

	return stem ? ktstr_xasprintf("%s/%s.vmcore", dir, stem) : NULL;
}

/* Tests of what happens when it passes do not wait that long. */
static uint64_t stop_limit_ns(void)
{
	uint64_t ms = KTSTR_FREEZE_RENDEZVOUS_TIMEOUT / KTSTR_MS(1);

	ktstr_error_free(ktstr_env_ms("KTSTR_FREEZE_RENDEZVOUS_TIMEOUT_MS", 0, &ms));
	return KTSTR_MS(ms);
}

static unsigned int vcpus_per_cpu(const struct ktstr_test_result *result)
{
	return (result->vcpus + result->cpu_budget - 1) / result->cpu_budget;
}

static struct ktstr_error *start_observer(struct execution *execution, struct ktstr_vm *vm)
{
	const struct ktstr_run *run = execution->run;
	struct ktstr_monitor_thresholds thresholds = ktstr_run_monitor_thresholds(run);
	struct ktstr_session_config config = {
		.vm = vm,
		.vmlinux = execution->setup->vmlinux,
		.hz = kernel_hz(&execution->setup->kernel),
		.vcpus_per_cpu = vcpus_per_cpu(execution->result),
		.has_scheduler = run->scheduler.path || run->staged_count,
		.guest_clock = run->deterministic,
		.duration_ns = run->duration_ns,
		.stop_limit_ns = stop_limit_ns(),
		.no_samples = ktstr_env("KTSTR_NO_MONITOR") != NULL,
		.plan = &run->test->observe,
		.workload_cgroup = run->test->workload_root_cgroup,
		.vcpu_tids = execution->vcpu_tids,
	};

	config.vmcore_path = execution->vmcore_path = vmcore_path(execution);
	if (run->deterministic) {
		execution->observer = ktstr_observer_of_freezes(&config, &thresholds);
		return NULL;
	}
	KTSTR_TRY(ktstr_vm_vcpu_threads(vm, execution->vcpu_tids, KTSTR_MAX_CPUS, &execution->vcpu_tids_count));
	config.vcpu_tids_count = execution->vcpu_tids_count;
	execution->qemu_pid = ktstr_vm_pid(vm);
	return ktstr_observer_start(&config, &thresholds, &execution->observer);
}

static void stop_observer(struct execution *execution)
{
	struct ktstr_stimulus_log *course = &execution->observation.stimulus;
	struct ktstr_sightings sightings;

	if (!execution->observer) {
		ktstr_stimulus_log_finish(course, &(struct ktstr_stimulus_views){ 0 }, execution->result);
		return;
	}
	ktstr_observer_stop(execution->observer, &sightings);
	ktstr_sightings_phases(&sightings, course, execution->result);
	ktstr_sightings_judge(&sightings, execution->run, execution->result);
	ktstr_sightings_deinit(&sightings);
}

/* The run may take that much longer: the guest stood still meanwhile. */
static uint64_t frozen_ns(const struct execution *execution)
{
	return execution->observer ? ktstr_observer_frozen_ns(execution->observer) : 0;
}

/*
 * Under virtual time the guest's seconds are not ours: a busy guest of many CPUs takes several of ours for one of its
 * own, an idle one far less.
 */
static uint64_t run_limit_ns(const struct ktstr_run *run)
{
	uint64_t limit = run->duration_ns + BODY_HEADROOM +
			 (run->scheduler.path || run->staged_count ? KTSTR_MS(KTSTR_ATTACH_TIMEOUT_MS) : 0);

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
		uint64_t extended = ktstr_add_saturating(deadline, frozen_ns(execution));

		switch (ktstr_vm_next_frame(vm, extended, &frame)) {
		case KTSTR_VM_FRAME:
			if (execution->run->deterministic)
				ktstr_trace_add(&execution->trace, &frame);
			ktstr_observe_frame(&execution->observation, &frame, execution->result);
			if (frame.crc_ok) {
				follow_stages(execution, &frame);
				follow_dilation(execution, &frame);
				if (!execution->observer || !ktstr_observer_frame(execution->observer, &frame))
					refuse_request(vm, &frame);
			}
			if (execution->observation.exited)
				return NULL;
			break;
		case KTSTR_VM_ENDED:
			ended = ktstr_vm_describe_end(vm);
			return ktstr_error_new(KTSTR_ERR_GUEST, "%s in the middle of the test", ended);
		case KTSTR_VM_FLOODED:
			return ktstr_vm_explain_flood(vm);
		case KTSTR_VM_DEADLINE:
			if (ktstr_now_ns() >= extended &&
			    ktstr_add_saturating(deadline, frozen_ns(execution)) > extended)
				break;
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
	KTSTR_TRY(ktstr_reservation_enter(&execution->reservation));
	error = ktstr_run_start(execution->setup, execution->run, &events, started);
	result->start_mode = ktstr_xasprintf("%s%s", started->mode, started->program_loaded ? "+program" : "");
	result->start_reason = ktstr_take(started->reason);
	if (error && ktstr_is_contention(error, &execution->contention))
		result->final_phase = KTSTR_PHASE_NONE;
	if (error)
		return error;
	enter_stage(execution, "starting");
	KTSTR_TRY(ktstr_run_pin(&execution->reservation, started->vm, result));
	if (!started->not_attached)
		KTSTR_TRY(start_observer(execution, started->vm));
	if (execution->run->debug)
		KTSTR_TRY(execution->run->debug->ready(execution->run->debug->context, started->vm));
	error = listen(execution, started->vm);
	if (execution->run->disk)
		ktstr_run_count_disk(started->vm, result);
	leave_stage(execution, "collect");
	return error;
}

static void on_host_frame(void *context, const struct ktstr_frame *frame)
{
	struct execution *execution = context;

	ktstr_observe_frame(&execution->observation, frame, execution->result);
	if (frame->crc_ok)
		follow_stages(execution, frame);
}

/* Not failures: a worker may sleep for long. */
static void note_stalls(struct ktstr_test_result *result)
{
	const json_t *report;
	size_t i;

	json_array_foreach(result->stalls, i, report) {
		const json_t *diagnostic = json_object_get(report, "diagnostic");

		ktstr_assert_note(&result->verdict, "process %d (%s) stood still: state %s, waits in %s, load %s",
				  (int)json_integer_value(json_object_get(report, "pid")),
				  json_string_value(json_object_get(report, "comm")),
				  json_string_value(json_object_get(diagnostic, "state")),
				  json_string_value(json_object_get(diagnostic, "wchan")),
				  json_string_value(json_object_get(diagnostic, "host_loadavg")));
	}
}

static struct ktstr_error *run_on_host(struct execution *execution)
{
	struct ktstr_test_result *result = execution->result;
	struct ktstr_error *error;

	result->final_phase = KTSTR_PHASE_BODY;
	enter_stage(execution, "starting");
	error = ktstr_host_run(execution->setup, execution->run, run_limit_ns(execution->run), on_host_frame, execution,
			       &result->stalls);
	result->timed_out = ktstr_error_code(error) == KTSTR_ERR_TIMEOUT;
	leave_stage(execution, "collect");
	note_stalls(result);
	return error;
}

static void keep_trace(struct execution *execution)
{
	struct ktstr_test_result *result = execution->result;
	char digest[KTSTR_DIGEST_BYTES];
	struct ktstr_error *error;

	if (!execution->run->deterministic || execution->contention)
		return;
	error = ktstr_trace_digest(&execution->trace, digest);
	if (!error)
		result->digest = ktstr_xstrdup(digest);
	ktstr_error_free(error);
	result->trace = ktstr_str_take(&execution->trace);
}

/* A test that is not for this topology, or whose scheduler is not for this kernel, does not boot it. */
static bool skip(struct execution *execution)
{
	_cleanup_free_ char *reason = ktstr_run_refuses(execution->run, &execution->setup->kernel);

	if (reason)
		ktstr_assert_record(&execution->result->verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "%s", reason);
	return reason;
}

/* From the end of the guest's work to nothing being left of its VM. */
static void end_vm(struct execution *execution, struct ktstr_started *started)
{
	struct ktstr_test_result *result = execution->result;
	uint64_t budget = execution->run->test->cleanup_budget_ns;

	if (!started->vm)
		return;
	ktstr_started_deinit(started);
	result->cleanup_duration_ns = (struct ktstr_opt_u64)KTSTR_SOME(ktstr_now_ns() - execution->work_ended_ns);
	if (budget && result->cleanup_duration_ns.value > budget)
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "ending the VM took %.0f ms, the test allows %.0f ms (cleanup_budget)",
				    (double)result->cleanup_duration_ns.value / 1e6, (double)budget / 1e6);
}

/* What the devices have carried; of a VM that did not come about nothing is known. */
static json_t *count_networks(const struct ktstr_run *run, const struct ktstr_vm *vm)
{
	const struct ktstr_networks *networks = &run->test->networks;
	json_t *list = networks->count ? json_array() : NULL;

	for (size_t i = 0; i < networks->count; i++) {
		struct ktstr_virtio_net_counters_snapshot counters = { 0 };

		if (vm)
			counters = ktstr_vm_net_counters(vm, i);
		json_array_append_new(list, ktstr_net_counters_to_json(networks->items[i].mac, &counters));
	}
	return list;
}

/* What the run came to. */
static void judge(struct execution *execution, struct ktstr_error *error, struct ktstr_started *started)
{
	struct ktstr_test_result *result = execution->result;

	if (started->vm) {
		result->console = ktstr_vm_console(started->vm, &result->console_length);
		result->corrupt_frames = ktstr_vm_corrupt_frames(started->vm);
	}
	result->networks = count_networks(execution->run, started->vm);
	ktstr_judge(&execution->observation, error, result);
	stop_observer(execution);
	if (execution->run->test->expect.survives_storm)
		ktstr_survival_judge(&execution->observation.survival, result);
	ktstr_expect_apply(&execution->run->test->expect, result);
}

static void execute_once(struct execution *execution)
{
	_cleanup_(ktstr_started_deinit) struct ktstr_started started = { 0 };
	struct ktstr_test_result *result = execution->result;
	uint64_t began = ktstr_now_ns();
	_cleanup_error_ struct ktstr_error *error = NULL;

	ktstr_run_identify(execution->setup, execution->run, result);
	if (skip(execution))
		return;
	if (!ktstr_run_reserve(execution->run, result, &execution->reservation)) {
		ktstr_reservation_release(&execution->reservation);
		return;
	}
	if (execution->setup->run_dir)
		ktstr_result_discard_dumps(execution->setup->run_dir, result);
	error = execution->run->test->host_only ? run_on_host(execution) : run_in_vm(execution, &started);
	execution->work_ended_ns = ktstr_now_ns();
	if (execution->contention)
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "%s", execution->contention);
	else
		judge(execution, error, &started);
	ktstr_observation_deinit(&execution->observation);
	free(ktstr_take(execution->vmcore_path));
	keep_trace(execution);
	free(ktstr_take(execution->contention));
	end_vm(execution, &started);
	ktstr_reservation_release(&execution->reservation);
	result->duration_ns = ktstr_now_ns() - began;
}

static struct execution new_execution(const struct execution *like, struct ktstr_test_result *result)
{
	return (struct execution){ .setup = like->setup,
				   .run = like->run,
				   .stage = like->stage,
				   .stage_context = like->stage_context,
				   .result = result };
}

/*
 * QEMU with a thread a CPU may, rarely and on a busy host, keep a translation of kernel text with the breakpoint in it that
 * the kernel puts there for a moment when it patches itself: the guest then hits a breakpoint that nobody has set.
 */
static bool broken_by_emulation(const struct execution *execution)
{
	static const char oops[] = "Oops: int3:";
	const struct ktstr_test_result *result = execution->result;

	return execution->setup->accel.accel == KTSTR_ACCEL_TCG && !result->deterministic && result->console &&
	       ktstr_test_result_kind(result) == KTSTR_OUTCOME_FAIL &&
	       memmem(result->console, result->console_length, oops, strlen(oops));
}

/* Such a run says nothing about the test. A second one is believed, whatever it ends with. */
static void run_again(struct execution *execution)
{
	struct ktstr_test_result *result = execution->result;
	struct execution again = new_execution(execution, result);

	ktstr_test_result_deinit(result);
	execute_once(&again);
	ktstr_assert_note(&result->verdict,
			  "run again: in the first run the guest's kernel hit a breakpoint in its text (Oops: int3) that emulation had left there");
}

/* Runs it again and holds the two against each other; a difference is a failure of ours, and says where. */
static void compare_with_second(struct execution *execution)
{
	struct ktstr_test_result second, *first = execution->result;
	struct execution again = new_execution(execution, &second);
	_cleanup_free_ char *difference = NULL;

	execute_once(&again);
	if (second.trace)
		difference = ktstr_trace_first_difference(first->trace, second.trace);
	if (!second.trace) {
		/* Meanwhile the host has run out of something, or others have got its CPUs. */
		ktstr_assert_record(&first->verdict, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_OTHER,
				    "the second run, to compare with, did not take place: %s",
				    ktstr_assert_result_outcome(&second.verdict).detail->message);
	} else if (difference) {
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
	if (broken_by_emulation(&execution))
		run_again(&execution);
	/* Skipped: nothing has run that could run again. */
	if (!result->trace)
		return;
	if (run->twice)
		compare_with_second(&execution);
	if (run->deterministic)
		result->recipe = ktstr_recipe(setup, run, result);
}
