// SPDX-License-Identifier: GPL-2.0-only
/*
 * ProducerConsumerImbalance: a bounded queue between paced producers and consumers that compute. Presses wakeups in
 * both directions with a load that leans to one side: back-pressure when full, idling when empty.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "work/work_type.h"

/* The items themselves carry nothing: what is scheduled is their coming and going. */
struct queue {
	_Alignas(64) _Atomic uint32_t produced; /* futex: consumers wait for it to move */
	_Alignas(64) _Atomic uint32_t consumed; /* futex: producers wait for it to move */
};

static void produce(struct worker *w, struct queue *queue, uint32_t depth)
{
	uint32_t produced = atomic_load(&queue->produced), consumed = atomic_load(&queue->consumed);

	if (produced - consumed >= depth) {
		uint64_t since = ktstr_now_ns();

		work_record_wait(w, since, work_wait_word(w, &queue->consumed, consumed));
	} else if (atomic_compare_exchange_strong(&queue->produced, &produced, produced + 1)) {
		work_futex_wake(&queue->produced, 1);
		w->work_units++;
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static void run_producer(struct worker *w, struct queue *queue)
{
	const struct ktstr_work_producer_consumer_imbalance *type = &w->type->PRODUCER_CONSUMER_IMBALANCE;
	uint64_t interval = KTSTR_SEC(1) / type->produce_rate_hz, next = ktstr_now_ns();

	while (!work_should_stop(w)) {
		uint64_t before = w->work_units;

		produce(w, queue, type->queue_depth);
		if (w->work_units == before)
			continue;
		next += interval;
		if (next < ktstr_now_ns()) /* blocked for longer: no burst to make up for it */
			next = ktstr_now_ns();
		work_sleep_until(w, next);
	}
}

static void run_consumer(struct worker *w, struct queue *queue)
{
	uint64_t iters = w->type->PRODUCER_CONSUMER_IMBALANCE.consume_iters;

	while (!work_should_stop(w)) {
		uint32_t consumed = atomic_load(&queue->consumed), produced = atomic_load(&queue->produced);

		if (produced == consumed) {
			uint64_t since = ktstr_now_ns();

			work_record_wait(w, since, work_wait_word(w, &queue->produced, produced));
			continue;
		}
		if (!atomic_compare_exchange_strong(&queue->consumed, &consumed, consumed + 1))
			continue; /* another consumer took this one */
		work_futex_wake(&queue->consumed, 1);
		work_spin(w, iters);
		w->work_units += iters == 0;
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static void run_producer_consumer(struct worker *w)
{
	if (w->position < w->type->PRODUCER_CONSUMER_IMBALANCE.producers)
		run_producer(w, w->group->memory);
	else
		run_consumer(w, w->group->memory);
}

static unsigned int group_size(const struct ktstr_work_type *type)
{
	return type->PRODUCER_CONSUMER_IMBALANCE.producers + type->PRODUCER_CONSUMER_IMBALANCE.consumers;
}

static const struct work_param params[] = {
	WORK_NUMBER(producer_consumer_imbalance, producers, 2, 1, 1024),
	WORK_NUMBER(producer_consumer_imbalance, consumers, 1, 1, 1024),
	WORK_NUMBER(producer_consumer_imbalance, produce_rate_hz, 1000, 1, 1000000),
	WORK_NUMBER(producer_consumer_imbalance, consume_iters, 4096, 0, 0),
	WORK_NUMBER(producer_consumer_imbalance, queue_depth, 1024, 1, 1 << 30),
};

const struct work_type_ops work_producer_consumer_imbalance_ops = {
	.name = "ProducerConsumerImbalance",
	.pressure = "a bounded queue that leans to one side: back-pressure, wakeups both ways",
	.unit = "an item; of consumers 32 multiply-adds and a pause",
	WORK_PARAMS(params),
	.group_size = group_size,
	.shared_bytes = sizeof(struct queue),
	.run = run_producer_consumer,
};
