// SPDX-License-Identifier: GPL-2.0-only
/* Built-in scenarios that stay as they are: one step, or a backdrop that nothing changes. */
#include "scenario/canned.h"

KTSTR_PLAN_(ktstr_plan_steady, KTSTR_STEPS({ KTSTR_DEFS(CANNED_DEF("cg_0"), CANNED_DEF("cg_1")) }))

void ktstr_plan_steady_llc(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	unsigned int llcs = ktstr_test_topology_num_llcs(ctx->topo);
	struct ktstr_cgroup_def defs[] = { CANNED_DEF("cg_0"), CANNED_DEF("cg_1") };

	if (llcs < 2) {
		ktstr_plan_skip(visitor, "needs 2 LLCs, this topology has %u", llcs);
		return;
	}
	for (unsigned int i = 0; i < 2; i++)
		defs[i].cpuset = ktstr_cpuset_llc(i);
	ktstr_plan_visit(visitor, &(const struct ktstr_plan){ KTSTR_STEPS(
					  ktstr_step_with_defs(defs, 2, ktstr_hold_full())) });
}

KTSTR_PLAN_(ktstr_plan_oversubscribed, KTSTR_STEPS({
	KTSTR_DEFS({ .name = "cg_0", .workers = 32, .work = KTSTR_WORK(MIXED) },
		   { .name = "cg_1", .workers = 32, .work = KTSTR_WORK(MIXED) })
}))

/* A spinner for every CPU outside of the cgroups. */
void ktstr_plan_host_contention(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	ktstr_plan_visit(visitor,
			 &(const struct ktstr_plan){ KTSTR_STEPS(
				 { KTSTR_DEFS(CANNED_DEF("cg_0"), CANNED_DEF("cg_1")),
				   KTSTR_OPS(ktstr_op_spawn_host(
					   { .workers = ktstr_test_topology_total_cpus(ctx->topo) })),
				   .hold = ktstr_ctx_settled_hold(ctx, 1) }) });
}

KTSTR_PLAN_(ktstr_plan_mixed_workloads, KTSTR_STEPS({
	KTSTR_DEFS({ .name = "cg_0", .workers = 8 },
		   { .name = "cg_1", .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(100), .sleep = KTSTR_MS(50)) },
		   { .name = "cg_2", .work = KTSTR_WORK(IO_SYNC_WRITE) }),
	.hold = ktstr_ctx_settled_hold(ctx, 1)
}))

KTSTR_PLAN_(ktstr_plan_nested_steady, KTSTR_STEPS({
	KTSTR_DEFS(CANNED_DEF("cg_0/sub_a"), CANNED_DEF("cg_0/sub_b"), CANNED_DEF("cg_1/sub_b"),
		   CANNED_DEF("cg_1/sub_a/deep")),
	.hold = ktstr_hold_fixed(KTSTR_SEC(2) + ctx->duration_ns)
}))
