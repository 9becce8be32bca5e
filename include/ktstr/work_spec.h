/* SPDX-License-Identifier: GPL-2.0-only */
/* Work specs: how many workers do some work, on which CPUs and memory, under which policy and credentials. */
#ifndef KTSTR_WORK_SPEC_H
#define KTSTR_WORK_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/units.h>
#include <ktstr/work_type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where workers may run. P = CPUs of the cgroup's cpuset, or all. */
enum ktstr_affinity_kind {
	KTSTR_AFFINITY_INHERIT, /* whatever the cgroup allows */
	KTSTR_AFFINITY_EXACT, /* `cpus` within P; empty intersection is an error */
	KTSTR_AFFINITY_RANDOM_SUBSET, /* each worker draws `count` CPUs of `cpus` within P */
	KTSTR_AFFINITY_LLC_ALIGNED, /* the part in P of the LLC with most CPUs in P; the lowest among equals */
	KTSTR_AFFINITY_SINGLE_CPU, /* the lowest CPU of P */
	KTSTR_AFFINITY_CROSS_CGROUP, /* all CPUs of the machine; the kernel still clips to P */
	KTSTR_AFFINITY_SMT_SIBLING_PAIR, /* two siblings of the first core that has two in P; none is an error */
	KTSTR_AFFINITIES,
};

struct ktstr_affinity {
	enum ktstr_affinity_kind kind;
	struct ktstr_cpus cpus;
	unsigned int count; /* RANDOM_SUBSET; more than there are: all of them */
};

#define ktstr_affinity_exact(set)                                                                  \
	((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_EXACT, .cpus = (set) })
#define ktstr_affinity_random_subset(set, n)                                                       \
	((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_RANDOM_SUBSET, .cpus = (set), .count = (n) })
#define ktstr_affinity_llc_aligned()  ((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_LLC_ALIGNED })
#define ktstr_affinity_single_cpu()   ((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_SINGLE_CPU })
#define ktstr_affinity_cross_cgroup() ((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_CROSS_CGROUP })
#define ktstr_affinity_smt_sibling_pair()                                                          \
	((struct ktstr_affinity){ .kind = KTSTR_AFFINITY_SMT_SIBLING_PAIR })

/* "inherit", "random_subset"; NULL out of range. */
const char *ktstr_affinity_name(enum ktstr_affinity_kind kind);

/* An affinity on a topology: what is left to do is to draw and to apply. */
enum ktstr_resolved_affinity_kind {
	KTSTR_RESOLVED_NONE, /* nothing is applied */
	KTSTR_RESOLVED_FIXED, /* cpus */
	KTSTR_RESOLVED_RANDOM, /* count of cpus, drawn for each worker */
	KTSTR_RESOLVED_SINGLE_CPU, /* the one CPU of cpus */
};

struct ktstr_resolved_affinity {
	enum ktstr_resolved_affinity_kind kind;
	struct ktstr_cpus cpus;
	unsigned int count;
};

/*
 * cpuset: of the cgroup, NULL or empty = all CPUs. topo NULL: only INHERIT, EXACT and RANDOM_SUBSET can be resolved.
 * KTSTR_ERR_INVALID names what is wrong: no CPUs, none of them in the cpuset, a count of 0, no core with two siblings.
 */
struct ktstr_error *ktstr_affinity_resolve(const struct ktstr_affinity *affinity,
					   const struct ktstr_test_topology *topo,
					   const struct ktstr_cpus *cpuset,
					   struct ktstr_resolved_affinity *resolved) KTSTR_CHECKED;

/* Where a worker's memory comes from, as set_mempolicy(2) has it. `nodes`: bit n = node n. */
enum ktstr_mem_policy_kind {
	KTSTR_MEM_DEFAULT, /* no call: as inherited */
	KTSTR_MEM_BIND,
	KTSTR_MEM_PREFERRED, /* of one node */
	KTSTR_MEM_INTERLEAVE,
	KTSTR_MEM_LOCAL,
	KTSTR_MEM_PREFERRED_MANY, /* Linux 5.15 */
	KTSTR_MEM_WEIGHTED_INTERLEAVE, /* Linux 6.9 */
	KTSTR_MEM_POLICIES,
};

struct ktstr_mem_policy {
	enum ktstr_mem_policy_kind kind;
	uint64_t nodes;
};

#define ktstr_mem_bind(mask)		((struct ktstr_mem_policy){ KTSTR_MEM_BIND, (mask) })
#define ktstr_mem_preferred(node)	((struct ktstr_mem_policy){ KTSTR_MEM_PREFERRED, UINT64_C(1) << (node) })
#define ktstr_mem_interleave(mask)	((struct ktstr_mem_policy){ KTSTR_MEM_INTERLEAVE, (mask) })
#define ktstr_mem_local()		((struct ktstr_mem_policy){ KTSTR_MEM_LOCAL, 0 })
#define ktstr_mem_preferred_many(mask)	((struct ktstr_mem_policy){ KTSTR_MEM_PREFERRED_MANY, (mask) })
#define ktstr_mem_weighted_interleave(mask) ((struct ktstr_mem_policy){ KTSTR_MEM_WEIGHTED_INTERLEAVE, (mask) })

/* Bits of include/uapi/linux/mempolicy.h. */
enum ktstr_mpol_flags {
	KTSTR_MPOL_NUMA_BALANCING = 1 << 13,
	KTSTR_MPOL_RELATIVE_NODES = 1 << 14,
	KTSTR_MPOL_STATIC_NODES = 1 << 15,
};

/* "bind", "weighted_interleave"; NULL out of range. */
const char *ktstr_mem_policy_name(enum ktstr_mem_policy_kind kind);
/*
 * KTSTR_ERR_INVALID for unknown flags, STATIC with RELATIVE, no nodes where some are needed. Against a topology (NULL =
 * none): nodes that do not exist. Against `mems`, the memory nodes of the cgroup's cpuset (0 = no cpuset): nodes that
 * are not in it, unless the flags are RELATIVE or STATIC.
 */
struct ktstr_error *ktstr_mem_policy_check(const struct ktstr_mem_policy *policy, unsigned int mpol_flags,
					   const struct ktstr_test_topology *topo, uint64_t mems) KTSTR_CHECKED;

/* One group of equal workers. A value that is not set is that of the cgroup definition, else the inherited one. */
struct ktstr_work_spec {
	struct ktstr_work_type type;
	unsigned int workers; /* 0 = workers_pct, else the context's workers_per_cgroup */
	double workers_pct; /* a share of the CPUs: ceil(CPUs * workers_pct) workers; 1.0 = one per CPU; 0 = unset */
	struct ktstr_sched_policy sched_policy;
	struct ktstr_affinity affinity;
	struct ktstr_mem_policy mem_policy;
	unsigned int mpol_flags; /* KTSTR_MPOL_* */
	struct ktstr_opt_i32 nice; /* -20 to 19; KTSTR_SOME(0) is applied, too */
	const char *comm; /* 1-15 bytes; NULL = "<cgroup>/<index>" cut to 15 */
	/* Groups of one pcomm are threads of one process whose name it is; 1-15 bytes; NULL = a process per worker. */
	const char *pcomm;
	struct ktstr_opt_u32 uid, gid; /* all groups of a pcomm have the same */
	struct ktstr_opt_u32 numa_node; /* runs on the CPUs of this node */
};

/* { .name = "a", KTSTR_WORKS({ .type = KTSTR_WORK(MIXED), .workers = 2 }, { .comm = "second" }) }: inside functions */
#define KTSTR_WORKS(...)                                                                           \
	.works = (const struct ktstr_work_spec[]){ __VA_ARGS__ },                                  \
	.works_count = sizeof((const struct ktstr_work_spec[]){ __VA_ARGS__ }) / sizeof(struct ktstr_work_spec)

#ifdef __cplusplus
}
#endif
#endif
