// SPDX-License-Identifier: GPL-2.0-only
/*
 * scx_ktstr: the sched_ext scheduler that ktstr tests itself with. Weighted virtual time over one queue
 * (DSQ) per LLC, fair across LLCs; on request it misbehaves in one well-defined way.
 */
#include "scx_bpf.h"
#include "scx_ktstr.h"

char _license[] SEC("license") = "GPL";

enum {
	/* Tasks that --starve holds back wait in this DSQ; nothing ever takes from it. */
	STARVE_DSQ = 1 << 20,
	/* How many queued tasks a CPU looks at for one that may run on it. */
	SCAN_MAX = 32,
	NSEC_PER_MSEC = 1000000,
	WORD_BITS = 64,
};

/* Virtual time starts here, so that "a slice before now" never goes below zero. */
#define VTIME_BASE	(10ULL * 1000 * NSEC_PER_MSEC)
#define NO_VTIME	(~0ULL)

const volatile struct ktstr_opts opts;

struct ktstr_exit exit_info;

/* Counters over all CPUs, and the state an observer wants first. */
u64 nr_enqueues;
u64 nr_dispatches;
u64 nr_direct;
u64 nr_rescues;
u64 attached_at_ns;
u64 vtime_now = VTIME_BASE;	/* furthest that any CPU has got to, sampled every millisecond */
u64 vtime_sampled_at_ns;

/* CPUs that found nothing to run, one bit each; see wake_a_cpu(). */
u64 looking_cpus[KTSTR_MAX_CPUS / WORD_BITS];

struct cpu_state {
	u64 vtime;		/* how far it has served its queues; 0 when it has none of ours to run */
	u64 rescue_at_ns;	/* when to look for tasks that waited too long */
} __attribute__((aligned(64)));

struct cpu_state cpu_states[KTSTR_MAX_CPUS];

struct task_state {
	u64 vtime;
	u64 charged_exec;	/* se.sum_exec_runtime up to which vtime is charged */
	u64 queued_at_ns;
	u32 rebase;		/* vtime says nothing about the tasks it meets next */
	u32 in_turn;		/* runs, or will, because it was first in a queue */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KTSTR_NR_STATS);
	__type(key, u32);
	__type(value, u64);
} stats SEC(".maps");

static void count(u32 which)
{
	u64 *value = bpf_map_lookup_elem(&stats, &which);

	if (value)
		(*value)++;
}

static struct task_state *task_state(struct task_struct *p)
{
	return bpf_task_storage_get(&task_states, p, NULL, 0);
}

/* The loader refuses machines with more CPUs; a mask is the bound that survives clang's reordering. */
static u32 cpu_index(s32 cpu)
{
	return (u32)cpu & (KTSTR_MAX_CPUS - 1);
}

static struct cpu_state *cpu_state(s32 cpu)
{
	return &cpu_states[cpu_index(cpu)];
}

static u32 llc_of(s32 cpu)
{
	return opts.cpu_llc[cpu_index(cpu)];
}

static bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static bool may_run_on(const struct task_struct *p, s32 cpu)
{
	return bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
}

/* What a full slice costs the task: less the heavier it is. */
static u64 slice_cost(const struct task_struct *p)
{
	u32 weight = p->scx.weight;

	return opts.slice_ns * 100 / (weight ? weight : 1);
}

#include "scx_ktstr_habits.bpf.h"
#include "scx_ktstr_vtime.bpf.h"
#include "scx_ktstr_serve.bpf.h"

/* --- waking CPUs --- */

static bool is_looking(s32 cpu)
{
	u32 i = cpu_index(cpu);

	return looking_cpus[i / WORD_BITS] & (1ULL << (i % WORD_BITS));
}

static void set_looking(s32 cpu, bool looking)
{
	u32 i = cpu_index(cpu);
	u64 *word = &looking_cpus[i / WORD_BITS];
	u64 bit = 1ULL << (i % WORD_BITS);

	if (looking)
		__sync_fetch_and_or(word, bit);
	else if (*word & bit)
		__sync_fetch_and_and(word, ~bit);
}

/*
 * A task was queued: wake a CPU for it. The kernel's idle mask does not know the CPU that has just found
 * the queues empty but is not idle yet, or the one that was woken for a task which another CPU took;
 * such CPUs stand in looking_cpus. They set their bit before the last look, we queue before reading the
 * bits, so one of the two sides sees the other.
 */
static void wake_a_cpu(struct task_struct *p)
{
	u64 idle = SCX_ENUM(scx_kick_flags, SCX_KICK_IDLE);
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	if (cpu >= 0) {
		count(KTSTR_STAT_KICK_IDLE);
		scx_bpf_kick_cpu(cpu, idle);
		return;
	}
	bpf_for(cpu, 0, KTSTR_MAX_CPUS) {
		if ((u32)cpu >= opts.nr_cpus)
			break;
		if (!is_looking(cpu) || !may_run_on(p, cpu))
			continue;
		count(KTSTR_STAT_KICK_LOOKING);
		scx_bpf_kick_cpu(cpu, idle);
	}
}

/* --- queueing --- */

SEC("struct_ops/ktstr_select_cpu")
s32 BPF_PROG(ktstr_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *ts;
	bool is_idle = false;
	s32 cpu;

	count(KTSTR_STAT_SELECT_CPU);
	cpu = badly_selected_cpu(p);
	if (cpu >= 0)
		return cpu;
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	if (is_idle && !held_back(p)) {
		ts = task_state(p);
		if (ts)
			ts->in_turn = 0;
		count(KTSTR_STAT_DIRECT);
		__sync_fetch_and_add(&nr_direct, 1);
		scx_insert(p, SCX_DSQ_LOCAL, opts.slice_ns, 0);
	}
	return cpu;
}

/* The queue that the CPUs of the task look at first. */
static u64 dsq_for(struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);

	/* Right after an affinity change the task may still be on a CPU that it must leave. */
	if (!may_run_on(p, cpu))
		cpu = bpf_cpumask_any_distribute(p->cpus_ptr);
	return llc_of(cpu);
}

SEC("struct_ops/ktstr_enqueue")
void BPF_PROG(ktstr_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *ts = task_state(p);

	if (!ts)
		return;
	fail_if_due();
	__sync_fetch_and_add(&nr_enqueues, 1);
	if (ts->rebase)
		place(p, ts);
	ts->queued_at_ns = bpf_ktime_get_ns();
	ts->in_turn = 0;

	if (starved(p)) {
		count(KTSTR_STAT_PARKED);
		scx_insert_vtime(p, STARVE_DSQ, opts.slice_ns, ts->vtime, enq_flags);
		return;
	}
	if (!stalled(p)) {
		/*
		 * Kernel threads react at once, the watchdog's worker among them; one that goes on for
		 * longer than a slice queues like everybody else.
		 */
		if ((p->flags & PF_KTHREAD) && (enq_flags & SCX_ENUM(scx_enq_flags, SCX_ENQ_WAKEUP))) {
			count(KTSTR_STAT_KTHREAD);
			scx_insert(p, SCX_DSQ_LOCAL, opts.slice_ns,
				   enq_flags | SCX_ENUM(scx_enq_flags, SCX_ENQ_PREEMPT));
			return;
		}
		if (enq_flags & SCX_ENUM(scx_enq_flags, SCX_ENQ_LAST)) {
			count(KTSTR_STAT_LAST);
			scx_insert(p, SCX_DSQ_LOCAL, opts.slice_ns, enq_flags);
			return;
		}
	}
	/* Only kernel threads are served in a stall; they must not queue behind those who wait. */
	if ((opts.crowd || due(opts.stall_after_ns)) && !stalled(p)) {
		scx_insert(p, SCX_DSQ_LOCAL, opts.slice_ns, enq_flags);
		return;
	}
	if (lost_in_race(p))
		return;
	count(KTSTR_STAT_ENQUEUE);
	ts->in_turn = 1;
	scx_insert_vtime(p, dsq_for(p), opts.slice_ns, ts->vtime, enq_flags);
	wake_a_cpu(p);
}

/* --- serving --- */

SEC("struct_ops/ktstr_dispatch")
void BPF_PROG(ktstr_dispatch, s32 cpu, struct task_struct *prev)
{
	struct cpu_state *cs = cpu_state(cpu);
	u64 prev_vtime = NO_VTIME;
	struct task_state *ts;

	fail_if_due();
	dawdle();
	if (due(opts.stall_after_ns)) {
		/* Tasks of the kernel go on, anything else that ran here is queued again and stays there. */
		if (prev && !stalled(prev) && (prev->scx.flags & SCX_ENUM(scx_ent_flags, SCX_TASK_QUEUED)))
			scx_set_slice(prev, opts.slice_ns);
		return;
	}
	if (prev && (prev->scx.flags & SCX_ENUM(scx_ent_flags, SCX_TASK_QUEUED)) && !starved(prev)) {
		ts = task_state(prev);
		if (ts) {
			charge(prev, ts);
			prev_vtime = ts->vtime;
			cs->vtime = ts->vtime;
		}
	}

	if (rescue(cpu, cs) || serve(cpu, prev_vtime))
		return;
	if (prev_vtime != NO_VTIME) {
		count(KTSTR_STAT_KEEP);
		if (!opts.keep_last)
			scx_set_slice(prev, opts.slice_ns);
		return;
	}
	/* About to go idle: say so, then look once more (see wake_a_cpu). */
	cs->vtime = 0;
	set_looking(cpu, true);
	if (take_any(llc_of(cpu)))
		set_looking(cpu, false);
}

/* --- life of a task --- */

SEC("struct_ops/ktstr_runnable")
void BPF_PROG(ktstr_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *ts = task_state(p);

	if (ts && ((enq_flags & SCX_ENUM(scx_enq_flags, SCX_ENQ_WAKEUP)) || ts->rebase))
		place(p, ts);
}

SEC("struct_ops/ktstr_running")
void BPF_PROG(ktstr_running, struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct task_state *ts = task_state(p);

	/* One that was let in out of turn says nothing about how far the queues have been served. */
	if (ts && ts->in_turn)
		cpu_state(cpu)->vtime = ts->vtime;
	set_looking(cpu, false);
	begin_with(p);
	hang_once(p);
}

SEC("struct_ops/ktstr_stopping")
void BPF_PROG(ktstr_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *ts = task_state(p);

	if (ts)
		charge(p, ts);
}

SEC("struct_ops/ktstr_set_cpumask")
void BPF_PROG(ktstr_set_cpumask, struct task_struct *p, const struct cpumask *mask)
{
	struct task_state *ts = task_state(p);

	if (ts)
		ts->rebase = 1;
}

SEC("struct_ops/ktstr_init_task")
s32 BPF_PROG(ktstr_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (!bpf_task_storage_get(&task_states, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return -12;	/* ENOMEM */
	return 0;
}

SEC("struct_ops/ktstr_enable")
void BPF_PROG(ktstr_enable, struct task_struct *p)
{
	struct task_state *ts = task_state(p);

	if (!ts)
		return;
	ts->vtime = vtime_now;
	ts->charged_exec = p->se.sum_exec_runtime;
	ts->rebase = 1;
}

/* --- CPUs that come, go, or are taken away --- */

/*
 * A task of a higher class took the CPU: those who wait in its local queue should not wait for it. 6.16
 * has an operation for this, 7.x a kfunc that works from anywhere; the loader enables one of the two.
 */
SEC("?struct_ops/ktstr_cpu_release")
void BPF_PROG(ktstr_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	cpu_state(cpu)->vtime = 0;
	if (bpf_ksym_exists(scx_bpf_reenqueue_local___v1) && scx_bpf_reenqueue_local___v1())
		count(KTSTR_STAT_REENQUEUE);
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(ktstr_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	s32 cpu = bpf_get_smp_processor_id();

	if (!attached_at_ns || next->prio >= MAX_RT_PRIO)
		return 0;
	cpu_state(cpu)->vtime = 0;
	if (bpf_ksym_exists(scx_bpf_reenqueue_local___v2___compat) &&
	    scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | cpu) > 0) {
		count(KTSTR_STAT_REENQUEUE);
		scx_bpf_reenqueue_local___v2___compat();
	}
	return 0;
}

/* Nothing depends on the set of online CPUs; without these two the kernel would eject us on hotplug. */
SEC("struct_ops/ktstr_cpu_online")
void BPF_PROG(ktstr_cpu_online, s32 cpu)
{
}

SEC("struct_ops/ktstr_cpu_offline")
void BPF_PROG(ktstr_cpu_offline, s32 cpu)
{
	cpu_state(cpu)->vtime = 0;
	set_looking(cpu, false);
}

/* --- attach and detach --- */

SEC("struct_ops.s/ktstr_init")
s32 BPF_PROG(ktstr_init)
{
	int llc;
	s32 err;

	bpf_for(llc, 0, KTSTR_MAX_LLCS) {
		if ((u32)llc >= opts.nr_llcs)
			break;
		err = scx_bpf_create_dsq(llc, -1);
		if (err)
			return err;
	}
	err = scx_bpf_create_dsq(STARVE_DSQ, -1);
	if (err)
		return err;
	attached_at_ns = bpf_ktime_get_ns();
	if (!opts.since_cgroup[0])
		began_at_ns = attached_at_ns;
	return 0;
}

SEC("struct_ops/ktstr_exit")
void BPF_PROG(ktstr_exit, struct scx_exit_info *ei)
{
	bpf_probe_read_kernel_str(exit_info.reason, sizeof(exit_info.reason), ei->reason);
	bpf_probe_read_kernel_str(exit_info.msg, sizeof(exit_info.msg), ei->msg);
	bpf_probe_read_kernel_str(exit_info.dump, sizeof(exit_info.dump), ei->dump);
	exit_info.code = ei->exit_code;
	exit_info.kind = ei->kind;
	__sync_fetch_and_add(&exit_info.done, 1);
}

/* --reject: reads past the end of a map value, by an index that the verifier cannot bound. */
SEC("?syscall")
int ktstr_rejected(void *ctx)
{
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&stats, &key);

	if (!value)
		return 0;
	return value[bpf_get_prandom_u32()];
}

SEC(".struct_ops.link")
struct sched_ext_ops ktstr_ops = {
	.select_cpu	= (void *)ktstr_select_cpu,
	.enqueue	= (void *)ktstr_enqueue,
	.dispatch	= (void *)ktstr_dispatch,
	.runnable	= (void *)ktstr_runnable,
	.running	= (void *)ktstr_running,
	.stopping	= (void *)ktstr_stopping,
	.set_cpumask	= (void *)ktstr_set_cpumask,
	.cpu_release	= (void *)ktstr_cpu_release,
	.init_task	= (void *)ktstr_init_task,
	.enable		= (void *)ktstr_enable,
	.cpu_online	= (void *)ktstr_cpu_online,
	.cpu_offline	= (void *)ktstr_cpu_offline,
	.init		= (void *)ktstr_init,
	.exit		= (void *)ktstr_exit,
	/*
	 * Otherwise 6.16 puts tasks with migration disabled on the local queue by itself, and takes the
	 * task that ktstr_cpu_release() pushes off a CPU for one: the BPF program disables migration of
	 * the very task it runs on.
	 */
	.flags		= SCX_OPS_ENQ_LAST | SCX_OPS_ENQ_MIGRATION_DISABLED,
	.timeout_ms	= 3000,
	.exit_dump_len	= KTSTR_DUMP_LEN,
	.name		= "ktstr",
};
