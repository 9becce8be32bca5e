// SPDX-License-Identifier: GPL-2.0-only
/* QMP client: the tests play QEMU on the other end of a socket pair, well-behaved and not. */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "vm/qemu.h"
#include "vm/qmp.h"
#include "unit.h"

#define GREETING \
	"{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n{\"return\": {}, \"id\": 1}\r\n"

static uint64_t soon(void)
{
	return ktstr_now_ns() + 2000000000ull;
}

static uint64_t in_ms(unsigned int ms)
{
	return ktstr_now_ns() + ms * 1000000ull;
}

/* Our end and QEMU's end; what QEMU will say is written in advance. */
static void pair_saying(const char *text, int *ours, int *theirs)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	*ours = ends[0];
	*theirs = ends[1];
}

static struct ktstr_qmp *open_saying(const char *rest, int *theirs)
{
	_cleanup_free_ char *text = ktstr_xasprintf("%s%s", GREETING, rest);
	struct ktstr_qmp *qmp = NULL;
	char sent[256];
	ssize_t got;
	int ours;

	pair_saying(text, &ours, theirs);
	assert_null(ktstr_qmp_open(ours, soon(), &qmp));
	assert_int_equal(ktstr_qmp_fd(qmp), ours);
	got = read(*theirs, sent, sizeof(sent) - 1);
	assert_true(got > 0);
	sent[got] = '\0';
	assert_non_null(strstr(sent, "qmp_capabilities"));
	assert_int_equal(sent[got - 1], '\n');
	return qmp;
}

static void reply_among_events(void **state)
{
	struct ktstr_qmp *qmp;
	json_t *reply = NULL, *event = NULL;
	char sent[256] = "";
	int theirs;

	(void)state;
	qmp = open_saying("{\"event\": \"STOP\", \"data\": {}}\n\n"
			  "{\"return\": {\"stale\": true}, \"id\": 77}\n"
			  "{\"return\": {\"running\": true}, \"id\": 2}\n{\"event\": \"RESUME\"}\n",
			  &theirs);
	assert_null(
		ktstr_qmp_execute(qmp, "query-status", json_pack("{s:i}", "a", 1), soon(), &reply));
	assert_true(json_is_true(json_object_get(reply, "running")));
	json_decref(reply);
	assert_true(read(theirs, sent, sizeof(sent) - 1) > 0);
	assert_non_null(strstr(sent, "\"arguments\":{\"a\":1}"));
	assert_null(ktstr_qmp_next_event(qmp, 0, &event));
	assert_string_equal(json_string_value(json_object_get(event, "event")), "STOP");
	json_decref(event);
	assert_null(ktstr_qmp_next_event(qmp, 0, &event));
	assert_string_equal(json_string_value(json_object_get(event, "event")), "RESUME");
	json_decref(event);
	assert_null(ktstr_qmp_next_event(qmp, in_ms(20), &event));
	assert_null(event);
	close(theirs);
	ktstr_qmp_close(qmp);
}

static void error_replies(void **state)
{
	struct ktstr_qmp *qmp;
	int theirs;

	(void)state;
	qmp = open_saying(
		"{\"id\": 2, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no "
		"x\\u001b[31m\"}}\n"
		"{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\n"
		"{\"id\": 4, \"error\": 5}\n",
		&theirs);
	assert_fails(ktstr_qmp_execute(qmp, "x", NULL, soon(), NULL), KTSTR_ERR_UNSUPPORTED,
		     "x: no x\\x1b[31m");
	assert_fails(ktstr_qmp_execute(qmp, "y", NULL, soon(), NULL), KTSTR_ERR_GUEST,
		     "y: JSON parse error");
	assert_fails(ktstr_qmp_execute(qmp, "z", NULL, soon(), NULL), KTSTR_ERR_GUEST, "z: ");
	assert_fails(ktstr_qmp_execute(qmp, "slow", NULL, in_ms(20), NULL), KTSTR_ERR_TIMEOUT,
		     "slow: ");
	/* Invalid UTF-8 cannot be sent; nothing leaks, nothing is written. */
	assert_fails(ktstr_qmp_execute(qmp, "\xff", json_object(), soon(), NULL), KTSTR_ERR_INVALID,
		     "JSON");
	close(theirs);
	ktstr_qmp_close(qmp);
}

static void ends_of_qemu(void **state)
{
	struct ktstr_qmp *qmp;
	json_t *event = NULL;
	int theirs;

	(void)state;
	qmp = open_saying("{\"event\": \"SHUTDOWN\"}\n{\"return\": {", &theirs);
	shutdown(theirs, SHUT_WR);
	assert_fails(ktstr_qmp_execute(qmp, "quit", NULL, soon(), NULL), KTSTR_ERR_GUEST,
		     "quit: QEMU ended in the middle");
	/* Events that came before the end are still there. */
	assert_null(ktstr_qmp_next_event(qmp, soon(), &event));
	assert_string_equal(json_string_value(json_object_get(event, "event")), "SHUTDOWN");
	json_decref(event);
	assert_fails(ktstr_qmp_next_event(qmp, soon(), &event), KTSTR_ERR_GUEST, "QEMU ended");
	close(theirs);
	assert_fails(ktstr_qmp_execute(qmp, "cont", NULL, soon(), NULL), KTSTR_ERR_GUEST,
		     "QEMU ended");
	ktstr_qmp_close(qmp);
}

static void garbage_and_bad_greetings(void **state)
{
	static const struct {
		const char *text, *part;
		enum ktstr_error_code code;
	} cases[] = {
		{ "\x01\xfe\x1b[2Jhello\n", "\\x01", KTSTR_ERR_CORRUPT },
		{ "[1, 2]\n", "[1, 2]", KTSTR_ERR_CORRUPT },
		{ "{\"return\": {}}\n", "greeting", KTSTR_ERR_CORRUPT },
		{ "{\"QMP\": ", "greeting in time", KTSTR_ERR_TIMEOUT },
		{ "", "greeting in time", KTSTR_ERR_TIMEOUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_qmp *qmp = NULL;
		int ours, theirs;

		pair_saying(cases[i].text, &ours, &theirs);
		assert_fails(ktstr_qmp_open(ours, in_ms(50), &qmp), cases[i].code, cases[i].part);
		assert_null(qmp);
		close(theirs);
	}
}

/* Writes `unit` again and again until the reader hangs up. */
struct flood {
	int fd;
	const char *unit;
	size_t unit_length;
	pthread_t thread;
};

static void *flood_main(void *argument)
{
	struct flood *flood = argument;

	while (send(flood->fd, flood->unit, flood->unit_length, MSG_NOSIGNAL) > 0)
		;
	close(flood->fd);
	return NULL;
}

static void flood_start(struct flood *flood, int fd, const char *unit)
{
	*flood = (struct flood){ .fd = fd, .unit = unit, .unit_length = strlen(unit) };
	assert_int_equal(pthread_create(&flood->thread, NULL, flood_main, flood), 0);
}

static void endless_line_is_cut_off(void **state)
{
	struct ktstr_qmp *qmp;
	struct flood flood;
	_cleanup_free_ char *unit = ktstr_xmalloc(65537);
	int theirs;

	(void)state;
	memset(unit, 'x', 65536);
	unit[65536] = '\0';
	qmp = open_saying("", &theirs);
	flood_start(&flood, theirs, unit);
	assert_fails(ktstr_qmp_execute(qmp, "stop", NULL, in_ms(60000), NULL), KTSTR_ERR_CORRUPT,
		     "exceeds 16 MiB");
	assert_fails(ktstr_qmp_execute(qmp, "stop", NULL, soon(), NULL), KTSTR_ERR_CORRUPT,
		     "exceeds");
	ktstr_qmp_close(qmp);
	pthread_join(flood.thread, NULL);
}

static void floods_do_not_outlast_the_deadline(void **state)
{
	static const char *const units[] = { "\n \n\n", "{\"event\": \"A\"}\n",
					     "{\"return\": 1}\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct flood flood;
		uint64_t started;
		int theirs;
		struct ktstr_qmp *qmp = open_saying("", &theirs);

		flood_start(&flood, theirs, units[i]);
		started = ktstr_now_ns();
		assert_fails(ktstr_qmp_execute(qmp, "stop", NULL, in_ms(100), NULL),
			     KTSTR_ERR_TIMEOUT, "in time");
		assert_true(ktstr_now_ns() - started < 3000000000ull);
		ktstr_qmp_close(qmp);
		pthread_join(flood.thread, NULL);
	}
}

static void deep_json_is_refused(void **state)
{
	_cleanup_free_ char *deep = ktstr_xmalloc(100002);
	struct ktstr_qmp *qmp = NULL;
	int ours, theirs;

	(void)state;
	memset(deep, '[', 100000);
	strcpy(deep + 100000, "\n");
	pair_saying(deep, &ours, &theirs);
	assert_fails(ktstr_qmp_open(ours, soon(), &qmp), KTSTR_ERR_CORRUPT, "[[[");
	close(theirs);
}

static void oldest_events_go_first(void **state)
{
	_cleanup_str_ struct ktstr_str text = { 0 };
	struct ktstr_qmp *qmp;
	json_t *event;
	int theirs;

	(void)state;
	for (int i = 0; i < 1030; i++)
		ktstr_str_addf(&text, "{\"event\": \"E\", \"n\": %d}\n", i);
	ktstr_str_add(&text, "{\"return\": {}, \"id\": 2}\n");
	qmp = open_saying(text.data, &theirs);
	assert_null(ktstr_qmp_execute(qmp, "stop", NULL, soon(), NULL));
	for (int i = 6; i < 1030; i++) {
		assert_null(ktstr_qmp_next_event(qmp, 0, &event));
		assert_int_equal(json_integer_value(json_object_get(event, "n")), i);
		json_decref(event);
	}
	assert_null(ktstr_qmp_next_event(qmp, 0, &event));
	assert_null(event);
	close(theirs);
	ktstr_qmp_close(qmp);
}

/* A message that arrives byte by byte, from a thread so that reads are partial. */
static void *drip_main(void *argument)
{
	int fd = *(int *)argument;
	static const char text[] = "{\"return\": {\"v\": 7}, \"id\": 2}\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(send(fd, &text[i], 1, MSG_NOSIGNAL), 1);
		ktstr_sleep_ns(500000);
	}
	return NULL;
}

static void partial_reads(void **state)
{
	struct ktstr_qmp *qmp;
	json_t *reply = NULL;
	pthread_t thread;
	int theirs;

	(void)state;
	qmp = open_saying("", &theirs);
	pthread_create(&thread, NULL, drip_main, &theirs);
	assert_null(ktstr_qmp_execute(qmp, "query-x", NULL, soon(), &reply));
	assert_int_equal(json_integer_value(json_object_get(reply, "v")), 7);
	json_decref(reply);
	pthread_join(thread, NULL);
	close(theirs);
	ktstr_qmp_close(qmp);
}

static void descriptor_goes_along(void **state)
{
	char text[256], space[CMSG_SPACE(sizeof(int))];
	struct iovec part = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = space,
				 .msg_controllen = sizeof(space) };
	struct stat sent, received;
	struct ktstr_qmp *qmp;
	int theirs, fd;

	(void)state;
	qmp = open_saying("{\"return\": {}, \"id\": 2}\n", &theirs);
	assert_null(ktstr_qmp_execute_with_fd(qmp, "getfd", json_pack("{s:s}", "fdname", "ram"), 0,
					      soon()));
	assert_true(recvmsg(theirs, &header, MSG_CMSG_CLOEXEC) > 0);
	assert_non_null(CMSG_FIRSTHDR(&header));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
	assert_int_equal(fstat(0, &sent), 0);
	assert_int_equal(fstat(fd, &received), 0);
	assert_int_equal(sent.st_ino, received.st_ino);
	close(fd);
	close(theirs);
	ktstr_qmp_close(qmp);
}

/* The real thing, where it is installed: a machine without anything, never started. */
static void real_qemu(void **state)
{
	_cleanup_(ktstr_qemu_deinit) struct ktstr_qemu qemu = { 0 };
	_cleanup_error_ struct ktstr_error *missing = ktstr_qemu_find(&qemu);
	_cleanup_free_ char *chardev = NULL;
	struct ktstr_child child;
	struct ktstr_qmp *qmp = NULL;
	json_t *reply = NULL;
	int ends[2], status;

	(void)state;
	if (missing)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	chardev = ktstr_xasprintf("socket,id=q,fd=%d", ends[1]);
	assert_null(ktstr_child_spawn(
		&(struct ktstr_child_spec){
			.argv = (const char *[]){ qemu.path, "-S", "-machine", "none",
						  "-nodefaults", "-display", "none", "-chardev",
						  chardev, "-mon", "chardev=q,mode=control", NULL },
			.stdin_fd = -1,
			.stdout_fd = -1,
			.stderr_fd = 2,
			.keep_fds = &ends[1],
			.keep_fds_count = 1 },
		&child));
	close(ends[1]);
	assert_null(ktstr_qmp_open(ends[0], in_ms(20000), &qmp));
	assert_null(ktstr_qmp_execute(qmp, "query-version", NULL, in_ms(20000), &reply));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(reply, "qemu"), "major")),
		qemu.major);
	json_decref(reply);
	assert_fails(ktstr_qmp_execute(qmp, "no-such", NULL, in_ms(20000), NULL),
		     KTSTR_ERR_UNSUPPORTED, "no-such: ");
	assert_null(ktstr_qmp_execute_with_fd(qmp, "getfd", json_pack("{s:s}", "fdname", "zero"), 0,
					      in_ms(20000)));
	assert_null(ktstr_qmp_execute(qmp, "quit", NULL, in_ms(20000), NULL));
	assert_null(ktstr_child_wait(&child, in_ms(20000), &status));
	assert_int_equal(status, 0);
	ktstr_qmp_close(qmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_among_events),
		cmocka_unit_test(error_replies),
		cmocka_unit_test(ends_of_qemu),
		cmocka_unit_test(garbage_and_bad_greetings),
		cmocka_unit_test(endless_line_is_cut_off),
		cmocka_unit_test(floods_do_not_outlast_the_deadline),
		cmocka_unit_test(deep_json_is_refused),
		cmocka_unit_test(oldest_events_go_first),
		cmocka_unit_test(partial_reads),
		cmocka_unit_test(descriptor_goes_along),
		cmocka_unit_test(real_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
