// SPDX-License-Identifier: GPL-2.0-only
/* What a definition sets on its cgroup, in the order cpuset, mems, cpu, memory, io, pids. */
#include "cgroup/manager.h"

#define QUOTA_PERIOD KTSTR_MS(100) /* the kernel's default */

static struct ktstr_error *apply_cpu(struct ktstr_cgroup_manager *manager, const struct ktstr_cgroup_def *def)
{
	const struct ktstr_cgroup_cpu *cpu = &def->cpu;
	struct ktstr_opt_u64 quota = { cpu->quota_pct || cpu->quota,
				       cpu->quota_pct ? cpu->quota_pct * (QUOTA_PERIOD / 100) : cpu->quota };

	if (!quota.set && !cpu->unlimited && !cpu->weight)
		return NULL;
	KTSTR_TRY(ktstr_cgroup_set_cpu_max(manager, def->name, quota, cpu->period ? cpu->period : QUOTA_PERIOD));
	return cpu->weight ? ktstr_cgroup_set_cpu_weight(manager, def->name, cpu->weight) : NULL;
}

static struct ktstr_error *apply_memory(struct ktstr_cgroup_manager *manager, const struct ktstr_cgroup_def *def)
{
	const struct ktstr_cgroup_memory *memory = &def->memory;
	struct ktstr_opt_u64 low = { true, memory->low.value };

	if (memory->max.set || memory->high.set || memory->low.set || memory->unlimited) {
		KTSTR_TRY(ktstr_cgroup_set_memory_max(manager, def->name, memory->max));
		KTSTR_TRY(ktstr_cgroup_set_memory_high(manager, def->name, memory->high));
		KTSTR_TRY(ktstr_cgroup_set_memory_low(manager, def->name, low));
	}
	if (memory->swap_max.set || memory->swap_unlimited)
		return ktstr_cgroup_set_swap_max(manager, def->name, memory->swap_max);
	return NULL;
}

static struct ktstr_error *apply_pids(struct ktstr_cgroup_manager *manager, const struct ktstr_cgroup_def *def)
{
	struct ktstr_opt_u64 max = { def->pids_max != 0, def->pids_max };

	return max.set || def->pids_unlimited ? ktstr_cgroup_set_pids_max(manager, def->name, max) : NULL;
}

struct ktstr_error *ktstr_cgroup_def_apply(struct ktstr_cgroup_manager *manager, const struct ktstr_cgroup_def *def,
					   const struct ktstr_test_topology *topo)
{
	KTSTR_TRY(ktstr_cgroup_create(manager, def->name));
	if (def->cpuset.kind != KTSTR_CPUSET_INHERIT) {
		struct ktstr_cpus cpus = ktstr_cgroup_def_cpus(def, topo);

		KTSTR_TRY(ktstr_cgroup_set_cpuset(manager, def->name, &cpus));
	}
	if (def->cpuset_mems)
		KTSTR_TRY(ktstr_cgroup_set_cpuset_mems(manager, def->name, def->cpuset_mems));
	KTSTR_TRY(apply_cpu(manager, def));
	KTSTR_TRY(apply_memory(manager, def));
	if (def->io_weight)
		KTSTR_TRY(ktstr_cgroup_set_io_weight(manager, def->name, def->io_weight));
	return apply_pids(manager, def);
}
