// SPDX-License-Identifier: GPL-2.0-only
/* What a VM's console and QEMU have said, and what they tell of how it ended or why it did not begin. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "vm/console.h"
#include "vm/vm_private.h"

enum {
	CONSOLE_MAX_BYTES = 64 << 20,
	PANIC_LINES = 24,
	TAIL_LINES = 12,
};

static char *read_memory_file(int fd, size_t *length)
{
	struct stat st;
	size_t size = !fstat(fd, &st) ? (size_t)st.st_size : 0;
	char *text;
	ssize_t got;

	if (size > CONSOLE_MAX_BYTES)
		size = CONSOLE_MAX_BYTES;
	text = ktstr_xmalloc(size + 1);
	got = pread(fd, text, size, 0);
	*length = got > 0 ? (size_t)got : 0;
	text[*length] = '\0';
	return text;
}

char *ktstr_vm_console(const struct ktstr_vm *vm, size_t *length)
{
	return read_memory_file(vm->files.console, length);
}

char *ktstr_vm_qemu_output(const struct ktstr_vm *vm)
{
	size_t length;

	return read_memory_file(vm->files.qemu_output, &length);
}

char *ktstr_vm_describe_end(const struct ktstr_vm *vm)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(vm->qemu_status);

	if (WIFEXITED(vm->qemu_status) && !WEXITSTATUS(vm->qemu_status))
		return ktstr_xstrdup("the guest powered off");
	/* A page of a file in shared memory that the file system has no room for. */
	if (WIFSIGNALED(vm->qemu_status) && WTERMSIG(vm->qemu_status) == SIGBUS)
		return ktstr_xasprintf("QEMU ended with %s, as there was no memory left for the guest's RAM (%s)", how,
				       vm->restored ? "the template store is full: see KTSTR_TEMPLATE_DIR" :
						      "the host is out of memory");
	return ktstr_xasprintf("QEMU ended with %s", how);
}

bool ktstr_vm_console_flooded(const struct ktstr_vm *vm)
{
	struct stat st;

	return !fstat(vm->files.console, &st) && st.st_size > CONSOLE_MAX_BYTES;
}

static char *console_tail(const struct ktstr_vm *vm)
{
	size_t length;
	_cleanup_free_ char *console = ktstr_vm_console(vm, &length);

	return ktstr_console_tail(console, length, TAIL_LINES);
}

struct ktstr_error *ktstr_vm_explain_flood(const struct ktstr_vm *vm)
{
	_cleanup_free_ char *tail = console_tail(vm);

	return ktstr_error_new(KTSTR_ERR_GUEST, "the guest's console has more than %d MiB and is not read further; up to there it says:\n%s",
			       CONSOLE_MAX_BYTES >> 20, tail);
}

/* QEMU has ended. It may have said why, as may the guest before. */
static struct ktstr_error *explain_end(const struct ktstr_vm *vm, bool printed)
{
	_cleanup_free_ char *how = ktstr_vm_describe_end(vm);
	_cleanup_free_ char *qemu = ktstr_vm_qemu_output(vm);
	_cleanup_free_ char *tail = console_tail(vm);

	if (!printed)
		return ktstr_error_new(KTSTR_ERR_GUEST, "%s before the kernel printed anything: %s", how,
				       *qemu ? qemu : "QEMU said nothing");
	return ktstr_error_new(KTSTR_ERR_GUEST, "%s before its agent was ready; its last words:\n%s%s", how, tail, qemu);
}

/* The most telling of what console and QEMU say. */
struct ktstr_error *ktstr_vm_explain_failed_boot(const struct ktstr_vm *vm, uint64_t waited_ns)
{
	size_t length;
	_cleanup_free_ char *console = ktstr_vm_console(vm, &length);
	_cleanup_free_ char *panic = ktstr_console_panic_text(console, length, PANIC_LINES);
	_cleanup_free_ char *tail = NULL;
	char waited[32];

	if (panic)
		return ktstr_error_new(KTSTR_ERR_GUEST, "kernel panic during boot:\n%s", panic);
	if (vm->qemu_ended)
		return explain_end(vm, length != 0);
	if (ktstr_vm_console_flooded(vm))
		return ktstr_vm_explain_flood(vm);
	ktstr_format_duration(waited_ns, waited);
	if (!length)
		return ktstr_error_new(KTSTR_ERR_TIMEOUT,
				       "no kernel output within %s: is the image bootable on this machine type?", waited);
	tail = ktstr_console_tail(console, length, TAIL_LINES);
	return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the agent was not ready within %s; the console's last lines:\n%s", waited,
			       tail);
}
