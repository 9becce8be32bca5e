// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NUMA part of a machine: nodes, distances and ACPI HMAT (latency, bandwidth, caches) as QEMU
 * arguments.
 */
#include "base/array.h"
#include "vm/numa.h"

#define LATENCY_NS                100
#define MEMORY_ONLY_LATENCY_NS    300
#define BANDWIDTH_MBS             51200
#define MEMORY_ONLY_BANDWIDTH_MBS 20480

/* An HMAT entry is 16 bits; the highest value is reserved. */
#define MAX_HMAT_ENTRY 65534

/* What QEMU calls the values of struct ktstr_mem_side_cache. */
static const char *const associativities[] = { "none", "direct", "complex" };
static const char *const policies[] = { "none", "write-back", "write-through" };

uint64_t ktstr_numa_node_mib(const struct ktstr_topology *topology, unsigned int node,
			     uint64_t total_mib)
{
	uint64_t share = total_mib / topology->numa_nodes;

	if (topology->nodes)
		return topology->nodes[node].memory_mib;
	return node == topology->numa_nodes - 1 ? total_mib - share * node : share;
}

struct ktstr_error *ktstr_numa_check(const struct ktstr_topology *topology)
{
	for (size_t i = 0; topology->nodes && i < topology->nodes_count; i++) {
		const struct ktstr_mem_side_cache *cache = topology->nodes[i].cache;

		if (cache && (cache->associativity >= ARRAY_SIZE(associativities) ||
			      cache->write_policy >= ARRAY_SIZE(policies)))
			return ktstr_error_new(
				KTSTR_ERR_UNSUPPORTED,
				"NUMA node %zu: QEMU cannot express cache associativity %u "
				"with write policy %u; each must be 0, 1 or 2",
				i, cache->associativity, cache->write_policy);
	}
	return NULL;
}

/* The node with CPUs that is nearest to `node`: itself, unless it has memory only. */
static unsigned int nearest_initiator(const struct ktstr_topology *topology, unsigned int node)
{
	unsigned int best = node, best_distance = ~0u;

	for (unsigned int i = 0; i < topology->numa_nodes; i++) {
		unsigned int distance = ktstr_topology_distance(topology, i, node);

		if (ktstr_topology_llcs_in_node(topology, i) && distance < best_distance) {
			best = i;
			best_distance = distance;
		}
	}
	return best;
}

static void add_node(const struct ktstr_topology *topology, unsigned int node,
		     struct ktstr_strv *argv)
{
	unsigned int per_llc = topology->cores_per_llc * topology->threads_per_core;
	unsigned int first = ktstr_topology_first_llc_in_node(topology, node) * per_llc;
	unsigned int count = ktstr_topology_llcs_in_node(topology, node) * per_llc;

	ktstr_strv_add(argv, "-numa");
	if (count)
		ktstr_strv_addf(argv, "node,nodeid=%u,memdev=ram%u,cpus=%u-%u", node, node, first,
				first + count - 1);
	else
		ktstr_strv_addf(argv, "node,nodeid=%u,memdev=ram%u,initiator=%u", node, node,
				nearest_initiator(topology, node));
}

static void add_distances(const struct ktstr_topology *topology, struct ktstr_strv *argv)
{
	for (unsigned int i = 0; i < topology->numa_nodes; i++) {
		for (unsigned int j = i + 1; j < topology->numa_nodes; j++) {
			ktstr_strv_add(argv, "-numa");
			ktstr_strv_addf(argv, "dist,src=%u,dst=%u,val=%u", i, j,
					ktstr_topology_distance(topology, i, j));
		}
	}
}

static uint64_t node_latency_ns(const struct ktstr_topology *topology, unsigned int node)
{
	if (topology->nodes && topology->nodes[node].latency_ns.set)
		return topology->nodes[node].latency_ns.value;
	return ktstr_topology_llcs_in_node(topology, node) ? LATENCY_NS : MEMORY_ONLY_LATENCY_NS;
}

static uint64_t node_bandwidth_mbs(const struct ktstr_topology *topology, unsigned int node)
{
	if (topology->nodes && topology->nodes[node].bandwidth_mbs.set)
		return topology->nodes[node].bandwidth_mbs.value;
	return ktstr_topology_llcs_in_node(topology, node) ? BANDWIDTH_MBS
							   : MEMORY_ONLY_BANDWIDTH_MBS;
}

/*
 * The power of two that bandwidths are rounded down to: QEMU stores their common unit once and each
 * as a 16-bit multiple of it.
 */
static uint64_t bandwidth_unit_mbs(const struct ktstr_topology *topology)
{
	uint64_t unit = 1;

	for (unsigned int i = 0; i < topology->numa_nodes; i++)
		while (node_bandwidth_mbs(topology, i) / unit > MAX_HMAT_ENTRY / 2)
			unit *= 2;
	return unit;
}

static uint64_t at_least(uint64_t value, uint64_t minimum)
{
	return value > minimum ? value : minimum;
}

/*
 * What is declared for a node holds for the CPUs nearest to it; from farther ones latency grows and
 * bandwidth shrinks as the distance says, so that the kernel ranks initiators as the distances do.
 */
static void add_latency_and_bandwidth(const struct ktstr_topology *topology, unsigned int from,
				      unsigned int to, uint64_t unit, struct ktstr_strv *argv)
{
	unsigned int far = ktstr_topology_distance(topology, from, to);
	unsigned int near = ktstr_topology_distance(topology, nearest_initiator(topology, to), to);
	uint64_t latency = node_latency_ns(topology, to) * far / near;
	uint64_t bandwidth = node_bandwidth_mbs(topology, to) * near / far / unit * unit;

	if (latency > MAX_HMAT_ENTRY)
		latency = MAX_HMAT_ENTRY;
	ktstr_strv_add(argv, "-numa");
	ktstr_strv_addf(argv,
			"hmat-lb,initiator=%u,target=%u,hierarchy=memory,data-type=access-latency,"
			"latency=%llu",
			from, to, (unsigned long long)latency);
	ktstr_strv_add(argv, "-numa");
	ktstr_strv_addf(
		argv,
		"hmat-lb,initiator=%u,target=%u,hierarchy=memory,data-type=access-bandwidth,"
		"bandwidth=%lluM",
		from, to, (unsigned long long)at_least(bandwidth, unit));
}

static void add_cache(const struct ktstr_mem_side_cache *cache, unsigned int node,
		      struct ktstr_strv *argv)
{
	ktstr_strv_add(argv, "-numa");
	ktstr_strv_addf(
		argv, "hmat-cache,node-id=%u,size=%llu,level=1,associativity=%s,policy=%s,line=%u",
		node, (unsigned long long)cache->size_bytes, associativities[cache->associativity],
		policies[cache->write_policy], cache->line_size_bytes);
}

/* QEMU wants this order: nodes before what is between them, latencies before caches. */
void ktstr_numa_args(const struct ktstr_topology *topology, struct ktstr_strv *argv)
{
	uint64_t unit = bandwidth_unit_mbs(topology);

	for (unsigned int i = 0; i < topology->numa_nodes; i++)
		add_node(topology, i, argv);
	add_distances(topology, argv);
	for (unsigned int from = 0; from < topology->numa_nodes; from++) {
		if (!ktstr_topology_llcs_in_node(topology, from))
			continue;
		for (unsigned int to = 0; to < topology->numa_nodes; to++)
			add_latency_and_bandwidth(topology, from, to, unit, argv);
	}
	for (unsigned int i = 0; topology->nodes && i < topology->numa_nodes; i++)
		if (topology->nodes[i].cache)
			add_cache(topology->nodes[i].cache, i, argv);
}
