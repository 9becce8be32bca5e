// SPDX-License-Identifier: GPL-2.0-only
/* Whether a workload can run as it was written: work types, counts, names, affinities, policies. Before any fork. */
#include <string.h>

#include "base/str.h"
#include "ktstr/topology.h"
#include "work/policy.h"
#include "work/work_type.h"

static struct ktstr_error *check_type(const struct work_type_ops *ops, const struct ktstr_work_type *type,
				      unsigned int workers, unsigned int group_idx,
				      struct ktstr_work_type_error *detail)
{
	unsigned int group_size;

	KTSTR_TRY(work_params_validate(ops, type, group_idx, detail));
	detail->kind = KTSTR_WORK_TYPE_UNUSABLE;
	if (ops->validate)
		KTSTR_TRY(ops->validate(type, group_idx));
	group_size = ktstr_work_type_group_size(type);
	if (workers % group_size) {
		detail->kind = KTSTR_WORK_TYPE_NON_DIVISIBLE_WORKER_COUNT;
		detail->value = workers;
		detail->bound = group_size;
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s (group %u) requires num_workers divisible by %u, got %u",
				       ops->name, group_idx, group_size, workers);
	}
	detail->kind = KTSTR_WORK_TYPE_OK;
	return NULL;
}

struct ktstr_error *ktstr_work_type_check(const struct ktstr_work_type *type, unsigned int workers,
					  unsigned int group_idx, struct ktstr_work_type_error *detail)
{
	const struct work_type_ops *ops = work_type_ops(type->kind);
	struct ktstr_work_type resolved = ktstr_work_type_resolve(type);
	struct ktstr_work_type_error found = { .kind = KTSTR_WORK_TYPE_UNUSABLE, .group_idx = group_idx };
	struct ktstr_error *error;

	if (ops) {
		found.name = ops->name;
		error = check_type(ops, &resolved, workers, group_idx, &found);
	} else {
		error = ktstr_error_new(KTSTR_ERR_INVALID, "group %u has the unknown work kind %d: use KTSTR_WORK()",
					group_idx, (int)type->kind);
	}
	if (detail)
		*detail = found;
	return error;
}

/* TASK_COMM_LEN is 16 with the NUL. */
static struct ktstr_error *check_comm(const char *what, const char *comm)
{
	size_t length = comm ? strlen(comm) : 1;

	if (length && length <= 15)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "the %s \"%s\" of %zu bytes: the kernel keeps 1 to 15", what, comm,
			       length);
}

static struct ktstr_error *check_nice(struct ktstr_opt_i32 nice)
{
	if (!nice.set || (nice.value >= -20 && nice.value <= 19))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "the nice value %d: write -20 to 19", nice.value);
}

static struct ktstr_error *check_node(const struct ktstr_workload_config *config, struct ktstr_opt_u32 node)
{
	struct ktstr_cpus cpus;

	if (!node.set || !config->topo)
		return NULL;
	cpus = ktstr_test_topology_cpus_in_node(config->topo, node.value);
	if (!ktstr_cpus_count(&cpus))
		return ktstr_error_new(KTSTR_ERR_INVALID, "the NUMA node %u, which does not exist or has no CPUs",
				       node.value);
	return NULL;
}

static struct ktstr_error *check_placement(const struct ktstr_workload_config *config,
					   const struct ktstr_work_spec *spec)
{
	struct ktstr_resolved_affinity resolved;

	KTSTR_TRY(ktstr_affinity_resolve(&spec->affinity, config->topo, &config->cpus, &resolved));
	KTSTR_TRY(ktstr_mem_policy_check(&spec->mem_policy, spec->mpol_flags, config->topo, config->mems));
	KTSTR_TRY(check_nice(spec->nice));
	KTSTR_TRY(check_comm("comm", spec->comm));
	KTSTR_TRY(check_comm("pcomm", spec->pcomm));
	return check_node(config, spec->numa_node);
}

/* Processes of their own, or a process in a cgroup of its own, is what some work is about. */
static struct ktstr_error *check_threads(const struct ktstr_workload_config *config, const struct ktstr_work_spec *spec,
					 const struct work_type_ops *ops, unsigned int group_idx)
{
	bool threads = config->clone_mode == KTSTR_CLONE_THREAD;

	if (threads && spec->pcomm)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s (group %u) has the pcomm %s, but its workers are threads of the caller: drop it, or use "
			"KTSTR_CLONE_FORK",
			ops->name, group_idx, spec->pcomm);
	if (!ops->needs_process || (!threads && !spec->pcomm))
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"%s (group %u) cannot run in threads: it needs a process per worker, KTSTR_CLONE_FORK without pcomm",
		ops->name, group_idx);
}

static bool same_id(struct ktstr_opt_u32 a, struct ktstr_opt_u32 b)
{
	return a.set == b.set && (!a.set || a.value == b.value);
}

/* One process has one owner. */
static struct ktstr_error *check_owner(const struct ktstr_workload_config *config, unsigned int group_idx)
{
	const struct ktstr_work_spec *spec = &config->specs[group_idx];

	for (unsigned int i = 0; spec->pcomm && i < group_idx; i++) {
		const struct ktstr_work_spec *other = &config->specs[i];

		if (!other->pcomm || strcmp(other->pcomm, spec->pcomm))
			continue;
		if (!same_id(spec->uid, other->uid) || !same_id(spec->gid, other->gid))
			return ktstr_error_new(
				KTSTR_ERR_INVALID,
				"groups %u and %u are threads of one process, pcomm %s, but differ in uid or gid: "
				"give them the same, or two pcomms",
				i, group_idx, spec->pcomm);
	}
	return NULL;
}

static struct ktstr_error *check_spec(const struct ktstr_workload_config *config, unsigned int group_idx)
{
	const struct ktstr_work_spec *spec = &config->specs[group_idx];
	const struct work_type_ops *ops = work_type_ops(spec->type.kind);

	KTSTR_TRY(ktstr_work_type_check(&spec->type, spec->workers, group_idx, NULL));
	if (!spec->workers)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s (group %u) requires at least 1 worker, got 0: set .workers", ops->name,
				       group_idx);
	KTSTR_TRY(work_check_policy(&spec->sched_policy, ops->name, group_idx));
	KTSTR_TRY_WRAP(check_placement(config, spec), "%s (group %u)", ops->name, group_idx);
	KTSTR_TRY(check_threads(config, spec, ops, group_idx));
	return check_owner(config, group_idx);
}

struct ktstr_error *ktstr_workload_check(const struct ktstr_workload_config *config)
{
	uint64_t workers = 0;

	if (!config->specs_count)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a workload has no work specs: give it at least one");
	for (unsigned int i = 0; i < config->specs_count; i++) {
		KTSTR_TRY(check_spec(config, i));
		workers += config->specs[i].workers;
	}
	if (workers > KTSTR_WORKERS_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a workload of %llu workers: one has at most %d",
				       (unsigned long long)workers, KTSTR_WORKERS_MAX);
	return NULL;
}
