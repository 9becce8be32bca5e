/* SPDX-License-Identifier: GPL-2.0-only */
/* How a run's VM comes to life: a clone of a template with the scheduler attached, of a booted one, or a boot. */
#ifndef KTSTR_RUNNER_START_H
#define KTSTR_RUNNER_START_H

#include "runner/runner.h"
#include "vm/vm.h"

/* What a start tells while it goes on. */
struct ktstr_start_events {
	void (*stage)(void *context, const char *shown); /* "booting", "restoring", ... */
	/* name of a stage that results record, and when it ended (ktstr_now_ns()) */
	void (*stage_done)(void *context, const char *name, uint64_t ended_ns);
	void *context;
};

/*
 * *vm runs the job when this returns; it is set on failure, too, if a VM got far enough to have a console. *mode is
 * "warm+scheduler", "warm" or "cold" (static); *reason says why it is cold, NULL otherwise (heap); *template_id is the
 * template's that was cloned, NULL for a boot (heap).
 */
struct ktstr_error *ktstr_run_start(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
				    const struct ktstr_start_events *events, struct ktstr_vm **vm,
				    const char **mode, char **reason, char **template_id) KTSTR_CHECKED;

#endif
