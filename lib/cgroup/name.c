// SPDX-License-Identifier: GPL-2.0-only
/* Which cgroup names may be used: everything that stays below the manager's directory. */
#include <string.h>

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
