/* SPDX-License-Identifier: GPL-2.0-only */
/* Pieces that executors share. */
#ifndef KTSTR_SCENARIO_SCENARIO_H
#define KTSTR_SCENARIO_SCENARIO_H

#include "ktstr/scenario.h"

/* "enabled ktstr" (sched_ext state and ops), or "disabled"/"absent"; static buffer. */
const char *ktstr_active_scheduler(void);
/*
 * One worker's report as a frame of JSON, with a checksum over its latency samples: part of the exact record of a
 * deterministic run.
 */
void ktstr_send_worker(const char *cgroup_name, const struct ktstr_worker_report *report);

#endif
