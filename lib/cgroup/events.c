// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for what cgroup.events tells: emptiness, frozenness. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cgroup/manager.h"

static bool shows(int events_fd, const char *state)
{
	char text[256];
	ssize_t got = pread(events_fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return strstr(text, state);
}

/* cgroup_file_notify() wakes both inotify and POLLPRI at a change of cgroup.events. */
bool cgroup_wait_while(const char *dir, const char *state, unsigned int limit_ms)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/cgroup.events", dir);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t deadline = ktstr_now_ns() + KTSTR_MS(limit_ms);

	while (fd >= 0 && shows(fd, state)) {
		struct pollfd change = { .fd = fd, .events = POLLPRI };

		if (ktstr_now_ns() >= deadline)
			return false;
		poll(&change, 1, ktstr_ms_until(deadline));
	}
	return true;
}
