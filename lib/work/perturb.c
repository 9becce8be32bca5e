// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeded disturbance of the schedule, for exploring interleavings in deterministic runs: every worker begins at a drawn
 * moment and later, now and then, sleeps for a drawn time, which shifts its wakeups against everybody else's.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "ktstr/units.h"
#include "work/work_type.h"

/* A tick is 1 to 10 ms: starts are spread over all its phases. */
#define MAX_START_DELAY KTSTR_MS(10)
/* Often enough for several in a short test, rare enough to leave the workload what it is. */
#define MIN_INTERVAL KTSTR_MS(5)
#define MAX_INTERVAL KTSTR_MS(60)
#define MAX_SLEEP    KTSTR_MS(2)

static uint64_t draw(struct worker *w, uint64_t below)
{
	return ktstr_random_next(&w->jitter) % below;
}

void work_perturb_begin(struct worker *w, uint64_t seed, unsigned int index)
{
	struct ktstr_random own = ktstr_random_seeded(~seed), stream = ktstr_random_seeded(index + 1ull);

	w->jitter = ktstr_random_seeded(ktstr_random_next(&own) ^ ktstr_random_next(&stream));
	ktstr_sleep_ns(draw(w, MAX_START_DELAY));
	w->next_perturb_ns = ktstr_now_ns() + MIN_INTERVAL + draw(w, MAX_INTERVAL - MIN_INTERVAL);
}

bool work_perturb(struct worker *w, uint64_t now_ns)
{
	if (!w->next_perturb_ns || now_ns < w->next_perturb_ns || work_should_stop(w))
		return false;
	ktstr_sleep_ns(1 + draw(w, MAX_SLEEP));
	w->next_perturb_ns = ktstr_now_ns() + MIN_INTERVAL + draw(w, MAX_INTERVAL - MIN_INTERVAL);
	return true;
}
