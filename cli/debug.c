// SPDX-License-Identifier: GPL-2.0-only
/* A run that waits for gdb; see debug.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/debug.h"
#include "observe/symbols_elf.h"
#include "observe/vm_view.h"

/* The one session of this process, for the signal handler. */
static const struct ktstr_debug_session *current;

static void remove_files(void)
{
	if (!current)
		return;
	unlink(current->socket_path);
	unlink(current->symbols_path);
	rmdir(current->dir);
}

/* QEMU dies with us. */
static void on_signal(int signal)
{
	remove_files();
	_exit(128 + signal);
}

static struct ktstr_error *ready(void *context, struct ktstr_vm *vm)
{
	const struct ktstr_debug_session *session = context;
	struct ktstr_kernel_view *view;
	struct ktstr_error *error;

	KTSTR_TRY_WRAP(ktstr_view_of_vm(vm, session->vmlinux, &view), "no symbols for gdb");
	error = ktstr_symbols_write_elf(view->symbols, session->symbols_path);
	ktstr_kernel_view_close(view);
	if (error)
		return error;
	printf("The guest waits at its first instruction. In another terminal:\n\n"
	       "    gdb %s -ex 'target remote %s'\n\n"
	       "then for example `break scx_bpf_dsq_insert`, `continue`, `info threads` (a thread is a CPU), `backtrace`.\n",
	       session->symbols_path, session->socket_path);
	fflush(stdout);
	return NULL;
}

struct ktstr_error *ktstr_debug_session_init(const struct ktstr_run_setup *setup, struct ktstr_run *run,
					     struct ktstr_debug_session *session)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const char *parent = ktstr_env("XDG_RUNTIME_DIR");

	if (run->cold)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "--gdb needs a run that starts from a template: one with --cold has no kernel in memory yet when "
				       "gdb comes. Run the seed again without --cold and replay that result");
	*session = (struct ktstr_debug_session){ .vmlinux = setup->vmlinux };
	session->dir = ktstr_xasprintf("%s/ktstr-gdb-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(session->dir))
		return ktstr_error_sys(errno, "cannot create %s", session->dir);
	session->socket_path = ktstr_xasprintf("%s/socket", session->dir);
	session->symbols_path = ktstr_xasprintf("%s/kernel", session->dir);
	session->debug = (struct ktstr_run_debug){ session->socket_path, ready, session };
	run->debug = &session->debug;
	current = session;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], on_signal);
	return NULL;
}

void ktstr_debug_session_deinit(struct ktstr_debug_session *session)
{
	remove_files();
	current = NULL;
	free(session->dir);
	free(session->socket_path);
	free(session->symbols_path);
	*session = (struct ktstr_debug_session){ 0 };
}
