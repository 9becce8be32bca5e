// SPDX-License-Identifier: GPL-2.0-only
/* Work types with a cache footprint: what a migration costs is what they lose. */
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "work/pipe_pair.h"
#include "work/work_type.h"

enum { TOUCHES = 1024 };

#define UNIT "a read-modify-write of one byte, a stride apart"

/* A worker's own buffer, and where it is in it. */
struct footprint {
	unsigned char *bytes;
	size_t size, stride, at;
};

static bool footprint_make(struct footprint *footprint, size_t size_kib, size_t stride)
{
	*footprint = (struct footprint){ calloc(1, size_kib * 1024), size_kib * 1024, stride, 0 };
	return footprint->bytes;
}

static void touch(struct worker *w, struct footprint *footprint, uint64_t touches)
{
	for (uint64_t i = 0; i < touches; i++) {
		volatile unsigned char *byte = &footprint->bytes[footprint->at];

		*byte = (unsigned char)(*byte + 1);
		footprint->at = (footprint->at + footprint->stride) % footprint->size;
	}
	w->work_units += touches;
}

/* CachePressure: always runnable with a working set: placement by LLC, the cost of load balancing. */
static void run_cache_pressure(struct worker *w)
{
	struct footprint footprint;

	if (footprint_make(&footprint, w->type->CACHE_PRESSURE.size_kib, w->type->CACHE_PRESSURE.stride))
		while (!work_should_stop(w)) {
			touch(w, &footprint, TOUCHES);
			work_checkpoint(w);
			work_iteration_done(w);
		}
	free(footprint.bytes);
}

static const struct work_param cache_pressure_params[] = {
	WORK_NUMBER(cache_pressure, size_kib, 32, 1, 1 << 20),
	WORK_NUMBER(cache_pressure, stride, 64, 1, 1 << 20),
};

const struct work_type_ops work_cache_pressure_ops = {
	.name = "CachePressure",
	.pressure = "a working set in the cache: what migrations cost",
	.unit = UNIT,
	WORK_PARAMS(cache_pressure_params),
	.run = run_cache_pressure,
};

/* CacheYield: the same, and a yield each round: is a task put back where its cache is? */
static void run_cache_yield(struct worker *w)
{
	struct footprint footprint;

	if (footprint_make(&footprint, w->type->CACHE_YIELD.size_kib, w->type->CACHE_YIELD.stride))
		while (!work_should_stop(w)) {
			touch(w, &footprint, TOUCHES);
			work_checkpoint(w);
			work_yield(w);
			work_iteration_done(w);
		}
	free(footprint.bytes);
}

static const struct work_param cache_yield_params[] = {
	WORK_NUMBER(cache_yield, size_kib, 32, 1, 1 << 20),
	WORK_NUMBER(cache_yield, stride, 64, 1, 1 << 20),
};

const struct work_type_ops work_cache_yield_ops = {
	.name = "CacheYield",
	.pressure = "placement after a yield with a working set in the cache",
	.unit = UNIT,
	WORK_PARAMS(cache_yield_params),
	.run = run_cache_yield,
};

/* CachePipe: pairs over pipes, each with a working set: wake affinity against cache affinity. */
static void run_cache_pipe(struct worker *w)
{
	struct work_pipe_end end = work_pipe_take_end(w);
	struct footprint footprint;

	if (footprint_make(&footprint, w->type->CACHE_PIPE.size_kib, 64))
		while (!work_should_stop(w)) {
			touch(w, &footprint, w->type->CACHE_PIPE.burst_iters);
			w->work_units += w->type->CACHE_PIPE.burst_iters == 0;
			work_checkpoint(w);
			if (!work_pipe_exchange(w, &end))
				break;
			work_iteration_done(w);
		}
	free(footprint.bytes);
	work_sleep_until(w, UINT64_MAX);
}

static const struct work_param cache_pipe_params[] = {
	WORK_NUMBER(cache_pipe, size_kib, 32, 1, 1 << 20),
	WORK_NUMBER(cache_pipe, burst_iters, 1024, 0, 0),
};

const struct work_type_ops work_cache_pipe_ops = {
	.name = "CachePipe",
	.pressure = "synchronous wakeups of tasks with a working set: wake affinity against cache affinity",
	.unit = UNIT,
	WORK_PARAMS(cache_pipe_params),
	.group_size = work_group_of_two,
	.open_group = work_pipe_open_pair,
	.run = run_cache_pipe,
};
