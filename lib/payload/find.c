// SPDX-License-Identifier: GPL-2.0-only
/* From the name of a program or file to the file on this host. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "payload/internal.h"

/* A bare name stands for a file; a directory in the way is none. */
static bool try_dir(const char *dir, size_t dir_length, const char *name, struct ktstr_str *tried, char **found)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%.*s/%s", (int)dir_length, dir, name);
	struct stat st;

	ktstr_str_addf(tried, "%s%.*s", tried->length ? ", " : "", (int)dir_length, dir);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	*found = realpath(path, NULL);
	return *found;
}

static bool search_path(const char *name, struct ktstr_str *tried, char **found)
{
	const char *path = ktstr_env("PATH");

	while (path && *path) {
		size_t length = strcspn(path, ":");

		if (length && try_dir(path, length, name, tried, found))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

struct ktstr_error *ktstr_include_find(const char *spec, const char *beside_dir, char **path)
{
	_cleanup_str_ struct ktstr_str tried = { 0 };

	*path = NULL;
	if (strchr(spec, '/')) {
		*path = realpath(spec, NULL);
		return *path ? NULL : ktstr_error_sys(errno, "%s", spec);
	}
	if (try_dir(".", 1, spec, &tried, path) ||
	    (beside_dir && try_dir(beside_dir, strlen(beside_dir), spec, &tried, path)) ||
	    search_path(spec, &tried, path))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no \"%s\" in %s", spec, ktstr_str_text(&tried));
}
