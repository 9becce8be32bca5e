// SPDX-License-Identifier: GPL-2.0-only
/* Reads /proc/self/cgroup and cgroup.procs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "work/siblings.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

char *work_own_cgroup_dir(void)
{
	_cleanup_free_ char *line = ktstr_read_line("/proc/self/cgroup");

	/* "0::/ktstr/cg_0": the first line where only cgroup2 is mounted. */
	if (!line || !ktstr_str_starts_with(line, "0::/") || !line[strlen("0::/")])
		return NULL;
	return ktstr_xasprintf(CGROUP_ROOT "%s", line + strlen("0::"));
}

struct work_siblings work_siblings_find(void)
{
	_cleanup_free_ char *dir = work_own_cgroup_dir();
	_cleanup_free_ char *path = dir ? ktstr_xasprintf("%s/cgroup.procs", dir) : NULL;
	struct work_siblings siblings = { 0 };
	FILE *file = path ? fopen(path, "re") : NULL;
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1) {
		if (pid == getpid())
			continue;
		siblings.pids = ktstr_xrealloc(siblings.pids, (siblings.count + 1) * sizeof(int));
		siblings.pids[siblings.count++] = pid;
	}
	if (file)
		fclose(file);
	return siblings;
}

void work_siblings_free(struct work_siblings *siblings)
{
	free(siblings->pids);
	*siblings = (struct work_siblings){ 0 };
}

int work_open_sibling_procs(const char *own_dir, const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%.*s/%s/cgroup.procs", (int)(strrchr(own_dir, '/') - own_dir), own_dir,
						    name);

	return open(path, O_WRONLY | O_CLOEXEC);
}
