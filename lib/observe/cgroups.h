/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroups of a guest (cgroup v2), as its kernel has them. */
#ifndef KTSTR_OBSERVE_CGROUPS_H
#define KTSTR_OBSERVE_CGROUPS_H

#include "observe/kernel_view.h"

struct ktstr_cgroup {
	uint64_t address; /* struct cgroup */
	uint64_t id; /* inode of its directory: what BPF calls the cgroup's id. 0 = unknown */
	char *name; /* path below the root of the search, "a/b"; bytes of the guest */
	bool has_children;
};

struct ktstr_cgroups {
	struct ktstr_cgroup *all; /* by name */
	size_t count;
	bool truncated; /* there are more, or some could not be read */
};

/*
 * All below the one at `root`, a path like "/ktstr/of/mine", which is not among them; those that are being removed are
 * left out. Returns why none can be found: heap, NULL = they could, if there are any.
 */
char *ktstr_cgroups_below(const struct ktstr_kernel_view *view, const char *root, struct ktstr_cgroups *cgroups);
void ktstr_cgroups_deinit(struct ktstr_cgroups *cgroups);

#endif
