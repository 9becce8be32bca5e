// SPDX-License-Identifier: GPL-2.0-only
/* Which commits of the user's project and of the kernel were tested, asked of git within a bounded time. */
#include <ctype.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "result/result.h"

#define GIT_TIMEOUT_NS (5ull * 1000000000u)
enum { ABBREVIATED_DIGITS = 7 };

static bool is_commit_id(const char *text)
{
	size_t digits = 0;

	while (isxdigit((unsigned char)text[digits]))
		digits++;
	return digits >= ABBREVIATED_DIGITS;
}

/*
 * Untracked files do not count: build output is not a modification. --no-optional-locks: we only
 * look. A tree too large to be compared in time cannot be called clean.
 */
static bool is_modified(const char *dir)
{
	const char *const argv[] = { "git", "-C", dir, "--no-optional-locks", "status", "--porcelain",
				     "--untracked-files=no", NULL };
	_cleanup_free_ char *changes = NULL;
	_cleanup_error_ struct ktstr_error *error =
		ktstr_run_command(argv, GIT_TIMEOUT_NS, &changes, NULL);

	return error || *changes;
}

/* HEAD of the repository around dir. */
static char *head_of(const char *dir)
{
	const char *const argv[] = { "git", "-C", dir, "rev-parse", "--verify", "--quiet", "HEAD", NULL };
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *head = NULL;

	error = ktstr_run_command(argv, GIT_TIMEOUT_NS, &head, NULL);
	if (error || !is_commit_id(head))
		return NULL;
	return ktstr_xasprintf("%.*s%s", ABBREVIATED_DIGITS, head, is_modified(dir) ? "-dirty" : "");
}

/* A tree that was unpacked within another project has no commit: that project's would not be the kernel's. */
static bool is_repository(const char *dir)
{
	const char *const argv[] = { "git", "-C", dir, "rev-parse", "--show-prefix", NULL };
	_cleanup_free_ char *prefix = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_run_command(argv, GIT_TIMEOUT_NS, &prefix, NULL);

	return !error && !prefix[strspn(prefix, "\n")];
}

char *ktstr_project_commit(void)
{
	const char *given = ktstr_env("KTSTR_PROJECT_COMMIT");

	return given ? ktstr_xstrdup(given) : head_of(".");
}

char *ktstr_kernel_commit(const char *image_path)
{
	static const char in_tree[] = "/arch/x86/boot/bzImage";
	_cleanup_free_ char *tree = NULL;

	if (!image_path || !ktstr_str_ends_with(image_path, in_tree))
		return NULL;
	tree = ktstr_xstrndup(image_path, strlen(image_path) - strlen(in_tree));
	return is_repository(tree) ? head_of(tree) : NULL;
}
