// SPDX-License-Identifier: GPL-2.0-only
/* /proc/self/numa_maps: "7f12a000 default anon=4 dirty=4 N0=3 N1=1 kernelpagesize_kB=4". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work/numa.h"

static void add_pages(char *line, struct ktstr_worker_report *report)
{
	char *rest = line;

	for (char *word = strsep(&rest, " \n"); word; word = strsep(&rest, " \n")) {
		unsigned int node;
		uint64_t pages;

		if (sscanf(word, "N%u=%" SCNu64, &node, &pages) == 2 && node < KTSTR_REPORT_NODES)
			report->numa_pages[node] += pages;
	}
}

void work_numa_pages_of(const void *region, size_t bytes, struct ktstr_worker_report *report)
{
	FILE *maps = fopen("/proc/self/numa_maps", "re");
	char line[1024];

	memset(report->numa_pages, 0, sizeof(report->numa_pages));
	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t start = strtoull(line, NULL, 16);

		if (!region || (start >= (uintptr_t)region && start < (uintptr_t)region + bytes))
			add_pages(line, report);
	}
	if (maps)
		fclose(maps);
}
