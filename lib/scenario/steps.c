// SPDX-License-Identifier: GPL-2.0-only
/* One step: ops, cgroups, the stimulus record, the hold, teardown. */
#include <math.h>

#include "scenario/engine.h"

#define LIVENESS_POLL_NS KTSTR_MS(50)

struct ktstr_error *check_hold(const struct ktstr_hold *hold)
{
	switch (hold->kind) {
	case KTSTR_HOLD_FULL:
	case KTSTR_HOLD_FIXED:
		return NULL;
	case KTSTR_HOLD_FRAC:
		if (isfinite(hold->fraction) && hold->fraction > 0)
			return NULL;
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "hold of %g of the duration: the fraction must be finite and above 0; "
				       "ktstr_hold_fixed(0) holds for no time",
				       hold->fraction);
	case KTSTR_HOLD_LOOP:
		if (hold->ns)
			return NULL;
		return ktstr_error_new(KTSTR_ERR_INVALID, "loop with an interval of 0: it must be above 0");
	}
	return ktstr_error_new(KTSTR_ERR_INVALID, "there is no kind of hold %d: use ktstr_hold_full() and its like",
			       (int)hold->kind);
}

static uint64_t hold_ns(const struct engine *engine, const struct ktstr_hold *hold)
{
	double ns;

	switch (hold->kind) {
	case KTSTR_HOLD_FIXED:
		return hold->ns;
	case KTSTR_HOLD_FRAC:
		ns = (double)engine->ctx->duration_ns * hold->fraction;
		return ns < (double)UINT64_MAX ? (uint64_t)ns : UINT64_MAX;
	default:
		return engine->ctx->duration_ns;
	}
}

/* False as soon as the scheduler is gone. Where that cannot happen there is no need to look in between. */
static bool sleep_until(struct engine *engine, uint64_t end_ns)
{
	uint64_t longest = engine->world->ops->scheduler_alive ? LIVENESS_POLL_NS : UINT64_MAX;

	for (uint64_t now = WORLD(engine, now_ns); now < end_ns; now = WORLD(engine, now_ns)) {
		WORLD(engine, sleep_ns, end_ns - now < longest ? end_ns - now : longest);
		if (!scheduler_alive(engine))
			return false;
	}
	return scheduler_alive(engine);
}

/* What happens from now until the step's end belongs to its phase. */
static void set_phase(struct engine *engine, uint32_t phase)
{
	engine->phase = phase;
	for (size_t i = 0; i < engine->backdrop.workloads_count; i++)
		TELL_WORLD(engine, workload_phase, engine->backdrop.workloads[i].handle, phase);
}

/* The ops, again and again until the scenario's duration is over; rounds are counted. */
static struct ktstr_error *loop(struct engine *engine, const struct ktstr_step *step, size_t *rounds, bool *alive)
{
	uint64_t end = engine->began_ns + engine->ctx->duration_ns;

	*alive = true;
	while (*alive && WORLD(engine, now_ns) < end) {
		uint64_t next = WORLD(engine, now_ns) + step->hold.ns;

		KTSTR_TRY(run_ops(engine, step->ops, step->ops_count));
		(*rounds)++;
		/* On paper what went well twice goes well always. */
		if (engine->errors && *rounds == 2)
			return NULL;
		*alive = sleep_until(engine, next < end ? next : end);
	}
	return NULL;
}

static struct ktstr_error *hold(struct engine *engine, const struct ktstr_step *step, struct stimulus_counts *counts,
				bool *alive)
{
	struct ktstr_error *error = NULL;
	size_t rounds = 0;
	uint64_t end;

	TELL_WORLD(engine, dispatched);
	if (step->hold.kind == KTSTR_HOLD_LOOP) {
		error = loop(engine, step, &rounds, alive);
		counts->ops = rounds * step->ops_count;
	} else {
		end = WORLD(engine, now_ns);
		if (__builtin_add_overflow(end, hold_ns(engine, &step->hold), &end))
			end = UINT64_MAX;
		*alive = sleep_until(engine, end);
	}
	return error;
}

static struct ktstr_error *begin(struct engine *engine, const struct ktstr_step *step)
{
	if (step->hold.kind != KTSTR_HOLD_LOOP)
		KTSTR_TRY(run_ops(engine, step->ops, step->ops_count));
	return apply_setup(engine, &step->setup);
}

struct ktstr_error *run_step(struct engine *engine, const struct ktstr_step *step, size_t index, bool *alive)
{
	struct stimulus_counts counts = { index, step->ops_count, op_kinds(step->ops, step->ops_count) };
	struct ktstr_error *error;
	KTSTR_IN_PHASE(ktstr_phase_step((uint32_t)index));

	*alive = true;
	__atomic_store_n(&engine->ctx->current_step, (unsigned int)index + 1, __ATOMIC_RELEASE);
	send_step(engine, index);
	error = begin(engine, step);
	if (!error) {
		set_phase(engine, (uint32_t)index + 1);
		send_stimulus(engine, &counts, false);
		error = hold(engine, step, &counts, alive);
		send_stimulus(engine, &counts, true);
		set_phase(engine, BETWEEN_STEPS);
	}
	tear_down(engine, &engine->step);
	return error;
}
