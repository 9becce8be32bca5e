/* SPDX-License-Identifier: GPL-2.0-only */
/* Test bodies that run on this machine instead of a VM (.host_only). */
#ifndef KTSTR_RUNNER_HOST_RUN_H
#define KTSTR_RUNNER_HOST_RUN_H

#include "runner/runner.h"
#include "wire/frame.h"

typedef void (*ktstr_host_frame_fn)(void *context, const struct ktstr_frame *frame);

/*
 * Runs the program's body as a child, gives out its frames, its output as frames like a guest's, and its end as
 * KTSTR_FRAME_EXIT. Its cgroups are below $KTSTR_HOST_CGROUP_PARENT (/sys/fs/cgroup/ktstr), in one of the run's own that
 * is killed and removed in the end. *stalls: an array of reports of workers that stood still, NULL = none. An error says
 * why there is no end to report.
 */
struct ktstr_error *ktstr_host_run(const struct ktstr_run_setup *setup, const struct ktstr_run *run, uint64_t limit_ns,
				   ktstr_host_frame_fn on_frame, void *context, json_t **stalls) KTSTR_CHECKED;

#endif
