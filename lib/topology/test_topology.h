/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of struct ktstr_test_topology, shared by its two builders: from a spec and from sysfs. */
#ifndef KTSTR_TOPOLOGY_TEST_TOPOLOGY_H
#define KTSTR_TOPOLOGY_TEST_TOPOLOGY_H

#include "ktstr/topology.h"

struct ktstr_test_node {
	struct ktstr_cpus cpus; /* empty: memory-only */
	bool has_memory;        /* memory below is known */
	struct ktstr_node_mem_info memory;
};

struct ktstr_test_topology {
	struct ktstr_cpus all;
	struct ktstr_llc_info *llcs; /* ascending id */
	size_t llcs_count;
	struct ktstr_cpus *cores; /* the SMT siblings of each core */
	size_t cores_count;
	struct ktstr_test_node *nodes;
	unsigned int *node_ids; /* ascending, parallel to nodes */
	size_t nodes_count;
	uint8_t *distances; /* nodes_count * nodes_count, row-major, in the order of nodes */
};

#endif
