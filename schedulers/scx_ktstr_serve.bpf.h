/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CPU runs next: which task of which queue, and who has waited too long. Part of scx_ktstr.bpf.c. */
#ifndef SCX_KTSTR_SERVE_BPF_H
#define SCX_KTSTR_SERVE_BPF_H

/*
 * Virtual time of the first task in the queue that may run on this CPU, NO_VTIME if there is none. When
 * the first SCAN_MAX tasks may not, the last one seen stands for the rest, which is no less than it.
 */
static __noinline u64 head_vtime(u64 dsq, s32 cpu)
{
	struct task_struct *p;
	u64 vtime = NO_VTIME;
	int seen = 0;

	if (!scx_bpf_dsq_nr_queued(dsq))
		return NO_VTIME;
	bpf_for_each(scx_dsq, p, dsq, 0) {
		if (may_run_on(p, cpu)) {
			vtime = p->scx.dsq_vtime;
			break;
		}
		if (++seen >= SCAN_MAX) {
			vtime = p->scx.dsq_vtime;
			break;
		}
	}
	return vtime;
}

/* When the task that has waited longest was queued, of those at the far end that may run here. */
static __noinline u64 longest_waiter(u64 dsq, s32 cpu)
{
	u64 first = NO_VTIME;
	struct task_struct *p;
	int seen = 0;

	bpf_for_each(scx_dsq, p, dsq, SCX_ENUM(scx_dsq_iter_flags, SCX_DSQ_ITER_REV)) {
		struct task_state *ts = task_state(p);

		if (ts && ts->queued_at_ns < first && may_run_on(p, cpu))
			first = ts->queued_at_ns;
		if (++seen >= SCAN_MAX)
			break;
	}
	return first;
}

/*
 * Virtual time alone can keep a task waiting for long after the set of tasks it competes with has
 * changed under it (say, its other CPU was taken by a real-time task). Those who wait most unreasonably
 * are at the far end of the queue: serve one that has waited too long, and let it go on from where this
 * CPU is.
 */
static __noinline int rescue_from(u64 dsq, s32 cpu)
{
	u64 first = longest_waiter(dsq, cpu), here = cpu_state(cpu)->vtime;
	struct task_struct *p;
	int seen = 0, found = 0;

	if (first == NO_VTIME || bpf_ktime_get_ns() - first < opts.rescue_ns)
		return 0;
	bpf_for_each(scx_dsq, p, dsq, SCX_ENUM(scx_dsq_iter_flags, SCX_DSQ_ITER_REV)) {
		struct task_state *ts = task_state(p);

		if (ts && ts->queued_at_ns <= first && may_run_on(p, cpu)) {
			found = scx_bpf_dsq_move(BPF_EACH_ITER, p, SCX_DSQ_LOCAL, 0);
			if (found) {
				ts->in_turn = 0;
				if (here && before(here, ts->vtime))
					ts->vtime = here;
			}
			break;
		}
		if (++seen >= SCAN_MAX)
			break;
	}
	return found;
}

static bool rescue(s32 cpu, struct cpu_state *cs)
{
	u64 now = bpf_ktime_get_ns();
	int llc;

	if (before(now, cs->rescue_at_ns))
		return false;
	cs->rescue_at_ns = now + opts.rescue_ns / 8;
	bpf_for(llc, 0, KTSTR_MAX_LLCS) {
		if ((u32)llc >= opts.nr_llcs)
			break;
		if (scx_bpf_dsq_nr_queued(llc) && rescue_from(llc, cpu)) {
			count(KTSTR_STAT_RESCUE);
			__sync_fetch_and_add(&nr_rescues, 1);
			return true;
		}
	}
	return false;
}

/* The LLC other than own whose head is furthest behind, or own when the others are empty. */
static u32 other_llc(u32 own, s32 cpu, u64 *vtime)
{
	u32 best = own;
	int llc;

	*vtime = NO_VTIME;
	bpf_for(llc, 0, KTSTR_MAX_LLCS) {
		u64 v;

		if ((u32)llc >= opts.nr_llcs)
			break;
		if ((u32)llc == own)
			continue;
		v = head_vtime(llc, cpu);
		if (v < *vtime) {
			*vtime = v;
			best = llc;
		}
	}
	return best;
}

static bool take(u32 llc, u32 own)
{
	if (!scx_move_to_local(llc))
		return false;
	count(llc == own ? KTSTR_STAT_DISPATCH_OWN : KTSTR_STAT_DISPATCH_OTHER);
	__sync_fetch_and_add(&nr_dispatches, 1);
	return true;
}

/* After losing the race for the task we wanted: whatever there is, near first. */
static bool take_any(u32 own)
{
	int i;

	bpf_for(i, 0, KTSTR_MAX_LLCS) {
		u32 llc = own + i;

		if ((u32)i >= opts.nr_llcs)
			break;
		if (llc >= opts.nr_llcs)
			llc -= opts.nr_llcs;
		if (scx_bpf_dsq_nr_queued(llc) && take(llc, own))
			return true;
	}
	return false;
}

/*
 * One step: the task that is furthest behind among own LLC, other LLCs and prev, where prev_vtime is
 * NO_VTIME if prev cannot go on. Another LLC must be a slice behind before its task is moved over here.
 * True if the CPU has something to run.
 */
static bool serve(s32 cpu, u64 prev_vtime)
{
	u32 own = llc_of(cpu), other;
	u64 own_vtime = head_vtime(own, cpu), near, other_vtime;

	near = own_vtime < prev_vtime ? own_vtime : prev_vtime;
	other = other_llc(own, cpu, &other_vtime);
	if (other_vtime != NO_VTIME && (near == NO_VTIME || other_vtime + opts.slice_ns < near) &&
	    take(other, own))
		return true;
	if (own_vtime != NO_VTIME && own_vtime <= prev_vtime && take(own, own))
		return true;
	/* prev is going on, or nothing was here, or somebody was quicker. */
	return prev_vtime == NO_VTIME && take_any(own);
}

#endif
