/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watching one VM while it runs a test: a thread of ours that reads the guest's memory, and stops the guest at the
 * instruction with which its kernel gives up on the scheduler, to take a dump before anything is torn down.
 */
#ifndef KTSTR_OBSERVE_OBSERVER_H
#define KTSTR_OBSERVE_OBSERVER_H

#include <jansson.h>

#include "vm/vm.h"

struct ktstr_observer;

/*
 * Starts watching; the VM (created with config.observe) must outlive the observer. What cannot be watched is told by
 * ktstr_observer_stop().
 */
struct ktstr_error *ktstr_observer_start(struct ktstr_vm *vm, const char *vmlinux_path,
					 struct ktstr_observer **observer) KTSTR_CHECKED;
/* A scheduler is attached now: its exit is to be caught. */
void ktstr_observer_scheduler_attached(struct ktstr_observer *observer);

/* What was seen. */
struct ktstr_sightings {
	json_t *failure_dump; /* owned; NULL = no error exit was caught */
	char *unavailable; /* heap; why nothing could be watched, NULL = everything was */
	uint64_t frozen_ns; /* how long the guest stood still for us */
};

/* Ends the thread and frees the observer; accepts NULL. */
void ktstr_observer_stop(struct ktstr_observer *observer, struct ktstr_sightings *sightings);

#endif
