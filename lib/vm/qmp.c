// SPDX-License-Identifier: GPL-2.0-only
/*
 * QMP over a connected socket: one JSON object a line, replies matched by id, events queued. What
 * QEMU sends is bounded here: length of a line, number of queued events; jansson bounds the depth
 * (2048).
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "vm/qmp.h"

enum { LINE_MAX_BYTES = 16 << 20, CHUNK_BYTES = 64 << 10, EVENTS_MAX = 1024 };

struct ktstr_qmp {
	int fd;
	uint64_t last_id;
	struct ktstr_str input;     /* received, not yet taken */
	size_t scanned;             /* this much of input holds no newline */
	json_t *events[EVENTS_MAX]; /* ring */
	size_t events_first, events_count;
};

KTSTR_DEFINE_CLEANUP(json_t *, cleanup_json, json_decref)
#define _cleanup_json_ _cleanup_(cleanup_json)

static void queue_event(struct ktstr_qmp *qmp, json_t *event)
{
	if (qmp->events_count == EVENTS_MAX) {
		json_decref(qmp->events[qmp->events_first]);
		qmp->events_first = (qmp->events_first + 1) % EVENTS_MAX;
		qmp->events_count--;
	}
	qmp->events[(qmp->events_first + qmp->events_count) % EVENTS_MAX] = event;
	qmp->events_count++;
}

static json_t *dequeue_event(struct ktstr_qmp *qmp)
{
	json_t *event;

	if (!qmp->events_count)
		return NULL;
	event = qmp->events[qmp->events_first];
	qmp->events_first = (qmp->events_first + 1) % EVENTS_MAX;
	qmp->events_count--;
	return event;
}

static struct ktstr_error *parse_line(const char *line, size_t length, json_t **message)
{
	_cleanup_str_ struct ktstr_str shown = { 0 };
	json_error_t why;
	json_t *parsed = json_loadb(line, length, 0, &why);

	if (json_is_object(parsed)) {
		*message = parsed;
		return NULL;
	}
	json_decref(parsed);
	ktstr_str_add_printable(&shown, line, length < 80 ? length : 80);
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "QMP: expected a JSON object, QEMU sent \"%s\"",
			       ktstr_str_text(&shown));
}

/* Length of the line without what ends it; blank lines carry nothing. */
static size_t trimmed(const char *line, size_t length)
{
	while (length && strchr("\r \t", line[length - 1]))
		length--;
	return length;
}

static void consume(struct ktstr_qmp *qmp, size_t length)
{
	struct ktstr_str *input = &qmp->input;

	if (length)
		memmove(input->data, input->data + length, input->length - length);
	input->length -= length;
	qmp->scanned = qmp->scanned > length ? qmp->scanned - length : 0;
}

/* Takes the first whole line out of the input; *message stays NULL when there is none yet. */
static struct ktstr_error *take_line(struct ktstr_qmp *qmp, json_t **message)
{
	struct ktstr_error *error = NULL;
	size_t start = 0, length = 0;

	while (!length && qmp->scanned < qmp->input.length) {
		const char *data = qmp->input.data;
		const char *newline =
			memchr(data + qmp->scanned, '\n', qmp->input.length - qmp->scanned);

		if (!newline) {
			qmp->scanned = qmp->input.length;
			break;
		}
		length = trimmed(data + start, (size_t)(newline - data) - start);
		if (length)
			error = parse_line(data + start, length, message);
		start = qmp->scanned = (size_t)(newline - data) + 1;
	}
	consume(qmp, start);
	if (!length && qmp->input.length > LINE_MAX_BYTES)
		error = ktstr_error_new(KTSTR_ERR_CORRUPT, "QMP: a line from QEMU exceeds %d MiB",
					LINE_MAX_BYTES >> 20);
	return error;
}

static struct ktstr_error *receive(struct ktstr_qmp *qmp)
{
	_cleanup_free_ char *chunk = ktstr_xmalloc(CHUNK_BYTES);
	ssize_t got = recv(qmp->fd, chunk, CHUNK_BYTES, MSG_DONTWAIT);

	if (got > 0) {
		ktstr_str_add_bytes(&qmp->input, chunk, (size_t)got);
		return NULL;
	}
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return NULL;
	if (got < 0 && errno != ECONNRESET)
		return ktstr_error_sys(errno, "QMP: cannot receive");
	return ktstr_error_new(KTSTR_ERR_GUEST, "QEMU ended%s",
			       qmp->input.length ? " in the middle of a QMP message" : "");
}

/*
 * The next message, NULL in *message when the deadline passes first. A deadline in the past still
 * takes what has arrived.
 */
static struct ktstr_error *next_message(struct ktstr_qmp *qmp, uint64_t deadline_ns,
					json_t **message)
{
	bool last_look = false;

	*message = NULL;
	for (;;) {
		struct pollfd fd = { .fd = qmp->fd, .events = POLLIN };
		int ready;

		KTSTR_TRY(take_line(qmp, message));
		if (*message || last_look)
			return NULL;
		/* Once only: a stream that never completes a line must not keep us. */
		last_look = ktstr_now_ns() >= deadline_ns;
		ready = poll(&fd, 1, ktstr_ms_until(deadline_ns));
		if (ready < 0 && errno != EINTR)
			return ktstr_error_sys(errno, "QMP: cannot poll");
		if (ready == 0)
			return NULL;
		if (ready > 0)
			KTSTR_TRY(receive(qmp));
	}
}

/* Sends what the socket takes now; fd >= 0 goes with the first byte. */
static ssize_t send_some(int socket, const char *data, size_t length, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { .iov_base = (char *)data, .iov_len = length };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *ancillary;

		header.msg_control = control.space;
		header.msg_controllen = sizeof(control.space);
		ancillary = CMSG_FIRSTHDR(&header);
		ancillary->cmsg_level = SOL_SOCKET;
		ancillary->cmsg_type = SCM_RIGHTS;
		ancillary->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(ancillary), &fd, sizeof(int));
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static struct ktstr_error *send_all(struct ktstr_qmp *qmp, const char *data, size_t length, int fd,
				    uint64_t deadline_ns)
{
	while (length) {
		struct pollfd ready = { .fd = qmp->fd, .events = POLLOUT };
		ssize_t sent = send_some(qmp->fd, data, length, fd);

		if (sent > 0) {
			data += sent;
			length -= (size_t)sent;
			fd = -1;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return ktstr_error_new(KTSTR_ERR_GUEST, "QEMU ended");
		} else if (errno != EAGAIN && errno != EINTR) {
			return ktstr_error_sys(errno, "QMP: cannot send");
		} else if (!poll(&ready, 1, ktstr_ms_until(deadline_ns))) {
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "QEMU does not take the command");
		}
	}
	return NULL;
}

/* Steals arguments. */
static struct ktstr_error *send_command(struct ktstr_qmp *qmp, const char *command,
					json_t *arguments, int fd, uint64_t deadline_ns)
{
	_cleanup_json_ json_t *request = json_object();
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *line = NULL;

	if (arguments)
		json_object_set_new(request, "arguments", arguments);
	json_object_set_new(request, "id", json_integer((json_int_t)++qmp->last_id));
	/* A name that is not UTF-8 makes no string. */
	if (!json_object_set_new(request, "execute", json_string(command)))
		text = json_dumps(request, JSON_COMPACT);
	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the command cannot be written as JSON");
	line = ktstr_xasprintf("%s\n", text);
	return send_all(qmp, line, strlen(line), fd, deadline_ns);
}

/* The text is QEMU's, and parts of it may come from the guest. */
static struct ktstr_error *error_of_reply(const json_t *failure)
{
	const char *class = json_string_value(json_object_get(failure, "class"));
	const char *description = json_string_value(json_object_get(failure, "desc"));
	_cleanup_str_ struct ktstr_str shown = { 0 };
	enum ktstr_error_code code = KTSTR_ERR_GUEST;

	if (class && !strcmp(class, "CommandNotFound"))
		code = KTSTR_ERR_UNSUPPORTED;
	else if (class && !strcmp(class, "DeviceNotFound"))
		code = KTSTR_ERR_NOT_FOUND;
	if (!description)
		description = "QEMU reports an error without a description";
	ktstr_str_add_printable(&shown, description, strnlen(description, 4096));
	return ktstr_error_new(code, "%s", ktstr_str_text(&shown));
}

/*
 * A reply to a command that we gave up on has an older id; an error to unreadable input has none.
 */
static bool is_reply_to(const json_t *message, uint64_t id)
{
	const json_t *reply_id = json_object_get(message, "id");

	if (json_object_get(message, "error") && !reply_id)
		return true;
	if (!json_object_get(message, "return") && !json_object_get(message, "error"))
		return false;
	return json_is_integer(reply_id) && (uint64_t)json_integer_value(reply_id) == id;
}

static struct ktstr_error *wait_reply(struct ktstr_qmp *qmp, uint64_t deadline_ns, json_t **reply)
{
	do {
		_cleanup_json_ json_t *message = NULL;

		KTSTR_TRY(next_message(qmp, deadline_ns, &message));
		if (!message)
			break;
		if (json_is_string(json_object_get(message, "event"))) {
			queue_event(qmp, ktstr_take(message));
		} else if (is_reply_to(message, qmp->last_id)) {
			const json_t *failure = json_object_get(message, "error");

			if (failure)
				return error_of_reply(failure);
			if (reply)
				*reply = json_incref(json_object_get(message, "return"));
			return NULL;
		}
		/* Checked here too: a stream of events must not keep us beyond the deadline. */
	} while (ktstr_now_ns() < deadline_ns);
	return ktstr_error_new(KTSTR_ERR_TIMEOUT, "QEMU did not answer in time");
}

static struct ktstr_error *execute(struct ktstr_qmp *qmp, const char *command, json_t *arguments,
				   int fd, uint64_t deadline_ns, json_t **reply)
{
	KTSTR_TRY_WRAP(send_command(qmp, command, arguments, fd, deadline_ns), "%s", command);
	KTSTR_TRY_WRAP(wait_reply(qmp, deadline_ns, reply), "%s", command);
	return NULL;
}

struct ktstr_error *ktstr_qmp_execute(struct ktstr_qmp *qmp, const char *command, json_t *arguments,
				      uint64_t deadline_ns, json_t **reply)
{
	return execute(qmp, command, arguments, -1, deadline_ns, reply);
}

struct ktstr_error *ktstr_qmp_execute_with_fd(struct ktstr_qmp *qmp, const char *command,
					      json_t *arguments, int fd, uint64_t deadline_ns)
{
	return execute(qmp, command, arguments, fd, deadline_ns, NULL);
}

struct ktstr_error *ktstr_qmp_send(struct ktstr_qmp *qmp, const char *command, uint64_t deadline_ns)
{
	KTSTR_TRY_WRAP(send_command(qmp, command, NULL, -1, deadline_ns), "%s", command);
	return NULL;
}

struct ktstr_error *ktstr_qmp_await(struct ktstr_qmp *qmp, uint64_t deadline_ns)
{
	return wait_reply(qmp, deadline_ns, NULL);
}

struct ktstr_error *ktstr_qmp_next_event(struct ktstr_qmp *qmp, uint64_t deadline_ns,
					 json_t **event)
{
	*event = dequeue_event(qmp);
	while (!*event) {
		_cleanup_json_ json_t *message = NULL;

		KTSTR_TRY(next_message(qmp, deadline_ns, &message));
		if (json_is_string(json_object_get(message, "event")))
			*event = ktstr_take(message);
		else if (!message || ktstr_now_ns() >= deadline_ns)
			break;
	}
	return NULL;
}

static struct ktstr_error *negotiate(struct ktstr_qmp *qmp, uint64_t deadline_ns)
{
	_cleanup_json_ json_t *greeting = NULL;

	KTSTR_TRY(next_message(qmp, deadline_ns, &greeting));
	if (!greeting)
		return ktstr_error_new(KTSTR_ERR_TIMEOUT, "QEMU sent no greeting in time");
	if (!json_is_object(json_object_get(greeting, "QMP")))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "the first message is no QMP greeting");
	return ktstr_qmp_execute(qmp, "qmp_capabilities", NULL, deadline_ns, NULL);
}

struct ktstr_error *ktstr_qmp_open(int fd, uint64_t deadline_ns, struct ktstr_qmp **qmp)
{
	struct ktstr_qmp *opened = ktstr_xcalloc(1, sizeof(*opened));
	struct ktstr_error *error;

	opened->fd = fd;
	error = negotiate(opened, deadline_ns);
	if (error) {
		ktstr_qmp_close(opened);
		return ktstr_error_wrap(error, "cannot talk to QEMU");
	}
	*qmp = opened;
	return NULL;
}

void ktstr_qmp_close(struct ktstr_qmp *qmp)
{
	if (!qmp)
		return;
	for (json_t *event = dequeue_event(qmp); event; event = dequeue_event(qmp))
		json_decref(event);
	ktstr_str_deinit(&qmp->input);
	close(qmp->fd);
	free(qmp);
}

int ktstr_qmp_fd(const struct ktstr_qmp *qmp)
{
	return qmp->fd;
}
