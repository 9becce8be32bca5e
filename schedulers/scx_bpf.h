/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types, constants and kfuncs our BPF schedulers use, declared by hand so that a build
 * needs neither vmlinux.h nor a kernel. libbpf relocates field offsets, enum values and kfuncs against
 * the running kernel, so a struct here lists only the members we read, in any order.
 * Names and signatures were checked against the BTF of 6.16.12 and 7.3.4.
 */
#ifndef SCX_BPF_H
#define SCX_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* From the BPF user API. */
enum bpf_map_type {
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};

struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));

struct bpf_iter_scx_dsq {
	__u64 __opaque[6];
} __attribute__((aligned(8)));

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* The iterator inside the body of bpf_for_each(), which libbpf's macro names so. */
#define BPF_EACH_ITER	(&___it)

/* Bits of task_struct.flags. */
#define PF_KTHREAD	0x00200000

/*
 * Flags, by name only: libbpf puts the running kernel's value in wherever SCX_ENUM() is used. The values
 * here are placeholders (clang 14 cannot write 64-bit enumerators into BTF), so use nothing but SCX_ENUM().
 */
enum scx_enq_flags { SCX_ENQ_WAKEUP, SCX_ENQ_PREEMPT, SCX_ENQ_LAST };
enum scx_ent_flags { SCX_TASK_QUEUED };
enum scx_kick_flags { SCX_KICK_IDLE };
enum scx_dsq_iter_flags { SCX_DSQ_ITER_REV };

/* A member of this type must be declared as an enum for libbpf to match it. */
enum scx_exit_kind { SCX_EXIT_NONE };

#define SCX_ENUM(type, name) bpf_core_enum_value(enum type, name)

/* Ids of built-in DSQs, the same in 6.16 and 7.3. */
#define SCX_DSQ_LOCAL		((1ULL << 63) | 2)
#define SCX_DSQ_LOCAL_ON	((1ULL << 63) | (1ULL << 62))

/* task_struct.prio below this belongs to a class that goes before sched_ext: deadline, RT, stop. */
#define MAX_RT_PRIO	100

#define __scx_core __attribute__((preserve_access_index))

struct cpumask {
	unsigned long bits[1];
} __scx_core;

struct kernfs_node {
	const char *name;
} __scx_core;

struct cgroup {
	struct kernfs_node *kn;
} __scx_core;

struct css_set {
	struct cgroup *dfl_cgrp;
} __scx_core;

struct sched_entity {
	u64 sum_exec_runtime;
} __scx_core;

struct sched_ext_entity {
	u32 flags;
	u32 weight;
	u64 slice;
	u64 dsq_vtime;
} __scx_core;

struct task_struct {
	int pid;
	unsigned int flags;
	int prio;
	int nr_cpus_allowed;
	const struct cpumask *cpus_ptr;
	/*
	 * Not used: a member by value makes clang write the whole type into BTF. A forward declaration
	 * would not match the kernel's struct in the signatures of kfuncs.
	 */
	struct cpumask cpus_mask;
	struct sched_entity se;
	struct sched_ext_entity scx;
	struct css_set *cgroups;
	char comm[16];
} __scx_core;

struct scx_init_task_args {
	bool fork;
} __scx_core;

struct scx_cpu_release_args;

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	char *msg;
	char *dump;
} __scx_core;

/* libbpf matches the members by name; one that the kernel lacks is fine as long as it is zero. */
struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*runnable)(struct task_struct *p, u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*set_cpumask)(struct task_struct *p, const struct cpumask *mask);
	void (*cpu_release)(s32 cpu, struct scx_cpu_release_args *args);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*enable)(struct task_struct *p);
	void (*cpu_online)(s32 cpu);
	void (*cpu_offline)(s32 cpu);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *ei);
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	u32 rescue_bandwidth_ppt;	/* 7.x; ~0 turns the kernel's own rescue off */
	char name[128];
};

/* Arguments of the 7.x form of scx_bpf_dsq_insert_vtime(). */
struct scx_bpf_dsq_insert_vtime_args {
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
};

/*
 * kfuncs. libbpf drops what follows the last ___ of a name before it looks the symbol up, hence the
 * ___compat on names that end in ___v2 themselves.
 */
s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle) __ksym;
s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags) __ksym;
void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;
bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id,
		      u64 enq_flags) __ksym;

int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym;
struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;

bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;
u32 bpf_cpumask_any_distribute(const struct cpumask *cpumask) __ksym;

/* Forms that differ between kernels: 6.16 has the first of each pair, 7.x both or only the second. */
void scx_bpf_dsq_insert___v1(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_insert___v2___compat(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
void scx_bpf_dsq_insert_vtime___v1(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				   u64 enq_flags) __ksym __weak;
bool __scx_bpf_dsq_insert_vtime(struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args) __ksym __weak;
bool scx_bpf_dsq_move_to_local___v1(u64 dsq_id) __ksym __weak;
bool scx_bpf_dsq_move_to_local___v2___compat(u64 dsq_id, u64 enq_flags) __ksym __weak;
u32 scx_bpf_reenqueue_local___v1(void) __ksym __weak;
void scx_bpf_reenqueue_local___v2___compat(void) __ksym __weak;
bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice) __ksym __weak;

static inline void scx_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___compat))
		scx_bpf_dsq_insert___v2___compat(p, dsq_id, slice, enq_flags);
	else
		scx_bpf_dsq_insert___v1(p, dsq_id, slice, enq_flags);
}

static inline void scx_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags)
{
	if (bpf_ksym_exists(__scx_bpf_dsq_insert_vtime)) {
		struct scx_bpf_dsq_insert_vtime_args args = {
			.dsq_id = dsq_id,
			.slice = slice,
			.vtime = vtime,
			.enq_flags = enq_flags,
		};

		__scx_bpf_dsq_insert_vtime(p, &args);
	} else {
		scx_bpf_dsq_insert_vtime___v1(p, dsq_id, slice, vtime, enq_flags);
	}
}

static inline bool scx_move_to_local(u64 dsq_id)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___v2___compat))
		return scx_bpf_dsq_move_to_local___v2___compat(dsq_id, 0);
	return scx_bpf_dsq_move_to_local___v1(dsq_id);
}

/* 7.x logs a deprecation warning when a program writes the field itself. */
static inline void scx_set_slice(struct task_struct *p, u64 slice)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice))
		scx_bpf_task_set_slice(p, slice);
	else
		p->scx.slice = slice;
}

#endif /* SCX_BPF_H */
