// SPDX-License-Identifier: GPL-2.0-only
/* Which commit of the user's project was tested, asked of git within a bounded time. */
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
static bool is_modified(void)
{
	const char *const argv[] = { "git",         "--no-optional-locks",  "status",
				     "--porcelain", "--untracked-files=no", NULL };
	_cleanup_free_ char *changes = NULL;
	_cleanup_error_ struct ktstr_error *error =
		ktstr_run_command(argv, GIT_TIMEOUT_NS, &changes, NULL);

	return error || *changes;
}

char *ktstr_project_commit(void)
{
	const char *const argv[] = { "git", "rev-parse", "--verify", "--quiet", "HEAD", NULL };
	const char *given = ktstr_env("KTSTR_PROJECT_COMMIT");
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *head = NULL;

	if (given)
		return ktstr_xstrdup(given);
	error = ktstr_run_command(argv, GIT_TIMEOUT_NS, &head, NULL);
	if (error || !is_commit_id(head))
		return NULL;
	return ktstr_xasprintf("%.*s%s", ABBREVIATED_DIGITS, head, is_modified() ? "-dirty" : "");
}
