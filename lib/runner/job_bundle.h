/* SPDX-License-Identifier: GPL-2.0-only */
/* The archives that a run puts into the guest: program, scheduler, their libraries, and the job. */
#ifndef KTSTR_RUNNER_JOB_BUNDLE_H
#define KTSTR_RUNNER_JOB_BUNDLE_H

#include "runner/runner.h"
#include "vm/bundle.h"

/* What a job carries. One without the test leaves the guest holding, its scheduler attached or its program loaded. */
enum ktstr_job_parts {
	KTSTR_JOB_PROGRAM = 1,
	KTSTR_JOB_SCHEDULER = 2,
	KTSTR_JOB_TEST = 4, /* which test it is, with its files and staged schedulers */
	KTSTR_JOB_WHOLE = KTSTR_JOB_PROGRAM | KTSTR_JOB_SCHEDULER | KTSTR_JOB_TEST,
};

/* On success *bundle holds the finished archive, see ktstr_bundle_finish(). What is left out the guest has already. */
struct ktstr_error *ktstr_job_bundle(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
				     enum ktstr_job_parts parts, struct ktstr_bundle **bundle) KTSTR_CHECKED;

/*
 * Finds out what the archives of all runs of this program and this scheduler need to know, before runs are forked off
 * that would each find it out for themselves. What goes wrong the run tells.
 */
void ktstr_job_prepare(const struct ktstr_run *run);

/* The "test" object of a job; new reference. */
json_t *ktstr_job_test(const struct ktstr_run_setup *setup, const struct ktstr_run *run);
/* The "scheduler" object of a job; guest_path NULL = one of the kernel's own. New reference. */
json_t *ktstr_job_scheduler(const struct ktstr_sched_choice *scheduler, const char *guest_path);

/* Is it attached by starting it, or turned on? */
bool ktstr_job_starts_scheduler(const struct ktstr_sched_choice *scheduler);

/* How long a scheduler may take to attach, in ms of guest time. */
enum { KTSTR_ATTACH_TIMEOUT_MS = 30000 };

#endif
