/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture by itself: when a threshold that a test enforces is first violated for long enough, while it still is. */
#ifndef KTSTR_OBSERVE_REACTIVE_H
#define KTSTR_OBSERVE_REACTIVE_H

#include "ktstr/monitor.h"

#define KTSTR_REACTIVE_TAG "monitor-violation"

struct ktstr_reactive {
	struct ktstr_monitor_thresholds thresholds;
	size_t looked; /* samples so far */
	unsigned int run; /* of violations, without a gap */
	bool fired;
};

/* Looks at samples that are new; true once: now is the time. Never when nothing is enforced. */
bool ktstr_reactive_look(struct ktstr_reactive *reactive, const struct ktstr_monitor_series *series);

#endif
