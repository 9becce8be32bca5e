/* SPDX-License-Identifier: GPL-2.0-only */
/* What a reservation does to processes: masks, pinned threads, priority, memory. */
#ifndef KTSTR_RESERVE_APPLY_H
#define KTSTR_RESERVE_APPLY_H

#include "reserve/reserve.h"

/*
 * Keeps the calling thread, and all that it starts from now on, to the reserved CPUs, and in performance mode to the
 * memory of their nodes, where the host has several. Before the VM is started.
 */
struct ktstr_error *ktstr_reservation_enter(struct ktstr_reservation *reservation) KTSTR_CHECKED;
/* Undoes it for the calling thread. */
void ktstr_reservation_leave(struct ktstr_reservation *reservation);

/* How each warning begins. */
#define KTSTR_PERFORMANCE_WARNING "performance mode: "

/*
 * Performance mode: each vCPU's thread to its CPU, with SCHED_FIFO 1 where that is permitted, all other threads of the
 * process and the calling one to the service CPU. tids by vCPU; 0 = it has no thread of its own. What could not be done,
 * or disturbs, is told in warnings, a line each. Nothing in other modes.
 */
struct ktstr_error *ktstr_reservation_pin(const struct ktstr_reservation *reservation, pid_t pid, const int *tids,
					  size_t tids_count, struct ktstr_strv *warnings) KTSTR_CHECKED;

#endif
