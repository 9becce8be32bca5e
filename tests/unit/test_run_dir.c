// SPDX-License-Identifier: GPL-2.0-only
/* Run directories and what is stored in them, concurrent writers and a full disk; the commit they are named after. */
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "result/internal.h"
#include "result_fixture.h"
#include "runs_root.h"

#define _cleanup_result_ _cleanup_(ktstr_test_result_deinit)

static size_t count_files(const char *path, const char *suffix)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += ktstr_str_ends_with(entry->d_name, suffix);
	return count;
}

static void touch(const char *dir, const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);

	assert_ok(ktstr_write_file_atomic(path, "{}", 2));
}

static void run_dir_is_named_after_kernel_and_commit(void **state)
{
	_cleanup_free_ char *path = NULL, *unknown = NULL, *expected = NULL,
			    *expected_unknown = NULL;

	(void)state;
	assert_ok(ktstr_run_dir_open("7.3", "abcdef1-dirty", &path));
	assert_ok(ktstr_run_dir_open(NULL, NULL, &unknown));
	expected = ktstr_xasprintf("%s/7.3-abcdef1-dirty", scratch);
	expected_unknown = ktstr_xasprintf("%s/unknown-unknown", scratch);
	assert_string_equal(path, expected);
	assert_string_equal(unknown, expected_unknown);
	assert_true(ktstr_path_exists(expected));
}

static void run_dir_name_cannot_leave_the_root(void **state)
{
	_cleanup_free_ char *path = NULL, *expected = NULL;

	(void)state;
	assert_ok(ktstr_run_dir_open("../../x", "a/b", &path));
	expected = ktstr_xasprintf("%s/_._.._x-a_b", scratch);
	assert_string_equal(strrchr(path, '/') + 1, "_._.._x-a_b");
	assert_string_equal(path, expected);
}

static void run_dir_is_cleared_once_per_epoch(void **state)
{
	_cleanup_free_ char *path = NULL, *again = NULL, *next = NULL;

	(void)state;
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	touch(path, "old-0000000000000000.ktstr.json");
	touch(path, "old-0000000000000000.console.log");
	touch(path, "old-0000000000000000.ktstr.json.tmp.abcdef");
	touch(path, "notes.txt");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &again));
	assert_int_equal(count_files(path, ".ktstr.json"), 1);
	setenv("KTSTR_RUN_EPOCH", "1795383700000000000", 1);
	assert_ok(ktstr_run_dir_open("7.3", NULL, &next));
	assert_int_equal(count_files(path, ".ktstr.json"), 0);
	assert_int_equal(count_files(path, ".console.log"), 0);
	assert_int_equal(count_files(path, ".abcdef"), 0);
	assert_int_equal(count_files(path, "notes.txt"), 1);
}

static void epoch_is_made_and_exported_when_unset(void **state)
{
	_cleanup_free_ char *path = NULL, *again = NULL, *first = NULL;

	(void)state;
	unsetenv("KTSTR_RUN_EPOCH");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	first = ktstr_xstrdup(getenv("KTSTR_RUN_EPOCH"));
	assert_true(strlen(first) >= 19);
	touch(path, "a-0000000000000000.ktstr.json");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &again));
	assert_string_equal(getenv("KTSTR_RUN_EPOCH"), first);
	assert_int_equal(count_files(path, ".ktstr.json"), 1);
}

static void sidecar_dir_is_used_as_it_is(void **state)
{
	_cleanup_free_ char *given = ktstr_xasprintf("%s/mine/deep", scratch), *path = NULL,
			    *next = NULL;
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	_cleanup_free_ char *locks = ktstr_xasprintf("%s/mine/.locks", scratch);

	(void)state;
	setenv("KTSTR_SIDECAR_DIR", given, 1);
	assert_ok(ktstr_run_dir_open("7.3", "abcdef1", &path));
	assert_string_equal(path, given);
	touch(path, "old-0000000000000000.ktstr.json");
	setenv("KTSTR_RUN_EPOCH", "99", 1);
	assert_ok(ktstr_run_dir_open("7.3", "abcdef1", &next));
	assert_ok(ktstr_result_store(next, &result));
	assert_int_equal(count_files(given, ".ktstr.json"), 2);
	assert_int_equal(count_files(given, ".ktstr_run_epoch"), 0);
	assert_false(ktstr_path_exists(locks));
}

static void stored_result_loads_with_its_logs(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail(), back = { 0 };
	_cleanup_free_ char *path = NULL, *moved = NULL, *sidecar = NULL;

	(void)state;
	fixture_text(&result.console, &result.console_length, "[    0.0] Linux\n");
	fixture_text(&result.scheduler_log, &result.scheduler_log_length, "attached\n");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	assert_ok(ktstr_result_store(path, &result));
	assert_non_null(
		strstr(result.sidecar_path, "/7.3-unknown/steady-" STEADY_HASH ".ktstr.json"));
	/* A run directory can be moved: files go by their bare names. */
	moved = ktstr_xasprintf("%s/archive", scratch);
	assert_int_equal(rename(path, moved), 0);
	sidecar = ktstr_xasprintf("%s%s", moved, strrchr(result.sidecar_path, '/'));
	assert_ok(ktstr_result_load(sidecar, &back));
	assert_string_equal(back.console, "[    0.0] Linux\n");
	assert_string_equal(back.scheduler_log, "attached\n");
	assert_true(ktstr_str_starts_with(back.console_path, moved));
}

static void sidecar_cannot_point_its_reader_elsewhere(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail(), back;
	json_t *json = ktstr_result_to_json(&result);

	(void)state;
	json_object_set_new(
		json, "files",
		json_pack("{ssss}", "console", "sub/../../etc/passwd", "scheduler_log", ".hidden"));
	assert_ok(ktstr_result_from_json(json, &back));
	assert_null(back.console_path);
	assert_null(back.scheduler_log_path);
	json_decref(json);
}

static void rerun_without_console_removes_the_old_one(void **state)
{
	_cleanup_result_ struct ktstr_test_result failed = fixture_fail(), passed = fixture_pass();
	_cleanup_free_ char *path = NULL;

	(void)state;
	fixture_text(&failed.console, &failed.console_length, "panic\n");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	assert_ok(ktstr_result_store(path, &failed));
	assert_int_equal(count_files(path, ".console.log"), 1);
	assert_ok(ktstr_result_store(path, &passed));
	assert_int_equal(count_files(path, ".console.log"), 0);
	assert_int_equal(count_files(path, ".ktstr.json"), 1);
	assert_null(passed.console_path);
}

static void rerun_that_passes_removes_the_dump(void **state)
{
	_cleanup_result_ struct ktstr_test_result failed = fixture_fail(), passed = fixture_pass();
	_cleanup_free_ char *path = NULL;

	(void)state;
	failed.failure_dump = ktstr_xstrdup("{}");
	fixture_text(&failed.output, &failed.output_length, "words\n");
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	assert_ok(ktstr_result_store(path, &failed));
	assert_int_equal(count_files(path, ".failure-dump.json"), 1);
	assert_int_equal(count_files(path, ".output.log"), 1);
	assert_ok(ktstr_result_store(path, &passed));
	assert_int_equal(count_files(path, ".failure-dump.json"), 0);
	assert_int_equal(count_files(path, ".output.log"), 0);
}

enum { WRITERS = 20 };

/* Starts when the other end of the pipe is closed, together with all others. */
static int writer(int number, int start_fd)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *name = ktstr_xasprintf("test_%d", number), *path = NULL;
	struct ktstr_error *error;
	char start;

	if (read(start_fd, &start, 1) != 0)
		return 1;
	fixture_set(&result.test_name, name);
	fixture_text(&result.console, &result.console_length, "console\n");
	error = ktstr_run_dir_open("7.3", NULL, &path);
	if (!error)
		error = ktstr_result_store(path, &result);
	if (error)
		fprintf(stderr, "%s\n", ktstr_error_message(error));
	return !!error;
}

/*
 * All of them find an older epoch in the directory: exactly one clears, before any result is
 * stored.
 */
static void concurrent_writers_lose_nothing(void **state)
{
	_cleanup_free_ char *path = NULL;
	int start[2];

	(void)state;
	assert_ok(ktstr_run_dir_open("7.3", NULL, &path));
	touch(path, "old-0000000000000000.ktstr.json");
	setenv("KTSTR_RUN_EPOCH", "1795383800000000000", 1);
	assert_int_equal(pipe(start), 0);
	for (int i = 0; i < WRITERS; i++) {
		if (fork() == 0) {
			close(start[1]);
			_exit(writer(i, start[0]));
		}
	}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_files(path, ".ktstr.json"), WRITERS);
	assert_int_equal(count_files(path, ".console.log"), WRITERS);
	assert_int_equal(count_files(path, "old-0000000000000000.ktstr.json"), 0);
	for (int i = 0; i < WRITERS; i++) {
		_cleanup_result_ struct ktstr_test_result expected = fixture_fail(), back = { 0 };
		_cleanup_free_ char *name = ktstr_xasprintf("test_%d", i);
		_cleanup_free_ char *file = NULL;

		fixture_set(&expected.test_name, name);
		file = ktstr_xasprintf("%s/%s-" STEADY_HASH ".ktstr.json", path, name);
		assert_ok(ktstr_result_load(file, &back));
		assert_string_equal(back.test_name, name);
	}
}

/* In a child with a mount namespace of its own; exit code 77 where that is not allowed. */
static int fill_disk(int report_fd)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	struct ktstr_error *error;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", scratch, "tmpfs", 0, "size=64k"))
		return 77;
	setenv("KTSTR_SIDECAR_DIR", scratch, 1);
	result.console = ktstr_xcalloc(1, 1 << 20);
	result.console_length = 1 << 20;
	error = ktstr_result_store(scratch, &result);
	dprintf(report_fd, "%d %s", ktstr_error_code(error), ktstr_error_message(error));
	ktstr_error_free(error);
	return result.sidecar_path || result.console_path || count_files(scratch, "");
}

static void full_disk_is_reported_with_the_path(void **state)
{
	char text[1024] = "";
	int fds[2], status;
	_cleanup_free_ char *start = ktstr_xasprintf("%d cannot store the result of steady in %s",
						     KTSTR_ERR_NO_SPACE, scratch);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	if (fork() == 0)
		_exit(fill_disk(fds[1]) == 77 ? 77 : 0);
	close(fds[1]);
	assert_true(read(fds[0], text, sizeof(text) - 1) >= 0);
	close(fds[0]);
	wait(&status);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_true(ktstr_str_starts_with(text, start));
	assert_non_null(strstr(text, ".console.log"));
}

/* --- project commit --- */

static void run_git(const char *dir, const char *command)
{
	_cleanup_free_ char *script = ktstr_xasprintf(
		"cd %s && git -c user.name=t -c user.email=t@t -c init.defaultBranch=main %s", dir,
		command);
	const char *const argv[] = { "sh", "-c", script, NULL };

	assert_ok(ktstr_run_command(argv, 10000000000u, NULL, NULL));
}

static void project_commit_is_head_and_dirtiness(void **state)
{
	_cleanup_free_ char *clean = NULL, *dirty = NULL, *untracked = NULL, *given = NULL;
	_cleanup_free_ char *before = getcwd(NULL, 0);

	(void)state;
	assert_int_equal(chdir(scratch), 0);
	assert_null(ktstr_project_commit());
	run_git(scratch, "init -q");
	assert_null(ktstr_project_commit()); /* no commit yet */
	touch(scratch, "tracked");
	run_git(scratch, "add tracked");
	run_git(scratch, "commit -q -m first");
	clean = ktstr_project_commit();
	assert_non_null(clean);
	assert_int_equal(strlen(clean), 7);
	touch(scratch, "untracked");
	untracked = ktstr_project_commit();
	assert_string_equal(untracked, clean);
	assert_int_equal(truncate("tracked", 0), 0);
	dirty = ktstr_project_commit();
	assert_true(ktstr_str_starts_with(dirty, clean));
	assert_true(ktstr_str_ends_with(dirty, "-dirty"));
	setenv("KTSTR_PROJECT_COMMIT", "1234567", 1);
	given = ktstr_project_commit();
	assert_string_equal(given, "1234567");
	assert_int_equal(chdir(before), 0);
}

static void kernel_commit_is_that_of_its_own_tree(void **state)
{
	_cleanup_free_ char *boot = ktstr_xasprintf("%s/linux/arch/x86/boot", scratch);
	_cleanup_free_ char *tree = ktstr_xasprintf("%s/linux", scratch);
	_cleanup_free_ char *image = ktstr_xasprintf("%s/bzImage", boot);
	_cleanup_free_ char *tracked = ktstr_xasprintf("%s/tracked", tree);
	_cleanup_free_ char *clean = NULL, *dirty = NULL;

	(void)state;
	assert_ok(ktstr_make_dirs(boot));
	touch(boot, "bzImage");
	touch(tree, "tracked");
	assert_null(ktstr_kernel_commit(NULL));
	assert_null(ktstr_kernel_commit(image));
	/* Unpacked within a project: its commit says nothing of the kernel. */
	run_git(scratch, "init -q");
	run_git(scratch, "add linux/tracked");
	run_git(scratch, "commit -q -m project");
	assert_null(ktstr_kernel_commit(image));
	run_git(tree, "init -q");
	run_git(tree, "add tracked");
	run_git(tree, "commit -q -m kernel");
	clean = ktstr_kernel_commit(image);
	assert_non_null(clean);
	assert_int_equal(strlen(clean), 7);
	assert_int_equal(truncate(tracked, 0), 0);
	dirty = ktstr_kernel_commit(image);
	assert_true(ktstr_str_starts_with(dirty, clean));
	assert_true(ktstr_str_ends_with(dirty, "-dirty"));
}

static void without_git_there_is_no_commit(void **state)
{
	_cleanup_free_ char *path = ktstr_xstrdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_null(ktstr_project_commit());
	setenv("PATH", path, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RUNS_ROOT(run_dir_is_named_after_kernel_and_commit),
		IN_RUNS_ROOT(run_dir_name_cannot_leave_the_root),
		IN_RUNS_ROOT(run_dir_is_cleared_once_per_epoch),
		IN_RUNS_ROOT(epoch_is_made_and_exported_when_unset),
		IN_RUNS_ROOT(sidecar_dir_is_used_as_it_is),
		IN_RUNS_ROOT(stored_result_loads_with_its_logs),
		IN_RUNS_ROOT(sidecar_cannot_point_its_reader_elsewhere),
		IN_RUNS_ROOT(rerun_without_console_removes_the_old_one),
		IN_RUNS_ROOT(rerun_that_passes_removes_the_dump),
		IN_RUNS_ROOT(concurrent_writers_lose_nothing),
		IN_RUNS_ROOT(full_disk_is_reported_with_the_path),
		IN_RUNS_ROOT(project_commit_is_head_and_dirtiness),
		IN_RUNS_ROOT(kernel_commit_is_that_of_its_own_tree),
		IN_RUNS_ROOT(without_git_there_is_no_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
