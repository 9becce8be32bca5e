/* SPDX-License-Identifier: GPL-2.0-only */
/* Plans as what they are: checked on paper, described as JSON and text. For the test program's description and show-plan. */
#ifndef KTSTR_SCENARIO_PLAN_H
#define KTSTR_SCENARIO_PLAN_H

#include <jansson.h>

#include "base/str.h"
#include "ktstr/test.h"

/* Wait after cgroup creation before measuring, in every context. */
#define KTSTR_DEFAULT_SETTLE_NS KTSTR_MS(100)

/* Who asks for a plan; exactly one of the two is called, once. */
struct ktstr_plan_visitor {
	void (*plan)(void *arg, const struct ktstr_plan *plan);
	void (*skip)(void *arg, const char *reason);
	void *arg;
	bool visited;
};

/*
 * Adds what is wrong with a plan to errors, "step 1: op 0 (SetCpuset): ...", found by running it on paper. ctx: topology,
 * duration, workers per cgroup; its verdict is not touched. test: whose plan it is; NULL = nobody's.
 */
void ktstr_plan_check(const struct ktstr_ctx *ctx, const struct ktstr_test_entry *test, const struct ktstr_plan *plan,
		      struct ktstr_strv *errors);

/* New reference. Factories are called with ctx. */
json_t *ktstr_plan_to_json(const struct ktstr_ctx *ctx, const struct ktstr_plan *plan);
json_t *ktstr_op_to_json(const struct ktstr_ctx *ctx, const struct ktstr_op *op);
json_t *ktstr_cgroup_def_to_json(const struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *def);

/* A machine and times on which a declared plan is looked at. */
struct ktstr_plan_setting {
	struct ktstr_topology topology;
	uint64_t duration_ns;
	unsigned int workers_per_cgroup; /* 0 = number of CPUs */
};

/*
 * Adds errors of a test's plan, each with a leading "test <name>: .plan: ". A plan that is skipped has none.
 */
void ktstr_test_plan_check(const struct ktstr_test_entry *test, const struct ktstr_plan_setting *setting,
			   struct ktstr_strv *errors);
/*
 * {test, topology, duration_ns, ..., backdrop, steps, errors}, or {..., skip}; the reference page has it all. NULL for a test
 * without a plan. New reference.
 */
json_t *ktstr_test_plan_to_json(const struct ktstr_test_entry *test, const struct ktstr_plan_setting *setting);
/* The same for people; heap. */
char *ktstr_plan_json_to_text(const json_t *json);

#endif
