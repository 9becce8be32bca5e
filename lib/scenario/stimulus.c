// SPDX-License-Identifier: GPL-2.0-only
/* Tells the host that a step begins or ends. Every number saturates: a record is never wrong by wrapping around. */
#include <endian.h>

#include "scenario/engine.h"
#include "wire/frame.h"
#include "wire/stimulus.h"

static uint16_t saturate16(size_t value)
{
	return value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

static uint32_t saturate32(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void add_saturating(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

void send_step(struct engine *engine, size_t index)
{
	uint16_t step = htole16(saturate16(index));

	TELL_WORLD(engine, send_frame, KTSTR_FRAME_STEP, &step, sizeof(step));
}

void send_stimulus(struct engine *engine, const struct stimulus_counts *counts, bool end)
{
	uint8_t payload[KTSTR_STIMULUS_BYTES];
	size_t cgroups = 0, workers = 0;
	struct ktstr_stimulus_record record = {
		.elapsed_ms = saturate32((WORLD(engine, now_ns) - engine->began_ns) / KTSTR_MS(1)),
		.step_index = saturate16(counts->step),
		.op_count = saturate16(counts->ops),
		.op_kinds = counts->kinds,
		.total_iterations = engine->finished_iterations,
	};

	for_each_scope (scope, engine) {
		cgroups += scope->cgroups_count;
		for (size_t i = 0; i < scope->workloads_count; i++) {
			workers += WORLD(engine, workload_count, scope->workloads[i].handle);
			add_saturating(&record.total_iterations,
				       WORLD(engine, workload_iterations, scope->workloads[i].handle));
		}
	}
	record.cgroup_count = saturate16(cgroups);
	record.worker_count = saturate16(workers);
	ktstr_stimulus_encode(&record, payload);
	TELL_WORLD(engine, send_frame, end ? KTSTR_FRAME_STEP_END : KTSTR_FRAME_STIMULUS, payload, sizeof(payload));
}
