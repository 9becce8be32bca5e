/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freezing a guest at an exact instruction, at its own request: the host's half (the guest's is guest/mailbox.h).
 *
 * The guest writes a byte to a debug port. QEMU passes it on twice within that instruction, while the one thread that
 * emulates all CPUs holds QEMU's big lock: into a pipe where we wait (the doorbell), then into the log of the same
 * character device, a pipe that we keep full (a gate). There it stands until we empty the gate. QEMU's own ways to stop
 * a guest (QMP stop, gdb breakpoints, pvpanic) are all asynchronous for the other CPUs of the round.
 *
 * There are two ports with a gate each, used in turn: a gate that has been opened can be filled again only when the byte
 * has passed, and that is certain when the guest stands before the other one.
 *
 * A machine has two of these freezers, with ports and a bell of their own: one of its two sides may freeze it between the
 * moment at which the other has chosen its port and the one at which it writes to it.
 */
#ifndef KTSTR_VM_FREEZER_H
#define KTSTR_VM_FREEZER_H

#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"
#include "wire/mailbox.h"

enum ktstr_freezer_side { KTSTR_FREEZER_OF_PROGRAMS, KTSTR_FREEZER_OF_KERNEL, KTSTR_FREEZERS };

struct ktstr_freezer;

/* With both gates closed. *qemu_bell is QEMU's end of the doorbell, the caller's to close, on failure, too. */
struct ktstr_error *ktstr_freezer_create(struct ktstr_freezer **freezer, int *qemu_bell) KTSTR_CHECKED;
void ktstr_freezer_destroy(struct ktstr_freezer *freezer); /* accepts NULL */
/* The write end of a gate, which QEMU inherits; owned by the freezer. */
int ktstr_freezer_gate(const struct ktstr_freezer *freezer, unsigned int port);

/* For poll(): readable when the guest is frozen; POLLHUP when QEMU is gone. */
int ktstr_freezer_fd(const struct ktstr_freezer *freezer);
/* Whether the guest stands before a gate, with the byte that it gave as a reason. Does not wait. */
bool ktstr_freezer_is_frozen(const struct ktstr_freezer *freezer, uint8_t *reason);
/* Lets it go on. */
void ktstr_freezer_release(struct ktstr_freezer *freezer);

#endif
