// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroup definitions before anything runs: whether they can work on a topology, and which groups of workers they mean.
 * What a definition does to a cgroup is in apply.c.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ktstr/cgroup.h"
#include "ktstr/payload.h"
#include "ktstr/topology.h"

/* kernel/sched/core.c, tg_set_bandwidth(): quota and period of at least 1 ms, a period of at most 1 s. */
#define MIN_BANDWIDTH KTSTR_MS(1)
#define MAX_PERIOD    KTSTR_SEC(1)
#define MAX_WEIGHT    10000 /* CGROUP_WEIGHT_MAX */

struct ktstr_cpus ktstr_cgroup_def_cpus(const struct ktstr_cgroup_def *def, const struct ktstr_test_topology *topo)
{
	return def->cpuset.kind == KTSTR_CPUSET_INHERIT ? ktstr_test_topology_all_cpus(topo) :
							  ktstr_cpuset_resolve(&def->cpuset, topo);
}

uint64_t ktstr_cgroup_def_mems(const struct ktstr_cgroup_def *def, const struct ktstr_test_topology *topo)
{
	struct ktstr_cpus cpus;

	if (def->cpuset_mems || def->cpuset.kind == KTSTR_CPUSET_INHERIT)
		return def->cpuset_mems;
	cpus = ktstr_cgroup_def_cpus(def, topo);
	return ktstr_test_topology_nodes_of_cpus(topo, &cpus);
}

/* Whether the fields of the first group say anything: without any, `works` is all there is. */
static bool has_first_group(const struct ktstr_cgroup_def *def)
{
	return !def->works_count || def->workers || def->workers_pct != 0 || def->work.kind != KTSTR_WORK_SPIN_WAIT ||
	       def->work.literal || def->sched_policy.kind != KTSTR_POLICY_NORMAL ||
	       def->affinity.kind != KTSTR_AFFINITY_INHERIT || def->mem_policy.kind != KTSTR_MEM_DEFAULT ||
	       def->mpol_flags;
}

/*
 * A count that was not given is the context's, in whole groups. One that was given is taken at its word; a share is of
 * the cpuset's CPUs, or of those that are left to workloads.
 */
static unsigned int worker_count(const struct ktstr_cgroup_def *def, const struct ktstr_cgroup_scope *scope,
				 const struct ktstr_work_spec *work)
{
	unsigned int group = ktstr_work_type_group_size(&work->type);
	struct ktstr_cpus cpus;

	if (work->workers)
		return work->workers;
	if (work->workers_pct == 0)
		return (scope->workers_per_cgroup + group - 1) / group * group;
	cpus = ktstr_cpuset_resolve(&def->cpuset, scope->topo);
	/* 0.1 * 10 must not become 2 by the last bit of its fraction. */
	return (unsigned int)fmin(ceil(ktstr_cpus_count(&cpus) * work->workers_pct - 1e-9), KTSTR_WORKERS_MAX + 1.0);
}

static void fill_in(const struct ktstr_cgroup_def *def, const struct ktstr_cgroup_scope *scope,
		    struct ktstr_work_spec *work)
{
	const struct ktstr_work_type *other = def->swappable ? scope->override : NULL;
	bool counted = work->workers || work->workers_pct != 0;

	if (other && (!counted || worker_count(def, scope, work) % ktstr_work_type_group_size(other) == 0))
		work->type = *other;
	work->workers = worker_count(def, scope, work);
	work->workers_pct = 0;
	if (!work->nice.set)
		work->nice = def->nice;
	if (!work->comm)
		work->comm = def->comm;
	if (!work->pcomm)
		work->pcomm = def->pcomm;
	if (!work->uid.set)
		work->uid = def->uid;
	if (!work->gid.set)
		work->gid = def->gid;
	if (!work->numa_node.set)
		work->numa_node = def->numa_node;
}

/* As they were written, the first group included; heap. */
static struct ktstr_work_spec *written_works(const struct ktstr_cgroup_def *def, size_t *count)
{
	struct ktstr_work_spec *works = ktstr_xcalloc(def->works_count + 1, sizeof(*works));

	*count = 0;
	if (has_first_group(def))
		works[(*count)++] = (struct ktstr_work_spec){
			.type = def->work,
			.workers = def->workers,
			.workers_pct = def->workers_pct,
			.sched_policy = def->sched_policy,
			.affinity = def->affinity,
			.mem_policy = def->mem_policy,
			.mpol_flags = def->mpol_flags,
		};
	for (size_t i = 0; i < def->works_count; i++)
		works[(*count)++] = def->works[i];
	return works;
}

struct ktstr_work_spec *ktstr_cgroup_def_works(const struct ktstr_cgroup_def *def,
					       const struct ktstr_cgroup_scope *scope, size_t *count)
{
	struct ktstr_work_spec *works = written_works(def, count);

	for (size_t i = 0; i < *count; i++)
		fill_in(def, scope, &works[i]);
	return works;
}

/* ---- validation ---- */

static struct ktstr_error *check_cpuset(const struct ktstr_cgroup_def *def, const struct ktstr_test_topology *topo)
{
	struct ktstr_cpus cpus;
	uint64_t known = 0;
	size_t count;
	const unsigned int *ids = ktstr_test_topology_numa_node_ids(topo, &count);

	KTSTR_TRY(ktstr_cpuset_validate(&def->cpuset, topo));
	cpus = ktstr_cgroup_def_cpus(def, topo);
	if (!ktstr_cpus_count(&cpus))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "its cpuset is empty on this topology: describe a larger part of the CPUs");
	for (size_t i = 0; i < count; i++)
		known |= ids[i] < 64 ? UINT64_C(1) << ids[i] : 0;
	if (def->cpuset_mems & ~known)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "its cpuset_mems %#llx has nodes that do not exist: there are %#llx",
				       (unsigned long long)def->cpuset_mems, (unsigned long long)known);
	return NULL;
}

static struct ktstr_error *check_weight(const char *what, unsigned int weight)
{
	if (weight <= MAX_WEIGHT)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "its %s is %u: write 1 to %d", what, weight, MAX_WEIGHT);
}

static struct ktstr_error *check_cpu(const struct ktstr_cgroup_cpu *cpu)
{
	int ways = (cpu->quota_pct != 0) + (cpu->quota || cpu->period) + cpu->unlimited;

	if (ways > 1)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"its cpu limit is given in several ways: use one of quota_pct, quota with period, unlimited");
	if (!cpu->quota != !cpu->period)
		return ktstr_error_new(KTSTR_ERR_INVALID, "its cpu limit has a %s of zero: give both quota and period",
				       cpu->quota ? "period" : "quota");
	if (cpu->period && (cpu->period < MIN_BANDWIDTH || cpu->period > MAX_PERIOD || cpu->quota < MIN_BANDWIDTH))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "its cpu limit is %llu of %llu ns: the kernel takes periods of 1 ms to 1 s and "
				       "quotas from 1 ms",
				       (unsigned long long)cpu->quota, (unsigned long long)cpu->period);
	return check_weight("cpu.weight", cpu->weight);
}

static struct ktstr_error *check_limits(const struct ktstr_cgroup_def *def)
{
	const struct ktstr_cgroup_memory *memory = &def->memory;

	KTSTR_TRY(check_cpu(&def->cpu));
	KTSTR_TRY(check_weight("io_weight", def->io_weight));
	if (memory->unlimited && (memory->max.set || memory->high.set))
		return ktstr_error_new(KTSTR_ERR_INVALID, "its memory is unlimited and limited: drop one of them");
	if (memory->swap_unlimited && memory->swap_max.set)
		return ktstr_error_new(KTSTR_ERR_INVALID, "its swap is unlimited and limited: drop one of them");
	if (def->pids_unlimited && def->pids_max)
		return ktstr_error_new(KTSTR_ERR_INVALID, "its pids are unlimited and limited: drop one of them");
	return NULL;
}

static struct ktstr_error *check_count(const struct ktstr_work_spec *work, size_t group_idx)
{
	if (work->workers_pct == 0)
		return NULL;
	if (!isfinite(work->workers_pct) || work->workers_pct < 0)
		return ktstr_error_new(KTSTR_ERR_INVALID, "its group %zu has workers_pct %g: write a number above zero",
				       group_idx, work->workers_pct);
	if (work->workers)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "its group %zu has workers %u and workers_pct %g: drop one of them", group_idx,
				       work->workers, work->workers_pct);
	return NULL;
}

static struct ktstr_error *check_works(const struct ktstr_cgroup_def *def, const struct ktstr_cgroup_scope *scope)
{
	struct ktstr_workload_config config = {
		.label = def->name,
		.topo = scope->topo,
		.cpus = ktstr_cgroup_def_cpus(def, scope->topo),
		.mems = ktstr_cgroup_def_mems(def, scope->topo),
	};
	size_t count;
	_cleanup_free_ struct ktstr_work_spec *written = written_works(def, &count);
	_cleanup_free_ struct ktstr_work_spec *works = NULL;

	for (size_t i = 0; i < count; i++)
		KTSTR_TRY(check_count(&written[i], i));
	config.specs = works = ktstr_cgroup_def_works(def, scope, &config.specs_count);
	return ktstr_workload_check(&config);
}

static struct ktstr_error *check_def(const struct ktstr_cgroup_def *def, const struct ktstr_cgroup_scope *scope)
{
	KTSTR_TRY(check_cpuset(def, scope->topo));
	KTSTR_TRY(check_limits(def));
	KTSTR_TRY(check_works(def, scope));
	if (def->workload && def->workload->kind == KTSTR_PAYLOAD_SCHEDULER)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "its workload %s is a scheduler: attach it to the test; a workload is a program",
				       def->workload->name ? def->workload->name : "(unnamed)");
	return NULL;
}

struct ktstr_error *ktstr_cgroup_def_validate(const struct ktstr_cgroup_def *def,
					      const struct ktstr_cgroup_scope *scope)
{
	KTSTR_TRY(ktstr_cgroup_check_name(def->name));
	KTSTR_TRY_WRAP(check_def(def, scope), "cgroup %s", def->name);
	return NULL;
}
