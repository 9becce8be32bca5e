// SPDX-License-Identifier: GPL-2.0-only
/* The guest's disk, as far as the agent has to do with it. What it is the kernel's command line says; see disk/disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "disk/disk.h"
#include "guest/agent.h"
#include "ktstr/units.h"

/* For the host to ask QEMU what the disk has done: it ends the VM then. */
#define COUNTING_TIME KTSTR_SEC(5)

/* What a template may have read of another disk must not be taken for this one's. */
static void forget_buffers(void)
{
	_cleanup_close_ int fd = open(KTSTR_DISK_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		ioctl(fd, BLKFLSBUF, 0);
}

void disk_mount(void)
{
	const char *filesystem = getenv(KTSTR_DISK_FS_ENV), *target = getenv(KTSTR_DISK_MOUNT_ENV);

	if (!filesystem)
		return;
	forget_buffers();
	if (!target)
		return;
	mkdir("/mnt", 0755);
	mkdir(target, 0755);
	if (!mount(KTSTR_DISK_DEVICE, target, filesystem, getenv(KTSTR_DISK_RO_ENV) ? MS_RDONLY : 0, NULL))
		return;
	fprintf(stderr, "ktstr-init: cannot mount " KTSTR_DISK_DEVICE " (%s) at %s: %s\n", filesystem, target, strerror(errno));
	rmdir(target); /* so that it is not taken for the disk */
}

void disk_environment(json_t *env)
{
	static const char *const names[] = { KTSTR_DISK_FS_ENV, KTSTR_DISK_MOUNT_ENV, KTSTR_DISK_RO_ENV };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);
		_cleanup_free_ char *text = ktstr_xasprintf("%s=%s", names[i], value ? value : "");

		if (value)
			json_array_append_new(env, json_string(text));
	}
}

void disk_await_counting(void)
{
	if (getenv(KTSTR_DISK_FS_ENV))
		ktstr_sleep_ns(COUNTING_TIME);
}
