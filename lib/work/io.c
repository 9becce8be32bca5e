// SPDX-License-Identifier: GPL-2.0-only
/* Work types that wait for storage: synchronous writes, random reads, both in turns. */
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

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "disk/disk.h"
#include "work/io.h"

enum {
	WRITES = 16, /* per iteration */
	STRIPES = 64,
	TEMP_FILE_BYTES = 16 << 20,
	CLAIM_TRIES = 20, /* 1 ms apart; another worker's look at the disk takes microseconds */
};

/*
 * The guest's data disk, -1 when there is none. On a host /dev/vda may hold the root file system,
 * so this is only for guests (ktstr-init sets KTSTR_GUEST_INIT), and only when nobody has claimed
 * the disk: an open with O_EXCL fails with EBUSY while a file system is mounted from it or from one
 * of its partitions.
 */
static int open_disk(int flags)
{
	struct stat st;
	int fd = -1;

	if (!getenv("KTSTR_GUEST_INIT") || stat(KTSTR_DISK_DEVICE, &st) || !S_ISBLK(st.st_mode))
		return -1;
	for (int i = 0; i < CLAIM_TRIES && fd < 0; i++) {
		if (i)
			ktstr_sleep_ns(KTSTR_MS(1));
		fd = open(KTSTR_DISK_DEVICE, O_RDWR | O_EXCL | O_CLOEXEC);
		if (fd < 0 && errno != EBUSY)
			return -1;
	}
	if (fd < 0)
		return -1;
	close(fd); /* the claim is exclusive among workers too */
	return open(KTSTR_DISK_DEVICE, O_RDWR | flags | O_CLOEXEC);
}

/* Where the guest's disk is mounted, "/tmp" when it is not: the agent makes that directory with the mount. */
static const char *files_dir(void)
{
	const char *mounted = getenv("KTSTR_GUEST_INIT") ? ktstr_env(KTSTR_DISK_MOUNT_ENV) : NULL;

	return mounted && !access(mounted, W_OK) ? mounted : "/tmp";
}

/* A file system that has no direct I/O is used without it. */
static int open_temp_file(const char *dir, int flags)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/ktstr_iodev_%d", dir, (int)gettid());
	int fd = open(path, O_RDWR | flags | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EINVAL && flags & O_DIRECT) {
		unlink(path);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return -1;
	unlink(path);
	if (ftruncate(fd, TEMP_FILE_BYTES)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void warn_of_memory(struct worker *w, bool opened)
{
	const char *name = ktstr_work_type_name(w->type->kind);

	if (opened)
		work_warn_once(w, WORK_WARN_DISK,
			       "%s has no unused %s: it uses files in /tmp, which may be memory; give the test a disk", name,
			       KTSTR_DISK_DEVICE);
	else
		work_warn_once(w, WORK_WARN_DISK,
			       "%s has neither an unused %s nor a file in /tmp (%s): its workers only yield; "
			       "give the test a disk",
			       name, KTSTR_DISK_DEVICE, strerror(errno));
}

/* Holes are read without the disk: what will be read is written first, at once, as the file may be synchronous. */
static void fill_stripe(const struct work_stripe *stripe)
{
	size_t length = stripe->length / WORK_IO_BLOCK * WORK_IO_BLOCK;
	_cleanup_free_ char *bytes = aligned_alloc(WORK_IO_BLOCK, length);

	if (!bytes)
		return;
	memset(bytes, 'k', length);
	/* If it fails the work itself will say why. */
	if (pwrite(stripe->fd, bytes, length, (off_t)stripe->first) > 0)
		fdatasync(stripe->fd);
}

bool work_stripe_open(struct worker *w, int flags, struct work_stripe *stripe)
{
	uint64_t capacity = TEMP_FILE_BYTES;
	const char *dir = NULL;

	*stripe = (struct work_stripe){ .fd = open_disk(flags), .block = aligned_alloc(WORK_IO_BLOCK, WORK_IO_BLOCK) };
	if (stripe->fd < 0) {
		dir = files_dir();
		stripe->fd = open_temp_file(dir, flags);
		if (stripe->fd < 0 || !strcmp(dir, "/tmp"))
			warn_of_memory(w, stripe->fd >= 0);
	} else if (ioctl(stripe->fd, BLKGETSIZE64, &capacity)) {
		capacity = 0;
	}
	stripe->length = capacity / STRIPES / 512 * 512;
	stripe->first = (uint64_t)gettid() % STRIPES * stripe->length;
	if (!stripe->block || stripe->fd < 0 || stripe->length < WORK_IO_BLOCK)
		return false;
	memset(stripe->block, 'k', WORK_IO_BLOCK); /* zeroes may be stored as holes */
	if (dir)
		fill_stripe(stripe);
	return true;
}

void work_stripe_close(struct work_stripe *stripe)
{
	if (stripe->fd >= 0)
		close(stripe->fd);
	free(stripe->block);
}

static bool done(struct worker *w, ssize_t moved, const char *what)
{
	if (moved == WORK_IO_BLOCK) {
		w->work_units++;
		return true;
	}
	work_warn_once(w, WORK_WARN_DISK_WRITE, "%s cannot %s: %s", ktstr_work_type_name(w->type->kind), what,
		       moved < 0 ? strerror(errno) : "the end of the file");
	sched_yield();
	return false;
}

bool work_stripe_write(struct worker *w, struct work_stripe *stripe)
{
	uint64_t at;

	if (work_should_stop(w))
		return false;
	if (stripe->cursor + WORK_IO_BLOCK > stripe->length)
		stripe->cursor = 0;
	at = stripe->first + stripe->cursor;
	stripe->cursor += WORK_IO_BLOCK;
	return done(w, pwrite(stripe->fd, stripe->block, WORK_IO_BLOCK, (off_t)at), "write");
}

bool work_stripe_read_random(struct worker *w, struct work_stripe *stripe)
{
	uint64_t places = (stripe->length - WORK_IO_BLOCK) / 512 + 1;
	uint64_t at = stripe->first + work_random(w) % places * 512;
	ssize_t moved;

	if (work_should_stop(w))
		return false;
	moved = pread(stripe->fd, stripe->block, WORK_IO_BLOCK, (off_t)at);
	if (moved < 0 && errno == EINVAL) /* a device of larger blocks */
		moved = pread(stripe->fd, stripe->block, WORK_IO_BLOCK, (off_t)(at / WORK_IO_BLOCK * WORK_IO_BLOCK));
	return done(w, moved, "read");
}

/* Runs round() with a stripe until the stop; without a stripe workers yield and count nothing. */
static void run_io(struct worker *w, int flags, void (*round)(struct worker *w, struct work_stripe *stripe))
{
	struct work_stripe stripe;
	bool usable = work_stripe_open(w, flags, &stripe);

	while (!work_should_stop(w)) {
		if (usable)
			round(w, &stripe);
		else
			sched_yield();
		work_reset_gap(w, ktstr_now_ns());
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
	work_stripe_close(&stripe);
}

/*
 * IoSyncWrite: 16 synchronous 4 KiB writes, then fdatasync. Presses io_schedule(): uninterruptible sleep with iowait
 * accounting, and the wakeup from block completion in interrupt context.
 */
static void sync_write_round(struct worker *w, struct work_stripe *stripe)
{
	uint64_t since;

	for (int i = 0; i < WRITES; i++)
		if (!work_stripe_write(w, stripe))
			return;
	since = ktstr_now_ns();
	if (!fdatasync(stripe->fd))
		work_record_wake(w, ktstr_now_ns() - since);
}

static void run_io_sync_write(struct worker *w)
{
	run_io(w, O_SYNC, sync_write_round);
}

const struct work_type_ops work_io_sync_write_ops = {
	.name = "IoSyncWrite",
	.pressure = "uninterruptible sleep with iowait (io_schedule), wakeup from block completion",
	.unit = "a synchronous write of 4 KiB",
	.run = run_io_sync_write,
};

/* IoRandRead: one direct read at a time: short D-state sleeps, a wakeup from completion each. */
static void rand_read_round(struct worker *w, struct work_stripe *stripe)
{
	uint64_t since = ktstr_now_ns();

	if (work_stripe_read_random(w, stripe))
		work_record_wake(w, ktstr_now_ns() - since);
}

static void run_io_rand_read(struct worker *w)
{
	run_io(w, O_DIRECT, rand_read_round);
}

const struct work_type_ops work_io_rand_read_ops = {
	.name = "IoRandRead",
	.pressure = "short uninterruptible sleeps, a wakeup from block completion each",
	.unit = "a direct read of 4 KiB",
	.run = run_io_rand_read,
};

/* IoConvoy: a write, a read, now and then a flush that all of the device wait for. */
static void convoy_round(struct worker *w, struct work_stripe *stripe)
{
	uint64_t since = ktstr_now_ns();

	if (!work_stripe_write(w, stripe) || !work_stripe_read_random(w, stripe))
		return;
	if (w->iterations % WRITES == WRITES - 1 && fdatasync(stripe->fd))
		return;
	work_record_wake(w, ktstr_now_ns() - since);
}

static void run_io_convoy(struct worker *w)
{
	run_io(w, O_DIRECT, convoy_round);
}

const struct work_type_ops work_io_convoy_ops = {
	.name = "IoConvoy",
	.pressure = "writers and readers that queue behind each other's flushes",
	.unit = "a direct read or write of 4 KiB",
	.run = run_io_convoy,
};
