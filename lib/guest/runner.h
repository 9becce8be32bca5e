/* SPDX-License-Identifier: GPL-2.0-only */
/* The in-guest side of a test program. */
#ifndef KTSTR_GUEST_RUNNER_H
#define KTSTR_GUEST_RUNNER_H

#include <stdbool.h>

/*
 * Runs the test that the job names and sends its verdict. Exit code: 0 when a verdict was sent, whatever it is.
 */
int ktstr_guest_run(const char *job_path);

/* Says that the program is loaded, and waits until a clone goes on with it; false when nobody will. */
bool ktstr_guest_hold(void);

#endif
