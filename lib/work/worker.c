// SPDX-License-Identifier: GPL-2.0-only
/* A worker process from fork to _exit: cut loose from the parent, wait for the go, work, report. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/workload.h"

enum { EXIT_NOT_STARTED = 1 };

uint64_t work_start_limit_ns = KTSTR_SEC(30);

/* For the handler, which has no other way to know who it is. */
static struct worker_shared *own_shared;

static void on_stop_signal(int signal)
{
	(void)signal;
	atomic_store_explicit(&own_shared->stop, 1, memory_order_relaxed);
}

/*
 * The parent's handlers are about the parent's life. SIGUSR1 stays blocked outside work_wait_fd().
 */
static void set_up_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop_signal };
	sigset_t blocked;

	for (int number = 1; number < NSIG; number++)
		signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
	sigaction(SIGUSR1, &stop, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * A worker that held the harness's pipes and sockets open would keep others from seeing them close.
 */
static void close_foreign_fds(const struct work_group *group)
{
	int kept[WORK_GROUP_MAX_FDS];
	unsigned int first = STDERR_FILENO + 1;

	for (size_t i = 0; i < group->fds_count; i++)
		kept[i] = group->fds[i];
	qsort(kept, group->fds_count, sizeof(kept[0]), compare_fds);
	for (size_t i = 0; i < group->fds_count; i++) {
		if ((unsigned int)kept[i] > first)
			syscall(SYS_close_range, first, (unsigned int)kept[i] - 1, 0);
		first = (unsigned int)kept[i] + 1;
	}
	syscall(SYS_close_range, first, ~0u, 0);
}

static void set_name(const struct worker_setup *setup)
{
	char name[16]; /* TASK_COMM_LEN; longer texts are cut */
	int length = setup->spec->comm ?
			     snprintf(name, sizeof(name), "%s", setup->spec->comm) :
			     snprintf(name, sizeof(name), "%s/%u", setup->label, setup->index);

	if (length > 0)
		prctl(PR_SET_NAME, name);
}

static void tell_progress(const struct worker_setup *setup, enum worker_progress progress)
{
	atomic_store_explicit(&setup->shared->progress, progress, memory_order_release);
	atomic_fetch_add(&setup->control->changes, 1);
	work_futex_wake_all(&setup->control->changes);
}

static void wait_for_go(const struct worker_setup *setup)
{
	uint64_t deadline = ktstr_now_ns() + work_start_limit_ns;

	tell_progress(setup, WORKER_READY);
	while (!atomic_load_explicit(&setup->control->go, memory_order_acquire)) {
		if (ktstr_now_ns() >= deadline)
			_exit(EXIT_NOT_STARTED);
		work_futex_wait(&setup->control->go, 0, deadline);
	}
}

/* After the go: moving a process into a cgroup resets the affinity that it had before. */
static void set_affinity(const struct worker_setup *setup)
{
	const struct ktstr_cpus none = { 0 };

	if (ktstr_cpus_equal(&setup->affinity, &none))
		return;
	/*
	 * The kernel's cpumask is an array of longs: on 64-bit machines the same bits in the same
	 * order.
	 */
	_Static_assert(sizeof(unsigned long) == sizeof(setup->affinity.bits[0]), "64-bit only");
	if (syscall(SYS_sched_setaffinity, 0, sizeof(setup->affinity.bits), setup->affinity.bits))
		setup->shared->report.affinity_errno = errno;
}

_Noreturn void worker_main(const struct worker_setup *setup)
{
	struct worker w = {
		.type = setup->group->type,
		.group = setup->group,
		.position = setup->position,
		.control = setup->control,
		.shared = setup->shared,
		.cpu_clock = setup->ops->threads ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID,
	};

	own_shared = setup->shared;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != setup->parent) /* it died before the line above */
		_exit(EXIT_NOT_STARTED);
	setpgid(0, 0);
	set_up_signals();
	close_foreign_fds(setup->group);
	set_name(setup);
	work_telemetry_init(&w, setup->seed, setup->index);
	wait_for_go(setup);
	set_affinity(setup);
	if (setup->perturb)
		work_perturb_begin(&w, setup->seed, setup->index);
	setup->shared->report.is_messenger = setup->ops->messenger && setup->position == 0;
	work_telemetry_begin(&w);
	setup->ops->run(&w);
	work_telemetry_end(&w);
	tell_progress(setup, WORKER_DONE);
	_exit(EXIT_SUCCESS);
}
