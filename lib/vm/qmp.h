/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU's machine protocol over a connected socket: commands, replies, events. */
#ifndef KTSTR_VM_QMP_H
#define KTSTR_VM_QMP_H

#include <jansson.h>
#include <stdint.h>

#include "ktstr/error.h"

struct ktstr_qmp;

/* Takes ownership of fd; reads the greeting and leaves negotiation mode. */
struct ktstr_error *ktstr_qmp_open(int fd, uint64_t deadline_ns, struct ktstr_qmp **qmp)
	KTSTR_CHECKED;
void ktstr_qmp_close(struct ktstr_qmp *qmp); /* accepts NULL */
int ktstr_qmp_fd(const struct ktstr_qmp *qmp); /* for poll() */

/*
 * Runs a command and waits for its reply; events that arrive meanwhile are queued. arguments may be NULL and is
 * stolen. reply (may be NULL) gets the "return" member, a new reference. QMP's own error becomes
 * "<command>: <desc>". A closed connection is KTSTR_ERR_GUEST "QEMU ended".
 */
struct ktstr_error *ktstr_qmp_execute(struct ktstr_qmp *qmp, const char *command, json_t *arguments,
				      uint64_t deadline_ns, json_t **reply) KTSTR_CHECKED;
/* The same; the command may pass descriptors to QEMU ("getfd"): fd is sent along (SCM_RIGHTS). */
struct ktstr_error *ktstr_qmp_execute_with_fd(struct ktstr_qmp *qmp, const char *command,
					      json_t *arguments, int fd, uint64_t deadline_ns)
	KTSTR_CHECKED;
/*
 * The same in two steps: sends a command without arguments, and waits for its reply. In between QEMU may be unable to
 * answer. Another command may be sent before, whose reply is then the one that is awaited.
 */
struct ktstr_error *ktstr_qmp_send(struct ktstr_qmp *qmp, const char *command, uint64_t deadline_ns) KTSTR_CHECKED;
struct ktstr_error *ktstr_qmp_await(struct ktstr_qmp *qmp, uint64_t deadline_ns) KTSTR_CHECKED;
/*
 * The next event, from the queue or the socket; NULL in *event when the deadline passes first. The event
 * object has "event" and "data".
 */
struct ktstr_error *ktstr_qmp_next_event(struct ktstr_qmp *qmp, uint64_t deadline_ns, json_t **event)
	KTSTR_CHECKED;

#endif
