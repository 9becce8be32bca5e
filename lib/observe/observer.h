/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watching one VM while it runs a test: a thread of ours that samples the guest's memory ten times a second, stops the
 * guest for captures, and at the instruction with which its kernel gives up on the scheduler, before anything is torn
 * down. Requests of the test body are answered from here.
 */
#ifndef KTSTR_OBSERVE_OBSERVER_H
#define KTSTR_OBSERVE_OBSERVER_H

#include "ktstr/monitor.h"
#include "observe/periodic.h"
#include "observe/session.h"

struct ktstr_observer;

/*
 * Starts watching; the VM (created with config.observe) and what the configuration borrows must outlive the observer.
 * What cannot be watched is told by ktstr_observer_stop().
 */
struct ktstr_error *ktstr_observer_start(const struct ktstr_session_config *config,
					 const struct ktstr_monitor_thresholds *thresholds,
					 struct ktstr_observer **observer) KTSTR_CHECKED;
/*
 * The same for a deterministic guest, which nothing may stop: it is looked at when it freezes itself, in the thread that
 * waits for its frames. There are no registers and no watches.
 */
struct ktstr_observer *ktstr_observer_of_freezes(const struct ktstr_session_config *config,
						 const struct ktstr_monitor_thresholds *thresholds);
/* A frame of the guest; true when it is a request that the observer answers. Any thread. */
bool ktstr_observer_frame(struct ktstr_observer *observer, const struct ktstr_frame *frame);
/* How long the guest has stood still for us so far: deadlines move by as much. Any thread. */
uint64_t ktstr_observer_frozen_ns(const struct ktstr_observer *observer);

enum { KTSTR_SCENARIOS_SEEN_MAX = 64 };

/* What was seen: the session with its samples and captures, and how periodic captures went. */
struct ktstr_sightings {
	struct ktstr_session session;
	struct ktstr_periodic periodic;
	unsigned int periodic_fired, periodic_real; /* with and without placeholders */
	/* Zero of each scenario's clock on that of the session; later scenarios are not kept. */
	uint64_t scenario_starts_ms[KTSTR_SCENARIOS_SEEN_MAX];
	size_t scenarios_count;
};

/* Ends the thread and frees the observer (accepts NULL). The sightings are the caller's to deinit. */
void ktstr_observer_stop(struct ktstr_observer *observer, struct ktstr_sightings *sightings);
void ktstr_sightings_deinit(struct ktstr_sightings *sightings);

#endif
