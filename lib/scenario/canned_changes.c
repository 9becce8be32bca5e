// SPDX-License-Identifier: GPL-2.0-only
/* Built-in scenarios in which something changes under running workers: cpusets, cgroups, affinity, membership. */
#include "scenario/canned.h"

#define CPUSET(name, spec) KTSTR_OP(SET_CPUSET, .cgroup = (name), .cpuset = (spec))

void ktstr_plan_cpuset_apply(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	if (!canned_needs_usable_cpus(ctx, visitor, 2))
		return;
	ktstr_plan_visit(visitor, &(const struct ktstr_plan){
					  .backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0"), CANNED_DEF("cg_1")) },
					  KTSTR_STEPS({ .hold = ktstr_ctx_settled_hold(ctx, .5) },
						      { KTSTR_OPS(CPUSET("cg_0", ktstr_cpuset_disjoint(0, 2)),
								  CPUSET("cg_1", ktstr_cpuset_disjoint(1, 2))),
							.hold = ktstr_hold_frac(.5) }) });
}

void ktstr_plan_cpuset_clear(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	if (!canned_needs_usable_cpus(ctx, visitor, 2))
		return;
	ktstr_plan_visit(
		visitor,
		&(const struct ktstr_plan){
			.backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0", .cpuset = ktstr_cpuset_disjoint(0, 2)),
						 CANNED_DEF("cg_1", .cpuset = ktstr_cpuset_disjoint(1, 2))) },
			KTSTR_STEPS({ .hold = ktstr_ctx_settled_hold(ctx, .5) },
				    { KTSTR_OPS(KTSTR_OP(CLEAR_CPUSET, .cgroup = "cg_0"),
						KTSTR_OP(CLEAR_CPUSET, .cgroup = "cg_1")),
				      .hold = ktstr_hold_frac(.5) }) });
}

void ktstr_plan_cpuset_resize(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	if (!canned_needs_usable_cpus(ctx, visitor, 4)) /* a quarter of fewer is no CPU */
		return;
	ktstr_plan_visit(
		visitor,
		&(const struct ktstr_plan){
			.backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0", .cpuset = ktstr_cpuset_range(0, .5)),
						 CANNED_DEF("cg_1", .cpuset = ktstr_cpuset_range(.5, 1))) },
			KTSTR_STEPS({ .hold = ktstr_ctx_settled_hold(ctx, 1. / 3) },
				    { KTSTR_OPS(CPUSET("cg_0", ktstr_cpuset_range(0, .25)),
						CPUSET("cg_1", ktstr_cpuset_range(.25, 1))),
				      .hold = ktstr_hold_frac(1. / 3) },
				    { KTSTR_OPS(CPUSET("cg_0", ktstr_cpuset_range(0, .75)),
						CPUSET("cg_1", ktstr_cpuset_range(.75, 1))),
				      .hold = ktstr_hold_frac(1. / 3) }) });
}

void ktstr_plan_cgroup_add(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	const struct ktstr_cgroup_def added[] = { CANNED_DEF("cg_2"), CANNED_DEF("cg_3") };
	unsigned int cpus = ktstr_test_topology_total_cpus(ctx->topo);

	if (!canned_needs_cpus(ctx, visitor, 4))
		return;
	ktstr_plan_visit(visitor, &(const struct ktstr_plan){
					  .backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0"), CANNED_DEF("cg_1")) },
					  KTSTR_STEPS({ .hold = ktstr_ctx_settled_hold(ctx, .5) },
						      ktstr_step_with_defs(added, cpus - 3 < 2 ? cpus - 3 : 2,
									   ktstr_hold_frac(.5))) });
}

void ktstr_plan_cgroup_remove(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor)
{
	const struct ktstr_cgroup_def defs[] = {
		CANNED_DEF("cg_0"), CANNED_DEF("cg_1"), CANNED_DEF("cg_2"), CANNED_DEF("cg_3")
	};
	unsigned int cpus = ktstr_test_topology_total_cpus(ctx->topo);
	unsigned int all = cpus - 1 < 4 ? cpus - 1 : 4, staying = all / 2;

	if (!canned_needs_cpus(ctx, visitor, 3))
		return;
	ktstr_plan_visit(visitor, &(const struct ktstr_plan){
					  .backdrop = ktstr_backdrop_from_cgroups(defs, staying),
					  KTSTR_STEPS(ktstr_step_with_defs(defs + staying, all - staying,
									   ktstr_ctx_settled_hold(ctx, .5)),
						      { .hold = ktstr_hold_frac(.5) }) });
}

/* Each worker draws half of the CPUs, one at least. */
static struct ktstr_affinity random_half(const struct ktstr_ctx *ctx)
{
	struct ktstr_cpus all = ktstr_test_topology_all_cpus(ctx->topo);
	unsigned int half = ktstr_cpus_count(&all) / 2;

	return ktstr_affinity_random_subset(all, half ? half : 1);
}

#define DRAW_ANEW                                                                                  \
	{ KTSTR_OPS(KTSTR_OP(SET_AFFINITY, .cgroup = "cg_0", .affinity = random_half(ctx)),        \
		    KTSTR_OP(SET_AFFINITY, .cgroup = "cg_1", .affinity = random_half(ctx))),       \
	  .hold = ktstr_hold_frac(.2) }

KTSTR_PLAN_(ktstr_plan_affinity_change,
	.backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0"), CANNED_DEF("cg_1")) },
	KTSTR_STEPS({ .hold = ktstr_ctx_settled_hold(ctx, .2) }, DRAW_ANEW, DRAW_ANEW, DRAW_ANEW, DRAW_ANEW))

#define PIN(name)                                                                                  \
	KTSTR_OP(SET_AFFINITY, .cgroup = (name), .affinity = ktstr_affinity_exact(ktstr_cpus_range(0, 2)))

KTSTR_PLAN_(ktstr_plan_affinity_pinned,
	.backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0"), CANNED_DEF("cg_1")) },
	KTSTR_STEPS({ .hold = ktstr_ctx_settled_hold(ctx, 0) }, { KTSTR_OPS(PIN("cg_0"), PIN("cg_1")) }))

#define MOVE(x, y)                                                                                 \
	{ KTSTR_OPS(KTSTR_OP(MOVE_ALL_TASKS, .from = (x), .to = (y))), .hold = ktstr_hold_frac(.25) }

/*
 * The cgroups in between are of the backdrop, too: workers can only move to where somebody made a place. A cgroup with
 * processes of its own has no controllers for its children, which are empty by then.
 */
KTSTR_PLAN_(ktstr_plan_nested_task_move,
	.backdrop = { KTSTR_DEFS(CANNED_DEF("cg_0/sub")),
		      KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "cg_0"), KTSTR_OP(ADD_CGROUP, .cgroup = "cg_1/sub"),
				KTSTR_OP(ADD_CGROUP, .cgroup = "cg_1")) },
	KTSTR_STEPS({ .hold = ktstr_hold_fixed(KTSTR_SEC(2) + ctx->duration_ns / 4) }, MOVE("cg_0/sub", "cg_0"),
		    MOVE("cg_0", "cg_1/sub"), MOVE("cg_1/sub", "cg_1")))
