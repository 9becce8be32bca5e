// SPDX-License-Identifier: GPL-2.0-only
/* The built-in scenarios as functions of a body. */
#include "scenario/canned.h"
#include "scenario/plan.h"

struct run {
	struct ktstr_ctx *ctx;
	const struct ktstr_assert *assert;
};

static void run_plan(void *arg, const struct ktstr_plan *plan)
{
	const struct run *run = arg;

	ktstr_execute_scenario_with(run->ctx, &plan->backdrop, plan->steps, plan->steps_count, run->assert);
}

static void skip_plan(void *arg, const char *reason)
{
	const struct run *run = arg;

	ktstr_skip(run->ctx, "%s", reason);
}

static void run_with(struct ktstr_ctx *ctx, ktstr_plan_fn plan, const struct ktstr_assert *assert)
{
	struct run run = { ctx, assert };
	struct ktstr_plan_visitor visitor = { run_plan, skip_plan, &run, false };

	plan(ctx, &visitor);
}

static bool enough(struct ktstr_plan_visitor *visitor, const char *what, unsigned int needed, unsigned int cpus)
{
	if (cpus < needed)
		ktstr_plan_skip(visitor, "needs %u %s, this topology has %u", needed, what, cpus);
	return cpus >= needed;
}

bool canned_needs_cpus(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor, unsigned int needed)
{
	return enough(visitor, "CPUs", needed, ktstr_test_topology_total_cpus(ctx->topo));
}

bool canned_needs_usable_cpus(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor, unsigned int needed)
{
	struct ktstr_cpus usable = ktstr_test_topology_usable_cpus(ctx->topo);

	return enough(visitor, "CPUs for workloads", needed, ktstr_cpus_count(&usable));
}

#define SCENARIO(name)                                                                             \
	void ktstr_scenario_##name(struct ktstr_ctx *ctx)                                          \
	{                                                                                          \
		run_with(ctx, ktstr_plan_##name, NULL);                                            \
	}

SCENARIO(steady)
SCENARIO(steady_llc)
SCENARIO(oversubscribed)
SCENARIO(cpuset_apply)
SCENARIO(cpuset_clear)
SCENARIO(cpuset_resize)
SCENARIO(cgroup_add)
SCENARIO(cgroup_remove)
SCENARIO(affinity_change)
SCENARIO(host_contention)
SCENARIO(mixed_workloads)
SCENARIO(nested_steady)
SCENARIO(nested_task_move)

/* All on two CPUs: off-CPU shares spread much wider than on a machine of their own. */
void ktstr_scenario_affinity_pinned(struct ktstr_ctx *ctx)
{
	struct ktstr_assert relaxed = ctx->assert;

	relaxed.max_spread_pct = (struct ktstr_opt_f64)KTSTR_SOME(75.0);
	run_with(ctx, ktstr_plan_affinity_pinned, &relaxed);
}
