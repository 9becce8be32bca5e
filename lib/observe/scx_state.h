/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched_ext seen from outside: what each runqueue holds, every dispatch queue with its tasks, and the state of the
 * active scheduler. Structures differ between kernels; members are asked for by name and may be absent.
 */
#ifndef KTSTR_OBSERVE_SCX_STATE_H
#define KTSTR_OBSERVE_SCX_STATE_H

#include <jansson.h>

#include "observe/kernel_view.h"
#include "observe/task_set.h"

/* enum scx_exit_kind (kernel/sched/ext_internal.h): errors are from 1024 on. */
enum {
	KTSTR_SCX_EXIT_ERROR = 1024,
	KTSTR_SCX_EXIT_ERROR_BPF = 1025,
	KTSTR_SCX_EXIT_ERROR_STALL = 1026,
};

/* struct scx_sched of the active scheduler; address 0 = none is attached. */
struct ktstr_object ktstr_scx_sched(const struct ktstr_kernel_view *view);

/* Arrays of RqScxState and DsqState; the tasks on them are added to tasks. New references. */
json_t *ktstr_rq_scx_states(const struct ktstr_kernel_view *view, struct ktstr_task_set *tasks);
json_t *ktstr_dsq_states(const struct ktstr_kernel_view *view, struct ktstr_task_set *tasks);
/* ScxSchedState, or NULL with *reason (static text) when there is none. */
json_t *ktstr_scx_sched_state(const struct ktstr_kernel_view *view, const char **reason);
/* Adds the tasks that sched_ext knows (scx_tasks). */
void ktstr_scx_tasks(const struct ktstr_kernel_view *view, struct ktstr_task_set *tasks);

#endif
