// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds cpio newc archives in memory through libarchive. Equal inputs give equal bytes: owner
 * root, time 0, inode numbers and order from the order of insertion.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vm/bundle.h"

enum { CHUNK_BYTES = 256 << 10 };

struct ktstr_bundle {
	struct archive *archive; /* NULL once finished */
	struct ktstr_str bytes;
	void *added; /* search tree of the guest paths in the archive */
	int64_t last_inode;
	struct ktstr_strv library_dirs;
};

KTSTR_DEFINE_CLEANUP(struct archive_entry *, cleanup_entry, archive_entry_free)
#define _cleanup_entry_ _cleanup_(cleanup_entry)

static la_ssize_t append_bytes(struct archive *archive, void *bundle, const void *data,
			       size_t length)
{
	(void)archive;
	ktstr_str_add_bytes(&((struct ktstr_bundle *)bundle)->bytes, data, length);
	return (la_ssize_t)length;
}

static struct ktstr_error *archive_failure(struct ktstr_bundle *bundle, const char *what)
{
	const char *why = archive_error_string(bundle->archive);

	return ktstr_error_new(KTSTR_ERR_INVALID, "cannot put %s into the archive: %s", what,
			       why ? why : "unknown libarchive error");
}

struct ktstr_error *ktstr_bundle_create(struct ktstr_bundle **bundle)
{
	struct ktstr_bundle *created = ktstr_xcalloc(1, sizeof(*created));

	created->archive = archive_write_new();
	if (!created->archive || archive_write_set_format_cpio_newc(created->archive) ||
	    archive_write_set_bytes_per_block(created->archive, 0) ||
	    archive_write_open(created->archive, created, NULL, append_bytes, NULL)) {
		ktstr_bundle_destroy(created);
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY,
				       "libarchive cannot start a cpio archive");
	}
	*bundle = created;
	return NULL;
}

void ktstr_bundle_destroy(struct ktstr_bundle *bundle)
{
	if (!bundle)
		return;
	/* Writes the trailer, so the bytes go after it. */
	archive_write_free(bundle->archive);
	ktstr_str_deinit(&bundle->bytes);
	tdestroy(bundle->added, free);
	ktstr_strv_deinit(&bundle->library_dirs);
	free(bundle);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_added(const struct ktstr_bundle *bundle, const char *guest_path)
{
	return tfind(guest_path, &bundle->added, compare_paths);
}

/*
 * "/a/./b/../c//d" -> "/a/c/d"; heap. Lexical: what the path means on the host is of no interest.
 */
static struct ktstr_error *normalise(const char *guest_path, char **normal)
{
	_cleanup_str_ struct ktstr_str path = { 0 };

	if (*guest_path != '/')
		return ktstr_error_new(KTSTR_ERR_INVALID, "guest path \"%s\" is not absolute",
				       guest_path);
	for (const char *part = guest_path; *part;) {
		size_t length;

		part += strspn(part, "/");
		length = strcspn(part, "/");
		if (length == 2 && !strncmp(part, "..", 2)) {
			char *slash = path.length ? strrchr(path.data, '/') : NULL;

			if (slash) {
				*slash = '\0';
				path.length = (size_t)(slash - path.data);
			}
		} else if (length && !(length == 1 && *part == '.')) {
			ktstr_str_addf(&path, "/%.*s", (int)length, part);
		}
		part += length;
	}
	if (!path.length)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "guest path \"%s\" names the root directory", guest_path);
	*normal = ktstr_str_take(&path);
	return NULL;
}

/* What is common to all entries; guest_path is normal. */
static struct archive_entry *new_entry(struct ktstr_bundle *bundle, const char *guest_path,
				       unsigned int type, unsigned int mode)
{
	struct archive_entry *entry = archive_entry_new();

	/* The kernel unpacks relative to its root, and cpio warns about a leading slash. */
	archive_entry_set_pathname(entry, guest_path + 1);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, (mode_t)(mode & 07777));
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_nlink(entry, 1);
	archive_entry_set_ino64(entry, ++bundle->last_inode);
	archive_entry_set_size(entry, 0);
	return entry;
}

static struct ktstr_error *write_header(struct ktstr_bundle *bundle, const char *guest_path,
					struct archive_entry *entry)
{
	if (archive_write_header(bundle->archive, entry) != ARCHIVE_OK)
		return archive_failure(bundle, guest_path);
	tsearch(ktstr_xstrdup(guest_path), &bundle->added, compare_paths);
	return NULL;
}

/* The kernel's unpacker creates no directories by itself. */
static struct ktstr_error *add_parents(struct ktstr_bundle *bundle, const char *guest_path)
{
	_cleanup_free_ char *parent = ktstr_xstrdup(guest_path);

	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_entry_ struct archive_entry *entry = NULL;

		*slash = '\0';
		if (!is_added(bundle, parent)) {
			entry = new_entry(bundle, parent, AE_IFDIR, 0755);
			KTSTR_TRY(write_header(bundle, parent, entry));
		}
		*slash = '/';
	}
	return NULL;
}

/* *path is the normal form of guest_path, heap; NULL when it has been added before. */
static struct ktstr_error *prepare(struct ktstr_bundle *bundle, const char *guest_path, char **path)
{
	_cleanup_free_ char *normal = NULL;

	*path = NULL;
	if (!bundle->archive)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the bundle is finished; %s comes too late", guest_path);
	KTSTR_TRY(normalise(guest_path, &normal));
	if (is_added(bundle, normal))
		return NULL;
	KTSTR_TRY(add_parents(bundle, normal));
	*path = ktstr_take(normal);
	return NULL;
}

static struct ktstr_error *write_data(struct ktstr_bundle *bundle, const char *name,
				      const void *data, size_t length)
{
	if (length && archive_write_data(bundle->archive, data, length) != (la_ssize_t)length)
		return archive_failure(bundle, name);
	return NULL;
}

static struct ktstr_error *finish_entry(struct ktstr_bundle *bundle, const char *name)
{
	return archive_write_finish_entry(bundle->archive) ? archive_failure(bundle, name) : NULL;
}

struct ktstr_error *ktstr_bundle_add_data(struct ktstr_bundle *bundle, const char *guest_path,
					  unsigned int mode, const void *data, size_t length)
{
	_cleanup_entry_ struct archive_entry *entry = NULL;
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(prepare(bundle, guest_path, &path));
	if (!path)
		return NULL;
	entry = new_entry(bundle, path, AE_IFREG, mode);
	archive_entry_set_size(entry, (la_int64_t)length);
	KTSTR_TRY(write_header(bundle, path, entry));
	KTSTR_TRY(write_data(bundle, path, data, length));
	return finish_entry(bundle, path);
}

static struct ktstr_error *open_regular(const char *host_path, int *fd, uint64_t *size_bytes)
{
	_cleanup_close_ int opened = open(host_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (opened < 0 || fstat(opened, &st))
		return ktstr_error_sys(errno, "cannot open %s", host_path);
	if (!S_ISREG(st.st_mode))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is %s, not a regular file", host_path,
				       S_ISDIR(st.st_mode) ? "a directory" : "special");
	*size_bytes = (uint64_t)st.st_size;
	*fd = ktstr_take_fd(&opened);
	return NULL;
}

/* Exactly size_bytes, as the entry's header has promised. */
static struct ktstr_error *copy_content(struct ktstr_bundle *bundle, int fd, const char *host_path,
					uint64_t size_bytes)
{
	_cleanup_free_ char *chunk = ktstr_xmalloc(CHUNK_BYTES);

	while (size_bytes) {
		ssize_t got = read(fd, chunk, size_bytes < CHUNK_BYTES ? size_bytes : CHUNK_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ktstr_error_sys(errno, "cannot read %s", host_path);
		if (got == 0)
			return ktstr_error_new(
				KTSTR_ERR_BUSY,
				"%s became shorter while it was read; is it being built?",
				host_path);
		KTSTR_TRY(write_data(bundle, host_path, chunk, (size_t)got));
		size_bytes -= (uint64_t)got;
	}
	return finish_entry(bundle, host_path);
}

struct ktstr_error *ktstr_bundle_add_file(struct ktstr_bundle *bundle, const char *guest_path,
					  const char *host_path, unsigned int mode)
{
	_cleanup_entry_ struct archive_entry *entry = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	uint64_t size_bytes = 0;

	KTSTR_TRY(open_regular(host_path, &fd, &size_bytes));
	/* Lengths in newc headers are 8 hex digits. */
	if (size_bytes > UINT32_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s has %llu bytes; a cpio entry holds 4 GiB", host_path,
				       (unsigned long long)size_bytes);
	KTSTR_TRY(prepare(bundle, guest_path, &path));
	if (!path)
		return NULL;
	entry = new_entry(bundle, path, AE_IFREG, mode);
	archive_entry_set_size(entry, (la_int64_t)size_bytes);
	KTSTR_TRY(write_header(bundle, path, entry));
	return copy_content(bundle, fd, host_path, size_bytes);
}

struct ktstr_error *ktstr_bundle_add_symlink(struct ktstr_bundle *bundle, const char *guest_path,
					     const char *target)
{
	_cleanup_entry_ struct archive_entry *entry = NULL;
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(prepare(bundle, guest_path, &path));
	if (!path)
		return NULL;
	entry = new_entry(bundle, path, AE_IFLNK, 0777);
	archive_entry_set_symlink(entry, target);
	KTSTR_TRY(write_header(bundle, path, entry));
	return finish_entry(bundle, path);
}

/* Directories that loaders search without being told (Debian's glibc, musl). */
static bool is_default_dir(const char *dir)
{
	static const char *const defaults[] = { "/lib/x86_64-linux-gnu",
						"/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib" };

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (!strcmp(dir, defaults[i]))
			return true;
	return false;
}

static struct ktstr_error *note_library_dir(struct ktstr_bundle *bundle, const char *host_path)
{
	_cleanup_free_ char *guest_path = NULL;
	char *slash;

	KTSTR_TRY(normalise(host_path, &guest_path));
	slash = strrchr(guest_path, '/');
	*slash = '\0';
	if (*guest_path && !is_default_dir(guest_path) &&
	    !ktstr_strv_contains(&bundle->library_dirs, guest_path))
		ktstr_strv_add(&bundle->library_dirs, guest_path);
	return NULL;
}

/* Under the path that the loader asked for; its content is read through symbolic links. */
static struct ktstr_error *add_library(struct ktstr_bundle *bundle, const char *host_path)
{
	KTSTR_TRY(ktstr_bundle_add_file(bundle, host_path, host_path, 0755));
	return note_library_dir(bundle, host_path);
}

struct ktstr_error *ktstr_bundle_add_program(struct ktstr_bundle *bundle, const char *guest_path,
					     const char *host_path)
{
	_cleanup_strv_ struct ktstr_strv closure = { 0 };

	KTSTR_TRY(ktstr_elf_closure(host_path, &closure));
	KTSTR_TRY(ktstr_bundle_add_file(bundle, guest_path, host_path, 0755));
	for (size_t i = 0; i < closure.count; i++) {
		/*
		 * The interpreter comes first; the kernel finds it by PT_INTERP, not by a search.
		 */
		if (i == 0)
			KTSTR_TRY_WRAP(ktstr_bundle_add_file(bundle, closure.items[i],
							     closure.items[i], 0755),
				       "loader of %s", host_path);
		else
			KTSTR_TRY_WRAP(add_library(bundle, closure.items[i]), "library of %s",
				       host_path);
	}
	return NULL;
}

struct ktstr_error *ktstr_bundle_assume(struct ktstr_bundle *bundle, const char *guest_path)
{
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(normalise(guest_path, &path));
	if (!is_added(bundle, path))
		tsearch(ktstr_take(path), &bundle->added, compare_paths);
	return NULL;
}

struct ktstr_error *ktstr_bundle_assume_closure(struct ktstr_bundle *bundle, const char *host_path)
{
	_cleanup_strv_ struct ktstr_strv closure = { 0 };

	KTSTR_TRY(ktstr_elf_closure(host_path, &closure));
	for (size_t i = 0; i < closure.count; i++) {
		KTSTR_TRY(ktstr_bundle_assume(bundle, closure.items[i]));
		/* The interpreter comes first, and nobody searches for it. */
		if (i > 0)
			KTSTR_TRY(note_library_dir(bundle, closure.items[i]));
	}
	return NULL;
}

struct ktstr_error *ktstr_bundle_library_path(struct ktstr_bundle *bundle, char **path)
{
	_cleanup_str_ struct ktstr_str joined = { 0 };

	for (size_t i = 0; i < bundle->library_dirs.count; i++) {
		/* LD_LIBRARY_PATH knows no way to write these two. */
		if (strpbrk(bundle->library_dirs.items[i], ":;"))
			return ktstr_error_new(
				KTSTR_ERR_INVALID,
				"library directory \"%s\" contains a colon or semicolon, which "
				"LD_LIBRARY_PATH cannot express; rename it",
				bundle->library_dirs.items[i]);
		ktstr_str_addf(&joined, "%s%s", i ? ":" : "", bundle->library_dirs.items[i]);
	}
	*path = ktstr_str_take(&joined);
	return NULL;
}

struct ktstr_error *ktstr_bundle_finish(struct ktstr_bundle *bundle, const void **data,
					size_t *length)
{
	if (bundle->archive) {
		if (archive_write_close(bundle->archive))
			return archive_failure(bundle, "the trailer");
		archive_write_free(bundle->archive);
		bundle->archive = NULL;
	}
	*data = bundle->bytes.data;
	*length = bundle->bytes.length;
	return NULL;
}
