// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a worker takes on when it is let go: CPUs, policy, memory policy, nice, owner, node. All of them are attributes
 * of the thread, so system calls are made by hand where the C library would change the whole process.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work/mem_policy.h"
#include "work/numa.h"
#include "work/policy.h"
#include "work/workload.h"

static const struct ktstr_cpus no_cpus;

static void note(struct worker *w, int failure, const char *what, int *report_errno)
{
	if (!failure)
		return;
	*report_errno = failure;
	work_warn_once(w, WORK_WARN_ATTRIBUTES, "%s: a worker cannot set its %s: %s; it goes on without",
		       ktstr_work_type_name(w->type->kind), what, strerror(failure));
}

/*
 * After the go: moving a process into a cgroup resets the affinity that it had before. The kernel's cpumask is an array
 * of longs: on 64-bit machines the same bits in the same order.
 */
static int set_affinity(const struct ktstr_cpus *cpus)
{
	_Static_assert(sizeof(unsigned long) == sizeof(cpus->bits[0]), "64-bit only");
	return syscall(SYS_sched_setaffinity, 0, sizeof(cpus->bits), cpus->bits) ? errno : 0;
}

static int set_nice(int nice)
{
	return setpriority(PRIO_PROCESS, 0, nice) ? errno : 0;
}

/* gid first: without root it could not be changed any more. */
static int set_owner(const struct ktstr_work_spec *spec)
{
	if (spec->gid.set && syscall(SYS_setresgid, spec->gid.value, spec->gid.value, spec->gid.value))
		return errno;
	if (spec->uid.set && syscall(SYS_setresuid, spec->uid.value, spec->uid.value, spec->uid.value))
		return errno;
	return 0;
}

/* The node's CPUs, within the affinity if there is one. */
static int set_node(const struct worker_setup *setup)
{
	struct ktstr_cpus cpus = work_node_cpus(setup->spec->numa_node.value);

	if (!ktstr_cpus_equal(&setup->affinity, &no_cpus))
		cpus = ktstr_cpus_and(&cpus, &setup->affinity);
	return ktstr_cpus_equal(&cpus, &no_cpus) ? EINVAL : set_affinity(&cpus);
}

void work_apply_attributes(struct worker *w, const struct worker_setup *setup)
{
	const struct ktstr_work_spec *spec = setup->spec;
	struct ktstr_worker_report *report = &w->shared->report;

	if (!ktstr_cpus_equal(&setup->affinity, &no_cpus))
		note(w, set_affinity(&setup->affinity), "affinity", &report->affinity_errno);
	if (spec->sched_policy.kind != KTSTR_POLICY_NORMAL)
		note(w, work_apply_policy(&spec->sched_policy), "scheduling policy", &report->sched_policy_errno);
	note(w, work_apply_mem_policy(&spec->mem_policy, spec->mpol_flags), "memory policy", &report->mem_policy_errno);
	if (spec->nice.set)
		note(w, set_nice(spec->nice.value), "nice value", &report->nice_errno);
	note(w, set_owner(spec), "uid or gid", &report->credentials_errno);
	/* A change of the owner drops the tie to the parent's life. */
	if (spec->uid.set && setup->host != WORK_NO_HOST && !spec->pcomm) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != setup->parent)
			_exit(1);
	}
	if (spec->numa_node.set)
		note(w, set_node(setup), "NUMA node", &report->affinity_errno);
}
