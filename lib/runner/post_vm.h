/* SPDX-License-Identifier: GPL-2.0-only */
/* Callbacks that look at a stored result on the host. */
#ifndef KTSTR_RUNNER_POST_VM_H
#define KTSTR_RUNNER_POST_VM_H

#include "runner/runner.h"

/*
 * Runs a test's callbacks on its stored result, in a process of the test program, and adds what they find to the verdict.
 * True when there were any: the result must then be stored again.
 */
bool ktstr_run_post_vm(const struct ktstr_run *run, struct ktstr_test_result *result);

#endif
