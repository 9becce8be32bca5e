/* SPDX-License-Identifier: GPL-2.0-only */
/* The in-guest side of a test program. */
#ifndef KTSTR_GUEST_RUNNER_H
#define KTSTR_GUEST_RUNNER_H

/*
 * Runs the test that the job names and sends its verdict. Exit code: 0 when a verdict was sent, whatever it is.
 */
int ktstr_guest_run(const char *job_path);

#endif
