// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files behind disks. A file system is made once per capacity and version of the host's mkfs, and kept as
 * <cache>/disk_templates/<key>/template.img: published by rename, under a lock, and never written to again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/sparse.h"
#include "disk/disk.h"
#include "disk/image.h"
#include "ktstr/units.h"

/* mkfs has written less than that when it is done. */
#define MKFS_BYTES (16ull << 20)
#define MKFS_LIMIT KTSTR_SEC(120)
#define LOCK_LIMIT KTSTR_SEC(600)

char *ktstr_disk_dir(void)
{
	_cleanup_free_ char *cache = ktstr_cache_dir();

	return ktstr_xasprintf("%s/disk_templates", cache);
}

/* Names the place and what to do about it. */
static struct ktstr_error *explain_space(struct ktstr_error *error, const char *dir)
{
	if (ktstr_error_code(error) != KTSTR_ERR_NO_SPACE)
		return error;
	return ktstr_error_wrap(error,
				"no room for the guest's disk in %s (free some, or set KTSTR_CACHE_DIR to a folder on a larger disk)",
				dir);
}

/* Some file systems have no O_TMPFILE: a name for a moment, then. */
static struct ktstr_error *open_anonymous(const char *dir, int *fd)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/.disk-XXXXXX", dir);

	*fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		*fd = mkostemp(path, O_CLOEXEC);
		if (*fd >= 0)
			unlink(path);
	}
	return *fd < 0 ? ktstr_error_sys(errno, "cannot create a file in %s", dir) : NULL;
}

/* --- templates --- */

/* Its folder is in no user's PATH. */
static struct ktstr_error *find_mkfs(const char **path)
{
	static const char *const places[] = { "/usr/sbin/mkfs.btrfs", "/sbin/mkfs.btrfs", "/usr/bin/mkfs.btrfs" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		*path = places[i];
		if (!access(*path, X_OK))
			return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "a btrfs disk needs mkfs.btrfs, and %s is missing: install the package btrfs-progs (tools/setup does)",
			       places[0]);
}

/* "mkfs.btrfs, part of btrfs-progs v6.2" -> "v6.2" */
static struct ktstr_error *mkfs_version(const char *mkfs, char **version)
{
	const char *argv[] = { mkfs, "--version", NULL };
	_cleanup_free_ char *out = NULL;
	const char *last;

	KTSTR_TRY(ktstr_run_command(argv, MKFS_LIMIT, &out, NULL));
	out[strcspn(out, "\n")] = '\0';
	last = strrchr(out, ' ');
	last = last ? last + 1 : out;
	if (!*last || strchr(last, '/'))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s --version says \"%s\", which has no version", mkfs, out);
	*version = ktstr_xstrdup(last);
	return NULL;
}

/* Is the template there, and as long as it must be? */
static bool open_whole(const char *path, uint64_t bytes, int *fd)
{
	_cleanup_close_ int found = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (found < 0 || fstat(found, &st) || (uint64_t)st.st_size != bytes)
		return false;
	*fd = ktstr_take_fd(&found);
	return true;
}

/* mkfs calls a full file system below it an input/output error. */
static struct ktstr_error *explain_mkfs(struct ktstr_error *error, const char *dir)
{
	_cleanup_error_ struct ktstr_error *cause = error;
	uint64_t free_bytes;

	if (!error || !ktstr_free_bytes(dir, &free_bytes) || free_bytes >= MKFS_BYTES)
		return ktstr_take(cause);
	return ktstr_error_new(KTSTR_ERR_NO_SPACE, "%llu MiB are free, up to %llu are needed: %s",
			       (unsigned long long)free_bytes >> 20, MKFS_BYTES >> 20,
			       ktstr_error_message(cause));
}

/* mkfs needs no block device: it writes to the file, and a few MiB of that. */
static struct ktstr_error *make_template(const char *mkfs, const char *dir, uint64_t bytes)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/template.img", dir);
	_cleanup_free_ char *fresh = ktstr_xasprintf("%s/template.img.new", dir);
	const char *argv[] = { mkfs, "--quiet", "--force", fresh, NULL };
	/* What a killed builder left is written over. */
	_cleanup_close_ int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct ktstr_error *error;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		return ktstr_error_sys(errno, "cannot create %s", fresh);
	error = explain_mkfs(ktstr_run_command(argv, MKFS_LIMIT, NULL, NULL), dir);
	if (!error && (fsync(fd) || rename(fresh, path)))
		error = ktstr_error_sys(errno, "cannot publish %s", path);
	if (error)
		unlink(fresh);
	return error;
}

/* One process makes it, others wait. */
static struct ktstr_error *lock_template(const char *parent, const char *key, int *lock)
{
	_cleanup_free_ char *locks = ktstr_xasprintf("%s/.locks", parent);
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s.lock", locks, key);

	KTSTR_TRY(ktstr_make_dirs(locks));
	return ktstr_lock_file(path, true, LOCK_LIMIT, lock);
}

static struct ktstr_error *open_template(const struct ktstr_disk_config *disk, const char *parent, int *fd)
{
	_cleanup_free_ char *version = NULL, *key = NULL, *dir = NULL, *path = NULL;
	const char *filesystem = ktstr_filesystem_name(disk->filesystem), *mkfs;
	uint64_t bytes = ktstr_disk_bytes(disk);
	_cleanup_close_ int lock = -1;

	KTSTR_TRY(find_mkfs(&mkfs));
	KTSTR_TRY(mkfs_version(mkfs, &version));
	key = ktstr_xasprintf("%s-%llumib-%s", filesystem, (unsigned long long)(bytes >> 20), version);
	dir = ktstr_xasprintf("%s/%s", parent, key);
	path = ktstr_xasprintf("%s/template.img", dir);
	if (open_whole(path, bytes, fd))
		return NULL;
	KTSTR_TRY(lock_template(parent, key, &lock));
	if (open_whole(path, bytes, fd)) /* made meanwhile */
		return NULL;
	KTSTR_TRY(ktstr_make_dirs(dir));
	KTSTR_TRY_WRAP(make_template(mkfs, dir, bytes), "cannot make a %s file system of %llu MiB", filesystem,
		       (unsigned long long)(bytes >> 20));
	if (open_whole(path, bytes, fd))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s has vanished, or changed its size", path);
}

static struct ktstr_error *fill_image(const struct ktstr_disk_config *disk, const char *dir, bool blank, int fd)
{
	_cleanup_close_ int template = -1;

	if (!blank && disk->filesystem != KTSTR_FILESYSTEM_RAW) {
		KTSTR_TRY(open_template(disk, dir, &template));
		return ktstr_copy_sparse(template, fd, "the template of the file system");
	}
	if (ftruncate(fd, (off_t)ktstr_disk_bytes(disk)))
		return ktstr_error_sys(errno, "cannot make a file of %llu MiB in %s",
				       (unsigned long long)(ktstr_disk_bytes(disk) >> 20), dir);
	return NULL;
}

struct ktstr_error *ktstr_disk_image_open(const struct ktstr_disk_config *disk, bool blank, int *fd)
{
	_cleanup_free_ char *dir = ktstr_disk_dir();
	_cleanup_close_ int image = -1;
	struct ktstr_error *error = ktstr_make_dirs(dir);

	if (!error)
		error = open_anonymous(dir, &image);
	if (!error)
		error = fill_image(disk, dir, blank, image);
	if (error)
		return explain_space(error, dir);
	*fd = ktstr_take_fd(&image);
	return NULL;
}
