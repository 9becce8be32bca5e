// SPDX-License-Identifier: GPL-2.0-only
/* Numbers in variables of the environment. */
#include <errno.h>
#include <stdlib.h>

#include "base/env.h"
#include "base/file.h"

bool ktstr_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || number < min || number > max)
		return false;
	*value = number;
	return true;
}

struct ktstr_error *ktstr_env_number(const char *name, const char *what, uint64_t min, uint64_t max, uint64_t *value)
{
	const char *text = ktstr_env(name);

	if (!text || ktstr_parse_number(text, min, max, value))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "%s=%s: give %s; or unset it", name, text, what);
}

struct ktstr_error *ktstr_env_ms(const char *name, uint64_t min_ms, uint64_t *ms)
{
	return ktstr_env_number(name, "ms, such as 500; an hour at most", min_ms, 3600000, ms);
}

struct ktstr_error *ktstr_env_mib(const char *name, uint64_t *mib)
{
	return ktstr_env_number(name, "MiB, such as 4096", 1, 1u << 30, mib);
}
