// SPDX-License-Identifier: GPL-2.0-only
/* The ways workers can end, what their reports say of it, and helpers that say when they are ready. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers_fixture.h"

static void crash(const struct ktstr_worker_ctx *ctx)
{
	volatile int *nowhere = (int *)(uintptr_t)ktstr_worker_cfg(ctx)->u64[0];

	ktstr_worker_progress(ctx, 1);
	if (nowhere)
		*nowhere = 1;
	abort();
}

static void wait_for_end(void)
{
	const int *pids = ktstr_workload_pids(live, &count);

	for (int i = 0; i < 2000; i++) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)pids[0], &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return;
		ktstr_sleep_ns(KTSTR_MS(5));
	}
}

static void a_fault_is_a_panic(void **state)
{
	struct ktstr_work_spec spec = {
		.type = KTSTR_WORK(CUSTOM, .name = "crash", .fn = crash, .cfg = { .u64 = { 16 } }),
		.workers = 1,
		.comm = "crasher",
	};
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const char *const messages[] = { "Segmentation fault at address 0x10 in worker 0 (crasher, tid ", "Aborted" };

	(void)state;
	for (int round = 0; round < 2; round++) {
		start(&config);
		wait_for_end();
		stop();
		assert_int_equal(reports[0].exit, KTSTR_WORKER_PANICKED);
		assert_int_equal(reports[0].exit_code, round ? SIGABRT : SIGSEGV);
		assert_non_null(strstr(reports[0].exit_message, messages[round]));
		assert_int_equal(reports[0].work_units, 0);
		ktstr_workload_destroy(live);
		live = NULL;
		spec.type.CUSTOM.cfg.u64[0] = 0;
	}
}

/* Threads share their end, and all name the one who caused it. */
static void a_fault_takes_its_process_along(void **state)
{
	struct ktstr_work_spec specs[] = {
		{ .type = KTSTR_WORK(SPIN_WAIT), .workers = 2, .pcomm = "app" },
		{ .type = KTSTR_WORK(CUSTOM, .name = "crash", .fn = crash, .cfg = { .u64 = { 16 } }),
		  .workers = 1,
		  .pcomm = "app",
		  .comm = "crasher" },
		{ .type = KTSTR_WORK(SPIN_WAIT), .workers = 1 },
	};
	const struct ktstr_workload_config config = { .specs = specs, .specs_count = 3 };

	(void)state;
	start(&config);
	wait_for_end();
	stop();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(reports[i].exit, KTSTR_WORKER_PANICKED);
		assert_non_null(strstr(reports[i].exit_message, "in worker 2 (crasher, tid "));
	}
	assert_int_equal(reports[3].exit, KTSTR_WORKER_COMPLETED);
}

static void a_sent_signal_is_no_panic(void **state)
{
	struct ktstr_work_spec spec = spinners(1);
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const int *pids;

	(void)state;
	start(&config);
	wait_iterations(1);
	pids = ktstr_workload_pids(live, &count);
	kill(pids[0], SIGSEGV);
	wait_for_end();
	stop();
	assert_int_equal(reports[0].exit, KTSTR_WORKER_SIGNALED);
	assert_int_equal(reports[0].exit_code, SIGSEGV);
}

static void somebody_else_reaps(void **state)
{
	struct ktstr_work_spec spec = spinners(1);
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const int *pids;

	(void)state;
	start(&config);
	pids = ktstr_workload_pids(live, &count);
	kill(pids[0], SIGKILL);
	assert_int_equal(waitpid(pids[0], NULL, 0), pids[0]);
	stop();
	assert_int_equal(reports[0].exit, KTSTR_WORKER_WAIT_FAILED);
	assert_int_equal(reports[0].exit_code, ECHILD);
	assert_string_equal(reports[0].exit_message,
			    "it cannot be waited for: No child processes (somebody else reaped it)");
}

/* vfork() holds its caller in an unkillable wait until the child is gone: the kernel has such a worker, nobody else. */
static void stuck(const struct ktstr_worker_ctx *ctx)
{
	pid_t child;

	ktstr_worker_progress(ctx, 1);
	child = vfork();
	if (child == 0) {
		setpgid(0, 0); /* out of reach of the killpg() that ends workers */
		for (;;)
			pause();
	}
}

static pid_t child_of(int pid)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/task/%d/children", pid, pid);

	for (int i = 0; i < 1000; i++) {
		_cleanup_free_ char *line = ktstr_read_line(path);

		if (line && atoi(line) > 0)
			return atoi(line);
		ktstr_sleep_ns(KTSTR_MS(5));
	}
	return 0;
}

static void stuck_in_the_kernel_is_reported(void **state)
{
	struct ktstr_work_spec spec = { .type = KTSTR_WORK(CUSTOM, .name = "stuck", .fn = stuck), .workers = 1 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const int *pids;
	uint64_t before;
	pid_t child;

	(void)state;
	start(&config);
	pids = ktstr_workload_pids(live, &count);
	child = child_of(pids[0]); /* there is one as soon as it is stuck */
	assert_true(child > 0);
	before = ktstr_now_ns();
	stop();
	/* 5 s for the answer, 2 s for the end, and a busy machine. */
	assert_true(ktstr_now_ns() - before < KTSTR_SEC(15));
	kill(child, SIGKILL);
	assert_int_equal(reports[0].exit, KTSTR_WORKER_TIMED_OUT);
	assert_true(strstr(reports[0].exit_message, "did not answer the stop: state D") ||
		    strstr(reports[0].exit_message, "did not answer the stop: state S"));
}

/* A version 1 freezer holds its tasks so that not even SIGKILL ends them, as a driver bug would. */
#define FREEZER "/sys/fs/cgroup/freezer"

static void put(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, file);
	struct ktstr_error *error = ktstr_write_value(path, text);

	if (error)
		fail_msg("%s", ktstr_error_message(error));
}

static void unkillable_is_given_up(void **state)
{
	struct ktstr_work_spec spec = spinners(2);
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	_cleanup_free_ char *dir = ktstr_xasprintf(FREEZER "/ktstr-unit-%d", (int)getpid());
	_cleanup_free_ char *pid = NULL;
	const int *pids;
	uint64_t before;
	int frozen;

	(void)state;
	if (access(FREEZER, W_OK) || mkdir(dir, 0755)) {
		print_message("skipped: no version 1 freezer to write to\n");
		skip();
	}
	start(&config);
	wait_iterations(1);
	pids = ktstr_workload_pids(live, &count);
	frozen = pids[1];
	pid = ktstr_xasprintf("%d", frozen);
	put(dir, "cgroup.procs", pid);
	put(dir, "freezer.state", "FROZEN");
	before = ktstr_now_ns();
	stop();
	put(dir, "freezer.state", "THAWED");
	/* 5 s for the answer, 2 s for the end, and a busy machine. */
	assert_true(ktstr_now_ns() - before < KTSTR_SEC(15));
	assert_int_equal(reports[0].exit, KTSTR_WORKER_COMPLETED);
	assert_int_equal(reports[1].exit, KTSTR_WORKER_TIMED_OUT);
	assert_int_equal(reports[1].work_units, 0);
	assert_non_null(strstr(reports[1].exit_message, "it did not answer the stop: state D"));
	assert_int_equal(waitpid(frozen, NULL, 0), frozen); /* nobody waited for it before */
	for (int i = 0; rmdir(dir) && i < 1000; i++)
		ktstr_sleep_ns(KTSTR_MS(5));
}

/* ---- readiness ---- */

static pid_t helper(bool announces)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (announces) {
		ktstr_error_free(ktstr_announce_worker_ready());
		ktstr_sleep_ns(KTSTR_SEC(5));
	}
	_exit(3);
}

static void helpers_say_when_they_are_ready(void **state)
{
	pid_t ready = helper(true), dead = helper(false);
	_cleanup_free_ char *path = ktstr_xasprintf(KTSTR_READY_FILE_PREFIX "%d", (int)ready);
	_cleanup_error_ struct ktstr_error *gone = NULL;
	_cleanup_error_ struct ktstr_error *late = NULL;

	(void)state;
	assert_null(ktstr_wait_worker_ready(ready, KTSTR_SEC(10)));
	assert_false(ktstr_path_exists(path));
	gone = ktstr_wait_worker_ready(dead, KTSTR_SEC(60));
	assert_int_equal(ktstr_error_code(gone), KTSTR_ERR_NOT_FOUND);
	late = ktstr_wait_worker_ready(ready, KTSTR_MS(30));
	assert_int_equal(ktstr_error_code(late), KTSTR_ERR_TIMEOUT);
	kill(ready, SIGKILL);
	waitpid(ready, NULL, 0);
	waitpid(dead, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		worker_test(a_fault_is_a_panic),
		worker_test(a_fault_takes_its_process_along),
		worker_test(a_sent_signal_is_no_panic),
		worker_test(somebody_else_reaps),
		worker_test(stuck_in_the_kernel_is_reported),
		worker_test(unkillable_is_given_up),
		worker_test(helpers_say_when_they_are_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
