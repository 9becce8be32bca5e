/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The observer between its files: observer.c decides when to look, standstill.c does what the guest has to stand still for,
 * requests.c answers what the guest asks. All of it runs in one thread.
 */
#ifndef KTSTR_OBSERVE_OBSERVER_PARTS_H
#define KTSTR_OBSERVE_OBSERVER_PARTS_H

#include "observe/inbox.h"
#include "observe/observer.h"
#include "observe/reactive.h"
#include "observe/watchpoints.h"

struct ktstr_observer {
	struct ktstr_session_config config;
	pthread_t thread;
	struct ktstr_inbox inbox;
	_Atomic bool quit;

	struct ktstr_sightings seen;
	struct ktstr_watchpoints points;
	struct ktstr_reactive reactive;
	uint64_t next_tick_ns;
	uint64_t arm_not_before_ns; /* see ktstr_observer_follow_scheduler() */
	uint64_t exit_seen; /* address of the exit_kind whose scheduler has made its exit before our eyes; 0 = none */
	bool scenario_began;
	bool first_step_due; /* of the scenario that runs */
	uint64_t scenario_began_ns; /* on the clock of ktstr_session_elapsed_ns() */
	struct ktstr_vm_freeze *freeze; /* of a deterministic guest, while it stands still; NULL in ordinary runs */
};

/* --- standstill.c --- */

typedef struct ktstr_error *(*ktstr_stopped_action)(struct ktstr_observer *observer, const void *context);

/* Does something while the guest stands still. KTSTR_ERR_TIMEOUT: it did not come to that. */
struct ktstr_error *ktstr_observer_while_stopped(struct ktstr_observer *observer, ktstr_stopped_action action,
						 const void *context) KTSTR_CHECKED;

struct ktstr_capture_wanted {
	const char *tag, *kind;
	struct ktstr_opt_u64 boundary_offset_ms;
};

/* What is kept instead of a capture when the guest did not stop. */
json_t *ktstr_observer_degraded(const struct ktstr_session *session, const char *detail);
json_t *ktstr_observer_placeholder(const struct ktstr_session *session, const char *detail);

/* A capture; after KTSTR_ERR_TIMEOUT its substitute is stored. */
struct ktstr_error *ktstr_observer_capture(struct ktstr_observer *observer, const struct ktstr_capture_wanted *wanted,
					   json_t *(*substitute)(const struct ktstr_session *session, const char *detail))
	KTSTR_CHECKED;
/* Looks what has stopped the guest, if anything has, and lets it go on. */
struct ktstr_error *ktstr_observer_handle_stub(struct ktstr_observer *observer) KTSTR_CHECKED;
/* Watches exit_kind of a scheduler that came, and no longer that of one that went. */
struct ktstr_error *ktstr_observer_follow_scheduler(struct ktstr_observer *observer) KTSTR_CHECKED;
struct ktstr_error *ktstr_observer_add_watch(struct ktstr_observer *observer, const char *symbol) KTSTR_CHECKED;

/* --- requests.c --- */

/* Is a frame of that type a request, which gets an answer? */
bool ktstr_is_observer_request(uint32_t type);
void ktstr_observer_read_letter(struct ktstr_observer *observer, const struct ktstr_letter *letter);

#endif
