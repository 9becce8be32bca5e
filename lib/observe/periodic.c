// SPDX-License-Identifier: GPL-2.0-only
/* The schedule of periodic captures. */
#include "observe/periodic.h"

enum { TIMEOUTS_MAX = 2 };

static uint64_t margin(const struct ktstr_periodic *periodic)
{
	return (periodic->end_ns - periodic->start_ns) / 10;
}

static uint64_t window(const struct ktstr_periodic *periodic)
{
	return periodic->end_ns - periodic->start_ns - 2 * margin(periodic);
}

void ktstr_periodic_init(struct ktstr_periodic *periodic, uint64_t start_ns, uint64_t end_ns, unsigned int count)
{
	*periodic = (struct ktstr_periodic){ .start_ns = start_ns, .end_ns = end_ns, .count = count };
	if (end_ns <= start_ns || window(periodic) < count + 1)
		periodic->count = 0;
}

uint64_t ktstr_periodic_boundary(const struct ktstr_periodic *periodic, unsigned int i)
{
	/* 128 bits: a window of hours times 65 is beyond 64 */
	unsigned __int128 into = (unsigned __int128)window(periodic) * (i + 1) / (periodic->count + 1);

	return periodic->start_ns + margin(periodic) + (uint64_t)into;
}

bool ktstr_periodic_next(const struct ktstr_periodic *periodic, uint64_t *boundary_ns)
{
	if (periodic->abandoned || periodic->next >= periodic->count)
		return false;
	*boundary_ns = ktstr_periodic_boundary(periodic, periodic->next);
	return true;
}

void ktstr_periodic_fired(struct ktstr_periodic *periodic, bool timed_out)
{
	periodic->next++;
	periodic->timeouts = timed_out ? periodic->timeouts + 1 : 0;
	periodic->abandoned = periodic->timeouts >= TIMEOUTS_MAX;
}
