// SPDX-License-Identifier: GPL-2.0-only
/* Network devices of the machine, up and silent: what is on their wire is what a test sends. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "ktstr/units.h"
#include "net/link.h"

/* The driver learns of the carrier in a work item. */
#define CARRIER_LIMIT KTSTR_SEC(2)

static bool is_up(const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/sys/class/net/%s/operstate", name);

	return !strcmp(sysfs_text(path), "up");
}

static bool set_up(const char *name)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.*s", IFNAMSIZ - 1, name);
	return fd >= 0 && ktstr_link_up(fd, &request);
}

/* IPv6 would look for neighbours and routers, and take its own echo for somebody who has its address. */
static void bring_up(const char *name)
{
	_cleanup_free_ char *ipv6 = ktstr_xasprintf("/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	uint64_t deadline = ktstr_now_ns() + CARRIER_LIMIT;

	ktstr_error_free(ktstr_write_value(ipv6, "1"));
	if (!set_up(name)) {
		fprintf(stderr, "ktstr-init: cannot bring up %s: %s\n", name, strerror(errno));
		return;
	}
	while (!is_up(name) && ktstr_now_ns() < deadline)
		ktstr_sleep_ns(KTSTR_MS(1));
}

void bring_up_networks(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/sys/class/net");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *device = ktstr_xasprintf("/sys/class/net/%s/device", entry->d_name);

		/* Not the loopback and its like. */
		if (entry->d_name[0] != '.' && !access(device, F_OK))
			bring_up(entry->d_name);
	}
}
