// SPDX-License-Identifier: GPL-2.0-only
/* Goes through the kernel's map ids with bpf(2); the commands are those of linux/bpf.h. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sched/bpf_map_pin.h"

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A map may go between being listed and being opened: such a one is not there. */
static int open_if_named(uint32_t id, const char *name)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr by_id = { .map_id = id };
	_cleanup_close_ int fd = bpf(BPF_MAP_GET_FD_BY_ID, &by_id);
	union bpf_attr query = { .info = { .bpf_fd = (uint32_t)fd,
					   .info_len = sizeof(info),
					   .info = (uint64_t)(uintptr_t)&info } };

	if (fd < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &query) || strncmp(info.name, name, sizeof(info.name)))
		return -1;
	return ktstr_take_fd(&fd);
}

struct ktstr_error *ktstr_bpf_map_open(const char *name, int *fd)
{
	union bpf_attr next = { 0 };

	/* Ids come in ascending order. */
	while (!bpf(BPF_MAP_GET_NEXT_ID, &next)) {
		*fd = open_if_named(next.next_id, name);
		if (*fd >= 0)
			return NULL;
		next.start_id = next.next_id;
	}
	if (errno != ENOENT)
		return ktstr_error_sys(errno, "cannot list the kernel's BPF maps");
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no BPF map is named \"%s\"", name);
}
