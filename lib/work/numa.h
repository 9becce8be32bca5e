/* SPDX-License-Identifier: GPL-2.0-only */
/* NUMA nodes as a worker sees them. */
#ifndef KTSTR_WORK_NUMA_H
#define KTSTR_WORK_NUMA_H

#include <stddef.h>

#include "ktstr/work.h"

enum { WORK_NODES_MAX = 64 };

struct work_nodes {
	unsigned int ids[WORK_NODES_MAX];
	size_t count;
};

/* Empty on a kernel without NUMA. */
struct work_nodes work_nodes_online(void);
struct ktstr_cpus work_node_cpus(unsigned int node);
/* Pages per node of [region, region + bytes), or of the whole process with region NULL, into report->numa_pages. */
void work_numa_pages_of(const void *region, size_t bytes, struct ktstr_worker_report *report);

#endif
