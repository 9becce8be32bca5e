/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wires of a VM's network devices: pairs of datagram sockets, QEMU's dgram backend at one end and one thread of ours
 * at the other, which gives back what the guest sends and counts it. It waits in poll() and never for QEMU: a frame that
 * QEMU has no room for, since the guest does not take those before it, is dropped. So neither side can stop the other.
 */
#ifndef KTSTR_VM_ECHO_H
#define KTSTR_VM_ECHO_H

#include <stddef.h>

#include "ktstr/network.h"

struct ktstr_echo;

/* theirs: QEMU's ends, one for each of `count` devices, the caller's to close; -1 where there is none, on failure, too. */
struct ktstr_error *ktstr_echo_create(size_t count, int *theirs, struct ktstr_echo **echo) KTSTR_CHECKED;
/* Ends thread and wires. Accepts NULL. */
void ktstr_echo_destroy(struct ktstr_echo *echo);
/* At any time, from any thread; a frame that came back is in it. */
struct ktstr_virtio_net_counters_snapshot ktstr_echo_counters(struct ktstr_echo *echo, size_t index);

#endif
