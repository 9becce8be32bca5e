/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line of scx_ktstr says. */
#ifndef SCX_KTSTR_OPTIONS_H
#define SCX_KTSTR_OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>

#include "scx_ktstr.h"

struct settings {
	struct ktstr_opts opts;
	unsigned long exit_after_ms;
	unsigned long watchdog_ms;
	int exit_at_once;		/* -1: no */
	int verbosity;
	bool never_attach;
	bool reject;
};

/* Ends the process: --help with status 0, wrong usage with a message and status 2. */
void read_settings(int argc, char **argv, struct settings *s);

#endif /* SCX_KTSTR_OPTIONS_H */
