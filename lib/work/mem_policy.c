// SPDX-License-Identifier: GPL-2.0-only
/* Memory policies: what they are called, what the kernel would make of them, setting one. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "ktstr/topology.h"
#include "work/mem_policy.h"

#define ALL_FLAGS (KTSTR_MPOL_NUMA_BALANCING | KTSTR_MPOL_RELATIVE_NODES | KTSTR_MPOL_STATIC_NODES)

/* mode: MPOL_* of include/uapi/linux/mempolicy.h */
static const struct mem_policy_row {
	const char *name;
	int mode;
	bool takes_nodes;
} rows[KTSTR_MEM_POLICIES] = {
	[KTSTR_MEM_DEFAULT] = { "default", 0, false },
	[KTSTR_MEM_BIND] = { "bind", 2, true },
	[KTSTR_MEM_PREFERRED] = { "preferred", 1, true },
	[KTSTR_MEM_INTERLEAVE] = { "interleave", 3, true },
	[KTSTR_MEM_LOCAL] = { "local", 4, false },
	[KTSTR_MEM_PREFERRED_MANY] = { "preferred_many", 5, true },
	[KTSTR_MEM_WEIGHTED_INTERLEAVE] = { "weighted_interleave", 6, true },
};

const char *ktstr_mem_policy_name(enum ktstr_mem_policy_kind kind)
{
	return (unsigned int)kind < KTSTR_MEM_POLICIES ? rows[kind].name : NULL;
}

static char *node_list(uint64_t nodes)
{
	struct ktstr_cpus set = { .bits = { nodes } };

	return ktstr_cpus_to_text(&set);
}

static struct ktstr_error *check_flags(const char *name, unsigned int flags)
{
	if (flags & ~ALL_FLAGS)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the memory policy %s has the unknown flags %#x: use KTSTR_MPOL_*", name,
				       flags & ~ALL_FLAGS);
	if ((flags & KTSTR_MPOL_STATIC_NODES) && (flags & KTSTR_MPOL_RELATIVE_NODES))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the memory policy %s has nodes both STATIC and RELATIVE: drop one of the flags",
				       name);
	return NULL;
}

static struct ktstr_error *check_exist(const char *name, uint64_t nodes, const struct ktstr_test_topology *topo)
{
	_cleanup_free_ char *missing = NULL;
	uint64_t known = 0;
	size_t count;
	const unsigned int *ids = ktstr_test_topology_numa_node_ids(topo, &count);

	for (size_t i = 0; i < count; i++)
		known |= ids[i] < 64 ? UINT64_C(1) << ids[i] : 0;
	if (!(nodes & ~known))
		return NULL;
	missing = node_list(nodes & ~known);
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "the memory policy %s names nodes that do not exist: %s; there are %zu", name, missing,
			       count);
}

struct ktstr_error *ktstr_mem_policy_check(const struct ktstr_mem_policy *policy, unsigned int mpol_flags,
					   const struct ktstr_test_topology *topo, uint64_t mems)
{
	const char *name = ktstr_mem_policy_name(policy->kind);
	_cleanup_free_ char *wanted = node_list(policy->nodes);
	_cleanup_free_ char *allowed = node_list(mems);

	if (!name)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the memory policy %d is unknown: use KTSTR_MEM_*",
				       (int)policy->kind);
	KTSTR_TRY(check_flags(name, mpol_flags));
	if (!rows[policy->kind].takes_nodes)
		return NULL;
	if (!policy->nodes)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the memory policy %s has no nodes: name at least one", name);
	if (policy->kind == KTSTR_MEM_PREFERRED && policy->nodes & (policy->nodes - 1))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the memory policy preferred has the nodes %s: name one, or use preferred_many",
				       wanted);
	if (mpol_flags & KTSTR_MPOL_RELATIVE_NODES) /* numbers within whatever set there is */
		return NULL;
	if (topo)
		KTSTR_TRY(check_exist(name, policy->nodes, topo));
	if (mpol_flags & KTSTR_MPOL_STATIC_NODES || !mems || !(policy->nodes & ~mems))
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"the memory policy %s names the nodes %s, but the cgroup's cpuset has only %s: choose among those, "
		"or widen the cpuset",
		name, wanted, allowed);
}

/* maxnode is one more than the bits that count, and the kernel takes one off again: two above the highest node. */
int work_apply_mem_policy(const struct ktstr_mem_policy *policy, unsigned int mpol_flags)
{
	unsigned long nodes = policy->nodes;
	unsigned long maxnode = nodes ? (unsigned long)(63 - __builtin_clzl(nodes)) + 2 : 0;
	int mode = rows[policy->kind].mode | (int)mpol_flags;

	if (policy->kind == KTSTR_MEM_DEFAULT)
		return 0;
	return syscall(SYS_set_mempolicy, mode, nodes ? &nodes : NULL, maxnode) ? errno : 0;
}
