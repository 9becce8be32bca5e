// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bursty: runs for `burst` of CPU time, sleeps for `sleep`. Presses the timer wakeup (hrtimer ->
 * try_to_wake_up -> select_task_rq), the placement of a task with sleep credit, and the lending of
 * its idle CPU to others.
 */
#include "base/clock.h"
#include "work/work_type.h"

/*
 * CPU time cannot grow faster than the clock, so the CPU clock (a system call) is asked once or
 * twice a burst.
 */
static void burst(struct worker *w, uint64_t burst_ns)
{
	uint64_t cpu_end = work_cpu_ns(w) + burst_ns;
	uint64_t earliest_end = ktstr_now_ns() + burst_ns;

	while (!work_should_stop(w)) {
		uint64_t cpu, now;

		work_spin(w, 1024);
		work_checkpoint(w);
		now = ktstr_now_ns();
		if (now < earliest_end)
			continue;
		cpu = work_cpu_ns(w);
		if (cpu >= cpu_end)
			return;
		earliest_end = now + (cpu_end - cpu);
	}
}

static void run_bursty(struct worker *w)
{
	const struct ktstr_work_bursty *bursty = &w->type->BURSTY;

	while (!work_should_stop(w)) {
		uint64_t since, slept;

		burst(w, bursty->burst);
		since = ktstr_now_ns();
		slept = work_sleep_until(w, since + bursty->sleep) - since;
		/* A sleep cut short by the stop is not a measurement. */
		if (slept >= bursty->sleep)
			work_record_wake(w, slept);
		work_iteration_done(w);
	}
}

static const struct work_param params[] = {
	WORK_DURATION(bursty, burst, KTSTR_MS(50), 1, .error_below = KTSTR_WORK_TYPE_ZERO_BURST_DURATION),
	WORK_DURATION(bursty, sleep, KTSTR_MS(100), 1, .error_below = KTSTR_WORK_TYPE_ZERO_SLEEP_DURATION),
};

const struct work_type_ops work_bursty_ops = {
	.name = "Bursty",
	.pressure = "timer wakeup (hrtimer, try_to_wake_up, select_task_rq) and who borrows the idle CPU",
	.unit = "32 multiply-adds and a pause",
	WORK_PARAMS(params),
	.run = run_bursty,
};
