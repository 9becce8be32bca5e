// SPDX-License-Identifier: GPL-2.0-only
/* A worker from its first instruction to its report: wait for the go, take on its attributes, work, report. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/workload.h"

enum { STACK_BYTES = 1 << 20 };

/* Longer than a slow machine takes for the other cgroups of a test; should the parent die, PDEATHSIG is faster. */
uint64_t work_start_limit_ns = KTSTR_SEC(120);

void work_tell_progress(struct work_control *control, struct worker_shared *shared, enum worker_progress progress)
{
	atomic_store_explicit(&shared->progress, progress, memory_order_release);
	atomic_fetch_add(&control->changes, 1);
	work_futex_wake_all(&control->changes);
}

/* False when the go did not come. */
static bool wait_for_go(const struct worker_setup *setup)
{
	uint64_t deadline = ktstr_now_ns() + work_start_limit_ns;

	work_tell_progress(setup->control, setup->shared, WORKER_READY);
	while (!atomic_load_explicit(&setup->control->go, memory_order_acquire)) {
		if (ktstr_now_ns() >= deadline) {
			snprintf(setup->shared->report.exit_message, KTSTR_EXIT_MESSAGE_BYTES,
				 "it was not started within %.0f s", (double)work_start_limit_ns / 1e9);
			return false;
		}
		work_futex_wait(&setup->control->go, 0, deadline);
	}
	return true;
}

static void run(const struct worker_setup *setup)
{
	struct worker w = {
		.type = setup->group->type,
		.group = setup->group,
		.position = setup->position,
		.control = setup->control,
		.shared = setup->shared,
		.bare = setup->bare,
	};

	work_own_shared = setup->shared;
	pthread_sigmask(SIG_SETMASK, NULL, &w.wait_mask);
	sigdelset(&w.wait_mask, SIGUSR1);
	prctl(PR_SET_NAME, setup->comm);
	work_telemetry_init(&w, setup->seed, setup->index);
	atomic_store(&setup->shared->tid, (uint32_t)gettid());
	if (!wait_for_go(setup)) {
		work_tell_progress(setup->control, setup->shared, WORKER_LEFT);
		return;
	}
	work_apply_attributes(&w, setup);
	if (setup->perturb)
		work_perturb_begin(&w, setup->seed, setup->index);
	setup->shared->report.is_messenger = setup->ops->messenger && setup->position == 0;
	work_telemetry_begin(&w);
	setup->ops->run(&w);
	work_telemetry_end(&w);
	work_own_shared = NULL;
	work_tell_progress(setup->control, setup->shared, WORKER_DONE);
}

void worker_run(const struct worker_setup *setup)
{
	stack_t before;

	/* Faults of a parent's own thread are the parent's business. */
	if (setup->host == WORK_NO_HOST) {
		run(setup);
		return;
	}
	work_fault_stack(&before);
	run(setup);
	work_fault_stack_end(&before);
}

static void *enter(void *setup)
{
	worker_run(setup);
	return NULL;
}

int worker_start_thread(struct worker_setup *setup)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT }; /* blocked, they would kill unseen */
	pthread_attr_t attributes;
	sigset_t blocked, before;
	int failure;

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&blocked, faults[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failure = pthread_create(&setup->thread, &attributes, enter, setup);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	setup->running = failure == 0;
	return failure;
}
