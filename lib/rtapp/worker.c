// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker that carries out a task: policy and CPUs of each phase, its events one after the other, and what rt-app
 * would log of each pass. It blocks through wait.c alone, so that the stop ends every wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "rtapp/shared.h"

#define RUNTIME_SLICE_NS KTSTR_US(32) /* between looks at the clock; as long as rt-app's */

static void note_failure(struct rtapp_me *me, enum rtapp_failure what, int failure)
{
	int none = 0;

	atomic_compare_exchange_strong(&me->run->header->failures[what], &none, failure);
}

static bool stopping(const struct rtapp_me *me)
{
	return work_should_stop(me->w);
}

/* The pauses that a seed brings come between passes: within an event they would be part of what it measures. */
static void checkpoint(struct rtapp_me *me)
{
	uint64_t due_ns = me->w->next_perturb_ns;

	me->w->next_perturb_ns = 0;
	work_checkpoint_now(me->w);
	me->w->next_perturb_ns = due_ns;
}

/* In pieces with a checkpoint each, however long it is. */
static void spin(struct rtapp_me *me, uint64_t units)
{
	while (units && !stopping(me)) {
		uint64_t piece = units < WORK_CHECKPOINT_UNITS ? units : WORK_CHECKPOINT_UNITS;

		work_spin(me->w, piece);
		checkpoint(me);
		units -= piece;
	}
}

static uint64_t units_for(const struct rtapp_me *me, uint64_t ns)
{
	return (uint64_t)((double)ns * me->run->units_per_ns);
}

/* So much work as takes that long when nobody is in the way. */
static void do_run(struct rtapp_me *me, const struct rtapp_event *event)
{
	uint64_t since = ktstr_now_ns();

	spin(me, units_for(me, event->amount));
	me->run_ns += ktstr_now_ns() - since;
}

/* Work until so much time has passed, whoever had the CPU meanwhile. */
static void do_runtime(struct rtapp_me *me, const struct rtapp_event *event)
{
	uint64_t since = ktstr_now_ns(), slice = units_for(me, RUNTIME_SLICE_NS);

	do
		spin(me, slice ? slice : 1);
	while (ktstr_now_ns() - since < event->amount && !stopping(me));
	me->run_ns += ktstr_now_ns() - since;
}

static void do_sleep(struct rtapp_me *me, const struct rtapp_event *event)
{
	uint64_t until = ktstr_now_ns() + event->amount, now = work_sleep_until(me->w, until);

	if (now >= until)
		work_record_wake(me->w, now - until);
}

static void note_slack(struct rtapp_me *me, int64_t slack_ns)
{
	me->slack_ns = me->run->program->cumulative_slack ? me->slack_ns + slack_ns : slack_ns;
	me->has_slack = true;
}

/*
 * The next expiry is a period behind the last one, of whoever uses the timer. One that has passed before the sleep is
 * missed: a relative timer counts from there then, an absolute one goes on to catch up.
 */
static void do_timer(struct rtapp_me *me, const struct rtapp_event *event)
{
	const struct rtapp_timers *timers = event->own_timer ? &me->task->timers : &me->run->program->timers;
	struct rtapp_alarm *alarm = &(event->own_timer ? me->own_alarms : me->run->alarms)[event->object];
	uint64_t unused = 0, expiry, now;

	atomic_compare_exchange_strong(&alarm->next_ns, &unused, me->first_ns);
	expiry = atomic_fetch_add(&alarm->next_ns, event->amount) + event->amount;
	now = ktstr_now_ns();
	note_slack(me, (int64_t)(expiry - now));
	if (now < expiry) {
		now = work_sleep_until(me->w, expiry);
		if (now < expiry)
			return;
		work_record(me->w, WORK_TIMER, now - expiry);
		ktstr_histogram_record(&me->slot->stats.wakeup_us, (uint32_t)((now - expiry) / 1000));
	} else if (!timers->items[event->object].absolute) {
		atomic_store(&alarm->next_ns, now);
	}
}

static bool lock(struct rtapp_me *me, size_t mutex)
{
	return work_lock(me->w, &me->run->mutexes[mutex].word, me->run->program->lock_mode);
}

static void unlock(struct rtapp_me *me, size_t mutex)
{
	work_unlock(&me->run->mutexes[mutex].word, me->run->program->lock_mode);
}

static void do_lock(struct rtapp_me *me, const struct rtapp_event *event)
{
	lock(me, event->object);
}

static void do_unlock(struct rtapp_me *me, const struct rtapp_event *event)
{
	unlock(me, event->object);
}

static void wake(struct rtapp_me *me, struct rtapp_queue *queue, bool all)
{
	if (!rtapp_queue_enter(me, queue))
		return;
	rtapp_queue_wake(me, queue, all);
	rtapp_queue_leave(queue);
}

static bool join(struct rtapp_me *me, struct rtapp_queue *queue)
{
	if (!rtapp_queue_enter(me, queue))
		return false;
	rtapp_queue_join(me, queue);
	rtapp_queue_leave(queue);
	return true;
}

/* In the queue before the mutex is free: nobody who takes it can signal too early. */
static void do_wait(struct rtapp_me *me, const struct rtapp_event *event)
{
	if (!join(me, &me->run->conditions[event->object]))
		return;
	unlock(me, event->mutex);
	rtapp_park(me);
	lock(me, event->mutex);
}

static void do_signal(struct rtapp_me *me, const struct rtapp_event *event)
{
	wake(me, &me->run->conditions[event->object], false);
}

static void do_broadcast(struct rtapp_me *me, const struct rtapp_event *event)
{
	wake(me, &me->run->conditions[event->object], true);
}

static void do_sync(struct rtapp_me *me, const struct rtapp_event *event)
{
	if (event->takes_mutex && !lock(me, event->mutex))
		return;
	do_signal(me, event);
	do_wait(me, event);
	if (event->takes_mutex && !stopping(me))
		unlock(me, event->mutex);
}

static void do_suspend(struct rtapp_me *me, const struct rtapp_event *event)
{
	if (join(me, &me->run->conditions[event->object]))
		rtapp_park(me);
}

static void do_barrier(struct rtapp_me *me, const struct rtapp_event *event)
{
	struct rtapp_queue *queue = &me->run->barriers[event->object];
	bool last;

	if (!rtapp_queue_enter(me, queue))
		return;
	last = ++queue->arrived >= me->run->program->barrier_users[event->object];
	if (last) {
		queue->arrived = 0;
		rtapp_queue_wake(me, queue, true);
	} else {
		rtapp_queue_join(me, queue);
	}
	rtapp_queue_leave(queue);
	if (!last)
		rtapp_park(me);
}

static void do_yield(struct rtapp_me *me, const struct rtapp_event *event)
{
	(void)event;
	work_yield(me->w);
}

/* Made when it is first needed, as large as the file says. */
static unsigned char *buffer(struct rtapp_me *me)
{
	if (!me->buffer)
		me->buffer = malloc(me->run->program->buffer_bytes);
	if (!me->buffer)
		note_failure(me, RTAPP_FAILURE_MEMORY, ENOMEM);
	return me->buffer;
}

/* Hands pieces of the buffer to `piece` until all bytes are done; each piece is a checkpoint. */
static void each_piece(struct rtapp_me *me, uint64_t bytes, bool (*piece)(struct rtapp_me *me, size_t bytes))
{
	while (bytes && buffer(me) && !stopping(me)) {
		size_t size = bytes < me->run->program->buffer_bytes ? bytes : me->run->program->buffer_bytes;

		if (!piece(me, size))
			return;
		checkpoint(me);
		bytes -= size;
	}
}

static bool fill(struct rtapp_me *me, size_t bytes)
{
	memset(me->buffer, 0, bytes);
	__asm__ volatile("" : : "r"(me->buffer) : "memory");
	return true;
}

static void do_mem(struct rtapp_me *me, const struct rtapp_event *event)
{
	each_piece(me, event->amount, fill);
}

static bool write_piece(struct rtapp_me *me, size_t bytes)
{
	if (write(me->io_fd, me->buffer, bytes) == (ssize_t)bytes)
		return true;
	note_failure(me, RTAPP_FAILURE_IO, errno);
	return false;
}

static void do_iorun(struct rtapp_me *me, const struct rtapp_event *event)
{
	if (me->io_fd < 0)
		me->io_fd = open(me->run->program->io_device, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (me->io_fd < 0)
		note_failure(me, RTAPP_FAILURE_IO, errno);
	else
		each_piece(me, event->amount, write_piece);
}

static void do_fork(struct rtapp_me *me, const struct rtapp_event *event)
{
	wake(me, &me->run->unborn[event->object], false);
}

static void (*const actions[RTAPP_EVENTS])(struct rtapp_me *me, const struct rtapp_event *event) = {
	[RTAPP_RUN] = do_run,	      [RTAPP_RUNTIME] = do_runtime,	[RTAPP_SLEEP] = do_sleep,
	[RTAPP_TIMER] = do_timer,     [RTAPP_LOCK] = do_lock,		[RTAPP_UNLOCK] = do_unlock,
	[RTAPP_WAIT] = do_wait,	      [RTAPP_SIGNAL] = do_signal,	[RTAPP_BROADCAST] = do_broadcast,
	[RTAPP_SYNC] = do_sync,	      [RTAPP_BARRIER] = do_barrier,	[RTAPP_SUSPEND] = do_suspend,
	[RTAPP_RESUME] = do_broadcast, [RTAPP_YIELD] = do_yield,	[RTAPP_MEM] = do_mem,
	[RTAPP_IORUN] = do_iorun,     [RTAPP_FORK] = do_fork,
};

static void take_sched(struct rtapp_me *me, const struct rtapp_sched *sched)
{
	if (!sched->set || me->sched == sched)
		return;
	me->sched = sched;
	work_take_policy(me->w, sched->policy);
	if (me->w->shared->report.sched_policy_errno)
		note_failure(me, RTAPP_FAILURE_POLICY, me->w->shared->report.sched_policy_errno);
	if (sched->policy.kind == KTSTR_POLICY_NORMAL && setpriority(PRIO_PROCESS, 0, sched->nice))
		note_failure(me, RTAPP_FAILURE_NICE, errno);
}

/* A phase without CPUs goes back to the task's. */
static void take_cpus(struct rtapp_me *me, const struct rtapp_phase *phase, struct ktstr_cpus *current)
{
	const struct ktstr_cpus *wanted = ktstr_cpus_count(&phase->cpus) ? &phase->cpus : &me->task->cpus;
	static const struct ktstr_cpus none;
	struct ktstr_cpus all = ktstr_cpus_range(0, KTSTR_MAX_CPUS);

	if (ktstr_cpus_equal(wanted, current))
		return;
	*current = *wanted;
	if (ktstr_cpus_equal(wanted, &none))
		wanted = &all;
	if (syscall(SYS_sched_setaffinity, 0, sizeof(wanted->bits), wanted->bits))
		note_failure(me, RTAPP_FAILURE_CPUS, errno);
}

static void log_pass(struct rtapp_me *me, uint64_t since)
{
	struct rtapp_stats *stats = &me->slot->stats;

	stats->passes++;
	stats->period_ns += ktstr_now_ns() - since;
	stats->run_ns += me->run_ns;
	if (!me->has_slack)
		return;
	if (!stats->has_slack || me->slack_ns < stats->min_slack_ns)
		stats->min_slack_ns = me->slack_ns;
	stats->has_slack = true;
}

/* A pass that the stop cut short counts for nothing. */
static void run_phase_once(struct rtapp_me *me, const struct rtapp_phase *phase)
{
	uint64_t since = ktstr_now_ns();

	me->run_ns = 0;
	me->slack_ns = 0;
	me->has_slack = false;
	for (size_t i = 0; i < phase->events_count; i++) {
		actions[phase->events[i].kind](me, &phase->events[i]);
		if (stopping(me))
			return;
		me->w->work_units++; /* an event is progress, if it is but a sleep */
	}
	log_pass(me, since);
	work_checkpoint_now(me->w);
	work_iteration_done(me->w);
}

static void run_task(struct rtapp_me *me)
{
	struct ktstr_cpus current = { 0 };

	for (unsigned int pass = 0; !stopping(me) && (me->task->loops == RTAPP_ENDLESS || pass < me->task->loops); pass++)
		for (size_t i = 0; i < me->task->phases_count; i++) {
			const struct rtapp_phase *phase = &me->task->phases[i];

			for (unsigned int n = 0; !stopping(me) && (phase->loops == RTAPP_ENDLESS || n < phase->loops); n++) {
				take_cpus(me, phase, &current);
				take_sched(me, &phase->sched);
				run_phase_once(me, phase);
			}
		}
}

/* All begin together; those that are to be forked are in their queue before anybody can fork them. */
static void start_together(struct rtapp_me *me)
{
	struct rtapp_header *header = me->run->header;

	if (atomic_fetch_add(&header->arrived, 1) + 1 < rtapp_workers(me->run->program)) {
		work_wait_word(me->w, &header->started, 0);
		return;
	}
	header->zero_ns = ktstr_now_ns();
	atomic_store(&header->started, 1);
	work_futex_wake_all(&header->started);
}

/* Which of the task's workers this is, is decided as they come. */
static void take_slot(struct rtapp_me *me, size_t task_index, bool unborn)
{
	struct rtapp_run *run = me->run;

	me->slot_index = run->first_slots[task_index];
	me->slot_index += unborn ? me->task->instances + atomic_fetch_add(&run->begun_unborn[task_index], 1) :
				   atomic_fetch_add(&run->begun[task_index], 1);
	me->slot = &run->slots[me->slot_index];
}

void rtapp_worker(const struct ktstr_worker_ctx *ctx)
{
	const struct ktstr_custom_cfg *cfg = ktstr_worker_cfg(ctx);
	struct rtapp_run *run = (struct rtapp_run *)(uintptr_t)cfg->u64[RTAPP_CFG_RUN];
	size_t task_index = cfg->u64[RTAPP_CFG_TASK];
	bool unborn = cfg->u64[RTAPP_CFG_UNBORN];
	struct rtapp_me me = { .w = work_custom_worker(ctx), .run = run, .task = &run->program->tasks[task_index], .io_fd = -1 };

	prctl(PR_SET_NAME, me.task->name);
	me.own_alarms = calloc(me.task->timers.count + 1, sizeof(*me.own_alarms));
	if (!me.own_alarms)
		_exit(EXIT_FAILURE);
	take_slot(&me, task_index, unborn);
	me.w->work_units++; /* to wait for a fork that never comes is not to be stuck */
	if (unborn && !join(&me, &run->unborn[task_index]))
		return;
	start_together(&me);
	if (unborn)
		rtapp_park(&me);
	me.first_ns = (unborn ? ktstr_now_ns() : run->header->zero_ns) + me.task->delay_ns;
	work_sleep_until(me.w, me.first_ns);
	take_sched(&me, &me.task->sched);
	run_task(&me);
}
