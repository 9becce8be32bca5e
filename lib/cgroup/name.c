// SPDX-License-Identifier: GPL-2.0-only
/* Which cgroup names may be used: everything that stays below the manager's directory, or the cgroup2 tree. */
#include <string.h>

#include "base/str.h"
#include "ktstr/cgroup.h"

struct ktstr_error *ktstr_cgroup_check_name(const char *name)
{
	if (!name || !*name)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "a cgroup name is empty: give it one, such as \"cg0\"");
	if (*name == '/')
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"cgroup name \"%s\" starts with '/': names are relative to the "
			"manager's directory",
			name);
	for (const char *part = name;; part++) {
		size_t length = strcspn(part, "/");

		if (!length)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "cgroup name \"%s\" has an empty component: write "
					       "\"parent/child\"",
					       name);
		if (*part == '.')
			return ktstr_error_new(
				KTSTR_ERR_INVALID,
				"cgroup name \"%s\" has a component that starts with a "
				"dot: choose another",
				name);
		part += length;
		if (!*part)
			return NULL;
	}
}

struct ktstr_error *ktstr_cgroup_path_check(struct ktstr_cgroup_path path)
{
	if (!path.text || *path.text != '/')
		return ktstr_error_new(KTSTR_ERR_INVALID, "cgroup path \"%s\" does not start with '/': write \"/ktstr/parent\"",
				       path.text ? path.text : "");
	KTSTR_TRY_WRAP(ktstr_cgroup_check_name(path.text + 1), "cgroup path \"%s\"", path.text);
	return NULL;
}

char *ktstr_cgroup_path_sysfs(struct ktstr_cgroup_path path)
{
	return ktstr_xasprintf("/sys/fs/cgroup%s", path.text);
}
