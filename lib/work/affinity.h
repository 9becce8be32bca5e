/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of lib/work: what is left to do with a resolved affinity. */
#ifndef KTSTR_WORK_AFFINITY_H
#define KTSTR_WORK_AFFINITY_H

#include "base/random.h"
#include "ktstr/work.h"

/* The CPUs of one worker; empty for NONE. */
struct ktstr_cpus work_affinity_draw(const struct ktstr_resolved_affinity *resolved, struct ktstr_random *random);

#endif
