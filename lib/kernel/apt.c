// SPDX-License-Identifier: GPL-2.0-only
/* Runs apt-get and apt-cache against a private root; see apt.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "kernel/apt.h"
#include "kernel/internal.h"

#define UPDATE_TIMEOUT_NS   (5ull * 60 * 1000000000)
#define DOWNLOAD_TIMEOUT_NS (30ull * 60 * 1000000000)
#define QUERY_TIMEOUT_NS    (60ull * 1000000000)
#define POLL_NS             (100ull * 1000000)

/* Lists and apt's index of the largest suite: 23 + 30 MB for sid. */
#define LISTS_BYTES (64ull << 20)

/* Another Debian directory than /etc/apt, for machines (and tests) that keep it elsewhere. */
static const char *etc_apt(void)
{
	const char *own = ktstr_env("KTSTR_ETC_APT");

	return own ? own : "/etc/apt";
}

struct ktstr_error *ktstr_apt_open(struct ktstr_apt *apt)
{
	_cleanup_free_ char *cache = ktstr_cache_dir(), *lock = NULL;

	*apt = (struct ktstr_apt){ .lock_fd = -1 };
	KTSTR_TRY(ktstr_apt_find_source(etc_apt(), &apt->source));
	apt->root = ktstr_xasprintf("%s/apt", cache);
	lock = ktstr_xasprintf("%s/.lock", apt->root);
	KTSTR_TRY(ktstr_make_dirs(apt->root));
	return ktstr_lock_file(lock, true, KTSTR_KERNEL_LOCK_TIMEOUT_NS, &apt->lock_fd);
}

void ktstr_apt_close(struct ktstr_apt *apt)
{
	if (apt->lock_fd >= 0)
		close(apt->lock_fd);
	free(apt->root);
	ktstr_apt_source_deinit(&apt->source);
	*apt = (struct ktstr_apt){ .lock_fd = -1 };
}

/* Writes only what differs, so that `changed` tells whether lists of before still fit. */
static struct ktstr_error *write_if_new(const char *path, const char *text, bool *changed)
{
	_cleanup_free_ char *old = NULL;

	if (ktstr_path_exists(path)) {
		KTSTR_TRY(ktstr_read_file(path, &old, NULL));
		if (!strcmp(old, text))
			return NULL;
	}
	*changed = true;
	return ktstr_write_file_atomic(path, text, strlen(text));
}

/*
 * Hooks of the host (#clear) must not run: they clean the host's own caches or tell its desktop.
 * Root stays root: the unprivileged user of apt could not write below a private home directory.
 */
static char *config_text(const char *root)
{
	return ktstr_xasprintf("Dir::State \"%s/state\";\n"
			       "Dir::State::lists \"%s/state/lists\";\n"
			       "Dir::State::status \"%s/state/status\";\n"
			       "Dir::State::extended_states \"%s/state/extended_states\";\n"
			       "Dir::Cache \"%s/cache\";\n"
			       "Dir::Cache::archives \"%s/cache/archives\";\n"
			       "Dir::Cache::pkgcache \"pkgcache.bin\";\n"
			       "Dir::Cache::srcpkgcache \"\";\n"
			       "Dir::Etc::sourcelist \"/dev/null\";\n"
			       "Dir::Etc::sourceparts \"%s/sources\";\n"
			       "Dir::Etc::preferences \"/dev/null\";\n"
			       "Dir::Etc::preferencesparts \"%s/preferences\";\n"
			       "Dir::Log \"%s/state\";\n"
			       "APT::Architecture \"amd64\";\n"
			       "#clear APT::Architectures;\n"
			       "APT::Default-Release \"\";\n"
			       "APT::Sandbox::User \"root\";\n"
			       "Acquire::Retries \"3\";\n"
			       "Acquire::Languages \"none\";\n"
			       "#clear APT::Update::Pre-Invoke;\n"
			       "#clear APT::Update::Post-Invoke;\n"
			       "#clear APT::Update::Post-Invoke-Success;\n"
			       "#clear DPkg::Pre-Invoke;\n"
			       "#clear DPkg::Post-Invoke;\n"
			       "#clear Acquire::IndexTargets::deb::DEP-11;\n"
			       "#clear Acquire::IndexTargets::deb::Contents-deb;\n",
			       root, root, root, root, root, root, root, root, root);
}

static char *source_text(const struct ktstr_apt_source *source, const char *suite)
{
	return ktstr_xasprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n%s%s%s%s",
			       source->uri, suite, source->signed_by ? "Signed-By: " : "",
			       source->signed_by ? source->signed_by : "",
			       source->signed_by ? "\n" : "", source->options);
}

static struct ktstr_error *prepare_root(const struct ktstr_apt *apt, const char *suite,
					const char *root)
{
	static const char *const dirs[] = { "state/lists/partial", "cache/archives/partial",
					    "sources", "preferences" };
	_cleanup_free_ char *config = config_text(root);
	_cleanup_free_ char *source = source_text(&apt->source, suite);
	_cleanup_free_ char *config_path = ktstr_xasprintf("%s/apt.conf", root);
	_cleanup_free_ char *source_path = ktstr_xasprintf("%s/sources/ktstr.sources", root);
	_cleanup_free_ char *status_path = ktstr_xasprintf("%s/state/status", root);
	_cleanup_free_ char *stamp = ktstr_xasprintf("%s/updated", root);
	bool changed = false;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		_cleanup_free_ char *dir = ktstr_xasprintf("%s/%s", root, dirs[i]);

		KTSTR_TRY(ktstr_make_dirs(dir));
	}
	KTSTR_TRY(write_if_new(config_path, config, &changed));
	KTSTR_TRY(write_if_new(status_path, "", &changed));
	KTSTR_TRY(write_if_new(source_path, source, &changed));
	if (changed)
		unlink(stamp);
	return NULL;
}

static char *suite_root(const struct ktstr_apt *apt, const char *suite)
{
	return ktstr_xasprintf("%s/%s", apt->root, suite);
}

/* Bytes of the regular files of dir and of its folder "partial", where apt keeps what is under way.
 */
static uint64_t bytes_in(const char *dir)
{
	_cleanup_closedir_ DIR *stream = opendir(dir);
	struct dirent *entry;
	uint64_t total = 0;

	while (stream && (entry = readdir(stream))) {
		struct stat st;

		if (!fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
	}
	return total;
}

static uint64_t downloaded_bytes(const char *dir)
{
	_cleanup_free_ char *partial = ktstr_xasprintf("%s/partial", dir);

	return bytes_in(dir) + bytes_in(partial);
}

/* What is polled while a child works: the growth of dir towards total. */
struct watch {
	const struct ktstr_progress *progress;
	const char *what;
	const char *dir;
	uint64_t total;
};

static struct ktstr_error *wait_watching(struct ktstr_child *child, uint64_t timeout_ns,
					 const struct watch *watch, int *status)
{
	uint64_t deadline = ktstr_now_ns() + timeout_ns;
	uint64_t base = watch->total ? 0 : downloaded_bytes(watch->dir);

	for (;;) {
		struct ktstr_error *error =
			ktstr_child_wait(child, ktstr_now_ns() + POLL_NS, status);
		uint64_t now = downloaded_bytes(watch->dir);

		if (ktstr_error_code(error) != KTSTR_ERR_TIMEOUT)
			return error;
		ktstr_error_free(error);
		if (ktstr_now_ns() >= deadline)
			return ktstr_error_new(
				KTSTR_ERR_TIMEOUT,
				"apt-get has not ended within %llu s: is the mirror reachable?",
				(unsigned long long)(timeout_ns / 1000000000));
		ktstr_progress_report(watch->progress, watch->what, now > base ? now - base : 0,
				      watch->total);
	}
}

/* Runs apt-get in dir; messages receives what it printed. A non-zero status is not yet an error. */
static struct ktstr_error *run_apt_get(const char *const *argv, uint64_t timeout_ns,
				       const struct watch *watch, int *status, char **messages)
{
	_cleanup_(ktstr_child_kill) struct ktstr_child child = { .pidfd = -1 };
	_cleanup_free_ char *text = ktstr_xcalloc(1, 4096);
	_cleanup_close_ int output = -1;
	off_t end;

	KTSTR_TRY(ktstr_memfd("apt-output", 0, &output));
	KTSTR_TRY_WRAP(ktstr_child_spawn(&(struct ktstr_child_spec){ .argv = argv,
								     .stdin_fd = -1,
								     .stdout_fd = output,
								     .stderr_fd = output,
								     .own_session = true },
					 &child),
		       "fetching kernels needs Debian's apt");
	KTSTR_TRY(wait_watching(&child, timeout_ns, watch, status));
	end = lseek(output, 0, SEEK_END);
	/* The end says what failed; the beginning can be long. */
	if (pread(output, text, 4095, end > 4095 ? end - 4095 : 0) < 0)
		return ktstr_error_sys(errno, "cannot read the output of apt-get");
	*messages = ktstr_take(text);
	return NULL;
}

/* apt's error lines without their "E: " in one line; everything when it printed none. Heap. */
static char *error_lines(const char *messages)
{
	_cleanup_free_ char *copy = ktstr_xstrdup(messages);
	struct ktstr_str text = { 0 };
	char *saved = NULL;

	for (char *line = strtok_r(copy, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved))
		if (ktstr_str_starts_with(line, "E: "))
			ktstr_str_addf(&text, "%s%s", text.length ? "; " : "", line + 3);
	if (!text.length)
		ktstr_str_add(&text, *messages ? messages : "no message");
	return ktstr_str_take(&text);
}

static struct ktstr_error *apt_failure(const char *what, const char *suite,
				       const struct ktstr_apt *apt, int status,
				       const char *messages)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(status);
	_cleanup_free_ char *lines = error_lines(messages);
	const char *hint = "";
	enum ktstr_error_code code = KTSTR_ERR_SYSTEM;

	if (strstr(messages, "NO_PUBKEY") || strstr(messages, "not signed"))
		hint = "; install a newer debian-archive-keyring package";
	else if (strstr(messages, "No space left") || strstr(messages, "enough free space"))
		code = KTSTR_ERR_NO_SPACE;
	return ktstr_error_new(code, "cannot %s suite %s of %s (mirror of %s), apt-get: %s: %s%s",
			       what, suite, apt->source.uri, apt->source.origin, how, lines, hint);
}

/* Seconds since the suite was asked for successfully; UINT64_MAX when never. */
static uint64_t lists_age_s(const char *stamp)
{
	struct stat st;
	time_t now = time(NULL);

	if (stat(stamp, &st))
		return UINT64_MAX;
	return now > st.st_mtime ? (uint64_t)(now - st.st_mtime) : 0;
}

struct ktstr_error *ktstr_apt_refresh(const struct ktstr_apt *apt, const char *suite,
				      uint64_t max_age_s, const struct ktstr_progress *progress,
				      bool *absent)
{
	_cleanup_free_ char *root = suite_root(apt, suite);
	_cleanup_free_ char *config = ktstr_xasprintf("%s/apt.conf", root);
	_cleanup_free_ char *lists = ktstr_xasprintf("%s/state/lists", root);
	_cleanup_free_ char *stamp = ktstr_xasprintf("%s/updated", root), *stamped = NULL;
	_cleanup_free_ char *what = ktstr_xasprintf("package lists of %s", suite), *messages = NULL;
	const char *argv[] = { "env",    "-C",   root, "LC_ALL=C", "apt-get",
			       "-c",     config, "-q", "-o",       "APT::Update::Error-Mode=any",
			       "update", NULL };
	struct watch watch = { progress, what, lists, 0 };
	uint64_t age;
	int status;

	KTSTR_TRY(prepare_root(apt, suite, root));
	age = lists_age_s(stamp);
	stamped = ktstr_read_line(stamp);
	*absent = stamped ? !strcmp(stamped, "absent") : max_age_s == UINT64_MAX;
	if (age <= max_age_s)
		return NULL;
	KTSTR_TRY(ktstr_check_space(root, LISTS_BYTES));
	ktstr_progress_report(progress, what, 0, 0);
	KTSTR_TRY(run_apt_get(argv, UPDATE_TIMEOUT_NS, &watch, &status, &messages));
	/* A refused connection, a proxy's 403 and the like must not pass for a suite that does not
	 * exist. */
	*absent = status && strstr(messages, "does not have a Release file") &&
		  strstr(messages, "404");
	if (status && !*absent && age == UINT64_MAX)
		return apt_failure("read", suite, apt, status, messages);
	if (status && !*absent)
		return NULL;
	return ktstr_write_file_atomic(stamp, *absent ? "absent\n" : "present\n", *absent ? 7 : 8);
}

struct ktstr_error *ktstr_apt_cache(const struct ktstr_apt *apt, const char *suite,
				    const char *const *arguments, char **out)
{
	_cleanup_free_ char *root = suite_root(apt, suite);
	_cleanup_free_ char *config = ktstr_xasprintf("%s/apt.conf", root);
	_cleanup_strv_ struct ktstr_strv argv = { 0 };

	ktstr_strv_add(&argv, "env");
	ktstr_strv_add(&argv, "LC_ALL=C");
	ktstr_strv_add(&argv, "apt-cache");
	ktstr_strv_addf(&argv, "--config-file=%s", config);
	for (; *arguments; arguments++)
		ktstr_strv_add(&argv, *arguments);
	return ktstr_run_command((const char *const *)argv.items, QUERY_TIMEOUT_NS, out, NULL);
}

char *ktstr_apt_field(const char *stanza, const char *name)
{
	_cleanup_free_ char *key = ktstr_xasprintf("%s: ", name);

	for (const char *line = stanza; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (ktstr_str_starts_with(line, key))
			return ktstr_xstrndup(line + strlen(key),
					      strcspn(line + strlen(key), "\n"));
	}
	return NULL;
}

static uint64_t stanza_number(const char *stanza, const char *name)
{
	_cleanup_free_ char *text = ktstr_apt_field(stanza, name);

	return text ? strtoull(text, NULL, 10) : 0;
}

struct ktstr_error *ktstr_apt_show(const struct ktstr_apt *apt, const char *suite, const char *name,
				   struct ktstr_apt_package *package)
{
	const char *arguments[] = { "show", "--no-all-versions", name, NULL };
	_cleanup_free_ char *text = NULL;

	*package = (struct ktstr_apt_package){ 0 };
	KTSTR_TRY_WRAP(ktstr_apt_cache(apt, suite, arguments, &text), "no package %s in suite %s",
		       name, suite);
	package->version = ktstr_apt_field(text, "Version");
	package->size = stanza_number(text, "Size");
	package->installed_kib = stanza_number(text, "Installed-Size");
	if (!package->version || !package->size) {
		ktstr_apt_package_deinit(package);
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "suite %s describes package %s without version or size",
				       suite, name);
	}
	package->depends = ktstr_apt_field(text, "Depends");
	if (!package->depends)
		package->depends = ktstr_xstrdup("");
	package->name = ktstr_xstrdup(name);
	return NULL;
}

void ktstr_apt_package_deinit(struct ktstr_apt_package *package)
{
	free(package->name);
	free(package->version);
	free(package->depends);
	*package = (struct ktstr_apt_package){ 0 };
}

struct ktstr_error *ktstr_apt_download(const struct ktstr_apt *apt, const char *suite,
				       const struct ktstr_apt_package *packages, size_t count,
				       const char *dir, const struct ktstr_progress *progress)
{
	_cleanup_free_ char *root = suite_root(apt, suite);
	_cleanup_free_ char *config = ktstr_xasprintf("%s/apt.conf", root), *messages = NULL;
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	struct watch watch = { progress, "download", dir, 0 };
	int status;

	/* apt-get download writes to its working directory. */
	ktstr_strv_add(&argv, "env");
	ktstr_strv_addf(&argv, "--chdir=%s", dir);
	ktstr_strv_add(&argv, "LC_ALL=C");
	ktstr_strv_add(&argv, "apt-get");
	ktstr_strv_addf(&argv, "--config-file=%s", config);
	ktstr_strv_add(&argv, "-qq");
	ktstr_strv_add(&argv, "download");
	for (size_t i = 0; i < count; i++) {
		ktstr_strv_addf(&argv, "%s=%s", packages[i].name, packages[i].version);
		watch.total += packages[i].size;
	}
	ktstr_progress_report(progress, watch.what, 0, watch.total);
	KTSTR_TRY(run_apt_get((const char *const *)argv.items, DOWNLOAD_TIMEOUT_NS, &watch, &status,
			      &messages));
	if (status)
		return apt_failure("download from", suite, apt, status, messages);
	ktstr_progress_report(progress, watch.what, watch.total, watch.total);
	return NULL;
}
