/* SPDX-License-Identifier: GPL-2.0-only */
/* Lock files of host LLCs, shared by all that reserve CPUs on this host. */
#ifndef KTSTR_RESERVE_LOCKS_H
#define KTSTR_RESERVE_LOCKS_H

#include <stdbool.h>

#include "ktstr/error.h"

/* $KTSTR_LOCK_DIR, else /tmp. Borrowed. */
const char *ktstr_lock_dir(void);
/* "<dir>/ktstr-llc-<index>.lock". Heap. */
char *ktstr_llc_lock_path(unsigned int llc);

/*
 * flock() without waiting on a file that is created when missing (mode 0666, whatever the umask) and never deleted: freed
 * with fd, and by the death of the process, of which no child inherits it. KTSTR_ERR_BUSY names the holders.
 * KTSTR_ERR_UNSUPPORTED on file systems whose locks other machines share, or do not keep (NFS, CIFS, SMB2, Ceph, AFS,
 * FUSE).
 */
struct ktstr_error *ktstr_try_lock(const char *path, bool exclusive, int *fd) KTSTR_CHECKED;

#endif
