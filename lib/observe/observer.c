// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watching thread. It owns the session and the gdb stub; the thread that started it only puts frames into its inbox
 * and joins it in the end.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "observe/exit_trap.h"
#include "observe/observer_parts.h"
#include "observe/scx_state.h"

#define TICK	    KTSTR_MS(KTSTR_SAMPLE_INTERVAL_MS)
#define AGENT_LIMIT KTSTR_SEC(20)

static void read_letters(struct ktstr_observer *observer)
{
	for (struct ktstr_letter *letter = ktstr_inbox_take(&observer->inbox); letter;
	     letter = ktstr_inbox_take(&observer->inbox)) {
		ktstr_observer_read_letter(observer, letter);
		free(letter);
	}
}

/* --- periodic captures --- */

/* A boundary waits while the scheduler under test is away: there is nothing of it to be seen. */
static bool ready_for_periodic(const struct ktstr_observer *observer)
{
	return !observer->config.has_scheduler || ktstr_scx_sched(observer->seen.session.view).address;
}

static struct ktstr_error *fire_periodic(struct ktstr_observer *observer)
{
	struct ktstr_sightings *seen = &observer->seen;
	struct ktstr_capture_wanted request = { .kind = "periodic" };
	struct ktstr_error *error;
	char tag[32];
	uint64_t boundary;
	bool timed_out;

	if (!ktstr_periodic_next(&seen->periodic, &boundary) ||
	    ktstr_session_elapsed_ns(&seen->session) < boundary || !ready_for_periodic(observer))
		return NULL;
	snprintf(tag, sizeof(tag), "periodic_%03u", seen->periodic.next);
	request.tag = tag;
	request.boundary_offset_ms =
		(struct ktstr_opt_u64){ true, (boundary - observer->scenario_began_ns) / 1000000 };
	error = ktstr_observer_capture(observer, &request, ktstr_observer_placeholder);
	timed_out = error && ktstr_error_code(error) == KTSTR_ERR_TIMEOUT;
	if (error && !timed_out)
		return error;
	ktstr_error_free(error);
	ktstr_periodic_fired(&seen->periodic, timed_out);
	seen->periodic_fired++;
	seen->periodic_real += !timed_out;
	return NULL;
}

/* --- the loop --- */

/* One look, and what it gives occasion to. KTSTR_ERR_TIMEOUT: the guest did not stop; for this time it is left alone. */
static struct ktstr_error *tick(struct ktstr_observer *observer)
{
	struct ktstr_session *session = &observer->seen.session;
	struct ktstr_capture_wanted request = { .tag = KTSTR_REACTIVE_TAG, .kind = "reactive" };
	struct ktstr_monitor_series series;

	ktstr_session_tick(session);
	KTSTR_TRY(ktstr_observer_follow_scheduler(observer));
	series = ktstr_sampler_series(session->sampler);
	if (observer->scenario_began && ktstr_reactive_look(&observer->reactive, &series))
		KTSTR_TRY(ktstr_observer_capture(observer, &request, ktstr_observer_degraded));
	return fire_periodic(observer);
}

/* Waits for a letter, a watchpoint or the next tick, whichever is first. */
static struct ktstr_error *look_once(struct ktstr_observer *observer)
{
	bool blind = observer->seen.session.unavailable;
	struct pollfd fds[2] = { { .fd = observer->inbox.fd, .events = POLLIN },
				 { .fd = ktstr_watchpoints_fd(&observer->points), .events = POLLIN } };
	struct ktstr_error *error;
	uint64_t now;

	if (poll(fds, blind ? 1 : 2, blind ? -1 : ktstr_ms_until(observer->next_tick_ns)) < 0 && errno != EINTR)
		return ktstr_error_sys(errno, "cannot wait for the guest");
	if (fds[1].revents)
		KTSTR_TRY(ktstr_observer_handle_stub(observer));
	read_letters(observer);
	now = ktstr_now_ns();
	if (blind || now < observer->next_tick_ns)
		return NULL;
	/* Ticks that were missed while the guest stood still are not made up for. */
	observer->next_tick_ns = now - observer->next_tick_ns < TICK ? observer->next_tick_ns + TICK : now + TICK;
	error = tick(observer);
	if (error && ktstr_error_code(error) == KTSTR_ERR_TIMEOUT)
		ktstr_error_free(ktstr_take(error));
	return error;
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * KTSTR_SEC(1) + (uint64_t)used.tv_nsec;
}

/*
 * The agent says where vmcoreinfo is when it takes its job, which is soon. Without that all of RAM would be searched: for
 * seconds, and every page of it that the guest has not touched yet would take memory.
 */
static const char *wait_for_agent(const struct ktstr_observer *observer)
{
	uint64_t deadline = ktstr_now_ns() + AGENT_LIMIT;

	while (!observer->quit && !ktstr_vm_vmcoreinfo(observer->config.vm) && ktstr_now_ns() < deadline)
		ktstr_sleep_ns(KTSTR_MS(2));
	return ktstr_vm_vmcoreinfo(observer->config.vm) ? "fired" : "timed_out";
}

static void *run(void *arg)
{
	struct ktstr_observer *observer = arg;
	struct ktstr_session *session = &observer->seen.session;
	const char *outcome = wait_for_agent(observer);

	ktstr_session_open(session, &observer->config);
	session->boot_wait_outcome = outcome;
	observer->next_tick_ns = ktstr_now_ns();
	while (!observer->quit) {
		_cleanup_error_ struct ktstr_error *error = look_once(observer);

		/* A VM that has ended is nothing to complain about; from here on requests are only refused. */
		if (error && !observer->quit && !session->unavailable)
			session->unavailable = ktstr_xstrdup(ktstr_error_message(error));
	}
	session->cost.cpu_ns = thread_cpu_ns();
	return NULL;
}

static struct ktstr_observer *new_observer(const struct ktstr_session_config *config,
					   const struct ktstr_monitor_thresholds *thresholds)
{
	struct ktstr_observer *observer = ktstr_xcalloc(1, sizeof(*observer));

	observer->config = *config;
	observer->points.vm = config->vm;
	observer->points.stop_limit_ns = config->stop_limit_ns;
	observer->reactive.thresholds = *thresholds;
	observer->inbox.fd = -1;
	return observer;
}

static struct ktstr_error *start_thread(struct ktstr_observer *observer)
{
	int failure;

	KTSTR_TRY(ktstr_inbox_init(&observer->inbox));
	failure = pthread_create(&observer->thread, NULL, run, observer);
	if (!failure)
		return NULL;
	ktstr_inbox_deinit(&observer->inbox);
	return ktstr_error_sys(failure, "cannot start a thread");
}

struct ktstr_error *ktstr_observer_start(const struct ktstr_session_config *config,
					 const struct ktstr_monitor_thresholds *thresholds,
					 struct ktstr_observer **observer)
{
	struct ktstr_observer *made = new_observer(config, thresholds);
	struct ktstr_error *error = start_thread(made);

	if (error) {
		free(made);
		return ktstr_error_wrap(error, "cannot start watching the guest");
	}
	*observer = made;
	return NULL;
}

/* --- a guest that freezes itself --- */

static struct ktstr_session *opened_session(struct ktstr_observer *observer)
{
	struct ktstr_session *session = &observer->seen.session;

	if (!session->view && !session->unavailable)
		ktstr_session_open(session, &observer->config);
	return session;
}

/* Its scenarios and steps, and its requests, as the frames that it freezes with. */
static void read_frozen_frame(struct ktstr_observer *observer, const struct ktstr_vm_freeze *freeze)
{
	_cleanup_(ktstr_frame_decoder_deinit) struct ktstr_frame_decoder decoder = { 0 };
	struct ktstr_letter *letter;
	struct ktstr_frame frame;

	opened_session(observer);
	ktstr_frame_decoder_feed(&decoder, freeze->request, freeze->request_length);
	if (!ktstr_frame_decoder_next(&decoder, &frame) || !frame.crc_ok)
		return;
	letter = ktstr_letter_of(&frame);
	if (freeze->reason == KTSTR_FREEZE_SAMPLE)
		ktstr_error_free(tick(observer)); /* nothing in it can fail for a guest that stands still */
	ktstr_observer_read_letter(observer, letter);
	free(letter);
}

static void await_exits(struct ktstr_observer *observer)
{
	_cleanup_error_ struct ktstr_error *error = NULL;
	struct ktstr_session *session;

	if (!observer->config.has_scheduler)
		return;
	session = opened_session(observer);
	if (session->view)
		error = ktstr_exit_trap_set(session->view);
	free(session->exits_unseen);
	session->exits_unseen = error ? ktstr_xstrdup(ktstr_error_message(error)) : NULL;
}

static void on_sched_exit(struct ktstr_session *session)
{
	if (session->view && ktstr_session_is_error_exit(session))
		ktstr_session_fail(session, NULL);
}

static void on_freeze(void *context, struct ktstr_vm *vm, struct ktstr_vm_freeze *freeze)
{
	struct ktstr_observer *observer = context;

	(void)vm;
	observer->freeze = freeze;
	if (freeze->reason == KTSTR_FREEZE_JOB)
		await_exits(observer);
	else if (freeze->reason == KTSTR_FREEZE_SCHED_EXIT)
		on_sched_exit(&observer->seen.session);
	else
		read_frozen_frame(observer, freeze);
	observer->freeze = NULL;
}

struct ktstr_observer *ktstr_observer_of_freezes(const struct ktstr_session_config *config,
						 const struct ktstr_monitor_thresholds *thresholds)
{
	struct ktstr_observer *observer = new_observer(config, thresholds);

	ktstr_vm_on_freeze(config->vm, on_freeze, observer);
	return observer;
}

bool ktstr_observer_frame(struct ktstr_observer *observer, const struct ktstr_frame *frame)
{
	bool request = ktstr_is_observer_request(frame->type);

	if (observer->inbox.fd < 0) { /* it has been seen at its freeze, but for what needs none */
		if (frame->type == KTSTR_FRAME_CGROUP_PROCS)
			ktstr_session_take_cgroup_procs(&observer->seen.session, frame->payload, frame->length);
		return request;
	}
	if (request || frame->type == KTSTR_FRAME_SCENARIO_START || frame->type == KTSTR_FRAME_SCENARIO_END ||
	    frame->type == KTSTR_FRAME_CGROUP_PROCS || frame->type == KTSTR_FRAME_STEP ||
	    frame->type == KTSTR_FRAME_STIMULUS ||
	    frame->type == KTSTR_FRAME_LIFECYCLE)
		ktstr_inbox_put(&observer->inbox, frame);
	return request;
}

uint64_t ktstr_observer_frozen_ns(const struct ktstr_observer *observer)
{
	return observer->seen.session.frozen_ns;
}

void ktstr_observer_stop(struct ktstr_observer *observer, struct ktstr_sightings *sightings)
{
	*sightings = (struct ktstr_sightings){ 0 };
	if (!observer)
		return;
	if (observer->inbox.fd < 0) {
		ktstr_vm_on_freeze(observer->config.vm, NULL, NULL);
	} else {
		observer->quit = true;
		ktstr_inbox_poke(&observer->inbox);
		pthread_join(observer->thread, NULL);
		ktstr_inbox_deinit(&observer->inbox);
	}
	*sightings = observer->seen;
	ktstr_watchpoints_deinit(&observer->points);
	free(observer);
}

void ktstr_sightings_deinit(struct ktstr_sightings *sightings)
{
	ktstr_session_deinit(&sightings->session);
}
