// SPDX-License-Identifier: GPL-2.0-only
/* NUMA counters: /proc/self/numa_maps ("7f12a000 default anon=4 dirty=4 N0=3 N1=1 kernelpagesize_kB=4"), /proc/vmstat. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "work/numa.h"

static void add_pages(char *line, uint64_t pages[KTSTR_REPORT_NODES])
{
	char *rest = line;

	for (char *word = strsep(&rest, " \n"); word; word = strsep(&rest, " \n")) {
		unsigned int node;
		uint64_t count;

		if (sscanf(word, "N%u=%" SCNu64, &node, &count) == 2 && node < KTSTR_REPORT_NODES)
			pages[node] += count;
	}
}

void work_numa_pages(const struct worker *w, uint64_t pages[KTSTR_REPORT_NODES])
{
	_cleanup_fclose_ FILE *maps = work_nodes_online().count > 1 || w->numa_region ? fopen("/proc/self/numa_maps", "re") :
											 NULL;
	uintptr_t region = (uintptr_t)w->numa_region;
	char line[1024];

	memset(pages, 0, sizeof(pages[0]) * KTSTR_REPORT_NODES);
	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t start = strtoull(line, NULL, 16);

		if (!region || (start >= region && start < region + w->numa_bytes))
			add_pages(line, pages);
	}
}

struct ktstr_opt_u64 work_numa_pages_migrated(void)
{
	_cleanup_fclose_ FILE *vmstat = fopen("/proc/vmstat", "re");
	struct ktstr_opt_u64 pages = { 0 };
	char line[128];

	while (vmstat && !pages.set && fgets(line, sizeof(line), vmstat))
		pages.set = sscanf(line, "numa_pages_migrated %" SCNu64, &pages.value) == 1;
	return pages;
}
