// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups with one owner, who removes them all when it goes. */
#include <stdio.h>
#include <stdlib.h>

#include "cgroup/manager.h"

struct ktstr_cgroup_group {
	struct ktstr_cgroup_manager *manager;
	struct ktstr_strv names;
};

struct ktstr_cgroup_group *ktstr_cgroup_group_create(struct ktstr_cgroup_manager *manager)
{
	struct ktstr_cgroup_group *group = ktstr_xcalloc(1, sizeof(*group));

	group->manager = manager;
	return group;
}

struct ktstr_error *ktstr_cgroup_group_add(struct ktstr_cgroup_group *group, const char *name,
					   const struct ktstr_cpus *cpus)
{
	KTSTR_TRY(ktstr_cgroup_create(group->manager, name));
	if (!ktstr_strv_contains(&group->names, name))
		ktstr_strv_add(&group->names, name); /* ours to remove, whatever comes next */
	return cpus ? ktstr_cgroup_set_cpuset(group->manager, name, cpus) : NULL;
}

const char *const *ktstr_cgroup_group_names(const struct ktstr_cgroup_group *group, size_t *count)
{
	*count = group->names.count;
	return (const char *const *)group->names.items;
}

void ktstr_cgroup_group_destroy(struct ktstr_cgroup_group *group)
{
	if (!group)
		return;
	for (size_t i = group->names.count; i-- > 0;) {
		_cleanup_error_ struct ktstr_error *error = ktstr_cgroup_remove(group->manager, group->names.items[i]);

		if (error)
			fprintf(stderr, "ktstr: warning: %s\n", ktstr_error_message(error));
	}
	ktstr_strv_deinit(&group->names);
	free(group);
}
