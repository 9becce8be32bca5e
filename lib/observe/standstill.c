// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest has to stand still for: captures, watchpoints, the exit of a scheduler. All of it goes through
 * ktstr_observer_while_stopped(), and ends with a guest that goes on.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "observe/dump.h"
#include "observe/observer_parts.h"
#include "observe/scx_state.h"

#define ARM_AGAIN KTSTR_SEC(1) /* a guest that does not stop has it left alone for as long */

static struct ktstr_error *handle_hit(struct ktstr_observer *observer, uint64_t address);

/* A watchpoint that was hit in the moment of the stop would be lost if the guest just went on. */
static struct ktstr_error *handle_missed_hit(struct ktstr_observer *observer)
{
	uint64_t address;

	KTSTR_TRY(ktstr_watchpoints_take_hit(&observer->points, &address));
	return address ? handle_hit(observer, address) : NULL;
}

struct ktstr_error *ktstr_observer_while_stopped(struct ktstr_observer *observer, ktstr_stopped_action action,
						 const void *context)
{
	struct ktstr_session *session = &observer->seen.session;
	uint64_t began = ktstr_now_ns();
	struct ktstr_error *error, *more;

	if (observer->freeze) /* it stands still already */
		return action(observer, context);
	error = ktstr_watchpoints_stop(&observer->points);
	if (!error) {
		error = action(observer, context);
		more = handle_missed_hit(observer);
		if (error)
			ktstr_error_free(more);
		else
			error = more;
		more = ktstr_watchpoints_continue(&observer->points);
		if (error)
			ktstr_error_free(more);
		else
			error = more;
	}
	session->frozen_ns += ktstr_now_ns() - began;
	return error;
}

/* A guest that has frozen itself holds QEMU's lock: its registers cannot be had. */
static json_t *registers_of(struct ktstr_observer *observer)
{
	if (observer->freeze)
		return NULL;
	return ktstr_watchpoints_registers(&observer->points, observer->seen.session.view);
}

/* --- watchpoints --- */

/*
 * The kernel has written exit_kind. Anything but an error is an exit that somebody asked for. Either way this scheduler
 * has made its exit: its memory will soon be somebody else's.
 */
static struct ktstr_error *on_exit_kind(struct ktstr_observer *observer)
{
	struct ktstr_session *session = &observer->seen.session;
	json_t *registers;

	if (ktstr_session_is_error_exit(session)) {
		registers = registers_of(observer);
		ktstr_session_fail(session, registers);
		json_decref(registers);
	}
	observer->exit_seen = observer->points.exit_kind;
	return ktstr_watchpoints_leave_scheduler(&observer->points);
}

/* It gave up before it was watched: the clone of a template starts with its scheduler, and is looked at a little later. */
static struct ktstr_error *on_unwatched_exit(struct ktstr_observer *observer, const void *context)
{
	struct ktstr_session *session = &observer->seen.session;
	json_t *registers;

	(void)context;
	if (!ktstr_session_is_error_exit(session)) /* it has gone meanwhile */
		return NULL;
	registers = registers_of(observer);
	ktstr_session_fail(session, registers);
	json_decref(registers);
	return NULL;
}

/* The first capture has the symbol's name, later ones a number behind it, so that each is kept. */
static struct ktstr_error *on_user_watch(struct ktstr_observer *observer, struct ktstr_user_watch *watch)
{
	struct ktstr_session *session = &observer->seen.session;
	_cleanup_free_ char *tag = watch->fires ? ktstr_xasprintf("%s.%u", watch->symbol, watch->fires + 1) :
						  ktstr_xstrdup(watch->symbol);
	json_t *registers = registers_of(observer);

	ktstr_session_capture(session, tag, "watch", (struct ktstr_opt_u64){ 0 }, registers);
	json_decref(registers);
	if (++watch->fires < KTSTR_WATCH_FIRES_MAX)
		return NULL;
	ktstr_captures_event(&session->captures, "WatchGivenUp", watch->symbol,
			     json_pack("{si}", "fires", KTSTR_WATCH_FIRES_MAX));
	return ktstr_watchpoints_give_up(&observer->points, watch);
}

static struct ktstr_error *handle_hit(struct ktstr_observer *observer, uint64_t address)
{
	struct ktstr_user_watch *watch = ktstr_watchpoints_user(&observer->points, address);

	if (watch)
		return on_user_watch(observer, watch);
	return address == observer->points.exit_kind ? on_exit_kind(observer) : NULL;
}

static struct ktstr_error *on_hit(struct ktstr_observer *observer, const void *context)
{
	return handle_hit(observer, *(const uint64_t *)context);
}

/* CPUs that come to stop when nobody waits for them any more must not stay so. */
struct ktstr_error *ktstr_observer_handle_stub(struct ktstr_observer *observer)
{
	uint64_t address;

	KTSTR_TRY(ktstr_watchpoints_take_hit(&observer->points, &address));
	return address ? ktstr_observer_while_stopped(observer, on_hit, &address) :
			 ktstr_watchpoints_continue(&observer->points);
}

static struct ktstr_error *add_watch(struct ktstr_observer *observer, const void *context)
{
	return ktstr_watchpoints_add(&observer->points, observer->seen.session.view, context);
}

static struct ktstr_error *arm(struct ktstr_observer *observer, const void *context)
{
	(void)context;
	return ktstr_watchpoints_follow_scheduler(&observer->points, observer->seen.session.view);
}

/*
 * A scheduler that came, went or was swapped since the last look; one that is on its way out has been seen. When the guest
 * does not stop for it, a failure has to do without a dump of its own for now: this is what can be said of it.
 */
struct ktstr_error *ktstr_observer_follow_scheduler(struct ktstr_observer *observer)
{
	struct ktstr_session *session = &observer->seen.session;
	struct ktstr_object sched = ktstr_scx_sched(session->view);
	uint64_t address = ktstr_member_address(&sched, "exit_kind");
	bool is_leaving = ktstr_get_or_zero(&sched, "exit_kind");
	bool is_done = is_leaving && (address == observer->exit_seen || !ktstr_session_is_error_exit(session));
	struct ktstr_error *error;

	session->scheduler_seen = session->scheduler_seen || address;
	if (observer->freeze || !observer->config.has_scheduler || address == observer->points.exit_kind || is_done ||
	    ktstr_now_ns() < observer->arm_not_before_ns)
		return NULL;
	observer->exit_seen = is_leaving ? address : 0;
	error = ktstr_observer_while_stopped(observer, is_leaving ? on_unwatched_exit : arm, NULL);
	json_decref(session->unseen_failure);
	session->unseen_failure = NULL;
	if (error && ktstr_error_code(error) == KTSTR_ERR_TIMEOUT) {
		observer->arm_not_before_ns = ktstr_now_ns() + ARM_AGAIN;
		session->unseen_failure = ktstr_observer_degraded(session, ktstr_error_message(error));
	}
	return error;
}

struct ktstr_error *ktstr_observer_add_watch(struct ktstr_observer *observer, const char *symbol)
{
	return ktstr_observer_while_stopped(observer, add_watch, symbol);
}

/* --- captures --- */

static struct ktstr_error *capture_now(struct ktstr_observer *observer, const void *context)
{
	const struct ktstr_capture_wanted *wanted = context;
	json_t *registers = registers_of(observer);

	ktstr_session_capture(&observer->seen.session, wanted->tag, wanted->kind, wanted->boundary_offset_ms, registers);
	json_decref(registers);
	return NULL;
}

struct ktstr_error *ktstr_observer_capture(struct ktstr_observer *observer, const struct ktstr_capture_wanted *wanted,
					   json_t *(*substitute)(const struct ktstr_session *session, const char *detail))
{
	struct ktstr_session *session = &observer->seen.session;
	struct ktstr_error *error = ktstr_observer_while_stopped(observer, capture_now, wanted);

	if (error && ktstr_error_code(error) == KTSTR_ERR_TIMEOUT) {
		struct ktstr_capture stored = { .tag = wanted->tag,
						.kind = wanted->kind,
						.report = substitute(session, ktstr_error_message(error)),
						.elapsed_ms = ktstr_session_elapsed_ns(session) / 1000000,
						.step_index = session->step_index,
						.boundary_offset_ms = wanted->boundary_offset_ms };

		ktstr_captures_store(&session->captures, &stored);
	}
	return error;
}

json_t *ktstr_observer_degraded(const struct ktstr_session *session, const char *detail)
{
	return ktstr_degraded_dump(session, detail, false);
}

json_t *ktstr_observer_placeholder(const struct ktstr_session *session, const char *detail)
{
	(void)session;
	return ktstr_dump_placeholder(detail);
}
