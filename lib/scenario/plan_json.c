// SPDX-License-Identifier: GPL-2.0-only
/* Plans as JSON: backdrop, steps, definitions, holds; what is left out is the default. */
#include <stdlib.h>

#include "scenario/plan.h"
#include "scenario/plan_values.h"

static void set_number(json_t *into, const char *key, uint64_t value)
{
	if (value)
		json_object_set_new(into, key, json_integer((json_int_t)value));
}

static void set_limit(json_t *into, const char *key, struct ktstr_opt_u64 value)
{
	if (value.set)
		json_object_set_new(into, key, json_integer((json_int_t)value.value));
}

static void set_flag(json_t *into, const char *key, bool value)
{
	if (value)
		json_object_set_new(into, key, json_true());
}

static void limits_to_json(const struct ktstr_cgroup_def *def, json_t *into)
{
	set_number(into, "cpu_quota_pct", def->cpu.quota_pct);
	set_number(into, "cpu_quota_ns", def->cpu.quota);
	set_number(into, "cpu_period_ns", def->cpu.period);
	set_flag(into, "cpu_unlimited", def->cpu.unlimited);
	set_number(into, "cpu_weight", def->cpu.weight);
	set_limit(into, "memory_max", def->memory.max);
	set_limit(into, "memory_high", def->memory.high);
	set_limit(into, "memory_low", def->memory.low);
	set_flag(into, "memory_unlimited", def->memory.unlimited);
	set_limit(into, "memory_swap_max", def->memory.swap_max);
	set_flag(into, "memory_swap_unlimited", def->memory.swap_unlimited);
	set_number(into, "io_weight", def->io_weight);
	set_number(into, "pids_max", def->pids_max);
	set_flag(into, "pids_unlimited", def->pids_unlimited);
}

static json_t *works_to_json(const struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *def)
{
	struct ktstr_cgroup_scope scope = { ctx->topo, ctx->workers_per_cgroup, ctx->work_type_override };
	size_t count;
	_cleanup_free_ struct ktstr_work_spec *works = ktstr_cgroup_def_works(def, &scope, &count);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *work = json_object();

		work_to_json(&works[i], work);
		json_array_append_new(array, work);
	}
	return array;
}

json_t *ktstr_cgroup_def_to_json(const struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *def)
{
	struct ktstr_cgroup_scope scope = { ctx->topo, ctx->workers_per_cgroup, ctx->work_type_override };
	_cleanup_error_ struct ktstr_error *error = ktstr_cgroup_def_validate(def, &scope);
	json_t *json = json_pack("{ss}", "name", def->name ? def->name : "");

	cpuset_to_json(ctx, &def->cpuset, json);
	set_number(json, "mems", def->cpuset_mems);
	limits_to_json(def, json);
	/* Counts of an invalid definition mean nothing. */
	if (error)
		json_object_set_new(json, "invalid", json_string(ktstr_error_message(error)));
	else
		json_object_set_new(json, "works", works_to_json(ctx, def));
	if (def->workload)
		json_object_set_new(json, "payload", json_string(def->workload->name ? def->workload->name : "?"));
	set_flag(json, "swappable", def->swappable);
	return json;
}

static json_t *setup_to_json(const struct ktstr_ctx *ctx, const struct ktstr_setup *setup)
{
	struct ktstr_cgroup_defs made = { 0 };
	json_t *array = json_array();

	for (size_t i = 0; i < setup->defs_count; i++)
		json_array_append_new(array, ktstr_cgroup_def_to_json(ctx, &setup->defs[i]));
	if (setup->factory)
		setup->factory(ctx, &made);
	for (size_t i = 0; i < made.count; i++)
		json_array_append_new(array, ktstr_cgroup_def_to_json(ctx, &made.items[i]));
	free(made.items);
	return array;
}

static json_t *ops_to_json(const struct ktstr_ctx *ctx, const struct ktstr_op *ops, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, ktstr_op_to_json(ctx, &ops[i]));
	return array;
}

static json_t *hold_to_json(const struct ktstr_ctx *ctx, const struct ktstr_hold *hold)
{
	switch (hold->kind) {
	case KTSTR_HOLD_FULL:
		return json_pack("{ss sI}", "kind", "full", "ns", (json_int_t)ctx->duration_ns);
	case KTSTR_HOLD_FRAC:
		return json_pack("{ss sf sI}", "kind", "frac", "fraction", hold->fraction, "ns",
				 (json_int_t)((double)ctx->duration_ns * hold->fraction));
	case KTSTR_HOLD_FIXED:
		return json_pack("{ss sI}", "kind", "fixed", "ns", (json_int_t)hold->ns);
	case KTSTR_HOLD_LOOP:
		return json_pack("{ss sI}", "kind", "loop", "interval_ns", (json_int_t)hold->ns);
	}
	return json_pack("{ss}", "kind", "?");
}

static json_t *payloads_to_json(const struct ktstr_payload *const *payloads)
{
	json_t *array = json_array();

	for (size_t i = 0; payloads && payloads[i]; i++)
		json_array_append_new(array, json_string(payloads[i]->name ? payloads[i]->name : "?"));
	return array;
}

json_t *ktstr_plan_to_json(const struct ktstr_ctx *ctx, const struct ktstr_plan *plan)
{
	const struct ktstr_backdrop *backdrop = &plan->backdrop;
	json_t *steps = json_array();

	for (size_t i = 0; i < plan->steps_count; i++) {
		const struct ktstr_step *step = &plan->steps[i];

		json_array_append_new(steps, json_pack("{so so so}", "ops", ops_to_json(ctx, step->ops, step->ops_count),
						       "cgroups", setup_to_json(ctx, &step->setup), "hold",
						       hold_to_json(ctx, &step->hold)));
	}
	return json_pack("{s{so so so} so}", "backdrop", "cgroups", setup_to_json(ctx, &backdrop->setup), "ops",
			 ops_to_json(ctx, backdrop->ops, backdrop->ops_count), "payloads",
			 payloads_to_json(backdrop->payloads), "steps", steps);
}
