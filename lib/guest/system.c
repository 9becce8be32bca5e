// SPDX-License-Identifier: GPL-2.0-only
/* What makes a bare kernel a system that tests can run on: mounts and modules. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "ktstr/cgroup.h"

/* lib/vm/initramfs.c knows what these hide. */
static const struct {
	const char *type, *target, *options;
	bool required;
} mounts[] = {
	{ "proc", "/proc", NULL, true },
	{ "sysfs", "/sys", NULL, true },
	{ "devtmpfs", "/dev", NULL, true },
	{ "tmpfs", "/tmp", "mode=1777", true },
	{ "tmpfs", "/dev/shm", "mode=1777", true },
	{ "cgroup2", "/sys/fs/cgroup", NULL, true },
	{ "debugfs", "/sys/kernel/debug", NULL, false },
	{ "tracefs", "/sys/kernel/tracing", NULL, false },
	{ "bpf", "/sys/fs/bpf", NULL, false },
	{ "devpts", "/dev/pts", "mode=620,ptmxmode=666", false },
};

static const struct {
	const char *target, *path;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
};

struct ktstr_error *mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		/* The directories below /sys exist; making them fails and that is fine. */
		mkdir(mounts[i].target, 0755);
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type, MS_NOSUID, mounts[i].options) &&
		    errno != EBUSY && mounts[i].required)
			return ktstr_error_sys(errno, "cannot mount %s on %s", mounts[i].type,
					       mounts[i].target);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].target, links[i].path) && errno != EEXIST)
			return ktstr_error_sys(errno, "cannot link %s", links[i].path);
	return NULL;
}

/*
 * What every test does first; here it is part of the template. A kernel without one of them is explained to the test
 * that asks for it.
 */
void prepare_cgroups(void)
{
	static const char *const files[] = { "/sys/fs/cgroup/cgroup.subtree_control",
					     KTSTR_CGROUP_DEFAULT_PARENT "/cgroup.subtree_control" };
	static const char *const controllers[] = { "+cpuset", "+cpu" };

	mkdir(KTSTR_CGROUP_DEFAULT_PARENT, 0755);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (size_t j = 0; j < sizeof(controllers) / sizeof(controllers[0]); j++)
			ktstr_error_free(ktstr_write_value(files[i], controllers[j]));
}

static int is_module(const struct dirent *entry)
{
	return ktstr_str_ends_with(entry->d_name, ".ko");
}

void load_modules(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, is_module, alphasort);

	for (int i = 0; i < count; i++) {
		char path[sizeof("/modules/") + sizeof(names[i]->d_name)];
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			fprintf(stderr, "ktstr-init: cannot load %s: %s\n", path, strerror(errno));
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}
