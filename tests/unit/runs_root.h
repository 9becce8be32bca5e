/* SPDX-License-Identifier: GPL-2.0-only */
/* An empty root of run directories, in an environment that sets nothing else of results. */
#ifndef KTSTR_TESTS_RUNS_ROOT_H
#define KTSTR_TESTS_RUNS_ROOT_H

#include "scratch.h"

static inline int make_runs_root(void **state)
{
	if (make_scratch(state))
		return -1;
	setenv("KTSTR_RUNS_ROOT", scratch, 1);
	setenv("KTSTR_RUN_EPOCH", "1795383696000000007", 1);
	unsetenv("KTSTR_SIDECAR_DIR");
	unsetenv("KTSTR_PROJECT_COMMIT");
	unsetenv("KTSTR_CI");
	return 0;
}

#define IN_RUNS_ROOT(test) cmocka_unit_test_setup_teardown(test, make_runs_root, remove_scratch)

#endif
