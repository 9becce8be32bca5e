// SPDX-License-Identifier: GPL-2.0-only
/* Freezing, with a thread in QEMU's place: a byte to the bell, then the same to the gate of the port. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "ktstr/units.h"
#include "vm/freezer.h"
#include "unit.h"

enum { FREEZES = 50 };

struct guest {
	pthread_t thread;
	int bell, gates[KTSTR_FREEZE_PORTS];
	_Atomic int passed;
};

/* As QEMU opens a character device's log: anew, and so that writes block. */
static int open_blocking(int fd)
{
	char path[64];
	int opened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(opened >= 0);
	return opened;
}

static void *run(void *arg)
{
	struct guest *guest = arg;

	for (int i = 0; i < FREEZES; i++) {
		uint8_t reason = (uint8_t)(i + 1);

		if (write(guest->bell, &reason, 1) != 1 || write(guest->gates[i % KTSTR_FREEZE_PORTS], &reason, 1) != 1)
			return NULL;
		guest->passed = i + 1;
	}
	return NULL;
}

static void wait_for_bell(const struct ktstr_freezer *freezer)
{
	struct pollfd bell = { .fd = ktstr_freezer_fd(freezer), .events = POLLIN };

	assert_int_equal(poll(&bell, 1, 30000), 1);
	assert_true(bell.revents & POLLIN);
}

static void a_guest_stands_until_it_is_released(void **state)
{
	struct ktstr_freezer *freezer;
	struct guest guest = { 0 };
	int qemu_bell = -1;
	uint8_t reason;

	(void)state;
	assert_null(ktstr_freezer_create(&freezer, &qemu_bell));
	guest.bell = open_blocking(qemu_bell);
	close(qemu_bell);
	for (unsigned int i = 0; i < KTSTR_FREEZE_PORTS; i++)
		guest.gates[i] = open_blocking(ktstr_freezer_gate(freezer, i));
	assert_false(ktstr_freezer_is_frozen(freezer, &reason));
	assert_int_equal(pthread_create(&guest.thread, NULL, run, &guest), 0);
	for (int i = 0; i < FREEZES; i++) {
		wait_for_bell(freezer);
		assert_true(ktstr_freezer_is_frozen(freezer, &reason));
		assert_int_equal(reason, i + 1);
		/* Long enough for one that is not held to go on. */
		ktstr_sleep_ns(KTSTR_MS(2));
		assert_int_equal(guest.passed, i);
		assert_false(ktstr_freezer_is_frozen(freezer, &reason));
		ktstr_freezer_release(freezer);
	}
	pthread_join(guest.thread, NULL);
	assert_int_equal(guest.passed, FREEZES);
	close(guest.bell);
	for (unsigned int i = 0; i < KTSTR_FREEZE_PORTS; i++)
		close(guest.gates[i]);
	ktstr_freezer_destroy(freezer);
}

static void the_end_of_qemu_is_seen(void **state)
{
	struct ktstr_freezer *freezer;
	struct pollfd bell = { .events = POLLIN };
	int qemu_bell = -1;
	uint8_t reason;

	(void)state;
	assert_null(ktstr_freezer_create(&freezer, &qemu_bell));
	close(qemu_bell);
	bell.fd = ktstr_freezer_fd(freezer);
	assert_int_equal(poll(&bell, 1, 0), 1);
	assert_true(bell.revents & POLLHUP);
	assert_false(ktstr_freezer_is_frozen(freezer, &reason));
	ktstr_freezer_destroy(freezer);
	ktstr_freezer_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_stands_until_it_is_released),
		cmocka_unit_test(the_end_of_qemu_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
