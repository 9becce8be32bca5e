// SPDX-License-Identifier: GPL-2.0-only
/* Tasks and dispatch queues by name, and the task that has waited longest. */
#include "base/array.h"
#include "dump/text.h"

static const struct ktstr_task_enrichment *task_at(const struct ktstr_failure_dump *dump, uint64_t address)
{
	for (size_t i = 0; address && i < dump->task_enrichments_count; i++)
		if (dump->task_enrichments[i].task_kva == address)
			return &dump->task_enrichments[i];
	return NULL;
}

static void add_task(struct ktstr_str *out, const struct ktstr_task_enrichment *task)
{
	ktstr_text_guest(out, task->comm);
	ktstr_str_addf(out, " (%lld)", (long long)task->pid);
}

bool ktstr_text_task(struct ktstr_str *out, const struct ktstr_failure_dump *dump, uint64_t address)
{
	const struct ktstr_task_enrichment *task = task_at(dump, address);

	if (task)
		add_task(out, task);
	return task;
}

/* Bits 63 and 62 of a queue's id: built in, and which one (include/linux/sched/ext.h). */
static void add_id(struct ktstr_str *out, uint64_t id)
{
	static const char *const built_in[] = { "INVALID", "GLOBAL", "LOCAL", "BYPASS" };
	uint64_t low = id & UINT32_MAX;

	if (id >> 62 == 3)
		ktstr_str_addf(out, "LOCAL_ON|%llu", (unsigned long long)low);
	else if (id >> 62 == 2 && low < ARRAY_SIZE(built_in))
		ktstr_str_add(out, built_in[low]);
	else if (id >> 62 == 2)
		ktstr_str_addf(out, "BUILTIN(%llu)", (unsigned long long)low);
	else
		ktstr_str_addf(out, "DSQ(0x%llx)", (unsigned long long)id);
}

void ktstr_text_queue(struct ktstr_str *out, const struct ktstr_dsq_state *dsq)
{
	ktstr_text_guest(out, dsq->origin);
	ktstr_str_add(out, " ");
	add_id(out, dsq->id);
}

/* *whole: all queues were read to their ends, so a task that is not found is in none of them. */
static const struct ktstr_dsq_state *queue_of(const struct ktstr_failure_dump *dump, uint64_t task, bool *whole)
{
	*whole = dump->dsq_states_count;
	for (size_t i = 0; task && i < dump->dsq_states_count; i++) {
		*whole = *whole && !dump->dsq_states[i].truncated;
		for (size_t k = 0; k < dump->dsq_states[i].task_kvas_count; k++)
			if (dump->dsq_states[i].task_kvas[k] == task)
				return &dump->dsq_states[i];
	}
	return NULL;
}

void ktstr_text_longest_wait(struct ktstr_str *out, const struct ktstr_failure_dump *dump)
{
	const struct ktstr_task_enrichment *longest = NULL;
	const struct ktstr_dsq_state *queue;
	bool whole;

	for (size_t i = 0; i < dump->task_enrichments_count; i++) {
		const struct ktstr_task_enrichment *task = &dump->task_enrichments[i];

		if (task->runnable_for_ms.set && (!longest || task->runnable_for_ms.value > longest->runnable_for_ms.value))
			longest = task;
	}
	if (!longest)
		return;
	ktstr_str_add(out, "  waits longest: ");
	add_task(out, longest);
	ktstr_str_addf(out, ", %llu ms", (unsigned long long)longest->runnable_for_ms.value);
	if (longest->cpu.set)
		ktstr_str_addf(out, ", on cpu %u", longest->cpu.value);
	queue = queue_of(dump, longest->task_kva, &whole);
	if (queue) {
		ktstr_str_add(out, ", in queue ");
		ktstr_text_queue(out, queue);
	} else if (whole) {
		ktstr_str_add(out, ", in no queue of the kernel");
	}
	ktstr_str_add(out, "\n");
}
