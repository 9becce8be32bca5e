/* SPDX-License-Identifier: GPL-2.0-only */
/* A run that waits for gdb: its socket, the kernel's symbols, and the words to type. */
#ifndef KTSTR_CLI_DEBUG_H
#define KTSTR_CLI_DEBUG_H

#include "runner/runner.h"

struct ktstr_debug_session {
	struct ktstr_run_debug debug;
	const struct ktstr_vmlinux *vmlinux; /* borrowed */
	char *dir, *socket_path, *symbols_path;
};

/* Makes run wait for gdb; the session must outlive it. The files are removed with it, after Ctrl-C, too. */
struct ktstr_error *ktstr_debug_session_init(const struct ktstr_run_setup *setup, struct ktstr_run *run,
					     struct ktstr_debug_session *session) KTSTR_CHECKED;
void ktstr_debug_session_deinit(struct ktstr_debug_session *session);

#endif
