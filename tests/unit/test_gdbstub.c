// SPDX-License-Identifier: GPL-2.0-only
/* The gdb client against a stub whose answers are written down here. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "vm/gdbstub.h"
#include "unit.h"

static void say(int stub, const char *body)
{
	_cleanup_free_ char *packet = NULL;
	unsigned char sum = 0;

	for (const char *at = body; *at; at++)
		sum = (unsigned char)(sum + (unsigned char)*at);
	packet = ktstr_xasprintf("$%s#%02x", body, sum);
	assert_int_equal(write(stub, packet, strlen(packet)), (int)strlen(packet));
}

static uint64_t soon(void)
{
	return ktstr_now_ns() + KTSTR_SEC(10);
}

/* Stopped by the first byte; the answer to that is already on its way. */
static struct ktstr_gdb *open_gdb(int *stub)
{
	struct ktstr_gdb *gdb;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	*stub = ends[1];
	say(*stub, "T02thread:01;");
	gdb = ktstr_gdb_open(ends[0]);
	assert_null(ktstr_gdb_stop(gdb, soon()));
	return gdb;
}

static char *heard(int stub)
{
	static char text[512];
	ssize_t got = recv(stub, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void watchpoints_stop_and_say_where(void **state)
{
	struct ktstr_gdb_stop stop;
	struct ktstr_gdb *gdb;
	bool stopped;
	int stub;

	(void)state;
	gdb = open_gdb(&stub);
	say(stub, "OK");
	assert_null(ktstr_gdb_watch(gdb, 0xffffffff82a1b2c0, 4, soon()));
	assert_non_null(strstr(heard(stub), "$Z2,ffffffff82a1b2c0,4#"));
	assert_null(ktstr_gdb_continue(gdb));
	assert_non_null(strstr(heard(stub), "$c#63"));
	assert_null(ktstr_gdb_take_stop(gdb, &stopped, &stop));
	assert_false(stopped);
	say(stub, "T05thread:p01.03;watch:ffffffff82a1b2c0;");
	assert_null(ktstr_gdb_take_stop(gdb, &stopped, &stop));
	assert_true(stopped && stop.watch);
	assert_true(stop.address == 0xffffffff82a1b2c0);
	assert_int_equal(stop.cpu, 2);
	ktstr_gdb_close(gdb);
	close(stub);
}

/* CPUs that stop after nobody waits for them any more: the stop is reported, and asked for once, also when it is seen. */
static void a_late_stop_is_reported(void **state)
{
	struct ktstr_error *error;
	struct ktstr_gdb_stop stop;
	struct ktstr_gdb *gdb;
	bool stopped;
	int stub;

	(void)state;
	gdb = open_gdb(&stub);
	assert_null(ktstr_gdb_continue(gdb));
	heard(stub);
	for (int i = 0; i < 2; i++) {
		error = ktstr_gdb_stop(gdb, ktstr_now_ns());
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_TIMEOUT);
		ktstr_error_free(error);
	}
	assert_string_equal(heard(stub), "\x03");
	say(stub, "T02thread:01;");
	error = ktstr_gdb_stop(gdb, ktstr_now_ns());
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_TIMEOUT);
	ktstr_error_free(error);
	assert_null(ktstr_gdb_take_stop(gdb, &stopped, &stop));
	assert_true(stopped && !stop.watch);
	assert_null(ktstr_gdb_continue(gdb));
	assert_non_null(strstr(heard(stub), "$c#63"));
	ktstr_gdb_close(gdb);
	close(stub);
}

static void registers_are_little_endian(void **state)
{
	struct ktstr_gdb_registers registers;
	struct ktstr_gdb *gdb;
	int stub;

	(void)state;
	gdb = open_gdb(&stub);
	say(stub, "OK");
	say(stub, "88b89e96ffffffff");
	say(stub, "78fc48c0a83457ff");
	say(stub, "00b0bc0300000000");
	assert_null(ktstr_gdb_registers(gdb, 1, soon(), &registers));
	assert_true(registers.instruction_pointer == 0xffffffff969eb888);
	assert_true(registers.stack_pointer == 0xff5734a8c048fc78);
	assert_true(registers.page_table_root == 0x3bcb000);
	ktstr_gdb_close(gdb);
	close(stub);
}

/* "E14" is QEMU's answer for a register that it does not have: no value, although its letters are digits. */
static void a_refused_register_is_no_value(void **state)
{
	static const char *const refusals[] = { "E14", "", "88b89e96fffffff", "xxxxxxxxxxxxxxxx" };

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct ktstr_gdb_registers registers;
		struct ktstr_error *error;
		struct ktstr_gdb *gdb;
		int stub;

		gdb = open_gdb(&stub);
		say(stub, "OK");
		say(stub, "88b89e96ffffffff");
		say(stub, "78fc48c0a83457ff");
		say(stub, refusals[i]);
		error = ktstr_gdb_registers(gdb, 1, soon(), &registers);
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_UNSUPPORTED);
		assert_non_null(strstr(ktstr_error_message(error), "no register 29"));
		ktstr_error_free(error);
		ktstr_gdb_close(gdb);
		close(stub);
	}
}

static void refusals_and_ends_are_errors(void **state)
{
	struct ktstr_error *error;
	struct ktstr_gdb *gdb;
	int stub;

	(void)state;
	gdb = open_gdb(&stub);
	say(stub, "E22");
	error = ktstr_gdb_watch(gdb, 0x1000, 4, soon());
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_UNSUPPORTED);
	assert_non_null(strstr(ktstr_error_message(error), "E22"));
	ktstr_error_free(error);
	/* Nothing comes: the deadline ends it. */
	error = ktstr_gdb_unwatch(gdb, 0x1000, 4, ktstr_now_ns() + KTSTR_MS(20));
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_TIMEOUT);
	ktstr_error_free(error);
	close(stub);
	error = ktstr_gdb_continue(gdb);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_GUEST);
	ktstr_error_free(error);
	ktstr_gdb_close(gdb);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(watchpoints_stop_and_say_where),
		cmocka_unit_test(a_late_stop_is_reported),
		cmocka_unit_test(registers_are_little_endian),
		cmocka_unit_test(a_refused_register_is_no_value),
		cmocka_unit_test(refusals_and_ends_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
