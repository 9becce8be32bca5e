// SPDX-License-Identifier: GPL-2.0-only
/* Sequence: phases of other work in turn, again and again. */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/alu.h"
#include "work/io.h"
#include "work/work_type.h"

enum { YIELDS_PER_LOOK = 64, IO_WRITES = 16 };

struct phase_state {
	struct work_stripe stripe; /* opened with the first I/O phase */
	bool opened, usable;
};

static void spin_phase(struct worker *w, struct phase_state *state)
{
	(void)state;
	work_spin(w, 1024);
	work_checkpoint(w);
}

static void yield_phase(struct worker *w, struct phase_state *state)
{
	(void)state;
	for (int i = 0; i < YIELDS_PER_LOOK && !work_should_stop(w); i++) {
		w->work_units++;
		work_yield(w);
		work_checkpoint(w);
	}
}

static void io_phase(struct worker *w, struct phase_state *state)
{
	uint64_t since;

	if (!state->opened) {
		state->usable = work_stripe_open(w, 0, &state->stripe);
		state->opened = true;
	}
	for (int i = 0; i < IO_WRITES && state->usable; i++)
		if (!work_stripe_write(w, &state->stripe))
			return;
	since = ktstr_now_ns();
	work_record_wait(w, since, work_sleep_until(w, since + KTSTR_US(100)));
	work_checkpoint_now(w);
}

static void alu_phase(struct worker *w, struct phase_state *state)
{
	(void)state;
	work_alu_round(w);
	work_checkpoint(w);
}

/* A sleep is one step; the others are repeated until their time is over. */
static void (*const phase_steps[])(struct worker *w, struct phase_state *state) = {
	[KTSTR_PHASE_SPIN] = spin_phase,
	[KTSTR_PHASE_YIELD] = yield_phase,
	[KTSTR_PHASE_IO] = io_phase,
	[KTSTR_PHASE_ALU_HOT] = alu_phase,
	[KTSTR_PHASE_SLEEP] = NULL,
};

static void run_phase(struct worker *w, const struct ktstr_work_phase *phase, struct phase_state *state)
{
	uint64_t since = ktstr_now_ns(), until = since + phase->duration;

	if (phase->kind == KTSTR_PHASE_SLEEP) {
		work_record_wait(w, since, work_sleep_until(w, until));
		return;
	}
	if (phase->kind == KTSTR_PHASE_ALU_HOT)
		work_alu_begin(w, phase->width);
	while (!work_should_stop(w) && ktstr_now_ns() < until)
		phase_steps[phase->kind](w, state);
}

static void run_sequence(struct worker *w)
{
	const struct ktstr_work_sequence *type = &w->type->SEQUENCE;
	struct phase_state state = { .stripe.fd = -1 };

	while (!work_should_stop(w)) {
		for (size_t i = 0; i < type->phases_count && !work_should_stop(w); i++)
			run_phase(w, &type->phases[i], &state);
		work_iteration_done(w);
	}
	work_stripe_close(&state.stripe);
}

static struct ktstr_error *validate_sequence(const struct ktstr_work_type *type, unsigned int group_idx)
{
	const struct ktstr_work_sequence *sequence = &type->SEQUENCE;

	if (!sequence->phases_count || !sequence->phases)
		return ktstr_error_new(KTSTR_ERR_INVALID, "Sequence (group %u) has no phases: give it KTSTR_PHASES(...)",
				       group_idx);
	for (size_t i = 0; i < sequence->phases_count; i++)
		if ((unsigned int)sequence->phases[i].kind >= KTSTR_PHASES_KINDS || !sequence->phases[i].duration)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "Sequence (group %u) has a phase %zu without a kind or a duration above zero",
					       group_idx, i);
	return NULL;
}

const struct work_type_ops work_sequence_ops = {
	.name = "Sequence",
	.pressure = "phases of spinning, sleeping, yielding, I/O and arithmetic in turn",
	.unit = "that of the phase",
	.validate = validate_sequence,
	.unnamed = true,
	.run = run_sequence,
};
