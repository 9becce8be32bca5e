// SPDX-License-Identifier: GPL-2.0-only
/* Maps the mailbox: memory that no driver of the guest knows, at the address that the host put on the command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/agent.h"

struct ktstr_error *mailbox_map(struct ktstr_mailbox **mailbox)
{
	const char *address = ktstr_env(KTSTR_MAILBOX_ENV);
	_cleanup_close_ int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	struct ktstr_mailbox *map;

	if (!address)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, KTSTR_MAILBOX_ENV " is not on the command line");
	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open /dev/mem (CONFIG_DEVMEM)");
	map = mmap(NULL, KTSTR_MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   (off_t)strtoull(address, NULL, 0));
	if (map == MAP_FAILED)
		return ktstr_error_sys(errno, "cannot map the mailbox at %s", address);
	if (map->magic != KTSTR_MAILBOX_MAGIC)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "there is no mailbox at %s", address);
	/* fork() would copy a page-table entry for every page of it, which no child needs. */
	madvise(map, KTSTR_MAILBOX_BYTES, MADV_DONTFORK);
	*mailbox = map;
	return NULL;
}
