// SPDX-License-Identifier: GPL-2.0-only
/* Starting VMs: templates first, a boot when they cannot serve, always saying which and why. */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "runner/job_bundle.h"
#include "runner/start.h"
#include "vm/template.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)
KTSTR_DEFINE_CLEANUP(struct ktstr_vm *, cleanup_vm, ktstr_vm_destroy)

struct start {
	const struct ktstr_run_setup *setup;
	const struct ktstr_run *run;
	const struct ktstr_start_events *events;
	struct ktstr_vm_config config;
	struct ktstr_started *started;
};

static void show(const struct start *start, const char *stage)
{
	start->events->stage(start->events->context, stage);
}

static void done(const struct start *start, const char *stage)
{
	start->events->stage_done(start->events->context, stage, ktstr_now_ns());
}

static void building(void *start)
{
	show(start, KTSTR_STAGE_BUILDING);
}

static void attaching(void *start)
{
	show(start, KTSTR_STAGE_ATTACHING);
}

/* A job with its archive, valid while the bundle lives; `stage`: where the agent waits for it. */
static struct ktstr_error *make_job(const struct start *start, enum ktstr_agent_stage stage, enum ktstr_job_parts parts,
				    struct ktstr_bundle **bundle, struct ktstr_vm_job *job)
{
	*job = (struct ktstr_vm_job){
		.stage = stage,
		.holds_at = parts & KTSTR_JOB_TEST    ? 0 :
			    parts & KTSTR_JOB_PROGRAM ? KTSTR_AGENT_LOADED :
							KTSTR_AGENT_ATTACHED,
		/* A machine that holds serves all seeds. */
		.seed = parts & KTSTR_JOB_TEST ? start->run->seed : 0,
	};
	KTSTR_TRY(ktstr_job_bundle(start->setup, start->run, parts, bundle));
	return ktstr_bundle_finish(*bundle, &job->archive, &job->archive_length);
}

static struct ktstr_error *clone(const struct start *start, const struct ktstr_template *template,
				 enum ktstr_agent_stage stage, enum ktstr_job_parts parts)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	struct ktstr_vm_job job;

	show(start, KTSTR_STAGE_RESTORING);
	KTSTR_TRY(make_job(start, stage, parts, &bundle, &job));
	done(start, "inject");
	KTSTR_TRY(ktstr_template_clone(&start->config, template, &job, &start->started->vm));
	start->events->stage_done(start->events->context, "spawn", ktstr_vm_answered_ns(start->started->vm));
	done(start, "restore");
	return NULL;
}

/* An attach takes guest time; under virtual time that of many CPUs takes a multiple of ours. */
static uint64_t attach_limit_ns(const struct ktstr_run *run)
{
	uint64_t limit = KTSTR_MS(2 * KTSTR_ATTACH_TIMEOUT_MS);

	return run->deterministic ? limit * ktstr_topology_total_cpus(&run->topology) : limit;
}

/*
 * A program that comes to a machine for the second time is kept there, loaded: its exec and its dynamic loader take longer
 * than all else of a warm start. Not in deterministic runs: those of a seed would differ before and after.
 */
static bool may_be_loaded(const struct ktstr_run *run)
{
	return !run->deterministic && !run->fresh_attach && !run->debug;
}

/* On top of `parent`; *loaded stays empty when the program is not wanted often enough, or will not be loaded. */
static struct ktstr_error *load_program(const struct start *start, const struct ktstr_template *parent,
					enum ktstr_agent_stage stage, struct ktstr_template *loaded)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_(cleanup_vm) struct ktstr_vm *failed = NULL;
	_cleanup_free_ char *description = NULL;
	struct ktstr_vm_job job;
	struct ktstr_template_step step = { .parent = parent,
					    .job = &job,
					    .timeout_ns = attach_limit_ns(start->run),
					    .second_time = true };

	KTSTR_TRY(make_job(start, stage, KTSTR_JOB_PROGRAM, &bundle, &job));
	step.description = description = ktstr_xasprintf("%s, %s loaded", start->run->scheduler.label,
							 strrchr(start->run->program->path, '/') + 1);
	return ktstr_template_after(&start->config, &step, loaded, &failed);
}

/* `parent` is a machine that waits at `stage`; `parts`: what of the job it has not got yet. */
static struct ktstr_error *clone_test(const struct start *start, const struct ktstr_template *parent,
				      enum ktstr_agent_stage stage, enum ktstr_job_parts parts)
{
	_cleanup_(ktstr_template_deinit) struct ktstr_template loaded = { .hold.lock_fd = -1 };

	if (may_be_loaded(start->run)) {
		show(start, "loading");
		/* Whatever is wrong with it the test will tell when it runs in the ordinary way. */
		ktstr_error_free(load_program(start, parent, stage, &loaded));
		if (loaded.built_now)
			done(start, "load");
	}
	if (!loaded.ram_path)
		return clone(start, parent, stage, parts);
	start->started->program_loaded = true;
	return clone(start, &loaded, KTSTR_AGENT_LOADED, KTSTR_JOB_TEST);
}

/* When the scheduler does not attach, the VM in which it did not is what the run reports. */
static struct ktstr_error *clone_attached(const struct start *start, const struct ktstr_template *booted)
{
	_cleanup_(ktstr_template_deinit) struct ktstr_template attached = { .hold.lock_fd = -1 };
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_str_ struct ktstr_str description = { 0 };
	const struct ktstr_sched_choice *scheduler = &start->run->scheduler;
	struct ktstr_started *started = start->started;
	struct ktstr_vm_job attach;
	struct ktstr_template_step step = { .parent = booted,
					    .job = &attach,
					    .timeout_ns = attach_limit_ns(start->run),
					    .watch = { attaching, (void *)start } };
	struct ktstr_error *error;

	KTSTR_TRY(make_job(start, KTSTR_AGENT_READY, KTSTR_JOB_SCHEDULER, &bundle, &attach));
	ktstr_str_addf(&description, "%s", scheduler->label);
	for (size_t i = 0; i < scheduler->args.count; i++)
		ktstr_str_addf(&description, " %s", scheduler->args.items[i]);
	step.description = ktstr_str_text(&description);
	error = ktstr_template_after(&start->config, &step, &attached, &started->vm);
	started->not_attached = started->vm != NULL;
	if (attached.built_now || started->not_attached)
		done(start, "attach");
	if (started->not_attached) {
		ktstr_error_free(error);
		started->mode = "warm";
		return NULL;
	}
	return error ? error : clone_test(start, &attached, KTSTR_AGENT_ATTACHED, KTSTR_JOB_PROGRAM | KTSTR_JOB_TEST);
}

/* Before another attempt. */
static void give_up(struct ktstr_started *started, struct ktstr_error *error)
{
	ktstr_started_deinit(started);
	started->reason = ktstr_xstrdup(ktstr_error_message(error));
	ktstr_error_free(error);
}

static struct ktstr_error *start_warm(const struct start *start)
{
	_cleanup_(ktstr_template_deinit) struct ktstr_template booted = { .hold.lock_fd = -1 };
	const struct ktstr_sched_choice *scheduler = &start->run->scheduler;
	struct ktstr_error *error;

	/* For another process that makes it, if for anything. */
	show(start, "waiting for template");
	KTSTR_TRY(ktstr_template_booted(&start->config, (struct ktstr_template_watch){ building, (void *)start }, &booted));
	done(start, booted.built_now ? "boot" : "template");
	if (scheduler->path && !start->run->fresh_attach) {
		start->started->mode = "warm+scheduler";
		error = clone_attached(start, &booted);
		if (!error)
			return NULL;
		give_up(start->started, error);
	}
	start->started->mode = "warm";
	/* The scheduler comes before the program. */
	if (ktstr_job_starts_scheduler(scheduler))
		return clone(start, &booted, KTSTR_AGENT_READY, KTSTR_JOB_WHOLE);
	return clone_test(start, &booted, KTSTR_AGENT_READY, KTSTR_JOB_WHOLE);
}

static struct ktstr_error *start_cold(const struct start *start)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	struct ktstr_vm_job job;

	show(start, "booting");
	KTSTR_TRY(make_job(start, KTSTR_AGENT_READY, KTSTR_JOB_WHOLE, &bundle, &job));
	done(start, "inject");
	KTSTR_TRY(ktstr_vm_boot(&start->config, NULL, &job, &start->started->vm));
	done(start, "boot");
	return NULL;
}

/* Rule 10 of determinism.h. */
static struct ktstr_error *check_deterministic(const struct ktstr_run_setup *setup, const struct ktstr_run *run)
{
	const struct ktstr_qemu *qemu = &setup->qemu;
	bool fair = qemu->major > 8 || (qemu->major == 8 && qemu->minor >= 1);

	if (fair || ktstr_topology_total_cpus(&run->topology) == 1)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
			       "deterministic mode with more than one CPU needs QEMU 8.1, here is %s: install a newer one (Debian 12: from backports, tools/setup does) or use 1n1l1c1t",
			       qemu->version);
}

struct ktstr_error *ktstr_run_start(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
				    const struct ktstr_start_events *events, struct ktstr_started *started)
{
	_cleanup_free_ char *kernel_words = ktstr_run_kernel_words(run);
	struct start start = {
		.setup = setup,
		.run = run,
		.events = events,
		.config = ktstr_run_setup_config(setup),
		.started = started,
	};
	struct ktstr_error *error;

	start.config.topology = &run->topology;
	start.config.accel = ktstr_run_accel(setup, run);
	start.config.memory_mib = run->test->memory_mib;
	start.config.disk = run->disk;
	start.config.networks = run->test->networks;
	start.config.deterministic = run->deterministic;
	start.config.dedicated = ktstr_run_is_measured(run);
	start.config.debug_socket = run->debug ? run->debug->socket_path : NULL;
	start.config.observe = ktstr_run_is_observed(run);
	start.config.extra_kargs = kernel_words;
	start.config.settle_ms = run->deterministic ? KTSTR_SETTLE_DETERMINISTIC_MS : KTSTR_SETTLE_MS;
	*started = (struct ktstr_started){ .mode = "cold" };
	if (run->deterministic)
		KTSTR_TRY(check_deterministic(setup, run));
	if (!run->cold) {
		error = start_warm(&start);
		/* The kernel of a boot is not there yet when a debugger comes. */
		if (!error || run->debug)
			return error;
		give_up(started, error);
	} else {
		started->reason = ktstr_xstrdup("asked for with --cold");
		start.config.settle_ms = run->deterministic ? KTSTR_SETTLE_DETERMINISTIC_MS : 0;
	}
	started->mode = "cold";
	return start_cold(&start);
}

void ktstr_started_deinit(struct ktstr_started *started)
{
	ktstr_vm_destroy(started->vm);
	free(started->reason);
	*started = (struct ktstr_started){ 0 };
}
