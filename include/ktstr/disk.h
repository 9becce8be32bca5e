/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disk of a test's guest: one virtio-blk device, /dev/vda, on a sparse file that lives as long as its VM. How large it
 * is, what is on it, how fast it may be, and what came of it.
 */
#ifndef KTSTR_DISK_H
#define KTSTR_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ktstr_filesystem {
	KTSTR_FILESYSTEM_RAW, /* zeroes */
	/*
	 * Made by the mkfs.btrfs of the host, which writes to the file itself and needs no VM, once for each capacity and
	 * version of it; guests get copies. Mounted at /mnt/<name>, unless .no_auto_mount.
	 */
	KTSTR_FILESYSTEM_BTRFS,
};

const char *ktstr_filesystem_name(enum ktstr_filesystem filesystem); /* "raw", "btrfs" */

/*
 * How much the disk does at most; requests beyond wait, and never fail. Reads and writes count; flushes do not: QEMU
 * lets them through. 0 = no limit; a burst of 0 is the rate. The bucket is full when the test begins.
 */
struct ktstr_disk_throttle {
	uint64_t iops; /* requests a second */
	uint64_t bytes_per_sec;
	uint64_t iops_burst_capacity; /* requests that may come at once; at least .iops, which it needs */
	uint64_t bytes_burst_capacity;
};

/* .disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .throttle = { .iops = 100 }) */
struct ktstr_disk_config {
	unsigned int capacity_mib; /* 0 = KTSTR_DISK_DEFAULT_MIB */
	enum ktstr_filesystem filesystem;
	struct ktstr_disk_throttle throttle;
	bool read_only;
	const char *name; /* of the directory below /mnt; NULL = "disk0" */
	bool no_auto_mount; /* the test mounts it, or not */
};

#define KTSTR_DISK_DEFAULT_MIB 256u
/* What mkfs.btrfs (btrfs-progs 6.2) makes a file system with two copies of the metadata on: 109 MiB, and some room. */
#define KTSTR_DISK_BTRFS_MIN_MIB 128u
#define KTSTR_DISK_NAME_MAX	 32u /* characters */
#define KTSTR_DISK_THROTTLE_MAX 1000000000000000ull /* of QEMU, each of the four */

#define KTSTR_DISK(...) (&(const struct ktstr_disk_config){ __VA_ARGS__ })

enum ktstr_throttle_dimension {
	KTSTR_THROTTLE_IOPS,
	KTSTR_THROTTLE_BYTES,
};

enum ktstr_disk_throttle_fault {
	KTSTR_DISK_THROTTLE_OK,
	KTSTR_DISK_THROTTLE_BURST_BELOW_RATE,
	KTSTR_DISK_THROTTLE_BURST_WITHOUT_RATE,
};

struct ktstr_disk_throttle_validation_error {
	enum ktstr_disk_throttle_fault fault;
	enum ktstr_throttle_dimension dimension;
	uint64_t burst, rate; /* as declared */
};

/* The first mistake, iops before bytes; .fault is KTSTR_DISK_THROTTLE_OK when there is none. */
struct ktstr_disk_throttle_validation_error ktstr_disk_throttle_check(const struct ktstr_disk_throttle *throttle);
/* The same as an error (KTSTR_ERR_INVALID) that names both fields and their values. */
struct ktstr_error *ktstr_disk_throttle_validate(const struct ktstr_disk_throttle *throttle) KTSTR_CHECKED;
/* The whole: the throttle, the name, room for the file system. */
struct ktstr_error *ktstr_disk_config_validate(const struct ktstr_disk_config *disk) KTSTR_CHECKED;

/*
 * What the device did until the test's program had ended: what the guest's page cache still held then is not in it. What
 * QEMU does not tell is not set, and null in results.
 */
struct ktstr_virtio_blk_counters_snapshot {
	struct ktstr_opt_u64 reads_completed, writes_completed, flushes_completed;
	struct ktstr_opt_u64 bytes_read, bytes_written;
	struct ktstr_opt_u64 io_errors; /* requests that failed on the host, which only a full or broken one lets happen */
	struct ktstr_opt_u64 throttled_count, currently_throttled_gauge; /* QEMU keeps them to itself */
	struct ktstr_opt_u64 invalid_avail_idx_count; /* QEMU has none: such a device breaks, and the guest says so */
};

/* READ(field) for each. */
#define KTSTR_VIRTIO_BLK_COUNTERS(READ)                                                                                \
	READ(reads_completed) READ(writes_completed) READ(flushes_completed) READ(bytes_read) READ(bytes_written)      \
	READ(io_errors) READ(throttled_count) READ(currently_throttled_gauge) READ(invalid_avail_idx_count)

#ifdef __cplusplus
}
#endif
#endif
