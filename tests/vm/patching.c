// SPDX-License-Identifier: GPL-2.0-only
/* A guest whose kernel patches its text all the time, on CPUs that run it: for vm/coherence.c. */
#include <ktstr.h>

#include <fcntl.h>
#include <unistd.h>

/* A static key in the path of each wakeup, on and off. */
static void switch_schedstats(const struct ktstr_worker_ctx *ctx)
{
	uint64_t switches = 0;
	int fd = open("/proc/sys/kernel/sched_schedstats", O_WRONLY | O_CLOEXEC);

	while (fd >= 0 && !ktstr_worker_should_stop(ctx)) {
		if (pwrite(fd, switches & 1 ? "1" : "0", 1, 0) == 1)
			ktstr_worker_progress(ctx, ++switches);
	}
}

KTSTR_TEST(patches_under_load, .description = "the kernel patches its text while all CPUs run it",
	   .topology = { .cores_per_llc = 8 }, .duration = KTSTR_SEC(30))
{
	const struct ktstr_cgroup_stats *patching;

	ktstr_run_cgroups(ctx, KTSTR_CGROUPS(
		{ .name = "patching", .workers = 1, .work = KTSTR_WORK(CUSTOM, .name = "switch", .fn = switch_schedstats) },
		{ .name = "pipes", .workers = 24, .work = KTSTR_WORK(PIPE_IO) }));
	patching = ktstr_stats_cgroup(ktstr_stats(ctx), "patching");
	if (patching)
		KTSTR_CLAIM(ctx, patching->total_iterations, at_least, 2); /* a busy host gets to few */
}
