/* SPDX-License-Identifier: GPL-2.0-only */
/* The rt-app file of a run, on the host. */
#ifndef KTSTR_RUNNER_RT_APP_H
#define KTSTR_RUNNER_RT_APP_H

#include "runner/runner.h"

/*
 * Finds run->rt_app or the test's file, translates it for the run's topology, adds it to the includes, and decides a
 * duration that is still 0. A test without one gets the default.
 */
struct ktstr_error *ktstr_run_find_rt_app(struct ktstr_run *run, const char *beside_dir) KTSTR_CHECKED;

#endif
