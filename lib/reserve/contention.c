// SPDX-License-Identifier: GPL-2.0-only
/* Tells a host that has run out of something from a failure; see contention.h. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "reserve/contention.h"

struct usage {
	unsigned long long fds, threads, vmrss_kib;
	bool near_limit;
};

static unsigned long long open_fds(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	unsigned long long count = 0;

	/* Three that are none: ".", "..", and the directory's own descriptor. */
	while (dir && readdir(dir))
		count++;
	return count > 3 ? count - 3 : 0;
}

static unsigned long long status_number(const char *status, const char *key)
{
	const char *at = status ? strstr(status, key) : NULL;
	unsigned long long value = 0;

	return at && sscanf(at + strlen(key), " %llu", &value) == 1 ? value : 0;
}

static bool is_near(unsigned long long used, int resource)
{
	struct rlimit limit;

	return !getrlimit((enum __rlimit_resource)resource, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	       used >= limit.rlim_cur - limit.rlim_cur / 10;
}

static struct usage read_usage(void)
{
	_cleanup_free_ char *status = NULL;
	struct usage usage = { .fds = open_fds() };

	ktstr_error_free(ktstr_read_file("/proc/self/status", &status, NULL));
	usage.threads = status_number(status, "\nThreads:");
	usage.vmrss_kib = status_number(status, "\nVmRSS:");
	usage.near_limit = is_near(usage.fds, RLIMIT_NOFILE) || is_near(usage.threads, RLIMIT_NPROC);
	return usage;
}

static bool is_transient(int number)
{
	return number == ENOMEM || number == EMFILE || number == ENFILE || number == EBUSY || number == EAGAIN;
}

bool ktstr_is_contention(const struct ktstr_error *error, char **reason)
{
	const char *bypass = ktstr_env("KTSTR_CONTENTION_BYPASS");
	struct usage usage;

	if (!is_transient(ktstr_error_errno(error)))
		return false;
	usage = read_usage();
	if (bypass && !strcmp(bypass, "1") && !usage.near_limit)
		return false;
	*reason = ktstr_xasprintf("RESOURCE_CONTENTION: no VM could be created: %s (fds=%llu, vmrss=%llu KiB, threads=%llu, near_limit=%s)",
				  ktstr_error_message(error), usage.fds, usage.vmrss_kib, usage.threads,
				  usage.near_limit ? "true" : "false");
	return true;
}
