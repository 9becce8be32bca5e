// SPDX-License-Identifier: GPL-2.0-only
/* Frames from a test program to the agent, and requests with their replies. */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "wire/program.h"

/* A process has one such link, so its state is the process's. */
static struct {
	pthread_mutex_t asking; /* one request at a time; guards what follows */
	struct ktstr_frame_decoder replies;
	uint32_t last_id;
} link_state = { .asking = PTHREAD_MUTEX_INITIALIZER };

static struct ktstr_error *send_frame(int fd, uint32_t type, const void *payload, size_t length)
{
	static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	struct ktstr_error *error;

	ktstr_frame_encode(&bytes, type, payload, length);
	pthread_mutex_lock(&writing);
	error = ktstr_write_all(fd, bytes.data, bytes.length, "the frame socket");
	pthread_mutex_unlock(&writing);
	return error;
}

static ktstr_wire_stimulus_fn on_stimulus;

void ktstr_wire_on_stimulus(ktstr_wire_stimulus_fn fn)
{
	on_stimulus = fn;
}

static struct ktstr_error *announce_stimulus(uint32_t type, const void *payload, size_t length)
{
	_cleanup_str_ struct ktstr_str frame = { 0 };

	if (!on_stimulus || (type != KTSTR_FRAME_SCENARIO_START && type != KTSTR_FRAME_STIMULUS &&
			     type != KTSTR_FRAME_STEP_END && type != KTSTR_FRAME_SCENARIO_END))
		return NULL;
	ktstr_frame_encode(&frame, type, payload, length);
	return on_stimulus(frame.data, frame.length);
}

void ktstr_wire_send(uint32_t type, const void *payload, size_t length)
{
	const char *fd_text = ktstr_env(KTSTR_WIRE_FD_ENV);
	_cleanup_error_ struct ktstr_error *error = NULL;

	if (!fd_text)
		return;
	error = send_frame(atoi(fd_text), type, payload, length);
	if (!error)
		error = announce_stimulus(type, payload, length);
	if (error)
		fprintf(stderr, "ktstr: %s\n", ktstr_error_message(error));
}

void ktstr_wire_lifecycle(enum ktstr_lifecycle stage, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_frame_lifecycle(&payload, stage, fmt, args);
	va_end(args);
	ktstr_wire_send(KTSTR_FRAME_LIFECYCLE, payload.data, payload.length);
}

/* The error that a refusal carries; its numbers and text come from another program. */
static struct ktstr_error *take_refusal(const struct ktstr_frame *frame)
{
	_cleanup_str_ struct ktstr_str text = { 0 };
	uint32_t code;

	if (!ktstr_frame_read_u32(frame, 4, &code))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "refused without a reason");
	if (code < KTSTR_ERR_INVALID || code > KTSTR_ERR_CANCELLED)
		code = KTSTR_ERR_GUEST;
	ktstr_str_add_printable(&text, (const char *)frame->payload + 8, frame->length - 8);
	return ktstr_error_new(code, "%s", ktstr_str_text(&text));
}

/* Is this frame the answer? Anything else is late, damaged or none of ours. */
static bool answers(const struct ktstr_frame *frame, uint32_t id, uint32_t reply_type)
{
	uint32_t frame_id;

	return frame->crc_ok && (frame->type == reply_type || frame->type == KTSTR_FRAME_REFUSED) &&
	       ktstr_frame_read_u32(frame, 0, &frame_id) && frame_id == id;
}

static struct ktstr_error *take_reply(const struct ktstr_frame *frame, struct ktstr_str *reply)
{
	if (frame->length > KTSTR_REQUEST_MAX_BYTES)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a reply of %u bytes, more than %u", frame->length,
				       KTSTR_REQUEST_MAX_BYTES);
	ktstr_str_add_bytes(reply, frame->payload + 4, frame->length - 4);
	return NULL;
}

static struct ktstr_error *wait_for_reply(int fd, uint32_t id, uint32_t reply_type, uint64_t timeout_ns,
					  struct ktstr_str *reply, struct ktstr_error **refusal)
{
	uint64_t deadline = ktstr_now_ns() + timeout_ns;
	struct pollfd socket = { .fd = fd, .events = POLLIN };
	struct ktstr_frame frame;
	char chunk[16384], limit[32];

	for (;;) {
		ssize_t got;

		while (ktstr_frame_decoder_next(&link_state.replies, &frame)) {
			if (!answers(&frame, id, reply_type))
				continue;
			if (frame.type != KTSTR_FRAME_REFUSED)
				return take_reply(&frame, reply);
			*refusal = take_refusal(&frame);
			return NULL;
		}
		if (!ktstr_ms_until(deadline))
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "no reply within %s",
					       ktstr_format_duration(timeout_ns, limit));
		if (poll(&socket, 1, ktstr_ms_until(deadline)) <= 0)
			continue;
		got = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (!got)
			return ktstr_error_new(KTSTR_ERR_GUEST, "the agent has closed the frame socket");
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return ktstr_error_sys(errno, "cannot read the frame socket");
		if (got > 0)
			ktstr_frame_decoder_feed(&link_state.replies, chunk, (size_t)got);
	}
}

static struct ktstr_error *check_caller(void)
{
	const char *pid = ktstr_env(KTSTR_WIRE_PID_ENV);

	if (!ktstr_env(KTSTR_WIRE_FD_ENV) || !pid)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "only a test body in a guest can ask, and this is none");
	if (atoi(pid) != getpid())
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "only the test body can ask, not a process that it forked (worker)");
	return NULL;
}

static struct ktstr_error *ask(uint32_t type, const void *payload, size_t length, uint32_t reply_type,
			       uint64_t timeout_ns, struct ktstr_str *reply, struct ktstr_error **refusal)
{
	_cleanup_str_ struct ktstr_str request = { 0 };
	int fd = atoi(ktstr_env(KTSTR_WIRE_FD_ENV));
	uint32_t id = ++link_state.last_id, id_le = htole32(id);

	ktstr_str_add_bytes(&request, &id_le, sizeof(id_le));
	ktstr_str_add_bytes(&request, payload, length);
	KTSTR_TRY(send_frame(fd, type, request.data, request.length));
	return wait_for_reply(fd, id, reply_type, timeout_ns, reply, refusal);
}

struct ktstr_error *ktstr_wire_request(uint32_t type, const void *payload, size_t length, uint32_t reply_type,
				       uint64_t timeout_ns, struct ktstr_str *reply)
{
	struct ktstr_error *error = check_caller(), *refusal = NULL;
	char name[12];

	if (!error && length > KTSTR_REQUEST_MAX_BYTES - 4)
		error = ktstr_error_new(KTSTR_ERR_INVALID, "%zu bytes are too long, at most %u", length,
					KTSTR_REQUEST_MAX_BYTES - 4);
	if (!error) {
		pthread_mutex_lock(&link_state.asking);
		error = ask(type, payload, length, reply_type, timeout_ns, reply, &refusal);
		pthread_mutex_unlock(&link_state.asking);
	}
	return error ? ktstr_error_wrap(error, "request %s", ktstr_frame_type_name(type, name)) : refusal;
}
