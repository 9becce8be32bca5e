// SPDX-License-Identifier: GPL-2.0-only
/* See preload.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "vm/preload.h"

void ktstr_preload_environment(const char *library, struct ktstr_strv *environment)
{
	static const char variable[] = "LD_PRELOAD=";
	const char *others = "";

	for (char **entry = environ; *entry; entry++) {
		if (ktstr_str_starts_with(*entry, variable))
			others = *entry + strlen(variable);
		else
			ktstr_strv_add(environment, *entry);
	}
	ktstr_strv_addf(environment, "%s%s%s%s", variable, library, *others ? ":" : "", others);
}

bool ktstr_preload_worked(int pid, const char *library)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/maps", pid);
	_cleanup_free_ char *maps = NULL;
	_cleanup_free_ char *real = realpath(library, NULL);
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &maps, NULL);

	/* The kernel names files without symbolic links. */
	return !error && real && strstr(maps, real);
}
