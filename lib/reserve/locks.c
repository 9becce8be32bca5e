// SPDX-License-Identifier: GPL-2.0-only
/* flock() files in one place of the host; see locks.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "reserve/locks.h"

enum { CMDLINE_MAX = 100 };

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

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime ...": the third word of the line of that mount. */
static bool find_device(const char *mountinfo, unsigned int mnt_id, unsigned int *major, unsigned int *minor)
{
	for (const char *line = mountinfo; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		unsigned int id;

		if (sscanf(line, "%u %*u %u:%u", &id, major, minor) == 3 && id == mnt_id)
			return true;
	}
	return false;
}

void ktstr_lock_holders_parse(const char *locks, const char *mountinfo, unsigned int mnt_id, unsigned long inode,
			      struct ktstr_lock_holders *holders)
{
	unsigned int major, minor;

	*holders = (struct ktstr_lock_holders){ 0 };
	if (!find_device(mountinfo, mnt_id, &major, &minor))
		return;
	for (const char *line = locks; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char type[16], mode[16];
		unsigned int lock_major, lock_minor;
		unsigned long lock_inode;
		int pid;

		/* "1: FLOCK  ADVISORY  WRITE 4311 00:1b:62 0 EOF"; "1: -> FLOCK ..." waits and holds nothing. */
		if (sscanf(line, "%*d: %15s %*s %15s %d %x:%x:%lu", type, mode, &pid, &lock_major, &lock_minor,
			   &lock_inode) != 6 ||
		    strcmp(type, "FLOCK") || lock_major != major || lock_minor != minor || lock_inode != inode)
			continue;
		holders->items = ktstr_xrealloc(holders->items, (holders->count + 1) * sizeof(*holders->items));
		holders->items[holders->count++] =
			(struct ktstr_lock_holder){ .pid = pid, .exclusive = !strcmp(mode, "WRITE") };
	}
}

static char *cmdline_of(pid_t pid)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/cmdline", (int)pid);
	_cleanup_free_ char *text = NULL;
	struct ktstr_str shown = { 0 };
	size_t length = 0;

	ktstr_error_free(ktstr_read_file(path, &text, &length));
	while (length && !text[length - 1])
		length--;
	if (length > CMDLINE_MAX)
		length = CMDLINE_MAX;
	for (size_t i = 0; i < length; i++)
		if (!text[i])
			text[i] = ' ';
	if (length)
		ktstr_str_add_printable(&shown, text, length);
	return ktstr_str_take(&shown);
}

/* "mnt_id:\t27" of /proc/self/fdinfo. */
static bool mount_of(int fd, unsigned int *mnt_id)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/self/fdinfo/%d", fd);
	_cleanup_free_ char *text = NULL;
	const char *at;

	ktstr_error_free(ktstr_read_file(path, &text, NULL));
	at = text ? strstr(text, "mnt_id:") : NULL;
	return at && sscanf(at, "mnt_id: %u", mnt_id) == 1;
}

void ktstr_lock_holders_read(const char *path, struct ktstr_lock_holders *holders)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *locks = NULL;
	_cleanup_free_ char *mountinfo = NULL;
	unsigned int mnt_id;
	struct stat st;

	*holders = (struct ktstr_lock_holders){ 0 };
	if (fd < 0 || fstat(fd, &st) || !mount_of(fd, &mnt_id))
		return;
	ktstr_error_free(ktstr_read_file("/proc/locks", &locks, NULL));
	ktstr_error_free(ktstr_read_file("/proc/self/mountinfo", &mountinfo, NULL));
	ktstr_lock_holders_parse(locks ? locks : "", mountinfo ? mountinfo : "", mnt_id, st.st_ino, holders);
	for (size_t i = 0; i < holders->count; i++)
		holders->items[i].cmdline = cmdline_of(holders->items[i].pid);
}

void ktstr_lock_holders_deinit(struct ktstr_lock_holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		free(holders->items[i].cmdline);
	free(holders->items);
	*holders = (struct ktstr_lock_holders){ 0 };
}

char *ktstr_lock_holders_text(const struct ktstr_lock_holders *holders)
{
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < holders->count; i++) {
		const struct ktstr_lock_holder *holder = &holders->items[i];
		bool named = holder->cmdline && *holder->cmdline;

		ktstr_str_addf(&text, "%spid %d%s%s%s", i ? ", " : "", (int)holder->pid, named ? " (" : "",
			       named ? holder->cmdline : "", named ? ")" : "");
	}
	if (!holders->count)
		ktstr_str_add(&text, "somebody");
	return ktstr_str_take(&text);
}
