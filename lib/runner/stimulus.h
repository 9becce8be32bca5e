/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest tells of the course of its scenarios, and the phases that follow from it. */
#ifndef KTSTR_RUNNER_STIMULUS_H
#define KTSTR_RUNNER_STIMULUS_H

#include "ktstr/monitor.h"
#include "ktstr/phase.h"
#include "result/result.h"
#include "wire/frame.h"

/* A scenario that ended: a part of the events, on a clock of its own. */
struct ktstr_stimulus_scenario {
	size_t number; /* of the run, from 0 */
	size_t first_event, events_count;
};

/* Zero-initialise; deinit when done. */
struct ktstr_stimulus_log {
	struct ktstr_stimulus_event *events; /* of all scenarios, in the order they came */
	size_t count;
	size_t scenario_start; /* the first event of the scenario that runs */
	size_t begun; /* scenarios */
	struct ktstr_stimulus_scenario *ended;
	size_t ended_count;
};

/* What the host saw meanwhile, all on one clock. Borrowed; zeroed: nothing. */
struct ktstr_stimulus_views {
	const struct ktstr_monitor_series *monitor; /* may be NULL */
	const json_t *snapshots; /* observe/captures.h; may be NULL */
	const uint64_t *scenario_starts_ms; /* by the number of the scenario; those beyond the count were not seen */
	size_t scenario_starts_count;
};

/* Takes frames of scenarios and steps; others, and events beyond a few thousand, are left alone. */
void ktstr_stimulus_log_take(struct ktstr_stimulus_log *log, const struct ktstr_frame *frame);
/*
 * Moves the events into the result. The phases of the scenarios that ended, with what was seen in them, are merged with
 * those of its verdict; equal phases of several scenarios are one.
 */
void ktstr_stimulus_log_finish(struct ktstr_stimulus_log *log, const struct ktstr_stimulus_views *views,
			       struct ktstr_test_result *result);
void ktstr_stimulus_log_deinit(struct ktstr_stimulus_log *log);

#endif
