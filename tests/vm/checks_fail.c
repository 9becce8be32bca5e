// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cgroup per check that must fail, for the reason that is in its name: the only step of the scenario meddles with its
 * workers as a bad scheduler would, and waits for what comes of it, however long that takes. vm/checks.bats looks at the
 * reasons.
 */
#include <ktstr.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 8 };

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

static size_t read_workers(pid_t pids[WORKERS_MAX])
{
	FILE *procs = open_in_cgroup("cgroup.procs", "re");
	size_t count = 0;

	while (procs && count < WORKERS_MAX && fscanf(procs, "%d", &pids[count]) == 1)
		count++;
	if (procs)
		fclose(procs);
	return count;
}

static pid_t first_worker(void)
{
	pid_t pids[WORKERS_MAX];

	return read_workers(pids) ? pids[0] : -1;
}

/* Its time on CPUs. */
static unsigned long long ran_ms(pid_t pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%llu", &ns) != 1)
			ns = 0;
		fclose(file);
	}
	return ns / 1000000;
}

/* Until each of the workers has run that much from now on. */
static void let_run(unsigned int ms)
{
	pid_t pids[WORKERS_MAX];
	size_t count = read_workers(pids);
	unsigned long long before[WORKERS_MAX];

	for (size_t i = 0; i < count; i++)
		before[i] = ran_ms(pids[i]);
	for (size_t i = 0; i < count; i++)
		while (ran_ms(pids[i]) - before[i] < ms)
			sleep_ms(10);
}

/* Until the kernel says that none of them runs any more. */
static void await_frozen(void)
{
	char events[256] = "";

	while (!strstr(events, "frozen 1")) {
		FILE *stream = open_in_cgroup("cgroup.events", "re");
		size_t got = stream ? fread(events, 1, sizeof(events) - 1, stream) : 0;

		events[got] = '\0';
		if (stream)
			fclose(stream);
		sleep_ms(10);
	}
}

static void freeze_for(long ms)
{
	let_run(20);
	write_file("cgroup.freeze", "1");
	await_frozen();
	sleep_ms(ms);
	write_file("cgroup.freeze", "0");
	let_run(50);
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
	pid_t victim = first_worker();

	let_run(20);
	kill(victim, SIGKILL);
	while (first_worker() == victim)
		sleep_ms(10);
}

/* Its CPU time then goes to the other one on the same CPU, 1024 to 15. */
static void deprive_one(void)
{
	pid_t pids[WORKERS_MAX];
	size_t count = read_workers(pids);
	unsigned long long before;

	if (count != 2)
		return;
	setpriority(PRIO_PROCESS, (id_t)pids[0], 19);
	before = ran_ms(pids[1]);
	while (ran_ms(pids[1]) - before < 1000)
		sleep_ms(10);
}

static void let_out(void)
{
	let_run(20);
	write_file("cpuset.cpus", "1");
	let_run(50);
}

static void leave_alone(void)
{
	let_run(50);
}

static void (*meddle)(void);

/* As the setup of a step, which it then makes no cgroups for. */
static void meddle_now(const struct ktstr_ctx *ctx, struct ktstr_cgroup_defs *defs)
{
	(void)ctx;
	(void)defs;
	meddle();
}

static void run_with(struct ktstr_ctx *ctx, void (*how)(void), struct ktstr_assert checks, struct ktstr_cgroup_def def)
{
	const struct ktstr_backdrop backdrop = { .setup = { .defs = &def, .defs_count = 1 } };
	const struct ktstr_step step = { .setup = { .factory = meddle_now }, .hold = ktstr_hold_fixed(0) };
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/%s", KTSTR_CGROUP_DEFAULT_PARENT, def.name);
	cgroup_dir = dir;
	meddle = how;
	ktstr_execute_scenario_with(ctx, &backdrop, &step, 1, &checks);
}

#define CHECKS(...) ((struct ktstr_assert){ __VA_ARGS__ })
#define CGROUP(...) ((struct ktstr_cgroup_def){ __VA_ARGS__ })
#define CPU_0	    ktstr_cpuset_exact(ktstr_cpus_range(0, 1))

KTSTR_TEST(gaps, .duration = KTSTR_SEC(60))
{
	run_with(ctx, freeze_for_long, CHECKS(.not_stuck = KTSTR_ON), CGROUP(.name = "not_stuck", .workers = 2));
	run_with(ctx, freeze_briefly, CHECKS(.max_gap_ms = KTSTR_SOME(500)), CGROUP(.name = "max_gap_ms", .workers = 1));
}

KTSTR_TEST(other_checks, .duration = KTSTR_SEC(60))
{
	run_with(ctx, kill_one, CHECKS(.not_stuck = KTSTR_ON), CGROUP(.name = "lost", .workers = 2));
	run_with(ctx, let_out, CHECKS(.isolation = KTSTR_ON),
		 CGROUP(.name = "isolation", .workers = 1, .cpuset = CPU_0));
	run_with(ctx, deprive_one, CHECKS(.max_spread_pct = KTSTR_SOME(40.0)),
		 CGROUP(.name = "max_spread_pct", .workers = 2, .cpuset = CPU_0));
	run_with(ctx, leave_alone, CHECKS(.max_p99_wake_latency_ns = KTSTR_SOME(1)),
		 CGROUP(.name = "max_p99_wake_latency_ns", .workers = 2,
			.work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(5), .sleep = KTSTR_MS(5))));
	run_with(ctx, leave_alone, CHECKS(.min_work_rate = KTSTR_SOME(1e15)),
		 CGROUP(.name = "min_work_rate", .workers = 2));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, gt, 9u);
}
