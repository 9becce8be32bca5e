// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic on a declared machine shape: which LLCs, CPUs and memory belong where. */
#include "ktstr/topology.h"

unsigned int ktstr_topology_total_cpus(const struct ktstr_topology *topology)
{
	return topology->llcs * topology->cores_per_llc * topology->threads_per_core;
}

unsigned int ktstr_topology_llcs_in_node(const struct ktstr_topology *topology, unsigned int node)
{
	if (node >= topology->numa_nodes)
		return 0;
	return topology->nodes ? topology->nodes[node].llcs : topology->llcs / topology->numa_nodes;
}

unsigned int ktstr_topology_first_llc_in_node(const struct ktstr_topology *topology,
					      unsigned int node)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i < node && i < topology->numa_nodes; i++)
		first += ktstr_topology_llcs_in_node(topology, i);
	return first;
}

unsigned int ktstr_topology_numa_node_of(const struct ktstr_topology *topology, unsigned int llc)
{
	unsigned int end = 0;

	for (unsigned int node = 0; node < topology->numa_nodes; node++) {
		end += ktstr_topology_llcs_in_node(topology, node);
		if (llc < end)
			return node;
	}
	return topology->numa_nodes;
}

struct ktstr_opt_u64 ktstr_topology_node_memory_mib(const struct ktstr_topology *topology,
						    unsigned int node)
{
	if (!topology->nodes || node >= topology->numa_nodes)
		return (struct ktstr_opt_u64)KTSTR_NONE;
	return (struct ktstr_opt_u64)KTSTR_SOME(topology->nodes[node].memory_mib);
}

uint64_t ktstr_topology_total_node_memory_mib(const struct ktstr_topology *topology)
{
	uint64_t total = 0;

	for (size_t i = 0; topology->nodes && i < topology->nodes_count; i++)
		total += topology->nodes[i].memory_mib;
	return total;
}

unsigned int ktstr_topology_distance(const struct ktstr_topology *topology, unsigned int from,
				     unsigned int to)
{
	if (from >= topology->numa_nodes || to >= topology->numa_nodes)
		return 255;
	if (topology->distances)
		return topology->distances->cells[from * topology->distances->n + to];
	return from == to ? 10 : 20;
}

bool ktstr_topology_has_memory_only_nodes(const struct ktstr_topology *topology)
{
	return ktstr_topology_cpu_bearing_nodes(topology) < topology->numa_nodes;
}

unsigned int ktstr_topology_cpu_bearing_nodes(const struct ktstr_topology *topology)
{
	unsigned int count = 0;

	for (unsigned int node = 0; node < topology->numa_nodes; node++)
		count += ktstr_topology_llcs_in_node(topology, node) > 0;
	return count;
}

struct ktstr_error *ktstr_topology_decompose(const struct ktstr_topology *topology,
					     unsigned int cpu, struct ktstr_cpu_position *position)
{
	unsigned int threads = topology->threads_per_core, cores = topology->cores_per_llc;
	unsigned int total = ktstr_topology_total_cpus(topology);
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	if (cpu >= total)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"CPU %u does not exist in topology %s, which has CPUs 0 to %u", cpu,
			ktstr_topology_format(topology, shape), total - 1);
	*position = (struct ktstr_cpu_position){
		.llc = cpu / (threads * cores),
		.core = cpu / threads % cores,
		.thread = cpu % threads,
	};
	return NULL;
}
