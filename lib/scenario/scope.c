// SPDX-License-Identifier: GPL-2.0-only
/* Books of what a scenario has made: which cgroups, workers and payloads there are, and whose they are. */
#include <stdlib.h>
#include <string.h>

#include "scenario/engine.h"

/* Room for one more element behind `count`, zeroed. */
#define GROW(array, count)                                                                         \
	({                                                                                         \
		(array) = ktstr_xrealloc((array), ((count) + 1) * sizeof(*(array)));               \
		memset(&(array)[count], 0, sizeof(*(array)));                                      \
		&(array)[(count)++];                                                               \
	})

static struct scope_cgroup *find_in(struct scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->cgroups_count; i++)
		if (!strcmp(scope->cgroups[i].name, name))
			return &scope->cgroups[i];
	return NULL;
}

struct scope_cgroup *find_cgroup(struct engine *engine, const char *name, struct scope **where)
{
	for_each_scope (scope, engine) {
		struct scope_cgroup *found = find_in(scope, name);

		if (!found)
			continue;
		if (where)
			*where = scope;
		return found;
	}
	return NULL;
}

static struct ktstr_error *no_such_cgroup(struct engine *engine, const char *name)
{
	size_t total = engine->step.cgroups_count + engine->backdrop.cgroups_count, count = 0;
	_cleanup_free_ const char **names = ktstr_xcalloc(total + 1, sizeof(*names));
	const char *nearest;

	for_each_scope (scope, engine)
		for (size_t i = 0; i < scope->cgroups_count; i++)
			names[count++] = scope->cgroups[i].name;
	nearest = ktstr_nearest_name(name, names, count);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no cgroup \"%s\" at this point%s%s%s", name,
			       nearest ? "; did you mean \"" : ": neither the step nor the backdrop made one",
			       nearest ? nearest : "", nearest ? "\"?" : "");
}

struct ktstr_error *want_cgroup(struct engine *engine, const char *name, struct scope_cgroup **cgroup)
{
	KTSTR_TRY(ktstr_cgroup_check_name(name));
	*cgroup = find_cgroup(engine, name, NULL);
	if (*cgroup)
		return NULL;
	/* The test body may have made it; from now on it is known, and left where it is at the end. */
	if (!WORLD(engine, cgroup_exists, name))
		return no_such_cgroup(engine, name);
	*cgroup = GROW(engine->backdrop.cgroups, engine->backdrop.cgroups_count);
	(*cgroup)->name = ktstr_xstrdup(name);
	(*cgroup)->foreign = true;
	return NULL;
}

struct ktstr_error *check_new_cgroup(struct engine *engine, const char *name)
{
	struct scope *scope;
	const struct scope_cgroup *found;

	KTSTR_TRY(ktstr_cgroup_check_name(name));
	found = find_cgroup(engine, name, &scope);
	if (!found || (found->implied && scope == engine->local))
		return NULL;
	if (scope == engine->local)
		return ktstr_error_new(KTSTR_ERR_INVALID, "there is a cgroup \"%s\" already: choose another name", name);
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "cgroup \"%s\" is one of the backdrop: a step cannot shadow it, choose another name", name);
}

static void track_one(struct engine *engine, const char *name, bool implied)
{
	struct scope_cgroup *found = find_cgroup(engine, name, NULL);

	if (!found) {
		found = GROW(engine->local->cgroups, engine->local->cgroups_count);
		found->name = ktstr_xstrdup(name);
		found->implied = implied;
	}
	found->implied &= implied;
}

void track_cgroup(struct engine *engine, const char *name)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *above = ktstr_xstrndup(name, (size_t)(slash - name));

		if (!WORLD(engine, cgroup_exists, above))
			track_one(engine, above, true);
	}
	track_one(engine, name, false);
}

static bool is_at_or_above(const char *above, const char *cgroup)
{
	size_t length = strlen(above);

	return !strncmp(above, cgroup, length) && (!cgroup[length] || cgroup[length] == '/');
}

struct scope_cgroup *next_frozen(struct engine *engine, const char *cgroup)
{
	for_each_scope (scope, engine)
		for (size_t i = 0; i < scope->cgroups_count; i++)
			if (scope->cgroups[i].frozen && is_at_or_above(scope->cgroups[i].name, cgroup))
				return &scope->cgroups[i];
	return NULL;
}

void forget_cgroup(struct scope *scope, struct scope_cgroup *cgroup)
{
	size_t i = (size_t)(cgroup - scope->cgroups);

	free(cgroup->name);
	memmove(cgroup, cgroup + 1, (--scope->cgroups_count - i) * sizeof(*cgroup));
}

/* The workers there may use these CPUs from now on. */
static void widen(struct scope_workload *workload, const struct scope_cgroup *cgroup)
{
	workload->unconfined |= !cgroup->confined;
	workload->allowed = ktstr_cpus_or(&workload->allowed, &cgroup->cpus);
}

void note_cpuset(struct engine *engine, struct scope_cgroup *cgroup, const struct ktstr_cpus *cpus)
{
	cgroup->confined = cpus != NULL;
	cgroup->cpus = cpus ? *cpus : (struct ktstr_cpus){ 0 };
	cgroup->mems = cpus ? ktstr_test_topology_nodes_of_cpus(engine->ctx->topo, cpus) : 0;
	for_each_scope (scope, engine)
		for (size_t i = 0; i < scope->workloads_count; i++)
			if (!strcmp(scope->workloads[i].cgroup, cgroup->name))
				widen(&scope->workloads[i], cgroup);
}

struct ktstr_cpus cgroup_cpus(const struct engine *engine, const struct scope_cgroup *cgroup)
{
	return cgroup && cgroup->confined ? cgroup->cpus : ktstr_test_topology_all_cpus(engine->ctx->topo);
}

struct scope_workload *track_workload(struct scope *scope, const struct scope_cgroup *cgroup, void *handle)
{
	struct scope_workload *workload = GROW(scope->workloads, scope->workloads_count);

	workload->handle = handle;
	workload->cgroup = ktstr_xstrdup(cgroup ? cgroup->name : RUNNER_CGROUP);
	if (cgroup)
		widen(workload, cgroup);
	else
		workload->unconfined = true;
	return workload;
}

void rekey_workload(struct scope_workload *workload, const struct scope_cgroup *cgroup)
{
	free(workload->cgroup);
	workload->cgroup = ktstr_xstrdup(cgroup->name);
	widen(workload, cgroup);
}

void give_to_backdrop(struct engine *engine, struct scope_workload *workload)
{
	struct scope *step = &engine->step, *backdrop = &engine->backdrop;
	size_t i = (size_t)(workload - step->workloads);

	*GROW(backdrop->workloads, backdrop->workloads_count) = *workload;
	memmove(workload, workload + 1, (--step->workloads_count - i) * sizeof(*workload));
	TELL_WORLD(engine, workload_phase, backdrop->workloads[backdrop->workloads_count - 1].handle, engine->phase);
}

void track_payload(struct scope *scope, const char *name, const char *cgroup, void *handle)
{
	struct scope_payload *payload = GROW(scope->payloads, scope->payloads_count);

	*payload = (struct scope_payload){ ktstr_xstrdup(name), ktstr_xstrdup(cgroup), handle };
}

void forget_payload(struct scope *scope, struct scope_payload *payload)
{
	size_t i = (size_t)(payload - scope->payloads);

	free(payload->name);
	free(payload->cgroup);
	memmove(payload, payload + 1, (--scope->payloads_count - i) * sizeof(*payload));
}

void scope_deinit(struct scope *scope)
{
	for (size_t i = 0; i < scope->cgroups_count; i++) /* those that were there before, and stay */
		free(scope->cgroups[i].name);
	free(scope->cgroups);
	free(scope->workloads);
	free(scope->payloads);
	*scope = (struct scope){ 0 };
}
