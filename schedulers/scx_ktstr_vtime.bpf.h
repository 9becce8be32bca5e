/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual time of tasks: what a run costs, and where a task starts from. Part of scx_ktstr.bpf.c. */
#ifndef SCX_KTSTR_VTIME_BPF_H
#define SCX_KTSTR_VTIME_BPF_H

/*
 * Charge what the task has run since the last charge. The kernel's own account of CPU time is used, so
 * fairness is judged by the figures that user space sees.
 */
static void charge(struct task_struct *p, struct task_state *ts)
{
	u64 exec = p->se.sum_exec_runtime;
	u64 ran = exec - ts->charged_exec;
	u32 weight = p->scx.weight;

	if ((s64)ran <= 0)
		return;
	ts->charged_exec = exec;
	if (is_favoured(p))
		ran /= 64;
	ts->vtime += ran * 100 / (weight ? weight : 1);
}

static void sample_vtime_now(void)
{
	u64 now = bpf_ktime_get_ns(), max = 0;
	int cpu;

	if (now - vtime_sampled_at_ns < NSEC_PER_MSEC)
		return;
	vtime_sampled_at_ns = now;
	bpf_for(cpu, 0, KTSTR_MAX_CPUS) {
		if ((u32)cpu >= opts.nr_cpus)
			break;
		if (cpu_state(cpu)->vtime > max)
			max = cpu_state(cpu)->vtime;
	}
	if (max)
		vtime_now = max;
}

/*
 * The virtual time a task should start from is that of its future neighbours. A single global clock
 * would be wrong: three spinners pinned to one CPU fall ever further behind one that has a CPU to
 * itself, and a newcomer to either place must not be judged by the other. So: the furthest virtual
 * time that a CPU which the task may use has got to; that CPU will serve the task in turn.
 */
static u64 local_vtime(struct task_struct *p)
{
	u64 max = 0;
	int cpu;

	if ((u32)p->nr_cpus_allowed >= opts.nr_cpus) {
		sample_vtime_now();
		return vtime_now;
	}
	bpf_for(cpu, 0, KTSTR_MAX_CPUS) {
		if ((u32)cpu >= opts.nr_cpus)
			break;
		if (cpu_state(cpu)->vtime > max && may_run_on(p, cpu))
			max = cpu_state(cpu)->vtime;
	}
	return max ? max : vtime_now;
}

/* Sleeping earns at most one slice of credit, and leaves at most one slice of debt. */
static void place(struct task_struct *p, struct task_state *ts)
{
	u64 ref = local_vtime(p);
	u64 low = ref - opts.slice_ns, high = ref + slice_cost(p);

	if (ts->rebase) {
		ts->vtime = ref;
		ts->rebase = 0;
	} else if (before(ts->vtime, low)) {
		ts->vtime = low;
	} else if (before(high, ts->vtime)) {
		ts->vtime = high;
	}
}

#endif
