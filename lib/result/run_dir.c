// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run directories: where they are, and who may clear one. All processes of one invocation carry the
 * same KTSTR_RUN_EPOCH; the first that finds another token in the directory clears it, the others
 * only add.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "result/internal.h"

#define SENTINEL        ".ktstr_run_epoch"
#define LOCK_TIMEOUT_NS (30ull * 1000000000u)

char *ktstr_path_component(const char *text)
{
	char *component = ktstr_xstrdup(*text ? text : "unknown");

	for (char *c = component; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-",
			    *c))
			*c = '_';
	if (*component == '.' || *component == '-')
		*component = '_';
	return component;
}

/*
 * The token of this invocation, made and exported for the processes we start when nobody gave one.
 */
static const char *run_epoch(void)
{
	struct timespec now;
	char token[32];

	if (!ktstr_env("KTSTR_RUN_EPOCH")) {
		clock_gettime(CLOCK_REALTIME, &now);
		snprintf(token, sizeof(token), "%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
		setenv("KTSTR_RUN_EPOCH", token, 1);
	}
	return ktstr_env("KTSTR_RUN_EPOCH");
}

static char *lock_path(const char *run_dir)
{
	const char *slash = strrchr(run_dir, '/');

	if (!slash)
		return ktstr_xasprintf(".locks/%s.lock", run_dir);
	return ktstr_xasprintf("%.*s/.locks/%s.lock", (int)(slash - run_dir), run_dir, slash + 1);
}

static bool belongs_to(const char *run_dir, const char *epoch)
{
	_cleanup_free_ char *sentinel = ktstr_xasprintf("%s/" SENTINEL, run_dir);
	_cleanup_free_ char *found = ktstr_read_line(sentinel);

	return found && !strcmp(found, epoch);
}

/* Sidecars, the logs beside them, and what a killed writer left of either. */
static bool is_result_file(const char *name)
{
	static const char *const suffixes[] = { KTSTR_SIDECAR_SUFFIX, KTSTR_CONSOLE_SUFFIX, KTSTR_SCHEDULER_LOG_SUFFIX,
						KTSTR_OUTPUT_SUFFIX,  KTSTR_DUMP_SUFFIX,    KTSTR_TRACE_SUFFIX };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const char *found = strstr(name, suffixes[i]);
		const char *rest = found ? found + strlen(suffixes[i]) : NULL;

		if (rest && (!*rest || ktstr_str_starts_with(rest, ".tmp.")))
			return true;
	}
	return false;
}

static struct ktstr_error *clear_results(const char *run_dir)
{
	_cleanup_closedir_ DIR *dir = opendir(run_dir);
	const struct dirent *entry;

	if (!dir)
		return ktstr_error_sys(errno, "cannot list %s", run_dir);
	while ((entry = readdir(dir))) {
		if (is_result_file(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) &&
		    errno != ENOENT)
			return ktstr_error_sys(errno, "cannot remove %s/%s", run_dir,
					       entry->d_name);
	}
	return NULL;
}

/* The sentinel is written last: a clearing that was interrupted is done again. */
static struct ktstr_error *claim(const char *run_dir, const char *epoch)
{
	_cleanup_free_ char *path = lock_path(run_dir);
	_cleanup_free_ char *sentinel = ktstr_xasprintf("%s/" SENTINEL, run_dir);
	_cleanup_free_ char *line = ktstr_xasprintf("%s\n", epoch);
	_cleanup_close_ int lock = -1;

	KTSTR_TRY(ktstr_lock_file(path, true, LOCK_TIMEOUT_NS, &lock));
	if (belongs_to(run_dir, epoch))
		return NULL;
	KTSTR_TRY(clear_results(run_dir));
	return ktstr_write_file_atomic(sentinel, line, strlen(line));
}

char *ktstr_runs_root(void)
{
	const char *pinned = ktstr_env("KTSTR_RUNS_ROOT");
	_cleanup_free_ char *state = pinned ? NULL : ktstr_state_dir();

	return pinned ? ktstr_xstrdup(pinned) : ktstr_xasprintf("%s/runs", state);
}

static struct ktstr_error *open_run_dir(const char *root, const char *run_dir)
{
	_cleanup_free_ char *locks = ktstr_xasprintf("%s/.locks", root);
	const char *epoch = run_epoch();

	KTSTR_TRY(ktstr_make_dirs(run_dir));
	KTSTR_TRY(ktstr_make_dirs(locks));
	return belongs_to(run_dir, epoch) ? NULL : claim(run_dir, epoch);
}

struct ktstr_error *ktstr_run_dir_open(const char *kernel_version, const char *project_commit,
				       char **path)
{
	const char *as_is = ktstr_env("KTSTR_SIDECAR_DIR");
	_cleanup_free_ char *root = ktstr_runs_root();
	_cleanup_free_ char *kernel = ktstr_path_component(kernel_version ?: "unknown");
	_cleanup_free_ char *commit = ktstr_path_component(project_commit ?: "unknown");
	_cleanup_free_ char *run_dir = NULL;
	struct ktstr_error *error;

	if (as_is) {
		run_dir = ktstr_xstrdup(as_is);
		KTSTR_TRY_WRAP(ktstr_make_dirs(run_dir), "KTSTR_SIDECAR_DIR");
	} else {
		run_dir = ktstr_xasprintf("%s/%s-%s", root, kernel, commit);
		error = open_run_dir(root, run_dir);
		if (error) {
			_cleanup_error_ struct ktstr_error *cause = error;

			return ktstr_error_new(ktstr_error_code(error),
					       "results cannot be kept in %s: %s; make room or give the right to write there, "
					       "or set KTSTR_RUNS_ROOT to another directory",
					       run_dir, ktstr_error_message(error));
		}
	}
	*path = ktstr_take(run_dir);
	return NULL;
}

struct ktstr_error *ktstr_run_dir_lock_shared(const char *run_dir, int *fd)
{
	_cleanup_free_ char *sentinel = ktstr_xasprintf("%s/" SENTINEL, run_dir);
	_cleanup_free_ char *path = lock_path(run_dir);

	*fd = -1;
	if (ktstr_env("KTSTR_SIDECAR_DIR") || !ktstr_path_exists(sentinel))
		return NULL;
	return ktstr_lock_file(path, false, LOCK_TIMEOUT_NS, fd);
}
