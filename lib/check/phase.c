// SPDX-License-Identifier: GPL-2.0-only
/* Phases by number and by text, the phase that a thread is in, and rates between stimulus events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktstr/phase.h"

#define BASELINE "BASELINE"

static _Thread_local struct ktstr_opt_u32 current_phase;

char *ktstr_phase_format(uint16_t phase, char text[KTSTR_PHASE_TEXT_BYTES])
{
	if (phase == KTSTR_PHASE_BASELINE)
		snprintf(text, KTSTR_PHASE_TEXT_BYTES, BASELINE);
	else
		snprintf(text, KTSTR_PHASE_TEXT_BYTES, "Step[%u]", phase - 1u);
	return text;
}

bool ktstr_phase_parse(const char *text, uint16_t *phase)
{
	char again[KTSTR_PHASE_TEXT_BYTES];
	unsigned int step;

	*phase = KTSTR_PHASE_BASELINE;
	if (!strcmp(text, BASELINE))
		return true;
	if (sscanf(text, "Step[%5u]", &step) != 1 || step >= UINT16_MAX)
		return false;
	*phase = ktstr_phase_step(step);
	/* Nothing before or behind it, no sign, no leading zeros: exactly what we write. */
	return !strcmp(ktstr_phase_format(*phase, again), text);
}

struct ktstr_opt_u32 ktstr_phase_current(void)
{
	return current_phase;
}

struct ktstr_phase_guard ktstr_phase_enter(uint16_t phase)
{
	struct ktstr_phase_guard guard = { .before = current_phase };

	current_phase = (struct ktstr_opt_u32)KTSTR_SOME(phase);
	return guard;
}

void ktstr_phase_leave(const struct ktstr_phase_guard *guard)
{
	current_phase = guard->before;
}

struct ktstr_opt_f64 ktstr_stimulus_rate(const struct ktstr_stimulus_event *from, const struct ktstr_stimulus_event *to)
{
	const struct ktstr_opt_u64 *first = &from->total_iterations, *last = &to->total_iterations;

	if (!first->set || !last->set || last->value < first->value || to->elapsed_ms <= from->elapsed_ms)
		return (struct ktstr_opt_f64)KTSTR_NONE;
	return (struct ktstr_opt_f64)KTSTR_SOME((double)(last->value - first->value) * 1e3 /
						(double)(to->elapsed_ms - from->elapsed_ms));
}

void ktstr_stimulus_event_deinit(struct ktstr_stimulus_event *event)
{
	free(event->label);
	free(event->op_kind);
	free(event->detail);
	*event = (struct ktstr_stimulus_event){ 0 };
}
