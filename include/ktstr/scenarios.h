/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The built-in scenarios, to be used in tests of your own; `ktstr run --scenario NAME` runs each, `ktstr show-plan NAME`
 * shows it. ktstr_scenario_<name>(ctx) is for bodies, ktstr_plan_<name> for a test's .plan. S = ctx->settle_ns, D =
 * ctx->duration_ns; a cgroup without another description has workers_per_cgroup spinners. A topology that is too small ends
 * the verdict as skipped. ctx->assert is what they are checked against.
 */
#ifndef KTSTR_SCENARIOS_H
#define KTSTR_SCENARIOS_H

#include <ktstr/scenario.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void ktstr_plan_fn_(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor);

/* Two cgroups for D. */
void ktstr_scenario_steady(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_steady;
/* Two cgroups, one on LLC 0, one on LLC 1; needs 2 LLCs. */
void ktstr_scenario_steady_llc(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_steady_llc;
/* Two cgroups of 32 Mixed workers. */
void ktstr_scenario_oversubscribed(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_oversubscribed;
/* Two cgroups run everywhere for S + D/2, then on disjoint halves for D/2. */
void ktstr_scenario_cpuset_apply(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_cpuset_apply;
/* On disjoint halves for S + D/2, then everywhere for D/2. */
void ktstr_scenario_cpuset_clear(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_cpuset_clear;
/* The border between two cpusets moves: 1/2, 1/4, 3/4 of the CPUs, S + D/3 and D/3 each; needs 4 CPUs. */
void ktstr_scenario_cpuset_resize(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_cpuset_resize;
/* Two cgroups; after S + D/2 one or two more beside them for D/2; needs 4 CPUs. */
void ktstr_scenario_cgroup_add(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_cgroup_add;
/* Two to four cgroups for S + D/2, then half of them for D/2; needs 3 CPUs. */
void ktstr_scenario_cgroup_remove(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_cgroup_remove;
/* Two cgroups whose workers get a random half of the CPUs anew every D/5. */
void ktstr_scenario_affinity_change(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_affinity_change;
/* Two cgroups; after S all workers on the first 2 CPUs for D; a spread of up to 75 points is allowed. */
void ktstr_scenario_affinity_pinned(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_affinity_pinned;
/* Two cgroups beside a spinner per CPU that is in none of them; S + D. */
void ktstr_scenario_host_contention(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_host_contention;
/* 8 spinners, bursts of 100 ms every 150 ms, and synchronous writes, a cgroup each; S + D. */
void ktstr_scenario_mixed_workloads(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_mixed_workloads;
/* Workers in cg_0/sub_a, cg_0/sub_b, cg_1/sub_b and cg_1/sub_a/deep; 2 s + D. */
void ktstr_scenario_nested_steady(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_nested_steady;
/* Workers move from cg_0/sub to cg_0, cg_1/sub and cg_1; D/4 in each, 2 s more in the first. */
void ktstr_scenario_nested_task_move(struct ktstr_ctx *ctx);
ktstr_plan_fn_ ktstr_plan_nested_task_move;

#ifdef __cplusplus
}
#endif
#endif
