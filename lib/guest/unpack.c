// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpacks a cpio "newc" archive, the format of the kernel's own initramfs (documented in the kernel tree under
 * driver-api/early-userspace/buffer-format). Only what our bundles hold: directories, regular files, symlinks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/agent.h"

enum { HEADER_BYTES = 110, FIELD_MODE = 1, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };

struct reader {
	const char *bytes;
	size_t length, offset;
};

static bool header_field(const char *header, int index, size_t *value)
{
	char digits[9] = { 0 };
	char *end;

	memcpy(digits, header + 6 + index * 8, 8);
	*value = strtoul(digits, &end, 16);
	return end == digits + 8;
}

/* The next `length` bytes, NULL when the archive is shorter; the offset moves on to a multiple of 4. */
static const char *take(struct reader *reader, size_t length)
{
	const char *start = reader->bytes + reader->offset;

	if (length > reader->length - reader->offset)
		return NULL;
	reader->offset += length;
	reader->offset += -reader->offset & 3;
	if (reader->offset > reader->length)
		reader->offset = reader->length;
	return start;
}

static struct ktstr_error *write_entry(const char *path, mode_t mode, const char *data, size_t length)
{
	_cleanup_close_ int fd = -1;

	if (S_ISDIR(mode))
		return mkdir(path, mode & 07777) && errno != EEXIST ?
			       ktstr_error_sys(errno, "cannot create %s", path) :
			       NULL;
	if (S_ISLNK(mode)) {
		_cleanup_free_ char *target = strndup(data, length);

		unlink(path);
		return symlink(target, path) ? ktstr_error_sys(errno, "cannot link %s", path) : NULL;
	}
	/* A new file, not a new content: the old one may be a library that a running scheduler has mapped. */
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 07777);
	if (fd < 0)
		return ktstr_error_sys(errno, "cannot create %s", path);
	return ktstr_write_all(fd, data, length, path);
}

struct ktstr_error *unpack_newc(const void *archive, size_t length)
{
	struct reader reader = { .bytes = archive, .length = length };

	if (chdir("/"))
		return ktstr_error_sys(errno, "cannot enter /");
	for (;;) {
		const char *header = take(&reader, 0), *name, *data;
		size_t mode, size, name_size;

		/* The name follows the header unpadded: both together are padded. */
		if (reader.length - reader.offset < HEADER_BYTES || memcmp(header, "070701", 6) ||
		    !header_field(header, FIELD_MODE, &mode) ||
		    !header_field(header, FIELD_FILESIZE, &size) ||
		    !header_field(header, FIELD_NAMESIZE, &name_size) || !name_size ||
		    name_size > 4096 || !take(&reader, HEADER_BYTES + name_size))
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "the job archive is damaged at byte %zu",
					       reader.offset);
		name = header + HEADER_BYTES;
		if (name[name_size - 1] != '\0')
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "a name in the job archive has no end");
		if (!strcmp(name, "TRAILER!!!"))
			return NULL;
		data = take(&reader, size);
		if (!data)
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "the job archive ends inside %s", name);
		KTSTR_TRY(write_entry(name, (mode_t)mode, data, size));
	}
}
