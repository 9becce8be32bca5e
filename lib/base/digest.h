/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256 as text. */
#ifndef KTSTR_BASE_DIGEST_H
#define KTSTR_BASE_DIGEST_H

#include <stddef.h>

#include "ktstr/error.h"

#define KTSTR_DIGEST_BYTES 65 /* 64 hex digits and a NUL */

struct ktstr_error *ktstr_sha256(const void *data, size_t length, char digest[KTSTR_DIGEST_BYTES])
	KTSTR_CHECKED;
struct ktstr_error *ktstr_sha256_file(const char *path, char digest[KTSTR_DIGEST_BYTES]) KTSTR_CHECKED;

#endif
