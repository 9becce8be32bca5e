// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watching thread. It owns the session and the gdb stub; the thread that started it only puts frames into its inbox
 * and joins it in the end. Whatever stops the guest goes through while_stopped().
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "observe/dump.h"
#include "observe/inbox.h"
#include "observe/observer.h"
#include "observe/reactive.h"
#include "observe/scx_state.h"
#include "observe/watchpoints.h"
#include "wire/host_request.h"

#define TICK KTSTR_MS(KTSTR_SAMPLE_INTERVAL_MS)

struct ktstr_observer {
	struct ktstr_session_config config;
	pthread_t thread;
	struct ktstr_inbox inbox;
	_Atomic bool quit;

	struct ktstr_sightings seen;
	struct ktstr_watchpoints points;
	struct ktstr_reactive reactive;
	uint64_t next_tick_ns;
	bool scenario_began;
	bool first_step_due; /* of the scenario that runs */
	uint64_t scenario_began_ns; /* on the clock of ktstr_session_elapsed_ns() */
	struct ktstr_vm_freeze *freeze; /* of a deterministic guest, while it stands still; NULL in ordinary runs */
};

/* --- stopping the guest --- */

/* The letter that is being answered: action() needs the observer and what it was asked for. */
typedef struct ktstr_error *(*stopped_action)(struct ktstr_observer *observer, const void *context);

static struct ktstr_error *handle_hit(struct ktstr_observer *observer, uint64_t address);

/* A watchpoint that was hit in the moment of the stop would be lost if the guest just went on. */
static struct ktstr_error *handle_missed_hit(struct ktstr_observer *observer)
{
	uint64_t address;

	KTSTR_TRY(ktstr_watchpoints_take_hit(&observer->points, &address));
	return address ? handle_hit(observer, address) : NULL;
}

static struct ktstr_error *while_stopped(struct ktstr_observer *observer, stopped_action action, const void *context)
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
	return ktstr_watchpoints_leave_scheduler(&observer->points);
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

static struct ktstr_error *handle_stub(struct ktstr_observer *observer)
{
	uint64_t address;

	KTSTR_TRY(ktstr_watchpoints_take_hit(&observer->points, &address));
	return address ? while_stopped(observer, on_hit, &address) : NULL;
}

static struct ktstr_error *arm(struct ktstr_observer *observer, const void *context)
{
	(void)context;
	return ktstr_watchpoints_follow_scheduler(&observer->points, observer->seen.session.view);
}

/* A scheduler that came, went or was swapped since the last look; one that is on its way out has been seen. */
static struct ktstr_error *follow_scheduler(struct ktstr_observer *observer)
{
	struct ktstr_object sched = ktstr_scx_sched(observer->seen.session.view);
	uint64_t address = ktstr_member_address(&sched, "exit_kind");

	if (observer->freeze || !observer->config.has_scheduler || address == observer->points.exit_kind ||
	    ktstr_get_or_zero(&sched, "exit_kind"))
		return NULL;
	return while_stopped(observer, arm, NULL);
}

/* --- captures --- */

struct capture_request {
	const char *tag, *kind;
	struct ktstr_opt_u64 boundary_offset_ms;
};

static struct ktstr_error *capture_now(struct ktstr_observer *observer, const void *context)
{
	const struct capture_request *request = context;
	json_t *registers = registers_of(observer);

	ktstr_session_capture(&observer->seen.session, request->tag, request->kind, request->boundary_offset_ms,
			      registers);
	json_decref(registers);
	return NULL;
}

/* A capture, or what can be said when the guest does not stop. */
static struct ktstr_error *capture(struct ktstr_observer *observer, const struct capture_request *request,
				   json_t *(*substitute)(const struct ktstr_session *session, const char *detail))
{
	struct ktstr_session *session = &observer->seen.session;
	struct ktstr_error *error = while_stopped(observer, capture_now, request);

	if (error && ktstr_error_code(error) == KTSTR_ERR_TIMEOUT) {
		struct ktstr_capture stored = { .tag = request->tag,
						.kind = request->kind,
						.report = substitute(session, ktstr_error_message(error)),
						.elapsed_ms = ktstr_session_elapsed_ns(session) / 1000000,
						.step_index = session->step_index,
						.boundary_offset_ms = request->boundary_offset_ms };

		ktstr_captures_store(&session->captures, &stored);
	}
	return error;
}

static json_t *degraded(const struct ktstr_session *session, const char *detail)
{
	return ktstr_degraded_dump(session, detail, false);
}

static json_t *placeholder(const struct ktstr_session *session, const char *detail)
{
	(void)session;
	return ktstr_dump_placeholder(detail);
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
	struct capture_request request = { .kind = "periodic" };
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
	error = capture(observer, &request, placeholder);
	timed_out = error && ktstr_error_code(error) == KTSTR_ERR_TIMEOUT;
	if (error && !timed_out)
		return error;
	ktstr_error_free(error);
	ktstr_periodic_fired(&seen->periodic, timed_out);
	seen->periodic_fired++;
	seen->periodic_real += !timed_out;
	return NULL;
}

/* --- letters --- */

/*
 * Sends an answer: an id and what follows it. A guest that does not read it has ended, or will be told by its deadline; a
 * frozen one finds it when it goes on.
 */
static void send_answer(struct ktstr_observer *observer, uint32_t type, const struct ktstr_str *payload)
{
	_cleanup_str_ struct ktstr_str frame = { 0 };

	if (!observer->freeze) {
		ktstr_error_free(
			ktstr_vm_send_frame(observer->config.vm, type, payload->data, payload->length));
		return;
	}
	ktstr_frame_encode(&frame, type, payload->data, payload->length);
	if (frame.length <= observer->freeze->reply_capacity) {
		memcpy(observer->freeze->reply, frame.data, frame.length);
		observer->freeze->reply_length = frame.length;
	}
}

static void refuse(struct ktstr_observer *observer, uint32_t id, struct ktstr_error *error)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };

	ktstr_frame_refusal(&payload, id, ktstr_error_code(error), ktstr_error_message(error));
	ktstr_error_free(error);
	send_answer(observer, KTSTR_FRAME_REFUSED, &payload);
}

static void reply(struct ktstr_observer *observer, uint32_t type, uint32_t id, const struct ktstr_str *payload)
{
	_cleanup_str_ struct ktstr_str whole = { 0 };
	uint32_t id_le = htole32(id);

	ktstr_str_add_bytes(&whole, &id_le, sizeof(id_le));
	ktstr_str_add_bytes(&whole, payload->data, payload->length);
	if (observer->freeze && whole.length + KTSTR_FRAME_HEADER_BYTES > observer->freeze->reply_capacity)
		refuse(observer, id,
		       ktstr_error_new(KTSTR_ERR_NO_SPACE, "the answer takes %zu bytes, a deterministic guest %zu at most",
				       whole.length, observer->freeze->reply_capacity));
	else
		send_answer(observer, type, &whole);
}

static struct ktstr_error *add_watch(struct ktstr_observer *observer, const void *context)
{
	return ktstr_watchpoints_add(&observer->points, observer->seen.session.view, context);
}

static struct ktstr_error *answer_snapshot(struct ktstr_observer *observer, const uint8_t *body, size_t length,
					   struct ktstr_str *payload)
{
	struct capture_request request = { .kind = "on_demand" };
	struct ktstr_capture_request asked;

	KTSTR_TRY(ktstr_capture_request_decode(body, length, &asked));
	request.tag = asked.text;
	/* A step's ops come before the frame that tells of the step. */
	if (asked.phase.set)
		observer->seen.session.step_index = (struct ktstr_opt_u64){ true, asked.phase.value };
	if (asked.kind == KTSTR_CAPTURE_NOW)
		KTSTR_TRY(capture(observer, &request, degraded));
	else if (observer->freeze)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "a deterministic guest cannot be watched: a watchpoint stops it at a moment of the host's");
	else
		KTSTR_TRY(while_stopped(observer, add_watch, asked.text));
	ktstr_capture_reply_encode(NULL, payload);
	return NULL;
}

struct cold_op {
	const struct ktstr_kernel_op_request *request;
	uint32_t id;
	struct ktstr_str *payload;
};

static struct ktstr_error *do_cold_op(struct ktstr_observer *observer, const void *context)
{
	const struct cold_op *op = context;

	return ktstr_session_kernel_op(&observer->seen.session, op->request, op->id, op->payload);
}

static struct ktstr_error *answer_kernel_op(struct ktstr_observer *observer, uint32_t id, const uint8_t *body,
					    size_t length, struct ktstr_str *payload)
{
	struct ktstr_kernel_op_request request;
	struct cold_op op = { &request, id, payload };
	struct ktstr_error *error = ktstr_kernel_op_request_decode(body, length, &request);

	if (!error)
		error = request.cold ? while_stopped(observer, do_cold_op, &op) : do_cold_op(observer, &op);
	ktstr_kernel_op_request_deinit(&request);
	return error;
}

static const struct answer {
	uint32_t request, reply;
} answers[] = {
	{ KTSTR_FRAME_SNAPSHOT_REQUEST, KTSTR_FRAME_SNAPSHOT_REPLY },
	{ KTSTR_FRAME_KERNEL_OP_REQUEST, KTSTR_FRAME_KERNEL_OP_REPLY },
	{ KTSTR_FRAME_MAP_WRITE_REQUEST, KTSTR_FRAME_MAP_WRITE_REPLY },
};

static const struct answer *answer_to(uint32_t type)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].request == type)
			return &answers[i];
	return NULL;
}

/* Every request gets an answer, whatever is wrong on our side. */
static void answer(struct ktstr_observer *observer, const struct ktstr_letter *letter)
{
	struct ktstr_session *session = &observer->seen.session;
	struct ktstr_frame frame = { letter->type, letter->length, letter->payload, true };
	_cleanup_str_ struct ktstr_str payload = { 0 };
	struct ktstr_error *error = NULL;
	uint32_t id;

	if (!ktstr_frame_read_u32(&frame, 0, &id))
		return;
	if (session->unavailable)
		error = ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s", session->unavailable);
	else if (letter->type == KTSTR_FRAME_SNAPSHOT_REQUEST)
		error = answer_snapshot(observer, letter->payload + 4, letter->length - 4, &payload);
	else if (letter->type == KTSTR_FRAME_KERNEL_OP_REQUEST)
		error = answer_kernel_op(observer, id, letter->payload + 4, letter->length - 4, &payload);
	else
		error = ktstr_session_map_writes(session);
	if (error)
		refuse(observer, id, error);
	else
		reply(observer, answer_to(letter->type)->reply, id, &payload);
}

/* The session's clock when the letter came. */
static uint64_t arrival_ms(const struct ktstr_observer *observer, const struct ktstr_letter *letter)
{
	uint64_t elapsed = ktstr_session_elapsed_ns(&observer->seen.session), late = ktstr_now_ns() - letter->arrived_ns;

	if (observer->freeze) /* it stands still: nothing is late */
		late = 0;
	return (elapsed > late ? elapsed - late : 0) / 1000000;
}

static void note_scenario(struct ktstr_observer *observer, const struct ktstr_letter *letter)
{
	struct ktstr_sightings *seen = &observer->seen;

	observer->first_step_due = seen->scenarios_count < KTSTR_SCENARIOS_SEEN_MAX;
	if (observer->first_step_due)
		seen->scenario_starts_ms[seen->scenarios_count++] = arrival_ms(observer, letter);
}

/* The window of periodic captures begins when the scenario does, or when the guest's kernel has been found. */
static void begin_scenario(struct ktstr_observer *observer, const struct ktstr_letter *letter)
{
	struct ktstr_session *session = &observer->seen.session;
	uint64_t elapsed = ktstr_session_elapsed_ns(session), late = ktstr_now_ns() - letter->arrived_ns, start;

	note_scenario(observer, letter);
	if (observer->scenario_began || session->unavailable)
		return;
	observer->scenario_began = true;
	observer->scenario_began_ns = elapsed > late ? elapsed - late : elapsed;
	start = observer->scenario_began_ns;
	if (!observer->freeze && session->cost.open_ns > start)
		start = session->cost.open_ns;
	ktstr_periodic_init(&observer->seen.periodic, start, observer->scenario_began_ns + observer->config.duration_ns,
			    observer->config.plan->num_snapshots);
}

/* u16 number of a step from 0. */
static void take_step(struct ktstr_session *session, const void *number)
{
	uint16_t step;

	memcpy(&step, number, sizeof(step));
	session->step_index = (struct ktstr_opt_u64){ true, le16toh(step) + 1u };
}

/* A scenario's clock may start after its frame (it waits for a write to a BPF map): the first step says when it did. */
static void take_stimulus(struct ktstr_observer *observer, const struct ktstr_letter *letter)
{
	uint64_t now = arrival_ms(observer, letter);
	uint32_t elapsed_ms;

	memcpy(&elapsed_ms, letter->payload, sizeof(elapsed_ms));
	elapsed_ms = le32toh(elapsed_ms);
	if (observer->first_step_due && now >= elapsed_ms)
		observer->seen.scenario_starts_ms[observer->seen.scenarios_count - 1] = now - elapsed_ms;
	observer->first_step_due = false;
	take_step(&observer->seen.session, letter->payload + sizeof(elapsed_ms));
}

static void read_letter(struct ktstr_observer *observer, const struct ktstr_letter *letter)
{
	struct ktstr_session *session = &observer->seen.session;

	if (answer_to(letter->type))
		answer(observer, letter);
	else if (letter->type == KTSTR_FRAME_SCENARIO_START)
		begin_scenario(observer, letter);
	else if (letter->type == KTSTR_FRAME_SCENARIO_END)
		observer->seen.periodic.abandoned = true;
	else if (letter->type == KTSTR_FRAME_CGROUP_PROCS)
		ktstr_session_take_cgroup_procs(session, letter->payload, letter->length);
	else if (letter->type == KTSTR_FRAME_STIMULUS && letter->length >= 6)
		take_stimulus(observer, letter);
	else if (letter->type == KTSTR_FRAME_STEP && letter->length >= 2)
		take_step(session, letter->payload);
}

static void read_letters(struct ktstr_observer *observer)
{
	for (struct ktstr_letter *letter = ktstr_inbox_take(&observer->inbox); letter;
	     letter = ktstr_inbox_take(&observer->inbox)) {
		read_letter(observer, letter);
		free(letter);
	}
}

/* --- the loop --- */

static struct ktstr_error *tick(struct ktstr_observer *observer)
{
	struct ktstr_session *session = &observer->seen.session;
	struct capture_request request = { .tag = KTSTR_REACTIVE_TAG, .kind = "reactive" };
	struct ktstr_monitor_series series;

	ktstr_session_tick(session);
	KTSTR_TRY(follow_scheduler(observer));
	series = ktstr_sampler_series(session->sampler);
	if (observer->scenario_began && ktstr_reactive_look(&observer->reactive, &series))
		KTSTR_TRY(while_stopped(observer, capture_now, &request));
	return fire_periodic(observer);
}

/* Waits for a letter, a watchpoint or the next tick, whichever is first. */
static struct ktstr_error *look_once(struct ktstr_observer *observer)
{
	bool blind = observer->seen.session.unavailable;
	struct pollfd fds[2] = { { .fd = observer->inbox.fd, .events = POLLIN },
				 { .fd = ktstr_watchpoints_fd(&observer->points), .events = POLLIN } };
	uint64_t now;

	if (poll(fds, blind ? 1 : 2, blind ? -1 : ktstr_ms_until(observer->next_tick_ns)) < 0 && errno != EINTR)
		return ktstr_error_sys(errno, "cannot wait for the guest");
	if (fds[1].revents)
		KTSTR_TRY(handle_stub(observer));
	read_letters(observer);
	now = ktstr_now_ns();
	if (blind || now < observer->next_tick_ns)
		return NULL;
	/* Ticks that were missed while the guest stood still are not made up for. */
	observer->next_tick_ns = now - observer->next_tick_ns < TICK ? observer->next_tick_ns + TICK : now + TICK;
	return tick(observer);
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * KTSTR_SEC(1) + (uint64_t)used.tv_nsec;
}

static void *run(void *arg)
{
	struct ktstr_observer *observer = arg;
	struct ktstr_session *session = &observer->seen.session;

	ktstr_session_open(session, &observer->config);
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

/* Its scenarios and steps, and its requests, as the frames that it freezes with. */
static void on_freeze(void *context, struct ktstr_vm *vm, struct ktstr_vm_freeze *freeze)
{
	_cleanup_(ktstr_frame_decoder_deinit) struct ktstr_frame_decoder decoder = { 0 };
	struct ktstr_observer *observer = context;
	struct ktstr_session *session = &observer->seen.session;
	struct ktstr_letter *letter;
	struct ktstr_frame frame;

	(void)vm;
	if (!session->view && !session->unavailable)
		ktstr_session_open(session, &observer->config);
	ktstr_frame_decoder_feed(&decoder, freeze->request, freeze->request_length);
	if (!ktstr_frame_decoder_next(&decoder, &frame) || !frame.crc_ok)
		return;
	observer->freeze = freeze;
	letter = ktstr_letter_of(&frame);
	if (freeze->reason == KTSTR_FREEZE_SAMPLE)
		ktstr_error_free(tick(observer)); /* nothing in it can fail for a guest that stands still */
	read_letter(observer, letter);
	free(letter);
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
	bool request = answer_to(frame->type) != NULL;

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
