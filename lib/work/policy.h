/* SPDX-License-Identifier: GPL-2.0-only */
/* Scheduling policies through sched_setattr(2): check, apply, name. */
#ifndef KTSTR_WORK_POLICY_H
#define KTSTR_WORK_POLICY_H

#include "ktstr/work.h"

/* Applies to the calling thread; 0 or an errno. Real-time priorities are clamped to 1..99. */
int work_apply_policy(const struct ktstr_sched_policy *policy);
/* What the kernel would refuse in any case; group_idx is for the message. */
struct ktstr_error *work_check_policy(const struct ktstr_sched_policy *policy, const char *name,
				      unsigned int group_idx) KTSTR_CHECKED;

#endif
