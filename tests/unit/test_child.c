// SPDX-License-Identifier: GPL-2.0-only
/* Child processes: what cannot run is said at once, output is collected, and none is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "unit.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define LONG_TIME KTSTR_SEC(60)

static struct ktstr_child spawn(const char *const *argv)
{
	struct ktstr_child_spec spec = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct ktstr_child child;

	assert_null(ktstr_child_spawn(&spec, &child));
	assert_true(child.pid > 0);
	return child;
}

static void missing_program_is_an_error_of_spawn(void **state)
{
	struct ktstr_child_spec spec = { .argv = ARGV("/no/such/program"),
					 .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct ktstr_child child = { .pid = 77 };
	_cleanup_error_ struct ktstr_error *error = ktstr_child_spawn(&spec, &child);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	assert_non_null(strstr(ktstr_error_message(error), "/no/such/program"));
	assert_int_equal(child.pid, 0);
	ktstr_child_kill(&child);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void exit_codes(void **state)
{
	struct ktstr_child child = spawn(ARGV("sh", "-c", "exit 3"));
	_cleanup_free_ char *how = NULL;
	int status = 0;

	(void)state;
	assert_null(ktstr_child_wait(&child, ktstr_now_ns() + LONG_TIME, &status));
	assert_int_equal(child.pid, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	how = ktstr_describe_wait_status(status);
	assert_string_equal(how, "exit code 3");
}

static void signals_are_named(void **state)
{
	struct ktstr_child child = spawn(ARGV("sh", "-c", "kill -SEGV $$"));
	_cleanup_free_ char *how = NULL;
	int status = 0;

	(void)state;
	assert_null(ktstr_child_wait(&child, ktstr_now_ns() + LONG_TIME, &status));
	how = ktstr_describe_wait_status(status);
	assert_non_null(strstr(how, "signal 11 (Segmentation fault"));
}

static void timeout_leaves_it_running(void **state)
{
	struct ktstr_child child = spawn(ARGV("sleep", "1000"));
	pid_t pid = child.pid;
	int status;
	_cleanup_error_ struct ktstr_error *error =
		ktstr_child_wait(&child, ktstr_now_ns() + KTSTR_MS(20), &status);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_TIMEOUT);
	assert_int_equal(child.pid, pid);
	assert_int_equal(kill(pid, 0), 0);
	ktstr_child_kill(&child);
	assert_int_equal(child.pid, 0);
	/* Reaped as well: the pid is free. */
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	ktstr_child_kill(&child);
}

static void output_is_collected_apart(void **state)
{
	_cleanup_free_ char *out = NULL, *err = NULL;

	(void)state;
	assert_null(ktstr_run_command(ARGV("sh", "-c", "echo to out; echo to err >&2"), LONG_TIME, &out, &err));
	assert_string_equal(out, "to out\n");
	assert_string_equal(err, "to err\n");
}

static void output_larger_than_a_pipe(void **state)
{
	_cleanup_free_ char *out = NULL;

	(void)state;
	assert_null(ktstr_run_command(ARGV("head", "-c", "1000000", "/dev/zero"), LONG_TIME, NULL, NULL));
	assert_null(ktstr_run_command(ARGV("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"), LONG_TIME,
				      &out, NULL));
	assert_int_equal(strlen(out), 1000000);
}

static void failure_carries_its_words(void **state)
{
	_cleanup_error_ struct ktstr_error *error =
		ktstr_run_command(ARGV("sh", "-c", "echo why >&2; exit 4"), LONG_TIME, NULL, NULL);

	(void)state;
	assert_non_null(error);
	assert_string_equal(ktstr_error_message(error), "sh failed with exit code 4: why");
}

static void failure_without_words_says_so(void **state)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_run_command(ARGV("false"), LONG_TIME, NULL, NULL);

	(void)state;
	assert_string_equal(ktstr_error_message(error), "false failed with exit code 1 and said nothing");
}

static void command_over_its_time_is_killed(void **state)
{
	_cleanup_error_ struct ktstr_error *error =
		ktstr_run_command(ARGV("sleep", "1000"), KTSTR_MS(20), NULL, NULL);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_TIMEOUT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void command_that_cannot_run(void **state)
{
	_cleanup_error_ struct ktstr_error *error =
		ktstr_run_command(ARGV("/no/such/program"), LONG_TIME, NULL, NULL);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
}

/* Only descriptors 0 to 2 and the ones that are kept may reach the program. */
static void descriptors_do_not_leak(void **state)
{
	int leaky = fcntl(0, F_DUPFD, 40), kept = fcntl(0, F_DUPFD, 50);
	struct ktstr_child_spec spec = { .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1,
					 .keep_fds = &kept, .keep_fds_count = 1 };
	_cleanup_free_ char *script = ktstr_xasprintf(
		"[ -e /proc/self/fd/%d ] && [ ! -e /proc/self/fd/%d ] && [ -e /proc/self/fd/1 ]", kept, leaky);
	struct ktstr_child child;
	int status;

	(void)state;
	spec.argv = ARGV("sh", "-c", script);
	assert_null(ktstr_child_spawn(&spec, &child));
	assert_null(ktstr_child_wait(&child, ktstr_now_ns() + LONG_TIME, &status));
	assert_int_equal(status, 0);
	close(leaky);
	close(kept);
}

static void environment_is_replaced(void **state)
{
	struct ktstr_child_spec spec = { .argv = ARGV("/bin/sh", "-c", "[ \"$A\" = b ] && [ -z \"$HOME\" ]"),
					 .env = ARGV("A=b"),
					 .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct ktstr_child child;
	int status;

	(void)state;
	assert_null(ktstr_child_spawn(&spec, &child));
	assert_null(ktstr_child_wait(&child, ktstr_now_ns() + LONG_TIME, &status));
	assert_int_equal(status, 0);
}

/* The parent is killed; the child that it started must follow. */
static void child_dies_with_its_parent(void **state)
{
	struct ktstr_child_spec spec = { .argv = ARGV("sleep", "1000"),
					 .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	int report[2], alive[2];
	struct ktstr_child child;
	pid_t middle;
	char byte;

	(void)state;
	assert_int_equal(pipe(report), 0);
	assert_int_equal(pipe(alive), 0);
	middle = fork();
	if (!middle) {
		/* The grandchild alone keeps the write end of `alive` open. */
		spec.keep_fds = &alive[1];
		spec.keep_fds_count = 1;
		if (ktstr_child_spawn(&spec, &child) || write(report[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(alive[1]);
	assert_int_equal(read(report[0], &byte, 1), 1);
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	/* End of file comes when the last holder is gone. */
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
	close(report[0]);
	close(report[1]);
}

static struct ktstr_error *meet(void *barrier, pid_t pid)
{
	(void)pid;
	pthread_barrier_wait(barrier);
	return NULL;
}

enum { THREADS = 8, ROUNDS = 20 };

static void *spawn_together(void *barrier)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct ktstr_child_spec spec = { .argv = ARGV("true"), .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1,
						 .place = meet, .place_context = barrier };
		struct ktstr_child child;
		int status = -1;

		pthread_barrier_wait(barrier);
		if (ktstr_child_spawn(&spec, &child) || ktstr_child_wait(&child, ktstr_now_ns() + LONG_TIME, &status) || status)
			return barrier;
	}
	return NULL;
}

/* Each child is forked before any of them may go on, so that it has inherited what the others wait for. */
static void children_of_threads_do_not_wait_for_each_other(void **state)
{
	pthread_barrier_t barrier;
	pthread_t threads[THREADS];
	void *failed;

	(void)state;
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spawn_together, &barrier), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_program_is_an_error_of_spawn),
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(signals_are_named),
		cmocka_unit_test(timeout_leaves_it_running),
		cmocka_unit_test(output_is_collected_apart),
		cmocka_unit_test(output_larger_than_a_pipe),
		cmocka_unit_test(failure_carries_its_words),
		cmocka_unit_test(failure_without_words_says_so),
		cmocka_unit_test(command_over_its_time_is_killed),
		cmocka_unit_test(command_that_cannot_run),
		cmocka_unit_test(descriptors_do_not_leak),
		cmocka_unit_test(environment_is_replaced),
		cmocka_unit_test(child_dies_with_its_parent),
		cmocka_unit_test(children_of_threads_do_not_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
