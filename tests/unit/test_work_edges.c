// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers at the edges: what they lack on a machine is said once and they go on, a worker that goes away silently is
 * known as gone, and latencies are what their names say when a worker was held up.
 */
#include "unit.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/work.h"

static struct ktstr_workload_handle *begin(const struct ktstr_work_type *type, unsigned int workers)
{
	const struct ktstr_work_spec spec = { .type = *type, .workers = workers };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .label = "edge" };
	struct ktstr_workload_handle *handle = NULL;

	ktstr_error_free(ktstr_workload_spawn(&config, &handle));
	if (handle)
		ktstr_error_free(ktstr_workload_start(handle));
	return handle;
}

static void wait_iterations(const struct ktstr_workload_handle *handle, uint64_t wanted)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(60), done = 0;

	while (done < wanted) {
		assert_true(ktstr_now_ns() < deadline);
		ktstr_sleep_ns(KTSTR_MS(2));
		ktstr_workload_snapshot_iterations(handle, &done);
	}
}

/* ---- what a machine lacks ---- */

static void as_it_is(void)
{
}

static void without_privileges(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(1);
}

/* A network namespace of its own, in which even the loopback is down. */
static void without_network(void)
{
	if (unshare(CLONE_NEWNET))
		_exit(1);
}

static const struct lack {
	void (*take_away)(void);
	struct ktstr_work_type type;
	unsigned int workers; /* more than one group, so that more than one could warn */
	const char *warning;
} lacks[] = {
	{ without_privileges, KTSTR_WORK(RT_STARVATION), 4, "RtStarvation cannot run as fifo: Operation not permitted" },
	{ without_network, KTSTR_WORK(NET_TRAFFIC), 2, "NetTraffic has no network device" },
	{ as_it_is, KTSTR_WORK(IO_SYNC_WRITE), 2, "IoSyncWrite has no unused /dev/vda: it uses files in /tmp" },
	{ as_it_is, KTSTR_WORK(CGROUP_ATTACH_STORM, .dest = "nowhere"), 2,
	  "CgroupAttachStorm cannot use the cgroup \"nowhere\"" },
};

/* Runs in a child of the test: 0 when all workers went on until they were told to stop. */
static int run_without(const struct lack *lack)
{
	const struct ktstr_worker_report *reports;
	struct ktstr_workload_handle *handle;
	size_t count, completed = 0;

	lack->take_away();
	handle = begin(&lack->type, lack->workers);
	if (!handle)
		return 1;
	ktstr_sleep_ns(KTSTR_MS(100));
	reports = ktstr_workload_stop_and_collect(handle, &count);
	for (size_t i = 0; i < count; i++)
		completed += reports[i].exit == KTSTR_WORKER_COMPLETED;
	ktstr_workload_destroy(handle);
	return completed == lack->workers ? 0 : 1;
}

static void what_is_lacking_is_said_once(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(lacks); i++) {
		int errors = memfd_create("stderr", MFD_CLOEXEC), status;
		char text[4096] = "";
		const char *said;
		pid_t child = fork();

		assert_true(errors >= 0 && child >= 0);
		if (child == 0)
			_exit(dup2(errors, STDERR_FILENO) < 0 ? 1 : run_without(&lacks[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(pread(errors, text, sizeof(text) - 1, 0) >= 0);
		close(errors);
		said = strstr(text, lacks[i].warning);
		if (!said || strstr(said + 1, lacks[i].warning))
			fail_msg("\"%s\" is not there once: %s", lacks[i].warning, text);
		assert_int_equal(status, 0);
	}
}

/* ---- gone without a word ---- */

static void leave(const struct ktstr_worker_ctx *ctx)
{
	ktstr_worker_progress(ctx, 1);
	_exit(0);
}

static void a_silent_end_is_no_report(void **state)
{
	struct ktstr_work_type type = KTSTR_WORK(CUSTOM, .name = "leave", .fn = leave);
	struct ktstr_workload_handle *handle = begin(&type, 2);
	const struct ktstr_worker_report *reports;
	size_t count;

	(void)state;
	assert_non_null(handle);
	reports = ktstr_workload_stop_and_collect(handle, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(reports[i].exit, KTSTR_WORKER_EXITED);
		assert_int_equal(reports[i].exit_code, 0);
		assert_int_equal(reports[i].work_units, 0);
		assert_int_equal(reports[i].index, i);
	}
	ktstr_workload_destroy(handle);
}

/* ---- latencies ---- */

static uint64_t smallest(const struct ktstr_reservoir *samples)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < samples->count; i++)
		least = samples->values_ns[i] < least ? samples->values_ns[i] : least;
	return least;
}

static void idle_latency_excludes_the_sleep(void **state)
{
	struct ktstr_work_type type = KTSTR_WORK(IDLE_CHURN, .burst = KTSTR_US(100), .sleep = KTSTR_MS(100));
	struct ktstr_workload_handle *handle = begin(&type, 1);
	const struct ktstr_worker_report *report;
	size_t count;

	(void)state;
	assert_non_null(handle);
	wait_iterations(handle, 5);
	report = ktstr_workload_stop_and_collect(handle, &count);
	assert_in_range(report->wake_latencies.total_samples, 5, report->iterations);
	/* One in five was less than 100 ms late: with the sleep in it, none could be. */
	assert_true(smallest(&report->wake_latencies) < KTSTR_MS(100));
	ktstr_workload_destroy(handle);
}

/*
 * Held up for 300 ms, it has missed 30 deadlines of 10 ms. Each of them is a sample, 300, 290, 280 ms late and so on: a timer
 * that began anew would show the first one only.
 */
static void lateness_adds_up(void **state)
{
	struct ktstr_work_type type = KTSTR_WORK(TIMER_LATENCY, .interval_us = 10000);
	struct ktstr_workload_handle *handle = begin(&type, 1);
	const struct ktstr_worker_report *report;
	size_t count, late = 0;
	const int *pids;

	(void)state;
	assert_non_null(handle);
	wait_iterations(handle, 1);
	pids = ktstr_workload_pids(handle, &count);
	kill(pids[0], SIGSTOP);
	ktstr_sleep_ns(KTSTR_MS(300));
	kill(pids[0], SIGCONT);
	wait_iterations(handle, 40);
	report = ktstr_workload_stop_and_collect(handle, &count);
	for (size_t i = 0; i < report->timer_latencies.count; i++)
		late += report->timer_latencies.values_ns[i] > KTSTR_MS(100);
	/* Later than 100 ms are 20 of them, but for one or two in flight. */
	assert_true(late >= 18);
	assert_int_equal(report->timer_latencies.total_samples, report->iterations);
	ktstr_workload_destroy(handle);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lacking_is_said_once),
		cmocka_unit_test(a_silent_end_is_no_report),
		cmocka_unit_test(idle_latency_excludes_the_sleep),
		cmocka_unit_test(lateness_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
