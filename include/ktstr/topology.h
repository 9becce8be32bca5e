/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU topologies: what a test asks for (struct ktstr_topology: NUMA node > LLC > core > SMT thread), and
 * what a running kernel shows in sysfs (struct ktstr_test_topology).
 */
#ifndef KTSTR_TOPOLOGY_H
#define KTSTR_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Memory-side cache of a node, as ACPI HMAT describes it. */
struct ktstr_mem_side_cache {
	uint64_t size_bytes;
	unsigned int associativity; /* 0 none, 1 direct mapped, 2 complex; <= 15 */
	unsigned int write_policy; /* 0 none, 1 write-back, 2 write-through; <= 15 */
	unsigned int line_size_bytes;
};

struct ktstr_numa_node {
	unsigned int llcs; /* 0 = memory-only node (CXL) */
	unsigned int memory_mib;
	/*
	 * As seen by the nearest CPUs; from farther nodes scaled by the distances. Latency 1..65534,
	 * default 100, memory-only 300; bandwidth default 51200, memory-only 20480.
	 */
	struct ktstr_opt_u64 latency_ns;
	struct ktstr_opt_u64 bandwidth_mbs;
	const struct ktstr_mem_side_cache *cache; /* NULL = none */
};

/* n*n bytes, row-major; diagonal 10, others > 10, symmetric. */
struct ktstr_numa_distance {
	unsigned int n;
	const uint8_t *cells;
};

/* A zero count means "not said": it is filled from the layer below and at last from 1n1l2c1t. */
struct ktstr_topology {
	unsigned int numa_nodes;
	unsigned int llcs; /* in the whole machine, not per node */
	unsigned int cores_per_llc;
	unsigned int threads_per_core;
	const struct ktstr_numa_node *nodes; /* NULL = LLCs and memory split evenly */
	size_t nodes_count;
	const struct ktstr_numa_distance *distances; /* NULL = 10 local, 20 remote */
};

#define KTSTR_TOPOLOGY_TEXT_BYTES 48

/*
 * The first violation as KTSTR_ERR_INVALID: counts > 0; the product fits KTSTR_MAX_CPUS; uniform:
 * llcs divisible by numa_nodes; explicit nodes: as many as numa_nodes, their llcs add up, a node with
 * LLCs has memory, some node has LLCs, memory-only nodes come last (Linux numbers them so); distances:
 * matching size, valid cells (message names cell [i][j]).
 */
struct ktstr_error *ktstr_topology_validate(const struct ktstr_topology *topology) KTSTR_CHECKED;
/* "1n2l4c2t". The message of an error names the axis, what stands there and a right form. */
struct ktstr_error *ktstr_topology_parse(const char *text, struct ktstr_topology *topology)
	KTSTR_CHECKED;
/* Writes "1n2l4c2t" to out and returns it. */
char *ktstr_topology_format(const struct ktstr_topology *topology,
			    char out[KTSTR_TOPOLOGY_TEXT_BYTES]);

unsigned int ktstr_topology_total_cpus(const struct ktstr_topology *topology);
unsigned int ktstr_topology_llcs_in_node(const struct ktstr_topology *topology, unsigned int node);
unsigned int ktstr_topology_first_llc_in_node(const struct ktstr_topology *topology,
					      unsigned int node);
/* numa_nodes for an LLC that does not exist. */
unsigned int ktstr_topology_numa_node_of(const struct ktstr_topology *topology, unsigned int llc);
/* MiB of an explicit node; unset for a uniform topology. */
struct ktstr_opt_u64 ktstr_topology_node_memory_mib(const struct ktstr_topology *topology,
						    unsigned int node);
uint64_t ktstr_topology_total_node_memory_mib(const struct ktstr_topology *topology);
/* 255 for a node that does not exist. */
unsigned int ktstr_topology_distance(const struct ktstr_topology *topology, unsigned int from,
				     unsigned int to);
bool ktstr_topology_has_memory_only_nodes(const struct ktstr_topology *topology);
unsigned int ktstr_topology_cpu_bearing_nodes(const struct ktstr_topology *topology);

struct ktstr_cpu_position {
	unsigned int llc, core, thread; /* core within the LLC, thread within the core */
};

/* Guest CPU ids are dense in the order LLC, core, thread. KTSTR_ERR_INVALID for a CPU out of range. */
struct ktstr_error *ktstr_topology_decompose(const struct ktstr_topology *topology, unsigned int cpu,
					     struct ktstr_cpu_position *position) KTSTR_CHECKED;

/* Named shapes of the gauntlet. */
struct ktstr_topology_preset {
	const char *name;
	struct ktstr_topology topology;
};

const struct ktstr_topology_preset *ktstr_topology_presets(size_t *count);
/* NULL when there is none of that name. */
const struct ktstr_topology_preset *ktstr_topology_find_preset(const char *name);
/*
 * A preset's name or the text form. An unknown preset is KTSTR_ERR_NOT_FOUND and the message suggests the
 * nearest name; a bad text form is the error of ktstr_topology_parse().
 */
struct ktstr_error *ktstr_topology_resolve(const char *text, struct ktstr_topology *topology)
	KTSTR_CHECKED;

/*
 * On which topologies a test makes sense. Zero fields mean the defaults noted, by which presets are chosen; a topology that
 * a user asks for is held against the fields that are set.
 */
struct ktstr_topology_constraints {
	unsigned int min_numa_nodes, max_numa_nodes; /* 1, 1 */
	unsigned int min_llcs, max_llcs; /* 1, 12 */
	unsigned int min_cpus, max_cpus; /* 1, 192 */
	bool requires_smt; /* at least 2 threads per core */
};
#define KTSTR_NO_MAX (~0u) /* for a max_ field: no upper bound */

/* NULL when the topology satisfies them, else KTSTR_ERR_INVALID naming the bound. */
struct ktstr_error *
ktstr_topology_check_constraints(const struct ktstr_topology_constraints *constraints,
				 const struct ktstr_topology *topology) KTSTR_CHECKED;

/* One last-level cache as a kernel shows it. */
struct ktstr_llc_info {
	unsigned int id; /* sysfs cache id */
	struct ktstr_cpus cpus;
	unsigned int numa_node;
	struct ktstr_opt_u64 cache_size_kib;
	unsigned int num_cores;
};

struct ktstr_node_mem_info {
	uint64_t total_kib, free_kib;
};

/* 0 when free exceeds total. */
uint64_t ktstr_node_mem_used_kib(const struct ktstr_node_mem_info *info);

/* What a running kernel, or a declared topology, offers to scenarios. Heap object. */
struct ktstr_test_topology;

/*
 * Reads <sysfs_root>/devices/system/{cpu,node}; sysfs_root NULL = "/sys". Only an unreadable or empty
 * cpu/online is an error; everything else falls back as the guide describes.
 */
struct ktstr_error *ktstr_test_topology_from_system(const char *sysfs_root,
						    struct ktstr_test_topology **topology)
	KTSTR_CHECKED;
/* total_memory_mib 0 = unknown memory for a uniform topology. */
struct ktstr_error *ktstr_test_topology_from_spec(const struct ktstr_topology *spec,
						  uint64_t total_memory_mib,
						  struct ktstr_test_topology **topology)
	KTSTR_CHECKED;
void ktstr_test_topology_destroy(struct ktstr_test_topology *topology);

unsigned int ktstr_test_topology_total_cpus(const struct ktstr_test_topology *topology);
unsigned int ktstr_test_topology_num_llcs(const struct ktstr_test_topology *topology);
unsigned int ktstr_test_topology_num_numa_nodes(const struct ktstr_test_topology *topology);
/* Ids of the nodes, ascending; count through the argument. Borrowed. */
const unsigned int *ktstr_test_topology_numa_node_ids(const struct ktstr_test_topology *topology,
						      size_t *count);
/* Ordered by cache id; borrowed. */
const struct ktstr_llc_info *ktstr_test_topology_llcs(const struct ktstr_test_topology *topology,
						      size_t *count);
struct ktstr_cpus ktstr_test_topology_all_cpus(const struct ktstr_test_topology *topology);
/* All CPUs but the last when there are more than 2: that one is left to the harness. */
struct ktstr_cpus ktstr_test_topology_usable_cpus(const struct ktstr_test_topology *topology);
/* Empty for an index out of range. */
struct ktstr_cpus ktstr_test_topology_cpus_in_llc(const struct ktstr_test_topology *topology,
						  unsigned int index);
struct ktstr_cpus ktstr_test_topology_cpus_in_node(const struct ktstr_test_topology *topology,
						   unsigned int node);
/* SMT siblings of cpu including itself; empty for an unknown CPU. */
struct ktstr_cpus ktstr_test_topology_siblings(const struct ktstr_test_topology *topology,
					       unsigned int cpu);
/* NULL for an unknown node or unknown memory. Borrowed. */
const struct ktstr_node_mem_info *
ktstr_test_topology_node_meminfo(const struct ktstr_test_topology *topology, unsigned int node);
bool ktstr_test_topology_is_memory_only(const struct ktstr_test_topology *topology,
					unsigned int node);
/* 255 for an unknown id. */
unsigned int ktstr_test_topology_numa_distance(const struct ktstr_test_topology *topology,
					       unsigned int from, unsigned int to);
/* Bit i set = node i has an LLC with a CPU in cpus (nodes above 63 are left out). */
uint64_t ktstr_test_topology_nodes_of_cpus(const struct ktstr_test_topology *topology,
					   const struct ktstr_cpus *cpus);
/*
 * sets[i] for i < n: base = floor(N/n), ov = ceil(base*f), stride = base > ov ? base-ov : 1,
 * set i = {(i*stride + j) mod N, j < max(base,1)} over all CPUs. Nothing happens for n = 0.
 */
void ktstr_test_topology_overlapping_cpusets(const struct ktstr_test_topology *topology,
					     unsigned int n, double f, struct ktstr_cpus *sets);

#ifdef __cplusplus
}
#endif
#endif
