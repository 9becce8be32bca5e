/* SPDX-License-Identifier: GPL-2.0-only */
/* Files: whole reads and writes, atomic replacement, directory trees, locks, ktstr's own folders. */
#ifndef KTSTR_BASE_FILE_H
#define KTSTR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktstr/error.h"

/* The whole file as a heap string with a NUL behind it. length may be NULL. Capped at 1 GiB. */
struct ktstr_error *ktstr_read_file(const char *path, char **text, size_t *length) KTSTR_CHECKED;
/* As above without the error value: NULL when unreadable; trailing newlines removed. */
char *ktstr_read_line(const char *path);
/* Writes everything to fd, continuing over partial writes. name is for the message. */
struct ktstr_error *ktstr_write_all(int fd, const void *data, size_t length, const char *name)
	KTSTR_CHECKED;
/* Writes to an existing (kernel) file in one write. */
struct ktstr_error *ktstr_write_value(const char *path, const char *text) KTSTR_CHECKED;
/* Temp file beside path, fsync, rename: readers see the old or the new content, never half. */
struct ktstr_error *ktstr_write_file_atomic(const char *path, const void *data, size_t length)
	KTSTR_CHECKED;
struct ktstr_error *ktstr_make_dirs(const char *path) KTSTR_CHECKED; /* like mkdir -p */
/* Removes path and everything below it; missing is success; never follows symbolic links. */
struct ktstr_error *ktstr_remove_tree(const char *path) KTSTR_CHECKED;
struct ktstr_error *ktstr_copy_file(const char *from, const char *to, unsigned int mode)
	KTSTR_CHECKED;
bool ktstr_path_exists(const char *path);
/* What of the file system below path is free for us; errno says why not. */
bool ktstr_free_bytes(const char *path, uint64_t *bytes);

/* An anonymous file in memory, close-on-exec, of the given size. */
struct ktstr_error *ktstr_memfd(const char *name, uint64_t size_bytes, int *fd) KTSTR_CHECKED;

/*
 * flock() on a lock file that is created when missing, and that only its exclusive holder may delete;
 * released by closing fd and by the death of the process. A wait longer than timeout_ns is
 * KTSTR_ERR_BUSY, whose message names the file and, where /proc/locks tells, the pid that holds it.
 * 0 = do not wait.
 */
struct ktstr_error *ktstr_lock_file(const char *path, bool exclusive, uint64_t timeout_ns, int *fd)
	KTSTR_CHECKED;

/* $KTSTR_CACHE_DIR, else $XDG_CACHE_HOME/ktstr, else ~/.cache/ktstr. Heap. */
char *ktstr_cache_dir(void);
/* $XDG_STATE_HOME/ktstr, else ~/.local/state/ktstr: run directories and their index. Heap. */
char *ktstr_state_dir(void);
/* The value, or NULL when the variable is missing or empty. */
const char *ktstr_env(const char *name);
/* The folder of the running executable, heap; "." when it cannot be told. */
char *ktstr_exe_dir(void);

#endif
