// SPDX-License-Identifier: GPL-2.0-only
/* Runs in words: names, where that of the test alone says too little, and what takes long before one begins. */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "runner/runner.h"

char *ktstr_run_instance(const struct ktstr_run *runs, size_t count, size_t index)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES], other[KTSTR_TOPOLOGY_TEXT_BYTES];
	const struct ktstr_run *run = &runs[index];
	bool topologies = false, seeds = false;

	ktstr_topology_format(&run->topology, shape);
	for (size_t i = 0; i < count && !(topologies && (seeds || !run->deterministic)); i++) {
		if (strcmp(runs[i].full_name, run->full_name))
			continue;
		seeds |= run->deterministic && runs[i].seed != run->seed;
		topologies |= strcmp(ktstr_topology_format(&runs[i].topology, other), shape) != 0;
	}
	if (topologies && seeds)
		return ktstr_xasprintf("%s seed %llu", shape, (unsigned long long)run->seed);
	if (seeds)
		return ktstr_xasprintf("seed %llu", (unsigned long long)run->seed);
	return topologies ? ktstr_xstrdup(shape) : NULL;
}

char *ktstr_run_build_note(const struct ktstr_run *run, const char *stage)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	ktstr_topology_format(&run->topology, shape);
	if (!strcmp(stage, KTSTR_STAGE_BUILDING))
		return ktstr_xasprintf("building template %s: the kernel boots once and is saved, later runs start from there",
				       shape);
	if (!strcmp(stage, KTSTR_STAGE_ATTACHING))
		return ktstr_xasprintf("building template %s with %s: it attaches once and is saved, later runs start from there",
				       shape, run->scheduler.label);
	return NULL;
}
