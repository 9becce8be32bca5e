// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for each other: every worker sleeps on a word of its own, so that a signal wakes exactly the one that has
 * waited longest, and none wakes without being meant.
 */
#include "base/clock.h"
#include "rtapp/shared.h"

bool rtapp_queue_enter(struct rtapp_me *me, struct rtapp_queue *queue)
{
	return work_lock(me->w, &queue->guard, KTSTR_LOCK_PLAIN);
}

void rtapp_queue_leave(struct rtapp_queue *queue)
{
	work_unlock(&queue->guard, KTSTR_LOCK_PLAIN);
}

void rtapp_queue_join(struct rtapp_me *me, struct rtapp_queue *queue)
{
	atomic_store(&me->slot->woken, 0);
	me->slot->next = 0;
	if (queue->first)
		me->run->slots[queue->last - 1].next = me->slot_index + 1;
	else
		queue->first = me->slot_index + 1;
	queue->last = me->slot_index + 1;
}

void rtapp_queue_wake(struct rtapp_me *me, struct rtapp_queue *queue, bool all)
{
	while (queue->first) {
		struct rtapp_slot *slot = &me->run->slots[queue->first - 1];

		queue->first = slot->next;
		slot->woken_at_ns = ktstr_now_ns();
		atomic_store(&slot->woken, 1);
		work_futex_wake(&slot->woken, 1);
		if (!all)
			return;
	}
}

void rtapp_park(struct rtapp_me *me)
{
	uint64_t now = work_wait_word(me->w, &me->slot->woken, 0);

	if (!atomic_load(&me->slot->woken))
		return;
	work_record_wake(me->w, now > me->slot->woken_at_ns ? now - me->slot->woken_at_ns : 0);
}
