// SPDX-License-Identifier: GPL-2.0-only
/* Standing still: what counts, how often it is told, and what is read of a process. */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/stall.h"
#include "unit.h"

static void sched_files(void **state)
{
	static const char good[] = "cat (17, #threads: 1)\n-----\nse.exec_start   :   99.5\n"
				   "se.sum_exec_runtime                          :             1.363839\n"
				   "nr_switches                                  :                   42\n"
				   "nr_voluntary_switches                        :                    7\n";
	struct ktstr_stall_sample sample = { 0 };

	(void)state;
	assert_true(ktstr_stall_parse_sched(good, &sample));
	assert_int_equal(sample.nr_switches, 42);
	assert_int_equal(sample.sum_exec_runtime_ns, 1363839);
	assert_false(ktstr_stall_parse_sched("nr_switches : 42\n", &sample));
	assert_false(ktstr_stall_parse_sched("se.sum_exec_runtime : 1.000000\nnr_switches : many\n", &sample));
	assert_false(ktstr_stall_parse_sched("", &sample));
}

/* Looks at a process whose switches are these; '!' = this look reported it. */
static void expect_course(const uint64_t *switches, const char *reported)
{
	struct ktstr_stall_sample samples[KTSTR_STALL_SAMPLES];
	unsigned int count = 0;
	bool told = false;

	for (size_t i = 0; reported[i]; i++) {
		struct ktstr_stall_sample sample = { .nr_switches = switches[i], .captured_at_ns = i };

		if (ktstr_stall_add(samples, &count, &told, &sample) != (reported[i] == '!'))
			fail_msg("look %zu of %s", i, reported);
	}
}

static void once_for_each_stall(void **state)
{
	(void)state;
	expect_course((const uint64_t[]){ 1, 1, 1, 1, 1, 1, 1 }, "...!...");
	expect_course((const uint64_t[]){ 1, 1, 1, 2, 2, 2, 2 }, "......!");
	expect_course((const uint64_t[]){ 1, 1, 1, 1, 2, 2, 2, 2, 2 }, "...!...!.");
	expect_course((const uint64_t[]){ 1, 2, 3, 4, 5, 6, 7, 8 }, "........");
}

static void a_real_process(void **state)
{
	struct ktstr_stall_watch *watch = ktstr_stall_watch_create();
	struct ktstr_stall_report *reports;
	size_t count, told = 0;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		for (;;)
			pause();
	if (access("/proc/self/sched", R_OK))
		skip();
	/* It falls asleep at some point, and then four looks are alike. */
	for (int i = 0; i < 4000 && !told; i++) {
		reports = ktstr_stall_watch_look(watch, (const pid_t[]){ pid, 0x7ffffff }, 2, &count);
		told += count;
		if (count) {
			assert_int_equal(reports[0].pid, pid);
			assert_string_equal(reports[0].diagnostic.state, "S (sleeping)");
			assert_non_null(strstr(reports[0].diagnostic.status_full, "Name:"));
			ktstr_stall_report_deinit(&reports[0]);
		}
		free(reports);
		usleep(5000);
	}
	assert_int_equal(told, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(ktstr_stall_watch_look(watch, &pid, 1, &count));
	assert_int_equal(count, 0);
	ktstr_stall_watch_destroy(watch);
}

static void poll_times(void **state)
{
	static const char *const wrong[] = { "0", "-5", "5s", "x", "99999999999" };

	(void)state;
	assert_int_equal(ktstr_stall_poll_ns(), 500000000);
	setenv("KTSTR_STUCK_POLL_MS", "70", 1);
	assert_int_equal(ktstr_stall_poll_ns(), 70000000);
	setenv("KTSTR_STALL_POLL_MS", "20", 1);
	assert_int_equal(ktstr_stall_poll_ns(), 20000000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("KTSTR_STALL_POLL_MS", wrong[i], 1);
		assert_int_equal(ktstr_stall_poll_ns(), 500000000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sched_files),
		cmocka_unit_test(once_for_each_stall),
		cmocka_unit_test(a_real_process),
		cmocka_unit_test(poll_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
