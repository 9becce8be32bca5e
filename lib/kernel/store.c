// SPDX-License-Identifier: GPL-2.0-only
/* The cache of fetched kernels, <cache>/kernels/<version>[-<flavour>]: listing and removal. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"

char *ktstr_store_dir(void)
{
	_cleanup_free_ char *cache = ktstr_cache_dir();

	return ktstr_xasprintf("%s/kernels", cache);
}

char *ktstr_store_key(const char *version, const char *flavour)
{
	if (!strcmp(flavour, KTSTR_KERNEL_DEFAULT_FLAVOUR))
		return ktstr_xstrdup(version);
	return ktstr_xasprintf("%s-%s", version, flavour);
}

static int newest_first(const void *a, const void *b)
{
	const struct ktstr_kernel_entry *left = a, *right = b;

	return ktstr_version_compare(right->version, left->version);
}

/* The error's text without the directory, which the entry's name tells already. */
static char *reason_of(const struct ktstr_error *error, const char *path)
{
	const char *message = ktstr_error_message(error);
	size_t length = strlen(path);

	if (ktstr_str_starts_with(message, path) && !strncmp(message + length, ": ", 2))
		message += length + 2;
	return ktstr_xstrdup(message);
}

struct ktstr_error *ktstr_kernel_list(struct ktstr_kernel_entry **entries, size_t *count)
{
	_cleanup_free_ char *store = ktstr_store_dir();
	_cleanup_closedir_ DIR *dir = opendir(store);
	struct dirent *found;

	*entries = NULL;
	*count = 0;
	if (!dir && errno == ENOENT)
		return NULL;
	if (!dir)
		return ktstr_error_sys(errno, "cannot list %s", store);
	while ((found = readdir(dir))) {
		_cleanup_error_ struct ktstr_error *error = NULL;
		struct ktstr_kernel_entry *entry;

		if (found->d_name[0] == '.')
			continue;
		*entries = ktstr_xrealloc(*entries, (*count + 1) * sizeof(**entries));
		entry = &(*entries)[(*count)++];
		*entry = (struct ktstr_kernel_entry){
			.version = ktstr_xstrdup(found->d_name),
			.path = ktstr_xasprintf("%s/%s", store, found->d_name),
			.fetched_unix_seconds = -1,
		};
		error = ktstr_store_load(entry->version, &entry->kernel,
					 &entry->fetched_unix_seconds);
		if (error)
			entry->corrupt_reason = reason_of(error, entry->path);
	}
	if (*count)
		qsort(*entries, *count, sizeof(**entries), newest_first);
	return NULL;
}

void ktstr_kernel_entries_free(struct ktstr_kernel_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(entries[i].version);
		free(entries[i].path);
		free(entries[i].corrupt_reason);
		ktstr_kernel_deinit(&entries[i].kernel);
	}
	free(entries);
}

/* Whether the entry is of the flavour that the spec asks for, and of its version or series. */
static bool entry_matches(const struct ktstr_kernel_entry *entry, const char *base,
			  const char *flavour)
{
	_cleanup_free_ char *entry_base = NULL;
	const char *entry_flavour;

	ktstr_spec_split(entry->version, &entry_base, &entry_flavour);
	return !strcmp(entry_flavour, flavour) &&
	       (!strcmp(base, "latest") || ktstr_version_in_series(entry_base, base));
}

bool ktstr_store_take_newest(struct ktstr_kernel_entry *entries, size_t count, const char *base,
			     const char *flavour, struct ktstr_kernel *kernel)
{
	for (size_t i = 0; i < count; i++) {
		if (entries[i].corrupt_reason || !entry_matches(&entries[i], base, flavour))
			continue;
		*kernel = entries[i].kernel;
		entries[i].kernel = (struct ktstr_kernel){ 0 };
		return true;
	}
	return false;
}

static struct ktstr_error *no_such_entry(const char *version, const char *store)
{
	_cleanup_str_ struct ktstr_str names = { 0 };
	struct ktstr_kernel_entry *entries;
	size_t count;

	KTSTR_TRY(ktstr_kernel_list(&entries, &count));
	for (size_t i = 0; i < count; i++)
		ktstr_str_addf(&names, "%s%s", i ? ", " : "", entries[i].version);
	ktstr_kernel_entries_free(entries, count);
	if (!count)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no kernel %s: %s is empty", version, store);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no kernel %s in %s, which has %s", version, store,
			       ktstr_str_text(&names));
}

struct ktstr_error *ktstr_kernel_remove(const char *version)
{
	_cleanup_free_ char *store = ktstr_store_dir();
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", store, version);
	_cleanup_workdir_ struct ktstr_workdir work = { .lock_fd = -1 };

	if (!*version || *version == '.' || strchr(version, '/'))
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"\"%s\" is not the version of a cache entry: see `ktstr kernel list`",
			version);
	if (!ktstr_path_exists(path))
		return no_such_entry(version, store);
	KTSTR_TRY(ktstr_workdir_open(store, version, &work));
	/* Out of sight in one step, then deleted: a reader never sees half an entry. */
	work.path = ktstr_xasprintf("%s/.tmp-%s,pid-%d", store, version, (int)getpid());
	if (rename(path, work.path) && errno != ENOENT)
		return ktstr_error_sys(errno, "cannot remove %s", path);
	return ktstr_remove_tree(work.path);
}
