// SPDX-License-Identifier: GPL-2.0-only
/* SHA-256 by libgcrypt: identity of images, keys of what is derived from them. */
#include <gcrypt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"

struct ktstr_error *ktstr_sha256(const void *data, size_t length, char digest[KTSTR_DIGEST_BYTES])
{
	unsigned char raw[32];

	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		if (!gcry_check_version(NULL))
			return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
					       "libgcrypt cannot be initialised");
		/* No secrets here: the locked memory pool would only fail under a small
		 * RLIMIT_MEMLOCK. */
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	gcry_md_hash_buffer(GCRY_MD_SHA256, raw, data, length);
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(digest + 2 * i, 3, "%02x", raw[i]);
	return NULL;
}

struct ktstr_error *ktstr_sha256_file(const char *path, char digest[KTSTR_DIGEST_BYTES])
{
	_cleanup_free_ char *content = NULL;
	size_t length;

	KTSTR_TRY(ktstr_read_file(path, &content, &length));
	return ktstr_sha256(content, length, digest);
}
