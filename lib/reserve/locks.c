// SPDX-License-Identifier: GPL-2.0-only
/* flock() files in one place of the host; see locks.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/lock_holders.h"
#include "base/str.h"
#include "reserve/locks.h"

const char *ktstr_lock_dir(void)
{
	const char *dir = ktstr_env("KTSTR_LOCK_DIR");

	return dir ? dir : "/tmp";
}

char *ktstr_llc_lock_path(unsigned int llc)
{
	return ktstr_xasprintf("%s/ktstr-llc-%u.lock", ktstr_lock_dir(), llc);
}

/* Magic numbers of include/uapi/linux/magic.h and of the file systems' own sources (CIFS, SMB2). */
static const struct {
	unsigned int magic;
	const char *name;
} refused[] = {
	{ 0x6969, "NFS" },     { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" }, { 0x517b, "SMB" },
	{ 0x00c36400, "Ceph" }, { 0x5346414f, "AFS" },	{ 0x6b414653, "AFS" },	{ 0x65735546, "FUSE" },
};

static struct ktstr_error *check_file_system(int fd, const char *path)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return ktstr_error_sys(errno, "lock file %s", path);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if ((unsigned int)fs.f_type == refused[i].magic)
			return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
					       "lock file %s is on %s, where locks are not this host's own: set KTSTR_LOCK_DIR to a local directory",
					       path, refused[i].name);
	return NULL;
}

/* Another user's file in a sticky directory must not be opened with O_CREAT (fs.protected_regular). */
static int open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 && errno == EEXIST)
		return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	/* For all users, whatever the umask. */
	if (fd >= 0)
		fchmod(fd, 0666);
	return fd;
}

struct ktstr_error *ktstr_try_lock(const char *path, bool exclusive, int *fd)
{
	_cleanup_close_ int lock = open_lock(path);
	struct ktstr_lock_holders holders;
	_cleanup_free_ char *names = NULL;

	if (lock < 0)
		return ktstr_error_sys(errno, "cannot open lock file %s", path);
	KTSTR_TRY(check_file_system(lock, path));
	if (!flock(lock, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB)) {
		*fd = ktstr_take_fd(&lock);
		return NULL;
	}
	if (errno != EWOULDBLOCK)
		return ktstr_error_sys(errno, "cannot lock %s", path);
	ktstr_lock_holders_read(path, &holders);
	names = ktstr_lock_holders_text(&holders);
	ktstr_lock_holders_deinit(&holders);
	return ktstr_error_new(KTSTR_ERR_BUSY, "%s is held by %s", path, names);
}
