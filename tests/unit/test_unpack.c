// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's reader of job archives (lib/guest/unpack.c), fed with good and with hostile ones. It writes below
 * "/", so each archive is unpacked by a child whose scratch is an empty directory: needs scratch.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "scratch.h"

enum { DONE = 0, CORRUPT = 10, OTHER_ERROR = 11 };

/* An entry whose header may lie about sizes; real data follows as given. */
static void add_raw(struct ktstr_str *archive, const char *magic, unsigned int mode, const char *name,
		    unsigned int name_size, const char *data, size_t data_length, unsigned int file_size)
{
	ktstr_str_addf(archive, "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic, 1u, mode, 0u,
		       0u, 1u, 0u, file_size, 0u, 0u, 0u, 0u, name_size, 0u);
	ktstr_str_add_bytes(archive, name, strlen(name) + 1);
	while (archive->length & 3)
		ktstr_str_add_bytes(archive, "", 1);
	ktstr_str_add_bytes(archive, data, data_length);
	while (archive->length & 3)
		ktstr_str_add_bytes(archive, "", 1);
}

static void add(struct ktstr_str *archive, unsigned int mode, const char *name, const char *data)
{
	add_raw(archive, "070701", mode, name, (unsigned int)strlen(name) + 1, data, strlen(data),
		(unsigned int)strlen(data));
}

static void add_trailer(struct ktstr_str *archive)
{
	add(archive, 0, "TRAILER!!!", "");
}

/* In a child with its own scratch; what it says is its exit code. A crash fails the test. */
static int unpack(const void *bytes, size_t length)
{
	/* Exactly as long as it says: a read behind its end is seen by the address sanitizer. */
	_cleanup_free_ char *exact = ktstr_xmalloc(length ? length : 1);
	int status;
	pid_t pid;

	memcpy(exact, bytes, length);
	pid = fork();
	if (!pid) {
		struct ktstr_error *error;

		if (chroot(scratch))
			_exit(99);
		error = unpack_newc(exact, length);
		_exit(!error ? DONE : ktstr_error_code(error) == KTSTR_ERR_CORRUPT ? CORRUPT : OTHER_ERROR);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		fail_msg("the reader died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 99)
		skip();
	return WEXITSTATUS(status);
}

static char *content_of(const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", scratch, name);
	char *text = NULL;

	ktstr_error_free(ktstr_read_file(path, &text, NULL));
	return text;
}

static void good_archive(void **state)
{
	_cleanup_str_ struct ktstr_str archive = { 0 };
	_cleanup_free_ char *text = NULL, *through_link = NULL, *program = NULL;
	struct stat st;

	(void)state;
	add(&archive, 040755, "job", "");
	add(&archive, 0100644, "job/a", "abc");
	add(&archive, 0100755, "job/program", "#!");
	add(&archive, 0120777, "job/link", "a");
	add(&archive, 0100644, "job/empty", "");
	add_trailer(&archive);
	assert_int_equal(unpack(archive.data, archive.length), DONE);
	text = content_of("job/a");
	assert_string_equal(text, "abc");
	through_link = content_of("job/link");
	assert_string_equal(through_link, "abc");
	program = ktstr_xasprintf("%s/job/program", scratch);
	assert_int_equal(stat(program, &st), 0);
	assert_true(st.st_mode & 0100);
}

static void again_over_the_same_files(void **state)
{
	_cleanup_str_ struct ktstr_str first = { 0 }, second = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(&first, 040755, "job", "");
	add(&first, 0100644, "job/a", "longer than what follows");
	add(&first, 0120777, "job/link", "a");
	add_trailer(&first);
	add(&second, 040755, "job", "");
	add(&second, 0100644, "job/a", "short");
	add(&second, 0120777, "job/link", "nowhere");
	add_trailer(&second);
	assert_int_equal(unpack(first.data, first.length), DONE);
	assert_int_equal(unpack(second.data, second.length), DONE);
	text = content_of("job/a");
	assert_string_equal(text, "short");
}

static void every_cut_is_told(void **state)
{
	_cleanup_str_ struct ktstr_str archive = { 0 };
	size_t cuts = 0;

	(void)state;
	add(&archive, 0100644, "a", "some content");
	add(&archive, 0100644, "b", "more");
	add_trailer(&archive);
	/* Padding after the trailer's name may be missing; everything shorter is damage. */
	for (size_t length = 0; length + 4 < archive.length; length += 5, cuts++)
		if (unpack(archive.data, length) != CORRUPT)
			fail_msg("cut at %zu of %zu bytes was not noticed", length, archive.length);
	assert_true(cuts > 20);
}

static void wrong_magic(void **state)
{
	_cleanup_str_ struct ktstr_str archive = { 0 };

	(void)state;
	add_raw(&archive, "070702", 0100644, "a", 2, "x", 1, 1);
	add_trailer(&archive);
	assert_int_equal(unpack(archive.data, archive.length), CORRUPT);
}

static void lengths_that_lie(void **state)
{
	static const unsigned int sizes[] = { 0xffffffff, 0x7fffffff, 0xfffffffc, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		_cleanup_str_ struct ktstr_str data = { 0 }, name = { 0 };

		add_raw(&data, "070701", 0100644, "a", 2, "x", 1, sizes[i]);
		add_trailer(&data);
		assert_int_equal(unpack(data.data, data.length), CORRUPT);
		add_raw(&name, "070701", 0100644, "a", sizes[i], "x", 1, 1);
		add_trailer(&name);
		assert_int_equal(unpack(name.data, name.length), CORRUPT);
	}
}

static void names_without_end(void **state)
{
	_cleanup_str_ struct ktstr_str none = { 0 }, open_end = { 0 };

	(void)state;
	add_raw(&none, "070701", 0100644, "a", 0, "x", 1, 1);
	add_trailer(&none);
	assert_int_equal(unpack(none.data, none.length), CORRUPT);
	add_raw(&open_end, "070701", 0100644, "abcdef", 3, "x", 1, 1);
	add_trailer(&open_end);
	assert_int_equal(unpack(open_end.data, open_end.length), CORRUPT);
}

static void digits_that_are_none(void **state)
{
	_cleanup_str_ struct ktstr_str archive = { 0 };

	(void)state;
	add(&archive, 0100644, "a", "x");
	add_trailer(&archive);
	memcpy(archive.data + 6 + 6 * 8, "0000zz01", 8);
	assert_int_equal(unpack(archive.data, archive.length), CORRUPT);
}

static void impossible_entries(void **state)
{
	_cleanup_str_ struct ktstr_str no_parent = { 0 }, onto_dir = { 0 };

	(void)state;
	add(&no_parent, 0100644, "no/parent", "x");
	add_trailer(&no_parent);
	assert_int_equal(unpack(no_parent.data, no_parent.length), OTHER_ERROR);
	add(&onto_dir, 040755, "dir", "");
	add(&onto_dir, 0100644, "dir", "x");
	add_trailer(&onto_dir);
	assert_int_equal(unpack(onto_dir.data, onto_dir.length), OTHER_ERROR);
}

static void random_bytes(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 50; round++) {
		_cleanup_str_ struct ktstr_str archive = { 0 };

		add(&archive, 0100644, "a", "content");
		add(&archive, 0120777, "l", "a");
		add_trailer(&archive);
		for (int i = 0; i < 8; i++) {
			seed = seed * 1664525u + 1013904223u;
			archive.data[(seed >> 8) % archive.length] = "0123456789abcdef\0\xff"[(seed >> 24) % 18];
		}
		/* Any answer will do, as long as it is one. */
		unpack(archive.data, archive.length);
	}
}

int main(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)
	const struct CMUnitTest tests[] = {
		IN_ROOT(good_archive),	   IN_ROOT(again_over_the_same_files), IN_ROOT(every_cut_is_told),
		IN_ROOT(wrong_magic),	   IN_ROOT(lengths_that_lie),	       IN_ROOT(names_without_end),
		IN_ROOT(digits_that_are_none), IN_ROOT(impossible_entries),    IN_ROOT(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
