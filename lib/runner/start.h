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

struct ktstr_started {
	struct ktstr_vm *vm; /* runs the job; on failure, too, if it got far enough to have a console */
	const char *mode; /* "warm+scheduler", "warm" or "cold"; static */
	bool program_loaded; /* warm: with the test program */
	char *reason; /* why it is cold, or not from the template with the scheduler; NULL = nothing stood in the way */
	bool not_attached; /* the VM is one in which the scheduler did not attach: its frames tell, nothing will run */
};

struct ktstr_error *ktstr_run_start(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
				    const struct ktstr_start_events *events, struct ktstr_started *started)
	KTSTR_CHECKED;
void ktstr_started_deinit(struct ktstr_started *started);

#endif
