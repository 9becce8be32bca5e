// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a machine offers to scenarios: queries on a filled struct ktstr_test_topology, and building
 * one from a spec.
 */
#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "topology/test_topology.h"

void ktstr_test_topology_destroy(struct ktstr_test_topology *topology)
{
	if (!topology)
		return;
	free(topology->llcs);
	free(topology->cores);
	free(topology->nodes);
	free(topology->node_ids);
	free(topology->distances);
	free(topology);
}

/* Memory of node `index`, unset when the spec does not tell. */
static struct ktstr_opt_u64 spec_node_mib(const struct ktstr_topology *spec, uint64_t total_mib,
					  unsigned int index)
{
	uint64_t share = total_mib / spec->numa_nodes;

	if (spec->nodes)
		return ktstr_topology_node_memory_mib(spec, index);
	if (!total_mib)
		return (struct ktstr_opt_u64)KTSTR_NONE;
	if (index == spec->numa_nodes - 1)
		share = total_mib - share * index;
	return (struct ktstr_opt_u64)KTSTR_SOME(share);
}

static void fill_nodes(struct ktstr_test_topology *topology, const struct ktstr_topology *spec,
		       uint64_t total_mib)
{
	unsigned int per_llc = spec->cores_per_llc * spec->threads_per_core;

	for (unsigned int i = 0; i < spec->numa_nodes; i++) {
		struct ktstr_test_node *node = &topology->nodes[i];
		struct ktstr_opt_u64 mib = spec_node_mib(spec, total_mib, i);

		topology->node_ids[i] = i;
		node->cpus = ktstr_cpus_range(ktstr_topology_first_llc_in_node(spec, i) * per_llc,
					      ktstr_topology_llcs_in_node(spec, i) * per_llc);
		node->has_memory = mib.set;
		node->memory.total_kib = node->memory.free_kib = mib.value * 1024;
		for (unsigned int j = 0; j < spec->numa_nodes; j++)
			topology->distances[i * spec->numa_nodes + j] =
				ktstr_topology_distance(spec, i, j);
	}
}

struct ktstr_error *ktstr_test_topology_from_spec(const struct ktstr_topology *spec,
						  uint64_t total_memory_mib,
						  struct ktstr_test_topology **out)
{
	unsigned int threads = spec->threads_per_core, per_llc = spec->cores_per_llc * threads;
	struct ktstr_test_topology *topology;

	KTSTR_TRY(ktstr_topology_validate(spec));
	topology = ktstr_xcalloc(1, sizeof(*topology));
	topology->all = ktstr_cpus_range(0, ktstr_topology_total_cpus(spec));
	topology->llcs_count = spec->llcs;
	topology->llcs = ktstr_xcalloc(spec->llcs, sizeof(*topology->llcs));
	for (unsigned int i = 0; i < spec->llcs; i++)
		topology->llcs[i] = (struct ktstr_llc_info){
			.id = i,
			.cpus = ktstr_cpus_range(i * per_llc, per_llc),
			.numa_node = ktstr_topology_numa_node_of(spec, i),
			.num_cores = spec->cores_per_llc,
		};
	topology->cores_count = (size_t)spec->llcs * spec->cores_per_llc;
	topology->cores = ktstr_xcalloc(topology->cores_count, sizeof(*topology->cores));
	for (size_t i = 0; i < topology->cores_count; i++)
		topology->cores[i] = ktstr_cpus_range(i * threads, threads);
	topology->nodes_count = spec->numa_nodes;
	topology->nodes = ktstr_xcalloc(spec->numa_nodes, sizeof(*topology->nodes));
	topology->node_ids = ktstr_xcalloc(spec->numa_nodes, sizeof(*topology->node_ids));
	topology->distances = ktstr_xcalloc((size_t)spec->numa_nodes * spec->numa_nodes, 1);
	fill_nodes(topology, spec, total_memory_mib);
	*out = topology;
	return NULL;
}

uint64_t ktstr_node_mem_used_kib(const struct ktstr_node_mem_info *info)
{
	return info->free_kib < info->total_kib ? info->total_kib - info->free_kib : 0;
}

/* Position of a node id, -1 when unknown. */
static int node_index(const struct ktstr_test_topology *topology, unsigned int node)
{
	for (size_t i = 0; i < topology->nodes_count; i++)
		if (topology->node_ids[i] == node)
			return i;
	return -1;
}

unsigned int ktstr_test_topology_total_cpus(const struct ktstr_test_topology *topology)
{
	return ktstr_cpus_count(&topology->all);
}

unsigned int ktstr_test_topology_num_llcs(const struct ktstr_test_topology *topology)
{
	return topology->llcs_count;
}

unsigned int ktstr_test_topology_num_numa_nodes(const struct ktstr_test_topology *topology)
{
	return topology->nodes_count;
}

const unsigned int *ktstr_test_topology_numa_node_ids(const struct ktstr_test_topology *topology,
						      size_t *count)
{
	*count = topology->nodes_count;
	return topology->node_ids;
}

const struct ktstr_llc_info *ktstr_test_topology_llcs(const struct ktstr_test_topology *topology,
						      size_t *count)
{
	*count = topology->llcs_count;
	return topology->llcs;
}

struct ktstr_cpus ktstr_test_topology_all_cpus(const struct ktstr_test_topology *topology)
{
	return topology->all;
}

struct ktstr_cpus ktstr_test_topology_usable_cpus(const struct ktstr_test_topology *topology)
{
	struct ktstr_cpus usable = topology->all;
	int last = -1;

	ktstr_for_each_cpu (cpu, &topology->all)
		last = cpu;
	if (ktstr_cpus_count(&usable) > 2)
		ktstr_cpus_remove(&usable, last);
	return usable;
}

struct ktstr_cpus ktstr_test_topology_cpus_in_llc(const struct ktstr_test_topology *topology,
						  unsigned int index)
{
	return index < topology->llcs_count ? topology->llcs[index].cpus : (struct ktstr_cpus){ 0 };
}

struct ktstr_cpus ktstr_test_topology_cpus_in_node(const struct ktstr_test_topology *topology,
						   unsigned int node)
{
	int index = node_index(topology, node);

	return index >= 0 ? topology->nodes[index].cpus : (struct ktstr_cpus){ 0 };
}

struct ktstr_cpus ktstr_test_topology_siblings(const struct ktstr_test_topology *topology,
					       unsigned int cpu)
{
	for (size_t i = 0; i < topology->cores_count; i++)
		if (ktstr_cpus_has(&topology->cores[i], cpu))
			return topology->cores[i];
	return (struct ktstr_cpus){ 0 };
}

const struct ktstr_node_mem_info *
ktstr_test_topology_node_meminfo(const struct ktstr_test_topology *topology, unsigned int node)
{
	int index = node_index(topology, node);

	if (index < 0 || !topology->nodes[index].has_memory)
		return NULL;
	return &topology->nodes[index].memory;
}

bool ktstr_test_topology_is_memory_only(const struct ktstr_test_topology *topology,
					unsigned int node)
{
	int index = node_index(topology, node);

	return index >= 0 && !ktstr_cpus_count(&topology->nodes[index].cpus);
}

unsigned int ktstr_test_topology_numa_distance(const struct ktstr_test_topology *topology,
					       unsigned int from, unsigned int to)
{
	int i = node_index(topology, from), j = node_index(topology, to);

	return i < 0 || j < 0 ? 255 : topology->distances[i * topology->nodes_count + j];
}

uint64_t ktstr_test_topology_nodes_of_cpus(const struct ktstr_test_topology *topology,
					   const struct ktstr_cpus *cpus)
{
	uint64_t nodes = 0;

	for (size_t i = 0; i < topology->llcs_count; i++) {
		const struct ktstr_llc_info *llc = &topology->llcs[i];
		struct ktstr_cpus common = ktstr_cpus_and(&llc->cpus, cpus);

		if (llc->numa_node < 64 && ktstr_cpus_count(&common))
			nodes |= 1ull << llc->numa_node;
	}
	return nodes;
}

void ktstr_test_topology_overlapping_cpusets(const struct ktstr_test_topology *topology,
					     unsigned int n, double f, struct ktstr_cpus *sets)
{
	unsigned int total = ktstr_test_topology_total_cpus(topology), count = 0;
	unsigned int cpus[KTSTR_MAX_CPUS];
	unsigned int base, overlap, stride;

	if (!n || !total)
		return;
	ktstr_for_each_cpu (cpu, &topology->all)
		cpus[count++] = cpu;
	base = total / n;
	/*
	 * Beyond the whole base the stride is 1 anyway; NaN and negative fractions mean no overlap.
	 */
	overlap = f > 0 ? (unsigned int)ceil(base * fmin(f, 1)) : 0;
	stride = base > overlap ? base - overlap : 1;
	for (unsigned int i = 0; i < n; i++) {
		sets[i] = (struct ktstr_cpus){ 0 };
		for (unsigned int j = 0; j < (base ? base : 1); j++)
			ktstr_cpus_add(&sets[i], cpus[((uint64_t)i * stride + j) % total]);
	}
}
