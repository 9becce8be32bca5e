/* SPDX-License-Identifier: GPL-2.0-only */
/* NUMA nodes as a worker sees them. */
#ifndef KTSTR_WORK_NUMA_H
#define KTSTR_WORK_NUMA_H

#include <stddef.h>

#include "work/work_type.h"

enum { WORK_NODES_MAX = 64 };

struct work_nodes {
	unsigned int ids[WORK_NODES_MAX];
	size_t count;
};

/* Empty on a kernel without NUMA. */
struct work_nodes work_nodes_online(void);
struct ktstr_cpus work_node_cpus(unsigned int node);
/* Pages per node of the worker's numa_region, or of its whole process; nothing on machines of one node. */
void work_numa_pages(const struct worker *w, uint64_t pages[KTSTR_REPORT_NODES]);
/* numa_pages_migrated of /proc/vmstat; unset on kernels without NUMA balancing. */
struct ktstr_opt_u64 work_numa_pages_migrated(void);

#endif
