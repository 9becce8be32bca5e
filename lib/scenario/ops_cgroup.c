// SPDX-License-Identifier: GPL-2.0-only
/* Ops on cgroups themselves: making, removing, CPUs, freezing. */
#include <errno.h>
#include <string.h>

#include "scenario/engine.h"

struct ktstr_error *op_add_cgroup(struct engine *engine, const struct ktstr_op *op)
{
	const char *name = op->ADD_CGROUP.cgroup;

	KTSTR_TRY(check_new_cgroup(engine, name));
	track_cgroup(engine, name);
	return TRY_WORLD(engine, cgroup_create, name);
}

struct ktstr_error *op_add_cgroup_def(struct engine *engine, const struct ktstr_op *op)
{
	return apply_def(engine, &op->ADD_CGROUP_DEF.def);
}

/* Whoever owns them: the step may have workers in a cgroup of the backdrop. */
static void stop_everywhere(struct engine *engine, const char *cgroup)
{
	for_each_scope (scope, engine)
		stop_in(engine, scope, cgroup);
}

/* What cannot be removed is no reason to end the step: it is noted, with what may help. */
static void note_remaining(struct engine *engine, const char *name, struct ktstr_error *error)
{
	const char *hint = "";

	if (!error)
		return;
	if (ktstr_error_code(error) == KTSTR_ERR_BUSY)
		hint = " (a process or another cgroup is in it: stop or remove that first)";
	else if (ktstr_error_errno(error) == EACCES)
		hint = " (the test needs write permission on the directory above it)";
	ktstr_note(engine->ctx, "RemoveCgroup %s: %s%s", name, ktstr_error_message(error), hint);
	ktstr_error_free(error);
}

struct ktstr_error *op_remove_cgroup(struct engine *engine, const struct ktstr_op *op)
{
	const char *name = op->REMOVE_CGROUP.cgroup;
	struct scope *scope = NULL;
	struct scope_cgroup *cgroup;

	KTSTR_TRY(ktstr_cgroup_check_name(name));
	stop_everywhere(engine, name);
	cgroup = find_cgroup(engine, name, &scope);
	if (cgroup)
		forget_cgroup(scope, cgroup);
	note_remaining(engine, name, TRY_WORLD(engine, cgroup_remove, name));
	return NULL;
}

struct ktstr_error *op_stop_cgroup(struct engine *engine, const struct ktstr_op *op)
{
	KTSTR_TRY(ktstr_cgroup_check_name(op->STOP_CGROUP.cgroup));
	stop_everywhere(engine, op->STOP_CGROUP.cgroup);
	return NULL;
}

struct ktstr_error *op_set_cpuset(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_set_cpuset *set = &op->SET_CPUSET;
	struct scope_cgroup *cgroup;
	struct ktstr_cpus cpus;

	KTSTR_TRY(want_cgroup(engine, set->cgroup, &cgroup));
	if (set->cpuset.kind == KTSTR_CPUSET_INHERIT)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".cpuset is missing; CLEAR_CPUSET takes the cpuset of %s away",
				       set->cgroup);
	KTSTR_TRY(ktstr_cpuset_validate(&set->cpuset, engine->ctx->topo));
	cpus = ktstr_cpuset_resolve(&set->cpuset, engine->ctx->topo);
	if (!ktstr_cpus_count(&cpus))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the cpuset for %s is empty on this topology: it leaves no CPU to its workers",
				       set->cgroup);
	KTSTR_TRY(TRY_WORLD(engine, cgroup_set_cpuset, set->cgroup, &cpus));
	note_cpuset(engine, cgroup, &cpus);
	return NULL;
}

struct ktstr_error *op_clear_cpuset(struct engine *engine, const struct ktstr_op *op)
{
	struct scope_cgroup *cgroup;

	KTSTR_TRY(want_cgroup(engine, op->CLEAR_CPUSET.cgroup, &cgroup));
	KTSTR_TRY(TRY_WORLD(engine, cgroup_clear_cpuset, op->CLEAR_CPUSET.cgroup));
	note_cpuset(engine, cgroup, NULL);
	return NULL;
}

/* A side without a cpuset has nothing to give. */
static struct ktstr_error *copy_cpuset(struct engine *engine, const struct ktstr_cpus *cpus, const char *to)
{
	if (!ktstr_cpus_count(cpus))
		return NULL;
	KTSTR_TRY(TRY_WORLD(engine, cgroup_set_cpuset, to, cpus));
	note_cpuset(engine, find_cgroup(engine, to, NULL), cpus);
	return NULL;
}

struct ktstr_error *op_swap_cpusets(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_swap_cpusets *swap = &op->SWAP_CPUSETS;
	struct scope_cgroup *cgroup;
	struct ktstr_cpus of_a, of_b;

	KTSTR_TRY(want_cgroup(engine, swap->a, &cgroup));
	KTSTR_TRY(want_cgroup(engine, swap->b, &cgroup));
	if (!strcmp(swap->a, swap->b))
		return ktstr_error_new(KTSTR_ERR_INVALID, ".a and .b are both %s: name two cgroups", swap->a);
	KTSTR_TRY(WORLD(engine, cgroup_get_cpuset, swap->a, &of_a));
	KTSTR_TRY(WORLD(engine, cgroup_get_cpuset, swap->b, &of_b));
	KTSTR_TRY(copy_cpuset(engine, &of_b, swap->a));
	return copy_cpuset(engine, &of_a, swap->b);
}

static struct ktstr_error *set_frozen(struct engine *engine, const char *name, bool frozen)
{
	struct scope_cgroup *cgroup;

	KTSTR_TRY(want_cgroup(engine, name, &cgroup));
	KTSTR_TRY(TRY_WORLD(engine, cgroup_freeze, name, frozen));
	cgroup->frozen = frozen;
	return NULL;
}

struct ktstr_error *op_freeze_cgroup(struct engine *engine, const struct ktstr_op *op)
{
	return set_frozen(engine, op->FREEZE_CGROUP.cgroup, true);
}

struct ktstr_error *op_unfreeze_cgroup(struct engine *engine, const struct ktstr_op *op)
{
	return set_frozen(engine, op->UNFREEZE_CGROUP.cgroup, false);
}
