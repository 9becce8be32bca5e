// SPDX-License-Identifier: GPL-2.0-only
/* The template store; see template_store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/env.h"
#include "base/file.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "vm/template_holes.h"
#include "vm/template_store.h"

enum {
	META_VERSION = 2,
	DEFAULT_CAP_MIB = 6144,
	MARK_SECONDS = 24 * 3600, /* a program that was wanted once and never again in that time has been rebuilt or forgotten */
	FULL_BYTES = 1 << 20, /* less is no room: QEMU was killed for a page, or its state was not written */
	GROWTH_MIB = 64, /* filled holes that are not worth punching yet: the next clone fills the same */
	CLONE_ROOM_MIB = 1024, /* how far one clone is expected to fill holes before they are punched */
};
#define BUILD_WAIT KTSTR_SEC(600)

char *ktstr_template_dir(void)
{
	const char *own = ktstr_env("KTSTR_TEMPLATE_DIR");

	return own ? ktstr_xstrdup(own) : ktstr_xasprintf("/dev/shm/ktstr-%u", (unsigned int)getuid());
}

void ktstr_template_release(struct ktstr_template_hold *hold)
{
	free(hold->dir);
	if (hold->lock_fd >= 0)
		close(hold->lock_fd);
	*hold = (struct ktstr_template_hold){ .lock_fd = -1 };
}

static struct ktstr_error *corrupt(const char *dir, const char *why)
{
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "template %s: %s", dir, why);
}

/* Sizes of both files and the checksum of the device state must be what was recorded. */
static struct ktstr_error *verify(const char *dir)
{
	_cleanup_free_ char *meta_path = ktstr_xasprintf("%s/meta.json", dir);
	_cleanup_free_ char *ram_path = ktstr_xasprintf("%s/ram", dir);
	_cleanup_free_ char *state_path = ktstr_xasprintf("%s/state", dir);
	char digest[KTSTR_DIGEST_BYTES];
	json_t *meta = json_load_file(meta_path, 0, NULL);
	const char *recorded = json_string_value(json_object_get(meta, "state_sha256"));
	json_int_t ram_bytes = json_integer_value(json_object_get(meta, "ram_bytes"));
	struct ktstr_error *error = NULL;
	struct stat ram;

	if (!recorded || json_integer_value(json_object_get(meta, "version")) != META_VERSION)
		error = corrupt(dir, "meta.json is missing or damaged");
	else if (stat(ram_path, &ram) || ram.st_size != ram_bytes)
		error = corrupt(dir, "the RAM file has another size than recorded");
	else
		error = ktstr_sha256_file(state_path, digest);
	if (!error && strcmp(digest, recorded))
		error = corrupt(dir, "the device state has another checksum than recorded");
	json_decref(meta);
	return error;
}

static uint64_t file_blocks_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

/* Gives back what clones have filled of a template's RAM file. */
static void trim(const char *dir)
{
	_cleanup_free_ char *meta_path = ktstr_xasprintf("%s/meta.json", dir);
	_cleanup_free_ char *ram_path = ktstr_xasprintf("%s/ram", dir);
	json_t *meta = json_load_file(meta_path, 0, NULL);
	const json_t *holes = json_object_get(meta, "holes");
	uint64_t made = (uint64_t)json_integer_value(json_object_get(meta, "ram_bytes")) - ktstr_holes_bytes(holes);

	if (meta && file_blocks_bytes(ram_path) > made + ((uint64_t)GROWTH_MIB << 20))
		ktstr_holes_restore(ram_path, holes);
	json_decref(meta);
}

static void mark_used(const char *dir)
{
	_cleanup_free_ char *meta_path = ktstr_xasprintf("%s/meta.json", dir);

	utimensat(AT_FDCWD, meta_path, NULL, 0);
}

/* Takes error, NULL too. Somebody else's long build is no fault of the store. */
static struct ktstr_error *unusable(const char *store, struct ktstr_error *error)
{
	if (!error || ktstr_error_code(error) == KTSTR_ERR_BUSY)
		return error;
	return ktstr_error_wrap(error, "template store %s cannot be used; name another directory with KTSTR_TEMPLATE_DIR", store);
}

static struct ktstr_error *open_store(char **store)
{
	*store = ktstr_template_dir();
	return unusable(*store, ktstr_make_dirs(*store));
}

static bool is_sound(const char *dir)
{
	_cleanup_error_ struct ktstr_error *damage = verify(dir);

	return !damage;
}

static struct ktstr_error *lock_template(const char *store, const char *key, bool exclusive, int *fd)
{
	_cleanup_free_ char *lock = ktstr_xasprintf("%s/%s.lock", store, key);

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return unusable(store, ktstr_lock_file(lock, exclusive, BUILD_WAIT, fd));
}

struct ktstr_error *ktstr_template_take(const char *key, struct ktstr_template_hold *hold,
					bool *must_build)
{
	_cleanup_free_ char *store = NULL;

	*hold = (struct ktstr_template_hold){ .lock_fd = -1 };
	*must_build = false;
	KTSTR_TRY(open_store(&store));
	hold->dir = ktstr_xasprintf("%s/%s", store, key);
	for (;;) {
		KTSTR_TRY(lock_template(store, key, false, &hold->lock_fd));
		if (is_sound(hold->dir))
			break;
		KTSTR_TRY(lock_template(store, key, true, &hold->lock_fd));
		*must_build = !is_sound(hold->dir);
		if (*must_build)
			return NULL;
		/*
		 * Somebody else has made it while we waited. flock() does not promise to keep a lock that is made a shared one:
		 * it is looked at again under one that was shared from the start.
		 */
	}
	mark_used(hold->dir);
	trim(hold->dir);
	return NULL;
}

struct ktstr_error *ktstr_template_mark_wanted(const char *key, bool *before)
{
	_cleanup_free_ char *store = NULL;
	_cleanup_free_ char *lock = NULL;
	_cleanup_close_ int fd = -1;

	KTSTR_TRY(open_store(&store));
	lock = ktstr_xasprintf("%s/%s.lock", store, key);
	fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*before = fd < 0 && errno == EEXIST;
	return fd < 0 && !*before ? unusable(store, ktstr_error_sys(errno, "cannot create %s", lock)) : NULL;
}

static uint64_t occupied_bytes(const char *dir)
{
	static const char *const files[] = { "ram", "state", "frames", "meta.json" };
	uint64_t bytes = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, files[i]);

		bytes += file_blocks_bytes(path);
	}
	return bytes;
}

void ktstr_template_entries_free(struct ktstr_template_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(entries[i].key);
		free(entries[i].description);
	}
	free(entries);
}

/* Nobody holds that directory; true when there is none. */
static bool is_free(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || !flock(fd, LOCK_EX | LOCK_NB);
}

/*
 * The exclusive lock of a template nobody uses; -1 when it is in use: by its builder, too, who holds the directory while
 * flock(), which does not promise to do that in one step, makes the lock a shared one.
 */
static int lock_idle(const char *store, const char *key)
{
	_cleanup_free_ char *lock = ktstr_xasprintf("%s/%s.lock", store, key);
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/%s", store, key);
	_cleanup_close_ int fd = -1;

	ktstr_error_free(ktstr_lock_file(lock, true, 0, &fd));
	return fd >= 0 && is_free(dir) ? ktstr_take_fd(&fd) : -1;
}

static struct ktstr_template_entry describe(const char *store, const char *key)
{
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/%s", store, key);
	_cleanup_free_ char *meta_path = ktstr_xasprintf("%s/meta.json", dir);
	_cleanup_close_ int idle = lock_idle(store, key);
	json_t *meta = json_load_file(meta_path, 0, NULL);
	const char *description = json_string_value(json_object_get(meta, "description"));
	struct ktstr_template_entry entry = {
		.key = ktstr_xstrdup(key),
		.description = ktstr_xstrdup(description ? description : "(damaged)"),
		.used_bytes = occupied_bytes(dir),
		.in_use = idle < 0,
	};
	struct stat st;

	if (!stat(meta_path, &st))
		entry.last_used_unix_seconds = st.st_mtime;
	json_decref(meta);
	return entry;
}

static int by_last_use(const void *a, const void *b)
{
	const struct ktstr_template_entry *x = a, *y = b;

	return (x->last_used_unix_seconds > y->last_used_unix_seconds) -
	       (x->last_used_unix_seconds < y->last_used_unix_seconds);
}

static bool is_key(const char *name)
{
	return strlen(name) == KTSTR_DIGEST_BYTES - 1 && strspn(name, "0123456789abcdef") == strlen(name);
}

struct ktstr_error *ktstr_template_list(struct ktstr_template_entry **entries, size_t *count)
{
	_cleanup_free_ char *store = ktstr_template_dir();
	_cleanup_closedir_ DIR *dir = opendir(store);
	struct dirent *item;

	*entries = NULL;
	*count = 0;
	while (dir && (item = readdir(dir))) {
		if (!is_key(item->d_name))
			continue;
		*entries = ktstr_xrealloc(*entries, (*count + 1) * sizeof(**entries));
		(*entries)[(*count)++] = describe(store, item->d_name);
	}
	if (*count)
		qsort(*entries, *count, sizeof(**entries), by_last_use);
	return NULL;
}

/* Removes one template that nobody uses; its lock file goes with it. */
static bool remove_idle(const char *store, const char *key)
{
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/%s", store, key);
	_cleanup_free_ char *lock = ktstr_xasprintf("%s/%s.lock", store, key);
	_cleanup_close_ int fd = lock_idle(store, key);

	if (fd < 0)
		return false;
	ktstr_error_free(ktstr_remove_tree(dir));
	unlink(lock);
	return true;
}

/* A build directory whose builder has died: its lock is free. */
static void reclaim_builds(const char *store)
{
	_cleanup_closedir_ DIR *dir = opendir(store);
	struct dirent *item;

	while (dir && (item = readdir(dir))) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", store, item->d_name);
		_cleanup_close_ int fd = -1;

		if (!ktstr_str_starts_with(item->d_name, "build."))
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
			ktstr_error_free(ktstr_remove_tree(path));
	}
}

static uint64_t cap_bytes(void)
{
	uint64_t mib = DEFAULT_CAP_MIB;

	ktstr_error_free(ktstr_env_mib("KTSTR_TEMPLATE_CAP_MIB", &mib));
	return mib << 20;
}

static uint64_t free_bytes(const char *path)
{
	uint64_t bytes = 0;

	ktstr_free_bytes(path, &bytes);
	return bytes;
}

/*
 * Evicts idle templates, least recently used first, until `need` more fits under the cap and `need_free` into the file
 * system.
 */
static void make_room(const char *store, uint64_t need, uint64_t need_free)
{
	struct ktstr_template_entry *entries;
	uint64_t total = 0;
	size_t count;

	ktstr_error_free(ktstr_template_list(&entries, &count));
	for (size_t i = 0; i < count; i++)
		total += entries[i].used_bytes;
	for (size_t i = 0; i < count && (total + need > cap_bytes() || free_bytes(store) < need_free); i++)
		if (remove_idle(store, entries[i].key))
			total -= entries[i].used_bytes;
	ktstr_template_entries_free(entries, count);
}

/* Does the store take memory, and not disk? */
static bool in_memory(const char *store)
{
	struct statfs fs;

	return !statfs(store, &fs) && fs.f_type == TMPFS_MAGIC;
}

bool ktstr_template_shrink(uint64_t bytes)
{
	_cleanup_free_ char *store = ktstr_template_dir();
	struct ktstr_template_entry *entries;
	uint64_t freed = 0;
	size_t count;

	if (!in_memory(store))
		return false;
	ktstr_error_free(ktstr_template_list(&entries, &count));
	for (size_t i = 0; i < count && freed < bytes; i++)
		if (remove_idle(store, entries[i].key))
			freed += entries[i].used_bytes;
	ktstr_template_entries_free(entries, count);
	return freed;
}

/* Lock files of templates that are not there, and that nobody has wanted for that long. */
static void remove_locks(const char *store, time_t age_seconds)
{
	_cleanup_closedir_ DIR *dir = opendir(store);
	struct dirent *item;

	while (dir && (item = readdir(dir))) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", store, item->d_name);
		_cleanup_free_ char *template = NULL;
		_cleanup_close_ int fd = -1;
		struct stat st;

		if (!ktstr_str_ends_with(item->d_name, ".lock"))
			continue;
		template = ktstr_xstrndup(path, strlen(path) - strlen(".lock"));
		if (ktstr_path_exists(template) || stat(path, &st) || time(NULL) - st.st_mtime < age_seconds)
			continue;
		ktstr_error_free(ktstr_lock_file(path, true, 0, &fd));
		if (fd >= 0 && !ktstr_path_exists(template))
			unlink(path);
	}
}

void ktstr_template_tidy(void)
{
	_cleanup_free_ char *store = ktstr_template_dir();
	_cleanup_closedir_ DIR *dir = opendir(store);
	struct dirent *item;

	reclaim_builds(store);
	while (dir && (item = readdir(dir))) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", store, item->d_name);

		if (is_key(item->d_name))
			trim(path);
	}
	make_room(store, 0, 0);
	remove_locks(store, MARK_SECONDS);
}

struct ktstr_error *ktstr_template_check_room(const struct ktstr_template_hold *hold)
{
	_cleanup_free_ char *store = ktstr_template_dir();
	_cleanup_free_ char *meta_path = ktstr_xasprintf("%s/meta.json", hold->dir);
	json_t *meta = json_load_file(meta_path, 0, NULL);
	uint64_t need = ktstr_holes_bytes(json_object_get(meta, "holes")), room;

	json_decref(meta);
	if (need > (uint64_t)CLONE_ROOM_MIB << 20)
		need = (uint64_t)CLONE_ROOM_MIB << 20;
	if (free_bytes(store) >= need)
		return NULL;
	make_room(store, 0, need);
	room = free_bytes(store);
	if (room >= need)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NO_SPACE,
			       "template store %s: %llu MiB free, a clone may take %llu MiB of it; make room, or name another place with KTSTR_TEMPLATE_DIR",
			       store, (unsigned long long)(room >> 20), (unsigned long long)(need >> 20));
}

/* A new directory that we hold. Between its making and its locking somebody may reclaim it: then another one. */
static struct ktstr_error *make_build_dir(const char *store, char **build_dir, int *lock_fd)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		_cleanup_free_ char *dir = ktstr_xasprintf("%s/build.XXXXXX", store);
		_cleanup_close_ int fd = -1;

		if (!mkdtemp(dir))
			return unusable(store, ktstr_error_sys(errno, "cannot create %s", dir));
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || !ktstr_path_exists(dir))
			continue;
		*build_dir = ktstr_take(dir);
		*lock_fd = ktstr_take_fd(&fd);
		return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_BUSY, "cannot keep a directory in %s", store);
}

struct ktstr_error *ktstr_template_begin(const char *key, uint64_t need_mib, char **build_dir, int *lock_fd)
{
	_cleanup_free_ char *store = NULL;
	_cleanup_free_ char *old = NULL;
	uint64_t room;

	KTSTR_TRY(open_store(&store));
	old = ktstr_xasprintf("%s/%s", store, key);
	KTSTR_TRY(ktstr_remove_tree(old));
	make_room(store, need_mib << 20, need_mib << 20);
	room = free_bytes(store);
	if (room < need_mib << 20)
		return ktstr_error_new(KTSTR_ERR_NO_SPACE,
				       "template store %s: %llu MiB free, %llu MiB needed; make room, or name another place with KTSTR_TEMPLATE_DIR",
				       store, (unsigned long long)(room >> 20), (unsigned long long)need_mib);
	return make_build_dir(store, build_dir, lock_fd);
}

struct ktstr_error *ktstr_template_blame_store(struct ktstr_error *error)
{
	_cleanup_free_ char *store = ktstr_template_dir();

	if (!error || free_bytes(store) >= FULL_BYTES)
		return error;
	return ktstr_error_wrap(error, "template store %s has become full; make room, or name another place with KTSTR_TEMPLATE_DIR",
				store);
}

struct ktstr_error *ktstr_template_publish(const char *build_dir, const char *description,
					   struct ktstr_template_hold *hold)
{
	_cleanup_free_ char *meta_path = ktstr_xasprintf("%s/meta.json", build_dir);
	_cleanup_free_ char *ram_path = ktstr_xasprintf("%s/ram", build_dir);
	_cleanup_free_ char *state_path = ktstr_xasprintf("%s/state", build_dir);
	_cleanup_str_ struct ktstr_str shown = { 0 };
	_cleanup_free_ char *text = NULL;
	char digest[KTSTR_DIGEST_BYTES];
	struct stat ram;
	json_t *meta;

	if (stat(ram_path, &ram))
		return ktstr_error_sys(errno, "cannot read %s", ram_path);
	KTSTR_TRY(ktstr_sha256_file(state_path, digest));
	/* It names files, which may be called anything; JSON is UTF-8. */
	ktstr_str_add_printable(&shown, description, strlen(description));
	meta = json_pack("{si ss sI ss sI so}", "version", META_VERSION, "description", ktstr_str_text(&shown), "ram_bytes",
			 (json_int_t)ram.st_size, "state_sha256", digest, "created",
			 (json_int_t)time(NULL), "holes", ktstr_holes_of(ram_path));
	text = json_dumps(meta, JSON_INDENT(1));
	json_decref(meta);
	KTSTR_TRY(ktstr_write_file_atomic(meta_path, text, strlen(text)));
	if (rename(build_dir, hold->dir))
		return ktstr_error_sys(errno, "cannot publish template %s", hold->dir);
	flock(hold->lock_fd, LOCK_SH);
	return NULL;
}

/* What is left of the store when it is empty: lock files of templates that are gone, and the directory. */
static void remove_empty_store(const char *store)
{
	remove_locks(store, 0);
	rmdir(store);
}

struct ktstr_error *ktstr_template_drop(const char *prefix, size_t *dropped, size_t *left)
{
	_cleanup_free_ char *store = ktstr_template_dir();
	struct ktstr_template_entry *entries;
	size_t count;

	*dropped = *left = 0;
	KTSTR_TRY(ktstr_template_list(&entries, &count));
	for (size_t i = 0; i < count; i++) {
		if (prefix && !ktstr_str_starts_with(entries[i].key, prefix))
			continue;
		*(remove_idle(store, entries[i].key) ? dropped : left) += 1;
	}
	ktstr_template_entries_free(entries, count);
	if (!prefix && !*left)
		remove_empty_store(store);
	return NULL;
}
