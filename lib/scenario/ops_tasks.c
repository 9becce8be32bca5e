// SPDX-License-Identifier: GPL-2.0-only
/* Ops on workers: spawning them, their affinity, moving them between cgroups. */
#include <string.h>

#include "scenario/engine.h"

/* The spec as the only group of a definition, for the checks and counts that definitions have. */
static struct ktstr_cgroup_def def_of_spec(const struct ktstr_work_spec *spec, const struct scope_cgroup *cgroup)
{
	struct ktstr_cgroup_def def = {
		.name = cgroup ? cgroup->name : RUNNER_CGROUP_LABEL,
		.workers = spec->workers,
		.workers_pct = spec->workers_pct,
		.work = spec->type,
		.sched_policy = spec->sched_policy,
		.affinity = spec->affinity,
		.mem_policy = spec->mem_policy,
		.mpol_flags = spec->mpol_flags,
		.nice = spec->nice,
		.comm = spec->comm,
		.uid = spec->uid,
		.gid = spec->gid,
		.numa_node = spec->numa_node,
	};

	if (cgroup && cgroup->confined) {
		def.cpuset = ktstr_cpuset_exact(cgroup->cpus);
		def.cpuset_mems = cgroup->mems;
	}
	return def;
}

static struct ktstr_error *check_spawn(const struct ktstr_op_spawn *spawn)
{
	if (spawn->work.pcomm)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".pcomm \"%s\": Spawn makes a process per worker; use ADD_CGROUP_DEF for threads of one",
				       spawn->work.pcomm);
	switch (spawn->placement.kind) {
	case KTSTR_SPAWN_IN_CGROUP:
		return NULL;
	case KTSTR_SPAWN_IN_RUNNER_CGROUP:
		if (spawn->work.workers_pct == 0)
			return NULL;
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".workers_pct is a share of a cgroup's CPUs: the runner's cgroup takes .workers only");
	}
	return ktstr_error_new(KTSTR_ERR_INVALID, "there is no placement %d: use ktstr_spawn_cgroup() or "
			       "ktstr_spawn_runner_cgroup()", (int)spawn->placement.kind);
}

struct ktstr_error *op_spawn(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_spawn *spawn = &op->SPAWN;
	struct ktstr_cgroup_scope scope = def_scope(engine);
	struct scope_cgroup *cgroup = NULL;
	struct scope_workload *workload;
	struct ktstr_cgroup_def def;

	KTSTR_TRY(check_spawn(spawn));
	if (spawn->placement.kind == KTSTR_SPAWN_IN_CGROUP)
		KTSTR_TRY(want_cgroup(engine, spawn->placement.cgroup, &cgroup));
	def = def_of_spec(&spawn->work, cgroup);
	KTSTR_TRY(ktstr_cgroup_def_validate(&def, &scope));
	KTSTR_TRY(spawn_in(engine, &def, cgroup, &workload));
	return TRY_WORLD(engine, workload_start, workload->handle);
}

struct ktstr_error *op_set_affinity(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_set_affinity *set = &op->SET_AFFINITY;
	struct ktstr_resolved_affinity resolved;
	struct scope_cgroup *cgroup;

	KTSTR_TRY(want_cgroup(engine, set->cgroup, &cgroup));
	KTSTR_TRY(ktstr_affinity_resolve(&set->affinity, engine->ctx->topo, cgroup->confined ? &cgroup->cpus : NULL,
					 &resolved));
	for_each_scope (scope, engine)
		for (size_t i = 0; i < scope->workloads_count; i++)
			if (!strcmp(scope->workloads[i].cgroup, set->cgroup))
				KTSTR_TRY(TRY_WORLD(engine, workload_affinity, scope->workloads[i].handle, &resolved));
	return NULL;
}

/* Workers of the backdrop would die with the step's cgroup. During the backdrop's setup everything is its own. */
static struct ktstr_error *check_move(struct engine *engine, const char *from, const char *to, const struct scope *target)
{
	if (target == &engine->backdrop)
		return NULL;
	for (size_t i = 0; i < engine->backdrop.workloads_count; i++)
		if (!strcmp(engine->backdrop.workloads[i].cgroup, from))
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "the workers in %s are of the backdrop, %s is of this step: they would not outlive "
					       "it; make %s a cgroup of the backdrop",
					       *from ? from : "the runner's cgroup", to, to);
	return NULL;
}

/* Only when all have arrived they belong there; those of the step that went to the backdrop stay with it. */
static void hand_over(struct engine *engine, const char *from, const char *to, bool to_backdrop)
{
	const struct scope_cgroup *cgroup = find_cgroup(engine, to, NULL);

	for (size_t i = 0; i < engine->backdrop.workloads_count; i++)
		if (!strcmp(engine->backdrop.workloads[i].cgroup, from))
			rekey_workload(&engine->backdrop.workloads[i], cgroup);
	for (size_t i = engine->step.workloads_count; i-- > 0;) {
		if (strcmp(engine->step.workloads[i].cgroup, from))
			continue;
		rekey_workload(&engine->step.workloads[i], cgroup);
		if (to_backdrop)
			give_to_backdrop(engine, &engine->step.workloads[i]);
	}
}

struct ktstr_error *op_move_all_tasks(struct engine *engine, const struct ktstr_op *op)
{
	const char *from = op->MOVE_ALL_TASKS.from, *to = op->MOVE_ALL_TASKS.to;
	struct scope *target = NULL;
	struct scope_cgroup *cgroup;

	if (!from || !to)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is missing%s", from ? ".to" : ".from",
				       from ? "" : "; \"\" means the runner's cgroup");
	if (!strcmp(from, to))
		return ktstr_error_new(KTSTR_ERR_INVALID, ".from and .to are both %s: name two cgroups", from);
	if (*from)
		KTSTR_TRY(want_cgroup(engine, from, &cgroup));
	KTSTR_TRY(want_cgroup(engine, to, &cgroup));
	find_cgroup(engine, to, &target);
	KTSTR_TRY(check_move(engine, from, to, target));
	KTSTR_TRY(TRY_WORLD(engine, cgroup_open, to));
	for_each_scope (scope, engine)
		for (size_t i = 0; i < scope->workloads_count; i++)
			if (!strcmp(scope->workloads[i].cgroup, from))
				KTSTR_TRY(TRY_WORLD(engine, workload_move, scope->workloads[i].handle, to));
	hand_over(engine, from, to, target == &engine->backdrop);
	return NULL;
}
