// SPDX-License-Identifier: GPL-2.0-only
/* Files: atomic replacement, locks that name their holder, trees that are removed without leaving them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "scratch.h"

static char *in_directory(const char *name)
{
	return ktstr_xasprintf("%s/%s", scratch, name);
}

static size_t entries_of(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));)
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	return count;
}

static void atomic_write_replaces(void **state)
{
	_cleanup_free_ char *path = in_directory("file"), *text = NULL, *again = NULL;
	size_t length;

	(void)state;
	assert_null(ktstr_write_file_atomic(path, "old", 3));
	assert_null(ktstr_write_file_atomic(path, "n\0w", 3));
	assert_null(ktstr_read_file(path, &text, &length));
	assert_int_equal(length, 3);
	assert_memory_equal(text, "n\0w", 4);
	assert_int_equal(entries_of(scratch), 1);
	assert_null(ktstr_write_file_atomic(path, "line\n\n", 6));
	again = ktstr_read_line(path);
	assert_string_equal(again, "line");
}

static void failed_write_leaves_the_old_file(void **state)
{
	_cleanup_free_ char *path = in_directory("taken"), *inside = in_directory("taken/x");
	_cleanup_free_ char *missing = in_directory("no/such/dir");
	_cleanup_error_ struct ktstr_error *onto_dir = NULL, *no_dir = NULL;

	(void)state;
	assert_null(ktstr_make_dirs(path));
	assert_null(ktstr_write_file_atomic(inside, "", 0));
	onto_dir = ktstr_write_file_atomic(path, "text", 4);
	assert_non_null(onto_dir);
	assert_non_null(strstr(ktstr_error_message(onto_dir), path));
	assert_int_equal(entries_of(scratch), 1);
	no_dir = ktstr_write_file_atomic(missing, "text", 4);
	assert_int_equal(ktstr_error_code(no_dir), KTSTR_ERR_NOT_FOUND);
	assert_non_null(strstr(ktstr_error_message(no_dir), missing));
}

static void full_disk_has_its_own_code(void **state)
{
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_error_ struct ktstr_error *error = NULL;

	(void)state;
	if (full < 0)
		skip();
	error = ktstr_write_all(full, "text", 4, "/dev/full");
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NO_SPACE);
	assert_non_null(strstr(ktstr_error_message(error), "/dev/full"));
}

static void unreadable_files_are_named(void **state)
{
	_cleanup_free_ char *path = in_directory("missing"), *text = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);
	_cleanup_error_ struct ktstr_error *is_dir = ktstr_read_file(scratch, &text, NULL);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	assert_non_null(strstr(ktstr_error_message(error), path));
	assert_int_equal(ktstr_error_errno(is_dir), EISDIR);
	assert_null(ktstr_read_line(path));
}

static void directories_are_made_in_depth(void **state)
{
	_cleanup_free_ char *deep = in_directory("a/b/c"), *file = in_directory("file");
	_cleanup_free_ char *below_file = in_directory("file/d");
	_cleanup_error_ struct ktstr_error *error = NULL;

	(void)state;
	assert_null(ktstr_make_dirs(deep));
	assert_null(ktstr_make_dirs(deep));
	assert_true(ktstr_path_exists(deep));
	assert_null(ktstr_write_file_atomic(file, "", 0));
	error = ktstr_make_dirs(below_file);
	assert_int_equal(ktstr_error_errno(error), ENOTDIR);
}

static void tree_removal_stays_inside(void **state)
{
	_cleanup_free_ char *tree = in_directory("tree"), *deep = in_directory("tree/a/b");
	_cleanup_free_ char *link = in_directory("tree/a/link"), *kept = in_directory("kept");
	_cleanup_free_ char *kept_file = in_directory("kept/file");

	(void)state;
	assert_null(ktstr_make_dirs(deep));
	assert_null(ktstr_make_dirs(kept));
	assert_null(ktstr_write_file_atomic(kept_file, "x", 1));
	assert_int_equal(symlink(kept, link), 0);
	assert_null(ktstr_remove_tree(tree));
	assert_false(ktstr_path_exists(tree));
	assert_true(ktstr_path_exists(kept_file));
	assert_null(ktstr_remove_tree(tree));
}

static void copies_have_content_and_mode(void **state)
{
	_cleanup_free_ char *from = in_directory("from"), *to = in_directory("to"), *text = NULL;
	struct stat st;

	(void)state;
	assert_null(ktstr_write_file_atomic(from, "content", 7));
	assert_null(ktstr_copy_file(from, to, 0750));
	assert_null(ktstr_read_file(to, &text, NULL));
	assert_string_equal(text, "content");
	assert_int_equal(stat(to, &st), 0);
	assert_int_equal(st.st_mode & 0700, 0700);
}

/* A process that holds the lock until it is killed. */
static pid_t holder_of(const char *path)
{
	int report[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(report), 0);
	pid = fork();
	if (!pid) {
		int fd;

		if (ktstr_lock_file(path, true, 0, &fd) || write(report[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(report[0], &byte, 1), 1);
	close(report[0]);
	close(report[1]);
	return pid;
}

static void locks_name_their_holder(void **state)
{
	_cleanup_free_ char *path = in_directory("lock"), *who = NULL;
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_close_ int fd = -1;
	pid_t holder = holder_of(path);

	(void)state;
	who = ktstr_xasprintf("pid %d", (int)holder);
	error = ktstr_lock_file(path, false, 50000000, &fd);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_BUSY);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(ktstr_error_message(error), path));
	assert_non_null(strstr(ktstr_error_message(error), who));
	/* The lock dies with its holder, the file stays. */
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	assert_null(ktstr_lock_file(path, true, 0, &fd));
	assert_true(ktstr_path_exists(path));
}

/* A holder may delete the file: whoever waited for it must not believe to hold a lock that nobody else can see. */
static void deleted_locks_are_no_locks(void **state)
{
	_cleanup_free_ char *path = in_directory("gone");
	_cleanup_close_ int holder = -1, waiter = -1;
	struct stat held, visible;
	pid_t pid;

	(void)state;
	assert_null(ktstr_lock_file(path, true, 0, &holder));
	pid = fork();
	if (pid == 0) {
		/* Its own copy of the descriptor is closed by the exit: the lock ends when both are. */
		usleep(60000);
		_exit(unlink(path));
	}
	close(ktstr_take_fd(&holder));
	assert_null(ktstr_lock_file(path, true, 5000000000, &waiter));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(fstat(waiter, &held), 0);
	assert_int_equal(stat(path, &visible), 0);
	assert_int_equal(held.st_ino, visible.st_ino);
}

static void shared_locks_go_together(void **state)
{
	_cleanup_free_ char *path = in_directory("lock");
	_cleanup_close_ int first = -1, second = -1, third = -1;
	_cleanup_error_ struct ktstr_error *error = NULL;

	(void)state;
	assert_null(ktstr_lock_file(path, false, 0, &first));
	assert_null(ktstr_lock_file(path, false, 0, &second));
	error = ktstr_lock_file(path, true, 0, &third);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_BUSY);
}

static void folders_follow_the_environment(void **state)
{
	_cleanup_free_ char *own = NULL, *xdg = NULL, *home = NULL, *run_state = NULL, *relative = NULL;

	(void)state;
	setenv("HOME", "/home/u", 1);
	setenv("XDG_CACHE_HOME", "/x", 1);
	setenv("KTSTR_CACHE_DIR", "/k", 1);
	own = ktstr_cache_dir();
	assert_string_equal(own, "/k");
	setenv("KTSTR_CACHE_DIR", "", 1);
	xdg = ktstr_cache_dir();
	assert_string_equal(xdg, "/x/ktstr");
	setenv("XDG_CACHE_HOME", "relative", 1);
	relative = ktstr_cache_dir();
	assert_string_equal(relative, "/home/u/.cache/ktstr");
	unsetenv("XDG_CACHE_HOME");
	home = ktstr_cache_dir();
	assert_string_equal(home, "/home/u/.cache/ktstr");
	unsetenv("XDG_STATE_HOME");
	run_state = ktstr_state_dir();
	assert_string_equal(run_state, "/home/u/.local/state/ktstr");
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(atomic_write_replaces),
		IN_DIRECTORY(failed_write_leaves_the_old_file),
		cmocka_unit_test(full_disk_has_its_own_code),
		IN_DIRECTORY(unreadable_files_are_named),
		IN_DIRECTORY(directories_are_made_in_depth),
		IN_DIRECTORY(tree_removal_stays_inside),
		IN_DIRECTORY(copies_have_content_and_mode),
		IN_DIRECTORY(locks_name_their_holder),
		IN_DIRECTORY(deleted_locks_are_no_locks),
		IN_DIRECTORY(shared_locks_go_together),
		cmocka_unit_test(folders_follow_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
