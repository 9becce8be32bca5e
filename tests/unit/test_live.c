// SPDX-License-Identifier: GPL-2.0-only
/* Live operations against an agent made up here: what it is asked, and what its answers mean for the context. */
#include <jansson.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ktstr/scenario.h"
#include "sched/live.h"
#include "wire/program.h"
#include "unit.h"

static const struct ktstr_scheduler fast = { .name = "fast", .binary = "x" };

/* Answers one request: with text, or with a refusal. */
static struct agent {
	int fd;
	const char *answer;
	enum ktstr_error_code refusal;
	char asked[128];
} agent;

static void *serve(void *unused)
{
	struct ktstr_frame_decoder decoder = { 0 };
	struct ktstr_frame frame;
	_cleanup_str_ struct ktstr_str payload = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	char chunk[4096];
	uint32_t id = 0;

	(void)unused;
	while (!ktstr_frame_decoder_next(&decoder, &frame)) {
		ssize_t got = read(agent.fd, chunk, sizeof(chunk));

		if (got <= 0)
			return NULL;
		ktstr_frame_decoder_feed(&decoder, chunk, (size_t)got);
	}
	if (frame.type == KTSTR_FRAME_SCHED_REQUEST && ktstr_frame_read_u32(&frame, 0, &id))
		snprintf(agent.asked, sizeof(agent.asked), "%.*s", (int)frame.length - 4, (const char *)frame.payload + 4);
	if (agent.refusal) {
		ktstr_frame_refusal(&payload, id, agent.refusal, agent.answer);
	} else {
		ktstr_str_add_bytes(&payload, &id, sizeof(id));
		ktstr_str_add(&payload, agent.answer);
	}
	ktstr_frame_encode(&bytes, agent.refusal ? KTSTR_FRAME_REFUSED : KTSTR_FRAME_SCHED_REPLY, payload.data, payload.length);
	if (write(agent.fd, bytes.data, bytes.length) < 0)
		abort();
	ktstr_frame_decoder_deinit(&decoder);
	return NULL;
}

static pthread_t thread;

static void next_answer(const char *answer, enum ktstr_error_code refusal)
{
	agent.answer = answer;
	agent.refusal = refusal;
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

/* What came of it: the question, the context, the error. */
static void expect(struct ktstr_error *error, const char *asked, const struct ktstr_ctx *ctx, int pid, const char *label,
		   const char *message)
{
	pthread_join(thread, NULL);
	assert_string_equal(agent.asked, asked);
	assert_string_equal(ktstr_error_message(error), message);
	assert_int_equal(ctx->sched_pid, pid);
	assert_string_equal(ctx->scheduler, label);
	ktstr_error_free(error);
}

static int open_link(void **state)
{
	_cleanup_free_ char *fd = NULL, *pid = ktstr_xasprintf("%d", (int)getpid());
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	agent.fd = ends[0];
	fd = ktstr_xasprintf("%d", ends[1]);
	setenv(KTSTR_WIRE_FD_ENV, fd, 1);
	setenv(KTSTR_WIRE_PID_ENV, pid, 1);
	return 0;
}

static void operations(void **state)
{
	struct ktstr_ctx ctx = { .scheduler = "own", .sched_pid = 7, .live = ktstr_live_schedulers_create("own") };

	(void)state;
	next_answer("{\"pid\":0}", 0);
	expect(ktstr_live_detach(&ctx), "{\"op\":\"detach\"}", &ctx, 0, "eevdf", "");
	next_answer("{\"pid\":12}", 0);
	expect(ktstr_live_attach(&ctx, &fast), "{\"op\":\"attach\",\"name\":\"fast\"}", &ctx, 12, "fast", "");
	next_answer("{\"pid\":13}", 0);
	expect(ktstr_live_replace(&ctx, &fast), "{\"op\":\"replace\",\"name\":\"fast\"}", &ctx, 13, "fast", "");
	next_answer("{\"pid\":14}", 0);
	expect(ktstr_live_restart(&ctx), "{\"op\":\"restart\"}", &ctx, 14, "own", "");
	ktstr_live_schedulers_destroy(ctx.live);
}

static void refusals(void **state)
{
	struct ktstr_ctx ctx = { .scheduler = "own", .sched_pid = 7, .live = ktstr_live_schedulers_create("own") };

	(void)state;
	/* Nothing has changed. */
	next_answer("own is attached (EBUSY)", KTSTR_ERR_BUSY);
	expect(ktstr_live_attach(&ctx, &fast), "{\"op\":\"attach\",\"name\":\"fast\"}", &ctx, 7, "own",
	       "attach scheduler fast: own is attached (EBUSY)");
	/* The old one is gone, the new one has not come. */
	next_answer("it exited", KTSTR_ERR_GUEST);
	expect(ktstr_live_replace(&ctx, &fast), "{\"op\":\"replace\",\"name\":\"fast\"}", &ctx, 0, "eevdf",
	       "replace scheduler fast: it exited");
	next_answer("none is attached", KTSTR_ERR_NOT_FOUND);
	expect(ktstr_live_detach(&ctx), "{\"op\":\"detach\"}", &ctx, 0, "eevdf", "detach scheduler: none is attached");
	ktstr_live_schedulers_destroy(ctx.live);
}

static void answers_that_are_none(void **state)
{
	static const char *const answers[] = { "", "[]", "{\"pid\":-1}", "{\"pid\":99999999999}", "{\"pid\":1" };
	struct ktstr_ctx ctx = { .scheduler = "own", .sched_pid = 7, .live = ktstr_live_schedulers_create("own") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		next_answer(answers[i], 0);
		expect(ktstr_live_detach(&ctx), "{\"op\":\"detach\"}", &ctx, 7, "own",
		       "detach scheduler: the agent's answer cannot be read");
	}
	ktstr_live_schedulers_destroy(ctx.live);
}

static void outside_a_guest(void **state)
{
	struct ktstr_ctx ctx = { .scheduler = "own" };
	struct ktstr_error *errors[] = { ktstr_live_attach(&ctx, &fast), ktstr_live_detach(&ctx), ktstr_live_restart(&ctx),
					 ktstr_live_replace(&ctx, &fast), ktstr_live_pin_bpf_map(&ctx, "m") };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		assert_int_equal(ktstr_error_code(errors[i]), KTSTR_ERR_UNSUPPORTED);
		ktstr_error_free(errors[i]);
	}
}

static void names_of_maps(void **state)
{
	static const char *const names[] = { "", "sixteen_letters_" };
	struct ktstr_ctx ctx = { .live = ktstr_live_schedulers_create("own") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_error_ struct ktstr_error *error = ktstr_live_pin_bpf_map(&ctx, names[i]);

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	}
	ktstr_live_schedulers_destroy(ctx.live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations),
		cmocka_unit_test(refusals),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(outside_a_guest),
		cmocka_unit_test(names_of_maps),
	};

	return cmocka_run_group_tests(tests, open_link, NULL);
}
