/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping a running guest from outside, through QEMU's gdb stub: at once, or at a write to a kernel variable. One slot
 * is for exit_kind of the attached scheduler, three are for a test's own watches; KVM has no more (debug registers).
 */
#ifndef KTSTR_OBSERVE_WATCHPOINTS_H
#define KTSTR_OBSERVE_WATCHPOINTS_H

#include <jansson.h>

#include "ktstr/snapshot_bridge.h" /* KTSTR_MAX_WATCH_SNAPSHOTS */
#include "observe/kernel_view.h"
#include "vm/vm.h"

/* A variable that is written all the time would stop the guest all the time: the watch is then given up. */
#define KTSTR_WATCH_FIRES_MAX 64

struct ktstr_user_watch {
	char *symbol;
	uint64_t address;
	unsigned int fires;
};

struct ktstr_watchpoints {
	struct ktstr_vm *vm; /* borrowed */
	uint64_t stop_limit_ns; /* for all CPUs to stand still; then KTSTR_ERR_TIMEOUT */
	struct ktstr_gdb *gdb; /* opened when first needed */
	uint64_t exit_kind; /* its address while it is watched, else 0 */
	struct ktstr_user_watch user[KTSTR_MAX_WATCH_SNAPSHOTS];
	size_t user_count;
};

void ktstr_watchpoints_deinit(struct ktstr_watchpoints *points);
/* For poll(): readable when a watchpoint was hit. -1 while nothing is watched. */
int ktstr_watchpoints_fd(const struct ktstr_watchpoints *points);

/* KTSTR_ERR_TIMEOUT when some CPU does not stop; KTSTR_ERR_GUEST when QEMU is gone. */
struct ktstr_error *ktstr_watchpoints_stop(struct ktstr_watchpoints *points) KTSTR_CHECKED;
struct ktstr_error *ktstr_watchpoints_continue(struct ktstr_watchpoints *points) KTSTR_CHECKED;
/* The address of a hit watchpoint, 0 = none. The guest then stands still. */
struct ktstr_error *ktstr_watchpoints_take_hit(struct ktstr_watchpoints *points, uint64_t *address) KTSTR_CHECKED;

/* The rest is for a guest that stands still. */

/* Watches exit_kind of the scheduler that is attached now, and no other. */
struct ktstr_error *ktstr_watchpoints_follow_scheduler(struct ktstr_watchpoints *points,
						       const struct ktstr_kernel_view *view) KTSTR_CHECKED;
/* Stops watching exit_kind. */
struct ktstr_error *ktstr_watchpoints_leave_scheduler(struct ktstr_watchpoints *points) KTSTR_CHECKED;
/* A test's watch of the first four bytes of a variable. The same symbol again does nothing. */
struct ktstr_error *ktstr_watchpoints_add(struct ktstr_watchpoints *points, const struct ktstr_kernel_view *view,
					  const char *symbol) KTSTR_CHECKED;
/* The user's watch at that address, NULL = none. */
struct ktstr_user_watch *ktstr_watchpoints_user(struct ktstr_watchpoints *points, uint64_t address);
/* Takes a watch away; its slot stays used. */
struct ktstr_error *ktstr_watchpoints_give_up(struct ktstr_watchpoints *points, struct ktstr_user_watch *watch)
	KTSTR_CHECKED;
/* Array with registers of each CPU (VcpuRegSnapshot), null where there are none. New reference. */
json_t *ktstr_watchpoints_registers(struct ktstr_watchpoints *points, const struct ktstr_kernel_view *view);

/* Can that symbol be watched? Of the error, what a test is told. */
struct ktstr_error *ktstr_watch_address(const struct ktstr_kernel_view *view, const char *symbol, uint64_t *address)
	KTSTR_CHECKED;

#endif
