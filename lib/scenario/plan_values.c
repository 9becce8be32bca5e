// SPDX-License-Identifier: GPL-2.0-only
/* CPU sets, work and affinities of plans as JSON: everything that is not the default. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/str.h"
#include "scenario/plan_values.h"

static char *cpuset_text(const struct ktstr_cpuset_spec *spec)
{
	_cleanup_free_ char *list = NULL;

	switch (spec->kind) {
	case KTSTR_CPUSET_INHERIT:
		return ktstr_xstrdup("inherit");
	case KTSTR_CPUSET_LLC:
		return ktstr_xasprintf("llc(%u)", spec->index);
	case KTSTR_CPUSET_NUMA:
		return ktstr_xasprintf("numa(%u)", spec->index);
	case KTSTR_CPUSET_RANGE:
		return ktstr_xasprintf("range(%g, %g)", spec->from, spec->to);
	case KTSTR_CPUSET_DISJOINT:
		return ktstr_xasprintf("disjoint(%u, %u)", spec->index, spec->of);
	case KTSTR_CPUSET_OVERLAP:
		return ktstr_xasprintf("overlap(%u, %u, %g)", spec->index, spec->of, spec->overlap);
	case KTSTR_CPUSET_EXACT:
		list = ktstr_cpus_to_text(&spec->cpus);
		return ktstr_xasprintf("exact(%s)", list);
	}
	return ktstr_xasprintf("kind %d", (int)spec->kind);
}

void cpuset_to_json(const struct ktstr_ctx *ctx, const struct ktstr_cpuset_spec *spec, json_t *into)
{
	struct ktstr_cpus cpus = ktstr_cpuset_resolve(spec, ctx->topo);
	_cleanup_free_ char *text = cpuset_text(spec);
	_cleanup_free_ char *list = ktstr_cpus_to_text(&cpus);

	if (spec->kind == KTSTR_CPUSET_INHERIT)
		return;
	json_object_set_new(into, "cpuset", json_string(text));
	json_object_set_new(into, "cpus", json_string(list));
}

json_t *affinity_to_json(const struct ktstr_affinity *affinity)
{
	const char *name = ktstr_affinity_name(affinity->kind);
	_cleanup_free_ char *list = ktstr_cpus_to_text(&affinity->cpus);

	switch (affinity->kind) {
	case KTSTR_AFFINITY_INHERIT:
		return NULL;
	case KTSTR_AFFINITY_EXACT:
		return json_sprintf("%s %s", name, list);
	case KTSTR_AFFINITY_RANDOM_SUBSET:
		return json_sprintf("%s %u of %s", name, affinity->count, list);
	default:
		return json_string(name ? name : "?");
	}
}

static json_t *policy_to_json(const struct ktstr_sched_policy *policy)
{
	const char *name = ktstr_sched_policy_name(policy->kind);

	switch (policy->kind) {
	case KTSTR_POLICY_NORMAL:
		return NULL;
	case KTSTR_POLICY_FIFO:
	case KTSTR_POLICY_RR:
		return json_sprintf("%s %d", name, policy->priority);
	case KTSTR_POLICY_DEADLINE:
		return json_sprintf("%s %" PRIu64 "/%" PRIu64 "/%" PRIu64 " ns", name, policy->runtime, policy->deadline,
				    policy->period ? policy->period : policy->deadline);
	default:
		return json_string(name ? name : "?");
	}
}

static json_t *mem_policy_to_json(const struct ktstr_mem_policy *policy)
{
	const char *name = ktstr_mem_policy_name(policy->kind);

	if (policy->kind == KTSTR_MEM_DEFAULT)
		return NULL;
	return policy->nodes ? json_sprintf("%s nodes %#" PRIx64, name ? name : "?", policy->nodes) :
			       json_string(name ? name : "?");
}

static void set_new(json_t *into, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(into, key, value);
}

static json_t *opt_u32(struct ktstr_opt_u32 value)
{
	return value.set ? json_integer(value.value) : NULL;
}

void work_to_json(const struct ktstr_work_spec *work, json_t *into)
{
	const char *name = work->type.kind == KTSTR_WORK_CUSTOM && work->type.CUSTOM.name ?
				   work->type.CUSTOM.name : ktstr_work_type_name(work->type.kind);
	_cleanup_free_ char *parameters = ktstr_work_type_describe(&work->type);

	set_new(into, "workers", work->workers ? json_integer(work->workers) : NULL);
	set_new(into, "workers_pct", work->workers_pct != 0 ? json_real(work->workers_pct) : NULL);
	set_new(into, "work", json_string(name ? name : "?"));
	set_new(into, "parameters", *parameters ? json_string(parameters) : NULL);
	set_new(into, "sched_policy", policy_to_json(&work->sched_policy));
	set_new(into, "affinity", affinity_to_json(&work->affinity));
	set_new(into, "mem_policy", mem_policy_to_json(&work->mem_policy));
	set_new(into, "mpol_flags", work->mpol_flags ? json_integer(work->mpol_flags) : NULL);
	set_new(into, "nice", work->nice.set ? json_integer(work->nice.value) : NULL);
	set_new(into, "comm", work->comm ? json_string(work->comm) : NULL);
	set_new(into, "pcomm", work->pcomm ? json_string(work->pcomm) : NULL);
	set_new(into, "uid", opt_u32(work->uid));
	set_new(into, "gid", opt_u32(work->gid));
	set_new(into, "numa_node", opt_u32(work->numa_node));
}
