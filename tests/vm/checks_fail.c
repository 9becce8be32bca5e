// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test per check that must fail, and for the reason that is in its name: beside the workload a process of the
 * test meddles with its workers as a bad scheduler would. vm/checks.bats looks at the reasons.
 */
#include <ktstr.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CGROUP KTSTR_CGROUP_DEFAULT_PARENT "/cg_0"

static void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left))
		;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

/* The first worker once there is one in the cgroup. */
static pid_t first_worker(void)
{
	int pid = 0;

	while (pid <= 0) {
		FILE *procs = fopen(CGROUP "/cgroup.procs", "re");

		if (procs && fscanf(procs, "%d", &pid) != 1)
			pid = 0;
		if (procs)
			fclose(procs);
		sleep_ms(10);
	}
	return pid;
}

static void freeze_for_a_while(void)
{
	sleep_ms(500);
	write_file(CGROUP "/cgroup.freeze", "1");
	sleep_ms(4000);
	write_file(CGROUP "/cgroup.freeze", "0");
}

static void kill_one(void)
{
	sleep_ms(500);
	kill(first_worker(), SIGKILL);
}

/* Its CPU time then goes to the other one on the same CPU, 1024 to 15. */
static void deprive_one(void)
{
	setpriority(PRIO_PROCESS, (id_t)first_worker(), 19);
}

static void let_out(void)
{
	sleep_ms(300);
	write_file(CGROUP "/cpuset.cpus", "1");
}

/* Runs the cgroup while `meddle` runs in a process of its own. */
static void run_with(struct ktstr_ctx *ctx, void (*meddle)(void), struct ktstr_cgroup_def def)
{
	pid_t meddler = fork();

	if (!meddler) {
		first_worker();
		meddle();
		_exit(0);
	}
	def.name = "cg_0";
	ktstr_run_cgroups(ctx, &def, 1);
	kill(meddler, SIGKILL);
	waitpid(meddler, NULL, 0);
}

KTSTR_TEST(not_stuck_sees_a_gap, .duration = KTSTR_SEC(6), .checks = { .not_stuck = KTSTR_ON })
{
	run_with(ctx, freeze_for_a_while, (struct ktstr_cgroup_def){ .workers = 2 });
}

KTSTR_TEST(not_stuck_sees_a_lost_worker, .duration = KTSTR_SEC(2), .checks = { .not_stuck = KTSTR_ON })
{
	run_with(ctx, kill_one, (struct ktstr_cgroup_def){ .workers = 2 });
}

KTSTR_TEST(max_gap_ms, .duration = KTSTR_SEC(6), .checks = { .max_gap_ms = KTSTR_SOME(1000) })
{
	run_with(ctx, freeze_for_a_while, (struct ktstr_cgroup_def){ .workers = 1 });
}

KTSTR_TEST(isolation, .duration = KTSTR_SEC(2), .checks = { .isolation = KTSTR_ON })
{
	run_with(ctx, let_out, (struct ktstr_cgroup_def){ .workers = 1,
							   .cpuset = ktstr_cpuset_exact(ktstr_cpus_range(0, 1)) });
}

KTSTR_TEST(max_spread_pct, .duration = KTSTR_SEC(3), .checks = { .max_spread_pct = KTSTR_SOME(40.0) })
{
	run_with(ctx, deprive_one, (struct ktstr_cgroup_def){ .workers = 2,
							       .cpuset = ktstr_cpuset_exact(ktstr_cpus_range(0, 1)) });
}

KTSTR_TEST(max_p99_wake_latency_ns, .duration = KTSTR_SEC(2),
	   .checks = { .max_p99_wake_latency_ns = KTSTR_SOME(1) })
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 2,
					       .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(5),
								  .sleep = KTSTR_MS(5)) }));
}

KTSTR_TEST(min_work_rate, .duration = KTSTR_SEC(1), .checks = { .min_work_rate = KTSTR_SOME(1e15) })
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 2 }));
}

KTSTR_TEST(claim, .duration = KTSTR_SEC(1))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0", .workers = 2 }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, gt, 2u);
}
