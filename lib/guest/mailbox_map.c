// SPDX-License-Identifier: GPL-2.0-only
/* Finds the ivshmem device of this guest and maps its shared memory (PCI BAR 2). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"

static unsigned long device_attribute(const char *device, const char *attribute)
{
	char path[PATH_MAX];
	_cleanup_free_ char *text = NULL;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, attribute);
	text = ktstr_read_line(path);
	return text ? strtoul(text, NULL, 0) : 0;
}

static struct ktstr_error *map_device(const char *device, struct ktstr_mailbox **mailbox)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	struct ktstr_mailbox *map;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", device);
	KTSTR_TRY(ktstr_write_value(path, "1"));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open %s", path);
	map = mmap(NULL, KTSTR_MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return ktstr_error_sys(errno, "cannot map %s", path);
	if (map->magic != KTSTR_MAILBOX_MAGIC)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "the shared memory of %s is not a mailbox", device);
	*mailbox = map;
	return NULL;
}

struct ktstr_error *mailbox_map(struct ktstr_mailbox **mailbox)
{
	_cleanup_closedir_ DIR *devices = opendir("/sys/bus/pci/devices");
	struct dirent *entry;

	while (devices && (entry = readdir(devices)))
		if (device_attribute(entry->d_name, "vendor") == KTSTR_IVSHMEM_VENDOR &&
		    device_attribute(entry->d_name, "device") == KTSTR_IVSHMEM_DEVICE)
			return map_device(entry->d_name, mailbox);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no ivshmem device: the host gave this VM no mailbox");
}
