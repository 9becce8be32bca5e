/* SPDX-License-Identifier: GPL-2.0-only */
/* Sparse files: copies in which holes stay holes. */
#ifndef KTSTR_BASE_SPARSE_H
#define KTSTR_BASE_SPARSE_H

#include "ktstr/error.h"

/*
 * Makes `out`, an empty file that is open for writing, a copy of `in`. The two share their blocks where the file system
 * can do that (FICLONE); else only data is copied. what: for the message.
 */
struct ktstr_error *ktstr_copy_sparse(int in, int out, const char *what) KTSTR_CHECKED;

#endif
