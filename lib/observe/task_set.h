/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of tasks, each once, in the order they were found. */
#ifndef KTSTR_OBSERVE_TASK_SET_H
#define KTSTR_OBSERVE_TASK_SET_H

#include <jansson.h>

#include "observe/kernel_view.h"

enum { KTSTR_TASKS_MAX = 4096 };

struct ktstr_task_set {
	uint64_t addresses[KTSTR_TASKS_MAX];
	bool queued[KTSTR_TASKS_MAX]; /* on a sched_ext runnable list */
	size_t count;
	uint64_t slots[2 * KTSTR_TASKS_MAX]; /* open addressing: index + 1 */
};

/* Index of the task, which is added when it is new; -1 when the set is full. */
int ktstr_task_set_add(struct ktstr_task_set *set, uint64_t address);

/* Array of TaskEnrichment. hz: CONFIG_HZ, 0 = unknown. New reference. */
json_t *ktstr_task_enrichments(const struct ktstr_kernel_view *view, const struct ktstr_task_set *set, unsigned int hz);
/* Adds "lock_slowpath_match" to tasks whose CPU stood in the slow path of a lock: vcpu_regs is that of a dump. */
void ktstr_tasks_note_locks(const struct ktstr_kernel_view *view, const json_t *vcpu_regs, json_t *enrichments);

#endif
