/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds a lock file. */
#ifndef KTSTR_BASE_LOCK_HOLDERS_H
#define KTSTR_BASE_LOCK_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ktstr_lock_holder {
	pid_t pid;
	bool exclusive;
	char *cmdline; /* printable, at most 100 bytes; "" when it cannot be read */
};

struct ktstr_lock_holders {
	struct ktstr_lock_holder *items;
	size_t count;
};

/*
 * Who holds the file, by /proc/locks; takes no lock. Nobody when it does not exist or /proc does not tell; what this
 * process holds itself is listed, too.
 */
void ktstr_lock_holders_read(const char *path, struct ktstr_lock_holders *holders);
void ktstr_lock_holders_deinit(struct ktstr_lock_holders *holders);
/* "pid 12 (ktstr test ./a), pid 13 (...)"; "somebody" when there is none. Heap. */
char *ktstr_lock_holders_text(const struct ktstr_lock_holders *holders);

/*
 * The same from given texts: lines of /proc/locks, for a file with this inode on a file system that mountinfo's line with
 * mnt_id names: st_dev is another number on btrfs and overlayfs. cmdline is left NULL.
 */
void ktstr_lock_holders_parse(const char *locks, const char *mountinfo, unsigned int mnt_id, unsigned long inode,
			      struct ktstr_lock_holders *holders);

#endif
