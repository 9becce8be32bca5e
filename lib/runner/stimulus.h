/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest tells of the course of its scenarios, and the phases that follow from it. */
#ifndef KTSTR_RUNNER_STIMULUS_H
#define KTSTR_RUNNER_STIMULUS_H

#include "ktstr/phase.h"
#include "result/result.h"
#include "wire/frame.h"

/* Zero-initialise; deinit when done. */
struct ktstr_stimulus_log {
	struct ktstr_stimulus_event *events; /* of all scenarios, in the order they came */
	size_t count;
	size_t scenario_start; /* the first event of the scenario that runs: each has a clock of its own */
	struct ktstr_phase_buckets phases; /* of the scenarios that ended; equal phases of several are one */
};

/* Takes frames of scenarios and steps; others, and events beyond a few thousand, are left alone. */
void ktstr_stimulus_log_take(struct ktstr_stimulus_log *log, const struct ktstr_frame *frame);
/* Moves the events into the result, and merges the phases with those of its verdict. */
void ktstr_stimulus_log_finish(struct ktstr_stimulus_log *log, struct ktstr_test_result *result);
void ktstr_stimulus_log_deinit(struct ktstr_stimulus_log *log);

#endif
