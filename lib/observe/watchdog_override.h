/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched_ext's watchdog with a time limit of the test's, written into the kernel: schedulers that leave it at the kernel's
 * 30 s would outlive most tests with their tasks stuck.
 */
#ifndef KTSTR_OBSERVE_WATCHDOG_OVERRIDE_H
#define KTSTR_OBSERVE_WATCHDOG_OVERRIDE_H

#include "observe/kernel_view.h"

#define KTSTR_WATCHDOG_DEFAULT_NS UINT64_C(5000000000)

struct ktstr_watchdog_override {
	uint64_t timeout_ns; /* 0 = KTSTR_WATCHDOG_DEFAULT_NS, or less when that is what the scheduler asks for... */
	unsigned int vcpus_per_cpu; /* ...times this: what the guest cannot help when host CPUs are few. 0 = 1 */
	unsigned int hz; /* CONFIG_HZ; 0 = unknown: nothing is overridden */

	/* Of the scheduler that is attached now. */
	uint64_t sched;
	uint64_t wanted_jiffies;
	bool forging;
	uint64_t forged_stamp; /* 0 = none yet */
	uint64_t forge_until; /* jiffies */

	/* What came of it; a reader for results. */
	bool written;
	uint64_t expected_jiffies, observed_jiffies; /* what was written first, and what the kernel then had */
	const char *unavailable; /* static text; NULL = none is */
};

/* What is written for a scheduler that asks for own jiffies itself (0 = for nothing). */
uint64_t ktstr_watchdog_override_jiffies(const struct ktstr_watchdog_override *override, uint64_t own);

/* Once per tick, while a scheduler is attached or may be. */
void ktstr_watchdog_override_tick(struct ktstr_watchdog_override *override, const struct ktstr_kernel_view *view);

#endif
