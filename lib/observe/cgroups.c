// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgrp_dfl_root.cgrp -> self.children -> css.sibling, breadth first: the list of those that were found is the queue. A
 * cgroup that has been removed stays in its parent's list until nothing refers to it any more (kernel/cgroup/cgroup.c).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "observe/cgroups.h"

enum {
	CGROUPS_MAX = 1024,
	NODES_MAX = 16384, /* of all lists of children, with those that have been removed */
	NAME_BYTES = NAME_MAX + 1,
};

struct child {
	uint64_t address, id;
	char name[NAME_BYTES];
};

struct walk {
	const struct ktstr_kernel_view *view;
	uint64_t online; /* CSS_ONLINE; 0 = unknown */
	size_t nodes; /* that were looked at */
	bool damaged; /* something could not be read */
	bool (*take)(struct walk *walk, const struct child *child); /* false: that is enough */

	/* Looking for a name: */
	const char *wanted;
	size_t wanted_length;
	uint64_t found;

	/* Collecting: */
	struct ktstr_cgroups *cgroups;
	size_t parent; /* whose children these are; SIZE_MAX = of the root */
};

/* A name is what a directory can be called. */
static bool read_child(const struct walk *walk, struct ktstr_object css, struct child *child)
{
	struct ktstr_object cgroup = ktstr_container(walk->view, "cgroup", "self", css.address);
	struct ktstr_object node = ktstr_follow(&cgroup, "kn", "kernfs_node");

	child->address = cgroup.address;
	child->id = ktstr_get_or_zero(&node, "id");
	return cgroup.address &&
	       ktstr_read_text(&walk->view->space, ktstr_get_or_zero(&node, "name"), child->name, sizeof(child->name)) &&
	       *child->name && !strchr(child->name, '/');
}

static bool visit(void *context, uint64_t node)
{
	struct walk *walk = context;
	struct ktstr_object css = ktstr_container(walk->view, "cgroup_subsys_state", "sibling", node);
	struct child child;
	uint64_t flags;

	walk->nodes++;
	if (!ktstr_get(&css, "flags", &flags)) {
		walk->damaged = true;
		return false;
	}
	if (walk->online && !(flags & walk->online))
		return true;
	if (read_child(walk, css, &child))
		return walk->take(walk, &child);
	walk->damaged = true;
	return true;
}

/* Whether all of the children were seen, or enough of them. */
static void walk_children(struct walk *walk, uint64_t address)
{
	struct ktstr_object cgroup = ktstr_object(walk->view, "cgroup", address);

	if (!ktstr_walk_list(walk->view, ktstr_member_address(&cgroup, "self.children"), NODES_MAX - walk->nodes, visit, walk) &&
	    !walk->found)
		walk->damaged = true;
}

static bool take_wanted(struct walk *walk, const struct child *child)
{
	if (strlen(child->name) == walk->wanted_length && !memcmp(child->name, walk->wanted, walk->wanted_length))
		walk->found = child->address;
	return !walk->found;
}

/* 0 = there is no such cgroup. */
static uint64_t find(const struct ktstr_kernel_view *view, uint64_t online, uint64_t address, const char *path)
{
	struct walk walk = { .view = view, .online = online, .take = take_wanted };

	for (path += strspn(path, "/"); *path && address; path += strspn(path, "/")) {
		walk.wanted = path;
		walk.wanted_length = strcspn(path, "/");
		walk.found = 0;
		walk_children(&walk, address);
		address = walk.found;
		path += walk.wanted_length;
	}
	return address;
}

static bool is_known(const struct ktstr_cgroups *cgroups, uint64_t address)
{
	for (size_t i = 0; i < cgroups->count; i++)
		if (cgroups->all[i].address == address)
			return true;
	return false;
}

/* One that was there before is no child of this one, whatever the list says. */
static bool take_any(struct walk *walk, const struct child *child)
{
	struct ktstr_cgroups *cgroups = walk->cgroups;
	struct ktstr_cgroup *parent = walk->parent == SIZE_MAX ? NULL : &cgroups->all[walk->parent];

	if (cgroups->count == CGROUPS_MAX) {
		cgroups->truncated = true;
		return false;
	}
	if (is_known(cgroups, child->address) || (parent && strlen(parent->name) + 1 + strlen(child->name) >= PATH_MAX)) {
		walk->damaged = true;
		return true;
	}
	if (parent)
		parent->has_children = true;
	cgroups->all[cgroups->count++] = (struct ktstr_cgroup){
		.address = child->address,
		.id = child->id,
		.name = parent ? ktstr_xasprintf("%s/%s", parent->name, child->name) : ktstr_xstrdup(child->name),
	};
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct ktstr_cgroup *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void collect(const struct ktstr_kernel_view *view, uint64_t online, uint64_t root, struct ktstr_cgroups *cgroups)
{
	struct walk walk = { .view = view, .online = online, .take = take_any, .cgroups = cgroups, .parent = SIZE_MAX };

	cgroups->all = ktstr_xcalloc(CGROUPS_MAX, sizeof(*cgroups->all));
	walk_children(&walk, root);
	for (walk.parent = 0; walk.parent < cgroups->count; walk.parent++)
		walk_children(&walk, cgroups->all[walk.parent].address);
	cgroups->truncated |= walk.damaged;
	qsort(cgroups->all, cgroups->count, sizeof(*cgroups->all), by_name);
}

char *ktstr_cgroups_below(const struct ktstr_kernel_view *view, const char *root, struct ktstr_cgroups *cgroups)
{
	struct ktstr_object hierarchy = ktstr_object(view, "cgroup_root", ktstr_view_symbol(view, "cgrp_dfl_root"));
	uint64_t top = ktstr_member_address(&hierarchy, "cgrp"), address;
	int64_t online;

	*cgroups = (struct ktstr_cgroups){ 0 };
	if (!top)
		return ktstr_xstrdup("the kernel has no cgroups (CONFIG_CGROUPS)");
	if (!ktstr_types_enumerator(view->types, "CSS_ONLINE", &online))
		online = 0;
	address = find(view, (uint64_t)online, top, root);
	if (!address)
		return ktstr_xasprintf("there is no cgroup %s", root);
	collect(view, (uint64_t)online, address, cgroups);
	return NULL;
}

void ktstr_cgroups_deinit(struct ktstr_cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->count; i++)
		free(cgroups->all[i].name);
	free(cgroups->all);
	*cgroups = (struct ktstr_cgroups){ 0 };
}
