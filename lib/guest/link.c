// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two-way link of the test program: its frames go on to the host, requests for the host, too, those for the agent
 * are kept until it has time, and replies of either go back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "guest/agent.h"
#include "guest/mailbox.h"

static void close_link(struct relay *relay)
{
	close(relay->program.frames_fd);
	relay->program.frames_fd = -1;
	relay->to_program.length = 0;
}

void link_flush(struct relay *relay)
{
	struct ktstr_str *queue = &relay->to_program;
	ssize_t sent;

	if (!queue->length || relay->program.frames_fd < 0)
		return;
	sent = send(relay->program.frames_fd, queue->data, queue->length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0) {
		queue->length -= (size_t)sent;
		memmove(queue->data, queue->data + sent, queue->length);
	} else if (errno != EAGAIN && errno != EINTR) {
		queue->length = 0;
	}
}

/* A program that does not read its replies loses them, whole frames at a time. */
void link_reply(struct relay *relay, uint32_t type, const void *payload, size_t length)
{
	if (relay->to_program.length + length > KTSTR_FRAME_MAX_PAYLOAD) {
		fprintf(stderr, "ktstr-init: the test program does not read its replies; one is dropped\n");
		return;
	}
	ktstr_frame_encode(&relay->to_program, type, payload, length);
	link_flush(relay);
}

void link_refuse(struct relay *relay, uint32_t id, struct ktstr_error *error)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };

	ktstr_frame_refusal(&payload, id, ktstr_error_code(error), ktstr_error_message(error));
	ktstr_error_free(error);
	link_reply(relay, KTSTR_FRAME_REFUSED, payload.data, payload.length);
}

/* Where nothing may be sent to a running guest it stands still while the host answers, in the memory that both have. */
static struct ktstr_error *ask_frozen(struct relay *relay, const struct ktstr_frame *frame)
{
	_cleanup_(ktstr_frame_decoder_deinit) struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_free_ char *reply = ktstr_xmalloc(KTSTR_MAILBOX_REPLY_BYTES);
	_cleanup_str_ struct ktstr_str request = { 0 };
	struct ktstr_frame answer;
	size_t length;

	ktstr_frame_encode(&request, frame->type, frame->payload, frame->length);
	KTSTR_TRY(ktstr_freeze(relay->channel->mailbox, KTSTR_FREEZE_REQUEST, request.data, request.length, reply,
			       KTSTR_MAILBOX_REPLY_BYTES, &length));
	if (length > KTSTR_MAILBOX_REPLY_BYTES)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "the host's reply of %zu bytes does not fit into the mailbox",
				       length);
	ktstr_frame_decoder_feed(&decoder, reply, length);
	if (!ktstr_frame_decoder_next(&decoder, &answer) || !answer.crc_ok || !ktstr_frame_is_reply(answer.type))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "the host did not answer");
	link_reply(relay, answer.type, answer.payload, answer.length);
	return NULL;
}

static void ask_host(struct relay *relay, const struct ktstr_frame *frame, uint32_t id)
{
	struct ktstr_error *error = NULL;

	if (relay->channel->port_fd >= 0)
		channel_send(relay->channel, frame->type, frame->payload, frame->length);
	else
		error = ask_frozen(relay, frame);
	if (error)
		link_refuse(relay, id, error);
}

static void keep_request(struct relay *relay, const struct ktstr_frame *frame, uint32_t id)
{
	if (relay->asked) {
		link_refuse(relay, id, ktstr_error_new(KTSTR_ERR_BUSY, "the agent is still busy with an earlier request"));
		return;
	}
	relay->asked = true;
	relay->asked_id = id;
	relay->question.length = 0;
	ktstr_str_add_bytes(&relay->question, frame->payload + 4, frame->length - 4);
}

static void take_frame(struct relay *relay, const struct ktstr_frame *frame)
{
	bool for_agent = frame->type == KTSTR_FRAME_SCHED_REQUEST;
	uint32_t id;

	if (!for_agent && !ktstr_frame_is_host_request(frame->type))
		channel_send(relay->channel, frame->type, frame->payload, frame->length);
	else if (!frame->crc_ok || frame->length > KTSTR_REQUEST_MAX_BYTES || !ktstr_frame_read_u32(frame, 0, &id))
		fprintf(stderr, "ktstr-init: a damaged request of the test program\n");
	else if (for_agent)
		keep_request(relay, frame, id);
	else
		ask_host(relay, frame, id);
}

void link_from_program(struct relay *relay)
{
	char chunk[65536];
	struct ktstr_frame frame;
	ssize_t got = read(relay->program.frames_fd, chunk, sizeof(chunk));

	if (got <= 0) {
		if (got == 0 || errno != EINTR)
			close_link(relay);
		return;
	}
	ktstr_frame_decoder_feed(&relay->program_frames, chunk, (size_t)got);
	while (ktstr_frame_decoder_next(&relay->program_frames, &frame))
		take_frame(relay, &frame);
}

void link_from_host(struct relay *relay)
{
	char chunk[65536];
	struct ktstr_frame frame;

	ktstr_frame_decoder_feed(&relay->host_frames, chunk, channel_receive(relay->channel, chunk, sizeof(chunk)));
	while (ktstr_frame_decoder_next(&relay->host_frames, &frame))
		if (frame.crc_ok && ktstr_frame_is_reply(frame.type))
			link_reply(relay, frame.type, frame.payload, frame.length);
}
