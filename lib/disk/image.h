/* SPDX-License-Identifier: GPL-2.0-only */
/* The file behind a guest's disk, on the host. */
#ifndef KTSTR_DISK_IMAGE_H
#define KTSTR_DISK_IMAGE_H

#include "ktstr/disk.h"

/* Where these files, and templates of file systems, lie: <cache>/disk_templates. Heap. */
char *ktstr_disk_dir(void);

/*
 * A sparse file of the disk's size without a name: it goes with the last descriptor, however its holders end. blank: zeroes,
 * whatever the disk's file system. Any file system of the host will do; its blocks are shared with the template where it
 * can (btrfs, XFS).
 */
struct ktstr_error *ktstr_disk_image_open(const struct ktstr_disk_config *disk, bool blank, int *fd) KTSTR_CHECKED;

#endif
