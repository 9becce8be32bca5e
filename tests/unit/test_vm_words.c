// SPDX-License-Identifier: GPL-2.0-only
/* Why a VM did not come up, or is no longer listened to: a QEMU that crashed is not a guest that powered off. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "unit.h"
#include "vm/vm_private.h"

/* What WIFEXITED() and WIFSIGNALED() take apart. */
enum { EXITED_0 = 0, EXITED_1 = 1 << 8 };

struct talk {
	struct ktstr_vm vm;
	int theirs; /* the guest's end of the port */
};

static int set_up(void **state)
{
	struct talk *talk = ktstr_xcalloc(1, sizeof(*talk));
	int ends[2];

	assert_ok(ktstr_memfd("console", 0, &talk->vm.files.console));
	assert_ok(ktstr_memfd("output", 0, &talk->vm.files.qemu_output));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	talk->vm.frames_fd = ends[0];
	talk->theirs = ends[1];
	*state = talk;
	return 0;
}

static int tear_down(void **state)
{
	struct talk *talk = *state;

	close(talk->vm.files.console);
	close(talk->vm.files.qemu_output);
	close(talk->vm.frames_fd);
	close(talk->theirs);
	ktstr_frame_decoder_deinit(&talk->vm.decoder);
	free(talk);
	return 0;
}

static void say(int fd, const char *text)
{
	assert_ok(ktstr_write_all(fd, text, strlen(text), "a memory file"));
}

static void ends(struct talk *talk, int status)
{
	talk->vm.qemu_ended = true;
	talk->vm.qemu_status = status;
}

static void assert_explained(const struct talk *talk, enum ktstr_error_code code, const char *part)
{
	assert_fails(ktstr_vm_explain_failed_boot(&talk->vm, KTSTR_SEC(60)), code, part);
}

static void a_crash_of_qemu_is_named(void **state)
{
	struct talk *talk = *state;

	ends(talk, SIGABRT);
	say(talk->vm.files.console, "[    0.1] Booting\n");
	say(talk->vm.files.qemu_output, "assertion failed");
	assert_explained(talk, KTSTR_ERR_GUEST, "QEMU ended with signal 6");
	assert_explained(talk, KTSTR_ERR_GUEST, "before its agent was ready");
	assert_explained(talk, KTSTR_ERR_GUEST, "Booting");
	assert_explained(talk, KTSTR_ERR_GUEST, "assertion failed");
}

static void no_memory_is_named(void **state)
{
	struct talk *talk = *state;

	ends(talk, SIGBUS);
	assert_explained(talk, KTSTR_ERR_GUEST, "no memory left for the guest's RAM");
	assert_explained(talk, KTSTR_ERR_GUEST, "before the kernel printed anything: QEMU said nothing");
}

static void a_refusal_of_qemu_is_quoted(void **state)
{
	struct talk *talk = *state;

	ends(talk, EXITED_1);
	say(talk->vm.files.qemu_output, "qemu: no such machine");
	assert_explained(talk, KTSTR_ERR_GUEST, "exit code 1 before the kernel printed anything: qemu: no such machine");
}

static void a_guest_that_powers_off(void **state)
{
	struct talk *talk = *state;

	ends(talk, EXITED_0);
	say(talk->vm.files.console, "bye\n");
	assert_explained(talk, KTSTR_ERR_GUEST, "the guest powered off before its agent was ready; its last words:\nbye");
}

static void silence_and_lateness(void **state)
{
	struct talk *talk = *state;

	assert_explained(talk, KTSTR_ERR_TIMEOUT, "no kernel output within");
	say(talk->vm.files.console, "still here\n");
	assert_explained(talk, KTSTR_ERR_TIMEOUT, "the agent was not ready within");
	assert_explained(talk, KTSTR_ERR_TIMEOUT, "still here");
}

/* Before its time is over: how long that would have been is not the reason. */
static void a_flood_on_the_console_is_no_lateness(void **state)
{
	struct talk *talk = *state;
	struct ktstr_frame frame;

	assert_int_equal(ktstr_vm_next_frame(&talk->vm, ktstr_now_ns(), &frame), KTSTR_VM_DEADLINE);
	assert_int_equal(ftruncate(talk->vm.files.console, (64 << 20) + 1), 0);
	assert_explained(talk, KTSTR_ERR_GUEST, "more than 64 MiB");
	assert_int_equal(ktstr_vm_next_frame(&talk->vm, UINT64_MAX, &frame), KTSTR_VM_FLOODED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_crash_of_qemu_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_memory_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refusal_of_qemu_is_quoted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_guest_that_powers_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_and_lateness, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flood_on_the_console_is_no_lateness, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
