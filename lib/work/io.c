// SPDX-License-Identifier: GPL-2.0-only
/*
 * IoSyncWrite: 16 synchronous 4 KiB writes, then fdatasync. Presses io_schedule(): uninterruptible
 * sleep with iowait accounting, and the wakeup from block completion in interrupt context.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/work_type.h"

#define DISK_PATH "/dev/vda"

enum {
	BLOCK = 4096,
	WRITES = 16, /* per iteration */
	STRIPES = 64,
	TEMP_FILE_BYTES = 16 << 20,
	CLAIM_TRIES = 20, /* 1 ms apart; another worker's look at the disk takes microseconds */
};

/* The part of the disk or file that is this worker's own. */
struct stripe {
	int fd;
	uint64_t first, length, cursor;
};

/*
 * The guest's data disk, -1 when there is none. On a host /dev/vda may hold the root file system,
 * so this is only for guests (ktstr-init sets KTSTR_GUEST_INIT), and only when nobody has claimed
 * the disk: an open with O_EXCL fails with EBUSY while a file system is mounted from it or from one
 * of its partitions.
 */
static int open_disk(void)
{
	struct stat st;
	int fd = -1;

	if (!getenv("KTSTR_GUEST_INIT") || stat(DISK_PATH, &st) || !S_ISBLK(st.st_mode))
		return -1;
	for (int i = 0; i < CLAIM_TRIES && fd < 0; i++) {
		if (i)
			ktstr_sleep_ns(KTSTR_MS(1));
		fd = open(DISK_PATH, O_RDWR | O_EXCL | O_CLOEXEC);
		if (fd < 0 && errno != EBUSY)
			return -1;
	}
	if (fd < 0)
		return -1;
	close(fd); /* the claim is exclusive among workers too */
	return open(DISK_PATH, O_RDWR | O_SYNC | O_CLOEXEC);
}

static int open_temp_file(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/ktstr_iodev_%d", (int)gettid());
	fd = open(path, O_RDWR | O_SYNC | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	unlink(path);
	if (ftruncate(fd, TEMP_FILE_BYTES)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool open_stripe(struct worker *w, struct stripe *stripe)
{
	uint64_t capacity = TEMP_FILE_BYTES;

	*stripe = (struct stripe){ .fd = open_disk() };
	if (stripe->fd >= 0) {
		if (ioctl(stripe->fd, BLKGETSIZE64, &capacity))
			capacity = 0;
	} else {
		stripe->fd = open_temp_file();
		if (stripe->fd < 0)
			work_warn_once(
				w, WORK_WARN_DISK,
				"IoSyncWrite has neither an unused %s nor a file in /tmp (%s): "
				"its workers only yield; give the test a disk",
				DISK_PATH, strerror(errno));
		else
			work_warn_once(
				w, WORK_WARN_DISK,
				"IoSyncWrite has no unused %s: it writes to files in /tmp, which "
				"may be memory; give the test a disk",
				DISK_PATH);
	}
	stripe->length = capacity / STRIPES / 512 * 512;
	stripe->first = (uint64_t)gettid() % STRIPES * stripe->length;
	return stripe->fd >= 0 && stripe->length >= BLOCK;
}

/* True when all of them were written. */
static bool write_blocks(struct worker *w, struct stripe *stripe, const char *block)
{
	for (int i = 0; i < WRITES; i++) {
		if (work_should_stop(w))
			return false;
		if (stripe->cursor + BLOCK > stripe->length)
			stripe->cursor = 0;
		if (pwrite(stripe->fd, block, BLOCK, (off_t)(stripe->first + stripe->cursor)) !=
		    BLOCK) {
			work_warn_once(w, WORK_WARN_DISK_WRITE, "IoSyncWrite cannot write: %s",
				       strerror(errno));
			sched_yield();
			return false;
		}
		stripe->cursor += BLOCK;
		w->work_units++;
	}
	return true;
}

static void run_io_sync_write(struct worker *w)
{
	char block[BLOCK];
	struct stripe stripe;
	bool usable = open_stripe(w, &stripe);

	memset(block, 'k', sizeof(block)); /* zeroes may be stored as holes */
	while (!work_should_stop(w)) {
		if (!usable) {
			sched_yield();
		} else if (write_blocks(w, &stripe, block)) {
			uint64_t since = ktstr_now_ns();

			if (!fdatasync(stripe.fd))
				work_record_wake(w, ktstr_now_ns() - since);
		}
		work_reset_gap(w, ktstr_now_ns());
		work_checkpoint(w);
		work_iteration_done(w);
	}
}

const struct work_type_ops work_io_sync_write_ops = {
	.name = "IoSyncWrite",
	.pressure = "uninterruptible sleep with iowait (io_schedule), wakeup from block completion",
	.unit = "a synchronous write of 4 KiB",
	.run = run_io_sync_write,
};
