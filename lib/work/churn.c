// SPDX-License-Identifier: GPL-2.0-only
/* Work types that keep changing what the scheduler knows of a task: its existence, nice, CPUs, policy. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/policy.h"
#include "work/siblings.h"
#include "work/work_type.h"

#define UNIT_SPIN "32 multiply-adds and a pause"

/* ForkExit: copy_process -> sched_fork -> wake_up_new_task, do_exit, zombies, wait: a task's whole life, ops.init_task too. */
static void run_fork_exit(struct worker *w)
{
	while (!work_should_stop(w)) {
		pid_t pid = fork();
		uint64_t since = ktstr_now_ns();

		if (pid == 0)
			_exit(0);
		if (pid < 0) {
			work_warn_once(w, WORK_WARN_FORK, "ForkExit cannot fork: %s; such tries count no work",
				       strerror(errno));
			work_sleep_until(w, since + KTSTR_MS(1));
			continue;
		}
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		work_record_wake(w, ktstr_now_ns() - since);
		w->work_units++;
		work_reset_gap(w, ktstr_now_ns());
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

const struct work_type_ops work_fork_exit_ops = {
	.name = "ForkExit",
	.pressure = "new tasks (sched_fork, wake_up_new_task), exits, zombies",
	.unit = "a child forked and reaped",
	.needs_process = true,
	.run = run_fork_exit,
};

/* NiceSweep: set_user_nice -> reweight_task of a running task, then a yield that lets the new weight count. */
static void run_nice_sweep(struct worker *w)
{
	int lowest = setpriority(PRIO_PROCESS, 0, -20) ? 0 : -20, nice = lowest;

	while (!work_should_stop(w)) {
		work_spin(w, 512);
		setpriority(PRIO_PROCESS, 0, nice);
		nice = nice == 19 ? lowest : nice + 1;
		work_checkpoint(w);
		work_yield(w);
		work_iteration_done(w);
	}
	setpriority(PRIO_PROCESS, 0, 0);
}

const struct work_type_ops work_nice_sweep_ops = {
	.name = "NiceSweep",
	.pressure = "reweighting of a running task (set_user_nice, reweight_task)",
	.unit = UNIT_SPIN,
	.run = run_nice_sweep,
};

static void set_affinity(struct worker *w, int tid, const struct ktstr_cpus *cpus)
{
	if (syscall(SYS_sched_setaffinity, tid, sizeof(cpus->bits), cpus->bits) && errno != ESRCH)
		work_warn_once(w, WORK_WARN_AFFINITY, "%s cannot set an affinity: %s",
			       ktstr_work_type_name(w->type->kind), strerror(errno));
}

static int nth_cpu(const struct ktstr_cpus *cpus, uint64_t n)
{
	int cpu = ktstr_cpus_next(cpus, 0);

	for (; n && cpu >= 0; n--)
		cpu = ktstr_cpus_next(cpus, (unsigned int)cpu + 1);
	return cpu < 0 ? 0 : cpu;
}

/* AffinityChurn: set_cpus_allowed_ptr of a running task: stopper-driven migration (migration_cpu_stop), ops.set_cpumask. */
static void run_affinity_churn(struct worker *w)
{
	const struct ktstr_cpus allowed = work_own_affinity();
	unsigned int count = ktstr_cpus_count(&allowed);

	while (!work_should_stop(w)) {
		struct ktstr_cpus one = { 0 };

		work_spin(w, w->type->AFFINITY_CHURN.spin_iters);
		ktstr_cpus_add(&one, (unsigned int)nth_cpu(&allowed, work_random(w) % count));
		set_affinity(w, 0, &one);
		work_checkpoint(w);
		work_yield(w);
		work_iteration_done(w);
	}
	set_affinity(w, 0, &allowed);
}

static const struct work_param affinity_churn_params[] = { WORK_NUMBER(affinity_churn, spin_iters, 1024, 1, 0) };

const struct work_type_ops work_affinity_churn_ops = {
	.name = "AffinityChurn",
	.pressure = "affinity changes of a running task (migration_cpu_stop, ops.set_cpumask)",
	.unit = UNIT_SPIN,
	WORK_PARAMS(affinity_churn_params),
	.run = run_affinity_churn,
};

/* CrossAffinityChurn: the same done to others, whether they run, wait or sleep. Declare its targets before it. */
static void run_cross_affinity_churn(struct worker *w)
{
	const struct ktstr_cpus all = work_own_affinity();
	struct work_siblings siblings = work_siblings_find();
	struct ktstr_cpus fewer = all;
	bool churns = siblings.count && ktstr_cpus_count(&all) > 1, narrow = true;
	int last = 0;

	ktstr_for_each_cpu(cpu, &all)
		last = cpu;
	ktstr_cpus_remove(&fewer, (unsigned int)last);
	while (!work_should_stop(w)) {
		work_spin(w, w->type->CROSS_AFFINITY_CHURN.spin_iters);
		for (size_t i = 0; churns && i < siblings.count; i++)
			set_affinity(w, siblings.pids[i], narrow ? &fewer : &all);
		narrow = !narrow;
		work_checkpoint(w);
		work_yield(w);
		work_iteration_done(w);
	}
	for (size_t i = 0; churns && i < siblings.count; i++)
		set_affinity(w, siblings.pids[i], &all);
	work_siblings_free(&siblings);
}

static const struct work_param cross_affinity_churn_params[] = {
	WORK_NUMBER(cross_affinity_churn, spin_iters, 1024, 1, 0),
};

const struct work_type_ops work_cross_affinity_churn_ops = {
	.name = "CrossAffinityChurn",
	.pressure = "affinity changes of other tasks of the cgroup, running, queued or asleep",
	.unit = UNIT_SPIN,
	WORK_PARAMS(cross_affinity_churn_params),
	.run = run_cross_affinity_churn,
};

/* PolicyChurn: __sched_setscheduler -> switched_from / switched_to: into sched_ext and out of it, if that is attached. */
static void run_policy_churn(struct worker *w)
{
	static const struct ktstr_sched_policy policies[] = {
		{ .kind = KTSTR_POLICY_NORMAL },
		{ .kind = KTSTR_POLICY_BATCH },
		{ .kind = KTSTR_POLICY_IDLE },
		{ .kind = KTSTR_POLICY_FIFO, .priority = 1 },
		{ .kind = KTSTR_POLICY_RR, .priority = 1 },
	};
	size_t count = sizeof(policies) / sizeof(policies[0]), next = 0;

	if (work_apply_policy(&policies[3])) /* not permitted: the fair ones remain */
		count = 3;
	while (!work_should_stop(w)) {
		work_spin(w, w->type->POLICY_CHURN.spin_iters);
		work_apply_policy(&policies[next]);
		next = (next + 1) % count;
		work_checkpoint(w);
		work_yield(w);
		work_iteration_done(w);
	}
	work_apply_policy(&policies[0]);
}

static const struct work_param policy_churn_params[] = { WORK_NUMBER(policy_churn, spin_iters, 1024, 1, 0) };

const struct work_type_ops work_policy_churn_ops = {
	.name = "PolicyChurn",
	.pressure = "changes of the scheduling class (switched_from, switched_to)",
	.unit = UNIT_SPIN,
	WORK_PARAMS(policy_churn_params),
	.run = run_policy_churn,
};
