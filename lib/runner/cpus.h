/* SPDX-License-Identifier: GPL-2.0-only */
/* Host CPUs of a run: reserved before its VM starts, or a verdict; recorded with its result. */
#ifndef KTSTR_RUNNER_CPUS_H
#define KTSTR_RUNNER_CPUS_H

#include "reserve/reserve.h"
#include "runner/runner.h"

/* As many of `wanted` host CPUs as this process may use at once. */
unsigned int ktstr_allowed_count(unsigned int wanted);

/*
 * False: the verdict in result says why the run has no CPUs, a skip or a failure, which no .expect_err turns round.
 * *reservation is to be released in any case.
 */
bool ktstr_run_reserve(const struct ktstr_run *run, struct ktstr_test_result *result,
		       struct ktstr_reservation *reservation);

/* Once QEMU's threads are there; nothing but in performance mode. Notes tell where it runs, and what disturbs it. */
struct ktstr_error *ktstr_run_pin(const struct ktstr_reservation *reservation, struct ktstr_vm *vm,
				  struct ktstr_test_result *result) KTSTR_CHECKED;

#endif
