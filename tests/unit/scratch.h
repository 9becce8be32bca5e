/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory for the files of a test or of a group of tests. */
#ifndef KTSTR_TESTS_SCRATCH_H
#define KTSTR_TESTS_SCRATCH_H

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "unit.h"

static char scratch[] = "/tmp/ktstr-unit-XXXXXX";

/* Others may look into it: tests that run a program as nobody do. */
static inline int make_scratch(void **state)
{
	(void)state;
	strcpy(scratch + sizeof(scratch) - sizeof("XXXXXX"), "XXXXXX");
	return mkdtemp(scratch) && !chmod(scratch, 0755) ? 0 : -1;
}

/* Fails when something in it cannot be removed. */
static inline int remove_scratch(void **state)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_remove_tree(scratch);

	(void)state;
	return error ? -1 : 0;
}

/* Writes a file there, and makes the directories above it. */
static inline void put_bytes(const char *name, const void *data, size_t length)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", scratch, name);
	_cleanup_free_ char *directory = ktstr_xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_ok(ktstr_make_dirs(directory));
	assert_ok(ktstr_write_file_atomic(path, data, length));
}

static inline void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

#endif
