// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups from their definitions: directory and limits, workers in them, all let go together, then their payloads. */
#include <stdlib.h>

#include "scenario/engine.h"

struct ktstr_cgroup_scope def_scope(const struct engine *engine)
{
	return (struct ktstr_cgroup_scope){
		.topo = engine->ctx->topo,
		.workers_per_cgroup = engine->ctx->workers_per_cgroup,
		.override = engine->ctx->work_type_override,
	};
}

struct ktstr_error *spawn_in(struct engine *engine, const struct ktstr_cgroup_def *def, struct scope_cgroup *cgroup,
			     struct scope_workload **workload)
{
	struct ktstr_cgroup_scope scope = def_scope(engine);
	struct ktstr_workload_config config = {
		.label = cgroup ? cgroup->name : RUNNER_CGROUP_LABEL,
		.topo = engine->ctx->topo,
		.cpus = cgroup_cpus(engine, cgroup),
		.mems = cgroup ? cgroup->mems : 0,
		.seed = engine->ctx->seed + engine->spawned++,
		.perturb = engine->ctx->perturb,
	};
	_cleanup_free_ struct ktstr_work_spec *works = ktstr_cgroup_def_works(def, &scope, &config.specs_count);
	struct ktstr_error *error = NULL;
	void *handle;

	config.specs = works;
	KTSTR_TRY(WORLD(engine, workload_spawn, &config, &handle));
	if (cgroup)
		error = TRY_WORLD(engine, workload_move, handle, cgroup->name);
	if (error) {
		WORLD(engine, workload_destroy, handle);
		return error;
	}
	*workload = track_workload(engine->local, cgroup, handle);
	return NULL;
}

static const char *label(const struct ktstr_cgroup_def *def)
{
	return def->name && *def->name ? def->name : "(unnamed)";
}

/* A cgroup with its limits. Tracked before it is made: a half-made one is removed, too. */
static struct ktstr_error *make_cgroup(struct engine *engine, const struct ktstr_cgroup_def *def,
				       struct scope_cgroup **cgroup)
{
	struct ktstr_cgroup_scope scope = def_scope(engine);
	struct ktstr_cpus cpus;

	KTSTR_TRY_WRAP(check_new_cgroup(engine, def->name), "cgroup %s", label(def));
	KTSTR_TRY(ktstr_cgroup_def_validate(def, &scope)); /* names it itself */
	track_cgroup(engine, def->name);
	KTSTR_TRY_WRAP(TRY_WORLD(engine, cgroup_apply, def), "cgroup %s", label(def));
	*cgroup = find_cgroup(engine, def->name, NULL);
	if (def->cpuset.kind != KTSTR_CPUSET_INHERIT) {
		cpus = ktstr_cgroup_def_cpus(def, scope.topo);
		note_cpuset(engine, *cgroup, &cpus);
	}
	(*cgroup)->mems = ktstr_cgroup_def_mems(def, scope.topo);
	return NULL;
}

static struct ktstr_error *make_def(struct engine *engine, const struct ktstr_cgroup_def *def)
{
	struct scope_cgroup *cgroup = NULL;
	struct scope_workload *workload;

	KTSTR_TRY(make_cgroup(engine, def, &cgroup));
	KTSTR_TRY_WRAP(spawn_in(engine, def, cgroup, &workload), "cgroup %s", label(def));
	return NULL;
}

static struct ktstr_error *start_payload_of(struct engine *engine, const struct ktstr_cgroup_def *def)
{
	if (def->workload)
		KTSTR_TRY_WRAP(start_payload(engine, def->workload, NULL, def->name), "cgroup %s", label(def));
	return NULL;
}

static struct ktstr_error *for_each_def(struct engine *engine, const struct ktstr_cgroup_def *defs, size_t count,
					struct ktstr_error *(*apply)(struct engine *, const struct ktstr_cgroup_def *))
{
	for (size_t i = 0; i < count; i++)
		KTSTR_TRY(engine_pass(engine, apply(engine, &defs[i])));
	return NULL;
}

static struct ktstr_error *start_from(struct engine *engine, size_t first)
{
	for (size_t i = first; i < engine->local->workloads_count; i++)
		KTSTR_TRY(TRY_WORLD(engine, workload_start, engine->local->workloads[i].handle));
	return NULL;
}

struct ktstr_error *apply_def(struct engine *engine, const struct ktstr_cgroup_def *def)
{
	size_t first = engine->local->workloads_count;

	KTSTR_TRY(make_def(engine, def));
	KTSTR_TRY(start_from(engine, first));
	return start_payload_of(engine, def);
}

static struct ktstr_error *apply_all(struct engine *engine, const struct ktstr_cgroup_defs *defs)
{
	size_t first = engine->local->workloads_count;

	KTSTR_TRY(for_each_def(engine, defs->items, defs->count, make_def));
	KTSTR_TRY(start_from(engine, first));
	return for_each_def(engine, defs->items, defs->count, start_payload_of);
}

struct ktstr_error *apply_setup(struct engine *engine, const struct ktstr_setup *setup)
{
	struct ktstr_cgroup_defs defs = { 0 };
	struct ktstr_error *error;

	for (size_t i = 0; i < setup->defs_count; i++)
		ktstr_cgroup_defs_push(&defs, setup->defs[i]);
	if (setup->factory)
		setup->factory(engine->ctx, &defs);
	error = apply_all(engine, &defs);
	free(defs.items);
	return error;
}
