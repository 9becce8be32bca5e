// SPDX-License-Identifier: GPL-2.0-only
/* The config that CONFIG_IKCONFIG puts into vmlinux: a gzip stream between two markers. */
#include <string.h>

#include "base/cleanup.h"
#include "kernel/internal.h"

enum { MARKER_LENGTH = 8, CONFIG_MAX_BYTES = 4 << 20 };

char *ktstr_ikconfig(const void *vmlinux, size_t length, size_t *config_length)
{
	_cleanup_error_ struct ktstr_error *error = NULL;
	const char *end = (const char *)vmlinux + length;
	const char *start, *stop;
	char *config = NULL;

	start = memmem(vmlinux, length, "IKCFG_ST", MARKER_LENGTH);
	if (!start)
		return NULL;
	start += MARKER_LENGTH;
	stop = memmem(start, (size_t)(end - start), "IKCFG_ED", MARKER_LENGTH);
	if (!stop)
		return NULL;
	error = ktstr_decompress(start, (size_t)(stop - start), CONFIG_MAX_BYTES, "IKCONFIG",
				 &config, config_length);
	return error ? NULL : config;
}
