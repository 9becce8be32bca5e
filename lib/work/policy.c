// SPDX-License-Identifier: GPL-2.0-only
/* struct sched_attr by hand: older C libraries have neither it nor sched_setattr(). */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work/policy.h"
#include "work/work_type.h"

#ifndef SCHED_EXT
#define SCHED_EXT 7 /* include/uapi/linux/sched.h */
#endif

/* include/uapi/linux/sched/types.h, SCHED_ATTR_SIZE_VER0 */
struct kernel_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static const struct policy_row {
	const char *name;
	uint32_t policy;
} rows[] = {
	[KTSTR_POLICY_NORMAL] = { "normal", SCHED_OTHER },   [KTSTR_POLICY_BATCH] = { "batch", SCHED_BATCH },
	[KTSTR_POLICY_IDLE] = { "idle", SCHED_IDLE },	     [KTSTR_POLICY_FIFO] = { "fifo", SCHED_FIFO },
	[KTSTR_POLICY_RR] = { "rr", SCHED_RR },		     [KTSTR_POLICY_DEADLINE] = { "deadline", SCHED_DEADLINE },
	[KTSTR_POLICY_EXT] = { "ext", SCHED_EXT },
};

const char *ktstr_sched_policy_name(enum ktstr_sched_policy_kind kind)
{
	return (unsigned int)kind < KTSTR_POLICIES ? rows[kind].name : NULL;
}

int work_apply_policy(const struct ktstr_sched_policy *policy)
{
	struct kernel_sched_attr attr = {
		.size = sizeof(attr),
		.policy = rows[policy->kind].policy,
		.runtime = policy->runtime,
		.deadline = policy->deadline,
		.period = policy->period ? policy->period : policy->deadline,
	};

	if (policy->kind == KTSTR_POLICY_FIFO || policy->kind == KTSTR_POLICY_RR)
		attr.priority = policy->priority < 1 ? 1 : policy->priority > 99 ? 99 : policy->priority;
	if (policy->kind != KTSTR_POLICY_DEADLINE)
		attr.runtime = attr.deadline = attr.period = 0;
	return syscall(SYS_sched_setattr, 0, &attr, 0) ? errno : 0;
}

/* kernel/sched/deadline.c, __checkparam_dl(): at least 1024 ns, runtime <= deadline <= period, below 2^63. */
struct ktstr_error *work_check_policy(const struct ktstr_sched_policy *policy, const char *name, unsigned int group_idx)
{
	uint64_t period = policy->period ? policy->period : policy->deadline;
	const char *wrong = NULL;

	if ((unsigned int)policy->kind >= KTSTR_POLICIES)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s (group %u) has the unknown policy %d: use KTSTR_POLICY_*",
				       name, group_idx, (int)policy->kind);
	if (policy->kind != KTSTR_POLICY_DEADLINE)
		return NULL;
	if (!policy->deadline)
		wrong = "a deadline above zero";
	else if (policy->runtime < 1024)
		wrong = "a runtime of at least 1024 ns";
	else if (policy->runtime > policy->deadline)
		wrong = "a runtime of at most the deadline";
	else if (policy->deadline > period)
		wrong = "a deadline of at most the period";
	else if (period >> 63)
		wrong = "times below 2^63 ns";
	if (!wrong)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "%s (group %u) has the policy DEADLINE(%llu, %llu, %llu ns), which requires %s", name,
			       group_idx, (unsigned long long)policy->runtime, (unsigned long long)policy->deadline,
			       (unsigned long long)period, wrong);
}

struct ktstr_sched_policy ktstr_sched_class_policy(enum ktstr_sched_class class)
{
	switch (class) {
	case KTSTR_CLASS_BATCH:
		return (struct ktstr_sched_policy){ .kind = KTSTR_POLICY_BATCH };
	case KTSTR_CLASS_IDLE:
		return (struct ktstr_sched_policy){ .kind = KTSTR_POLICY_IDLE };
	case KTSTR_CLASS_RT:
		return ktstr_policy_fifo(50);
	case KTSTR_CLASS_DEADLINE:
		return ktstr_policy_deadline(KTSTR_US(1.024), KTSTR_MS(1), KTSTR_MS(10));
	case KTSTR_CLASS_EXT:
		return (struct ktstr_sched_policy){ .kind = KTSTR_POLICY_EXT };
	case KTSTR_CLASS_CFS:
		break;
	}
	return (struct ktstr_sched_policy){ .kind = KTSTR_POLICY_NORMAL };
}

void work_take_policy(struct worker *w, struct ktstr_sched_policy policy)
{
	int failure = work_apply_policy(&policy);

	if (!failure)
		return;
	w->shared->report.sched_policy_errno = failure;
	work_warn_once(w, WORK_WARN_POLICY, "%s cannot run as %s: %s; it stays as it is", ktstr_work_type_name(w->type->kind),
		       ktstr_sched_policy_name(policy.kind), strerror(failure));
}
