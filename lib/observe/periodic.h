/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When periodic captures are taken: N boundaries spread over the middle four fifths of the workload. All times are ns of
 * one clock that stands still while the guest does.
 */
#ifndef KTSTR_OBSERVE_PERIODIC_H
#define KTSTR_OBSERVE_PERIODIC_H

#include <stdbool.h>
#include <stdint.h>

#define KTSTR_MAX_PERIODIC	     64
#define KTSTR_MIN_PERIODIC_SPACING_NS UINT64_C(100000000)

/* With A = end - start, pre = A / 10 and W = A - 2 pre: boundary i is start + pre + W (i + 1) / (count + 1). */
struct ktstr_periodic {
	uint64_t start_ns, end_ns;
	unsigned int count; /* 0 when the window is empty: A <= 0 or W < count + 1 */
	unsigned int next; /* of the boundaries that have not fired */
	unsigned int timeouts; /* in a row */
	bool abandoned; /* two captures in a row timed out: the rest is not taken */
};

void ktstr_periodic_init(struct ktstr_periodic *periodic, uint64_t start_ns, uint64_t end_ns, unsigned int count);
uint64_t ktstr_periodic_boundary(const struct ktstr_periodic *periodic, unsigned int i);
/* The next boundary; false when there is none left. */
bool ktstr_periodic_next(const struct ktstr_periodic *periodic, uint64_t *boundary_ns);
/* The next boundary has fired, and has its capture or a placeholder. */
void ktstr_periodic_fired(struct ktstr_periodic *periodic, bool timed_out);

#endif
