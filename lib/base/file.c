// SPDX-License-Identifier: GPL-2.0-only
/* Whole files, atomic replacement, trees, locks, ktstr's own folders. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lock_holders.h"
#include "base/str.h"

enum { MAX_FILE_BYTES = 1 << 30, LOCK_RETRY_NS = 20 * 1000 * 1000 };

struct ktstr_error *ktstr_read_file(const char *path, char **text, size_t *length)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_str_ struct ktstr_str content = { 0 };
	char chunk[16384];
	ssize_t got;

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open %s", path);
	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ktstr_error_sys(errno, "cannot read %s", path);
		if (content.length + (size_t)got > MAX_FILE_BYTES)
			return ktstr_error_new(KTSTR_ERR_INVALID, "%s is larger than 1 GiB", path);
		ktstr_str_add_bytes(&content, chunk, (size_t)got);
	}
	if (length)
		*length = content.length;
	*text = ktstr_str_take(&content);
	return NULL;
}

char *ktstr_read_line(const char *path)
{
	char *text = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);

	if (error)
		return NULL;
	for (size_t length = strlen(text); length && text[length - 1] == '\n'; length--)
		text[length - 1] = '\0';
	return text;
}

struct ktstr_error *ktstr_write_all(int fd, const void *data, size_t length, const char *name)
{
	const char *cursor = data;

	while (length) {
		ssize_t put = write(fd, cursor, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return ktstr_error_sys(errno, "cannot write %zu bytes to %s", length, name);
		cursor += put;
		length -= (size_t)put;
	}
	return NULL;
}

struct ktstr_error *ktstr_write_value(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open %s for writing", path);
	if (write(fd, text, strlen(text)) < 0)
		return ktstr_error_sys(errno, "cannot write \"%s\" to %s", text, path);
	return NULL;
}

struct ktstr_error *ktstr_write_file_atomic(const char *path, const void *data, size_t length)
{
	_cleanup_free_ char *temp = ktstr_xasprintf("%s.tmp.XXXXXX", path);
	_cleanup_close_ int fd = mkostemp(temp, O_CLOEXEC);
	struct ktstr_error *error;

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot create a file beside %s", path);
	error = ktstr_write_all(fd, data, length, temp);
	if (!error && (fchmod(fd, 0644) || fsync(fd)))
		error = ktstr_error_sys(errno, "cannot store %s", temp);
	if (!error && rename(temp, path))
		error = ktstr_error_sys(errno, "cannot rename %s to %s", temp, path);
	if (error)
		unlink(temp);
	return error;
}

struct ktstr_error *ktstr_make_dirs(const char *path)
{
	_cleanup_free_ char *partial = ktstr_xstrdup(path);

	for (char *slash = strchr(partial + 1, '/'); ; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(partial, 0755) && errno != EEXIST)
			return ktstr_error_sys(errno, "cannot create directory %s", partial);
		if (!slash)
			return NULL;
		*slash = '/';
	}
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

struct ktstr_error *ktstr_remove_tree(const char *path)
{
	if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return ktstr_error_sys(errno, "cannot remove %s", path);
	return NULL;
}

struct ktstr_error *ktstr_copy_file(const char *from, const char *to, unsigned int mode)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = -1;
	ssize_t moved;

	if (in < 0)
		return ktstr_error_sys(errno, "cannot open %s", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (out < 0)
		return ktstr_error_sys(errno, "cannot create %s", to);
	while ((moved = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	if (moved < 0)
		return ktstr_error_sys(errno, "cannot copy %s to %s", from, to);
	return NULL;
}

bool ktstr_free_bytes(const char *path, uint64_t *bytes)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return false;
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}

bool ktstr_path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

struct ktstr_error *ktstr_memfd(const char *name, uint64_t size_bytes, int *fd)
{
	_cleanup_close_ int memfd = memfd_create(name, MFD_CLOEXEC);

	if (memfd < 0)
		return ktstr_error_sys(errno, "cannot create memory file %s", name);
	if (ftruncate(memfd, (off_t)size_bytes))
		return ktstr_error_sys(errno, "cannot size memory file %s to %llu bytes", name,
				       (unsigned long long)size_bytes);
	*fd = ktstr_take_fd(&memfd);
	return NULL;
}

/* The pid that holds it, 0 when /proc/locks does not tell. */
static int lock_holder(const char *path)
{
	struct ktstr_lock_holders holders;
	int pid;

	ktstr_lock_holders_read(path, &holders);
	pid = holders.count ? (int)holders.items[0].pid : 0;
	ktstr_lock_holders_deinit(&holders);
	return pid;
}

struct ktstr_error *ktstr_lock_file(const char *path, bool exclusive, uint64_t timeout_ns, int *fd)
{
	_cleanup_close_ int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	uint64_t deadline = ktstr_now_ns() + timeout_ns;
	struct stat st;
	char waited[32];

	if (lock < 0)
		return ktstr_error_sys(errno, "cannot open lock file %s", path);
	while (flock(lock, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ktstr_error_sys(errno, "cannot lock %s", path);
		if (ktstr_now_ns() >= deadline)
			return ktstr_error_new(KTSTR_ERR_BUSY,
					       "%s is still locked after %s (held by pid %d)", path,
					       ktstr_format_duration(timeout_ns, waited),
					       lock_holder(path));
		ktstr_sleep_ns(LOCK_RETRY_NS);
	}
	/* Whoever had it may have removed the file before we got it: what we hold is no lock then. */
	if (!fstat(lock, &st) && !st.st_nlink)
		return ktstr_lock_file(path, exclusive, ktstr_now_ns() < deadline ? deadline - ktstr_now_ns() : 0, fd);
	*fd = ktstr_take_fd(&lock);
	return NULL;
}

const char *ktstr_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static char *xdg_dir(const char *variable, const char *below_home)
{
	const char *base = ktstr_env(variable);
	const char *home = ktstr_env("HOME");

	if (base && *base == '/')
		return ktstr_xasprintf("%s/ktstr", base);
	return ktstr_xasprintf("%s/%s/ktstr", home ? home : "/root", below_home);
}

char *ktstr_cache_dir(void)
{
	const char *own = ktstr_env("KTSTR_CACHE_DIR");
	_cleanup_free_ char *here = own && *own != '/' ? getcwd(NULL, 0) : NULL;

	/* apt and other programs get this path, and work elsewhere. */
	if (here)
		return ktstr_xasprintf("%s/%s", here, own);
	return own ? ktstr_xstrdup(own) : xdg_dir("XDG_CACHE_HOME", ".cache");
}

char *ktstr_state_dir(void)
{
	return xdg_dir("XDG_STATE_HOME", ".local/state");
}

char *ktstr_exe_dir(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length < 0)
		return ktstr_xstrdup(".");
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash && slash != path)
		*slash = '\0';
	return ktstr_xstrdup(path);
}
