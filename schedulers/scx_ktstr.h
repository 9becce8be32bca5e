/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF half and the loader half of scx_ktstr agree on: limits, the options that the loader
 * writes into .rodata before loading, the exit record that BPF leaves in .bss, statistics indices.
 * Both halves define __u32 and __u64 before they include this file.
 */
#ifndef SCX_KTSTR_H
#define SCX_KTSTR_H

enum ktstr_limits {
	KTSTR_MAX_CPUS = 1024,
	KTSTR_MAX_LLCS = 256,
	KTSTR_COMM_LEN = 16,		/* TASK_COMM_LEN */
	KTSTR_CGROUP_LEN = 128,
	KTSTR_REASON_LEN = 128,
	KTSTR_MSG_LEN = 1024,		/* SCX_EXIT_MSG_LEN */
	KTSTR_DUMP_LEN = 32768,		/* SCX_EXIT_DUMP_DFL_LEN */
};

/* Bits of sched_ext_ops.flags, the same in 6.16 and 7.3: an initialiser cannot be relocated. */
#define SCX_OPS_ENQ_LAST		(1ULL << 1)
#define SCX_OPS_ENQ_MIGRATION_DISABLED	(1ULL << 4)

/* Zero means "off" in every misbehaviour switch. */
struct ktstr_opts {
	__u64 slice_ns;
	__u64 rescue_ns;		/* a task that waited longer is served out of turn */
	__u64 stall_after_ns;		/* counted from attach, or as since_cgroup says; the next two, too */
	__u64 error_after_ns;
	__u64 hang_after_ns;
	__u64 slow_dispatch_ns;
	__u32 nr_cpus;			/* possible CPUs */
	__u32 nr_llcs;
	__u32 racy;			/* lose a task when two CPUs enqueue at the same moment */
	__u32 crowd;			/* everything on the local queue of the first CPU it may use */
	__u32 wrong_cpu;		/* select a CPU that the task may not use */
	__u32 keep_last;		/* no SCX_OPS_ENQ_LAST, no new slice for a task that is alone */
	__u32 cpu_llc[KTSTR_MAX_CPUS];
	char starve_comm[KTSTR_COMM_LEN];
	char unfair_cgroup[KTSTR_CGROUP_LEN];
	char since_cgroup[KTSTR_CGROUP_LEN]; /* times count from when one of its tasks first runs */
};

/* Written once by ops.exit; `done` is set last. */
struct ktstr_exit {
	__u64 code;			/* scx_exit_info.exit_code */
	__u32 kind;			/* enum scx_exit_kind; errors start at 1024 */
	__u32 done;
	char reason[KTSTR_REASON_LEN];
	char msg[KTSTR_MSG_LEN];
	char dump[KTSTR_DUMP_LEN];
};

/* Index into the per-CPU array map `stats`. */
enum ktstr_stat {
	KTSTR_STAT_SELECT_CPU,		/* ops.select_cpu calls */
	KTSTR_STAT_DIRECT,		/* put on an idle CPU's local queue at wakeup */
	KTSTR_STAT_ENQUEUE,		/* queued in an LLC's DSQ */
	KTSTR_STAT_KTHREAD,		/* kernel thread woken straight onto its CPU */
	KTSTR_STAT_LAST,		/* put back because its CPU had nothing else to run */
	KTSTR_STAT_KICK_IDLE,		/* enqueue woke a CPU of the kernel's idle mask */
	KTSTR_STAT_KICK_LOOKING,	/* enqueue woke a CPU that was about to go idle */
	KTSTR_STAT_DISPATCH_OWN,	/* taken from the CPU's own LLC */
	KTSTR_STAT_DISPATCH_OTHER,	/* taken from another LLC */
	KTSTR_STAT_KEEP,		/* previous task went on for another slice */
	KTSTR_STAT_RESCUE,		/* served out of turn, see rescue_ns */
	KTSTR_STAT_PARKED,		/* held back by --starve */
	KTSTR_STAT_REENQUEUE,		/* pushed off a CPU that a higher class took */
	KTSTR_NR_STATS,
};

#endif /* SCX_KTSTR_H */
