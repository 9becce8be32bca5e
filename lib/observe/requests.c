// SPDX-License-Identifier: GPL-2.0-only
/* What a guest says to its observer, frame by frame: requests, which get an answer, and how far its scenario is. */
#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "observe/observer_parts.h"
#include "wire/host_request.h"

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

static struct ktstr_error *answer_snapshot(struct ktstr_observer *observer, const uint8_t *body, size_t length,
					   struct ktstr_str *payload)
{
	struct ktstr_capture_wanted request = { .kind = "on_demand" };
	struct ktstr_capture_request asked;

	KTSTR_TRY(ktstr_capture_request_decode(body, length, &asked));
	request.tag = asked.text;
	/* A step's ops come before the frame that tells of the step. */
	if (asked.phase.set)
		observer->seen.session.step_index = (struct ktstr_opt_u64){ true, asked.phase.value };
	if (asked.kind == KTSTR_CAPTURE_NOW)
		KTSTR_TRY(ktstr_observer_capture(observer, &request, ktstr_observer_degraded));
	else if (observer->freeze)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "a deterministic guest cannot be watched: a watchpoint stops it at a moment of the host's");
	else
		KTSTR_TRY(ktstr_observer_add_watch(observer, asked.text));
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
		error = request.cold ? ktstr_observer_while_stopped(observer, do_cold_op, &op) : do_cold_op(observer, &op);
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

bool ktstr_is_observer_request(uint32_t type)
{
	return answer_to(type) != NULL;
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

void ktstr_observer_read_letter(struct ktstr_observer *observer, const struct ktstr_letter *letter)
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
