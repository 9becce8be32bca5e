// SPDX-License-Identifier: GPL-2.0-only
/* The template store without VMs: made whole or not at all, checked, evicted, reclaimed, dropped. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "vm/template_store.h"
#include "scratch.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int set_up(void **state)
{
	if (make_scratch(state))
		return -1;
	unsetenv("KTSTR_TEMPLATE_CAP_MIB");
	return setenv("KTSTR_TEMPLATE_DIR", scratch, 1);
}

static void write_file(const char *dir, const char *name, size_t bytes)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *content = ktstr_xcalloc(1, bytes);

	memset(content, 'x', bytes);
	assert_null(ktstr_write_file_atomic(path, content, bytes));
}

/* Makes a template of `bytes`; the caller releases it. */
static struct ktstr_template_hold make_described(const char *key, size_t bytes, const char *description)
{
	struct ktstr_template_hold hold;
	_cleanup_free_ char *dir = NULL;
	_cleanup_close_ int fd = -1;
	bool must_build;

	assert_null(ktstr_template_take(key, &hold, &must_build));
	assert_true(must_build);
	assert_null(ktstr_template_begin(key, 1, &dir, &fd));
	write_file(dir, "ram", bytes);
	write_file(dir, "state", 100);
	assert_null(ktstr_template_publish(dir, description, &hold));
	return hold;
}

static struct ktstr_template_hold make(const char *key, size_t bytes)
{
	return make_described(key, bytes, "of a test");
}

static bool is_sound(const char *key)
{
	struct ktstr_template_hold hold;
	bool must_build;

	assert_null(ktstr_template_take(key, &hold, &must_build));
	ktstr_template_release(&hold);
	return !must_build;
}

static void test_published_is_found_again(void **state)
{
	struct ktstr_template_hold hold = make(KEY_A, 5000);

	(void)state;
	ktstr_template_release(&hold);
	assert_true(is_sound(KEY_A));
	assert_false(is_sound(KEY_B));
}

/* A program's file may be called anything, and JSON is UTF-8. */
static void test_a_description_is_any_bytes(void **state)
{
	struct ktstr_template_hold hold = make_described(KEY_A, 5000, "scx_\xff, a\nb loaded");
	struct ktstr_template_entry *entries;
	size_t count;

	(void)state;
	ktstr_template_release(&hold);
	assert_true(is_sound(KEY_A));
	assert_null(ktstr_template_list(&entries, &count));
	assert_int_equal(count, 1);
	assert_has(entries[0].description, "scx_\\xff, a");
	ktstr_template_entries_free(entries, count);
}

static void test_damage_is_noticed(void **state)
{
	struct ktstr_template_hold hold = make(KEY_A, 5000);

	(void)state;
	write_file(hold.dir, "ram", 4999);
	ktstr_template_release(&hold);
	assert_false(is_sound(KEY_A));
	hold = make(KEY_A, 5000);
	write_file(hold.dir, "state", 101);
	ktstr_template_release(&hold);
	assert_false(is_sound(KEY_A));
}

static void test_drop_spares_what_is_in_use(void **state)
{
	struct ktstr_template_hold a = make(KEY_A, 5000), b = make(KEY_B, 5000);
	size_t dropped, left;

	(void)state;
	ktstr_template_release(&a);
	assert_null(ktstr_template_drop(NULL, &dropped, &left));
	assert_int_equal(dropped, 1);
	assert_int_equal(left, 1);
	ktstr_template_release(&b);
	assert_null(ktstr_template_drop("bb", &dropped, &left));
	assert_int_equal(dropped, 1);
	assert_null(ktstr_template_drop(NULL, &dropped, &left));
	assert_false(ktstr_path_exists(scratch));
}

/* As between two locks of its builder: what is held is the directory alone. */
static void test_what_is_just_published_is_in_use(void **state)
{
	struct ktstr_template_hold hold;
	_cleanup_free_ char *dir = NULL;
	size_t dropped, left;
	bool must_build;
	int fd = -1;

	(void)state;
	assert_null(ktstr_template_take(KEY_A, &hold, &must_build));
	assert_null(ktstr_template_begin(KEY_A, 1, &dir, &fd));
	write_file(dir, "ram", 5000);
	write_file(dir, "state", 100);
	assert_null(ktstr_template_publish(dir, "of a test", &hold));
	ktstr_template_release(&hold);
	assert_null(ktstr_template_drop(NULL, &dropped, &left));
	assert_int_equal(left, 1);
	assert_true(is_sound(KEY_A));
	close(fd);
	assert_null(ktstr_template_drop(NULL, &dropped, &left));
	assert_int_equal(dropped, 1);
}

enum { TAKERS = 4 };

/* Ends with 1 if it had to build. Drops while it holds the template: nothing may go. */
static void take_and_exit(void)
{
	struct ktstr_template_hold hold;
	size_t dropped = 1, left = 0;
	bool must_build = true;

	ktstr_error_free(ktstr_template_take(KEY_A, &hold, &must_build));
	ktstr_error_free(ktstr_template_drop(NULL, &dropped, &left));
	_exit(must_build || dropped || left != 1);
}

static void test_who_waits_for_a_build_shares_what_it_made(void **state)
{
	struct ktstr_template_hold hold;
	_cleanup_free_ char *dir = NULL;
	_cleanup_close_ int fd = -1;
	pid_t takers[TAKERS];
	bool must_build;

	(void)state;
	assert_null(ktstr_template_take(KEY_A, &hold, &must_build));
	assert_true(must_build);
	for (size_t i = 0; i < TAKERS; i++) {
		takers[i] = fork();
		assert_int_not_equal(takers[i], -1);
		if (!takers[i]) {
			close(hold.lock_fd);
			take_and_exit();
		}
	}
	assert_null(ktstr_template_begin(KEY_A, 1, &dir, &fd));
	write_file(dir, "ram", 5000);
	write_file(dir, "state", 100);
	assert_null(ktstr_template_publish(dir, "of a test", &hold));
	for (size_t i = 0; i < TAKERS; i++) {
		int status;

		assert_int_equal(waitpid(takers[i], &status, 0), takers[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	ktstr_template_release(&hold);
}

static void test_least_recently_used_goes_first(void **state)
{
	struct ktstr_template_hold a, b;
	_cleanup_free_ char *dir = NULL;
	_cleanup_close_ int fd = -1;
	struct ktstr_template_entry *entries;
	size_t count;

	(void)state;
	setenv("KTSTR_TEMPLATE_CAP_MIB", "4", 1);
	a = make(KEY_A, 1500000);
	ktstr_template_release(&a);
	sleep(1); /* times of last use have a resolution of a second */
	b = make(KEY_B, 1500000);
	ktstr_template_release(&b);
	assert_null(ktstr_template_begin("c", 2, &dir, &fd));
	assert_null(ktstr_template_list(&entries, &count));
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].key, KEY_B);
	ktstr_template_entries_free(entries, count);
}

static void test_builds_of_the_dead_are_reclaimed(void **state)
{
	_cleanup_free_ char *dir = NULL;
	int fd = -1;

	(void)state;
	assert_null(ktstr_template_begin(KEY_A, 1, &dir, &fd));
	ktstr_template_tidy();
	assert_true(ktstr_path_exists(dir));
	close(fd);
	ktstr_template_tidy();
	assert_false(ktstr_path_exists(dir));
}

/* A clone's touch of a hole leaves a page of zeros in the file: here as many as make tidying worth its while. */
static void fill_holes(const char *ram)
{
	_cleanup_close_ int fd = open(ram, O_RDWR | O_CLOEXEC);
	_cleanup_free_ char *zeros = ktstr_xcalloc(1, 100 << 20);

	assert_int_equal(pwrite(fd, zeros, 100 << 20, 4 << 20), 100 << 20);
}

static uint64_t listed_bytes(void)
{
	struct ktstr_template_entry *entries;
	uint64_t bytes;
	size_t count;

	assert_null(ktstr_template_list(&entries, &count));
	assert_int_equal(count, 1);
	bytes = entries[0].used_bytes;
	ktstr_template_entries_free(entries, count);
	return bytes;
}

static void test_what_clones_fill_is_given_back(void **state)
{
	struct ktstr_template_hold hold;
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *ram = NULL;
	_cleanup_free_ char *content = NULL;
	_cleanup_close_ int fd = -1;
	bool must_build;

	(void)state;
	assert_null(ktstr_template_take(KEY_A, &hold, &must_build));
	assert_null(ktstr_template_begin(KEY_A, 1, &dir, &fd));
	write_file(dir, "ram", 1 << 20);
	write_file(dir, "state", 100);
	ram = ktstr_xasprintf("%s/ram", dir);
	assert_int_equal(truncate(ram, 256 << 20), 0);
	assert_null(ktstr_template_publish(dir, "of a test", &hold));
	free(ram);
	ram = ktstr_xasprintf("%s/ram", hold.dir);
	fill_holes(ram);
	assert_true(listed_bytes() > 100 << 20);
	ktstr_template_tidy();
	assert_true(listed_bytes() < 2 << 20);
	assert_null(ktstr_read_file(ram, &content, NULL));
	assert_int_equal(content[(1 << 20) - 1], 'x');
	assert_int_equal(content[1 << 20], 0);
	ktstr_template_release(&hold);
	assert_true(is_sound(KEY_A));
}

static void test_the_cap_holds_between_builds(void **state)
{
	struct ktstr_template_hold a = make(KEY_A, 3 << 20), b;
	struct ktstr_template_entry *entries;
	size_t count;

	(void)state;
	ktstr_template_release(&a);
	b = make(KEY_B, 3 << 20);
	setenv("KTSTR_TEMPLATE_CAP_MIB", "4", 1);
	ktstr_template_tidy();
	assert_null(ktstr_template_list(&entries, &count));
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].key, KEY_B);
	assert_true(entries[0].in_use);
	ktstr_template_entries_free(entries, count);
	ktstr_template_release(&b);
}

static void test_a_store_that_is_none_is_blamed(void **state)
{
	struct ktstr_template_hold hold;
	struct ktstr_error *error;
	bool must_build;

	(void)state;
	setenv("KTSTR_TEMPLATE_DIR", "/dev/null", 1);
	error = ktstr_template_take(KEY_A, &hold, &must_build);
	assert_fails(error, KTSTR_ERR_SYSTEM,
		     "template store /dev/null cannot be used; name another directory with KTSTR_TEMPLATE_DIR: ");
	ktstr_template_release(&hold);
	setenv("KTSTR_TEMPLATE_DIR", scratch, 1);
}

static void test_no_room_is_said_with_numbers(void **state)
{
	_cleanup_free_ char *dir = NULL;
	int fd = -1;
	_cleanup_error_ struct ktstr_error *error = ktstr_template_begin(KEY_A, 1u << 30, &dir, &fd);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NO_SPACE);
	assert_non_null(strstr(ktstr_error_message(error), scratch));
	assert_non_null(strstr(ktstr_error_message(error), "KTSTR_TEMPLATE_DIR"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_published_is_found_again, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_a_description_is_any_bytes, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_damage_is_noticed, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_drop_spares_what_is_in_use, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_what_is_just_published_is_in_use, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_who_waits_for_a_build_shares_what_it_made, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_least_recently_used_goes_first, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_builds_of_the_dead_are_reclaimed, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_what_clones_fill_is_given_back, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_the_cap_holds_between_builds, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_a_store_that_is_none_is_blamed, set_up, remove_scratch),
		cmocka_unit_test_setup_teardown(test_no_room_is_said_with_numbers, set_up, remove_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
