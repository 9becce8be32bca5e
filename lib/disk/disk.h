/* SPDX-License-Identifier: GPL-2.0-only */
/* A declared disk: what it is with its defaults, and how the guest hears of it. */
#ifndef KTSTR_DISK_DISK_H
#define KTSTR_DISK_DISK_H

#include <jansson.h>

#include "base/str.h"
#include "ktstr/disk.h"

/* Where the guest finds it, and the words of the kernel's command line, which become its agent's environment. */
#define KTSTR_DISK_DEVICE	"/dev/vda"
#define KTSTR_DISK_FS_ENV	"KTSTR_DISK0_FS" /* set: there is a disk */
#define KTSTR_DISK_MOUNT_ENV	"KTSTR_DISK0_MOUNT" /* where the agent mounts it; unset: it does not */
#define KTSTR_DISK_RO_ENV	"KTSTR_DISK0_RO" /* 1: read-only */

uint64_t ktstr_disk_bytes(const struct ktstr_disk_config *disk);
/* " KTSTR_DISK0_FS=btrfs KTSTR_DISK0_MOUNT=/mnt/disk0", with the space in front; heap. */
char *ktstr_disk_kernel_words(const struct ktstr_disk_config *disk);
/* "btrfs disk of 256 MiB, throttled, read-only", for people; heap. */
char *ktstr_disk_describe(const struct ktstr_disk_config *disk);

/* null for NULL. */
json_t *ktstr_disk_to_json(const struct ktstr_disk_config *disk);
/* Validates, too. *disk is NULL for null; else the caller ends it with ktstr_disk_free(). */
struct ktstr_error *ktstr_disk_from_json(const json_t *json, struct ktstr_disk_config **disk) KTSTR_CHECKED;
void ktstr_disk_free(struct ktstr_disk_config *disk); /* accepts NULL */

/* An object with each counter, null for one that is not set. */
json_t *ktstr_disk_counters_to_json(const struct ktstr_virtio_blk_counters_snapshot *counters);
/* What is no number is not set. */
struct ktstr_virtio_blk_counters_snapshot ktstr_disk_counters_from_json(const json_t *json);

/* "256MiB", "1GiB", "2TiB": whole MiB in IEC units. */
struct ktstr_error *ktstr_disk_parse_size(const char *text, unsigned int *mib) KTSTR_CHECKED;

#endif
