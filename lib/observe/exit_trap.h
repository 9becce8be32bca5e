/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Has the kernel of a deterministic guest freeze itself (vm/freezer.h) when it gives up on a scheduler. Nothing may stop
 * such a guest from outside, so two instructions are put into the text of its kernel, before anything of the job runs:
 *
 *   scx_disable_irq_workfn:    scx_error_irq_workfn in older kernels
 *     endbr64          ->      out %al, $0xeb
 *                              out %al, $0xec
 *
 * This function of kernel/sched/ext.c is an irq_work that each exit queues when it has been claimed, with its reason
 * written down, on the CPU that claimed it; for an error the kernel makes its own dump here. Only what it queues in turn,
 * work for a thread, bypasses the scheduler and disables it. It runs once for an exit and never otherwise, so a run
 * without one executes no instruction more. endbr64 does nothing on a CPU without indirect branch tracking, which TCG does not emulate, and ftrace
 * and kprobes of the function are left as they are. The byte that is written is what %al happens to hold.
 *
 * What has been translated is not looked at again: the function must not have run in this QEMU before.
 */
#ifndef KTSTR_OBSERVE_EXIT_TRAP_H
#define KTSTR_OBSERVE_EXIT_TRAP_H

#include "observe/kernel_view.h"

/* The guest stands still. Again does nothing. KTSTR_ERR_UNSUPPORTED for a kernel that has no such place. */
struct ktstr_error *ktstr_exit_trap_set(const struct ktstr_kernel_view *view) KTSTR_CHECKED;

#endif
