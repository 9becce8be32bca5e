// SPDX-License-Identifier: GPL-2.0-only
/* Bodies that run without a VM. vm/host_only.bats takes a guest for the host: there they have cgroups, and root. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ktstr.h>

KTSTR_TEST(on_host, .host_only = true, .duration = KTSTR_MS(500),
	   .checks = { .not_stuck = KTSTR_ON, .isolation = KTSTR_ON, .max_gap_ms = KTSTR_SOME(60000) })
{
	struct ktstr_error *error;

	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 1, .cpuset = ktstr_cpuset_exact(ktstr_cpus_range(0, 1)) },
					     { .name = "cg_1", .workers = 1 }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_iterations, at_least, 1u);
	/* There is no agent whose schedulers could be swapped. */
	error = ktstr_live_detach(ctx);
	KTSTR_CLAIM(ctx, (int)ktstr_error_code(error), eq, (int)KTSTR_ERR_UNSUPPORTED);
	ktstr_error_free(error);
}

/* A process in one of the test's cgroups that does nothing at all. */
static pid_t start_sleeper(struct ktstr_ctx *ctx, const char *cgroup)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		for (;;)
			pause();
	}
	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, cgroup));
	ktstr_fail_error(ctx, ktstr_cgroup_move_tasks(ctx->cgroups, cgroup, (const int[]){ pid }, 1));
	return pid;
}

/* Stopped for long, then running for a moment, then stopped again: two reports, not more. */
KTSTR_TEST(stands_still, .host_only = true)
{
	pid_t pid = start_sleeper(ctx, "still");

	sleep(4);
	kill(pid, SIGSTOP);
	kill(pid, SIGCONT);
	sleep(4);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Workers that make cgroups by themselves, and are never stopped. */
static void start_churners(struct ktstr_ctx *ctx)
{
	const struct ktstr_work_spec spec = { .type = KTSTR_WORK(CGROUP_CHURN, .cycle = KTSTR_MS(10)), .workers = 2 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	struct ktstr_workload_handle *handle;
	uint64_t cycles[2] = { 0 };
	const int *pids;
	size_t count;

	if (ktstr_fail_error(ctx, ktstr_workload_spawn(&config, &handle)))
		return;
	pids = ktstr_workload_pids(handle, &count);
	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "churners"));
	ktstr_fail_error(ctx, ktstr_cgroup_move_tasks(ctx->cgroups, "churners", pids, count));
	ktstr_fail_error(ctx, ktstr_workload_start(handle));
	for (int i = 0; i < 1000 && cycles[0] < 4; i++) {
		usleep(10000);
		ktstr_workload_snapshot_iterations(handle, cycles);
	}
	KTSTR_CLAIM(ctx, cycles[0], at_least, 4u);
}

/* What a body leaves behind, also with children that left its group, ends with the run. */
KTSTR_TEST(leaves_a_mess, .host_only = true)
{
	start_churners(ctx);
	printf("mess: %d\n", (int)start_sleeper(ctx, "mess"));
	fflush(stdout);
}
