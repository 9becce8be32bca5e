/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's side of the mailbox: mapping it, and freezing the guest so that the host can look at it. Used by the agent
 * and by test programs.
 */
#ifndef KTSTR_GUEST_MAILBOX_H
#define KTSTR_GUEST_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "ktstr/error.h"
#include "wire/mailbox.h"

/* Maps its first `bytes`, for as long as the process lives; needs root. Children that are forked do not have it. */
struct ktstr_error *ktstr_mailbox_map(size_t bytes, struct ktstr_mailbox **mailbox) KTSTR_CHECKED;

/* Only deterministic guests can freeze: in others the CPUs are threads that one instruction does not stop. */
bool ktstr_freeze_available(const struct ktstr_mailbox *mailbox);

/*
 * Freezes the whole guest inside one instruction of the caller until the host has looked (vm/freezer.h): no guest time
 * passes, no other CPU runs. The host finds the request and may leave a reply; what it does meanwhile the guest cannot
 * tell, but for that reply. A reply longer than the capacity is cut, *reply_length tells how much there is. Takes
 * some 10 us of guest time, a system call and a lock that threads and processes share. KTSTR_ERR_UNSUPPORTED where
 * guests cannot freeze, KTSTR_ERR_INVALID for a request that is too long.
 */
struct ktstr_error *ktstr_freeze(struct ktstr_mailbox *mailbox, enum ktstr_freeze_reason reason, const void *request,
				 size_t request_length, void *reply, size_t reply_capacity, size_t *reply_length)
	KTSTR_CHECKED;

#endif
