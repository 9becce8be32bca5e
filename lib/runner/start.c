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

struct start {
	const struct ktstr_run_setup *setup;
	const struct ktstr_run *run;
	const struct ktstr_start_events *events;
	struct ktstr_vm_config config;
	struct ktstr_vm **vm;
	char **template_id;
};

static void show(const struct start *start, const char *stage)
{
	start->events->stage(start->events->context, stage);
}

static void done(const struct start *start, const char *stage)
{
	start->events->stage_done(start->events->context, stage, ktstr_now_ns());
}

/* A job with its archive, valid while the bundle lives. */
static struct ktstr_error *make_job(const struct start *start, enum ktstr_job_parts parts,
				    struct ktstr_bundle **bundle, struct ktstr_vm_job *job)
{
	*job = (struct ktstr_vm_job){
		.stage = parts == KTSTR_JOB_PROGRAM ? KTSTR_AGENT_ATTACHED : KTSTR_AGENT_READY,
		/* A machine with its scheduler attached serves all seeds. */
		.seed = parts == KTSTR_JOB_SCHEDULER ? 0 : start->run->seed,
	};
	KTSTR_TRY(ktstr_job_bundle(start->setup, start->run, parts, bundle));
	return ktstr_bundle_finish(*bundle, &job->archive, &job->archive_length);
}

static struct ktstr_error *clone(const struct start *start, const struct ktstr_template *template,
				 enum ktstr_job_parts parts)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	struct ktstr_vm_job job;

	show(start, KTSTR_STAGE_RESTORING);
	KTSTR_TRY(make_job(start, parts, &bundle, &job));
	done(start, "inject");
	KTSTR_TRY(ktstr_template_clone(&start->config, template, &job, start->vm));
	start->events->stage_done(start->events->context, "spawn", ktstr_vm_answered_ns(*start->vm));
	done(start, "restore");
	free(*start->template_id);
	*start->template_id = ktstr_xstrdup(template->id);
	return NULL;
}

static struct ktstr_error *clone_attached(const struct start *start, const struct ktstr_template *booted)
{
	_cleanup_(ktstr_template_deinit) struct ktstr_template attached = { .hold.lock_fd = -1 };
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_str_ struct ktstr_str description = { 0 };
	const struct ktstr_sched_choice *scheduler = &start->run->scheduler;
	struct ktstr_vm_job attach;

	show(start, "attaching");
	KTSTR_TRY(make_job(start, KTSTR_JOB_SCHEDULER, &bundle, &attach));
	ktstr_str_addf(&description, "%s", scheduler->label);
	for (size_t i = 0; i < scheduler->args.count; i++)
		ktstr_str_addf(&description, " %s", scheduler->args.items[i]);
	KTSTR_TRY(ktstr_template_attached(&start->config, booted, &attach,
					  KTSTR_MS(2 * KTSTR_ATTACH_TIMEOUT_MS), ktstr_str_text(&description),
					  &attached));
	if (attached.built_now)
		done(start, "attach");
	return clone(start, &attached, KTSTR_JOB_PROGRAM);
}

static struct ktstr_error *start_warm(const struct start *start, const char **mode)
{
	_cleanup_(ktstr_template_deinit) struct ktstr_template booted = { .hold.lock_fd = -1 };
	bool wants_attached = start->run->scheduler.path && !start->run->fresh_attach;
	_cleanup_error_ struct ktstr_error *error = NULL;

	show(start, "booting");
	KTSTR_TRY(ktstr_template_booted(&start->config, &booted));
	done(start, booted.built_now ? "boot" : "template");
	if (wants_attached) {
		*mode = "warm+scheduler";
		error = clone_attached(start, &booted);
		if (!error)
			return NULL;
		/* A scheduler that cannot attach is seen again, and reported, in a clone of its own. */
		ktstr_vm_destroy(*start->vm);
		*start->vm = NULL;
	}
	*mode = "warm";
	return clone(start, &booted, KTSTR_JOB_WHOLE);
}

static struct ktstr_error *start_cold(const struct start *start)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	struct ktstr_vm_job job;

	show(start, "booting");
	KTSTR_TRY(make_job(start, KTSTR_JOB_WHOLE, &bundle, &job));
	done(start, "inject");
	KTSTR_TRY(ktstr_vm_boot(&start->config, NULL, &job, start->vm));
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
				    const struct ktstr_start_events *events, struct ktstr_vm **vm,
				    const char **mode, char **reason, char **template_id)
{
	_cleanup_free_ char *kernel_words = ktstr_run_kernel_words(run);
	struct start start = {
		.setup = setup,
		.run = run,
		.events = events,
		.config = { .qemu = &setup->qemu,
			    .accel = &setup->accel,
			    .kernel = &setup->kernel,
			    .topology = &run->topology,
			    .memory_mib = run->test->memory_mib,
			    .base = &setup->base,
			    .deterministic = run->deterministic,
			    .observe = ktstr_run_is_observed(run),
			    .extra_kargs = kernel_words,
			    .settle_ms = run->deterministic ? KTSTR_SETTLE_DETERMINISTIC_MS : KTSTR_SETTLE_MS },
		.vm = vm,
		.template_id = template_id,
	};
	struct ktstr_error *error;

	*template_id = NULL;
	*vm = NULL;
	*reason = NULL;
	if (run->deterministic)
		KTSTR_TRY(check_deterministic(setup, run));
	if (!run->cold) {
		error = start_warm(&start, mode);
		if (!error)
			return NULL;
		ktstr_vm_destroy(*vm);
		*vm = NULL;
		*reason = ktstr_xstrdup(ktstr_error_message(error));
		ktstr_error_free(error);
	} else {
		*reason = ktstr_xstrdup("asked for with --cold");
		start.config.settle_ms = run->deterministic ? KTSTR_SETTLE_DETERMINISTIC_MS : 0;
	}
	*mode = "cold";
	return start_cold(&start);
}
