// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests with a disk: what they see of it, and what the host counts. Looked at by vm/disk.bats. The first three differ
 * only in their limits, and share a template.
 */
#include <ktstr.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define CAPACITY_MIB 64

static void write_for_a_while(struct ktstr_ctx *ctx)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "io", .workers = 2, .work = KTSTR_WORK(IO_SYNC_WRITE) }));
}

/* A unit of this work is a write of 4 KiB that the disk has. */
static void writes_are_counted(struct ktstr_vm_result *vm)
{
	const struct ktstr_virtio_blk_counters_snapshot *disk = &vm->virtio_blk_counters;
	const struct ktstr_scenario_stats *stats = &vm->guest_assert_result.stats;
	uint64_t written = stats->cgroups_count ? stats->cgroups[0].total_work_units : 0;

	KTSTR_CLAIM(vm, vm->has_virtio_blk_counters, eq, true);
	KTSTR_CLAIM(vm, written, gt, 0u);
	KTSTR_CLAIM(vm, disk->writes_completed.value, at_least, written);
	KTSTR_CLAIM(vm, disk->bytes_written.value, at_least, written * 4096);
	KTSTR_CLAIM(vm, disk->flushes_completed.value, gt, 0u);
	KTSTR_CLAIM(vm, disk->io_errors.set, eq, true);
	KTSTR_CLAIM(vm, disk->io_errors.value, eq, 0u);
	KTSTR_CLAIM(vm, disk->throttled_count.set, eq, false);
}

KTSTR_TEST(unthrottled, .disk = KTSTR_DISK(.capacity_mib = CAPACITY_MIB), .duration = KTSTR_SEC(2),
	   .post_vm = writes_are_counted)
{
	write_for_a_while(ctx);
}

KTSTR_TEST(throttled, .disk = KTSTR_DISK(.capacity_mib = CAPACITY_MIB, .throttle = { .iops = 2 }), .duration = KTSTR_SEC(2))
{
	write_for_a_while(ctx);
}

/* A disk of zeroes of the declared size, every time. */
KTSTR_TEST(fresh, .disk = KTSTR_DISK(.capacity_mib = CAPACITY_MIB))
{
	int fd = open("/dev/vda", O_RDWR | O_SYNC | O_CLOEXEC);
	char first[512] = "x", mark[512] = "mark";
	uint64_t bytes = 0;

	KTSTR_CLAIM(ctx, fd, at_least, 0);
	KTSTR_CLAIM(ctx, ioctl(fd, BLKGETSIZE64, &bytes), eq, 0);
	KTSTR_CLAIM(ctx, bytes, eq, (uint64_t)CAPACITY_MIB << 20);
	KTSTR_CLAIM(ctx, pread(fd, first, sizeof(first), 0), eq, (ssize_t)sizeof(first));
	KTSTR_CLAIM(ctx, first[0], eq, '\0');
	KTSTR_CLAIM(ctx, pwrite(fd, mark, sizeof(mark), 0), eq, (ssize_t)sizeof(mark));
	close(fd);
}

/* The work goes to files on it, as the device itself is in use. */
KTSTR_TEST(mounted, .disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .name = "scratch"), .duration = KTSTR_SEC(2),
	   .post_vm = writes_are_counted)
{
	struct statfs fs = { 0 };
	int fd;

	KTSTR_CLAIM(ctx, statfs("/mnt/scratch", &fs), eq, 0);
	KTSTR_CLAIM(ctx, (long)fs.f_type, eq, (long)BTRFS_SUPER_MAGIC);
	fd = open("/mnt/scratch/mark", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	KTSTR_CLAIM(ctx, fd, at_least, 0);
	KTSTR_CLAIM(ctx, fsync(fd), eq, 0);
	close(fd);
	write_for_a_while(ctx);
}

KTSTR_TEST(read_only, .disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .read_only = true))
{
	int made = mkdir("/mnt/disk0/mark", 0700), why = errno, fd;
	struct statfs fs = { 0 };

	KTSTR_CLAIM(ctx, made, eq, -1);
	KTSTR_CLAIM(ctx, why, eq, EROFS);
	KTSTR_CLAIM(ctx, statfs("/mnt/disk0", &fs), eq, 0);
	KTSTR_CLAIM(ctx, (long)fs.f_type, eq, (long)BTRFS_SUPER_MAGIC);
	/* The kernel lets it be opened, and says no to the write. */
	fd = open("/dev/vda", O_WRONLY | O_CLOEXEC);
	KTSTR_CLAIM(ctx, pwrite(fd, "x", 1, 0), eq, -1);
	close(fd);
}
