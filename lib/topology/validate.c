// SPDX-License-Identifier: GPL-2.0-only
/* What makes a declared machine shape impossible, each with the thing, its value and a way out. */
#include "base/str.h"
#include "topology/axes.h"

/* ACPI HMAT entries are 16 bits, and 0xffff means unreachable. */
#define MAX_LATENCY_NS 65534
/* A petabyte per second: far above any memory, far below an overflow. */
#define MAX_BANDWIDTH_MBS (1u << 30)
/* ACPI HMAT: four bits each. */
#define MAX_CACHE_ATTRIBUTE 15

static struct ktstr_error *check_counts(const struct ktstr_topology *topology)
{
	struct ktstr_topology copy = *topology;
	uint64_t cpus;

	for (size_t i = 0; i < KTSTR_TOPOLOGY_AXES; i++) {
		const struct ktstr_topology_axis *axis = &ktstr_topology_axes[i];
		unsigned int value = *ktstr_topology_axis_value(&copy, axis);

		if (!value)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "axis %c (%s) is 0 and must be at least 1, as "
					       "in " KTSTR_TOPOLOGY_RIGHT_FORM,
					       axis->letter, axis->what);
		if (value > KTSTR_MAX_CPUS)
			return ktstr_error_new(
				KTSTR_ERR_INVALID,
				"axis %c (%s) is %u; no axis can exceed the %d CPUs that a "
				"machine can have",
				axis->letter, axis->what, value, KTSTR_MAX_CPUS);
	}
	/* Three factors of at most 1024 each: fits easily. */
	cpus = (uint64_t)topology->llcs * topology->cores_per_llc * topology->threads_per_core;
	if (cpus > KTSTR_MAX_CPUS)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%u LLCs x %u cores x %u threads are %llu CPUs; a machine can have "
			"at most %d",
			topology->llcs, topology->cores_per_llc, topology->threads_per_core,
			(unsigned long long)cpus, KTSTR_MAX_CPUS);
	return NULL;
}

static struct ktstr_error *check_uniform(const struct ktstr_topology *topology)
{
	unsigned int nodes = topology->numa_nodes;

	if (topology->llcs % nodes == 0)
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"%u LLCs cannot be split evenly over %u NUMA nodes; use %u LLCs, or declare "
		"each node",
		topology->llcs, nodes, (topology->llcs / nodes + 1) * nodes);
}

static struct ktstr_error *check_cache(const struct ktstr_mem_side_cache *cache, size_t node)
{
	if (!cache)
		return NULL;
	if (!cache->size_bytes)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"NUMA node %zu: its memory-side cache has size 0; give its bytes or "
			"leave the cache out",
			node);
	if (cache->associativity > MAX_CACHE_ATTRIBUTE)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"NUMA node %zu: cache associativity %u exceeds %d; use 0 none, "
			"1 direct mapped or 2 complex",
			node, cache->associativity, MAX_CACHE_ATTRIBUTE);
	if (cache->write_policy > MAX_CACHE_ATTRIBUTE)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"NUMA node %zu: cache write policy %u exceeds %d; use 0 none, "
			"1 write-back or 2 write-through",
			node, cache->write_policy, MAX_CACHE_ATTRIBUTE);
	if (cache->line_size_bytes > UINT16_MAX)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"NUMA node %zu: cache line size %u exceeds %d bytes; 64 is usual", node,
			cache->line_size_bytes, UINT16_MAX);
	return NULL;
}

static struct ktstr_error *check_node(const struct ktstr_numa_node *node, size_t index)
{
	if (!node->memory_mib)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"NUMA node %zu has %u LLCs and no memory; give it memory_mib, "
			"such as 512",
			index, node->llcs);
	if (node->latency_ns.set &&
	    (!node->latency_ns.value || node->latency_ns.value > MAX_LATENCY_NS))
		return ktstr_error_new(
			KTSTR_ERR_INVALID, "NUMA node %zu: memory latency %llu ns is outside 1..%d",
			index, (unsigned long long)node->latency_ns.value, MAX_LATENCY_NS);
	if (node->bandwidth_mbs.set &&
	    (!node->bandwidth_mbs.value || node->bandwidth_mbs.value > MAX_BANDWIDTH_MBS))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "NUMA node %zu: memory bandwidth %llu MB/s is outside 1..%u",
				       index, (unsigned long long)node->bandwidth_mbs.value,
				       MAX_BANDWIDTH_MBS);
	return check_cache(node->cache, index);
}

/*
 * Linux numbers NUMA nodes in the order in which ACPI SRAT first names them, and it reads the CPUs
 * of that table before the memory: a memory-only node in the middle would come up under another
 * number.
 */
static struct ktstr_error *check_node_order(const struct ktstr_topology *topology)
{
	for (size_t i = 0; i + 1 < topology->nodes_count; i++)
		if (!topology->nodes[i].llcs && topology->nodes[i + 1].llcs)
			return ktstr_error_new(
				KTSTR_ERR_INVALID,
				"NUMA node %zu is memory-only and node %zu has LLCs; Linux "
				"numbers nodes with CPUs first, so declare memory-only "
				"nodes last",
				i, i + 1);
	return NULL;
}

static struct ktstr_error *check_nodes(const struct ktstr_topology *topology)
{
	uint64_t llcs = 0;

	if (topology->nodes_count != topology->numa_nodes)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%zu NUMA nodes are described but numa_nodes is %u; make them equal",
			topology->nodes_count, topology->numa_nodes);
	for (size_t i = 0; i < topology->nodes_count; i++) {
		KTSTR_TRY(check_node(&topology->nodes[i], i));
		llcs += topology->nodes[i].llcs;
	}
	if (!llcs)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"all %zu NUMA nodes are memory-only; give at least one of them an LLC",
			topology->nodes_count);
	if (llcs != topology->llcs)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"the NUMA nodes have %llu LLCs together but llcs is %u; make them "
			"equal",
			(unsigned long long)llcs, topology->llcs);
	return check_node_order(topology);
}

static struct ktstr_error *check_distances(const struct ktstr_topology *topology)
{
	const struct ktstr_numa_distance *distances = topology->distances;
	unsigned int n = distances->n;

	if (n != topology->numa_nodes || !distances->cells)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"the NUMA distance matrix is %ux%u but there are %u nodes; it must "
			"have one row and column per node",
			distances->cells ? n : 0, distances->cells ? n : 0, topology->numa_nodes);
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j < n; j++) {
			unsigned int cell = distances->cells[i * n + j];
			unsigned int mirror = distances->cells[j * n + i];

			if (i == j && cell != 10)
				return ktstr_error_new(
					KTSTR_ERR_INVALID,
					"NUMA distance [%u][%u] is %u; a node's distance "
					"to itself is 10",
					i, j, cell);
			if (i != j && cell <= 10)
				return ktstr_error_new(
					KTSTR_ERR_INVALID,
					"NUMA distance [%u][%u] is %u; between two nodes "
					"it must exceed 10, 20 is usual",
					i, j, cell);
			if (cell != mirror)
				return ktstr_error_new(
					KTSTR_ERR_INVALID,
					"NUMA distance [%u][%u] is %u but [%u][%u] is %u; "
					"the matrix must be symmetric",
					i, j, cell, j, i, mirror);
		}
	}
	return NULL;
}

struct ktstr_error *ktstr_topology_validate(const struct ktstr_topology *topology)
{
	KTSTR_TRY(check_counts(topology));
	if (topology->nodes)
		KTSTR_TRY(check_nodes(topology));
	else
		KTSTR_TRY(check_uniform(topology));
	return topology->distances ? check_distances(topology) : NULL;
}
