/* SPDX-License-Identifier: GPL-2.0-only */
/* One workload at a time, its reports, and what the kernel says of its tasks. */
#ifndef KTSTR_TESTS_WORKERS_FIXTURE_H
#define KTSTR_TESTS_WORKERS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "work/workload.h"
#include "unit.h"

static struct ktstr_workload_handle *live;
static const struct ktstr_worker_report *reports;
static size_t count;

static inline void spawn(const struct ktstr_workload_config *config)
{
	struct ktstr_error *error = ktstr_workload_spawn(config, &live);

	if (error)
		fail_msg("%s", ktstr_error_message(error));
	count = ktstr_workload_worker_count(live);
}

static inline void start(const struct ktstr_workload_config *config)
{
	spawn(config);
	assert_null(ktstr_workload_start(live));
}

static inline void stop(void)
{
	reports = ktstr_workload_stop_and_collect(live, &count);
}

static inline int tear_down(void **state)
{
	(void)state;
	ktstr_workload_destroy(live);
	live = NULL;
	return 0;
}

/* Until every worker has made that many iterations more. */
static inline void wait_iterations(uint64_t wanted)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(20);
	_cleanup_free_ uint64_t *first = ktstr_xcalloc(count, sizeof(*first));
	_cleanup_free_ uint64_t *now = ktstr_xcalloc(count, sizeof(*now));

	ktstr_workload_snapshot_iterations(live, first);
	for (size_t i = 0; i < count; i++)
		do {
			assert_true(ktstr_now_ns() < deadline);
			ktstr_sleep_ns(KTSTR_MS(1));
			ktstr_workload_snapshot_iterations(live, now);
		} while (now[i] < first[i] + wanted);
}

/* Behind key in /proc/PID/task/TID/FILE, or the whole line when key is "". */
static inline char *task_text(int pid, int tid, const char *file, const char *key)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/task/%d/%s", pid, tid, file);
	_cleanup_free_ char *text = NULL;
	struct ktstr_error *error = ktstr_read_file(path, &text, NULL);
	const char *at;

	if (error)
		fail_msg("%s", ktstr_error_message(error));
	at = strstr(text, key);
	assert_non_null(at);
	at += strlen(key);
	return ktstr_xstrndup(at, strcspn(at, "\n"));
}

static inline void assert_task_text(int pid, int tid, const char *file, const char *key, const char *expected)
{
	_cleanup_free_ char *found = task_text(pid, tid, file, key);

	assert_string_equal(found, expected);
}

static inline struct ktstr_work_spec spinners(unsigned int workers)
{
	return (struct ktstr_work_spec){ .type = KTSTR_WORK(SPIN_WAIT), .workers = workers };
}

#define worker_test(test) cmocka_unit_test_teardown(test, tear_down)

#endif
