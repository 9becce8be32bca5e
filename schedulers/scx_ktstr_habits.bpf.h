/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bad habits of scx_ktstr, each off unless its switch is given. Part of scx_ktstr.bpf.c, which asks at the places where
 * a habit shows.
 */
#ifndef SCX_KTSTR_HABITS_BPF_H
#define SCX_KTSTR_HABITS_BPF_H

enum {
	/* Fifteen samples of ktstr's monitor, and well below what the kernel's lockup detectors wait for. */
	HANG_MSEC = 1500,
};

/* What the times of misbehaviour count from; 0 = not yet. */
u64 began_at_ns;

/* For whoever writes to it from outside: the scheduler gives up when it is not 0. */
volatile u32 failure_code;

static bool due(u64 after_ns)
{
	return after_ns && began_at_ns && bpf_ktime_get_ns() - began_at_ns >= after_ns;
}

/*
 * Kernel threads go on in a stall: the watchdog is one of them, and on a tickless idle machine nobody
 * else would notice.
 */
static bool stalled(const struct task_struct *p)
{
	return due(opts.stall_after_ns) && !(p->flags & PF_KTHREAD);
}

static bool starved(const struct task_struct *p)
{
	int i;

	if (!opts.starve_comm[0])
		return false;
	for (i = 0; i < KTSTR_COMM_LEN; i++) {
		if (!opts.starve_comm[i])
			return true;
		if (opts.starve_comm[i] != p->comm[i])
			return false;
	}
	return true;
}

static bool held_back(const struct task_struct *p)
{
	return stalled(p) || starved(p);
}

static void fail_if_due(void)
{
	/* On the stack because the kfunc wants memory that it may write to. */
	char attached[] = "ktstr fixture error: requested %llu ms after attach";
	char since[] = "ktstr fixture error: requested %llu ms after its cgroup's first task";
	char outside[] = "ktstr fixture error: failure_code is %llu";
	unsigned long long args[1] = { failure_code };

	if (args[0]) {
		scx_bpf_error_bstr(outside, args, sizeof(args));
	} else if (due(opts.error_after_ns)) {
		args[0] = opts.error_after_ns / NSEC_PER_MSEC;
		if (opts.since_cgroup[0])
			scx_bpf_error_bstr(since, args, sizeof(args));
		else
			scx_bpf_error_bstr(attached, args, sizeof(args));
	}
}

/*
 * A real race, small on purpose: "whoever wrote last queues for both" is what its author might have thought. A CPU that
 * is overtaken between its store and its load drops the task it was asked to enqueue, and nothing will ever run it.
 */
static volatile u32 enqueuing_pid;

static bool lost_in_race(const struct task_struct *p)
{
	int i;

	if (!opts.racy || (p->flags & PF_KTHREAD))
		return false;
	enqueuing_pid = p->pid;
	bpf_for(i, 0, 20)
		(void)bpf_ktime_get_ns(); /* a few microseconds of work between the two */
	return enqueuing_pid != (u32)p->pid;
}

static __noinline int busy_wait(u64 duration_ns)
{
	u64 end = bpf_ktime_get_ns() + duration_ns;
	int i, j;

	/* The bounds are for the verifier: a run through the inner loop takes tens of milliseconds. */
	bpf_for(i, 0, 1 << 10) {
		bpf_for(j, 0, 1 << 20) {
			if (!before(bpf_ktime_get_ns(), end))
				return 0;
		}
	}
	return 0;
}

static void dawdle(void)
{
	if (opts.slow_dispatch_ns)
		busy_wait(opts.slow_dispatch_ns);
}

/* Whether the task is in a cgroup of that name; nobody is in one without. */
static bool is_in_cgroup(struct task_struct *p, const volatile char *wanted)
{
	char name[KTSTR_CGROUP_LEN] = {};
	int i;

	if (!wanted[0])
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(p, cgroups, dfl_cgrp, kn, name));
	for (i = 0; i < KTSTR_CGROUP_LEN; i++) {
		if (name[i] != wanted[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

static bool is_favoured(struct task_struct *p)
{
	return is_in_cgroup(p, opts.unfair_cgroup);
}

static void begin_with(struct task_struct *p)
{
	if (!began_at_ns && is_in_cgroup(p, opts.since_cgroup))
		began_at_ns = bpf_ktime_get_ns();
}

/*
 * Once: a CPU that was about to run a task of user space hangs, with its runqueue locked and interrupts off. No tick
 * comes, and nobody else can update the runqueue's clock.
 */
static u32 has_hung;

static void hang_once(const struct task_struct *p)
{
	if (has_hung || !due(opts.hang_after_ns) || (p->flags & PF_KTHREAD) ||
	    __sync_val_compare_and_swap(&has_hung, 0, 1))
		return;
	busy_wait((u64)HANG_MSEC * NSEC_PER_MSEC);
}

/* The first CPU that the task may use, or may not; -1 when there is none. */
static s32 first_cpu(const struct task_struct *p, bool allowed)
{
	int cpu;

	bpf_for(cpu, 0, KTSTR_MAX_CPUS) {
		if ((u32)cpu >= opts.nr_cpus)
			break;
		if (may_run_on(p, cpu) == allowed)
			return cpu;
	}
	return -1;
}

/* What ops.select_cpu returns instead of a sensible CPU; -1: no reason to misbehave. */
static s32 badly_selected_cpu(const struct task_struct *p)
{
	if (opts.wrong_cpu)
		return first_cpu(p, false);
	return opts.crowd ? first_cpu(p, true) : -1;
}

#endif /* SCX_KTSTR_HABITS_BPF_H */
