/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup that a worker is in, and who else is in it. */
#ifndef KTSTR_WORK_SIBLINGS_H
#define KTSTR_WORK_SIBLINGS_H

#include <stddef.h>

struct work_siblings {
	int *pids; /* without the caller's own */
	size_t count;
};

/* Empty when the cgroup cannot be read. */
struct work_siblings work_siblings_find(void);
void work_siblings_free(struct work_siblings *siblings);
/* Directory of the caller's cgroup, e.g. "/sys/fs/cgroup/ktstr/cg_0"; NULL in the root or without cgroup2. Heap. */
char *work_own_cgroup_dir(void);
/* cgroup.procs of the cgroup `name` beside own_dir, for writing; -1 with errno. */
int work_open_sibling_procs(const char *own_dir, const char *name);

#endif
