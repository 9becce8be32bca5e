// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cgroup per check that must fail, for the reason that is in its name: beside the workload a process of the test meddles
 * with its workers as a bad scheduler would. vm/checks.bats looks at the reasons.
 */
#include <ktstr.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *cgroup_dir; /* of the workload that is meddled with */

static void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left))
		;
}

static FILE *open_in_cgroup(const char *file, const char *mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", cgroup_dir, file);
	return fopen(path, mode);
}

static void write_file(const char *file, const char *text)
{
	FILE *stream = open_in_cgroup(file, "we");

	if (!stream || fputs(text, stream) < 0 || fclose(stream))
		perror(file);
}

/* The first worker once there is one in the cgroup. */
static pid_t first_worker(void)
{
	int pid = 0;

	while (pid <= 0) {
		FILE *procs = open_in_cgroup("cgroup.procs", "re");

		if (procs && fscanf(procs, "%d", &pid) != 1)
			pid = 0;
		if (procs)
			fclose(procs);
		sleep_ms(10);
	}
	return pid;
}

static void freeze_for(long ms)
{
	sleep_ms(300);
	write_file("cgroup.freeze", "1");
	sleep_ms(ms);
	write_file("cgroup.freeze", "0");
}

static void freeze_briefly(void)
{
	freeze_for(1000);
}

static void freeze_for_long(void)
{
	freeze_for(3500);
}

static void kill_one(void)
{
	sleep_ms(300);
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
	write_file("cpuset.cpus", "1");
}

static void leave_alone(void)
{
}

/* Runs the cgroup while `meddle` runs in a process of its own. */
static void run_with(struct ktstr_ctx *ctx, void (*meddle)(void), uint64_t hold, struct ktstr_assert checks,
		     struct ktstr_cgroup_def def)
{
	const struct ktstr_step step = ktstr_step_with_defs(&def, 1, ktstr_hold_fixed(hold));
	char dir[256];
	pid_t meddler;

	snprintf(dir, sizeof(dir), "%s/%s", KTSTR_CGROUP_DEFAULT_PARENT, def.name);
	cgroup_dir = dir;
	meddler = fork();
	if (!meddler) {
		first_worker();
		meddle();
		_exit(0);
	}
	ktstr_execute_steps_with(ctx, &step, 1, &checks);
	kill(meddler, SIGKILL);
	waitpid(meddler, NULL, 0);
}

#define CHECKS(...) ((struct ktstr_assert){ __VA_ARGS__ })
#define CGROUP(...) ((struct ktstr_cgroup_def){ __VA_ARGS__ })
#define CPU_0	    ktstr_cpuset_exact(ktstr_cpus_range(0, 1))

/* They wait for most of a second to be thawed before they are stopped: guests on busy hosts are late. */
KTSTR_TEST(gaps)
{
	run_with(ctx, freeze_for_long, KTSTR_MS(4700), CHECKS(.not_stuck = KTSTR_ON),
		 CGROUP(.name = "not_stuck", .workers = 2));
	run_with(ctx, freeze_briefly, KTSTR_MS(2200), CHECKS(.max_gap_ms = KTSTR_SOME(500)),
		 CGROUP(.name = "max_gap_ms", .workers = 1));
}

KTSTR_TEST(other_checks)
{
	run_with(ctx, kill_one, KTSTR_MS(800), CHECKS(.not_stuck = KTSTR_ON), CGROUP(.name = "lost", .workers = 2));
	run_with(ctx, let_out, KTSTR_MS(1000), CHECKS(.isolation = KTSTR_ON),
		 CGROUP(.name = "isolation", .workers = 1, .cpuset = CPU_0));
	run_with(ctx, deprive_one, KTSTR_MS(1500), CHECKS(.max_spread_pct = KTSTR_SOME(40.0)),
		 CGROUP(.name = "max_spread_pct", .workers = 2, .cpuset = CPU_0));
	run_with(ctx, leave_alone, KTSTR_MS(300), CHECKS(.max_p99_wake_latency_ns = KTSTR_SOME(1)),
		 CGROUP(.name = "max_p99_wake_latency_ns", .workers = 2,
			.work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(5), .sleep = KTSTR_MS(5))));
	run_with(ctx, leave_alone, KTSTR_MS(300), CHECKS(.min_work_rate = KTSTR_SOME(1e15)),
		 CGROUP(.name = "min_work_rate", .workers = 2));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, gt, 9u);
}
