// SPDX-License-Identifier: GPL-2.0-only
/* The memory budget of parallel runs; see memory.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/file.h"
#include "base/str.h"
#include "runner/memory.h"

/*
 * QEMU itself, without the guest's memory: 60 MiB at 2 vCPUs and 10 more for each (translated code, 8 MiB of huge
 * pages a vCPU, and its stack), measured with 10.0 under emulation after a short run; rounded up.
 */
enum { QEMU_MIB = 64, QEMU_PER_VCPU_MIB = 12 };
/* What a clone writes, before one has been measured. */
enum { CLONE_MIB = 128, CLONE_PER_VCPU_MIB = 8 };
/* Another clone may need more than the largest so far. */
enum { PEAK_PCT = 125 };
/* Left to the host: a sixteenth of its memory, a GiB at most. */
enum { RESERVE_SHARE = 16, RESERVE_MAX_MIB = 1024 };

static uint64_t qemu_mib(const struct ktstr_memory_claim *claim)
{
	return QEMU_MIB + QEMU_PER_VCPU_MIB * (uint64_t)claim->vcpus;
}

static uint64_t full_mib(const struct ktstr_memory_claim *claim)
{
	return claim->guest_mib + qemu_mib(claim);
}

uint64_t ktstr_memory_claim_mib(const struct ktstr_memory_claim *claim, uint64_t clone_peak_mib)
{
	uint64_t share = clone_peak_mib ? clone_peak_mib * PEAK_PCT / 100 :
					  qemu_mib(claim) + CLONE_MIB + CLONE_PER_VCPU_MIB * (uint64_t)claim->vcpus;

	if (!claim->clone)
		return full_mib(claim);
	if (share < claim->used_mib)
		share = claim->used_mib;
	return share < full_mib(claim) ? share : full_mib(claim);
}

/* What is usable of the host's memory while nothing of ours runs. */
static uint64_t usable_mib(const struct ktstr_memory_host *host)
{
	uint64_t reserve = host->total_mib / RESERVE_SHARE;

	if (host->limited)
		return host->available_mib;
	if (reserve > RESERVE_MAX_MIB)
		reserve = RESERVE_MAX_MIB;
	return host->available_mib > reserve ? host->available_mib - reserve : 0;
}

uint64_t ktstr_memory_left_mib(const struct ktstr_memory_host *host, const struct ktstr_memory_claim *claims,
			       size_t count, uint64_t clone_peak_mib)
{
	uint64_t usable = usable_mib(host), taken = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t claim = ktstr_memory_claim_mib(&claims[i], clone_peak_mib);
		/* The host's number already lacks what is in use. */
		uint64_t used = host->limited ? 0 : claims[i].used_mib;

		taken += claim > used ? claim - used : 0;
	}
	return usable > taken ? usable - taken : 0;
}

struct ktstr_error *ktstr_memory_refusal(const struct ktstr_memory_host *host,
					 const struct ktstr_memory_claim *claim, uint64_t clone_peak_mib)
{
	unsigned long long need = ktstr_memory_claim_mib(claim, clone_peak_mib), have = usable_mib(host);

	if (host->limited)
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY,
				       "this run needs %llu MiB (guest %llu, QEMU %llu), KTSTR_MEMORY_BUDGET_MIB allows %llu: raise it, or give the test less memory or fewer CPUs",
				       need, (unsigned long long)claim->guest_mib,
				       (unsigned long long)qemu_mib(claim), have);
	return ktstr_error_new(KTSTR_ERR_NO_MEMORY,
			       "this run needs %llu MiB (guest %llu, QEMU %llu), the host has %llu MiB to give: free memory (`ktstr template drop --all` gives back templates), give the test less memory or fewer CPUs, or set KTSTR_MEMORY_BUDGET_MIB if you know better",
			       need, (unsigned long long)claim->guest_mib, (unsigned long long)qemu_mib(claim), have);
}

/* The number behind "key" at the start of a line, in the file's unit; false when there is none. */
static bool read_number(const char *path, const char *key, uint64_t *value)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);
	const char *line = text;

	while (line && strncmp(line, key, strlen(key))) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return false;
	line += strlen(key);
	line += strspn(line, " \t");
	if (*line < '0' || *line > '9') /* "max" */
		return false;
	*value = strtoull(line, NULL, 10);
	return true;
}

/* What one cgroup still allows; its page cache that nobody uses could be taken back. */
static bool cgroup_room_mib(const char *dir, uint64_t *room_mib)
{
	_cleanup_free_ char *max_path = ktstr_xasprintf("%s/memory.max", dir);
	_cleanup_free_ char *current_path = ktstr_xasprintf("%s/memory.current", dir);
	_cleanup_free_ char *stat_path = ktstr_xasprintf("%s/memory.stat", dir);
	uint64_t max, current, cache = 0;

	if (!read_number(max_path, "", &max) || !read_number(current_path, "", &current))
		return false;
	read_number(stat_path, "inactive_file ", &cache);
	current = current > cache ? current - cache : 0;
	*room_mib = max > current ? (max - current) >> 20 : 0;
	return true;
}

/* Lowers the number to what our cgroup and those above it allow (version 2). */
static void apply_cgroups(const char *root, uint64_t *available_mib)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/proc/self/cgroup", root);
	_cleanup_free_ char *text = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);
	char *line = text ? strstr(text, "0::/") : NULL;

	if (!line)
		return;
	line += strlen("0::");
	line[strcspn(line, "\n")] = '\0';
	for (char *end = line + strlen(line); end; end = strrchr(line, '/')) {
		_cleanup_free_ char *dir = NULL;
		uint64_t room_mib;

		*end = '\0';
		dir = ktstr_xasprintf("%s/sys/fs/cgroup%s", root, line);
		if (cgroup_room_mib(dir, &room_mib) && room_mib < *available_mib)
			*available_mib = room_mib;
	}
}

void ktstr_memory_host_read(const char *root, struct ktstr_memory_host *host)
{
	_cleanup_free_ char *meminfo = ktstr_xasprintf("%s/proc/meminfo", root);
	uint64_t budget_mib = 0, total_kib = 0, available_kib = 0;

	*host = (struct ktstr_memory_host){ 0 };
	ktstr_error_free(ktstr_env_mib("KTSTR_MEMORY_BUDGET_MIB", &budget_mib));
	if (budget_mib) {
		host->limited = true;
		host->available_mib = host->total_mib = budget_mib;
		return;
	}
	/* A host that does not tell is not held back. */
	if (!read_number(meminfo, "MemTotal:", &total_kib) || !read_number(meminfo, "MemAvailable:", &available_kib)) {
		host->available_mib = UINT64_MAX >> 20;
		return;
	}
	host->total_mib = total_kib >> 10;
	host->available_mib = available_kib >> 10;
	apply_cgroups(root, &host->available_mib);
}

static uint64_t process_share_kib(const char *root, const char *pid)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/proc/%s/smaps_rollup", root, pid);
	uint64_t kib = 0;

	read_number(path, "Pss:", &kib);
	return kib;
}

uint64_t ktstr_memory_share_mib(const char *root, pid_t pid)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/proc/%d/task/%d/children", root, (int)pid, (int)pid);
	_cleanup_free_ char *self = ktstr_xasprintf("%d", (int)pid);
	_cleanup_free_ char *children = ktstr_read_line(path);
	uint64_t kib = process_share_kib(root, self);
	char *save = NULL;

	for (char *child = children ? strtok_r(children, " \n", &save) : NULL; child;
	     child = strtok_r(NULL, " \n", &save))
		kib += process_share_kib(root, child);
	return kib >> 10;
}
