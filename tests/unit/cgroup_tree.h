/* SPDX-License-Identifier: GPL-2.0-only */
/* A cgroup manager over a tree of plain files. */
#ifndef KTSTR_TESTS_CGROUP_TREE_H
#define KTSTR_TESTS_CGROUP_TREE_H

#include "cgroup/manager.h"
#include "scratch.h"

#define ALL_CONTROLLERS "cpuset cpu memory io pids\n"

static const char *const knobs[] = { "cpuset.cpus", "cpuset.mems", "cpu.max",      "cpu.weight",
				     "memory.max",  "memory.high", "memory.low",   "memory.swap.max",
				     "io.weight",   "pids.max",    "cgroup.freeze" };

/* As a kernel makes it: the files of all controllers; `has` is what cgroup.controllers lists. */
static inline void make_cgroup(const char *dir, const char *has)
{
	_cleanup_free_ char *controllers = ktstr_xasprintf("%s/cgroup.controllers", dir);
	_cleanup_free_ char *control = ktstr_xasprintf("%s/cgroup.subtree_control", dir);
	_cleanup_free_ char *procs = ktstr_xasprintf("%s/cgroup.procs", dir);

	put(controllers, has);
	put(control, "");
	put(procs, "");
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		_cleanup_free_ char *file = ktstr_xasprintf("%s/%s", dir, knobs[i]);

		put(file, "");
	}
}

static inline void assert_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", scratch, name);
	_cleanup_free_ char *found = ktstr_read_line(path);

	if (!found || strcmp(found, text))
		fail_msg("%s has \"%s\", expected \"%s\"", name, found ? found : "(nothing)", text);
}

static inline int make_cgroup_tree(void **state)
{
	struct ktstr_cgroup_manager *manager = NULL;
	_cleanup_free_ char *parent = NULL;

	if (make_scratch(state))
		return -1;
	make_cgroup(".", ALL_CONTROLLERS);
	make_cgroup("kt", ALL_CONTROLLERS);
	parent = ktstr_xasprintf("%s/kt", scratch);
	assert_ok(ktstr_cgroup_manager_create(parent, &manager));
	*state = manager;
	return 0;
}

static inline int remove_cgroup_tree(void **state)
{
	ktstr_cgroup_manager_destroy(*state);
	return remove_scratch(state);
}

#endif
