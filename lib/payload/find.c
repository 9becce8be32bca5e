// SPDX-License-Identifier: GPL-2.0-only
/* From the name of a program or file to the file on this host. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "payload/internal.h"

/* A bare name stands for a file; a directory in the way is none. */
static bool try_dir(const char *dir, size_t dir_length, const char *name, struct ktstr_strv *tried, char **found)
{
	_cleanup_free_ char *in = ktstr_xstrndup(dir, dir_length);
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", in, name);
	struct stat st;

	if (!ktstr_strv_contains(tried, in))
		ktstr_strv_add(tried, in);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	*found = realpath(path, NULL);
	return *found;
}

static bool search_path(const char *name, struct ktstr_strv *tried, char **found)
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

static struct ktstr_error *find(const char *spec, const char *beside_dir, bool in_path, char **path)
{
	_cleanup_strv_ struct ktstr_strv tried = { 0 };
	_cleanup_str_ struct ktstr_str places = { 0 };

	*path = NULL;
	if (strchr(spec, '/')) {
		*path = realpath(spec, NULL);
		return *path ? NULL : ktstr_error_sys(errno, "%s", spec);
	}
	if (try_dir(".", 1, spec, &tried, path) ||
	    (beside_dir && try_dir(beside_dir, strlen(beside_dir), spec, &tried, path)) ||
	    (in_path && search_path(spec, &tried, path)))
		return NULL;
	for (size_t i = 0; i < tried.count; i++)
		ktstr_str_addf(&places, "%s%s", i ? ", " : "", tried.items[i]);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no \"%s\" in %s; give a path", spec, ktstr_str_text(&places));
}

struct ktstr_error *ktstr_include_find(const char *spec, const char *beside_dir, char **path)
{
	return find(spec, beside_dir, true, path);
}

struct ktstr_error *ktstr_data_file_find(const char *spec, const char *beside_dir, char **path)
{
	return find(spec, beside_dir, false, path);
}
