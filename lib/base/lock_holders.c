// SPDX-License-Identifier: GPL-2.0-only
/* Holders of flock() files, from /proc/locks. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/lock_holders.h"
#include "base/str.h"

enum { CMDLINE_MAX = 100 };

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
