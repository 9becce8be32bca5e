// SPDX-License-Identifier: GPL-2.0-only
/* Workers: what each type presses (by the kernel's own counters), and the life cycle, with workers that die or hang. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "work_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
