// SPDX-License-Identifier: GPL-2.0-only
/* Work types that interrupt others: real-time tasks, signals, events. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/work_type.h"

#define UNIT_SPIN "32 multiply-adds and a pause"

static void spin_for_good(struct worker *w, uint64_t burst)
{
	while (!work_should_stop(w)) {
		work_spin(w, burst);
		work_checkpoint(w);
		work_iteration_done(w);
	}
}

/* RtStarvation: real-time tasks that never sleep beside fair ones: RT throttling, the dl_server, starvation. */
static void run_rt_starvation(struct worker *w)
{
	const struct ktstr_work_rt_starvation *type = &w->type->RT_STARVATION;

	if (w->position < type->rt_workers)
		work_take_policy(w, ktstr_policy_fifo((int)type->rt_priority));
	spin_for_good(w, type->burst_iters);
}

static unsigned int rt_starvation_group(const struct ktstr_work_type *type)
{
	return type->RT_STARVATION.rt_workers + type->RT_STARVATION.cfs_workers;
}

static const struct work_param rt_starvation_params[] = {
	WORK_NUMBER(rt_starvation, rt_workers, 1, 1, 1024),
	WORK_NUMBER(rt_starvation, cfs_workers, 1, 1, 1024),
	WORK_NUMBER(rt_starvation, rt_priority, 50, 1, 99),
	WORK_NUMBER(rt_starvation, burst_iters, 1024, 1, 0),
};

const struct work_type_ops work_rt_starvation_ops = {
	.name = "RtStarvation",
	.pressure = "real-time tasks that never sleep beside others: RT throttling, fair server",
	.unit = UNIT_SPIN,
	WORK_PARAMS(rt_starvation_params),
	.group_size = rt_starvation_group,
	.run = run_rt_starvation,
};

/* PreemptStorm: a real-time task that wakes a thousand times a second: wakeup preemption across classes, ops.cpu_release. */
static void run_preempt_storm(struct worker *w)
{
	const struct ktstr_work_preempt_storm *type = &w->type->PREEMPT_STORM;

	if (w->position) {
		spin_for_good(w, type->rt_burst_iters);
		return;
	}
	work_take_policy(w, ktstr_policy_fifo(1));
	while (!work_should_stop(w)) {
		work_spin(w, type->rt_burst_iters);
		work_checkpoint(w);
		work_sleep_until(w, ktstr_now_ns() + KTSTR_US(type->rt_sleep_us));
		work_iteration_done(w);
	}
}

static unsigned int preempt_storm_group(const struct ktstr_work_type *type)
{
	return type->PREEMPT_STORM.cfs_workers + 1;
}

static const struct work_param preempt_storm_params[] = {
	WORK_NUMBER(preempt_storm, cfs_workers, 2, 1, 1024),
	WORK_NUMBER(preempt_storm, rt_burst_iters, 1024, 1, 0),
	WORK_NUMBER(preempt_storm, rt_sleep_us, 1000, 1, 0),
};

const struct work_type_ops work_preempt_storm_ops = {
	.name = "PreemptStorm",
	.pressure = "preemption by a real-time task that wakes all the time (ops.cpu_release)",
	.unit = UNIT_SPIN,
	WORK_PARAMS(preempt_storm_params),
	.group_size = preempt_storm_group,
	.run = run_preempt_storm,
};

struct signal_group {
	_Alignas(64) _Atomic uint32_t tids[2];
};

static void on_signal(int signal)
{
	(void)signal;
}

/*
 * SignalStorm: partners that signal each other: signal_wake_up of a running task (kick to user mode), TIF_SIGPENDING,
 * restarts. SIGUSR1 is the stop, so SIGUSR2 it is.
 */
static void run_signal_storm(struct worker *w)
{
	const struct ktstr_work_signal_storm *type = &w->type->SIGNAL_STORM;
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct signal_group *group = w->group->memory;
	_Atomic uint32_t *partner = &group->tids[1 - w->position];

	sigset_t storm;

	sigaction(SIGUSR2, &action, NULL);
	sigemptyset(&storm);
	sigaddset(&storm, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &storm, NULL);
	atomic_store(&group->tids[w->position], (uint32_t)gettid());
	work_futex_wake_all(&group->tids[w->position]);
	work_wait_word(w, partner, 0);
	while (!work_should_stop(w)) {
		for (uint64_t i = 0; i < type->signals && !work_should_stop(w); i++)
			w->work_units += syscall(SYS_tkill, (int)atomic_load(partner), SIGUSR2) == 0;
		work_spin(w, type->work_iters);
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static const struct work_param signal_storm_params[] = {
	WORK_NUMBER(signal_storm, signals, 16, 1, 0),
	WORK_NUMBER(signal_storm, work_iters, 1024, 0, 0),
};

const struct work_type_ops work_signal_storm_ops = {
	.name = "SignalStorm",
	.pressure = "signals to running tasks (signal_wake_up, kicks to user mode)",
	.unit = "a signal sent, " UNIT_SPIN,
	WORK_PARAMS(signal_storm_params),
	.group_size = work_group_of_two,
	.shared_bytes = sizeof(struct signal_group),
	.run = run_signal_storm,
};

enum { EVENT_FD, EPOLL_FD, EPOLL_FDS };

/* Events sent and taken: producers wait when consumers are this many bursts behind, or nobody would ever block. */
struct epoll_group {
	_Alignas(64) _Atomic uint64_t sent;
	_Alignas(64) _Atomic uint64_t taken;
};

enum { BACKLOG_BURSTS = 4 };

static struct ktstr_error *open_epoll(struct work_group *group)
{
	struct epoll_event event = { .events = EPOLLIN };
	int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	int epoll_fd = event_fd < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);

	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event)) {
		int failure = errno;

		if (event_fd >= 0)
			close(event_fd);
		if (epoll_fd >= 0)
			close(epoll_fd);
		return ktstr_error_sys(failure, "cannot make an epoll set for EpollStorm");
	}
	group->fds[EVENT_FD] = event_fd;
	group->fds[EPOLL_FD] = epoll_fd;
	group->fds_count = EPOLL_FDS;
	return NULL;
}

static void send_events(struct worker *w, struct epoll_group *group)
{
	uint64_t burst = w->type->EPOLL_STORM.events_per_burst, one = 1;

	while (!work_should_stop(w)) {
		if (atomic_load(&group->sent) - atomic_load(&group->taken) > BACKLOG_BURSTS * burst) {
			work_sleep_until(w, ktstr_now_ns() + KTSTR_US(100));
			continue;
		}
		for (uint64_t i = 0; i < burst && !work_should_stop(w); i++) {
			if (write(w->group->fds[EVENT_FD], &one, sizeof(one)) != sizeof(one))
				break;
			atomic_fetch_add(&group->sent, 1);
			w->work_units++;
		}
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

/* All wait on one set: the kernel wakes one of them per event (exclusive wait queue entries). */
static void take_events(struct worker *w, struct epoll_group *group)
{
	struct epoll_event event;
	uint64_t value;

	while (!work_should_stop(w)) {
		uint64_t since = ktstr_now_ns(), now;
		int ready = epoll_pwait(w->group->fds[EPOLL_FD], &event, 1, 100, &w->wait_mask);

		now = ktstr_now_ns();
		work_reset_gap(w, now);
		if (ready <= 0 || read(w->group->fds[EVENT_FD], &value, sizeof(value)) != sizeof(value))
			continue; /* another consumer was first */
		work_record_wake(w, now - since);
		atomic_fetch_add(&group->taken, 1);
		work_spin(w, 256);
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

/* EpollStorm: ep_poll_callback -> exclusive wakeups of one waiter among several, from several wakers. */
static void run_epoll_storm(struct worker *w)
{
	if (w->position < w->type->EPOLL_STORM.producers)
		send_events(w, w->group->memory);
	else
		take_events(w, w->group->memory);
}

static unsigned int epoll_storm_group(const struct ktstr_work_type *type)
{
	return type->EPOLL_STORM.producers + type->EPOLL_STORM.consumers;
}

static const struct work_param epoll_storm_params[] = {
	WORK_NUMBER(epoll_storm, producers, 1, 1, 1024),
	WORK_NUMBER(epoll_storm, consumers, 2, 1, 1024),
	WORK_NUMBER(epoll_storm, events_per_burst, 32, 1, 1 << 20),
};

const struct work_type_ops work_epoll_storm_ops = {
	.name = "EpollStorm",
	.pressure = "exclusive wakeups of one waiter among several (ep_poll_callback)",
	.unit = "an event sent; of consumers " UNIT_SPIN,
	WORK_PARAMS(epoll_storm_params),
	.group_size = epoll_storm_group,
	.open_group = open_epoll,
	.shared_bytes = sizeof(struct epoll_group),
	.run = run_epoll_storm,
};
