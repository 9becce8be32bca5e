// SPDX-License-Identifier: GPL-2.0-only
/* The guest's side of the mailbox: memory that no driver of the guest knows; see mailbox.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "guest/mailbox.h"
#include "ktstr/units.h"

/* A freeze is over within microseconds: whoever holds the lock longer has been killed with it. */
#define LOCK_POLL  KTSTR_US(100)
#define LOCK_LIMIT KTSTR_SEC(10)

struct ktstr_error *ktstr_mailbox_map(size_t bytes, struct ktstr_mailbox **mailbox)
{
	const char *address = ktstr_env(KTSTR_MAILBOX_ENV);
	_cleanup_close_ int fd = -1;
	struct ktstr_mailbox *map;

	if (!address)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "there is no " KTSTR_MAILBOX_ENV " in the environment: this is no guest of ktstr");
	fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open /dev/mem (CONFIG_DEVMEM)");
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)strtoull(address, NULL, 0));
	if (map == MAP_FAILED)
		return ktstr_error_sys(errno, "cannot map the mailbox at %s", address);
	if (map->magic != KTSTR_MAILBOX_MAGIC)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "there is no mailbox at %s", address);
	/* fork() would copy a page-table entry for every page of it, which no child needs. */
	madvise(map, bytes, MADV_DONTFORK);
	*mailbox = map;
	return NULL;
}

bool ktstr_freeze_available(const struct ktstr_mailbox *mailbox)
{
	return mailbox->freeze.available;
}

static struct ktstr_error *lock(struct ktstr_mailbox_freeze *freeze)
{
	uint64_t deadline = ktstr_now_ns() + LOCK_LIMIT;

	while (__atomic_exchange_n(&freeze->lock, 1, __ATOMIC_ACQUIRE)) {
		if (ktstr_now_ns() > deadline)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "a process was killed while it froze the guest");
		ktstr_sleep_ns(LOCK_POLL);
	}
	return NULL;
}

static void unlock(struct ktstr_mailbox_freeze *freeze)
{
	__atomic_store_n(&freeze->lock, 0, __ATOMIC_RELEASE);
}

static void take_reply(const struct ktstr_mailbox *mailbox, void *reply, size_t capacity, size_t *length)
{
	*length = mailbox->freeze.reply_length;
	memcpy(reply, (const char *)mailbox + KTSTR_MAILBOX_REPLY_OFFSET, *length < capacity ? *length : capacity);
}

struct ktstr_error *ktstr_freeze(struct ktstr_mailbox *mailbox, enum ktstr_freeze_reason reason, const void *request,
				 size_t request_length, void *reply, size_t reply_capacity, size_t *reply_length)
{
	static __thread bool allowed;
	struct ktstr_mailbox_freeze *freeze = &mailbox->freeze;
	unsigned short port;

	if (!ktstr_freeze_available(mailbox))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "only deterministic guests can freeze");
	if (request_length > KTSTR_MAILBOX_REQUEST_BYTES)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a request of %zu bytes; there is room for %llu",
				       request_length, KTSTR_MAILBOX_REQUEST_BYTES);
	if (!allowed && ioperm(KTSTR_FREEZE_PORT, KTSTR_FREEZE_PORTS, 1))
		return ktstr_error_sys(errno, "no access to the ports that freeze the guest");
	allowed = true;
	KTSTR_TRY(lock(freeze));
	if (request_length)
		memcpy((char *)mailbox + KTSTR_MAILBOX_REQUEST_OFFSET, request, request_length);
	freeze->request_length = (uint32_t)request_length;
	port = (unsigned short)(KTSTR_FREEZE_PORT + freeze->count++ % KTSTR_FREEZE_PORTS);
	/* Here the guest stands still. The clobber: the host has changed memory when it goes on. */
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)reason), "Nd"(port) : "memory");
	if (reply_length)
		take_reply(mailbox, reply, reply_capacity, reply_length);
	unlock(freeze);
	return NULL;
}
