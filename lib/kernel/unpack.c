// SPDX-License-Identifier: GPL-2.0-only
/* libarchive at work: single compressed streams, and the files of a Debian package (ar holding a
 * tar). */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"

/* Both free functions return a status, which a cleanup has no use for. */
static void cleanup_archive(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

static struct ktstr_error *archive_failure(struct archive *archive, const char *name)
{
	const char *why = archive_error_string(archive);

	return ktstr_error_new(KTSTR_ERR_CORRUPT, "cannot unpack %s: %s", name,
			       why ? why : "unknown reason");
}

/* Named one by one: "all" has filters that run programs of the host. */
static void support_filters(struct archive *archive)
{
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_lzma(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_lz4(archive);
}

struct ktstr_error *ktstr_decompress(const void *data, size_t length, size_t max_length,
				     const char *name, char **out, size_t *out_length)
{
	_cleanup_(cleanup_archive) struct archive *archive = archive_read_new();
	_cleanup_str_ struct ktstr_str content = { 0 };
	_cleanup_free_ char *chunk = ktstr_xmalloc(1 << 18);
	struct archive_entry *entry;
	la_ssize_t got;

	if (!archive)
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY, "cannot start libarchive");
	support_filters(archive);
	archive_read_support_format_raw(archive);
	if (archive_read_open_memory(archive, data, length) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return archive_failure(archive, name);
	while ((got = archive_read_data(archive, chunk, 1 << 18)) > 0) {
		if ((size_t)got > max_length - content.length)
			return ktstr_error_new(KTSTR_ERR_CORRUPT,
					       "%s decompresses to more than %zu bytes", name,
					       max_length);
		ktstr_str_add_bytes(&content, chunk, (size_t)got);
	}
	if (got < 0)
		return archive_failure(archive, name);
	*out_length = content.length;
	*out = ktstr_str_take(&content);
	return NULL;
}

/* "./usr/lib/x" -> "usr/lib/x"; NULL for a name that would leave the directory we unpack into. */
static const char *safe_relative(const char *path)
{
	while (ktstr_str_starts_with(path, "./"))
		path += 2;
	if (*path == '/' || !*path || !strcmp(path, "..") || ktstr_str_starts_with(path, "../") ||
	    strstr(path, "/../") || ktstr_str_ends_with(path, "/.."))
		return NULL;
	return path;
}

static struct ktstr_error *write_entry(struct archive *tar, const char *target)
{
	_cleanup_free_ char *parent = ktstr_xstrdup(target);
	_cleanup_close_ int fd = -1;
	const void *block;
	size_t length;
	la_int64_t offset;
	int status;

	KTSTR_TRY(ktstr_make_dirs(dirname(parent)));
	fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return ktstr_error_sys(errno, "cannot create %s", target);
	while ((status = archive_read_data_block(tar, &block, &length, &offset)) == ARCHIVE_OK) {
		if (lseek(fd, offset, SEEK_SET) < 0)
			return ktstr_error_sys(errno, "cannot seek in %s", target);
		KTSTR_TRY(ktstr_write_all(fd, block, length, target));
	}
	return status == ARCHIVE_EOF ? NULL : archive_failure(tar, target);
}

static struct ktstr_error *unpack_tar(struct archive *tar, const char *name,
				      bool (*wanted)(const char *path), const char *into)
{
	struct archive_entry *entry;
	int status;

	while ((status = archive_read_next_header(tar, &entry)) == ARCHIVE_OK) {
		const char *path = archive_entry_pathname(entry);
		_cleanup_free_ char *target = NULL;

		path = path ? safe_relative(path) : NULL;
		if (!path || archive_entry_filetype(entry) != AE_IFREG || !wanted(path))
			continue;
		target = ktstr_xasprintf("%s/%s", into, path);
		KTSTR_TRY(write_entry(tar, target));
	}
	return status == ARCHIVE_EOF ? NULL : archive_failure(tar, name);
}

/* Feeds the tar reader with the bytes of the package's data.tar.* member. */
static la_ssize_t read_member(struct archive *tar, void *context, const void **buffer)
{
	struct archive *ar = context;
	size_t length;
	la_int64_t offset;
	int status = archive_read_data_block(ar, buffer, &length, &offset);

	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK) {
		archive_set_error(tar, archive_errno(ar), "%s", archive_error_string(ar));
		return -1;
	}
	return (la_ssize_t)length;
}

struct ktstr_error *ktstr_unpack_deb(const char *deb_path, bool (*wanted)(const char *path),
				     const char *into)
{
	_cleanup_(cleanup_archive) struct archive *ar = archive_read_new();
	_cleanup_(cleanup_archive) struct archive *tar = archive_read_new();
	struct archive_entry *entry;
	int status;

	if (!ar || !tar)
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY, "cannot start libarchive");
	archive_read_support_format_ar(ar);
	if (archive_read_open_filename(ar, deb_path, 1 << 16) != ARCHIVE_OK)
		return archive_failure(ar, deb_path);
	while ((status = archive_read_next_header(ar, &entry)) == ARCHIVE_OK) {
		const char *member = archive_entry_pathname(entry);

		if (!member || !ktstr_str_starts_with(member, "data.tar"))
			continue;
		support_filters(tar);
		archive_read_support_format_tar(tar);
		if (archive_read_open(tar, ar, NULL, read_member, NULL) != ARCHIVE_OK)
			return archive_failure(tar, deb_path);
		return unpack_tar(tar, deb_path, wanted, into);
	}
	if (status != ARCHIVE_EOF)
		return archive_failure(ar, deb_path);
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s has no data.tar member: not a Debian package",
			       deb_path);
}
