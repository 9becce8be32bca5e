/* SPDX-License-Identifier: GPL-2.0-only */
/* What captures of a guest say of its interrupts and of the pressure they make, in the terms of the metric registry, for the phases they fell into. */
#ifndef KTSTR_RUNNER_CAPTURE_VALUES_H
#define KTSTR_RUNNER_CAPTURE_VALUES_H

#include <jansson.h>

#include "ktstr/phase.h"

/* Captures in the order they were taken, with the values that they point to. Zero-initialise; deinit when done. */
struct ktstr_capture_values {
	struct ktstr_phase_capture *captures;
	struct ktstr_metric_set *values; /* of each capture */
	size_t count;
};

/*
 * From the `snapshots` of a run (observe/captures.h; may be NULL) those taken in [begin_ms, end_ms) of the session's clock;
 * begin_ms is the start of a scenario. Counters come as the kernel has them; what is about the busiest CPU, or the cgroup with
 * the most IRQ pressure, since the first capture of a phase is a value of the last one.
 */
void ktstr_capture_values_read(const json_t *snapshots, uint64_t begin_ms, uint64_t end_ms,
			       struct ktstr_capture_values *out);
void ktstr_capture_values_deinit(struct ktstr_capture_values *values);

#endif
