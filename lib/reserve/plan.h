/* SPDX-License-Identifier: GPL-2.0-only */
/* Which host CPUs a run gets: a pure function of the host, what others hold of it, and what is wanted. */
#ifndef KTSTR_RESERVE_PLAN_H
#define KTSTR_RESERVE_PLAN_H

#include "ktstr/topology.h"

/* What others hold of an LLC. */
struct ktstr_llc_use {
	unsigned int shared;
	bool exclusive;
};

struct ktstr_host_view {
	const struct ktstr_test_topology *topology;
	struct ktstr_cpus allowed; /* of our affinity; may reach beyond the topology */
	const struct ktstr_llc_use *use; /* by index of the LLC; NULL = nobody holds anything */
};

struct ktstr_cpu_plan {
	struct ktstr_cpus cpus; /* all of them */
	unsigned int llcs[KTSTR_MAX_CPUS]; /* indexes of the LLCs to lock, ascending */
	size_t llcs_count;
	uint64_t nodes; /* host NUMA nodes of the CPUs, a bit each */
	bool spills; /* a pool that one node could not hold */
	unsigned int vcpu_cpus[KTSTR_MAX_CPUS]; /* performance: the host CPU of each vCPU */
	size_t vcpus_count; /* 0: a pool, nothing is pinned */
	unsigned int service_cpu; /* performance: for every other thread of the run */
};

/* The allowed CPUs that the host has. */
unsigned int ktstr_host_cpus_count(const struct ktstr_host_view *host);

/*
 * max(30 % of the allowed CPUs rounded up, min(vcpus, allowed)): room for every vCPU, and for the threads beside them on
 * large hosts.
 */
unsigned int ktstr_default_cpu_budget(unsigned int allowed, unsigned int vcpus);

/*
 * `budget` CPUs, of few LLCs: the least held LLC first, with the others of its NUMA node, then those of the nearest
 * nodes; of the last LLC only as many as are still wanted. KTSTR_ERR_BUSY when LLCs that others hold exclusively are
 * needed for it. budget: 1 to ktstr_host_cpus_count().
 */
struct ktstr_error *ktstr_plan_pool(const struct ktstr_host_view *host, unsigned int budget, struct ktstr_cpu_plan *plan)
	KTSTR_CHECKED;

/* Can the host hold the machine with each vCPU on a CPU of its own? KTSTR_ERR_UNSUPPORTED with both numbers. */
struct ktstr_error *ktstr_plan_performance_check(const struct ktstr_host_view *host, const struct ktstr_topology *machine)
	KTSTR_CHECKED;
/* How many disjoint places there are for it; at least 1. The check has passed. */
size_t ktstr_plan_performance_slots(const struct ktstr_host_view *host, const struct ktstr_topology *machine);
/*
 * Place number `slot`: each virtual LLC on a host LLC of its own, vCPU i of it on the i-th allowed CPU there. A guest node
 * stays within a host node where the nodes have LLCs enough. Whether others hold the LLCs is not looked at, but the
 * service CPU is one that nobody reserved, if there is one.
 */
void ktstr_plan_performance(const struct ktstr_host_view *host, const struct ktstr_topology *machine, size_t slot,
			    struct ktstr_cpu_plan *plan);

#endif
