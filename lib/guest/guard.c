// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps workloads from taking agent and harness down with them: limits on the cgroup that all of them are in, and
 * the order in which the kernel ends processes when memory runs out (the agent never, the job late, workers first).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "ktstr/cgroup.h"

/* Left to the agent, the test program, the scheduler and what they load. */
#define RESERVED_KIB     (48u << 10)
#define RESERVED_DIVISOR 16

static void put(const char *path, const char *text)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_write_value(path, text);

	if (error) /* a kernel without that controller: the guest is as frail as any machine then */
		fprintf(stderr, "ktstr-init: not guarded: %s\n", ktstr_error_message(error));
}

static uint64_t available_kib(void)
{
	_cleanup_fclose_ FILE *meminfo = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib = 0;

	while (meminfo && fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			return kib;
	return 0;
}

/* Half of what the kernel could run: the other half is nobody's to take. */
static void limit_tasks(void)
{
	_cleanup_free_ char *line = ktstr_read_line("/proc/sys/kernel/threads-max");
	char text[24];

	snprintf(text, sizeof(text), "%ld", line ? strtol(line, NULL, 10) / 2 : 1024);
	put(KTSTR_CGROUP_DEFAULT_PARENT "/pids.max", text);
}

static void limit_memory(void)
{
	uint64_t kib = available_kib(), reserved = kib / RESERVED_DIVISOR;
	char text[24];

	if (reserved < RESERVED_KIB)
		reserved = RESERVED_KIB;
	if (kib < 2 * reserved)
		return; /* a guest this small has nothing to set aside */
	snprintf(text, sizeof(text), "%" PRIu64, (kib - reserved) << 10);
	put(KTSTR_CGROUP_DEFAULT_PARENT "/memory.max", text);
}

void guard_agent(void)
{
	static const char *const controllers[] = { "+pids", "+memory" };

	put("/proc/self/oom_score_adj", "-1000");
	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
		put("/sys/fs/cgroup/cgroup.subtree_control", controllers[i]);
	limit_tasks();
	limit_memory();
}

/* Not -1000: a job that ate all memory itself must still be one that can be ended. */
void guard_job(void)
{
	put("/proc/self/oom_score_adj", "-900");
}
