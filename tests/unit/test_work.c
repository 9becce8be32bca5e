// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: what each type presses (by the kernel's own counters), the life cycle including workers
 * that die or hang, and the telemetry.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "work/workload.h"
#include "unit.h"

#define assert_refused(call, text)                                             \
	do {                                                                   \
		_cleanup_error_ struct ktstr_error *error_ = (call);           \
		assert_int_equal(ktstr_error_code(error_), KTSTR_ERR_INVALID); \
		assert_string_equal(ktstr_error_message(error_), text);        \
	} while (0)

/* ---- what the kernel says about a process ---- */

static uint64_t proc_number(int pid, const char *file, const char *key)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/%s", pid, file);
	_cleanup_free_ char *text = NULL;
	const char *line;

	assert_ok(ktstr_read_file(path, &text, NULL));
	line = strstr(text, key);
	assert_non_null(line);
	return strtoull(line + strlen(key), NULL, 10);
}

static uint64_t voluntary_switches(int pid)
{
	return proc_number(pid, "status", "\nvoluntary_ctxt_switches:");
}

static uint64_t involuntary_switches(int pid)
{
	return proc_number(pid, "status", "\nnonvoluntary_ctxt_switches:");
}

static uint64_t switches(int pid)
{
	return voluntary_switches(pid) + involuntary_switches(pid);
}

static size_t open_fds(int pid)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/fd", pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	return count;
}

static size_t shared_mappings(void)
{
	_cleanup_free_ char *text = NULL;
	size_t count = 0;

	assert_ok(ktstr_read_file("/proc/self/maps", &text, NULL));
	for (char *at = text; (at = strstr(at, "/dev/zero (deleted)")); at++)
		count++;
	return count;
}

/* The CPUs this test may use. */
static struct ktstr_cpus own_cpus(void)
{
	struct ktstr_cpus cpus = { 0 };
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			ktstr_cpus_add(&cpus, cpu);
	return cpus;
}

static struct ktstr_affinity first_cpu(void)
{
	struct ktstr_cpus all = own_cpus();

	return ktstr_affinity_exact(ktstr_cpus_range((unsigned int)ktstr_cpus_next(&all, 0), 1));
}

/* ---- running a workload ---- */

struct run {
	struct ktstr_workload_handle *handle;
	const int *pids;
	const struct ktstr_worker_report *reports;
	size_t count;
};

/* Of the running test, for the teardown: a test that fails leaves no worker to the next one. */
static struct ktstr_workload_handle *live;

static void spawn(struct run *run, const struct ktstr_workload_config *config)
{
	assert_ok(ktstr_workload_spawn(config, &live));
	run->handle = live;
	run->pids = ktstr_workload_pids(run->handle, &run->count);
}

static void end(struct run *run)
{
	ktstr_workload_destroy(run->handle);
	live = NULL;
}

static int tear_down(void **state)
{
	(void)state;
	ktstr_workload_destroy(live);
	live = NULL;
	return 0;
}

static void begin_specs(struct run *run, const struct ktstr_work_spec *specs, size_t count)
{
	struct ktstr_workload_config config = { .specs = specs,
						.specs_count = count,
						.label = "t" };

	spawn(run, &config);
	assert_ok(ktstr_workload_start(run->handle));
}

static void begin(struct run *run, struct ktstr_work_type type, unsigned int workers,
		  struct ktstr_affinity affinity)
{
	struct ktstr_work_spec spec = { .type = type, .workers = workers, .affinity = affinity };

	begin_specs(run, &spec, 1);
}

/* Until every worker has made that many iterations; a test that hangs here says so. */
static void wait_iterations(const struct run *run, uint64_t wanted)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(20);
	uint64_t counters[16];

	assert_true(run->count <= 16);
	for (size_t i = 0; i < run->count; i++) {
		do {
			assert_true(ktstr_now_ns() < deadline);
			ktstr_sleep_ns(KTSTR_MS(2));
			ktstr_workload_snapshot_iterations(run->handle, counters);
		} while (counters[i] < wanted);
	}
}

static void stop(struct run *run)
{
	run->reports = ktstr_workload_stop_and_collect(run->handle, &run->count);
}

static void assert_all_completed(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		assert_int_equal(run->reports[i].exit, KTSTR_WORKER_COMPLETED);
		assert_int_equal(run->reports[i].tid, run->pids[i]);
		assert_int_equal(run->reports[i].index, i);
		assert_true(run->reports[i].work_units > 0);
		assert_true(run->reports[i].iterations > 0);
		assert_true(run->reports[i].cpu_time_ns > 0);
		assert_true(run->reports[i].wall_time_ns >= run->reports[i].max_gap_ns);
		assert_true(ktstr_cpus_count(&run->reports[i].cpus_used) > 0);
	}
}

/* ---- types ---- */

static void test_defaults(void **state)
{
	struct ktstr_work_type type = KTSTR_WORK(BURSTY, .sleep = KTSTR_MS(7));
	struct ktstr_work_type resolved = ktstr_work_type_resolve(&type);

	(void)state;
	assert_int_equal(resolved.BURSTY.burst, KTSTR_MS(50));
	assert_int_equal(resolved.BURSTY.sleep, KTSTR_MS(7));
	assert_true(resolved.literal);
	assert_true(ktstr_work_type_from_name("PipeIo", &type));
	assert_int_equal(type.PIPE_IO.burst_iters, 1024);
	assert_int_equal(ktstr_work_type_group_size(&type), 2);
	type = KTSTR_WORK(PIPE_IO, .burst_iters = 0);
	type.literal = true;
	assert_int_equal(ktstr_work_type_resolve(&type).PIPE_IO.burst_iters, 0);
}

/* Runs on the CPU all the time: CPU time close to what it could get, hardly a voluntary switch. */
static void test_spin_wait(void **state)
{
	struct run run;
	uint64_t voluntary;

	(void)state;
	begin(&run, KTSTR_WORK(SPIN_WAIT), 2, (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 1);
	voluntary = voluntary_switches(run.pids[0]);
	wait_iterations(&run, 500);
	assert_true(voluntary_switches(run.pids[0]) - voluntary < 20);
	stop(&run);
	assert_all_completed(&run);
	for (size_t i = 0; i < run.count; i++) {
		const struct ktstr_worker_report *report = &run.reports[i];

		assert_int_equal(report->wake_latencies.total_samples, 0);
		assert_true(report->work_units >= (report->iterations - 1) * 1024);
		assert_int_equal(report->off_cpu_ns,
				 report->wall_time_ns > report->cpu_time_ns ?
					 report->wall_time_ns - report->cpu_time_ns :
					 0);
		if (report->schedstat_available)
			assert_true(report->schedstat_cpu_time_ns > report->cpu_time_ns / 2);
	}
	end(&run);
}

/* A yield that switches is an involuntary switch to the kernel: the task stayed runnable. */
static void yields_on_one_cpu(struct ktstr_work_type type, uint64_t iterations)
{
	struct run run;
	uint64_t before;

	begin(&run, type, 2, first_cpu());
	wait_iterations(&run, 1);
	before = involuntary_switches(run.pids[0]);
	wait_iterations(&run, iterations);
	assert_true(involuntary_switches(run.pids[0]) - before >= iterations / 20);
	stop(&run);
	assert_all_completed(&run);
	assert_int_equal(run.reports[0].affinity_errno, 0);
	assert_int_equal(ktstr_cpus_count(&run.reports[0].cpus_used), 1);
	assert_int_equal(run.reports[0].wake_latencies.total_samples, 0);
	end(&run);
}

static void test_yield_heavy(void **state)
{
	(void)state;
	yields_on_one_cpu(KTSTR_WORK(YIELD_HEAVY), 2000);
}

static void test_mixed(void **state)
{
	(void)state;
	yields_on_one_cpu(KTSTR_WORK(MIXED), 200);
}

/* Each cycle sleeps once, which is a voluntary switch, and burns its burst of CPU time. */
static void test_bursty(void **state)
{
	struct run run;
	uint64_t voluntary;

	(void)state;
	begin(&run, KTSTR_WORK(BURSTY, .burst = KTSTR_MS(4), .sleep = KTSTR_MS(6)), 1,
	      (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 20);
	voluntary = voluntary_switches(run.pids[0]);
	stop(&run);
	assert_all_completed(&run);
	assert_true(voluntary >= 20);
	assert_true(run.reports[0].cpu_time_ns >= 20 * KTSTR_MS(4));
	assert_true(run.reports[0].off_cpu_ns >= 20 * KTSTR_MS(6));
	assert_true(run.reports[0].wake_latencies.total_samples >= 20);
	for (size_t i = 0; i < run.reports[0].wake_latencies.count; i++)
		assert_true(run.reports[0].wake_latencies.values_ns[i] >= KTSTR_MS(6));
	end(&run);
}

/*
 * Two partners on one CPU. Neither can be more than one iteration ahead, so a turn is at most two iterations, and 1000 of
 * each need 1000 switches between them (but for the ends). How many of those are sleeps depends on who else runs: a waker
 * that is preempted by its wakee finds the answer there when it is back.
 */
static void test_pipe_io(void **state)
{
	struct run run;
	_cleanup_close_ int foreign = open("/dev/null", O_RDONLY);
	uint64_t before;

	(void)state;
	assert_true(foreign >= 0);
	begin(&run, KTSTR_WORK(PIPE_IO, .burst_iters = 64), 2, first_cpu());
	wait_iterations(&run, 1);
	/* Its own ends and the standard three: nothing of ours, nothing of its partner's. */
	assert_int_equal(open_fds(run.pids[0]), 5);
	before = switches(run.pids[0]) + switches(run.pids[1]);
	wait_iterations(&run, 1000);
	assert_true(switches(run.pids[0]) + switches(run.pids[1]) - before >= 900);
	stop(&run);
	assert_all_completed(&run);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(run.reports[i].wake_latencies.total_samples,
				 run.reports[i].iterations);
	/* They take turns. */
	assert_true(run.reports[0].iterations + 2 >= run.reports[1].iterations);
	assert_true(run.reports[1].iterations + 2 >= run.reports[0].iterations);
	end(&run);
}

/* The kernel counts 16 writes an iteration, and the file is gone from /tmp at once. */
static void test_io_sync_write(void **state)
{
	struct run run;
	_cleanup_free_ char *path = NULL;

	(void)state;
	assert_null(getenv("KTSTR_GUEST_INIT"));
	begin(&run, KTSTR_WORK(IO_SYNC_WRITE), 2, (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 4);
	assert_true(proc_number(run.pids[0], "io", "syscw:") >= 4 * 16);
	path = ktstr_xasprintf("/tmp/ktstr_iodev_%d", run.pids[0]);
	assert_false(ktstr_path_exists(path));
	stop(&run);
	assert_all_completed(&run);
	assert_true(run.reports[0].work_units >= 4 * 16);
	assert_true(run.reports[0].wake_latencies.total_samples >= 4);
	end(&run);
}

/* ---- life cycle ---- */

static void test_bad_specs(void **state)
{
	struct ktstr_cpus one = ktstr_cpus_range(1, 1);
	struct ktstr_work_spec specs[2] = { { .workers = 1 }, { .workers = 1 } };
	struct ktstr_workload_config config = { .specs = specs, .specs_count = 2 };
	struct ktstr_workload_handle *handle = NULL;
	size_t fds = open_fds(getpid());

	(void)state;
	specs[1] = (struct ktstr_work_spec){ .type = KTSTR_WORK(PIPE_IO), .workers = 3 };
	assert_refused(ktstr_workload_spawn(&config, &handle),
		       "PipeIo (group 1) requires num_workers divisible by 2, got 3");
	specs[1] = (struct ktstr_work_spec){ .type = KTSTR_WORK(MIXED) };
	assert_refused(ktstr_workload_spawn(&config, &handle),
		       "Mixed (group 1) requires at least 1 worker, got 0: set .workers");
	specs[1] = (struct ktstr_work_spec){ .type = KTSTR_WORK(BURSTY, .sleep = 5), .workers = 1 };
	specs[1].type.literal = true;
	assert_refused(
		ktstr_workload_spawn(&config, &handle),
		"Bursty (group 1) requires burst of at least 1ns, got 0; left out it takes its default");
	specs[1].type.BURSTY = (struct ktstr_work_bursty){ .burst = 5 };
	assert_refused(
		ktstr_workload_spawn(&config, &handle),
		"Bursty (group 1) requires sleep of at least 1ns, got 0; left out it takes its default");
	specs[1] = (struct ktstr_work_spec){ .workers = 1, .comm = "sixteen-bytes-16" };
	assert_refused(
		ktstr_workload_spawn(&config, &handle),
		"SpinWait (group 1): the comm \"sixteen-bytes-16\" of 16 bytes: the kernel keeps 1 to 15");
	specs[1] = (struct ktstr_work_spec){ .workers = 1, .affinity = ktstr_affinity_exact(one) };
	config.cpus = ktstr_cpus_range(2, 3);
	assert_refused(
		ktstr_workload_spawn(&config, &handle),
		"SpinWait (group 1): the affinity exact is for the CPUs 1, but the cgroup has only the CPUs 2-4: "
		"choose among those");
	specs[1].affinity.cpus = (struct ktstr_cpus){ 0 };
	assert_refused(
		ktstr_workload_spawn(&config, &handle),
		"SpinWait (group 1): the affinity exact is without CPUs: name at least one, or use "
		"KTSTR_AFFINITY_INHERIT");
	assert_null(handle);
	assert_int_equal(open_fds(getpid()), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_nothing_before_start(void **state)
{
	struct ktstr_work_spec specs[2] = {
		{ .workers = 1 },
		{ .type = KTSTR_WORK(YIELD_HEAVY), .workers = 1, .comm = "named" },
	};
	struct ktstr_workload_config config = { .specs = specs, .specs_count = 2, .label = "cg0" };
	struct run run;
	uint64_t counters[2] = { 1, 1 }, cpu_time;

	(void)state;
	spawn(&run, &config);
	ktstr_sleep_ns(KTSTR_MS(100));
	cpu_time = proc_number(run.pids[0], "schedstat", "");
	ktstr_sleep_ns(KTSTR_MS(50));
	assert_int_equal(proc_number(run.pids[0], "schedstat", ""), cpu_time);
	ktstr_workload_snapshot_iterations(run.handle, counters);
	assert_int_equal(counters[0] + counters[1], 0);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/comm", run.pids[i]);
		_cleanup_free_ char *comm = ktstr_read_line(path);

		assert_string_equal(comm, i ? "named" : "cg0/0");
		assert_int_equal(getpgid(run.pids[i]), run.pids[i]);
	}
	assert_ok(ktstr_workload_start(run.handle));
	assert_ok(ktstr_workload_start(run.handle));
	wait_iterations(&run, 3);
	stop(&run);
	assert_all_completed(&run);
	assert_int_equal(run.reports[1].group_idx, 1);
	assert_int_equal(run.reports[1].work_kind, KTSTR_WORK_YIELD_HEAVY);
	end(&run);
}

/* Also a stop without a start: the workers get a moment to work first. */
static void test_leaves_nothing(void **state)
{
	struct ktstr_work_spec spec = { .type = KTSTR_WORK(PIPE_IO), .workers = 4 };
	struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	size_t fds = open_fds(getpid()), mappings = shared_mappings();
	struct run run;

	(void)state;
	spawn(&run, &config);
	assert_int_equal(open_fds(getpid()), fds);
	assert_int_equal(shared_mappings(), mappings + 1);
	stop(&run);
	assert_all_completed(&run);
	for (size_t i = 0; i < run.count; i++)
		assert_int_equal(kill(run.pids[i], 0), -1);
	end(&run);
	spawn(&run, &config);
	end(&run);
	assert_int_equal(open_fds(getpid()), fds);
	assert_int_equal(shared_mappings(), mappings);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Also: its partner in the pipe notices and still stops. */
static void test_killed_worker(void **state)
{
	struct run run;
	uint64_t before;

	(void)state;
	begin(&run, KTSTR_WORK(PIPE_IO), 2, (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 5);
	assert_int_equal(kill(run.pids[0], SIGKILL), 0);
	ktstr_sleep_ns(KTSTR_MS(50));
	before = ktstr_now_ns();
	stop(&run);
	assert_true(ktstr_now_ns() - before < KTSTR_SEC(4)); /* not the limit of a hang */
	assert_int_equal(run.reports[0].exit, KTSTR_WORKER_SIGNALED);
	assert_int_equal(run.reports[0].exit_code, SIGKILL);
	assert_int_equal(run.reports[0].work_units, 0);
	assert_int_equal(run.reports[1].exit, KTSTR_WORKER_COMPLETED);
	end(&run);
}

/* A stopped process does not answer; a process in its group shares its end. */
static void test_hung_worker(void **state)
{
	struct run run;
	uint64_t before;
	int status;
	pid_t descendant;

	(void)state;
	begin(&run, KTSTR_WORK(SPIN_WAIT), 2, (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 5);
	descendant = fork();
	if (descendant == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_equal(setpgid(descendant, run.pids[1]), 0);
	assert_int_equal(kill(run.pids[0], SIGSTOP), 0);
	before = ktstr_now_ns();
	stop(&run);
	assert_true(ktstr_now_ns() - before < KTSTR_SEC(9));
	assert_int_equal(run.reports[0].exit, KTSTR_WORKER_TIMED_OUT);
	assert_int_equal(run.reports[0].iterations, 0);
	assert_int_equal(run.reports[1].exit, KTSTR_WORKER_COMPLETED);
	assert_int_equal(kill(run.pids[0], 0), -1);
	for (int i = 0; waitpid(descendant, &status, WNOHANG) == 0; i++) {
		assert_true(i < 1000);
		ktstr_sleep_ns(KTSTR_MS(5));
	}
	assert_int_equal(WTERMSIG(status), SIGKILL);
	end(&run);
}

static void test_never_started(void **state)
{
	struct ktstr_work_spec spec = { .workers = 1 };
	struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	struct run run;

	(void)state;
	work_start_limit_ns = KTSTR_MS(50);
	spawn(&run, &config);
	work_start_limit_ns = KTSTR_SEC(120);
	ktstr_sleep_ns(KTSTR_MS(300));
	stop(&run);
	assert_int_equal(run.reports[0].exit, KTSTR_WORKER_EXITED);
	assert_int_equal(run.reports[0].exit_code, 1);
	end(&run);
}

/* The workers of a harness that was killed do not outlive it. */
static void test_dies_with_parent(void **state)
{
	int ends[2], pid = 0, status;
	pid_t harness;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	harness = fork();
	if (harness == 0) {
		struct run run;

		begin(&run, KTSTR_WORK(SPIN_WAIT), 1, (struct ktstr_affinity){ 0 });
		if (write(ends[1], &run.pids[0], sizeof(pid)) != sizeof(pid))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	kill(harness, SIGKILL);
	assert_int_equal(waitpid(harness, &status, 0), harness);
	for (int i = 0; i < 1000; i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/status", pid);
		_cleanup_free_ char *text = NULL;
		_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);

		/* Nobody may be there to reap it on a machine without an init. */
		if (error || strstr(text, "State:\tZ"))
			break;
		assert_true(i < 999);
		ktstr_sleep_ns(KTSTR_MS(5));
	}
	close(ends[0]);
	close(ends[1]);
}

/* ---- telemetry ---- */

/* A worker stopped for a while was off the CPU between two checkpoints. */
static void test_gap(void **state)
{
	struct run run;

	(void)state;
	begin(&run, KTSTR_WORK(SPIN_WAIT), 1, (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 5);
	kill(run.pids[0], SIGSTOP);
	ktstr_sleep_ns(KTSTR_MS(300));
	kill(run.pids[0], SIGCONT);
	ktstr_sleep_ns(KTSTR_MS(50));
	stop(&run);
	assert_all_completed(&run);
	assert_true(run.reports[0].max_gap_ns >= KTSTR_MS(250));
	assert_true(run.reports[0].max_gap_at_ns >= run.reports[0].max_gap_ns);
	assert_true(run.reports[0].off_cpu_ns >= KTSTR_MS(250));
	assert_true(ktstr_cpus_has(&run.reports[0].cpus_used, run.reports[0].max_gap_cpu));
	end(&run);
}

/* Asleep is not a gap. */
static void test_sleep_is_no_gap(void **state)
{
	struct run run;

	(void)state;
	begin(&run, KTSTR_WORK(BURSTY, .burst = KTSTR_MS(1), .sleep = KTSTR_MS(400)), 1,
	      (struct ktstr_affinity){ 0 });
	wait_iterations(&run, 1);
	stop(&run);
	assert_true(run.reports[0].wake_latencies.values_ns[0] >= KTSTR_MS(400));
	assert_true(run.reports[0].max_gap_ns < KTSTR_MS(400));
	end(&run);
}

static void pin(int pid, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(pid, sizeof(set), &set), 0);
}

static void test_migrations(void **state)
{
	struct ktstr_cpus cpus = own_cpus();
	unsigned int first, second;
	struct run run;

	(void)state;
	if (ktstr_cpus_count(&cpus) < 2) {
		print_message("skipped: one CPU only\n");
		skip();
	}
	first = (unsigned int)ktstr_cpus_next(&cpus, 0);
	second = (unsigned int)ktstr_cpus_next(&cpus, first + 1);
	begin(&run, KTSTR_WORK(SPIN_WAIT), 1, (struct ktstr_affinity){ 0 });
	for (int i = 0; i < 6; i++) {
		uint64_t now;

		pin(run.pids[0], i % 2 ? second : first);
		ktstr_workload_snapshot_iterations(run.handle, &now);
		wait_iterations(&run, now + 3);
	}
	stop(&run);
	assert_true(run.reports[0].migration_count >= 5);
	assert_int_equal(run.reports[0].migrations_count, run.reports[0].migration_count);
	assert_true(ktstr_cpus_has(&run.reports[0].cpus_used, first));
	assert_true(ktstr_cpus_has(&run.reports[0].cpus_used, second));
	for (size_t i = 0; i < run.reports[0].migrations_count; i++) {
		const struct ktstr_migration *move = &run.reports[0].migrations[i];

		assert_true(move->from_cpu != move->to_cpu);
		assert_true(move->at_ns <= run.reports[0].wall_time_ns);
		if (i)
			assert_int_equal(move->from_cpu, move[-1].to_cpu);
	}
	end(&run);
}

/*
 * A CPU that exists in no machine this small: the kernel refuses, the worker goes on and says so.
 */
static void test_affinity_errno(void **state)
{
	struct run run;

	(void)state;
	begin(&run, KTSTR_WORK(SPIN_WAIT), 1,
	      ktstr_affinity_exact(ktstr_cpus_range(KTSTR_MAX_CPUS - 1, 1)));
	wait_iterations(&run, 2);
	stop(&run);
	assert_all_completed(&run);
	assert_int_equal(run.reports[0].affinity_errno, EINVAL);
	end(&run);
}

static struct worker *new_worker(uint64_t seed, unsigned int index)
{
	struct worker *w = ktstr_xcalloc(1, sizeof(*w));

	w->shared = aligned_alloc(4096, sizeof(*w->shared));
	assert_non_null(w->shared);
	work_telemetry_init(w, seed, index);
	return w;
}

static void free_worker(struct worker *w)
{
	free(w->shared);
	free(w);
}

/*
 * How uneven kept values are over 100 equal parts of 0..range: about 99 for a fair sample (less, as it is drawn without
 * replacement); 150 has a chance of 1 in 1000. The seeds here are fixed: it is met or not, never now and then.
 */
static double chi_square(const uint64_t *values, size_t kept, uint64_t range)
{
	double expected = (double)kept / 100, sum = 0;
	size_t parts[100] = { 0 };

	for (size_t i = 0; i < kept; i++)
		parts[values[i] * 100 / range]++;
	for (size_t i = 0; i < 100; i++)
		sum += ((double)parts[i] - expected) * ((double)parts[i] - expected) / expected;
	return sum;
}

/* A phase's reservoir is smaller, and knows only what came in the phase. */
static void test_phase_reservoir(void **state)
{
	enum { SAMPLES = 10 * KTSTR_PHASE_RESERVOIR_CAP };
	struct worker *w = new_worker(1, 0);
	const uint64_t *kept = w->shared->phase_samples[0].values_ns[0];

	(void)state;
	w->shared->phases_count = 0;
	for (uint64_t i = 0; i < 1000; i++)
		work_record_wake(w, UINT32_MAX);
	w->phase.open = true;
	for (uint64_t i = 0; i < SAMPLES; i++)
		work_record_wake(w, i);
	work_record(w, WORK_TIMER, 5);
	assert_int_equal(w->phase.totals[WORK_WAKE], SAMPLES);
	assert_int_equal(w->sample_totals[WORK_WAKE], SAMPLES + 1000);
	assert_int_equal(w->shared->phase_samples[0].values_ns[1][0], 5);
	for (size_t i = 0; i < KTSTR_PHASE_RESERVOIR_CAP; i++)
		assert_true(kept[i] < SAMPLES);
	assert_true(chi_square(kept, KTSTR_PHASE_RESERVOIR_CAP, SAMPLES) < 150);
	free_worker(w);
}

/*
 * Values 0..n-1 in order: what is kept must stay within the cap and be spread evenly over the
 * whole.
 */
static void test_reservoir(void **state)
{
	enum { SAMPLES = 4 * KTSTR_RESERVOIR_CAP };
	struct worker *w = new_worker(1, 0), *same = new_worker(1, 0), *other = new_worker(1, 1);
	size_t quarter[4] = { 0 }, differing = 0;

	(void)state;
	for (uint64_t i = 0; i < SAMPLES; i++) {
		work_record_wake(w, i);
		work_record_wake(same, i);
		work_record_wake(other, i);
	}
	assert_int_equal(w->sample_totals[WORK_WAKE], SAMPLES);
	assert_memory_equal(w->shared->samples_ns[WORK_WAKE], same->shared->samples_ns[WORK_WAKE],
			    sizeof(w->shared->samples_ns[WORK_WAKE]));
	for (size_t i = 0; i < KTSTR_RESERVOIR_CAP; i++) {
		uint64_t value = w->shared->samples_ns[WORK_WAKE][i];

		assert_true(value < SAMPLES);
		quarter[value / KTSTR_RESERVOIR_CAP]++;
		differing += value != other->shared->samples_ns[WORK_WAKE][i];
	}
	/* Each quarter is binomial, 25000 +- 137: 6 sigma is out of reach for a right one. */
	for (size_t i = 0; i < 4; i++)
		assert_in_range(quarter[i], 24200, 25800);
	assert_true(differing > KTSTR_RESERVOIR_CAP / 4);
	assert_true(chi_square(w->shared->samples_ns[WORK_WAKE], KTSTR_RESERVOIR_CAP, SAMPLES) < 150);
	free_worker(w);
	free_worker(same);
	free_worker(other);
}

static void test_equal_seeds(void **state)
{
	struct worker *a = new_worker(7, 3), *b = new_worker(7, 3);
	struct worker *sibling = new_worker(7, 4), *seed = new_worker(8, 3);

	(void)state;
	for (int i = 0; i < 100; i++) {
		uint64_t drawn = work_random(a);

		assert_true(drawn == work_random(b));
		assert_true(drawn != work_random(sibling));
		assert_true(drawn != work_random(seed));
	}
	free_worker(a);
	free_worker(b);
	free_worker(sibling);
	free_worker(seed);
}

#define work_test(test) cmocka_unit_test_teardown(test, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		work_test(test_defaults),
		work_test(test_spin_wait),
		work_test(test_yield_heavy),
		work_test(test_mixed),
		work_test(test_bursty),
		work_test(test_pipe_io),
		work_test(test_io_sync_write),
		work_test(test_bad_specs),
		work_test(test_nothing_before_start),
		work_test(test_leaves_nothing),
		work_test(test_killed_worker),
		work_test(test_hung_worker),
		work_test(test_never_started),
		work_test(test_dies_with_parent),
		work_test(test_gap),
		work_test(test_sleep_is_no_gap),
		work_test(test_migrations),
		work_test(test_affinity_errno),
		work_test(test_reservoir),
		work_test(test_phase_reservoir),
		work_test(test_equal_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
