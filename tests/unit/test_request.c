// SPDX-License-Identifier: GPL-2.0-only
/* Requests of a test program, against an agent made up here that answers well, late, wrongly, or not at all. */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "wire/program.h"
#include "unit.h"

/* What the agent says to the next request: a list of frames whose ids are relative to the request's. */
struct answer {
	uint32_t type;
	int id_offset;
	bool damaged;
	size_t padding; /* bytes after the text */
	const char *text; /* behind the id; NULL = none */
};

struct agent {
	int fd, program_fd;
	pthread_t thread;
	const struct answer *answers;
	size_t count;
	char heard[64]; /* the request without its id */
};

static void say(int fd, const struct answer *answer, uint32_t id)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	_cleanup_free_ char *padding = ktstr_xcalloc(1, answer->padding + 1);
	uint32_t id_le = htole32(id + (uint32_t)answer->id_offset);

	if (answer->type == KTSTR_FRAME_REFUSED) {
		ktstr_frame_refusal(&payload, id, KTSTR_ERR_BUSY, answer->text);
	} else {
		ktstr_str_add_bytes(&payload, &id_le, sizeof(id_le));
		ktstr_str_add(&payload, answer->text);
		ktstr_str_add_bytes(&payload, padding, answer->padding);
	}
	ktstr_frame_encode(&bytes, answer->type, payload.data, payload.length);
	if (answer->damaged)
		bytes.data[bytes.length - 1] ^= 1;
	for (size_t i = 0; i < bytes.length;) {
		ssize_t sent = send(fd, bytes.data + i, bytes.length - i, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		i += (size_t)sent;
	}
}

/* Answers one request. */
static void *serve(void *context)
{
	struct agent *agent = context;
	struct ktstr_frame_decoder decoder = { 0 };
	struct ktstr_frame frame;
	char chunk[4096];
	uint32_t id = 0;

	while (!ktstr_frame_decoder_next(&decoder, &frame)) {
		ssize_t got = read(agent->fd, chunk, sizeof(chunk));

		if (got <= 0)
			return NULL;
		ktstr_frame_decoder_feed(&decoder, chunk, (size_t)got);
	}
	if (ktstr_frame_read_u32(&frame, 0, &id))
		snprintf(agent->heard, sizeof(agent->heard), "%.*s", (int)frame.length - 4,
			 (const char *)frame.payload + 4);
	for (size_t i = 0; i < agent->count; i++)
		say(agent->fd, &agent->answers[i], id);
	ktstr_frame_decoder_deinit(&decoder);
	return NULL;
}

static void number(const char *name, int value)
{
	_cleanup_free_ char *text = ktstr_xasprintf("%d", value);

	setenv(name, text, 1);
}

/* One link for all tests, as a program has one: what is left of one test must not disturb the next. */
static struct agent agent;

static int open_link(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	agent.fd = ends[0];
	agent.program_fd = ends[1];
	number(KTSTR_WIRE_FD_ENV, ends[1]);
	number(KTSTR_WIRE_PID_ENV, getpid());
	return 0;
}

static struct ktstr_error *request(const struct answer *answers, size_t count, uint64_t timeout_ns,
				   struct ktstr_str *reply)
{
	struct ktstr_error *error;

	agent.answers = answers;
	agent.count = count;
	assert_int_equal(pthread_create(&agent.thread, NULL, serve, &agent), 0);
	error = ktstr_wire_request(KTSTR_FRAME_SNAPSHOT_REQUEST, "ask", 3, KTSTR_FRAME_SNAPSHOT_REPLY, timeout_ns, reply);
	pthread_join(agent.thread, NULL);
	return error;
}

static void expect_reply(const struct answer *answers, size_t count, const char *text)
{
	_cleanup_str_ struct ktstr_str reply = { 0 };
	_cleanup_error_ struct ktstr_error *error = request(answers, count, KTSTR_SEC(60), &reply);

	assert_string_equal(ktstr_error_message(error), "");
	assert_string_equal(ktstr_str_text(&reply), text);
	assert_string_equal(agent.heard, "ask");
}

static void expect_error(const struct answer *answers, size_t count, uint64_t timeout_ns, enum ktstr_error_code code,
			 const char *text)
{
	_cleanup_str_ struct ktstr_str reply = { 0 };
	_cleanup_error_ struct ktstr_error *error = request(answers, count, timeout_ns, &reply);

	assert_int_equal(ktstr_error_code(error), code);
	if (!strstr(ktstr_error_message(error), text) || !strstr(ktstr_error_message(error), "request SNRQ"))
		fail_msg("\"%s\" lacks \"%s\"", ktstr_error_message(error), text);
	assert_int_equal(reply.length, 0);
}

static void a_reply(void **state)
{
	(void)state;
	expect_reply(&(struct answer){ KTSTR_FRAME_SNAPSHOT_REPLY, .text = "good" }, 1, "good");
	expect_reply(&(struct answer){ KTSTR_FRAME_SNAPSHOT_REPLY, .text = "" }, 1, "");
}

static void only_its_own_reply_counts(void **state)
{
	static const struct answer answers[] = {
		{ KTSTR_FRAME_SNAPSHOT_REPLY, -1, .text = "late" },
		{ KTSTR_FRAME_SNAPSHOT_REPLY, 1, .text = "early" },
		{ KTSTR_FRAME_SNAPSHOT_REPLY, 0, true, .text = "damaged" },
		{ KTSTR_FRAME_KERNEL_OP_REPLY, .text = "of another kind" },
		{ KTSTR_FRAME_STDOUT, .text = "no reply" },
		{ KTSTR_FRAME_SNAPSHOT_REPLY, .text = "this" },
	};

	(void)state;
	expect_reply(answers, 6, "this");
}

static void refusals_keep_code_and_words(void **state)
{
	_cleanup_str_ struct ktstr_str reply = { 0 };
	_cleanup_error_ struct ktstr_error *error = request(&(struct answer){ KTSTR_FRAME_REFUSED, .text = "one is attached" },
							    1, KTSTR_SEC(60), &reply);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_BUSY);
	assert_string_equal(ktstr_error_message(error), "one is attached");
	assert_int_equal(reply.length, 0);
}

static void silence_times_out_and_its_late_reply_is_dropped(void **state)
{
	static const struct answer answers[] = {
		{ KTSTR_FRAME_SNAPSHOT_REPLY, -1, .text = "for the one before" },
		{ KTSTR_FRAME_SNAPSHOT_REPLY, .text = "for this one" },
	};

	(void)state;
	expect_error(NULL, 0, KTSTR_MS(30), KTSTR_ERR_TIMEOUT, "no reply within 30ms");
	expect_reply(answers, 2, "for this one");
}

static void lengths_are_capped(void **state)
{
	_cleanup_free_ char *large = ktstr_xcalloc(1, KTSTR_REQUEST_MAX_BYTES);
	_cleanup_str_ struct ktstr_str reply = { 0 };
	_cleanup_error_ struct ktstr_error *error =
		ktstr_wire_request(KTSTR_FRAME_SNAPSHOT_REQUEST, large, KTSTR_REQUEST_MAX_BYTES - 3,
				   KTSTR_FRAME_SNAPSHOT_REPLY, KTSTR_SEC(1), &reply);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	expect_error(&(struct answer){ KTSTR_FRAME_SNAPSHOT_REPLY, .text = "", .padding = KTSTR_REQUEST_MAX_BYTES }, 1,
		     KTSTR_SEC(60), KTSTR_ERR_CORRUPT, "a reply of");
	expect_error(&(struct answer){ KTSTR_FRAME_SNAPSHOT_REPLY, .text = "", .damaged = true }, 1, KTSTR_MS(30),
		     KTSTR_ERR_TIMEOUT, "no reply");
}

static void forked_children_are_refused(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		struct ktstr_str reply = { 0 };
		struct ktstr_error *error = ktstr_wire_request(KTSTR_FRAME_SNAPSHOT_REQUEST, "ask", 3,
							       KTSTR_FRAME_SNAPSHOT_REPLY, KTSTR_SEC(1), &reply);

		_exit(ktstr_error_code(error) == KTSTR_ERR_UNSUPPORTED && strstr(ktstr_error_message(error), "worker") ? 7 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(recv(agent.fd, &status, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* The last: nothing answers any more. */
static void a_closed_link_is_an_error(void **state)
{
	_cleanup_str_ struct ktstr_str reply = { 0 };
	_cleanup_error_ struct ktstr_error *error = NULL;

	(void)state;
	shutdown(agent.fd, SHUT_WR);
	error = ktstr_wire_request(KTSTR_FRAME_SNAPSHOT_REQUEST, "ask", 3, KTSTR_FRAME_SNAPSHOT_REPLY, KTSTR_SEC(60), &reply);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_GUEST);
	unsetenv(KTSTR_WIRE_FD_ENV);
	ktstr_error_free(error);
	error = ktstr_wire_request(KTSTR_FRAME_SNAPSHOT_REQUEST, "ask", 3, KTSTR_FRAME_SNAPSHOT_REPLY, KTSTR_SEC(60), &reply);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply),
		cmocka_unit_test(only_its_own_reply_counts),
		cmocka_unit_test(refusals_keep_code_and_words),
		cmocka_unit_test(silence_times_out_and_its_late_reply_is_dropped),
		cmocka_unit_test(lengths_are_capped),
		cmocka_unit_test(forked_children_are_refused),
		cmocka_unit_test(a_closed_link_is_an_error),
	};

	return cmocka_run_group_tests(tests, open_link, NULL);
}
