// SPDX-License-Identifier: GPL-2.0-only
/* Work types that live by timers: bursts between short sleeps, and the lateness of absolute deadlines. */
#include <sys/prctl.h>

#include "base/clock.h"
#include "work/work_type.h"

#define UNIT_SPIN "32 multiply-adds and a pause"

/* IdleChurn: in and out of idle: tick stop and restart, idle state selection, wakeup of an idle CPU, newidle balance. */
static void run_idle_churn(struct worker *w)
{
	const struct ktstr_work_idle_churn *type = &w->type->IDLE_CHURN;

	if (type->precise_timing)
		prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* the default is 50 us */
	while (!work_should_stop(w)) {
		uint64_t until = ktstr_now_ns() + type->burst, since, slept;

		do {
			work_spin(w, 256);
			work_checkpoint(w);
		} while (ktstr_now_ns() < until && !work_should_stop(w));
		since = ktstr_now_ns();
		slept = work_sleep_until(w, since + type->sleep) - since;
		/* A sleep cut short by the stop is not a measurement. */
		if (slept >= type->sleep)
			work_record_wake(w, slept - type->sleep);
		work_iteration_done(w);
	}
}

static const struct work_param idle_churn_params[] = {
	WORK_DURATION(idle_churn, burst, KTSTR_MS(1), 1, .error_below = KTSTR_WORK_TYPE_ZERO_BURST_DURATION),
	WORK_DURATION(idle_churn, sleep, KTSTR_MS(5), 1, .error_below = KTSTR_WORK_TYPE_ZERO_SLEEP_DURATION),
	WORK_FLAG(idle_churn, precise_timing),
};

const struct work_type_ops work_idle_churn_ops = {
	.name = "IdleChurn",
	.pressure = "entering and leaving idle (tick stop, idle wakeup, newidle balance)",
	.unit = UNIT_SPIN,
	WORK_PARAMS(idle_churn_params),
	.run = run_idle_churn,
};

/* TimerLatency: absolute deadlines at a fixed interval: hrtimer expiry to running, lateness added up, not hidden. */
static void run_timer_latency(struct worker *w)
{
	uint64_t interval = KTSTR_US(w->type->TIMER_LATENCY.interval_us), deadline = ktstr_now_ns();

	while (!work_should_stop(w)) {
		uint64_t now;

		deadline += interval;
		now = work_sleep_until(w, deadline);
		if (work_should_stop(w))
			break;
		work_record(w, WORK_TIMER, now > deadline ? now - deadline : 0);
		w->work_units++;
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static const struct work_param timer_latency_params[] = {
	WORK_NUMBER(timer_latency, interval_us, 1000, 1, 1000000000,
		    .error_below = KTSTR_WORK_TYPE_ZERO_TIMER_INTERVAL),
};

const struct work_type_ops work_timer_latency_ops = {
	.name = "TimerLatency",
	.pressure = "timer expiry to running (hrtimer, try_to_wake_up)",
	.unit = "a deadline met or missed",
	WORK_PARAMS(timer_latency_params),
	.run = run_timer_latency,
};
