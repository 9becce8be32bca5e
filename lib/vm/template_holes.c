// SPDX-License-Identifier: GPL-2.0-only
/* Finding and restoring the holes of a RAM file; see template_holes.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "vm/template_holes.h"

json_t *ktstr_holes_of(const char *ram_path)
{
	_cleanup_close_ int fd = open(ram_path, O_RDONLY | O_CLOEXEC);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0, at = 0;
	json_t *holes = json_array();

	while (at < end) {
		off_t hole = lseek(fd, at, SEEK_HOLE);
		off_t data = hole >= 0 && hole < end ? lseek(fd, hole, SEEK_DATA) : -1;

		/* ENXIO: no data from here to the end. */
		if (hole < 0 || hole >= end)
			break;
		if (data < 0)
			data = end;
		json_array_append_new(holes, json_pack("[II]", (json_int_t)hole, (json_int_t)data));
		at = data;
	}
	return holes;
}

void ktstr_holes_restore(const char *ram_path, const json_t *holes)
{
	_cleanup_close_ int fd = open(ram_path, O_RDWR | O_CLOEXEC);
	const json_t *hole;
	size_t i;

	json_array_foreach(holes, i, hole) {
		json_int_t start = json_integer_value(json_array_get(hole, 0));
		json_int_t end = json_integer_value(json_array_get(hole, 1));

		if (fd >= 0 && start >= 0 && end > start)
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, end - start);
	}
}

uint64_t ktstr_holes_bytes(const json_t *holes)
{
	const json_t *hole;
	uint64_t bytes = 0;
	size_t i;

	json_array_foreach(holes, i, hole)
		bytes += (uint64_t)(json_integer_value(json_array_get(hole, 1)) -
				    json_integer_value(json_array_get(hole, 0)));
	return bytes;
}
