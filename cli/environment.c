// SPDX-License-Identifier: GPL-2.0-only
/* Variables of the environment that hold numbers: a slip in one is told, not taken for a default. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/file.h"
#include "cli/commands.h"

static const struct {
	const char *name, *what;
	unsigned long long max;
} numbers[] = {
	{ "KTSTR_TEMPLATE_CAP_MIB", "MiB, such as 4096", 1ull << 30 },
	{ "KTSTR_MEMORY_BUDGET_MIB", "MiB, such as 8192", 1ull << 30 },
	{ "KTSTR_STALL_POLL_MS", "ms, such as 500; an hour at most", 3600000 },
	{ "KTSTR_STUCK_POLL_MS", "ms, such as 500; an hour at most", 3600000 },
	{ "KTSTR_RUN_EPOCH", "digits, ns since 1970", ~0ull },
};

struct ktstr_error *ktstr_cli_check_environment(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *value = ktstr_env(numbers[i].name);
		unsigned long long number;
		char *end;

		if (!value)
			continue;
		errno = 0;
		number = strtoull(value, &end, 10);
		if (errno || *end || *value < '0' || *value > '9' || !number || number > numbers[i].max)
			return ktstr_error_new(KTSTR_ERR_INVALID, "%s=%s: give %s; or unset it", numbers[i].name, value,
					       numbers[i].what);
	}
	return NULL;
}
