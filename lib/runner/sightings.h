/* SPDX-License-Identifier: GPL-2.0-only */
/* From what was seen of a guest from outside to a test's result: monitor, captures, dump of a failure. */
#ifndef KTSTR_RUNNER_SIGHTINGS_H
#define KTSTR_RUNNER_SIGHTINGS_H

#include "observe/observer.h"
#include "runner/runner.h"
#include "runner/stimulus.h"

/* The monitor's thresholds of a test. */
struct ktstr_monitor_thresholds ktstr_run_monitor_thresholds(const struct ktstr_run *run);

/* Ends the course of scenarios: their phases get the samples and captures that fell into them. */
void ktstr_sightings_phases(const struct ktstr_sightings *sightings, struct ktstr_stimulus_log *course,
			    struct ktstr_test_result *result);
/* Adds to result->verdict what the host finds, and fills monitor, captures and failure_dump. */
void ktstr_sightings_judge(const struct ktstr_sightings *sightings, const struct ktstr_run *run,
			   struct ktstr_test_result *result);

#endif
