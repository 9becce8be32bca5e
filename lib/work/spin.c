// SPDX-License-Identifier: GPL-2.0-only
/* Work types that are always runnable: SpinWait, YieldHeavy, Mixed. */
#include <sched.h>

#include "work/work_type.h"

/*
 * SpinWait never leaves the CPU by itself: it presses the tick's preemption (task_tick_fair /
 * ops.tick), the load balancer (sched_balance_rq, ops.dispatch) and fairness between equals.
 */
static void run_spin_wait(struct worker *w)
{
	while (!work_should_stop(w)) {
		work_spin(w, 1024);
		work_checkpoint(w);
		work_iteration_done(w);
	}
}

/*
 * YieldHeavy: sys_sched_yield -> yield_task_fair / ops.yield -> __schedule with the task still
 * runnable, as often as the kernel can. A checkpoint with every yield, not every 1024: the others
 * run for a slice at each yield, and 1024 slices in a row would read as a worker that was stuck for
 * seconds.
 */
static void run_yield_heavy(struct worker *w)
{
	while (!work_should_stop(w)) {
		w->work_units++;
		sched_yield();
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

/* Mixed: some CPU time, then a yield; requeueing of tasks with used-up slices between spinners. */
static void run_mixed(struct worker *w)
{
	while (!work_should_stop(w)) {
		work_spin(w, 1024);
		work_checkpoint(w);
		sched_yield();
		work_iteration_done(w);
	}
}

const struct work_type_ops work_spin_wait_ops = {
	.name = "SpinWait",
	.pressure = "tick preemption (task_tick_fair, ops.tick), load balance, fairness of equals",
	.unit = "32 multiply-adds and a pause",
	.run = run_spin_wait,
};
const struct work_type_ops work_yield_heavy_ops = {
	.name = "YieldHeavy",
	.pressure = "sched_yield with the task still runnable (yield_task_fair, ops.yield, __schedule)",
	.unit = "a yield",
	.run = run_yield_heavy,
};
const struct work_type_ops work_mixed_ops = {
	.name = "Mixed",
	.pressure = "requeueing of tasks with part of a slice used, among spinners",
	.unit = "32 multiply-adds and a pause",
	.run = run_mixed,
};
