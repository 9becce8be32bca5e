// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories that appear whole or not at all: filled under a temporary name beside their place,
 * renamed there in the end. Leftovers of killed processes are removed by the next one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"

#define TEMP_PREFIX ".tmp-"
/* Between name and pid; cannot be part of a version, so no name is the beginning of another's. */
#define TEMP_PID_MARK ",pid-"

struct ktstr_error *ktstr_check_space(const char *path, uint64_t needed_bytes)
{
	uint64_t free_bytes;

	if (!ktstr_free_bytes(path, &free_bytes))
		return ktstr_error_sys(errno, "cannot ask the free space of %s", path);
	if (free_bytes >= needed_bytes)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NO_SPACE,
			       "%s has %llu MiB free, %llu MiB are needed: free some space, or set "
			       "KTSTR_CACHE_DIR to a folder on a larger disk",
			       path, (unsigned long long)(free_bytes >> 20),
			       (unsigned long long)(needed_bytes >> 20) + 1);
}

struct ktstr_error *ktstr_store_file(const char *dir, const char *name, const void *data,
				     size_t length)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot create %s", path);
	KTSTR_TRY(ktstr_write_all(fd, data, length, path));
	/* Now, not at publishing: syncfs() there would wait for everybody else's data, too. */
	if (fsync(fd))
		return ktstr_error_sys(errno, "cannot flush %s", path);
	return NULL;
}

struct ktstr_error *ktstr_workdir_open(const char *parent, const char *name,
				       struct ktstr_workdir *work)
{
	_cleanup_free_ char *locks = ktstr_xasprintf("%s/.locks", parent);
	_cleanup_free_ char *lock = ktstr_xasprintf("%s/%s.lock", locks, name);

	*work = (struct ktstr_workdir){ .lock_fd = -1 };
	KTSTR_TRY(ktstr_make_dirs(locks));
	KTSTR_TRY(ktstr_lock_file(lock, true, KTSTR_KERNEL_LOCK_TIMEOUT_NS, &work->lock_fd));
	work->parent = ktstr_xstrdup(parent);
	work->name = ktstr_xstrdup(name);
	return NULL;
}

/* True when the lock of the directory's entry is ours, or nobody's: then its maker is dead. */
static bool maker_is_dead(const struct ktstr_workdir *work, const char *name)
{
	_cleanup_free_ char *lock = ktstr_xasprintf("%s/.locks/%s.lock", work->parent, name);
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_close_ int fd = -1;

	if (!strcmp(name, work->name))
		return true;
	error = ktstr_lock_file(lock, true, 0, &fd);
	return !error;
}

static struct ktstr_error *reclaim_leftovers(const struct ktstr_workdir *work)
{
	_cleanup_closedir_ DIR *dir = opendir(work->parent);
	struct dirent *entry;

	if (!dir)
		return ktstr_error_sys(errno, "cannot list %s", work->parent);
	while ((entry = readdir(dir))) {
		const char *mark = strstr(entry->d_name, TEMP_PID_MARK);
		_cleanup_free_ char *name = NULL, *path = NULL;

		if (!ktstr_str_starts_with(entry->d_name, TEMP_PREFIX) || !mark)
			continue;
		name = ktstr_xstrndup(entry->d_name + strlen(TEMP_PREFIX),
				      (size_t)(mark - entry->d_name) - strlen(TEMP_PREFIX));
		path = ktstr_xasprintf("%s/%s", work->parent, entry->d_name);
		if (maker_is_dead(work, name))
			KTSTR_TRY(ktstr_remove_tree(path));
	}
	return NULL;
}

struct ktstr_error *ktstr_workdir_begin(struct ktstr_workdir *work)
{
	char *path;

	KTSTR_TRY(reclaim_leftovers(work));
	path = ktstr_xasprintf("%s/" TEMP_PREFIX "%s" TEMP_PID_MARK "%d", work->parent, work->name,
			       (int)getpid());
	if (mkdir(path, 0755)) {
		struct ktstr_error *error = ktstr_error_sys(errno, "cannot create %s", path);

		free(path);
		return error;
	}
	work->path = path;
	return NULL;
}

struct ktstr_error *ktstr_workdir_publish(struct ktstr_workdir *work)
{
	_cleanup_free_ char *final = ktstr_xasprintf("%s/%s", work->parent, work->name);
	_cleanup_close_ int fd = open(work->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Contents first, name second: after a power cut an entry must not be there half written.
	 */
	if (fd < 0 || fsync(fd))
		return ktstr_error_sys(errno, "cannot flush %s", work->path);
	if (!renameat2(AT_FDCWD, work->path, AT_FDCWD, final, RENAME_NOREPLACE)) {
		free(ktstr_take(work->path));
		return NULL;
	}
	/* There is an old one: swap, so that a reader finds one of the two at any moment. */
	if (renameat2(AT_FDCWD, work->path, AT_FDCWD, final, RENAME_EXCHANGE)) {
		if (errno != EINVAL && errno != EEXIST)
			return ktstr_error_sys(errno, "cannot rename %s to %s", work->path, final);
		/* A filesystem without these flags: a short moment with no entry is the best there
		 * is. */
		KTSTR_TRY(ktstr_remove_tree(final));
		if (rename(work->path, final))
			return ktstr_error_sys(errno, "cannot rename %s to %s", work->path, final);
		free(ktstr_take(work->path));
	}
	return NULL;
}

void ktstr_workdir_close(struct ktstr_workdir *work)
{
	_cleanup_error_ struct ktstr_error *error = NULL;

	/* Holds our unfinished work, or after a swap the old entry. A failure leaves it to the next
	 * get. */
	if (work->path)
		error = ktstr_remove_tree(work->path);
	if (work->parent && work->lock_fd >= 0)
		close(work->lock_fd);
	free(work->path);
	free(work->name);
	free(work->parent);
	*work = (struct ktstr_workdir){ .lock_fd = -1 };
}
