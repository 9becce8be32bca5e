/* SPDX-License-Identifier: GPL-2.0-only */
/* All that is needed to run a deterministic test again: what was run, with checksums, and how. Part of its sidecar. */
#ifndef KTSTR_RUNNER_RECIPE_H
#define KTSTR_RUNNER_RECIPE_H

#include "runner/runner.h"

/* New reference; the digest is the result's. */
json_t *ktstr_recipe(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
		     const struct ktstr_test_result *result);

/*
 * Compares what the recipe names with what is here now; KTSTR_ERR_INVALID names the first thing that differs (a file
 * that changed, another QEMU), since its replay would be another run.
 */
struct ktstr_error *ktstr_recipe_check(const json_t *recipe, const struct ktstr_run_setup *setup) KTSTR_CHECKED;

#endif
