// SPDX-License-Identifier: GPL-2.0-only
/* Emptying and removing cgroups, one or the whole tree. */
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cgroup/manager.h"

enum { EMPTY_LIMIT_MS = 1000, MAX_FAILED = 10 };

/* A frozen task could neither move nor die. Not every tree has a freezer. */
static struct ktstr_error *unfreeze(const char *dir)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/cgroup.freeze", dir);

	return ktstr_path_exists(path) ? cgroup_write(path, "0") : NULL;
}

static struct ktstr_error *wait_for_empty(const char *dir)
{
	if (cgroup_wait_while(dir, "populated 1", EMPTY_LIMIT_MS))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_TIMEOUT, "cgroup %s still has processes after %dms: end them first", dir,
			       EMPTY_LIMIT_MS);
}

static struct ktstr_error *empty_and_remove(const struct ktstr_cgroup_manager *manager,
					    const char *dir)
{
	KTSTR_TRY(unfreeze(dir));
	KTSTR_TRY(cgroup_drain(manager, dir));
	KTSTR_TRY(wait_for_empty(dir));
	if (!rmdir(dir) || errno == ENOENT)
		return NULL;
	if (errno == EBUSY)
		return ktstr_error_sys(
			errno, "cannot remove cgroup %s, is there another one below it?", dir);
	return ktstr_error_sys(errno, "cannot remove cgroup %s", dir);
}

static void remember_failed(struct ktstr_cgroup_manager *manager, const char *dir)
{
	if (!ktstr_strv_contains(&manager->failed, dir))
		ktstr_strv_add(&manager->failed, dir);
}

/* Forgets the failed ones that have gone since. */
static size_t outstanding(struct ktstr_cgroup_manager *manager)
{
	struct ktstr_strv still = { 0 };

	for (size_t i = 0; i < manager->failed.count; i++)
		if (ktstr_path_exists(manager->failed.items[i]))
			ktstr_strv_add(&still, manager->failed.items[i]);
	ktstr_strv_deinit(&manager->failed);
	manager->failed = still;
	return still.count;
}

struct ktstr_error *cgroup_remove_dir(struct ktstr_cgroup_manager *manager, const char *dir)
{
	struct ktstr_error *error;

	if (!ktstr_path_exists(dir))
		return NULL;
	error = empty_and_remove(manager, dir);
	if (!ktstr_path_exists(dir)) { /* somebody else removed it in between */
		ktstr_error_free(error);
		return NULL;
	}
	if (error)
		remember_failed(manager, dir);
	return error;
}

struct ktstr_error *ktstr_cgroup_remove(struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *dir = NULL;
	size_t failed = outstanding(manager);

	KTSTR_TRY(cgroup_path(manager, name, NULL, &dir));
	if (failed > MAX_FAILED)
		return ktstr_error_new(
			KTSTR_ERR_BUSY,
			"not removing cgroup %s: %zu others could not be removed and are "
			"still there, the first is %s",
			name, failed, manager->failed.items[0]);
	return cgroup_remove_dir(manager, dir);
}

/* nftw() has no argument for its callback; the directories are collected, then removed. */
static __thread struct ktstr_strv *collected;

static int collect_dir(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP)
		ktstr_strv_add(collected, path);
	return 0;
}

/* Goes on after a failure: what can be removed is removed, the first error is told. */
struct ktstr_error *ktstr_cgroup_cleanup_all(struct ktstr_cgroup_manager *manager)
{
	_cleanup_strv_ struct ktstr_strv dirs = { 0 };
	struct ktstr_error *first = NULL;

	collected = &dirs;
	nftw(manager->parent, collect_dir, 16, FTW_DEPTH | FTW_PHYS);
	collected = NULL;
	for (size_t i = 0; i < dirs.count; i++) {
		struct ktstr_error *error = cgroup_remove_dir(manager, dirs.items[i]);

		if (first)
			ktstr_error_free(error);
		else
			first = error;
	}
	return first;
}
