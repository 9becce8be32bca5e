/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of lib/work: setting a memory policy. */
#ifndef KTSTR_WORK_MEM_POLICY_H
#define KTSTR_WORK_MEM_POLICY_H

#include "ktstr/work.h"

/* Of the calling thread; 0 or an errno. DEFAULT makes no call. */
int work_apply_mem_policy(const struct ktstr_mem_policy *policy, unsigned int mpol_flags);

#endif
