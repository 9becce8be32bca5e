// SPDX-License-Identifier: GPL-2.0-only
/* Copies of sparse files. */
#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/sparse.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { CHUNK_BYTES = 1 << 20 };

static bool copy_within_kernel(int in, int out, off_t *at, off_t end)
{
	while (*at < end) {
		off_t out_at = *at;

		if (copy_file_range(in, at, out, &out_at, (size_t)(end - *at), 0) <= 0)
			return false;
	}
	return true;
}

/* Between file systems, or on one that does not know the call. */
static struct ktstr_error *copy_by_hand(int in, int out, off_t at, off_t end, const char *what)
{
	_cleanup_free_ char *chunk = ktstr_xmalloc(CHUNK_BYTES);

	while (at < end) {
		size_t wanted = end - at < CHUNK_BYTES ? (size_t)(end - at) : CHUNK_BYTES;
		ssize_t got = pread(in, chunk, wanted, at);

		for (ssize_t done = 0, put; done < got; done += put) {
			put = pwrite(out, chunk + done, (size_t)(got - done), at + done);
			if (put <= 0)
				return ktstr_error_sys(put ? errno : EIO, "cannot copy %s", what);
		}
		if (got <= 0)
			return ktstr_error_sys(got ? errno : EIO, "cannot copy %s", what);
		at += got;
	}
	return NULL;
}

struct ktstr_error *ktstr_copy_sparse(int in, int out, const char *what)
{
	off_t end = lseek(in, 0, SEEK_END), data = 0;

	if (!ioctl(out, FICLONE, in))
		return NULL;
	if (end < 0 || ftruncate(out, end))
		return ktstr_error_sys(errno, "cannot copy %s", what);
	while (data < end && (data = lseek(in, data, SEEK_DATA)) >= 0) {
		off_t hole = lseek(in, data, SEEK_HOLE);

		if (hole < 0)
			return ktstr_error_sys(errno, "cannot copy %s", what);
		if (copy_within_kernel(in, out, &data, hole))
			continue;
		KTSTR_TRY(copy_by_hand(in, out, data, hole, what));
		data = hole;
	}
	/* ENXIO: nothing but a hole follows. */
	return data < 0 && errno != ENXIO ? ktstr_error_sys(errno, "cannot copy %s", what) : NULL;
}
