/* SPDX-License-Identifier: GPL-2.0-only */
/* Where I/O work goes: an unused disk of the guest, else a file. */
#ifndef KTSTR_WORK_IO_H
#define KTSTR_WORK_IO_H

#include "work/work_type.h"

enum { WORK_IO_BLOCK = 4096 };

/* The part of the disk or file that is this worker's own. */
struct work_stripe {
	int fd;
	uint64_t first, length, cursor; /* bytes; cursor from first */
	char *block; /* an aligned buffer of WORK_IO_BLOCK bytes */
};

/* flags: O_SYNC or O_DIRECT. False, with one warning, when there is neither disk nor file. Close it either way. */
bool work_stripe_open(struct worker *w, int flags, struct work_stripe *stripe);
void work_stripe_close(struct work_stripe *stripe);
/* A block at the cursor, which wraps within the stripe; a work unit. False on an error (one warning) or the stop. */
bool work_stripe_write(struct worker *w, struct work_stripe *stripe);
/* A block at a random place of the stripe; a work unit. */
bool work_stripe_read_random(struct worker *w, struct work_stripe *stripe);

#endif
