/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * .survives_storm: was the scheduler there all through every hold? Judged on the host from the order of frames, so that
 * nothing in the guest can say otherwise.
 */
#ifndef KTSTR_RUNNER_SURVIVAL_H
#define KTSTR_RUNNER_SURVIVAL_H

#include "result/result.h"
#include "wire/frame.h"

/* Zero-initialise; deinit when done. */
struct ktstr_survival {
	bool holding;
	bool confirmed; /* this hold began with sched_ext enabled */
	unsigned int step; /* of the hold, from 0 */
	unsigned int survived; /* holds that ended with the scheduler that they began with */
	char *broken; /* the first that did not, in words; NULL = none */
};

/* Takes steps, and what the agent says of schedulers; other frames are left alone. */
void ktstr_survival_take(struct ktstr_survival *survival, const struct ktstr_frame *frame);
/*
 * A hold without its scheduler is a failure, a run without a hold that ended inconclusive, unless it was skipped or has
 * failed anyway. For tests that ask for it.
 */
void ktstr_survival_judge(const struct ktstr_survival *survival, struct ktstr_test_result *result);
void ktstr_survival_deinit(struct ktstr_survival *survival);

#endif
