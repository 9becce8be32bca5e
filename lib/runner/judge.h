/* SPDX-License-Identifier: GPL-2.0-only */
/* From frames and the way a VM ended to a verdict with one stated cause. */
#ifndef KTSTR_RUNNER_JUDGE_H
#define KTSTR_RUNNER_JUDGE_H

#include "result/result.h"
#include "runner/instances.h"
#include "runner/stimulus.h"
#include "runner/survival.h"
#include "wire/frame.h"

/* What the host saw of a run. Zero-initialise; deinit when done. */
struct ktstr_observation {
	bool attached, detached, died, attach_timed_out, no_sched_ext;
	bool exited; /* the test program ended */
	int program_status, sched_status; /* wait statuses */
	uint64_t scenario_elapsed_ms; /* guest time of the last scenario that ended */
	char *agent_error;
	char *not_started; /* why the first scheduler was not even tried */
	char *lost; /* name of the scheduler that went away by itself */
	char *inactive; /* what sched_ext said under a workload that should have run under a scheduler */
	struct ktstr_str output;
	struct ktstr_sched_instances schedulers;
	struct ktstr_stimulus_log stimulus;
	struct ktstr_survival survival;
};

void ktstr_observation_deinit(struct ktstr_observation *observation);

/* Takes one frame into observation and result. Frames with a bad CRC only count. */
void ktstr_observe_frame(struct ktstr_observation *observation, const struct ktstr_frame *frame,
			 struct ktstr_test_result *result);

/*
 * Adds the host's findings to result->verdict and sets result->cause. end_error: why the VM gave no exit frame
 * (NULL when it did); borrowed. result->console must be filled.
 */
void ktstr_judge(struct ktstr_observation *observation, const struct ktstr_error *end_error,
		 struct ktstr_test_result *result);

#endif
