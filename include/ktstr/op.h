/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ops: single changes to a running scenario. Each is a constant, KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset =
 * ktstr_cpuset_llc(1)), so that a plan can be checked, printed and recorded before anything runs.
 */
#ifndef KTSTR_OP_H
#define KTSTR_OP_H

#include <ktstr/cgroup.h>
#include <ktstr/kernel_op.h>
#include <ktstr/payload.h>
#include <ktstr/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Every kind of op, X(KIND, name). The place is the kind's bit in the op_kinds mask of stimulus records: append only. The
 * parameters of a kind are its struct ktstr_op_<name>; what it does and when it fails: docs/reference/ops.
 */
/* clang-format off */
#define KTSTR_OP_LIST(X) \
	X(ADD_CGROUP, add_cgroup) \
	X(ADD_CGROUP_DEF, add_cgroup_def) \
	X(REMOVE_CGROUP, remove_cgroup) \
	X(SET_CPUSET, set_cpuset) \
	X(CLEAR_CPUSET, clear_cpuset) \
	X(SWAP_CPUSETS, swap_cpusets) \
	X(SPAWN, spawn) \
	X(STOP_CGROUP, stop_cgroup) \
	X(SET_AFFINITY, set_affinity) \
	X(MOVE_ALL_TASKS, move_all_tasks) \
	X(RUN_PAYLOAD, run_payload) \
	X(WAIT_PAYLOAD, wait_payload) \
	X(KILL_PAYLOAD, kill_payload) \
	X(FREEZE_CGROUP, freeze_cgroup) \
	X(UNFREEZE_CGROUP, unfreeze_cgroup) \
	X(CAPTURE_SNAPSHOT, capture_snapshot) \
	X(WATCH_SNAPSHOT, watch_snapshot) \
	X(WRITE_KERNEL_HOT, write_kernel_hot) \
	X(WRITE_KERNEL_COLD, write_kernel_cold) \
	X(READ_KERNEL_HOT, read_kernel_hot) \
	X(READ_KERNEL_COLD, read_kernel_cold) \
	X(ATTACH_SCHEDULER, attach_scheduler) \
	X(DETACH_SCHEDULER, detach_scheduler) \
	X(RESTART_SCHEDULER, restart_scheduler) \
	X(REPLACE_SCHEDULER, replace_scheduler) \
	X(PIN_BPF_MAP, pin_bpf_map) \
	X(CAPTURE_CGROUP_PROCS, capture_cgroup_procs) \
	X(STEER_IRQ, steer_irq)
/* clang-format on */

enum ktstr_op_kind {
#define KTSTR_OP_KIND_(KIND, name) KTSTR_OP_##KIND,
	KTSTR_OP_LIST(KTSTR_OP_KIND_)
#undef KTSTR_OP_KIND_
		KTSTR_OP_KINDS,
};

/* The kind's bit in a u32 mask of kinds. */
#define KTSTR_OP_BIT(kind) (UINT32_C(1) << (kind))
/* "SetCpuset"; NULL out of range. */
const char *ktstr_op_kind_name(enum ktstr_op_kind kind);

/* Where Spawn puts its workers. */
enum ktstr_spawn_placement_kind {
	KTSTR_SPAWN_IN_CGROUP, /* `cgroup`, which must exist */
	KTSTR_SPAWN_IN_RUNNER_CGROUP, /* where the test program itself is; no cgroup is written to */
};

struct ktstr_spawn_placement {
	enum ktstr_spawn_placement_kind kind;
	const char *cgroup;
};

#define ktstr_spawn_cgroup(name)                                                                   \
	((struct ktstr_spawn_placement){ .kind = KTSTR_SPAWN_IN_CGROUP, .cgroup = (name) })
#define ktstr_spawn_runner_cgroup()                                                                \
	((struct ktstr_spawn_placement){ .kind = KTSTR_SPAWN_IN_RUNNER_CGROUP })

/* An interrupt of /proc/interrupts. */
enum ktstr_irq_selector_kind {
	KTSTR_IRQ_BY_LABEL, /* the one line whose actions (last column, separated by commas) have `label` */
	KTSTR_IRQ_BY_NUMBER,
};

struct ktstr_irq_selector {
	enum ktstr_irq_selector_kind kind;
	const char *label;
	unsigned int number;
};

#define ktstr_irq_by_label(text)                                                                   \
	((struct ktstr_irq_selector){ .kind = KTSTR_IRQ_BY_LABEL, .label = (text) })
#define ktstr_irq_by_number(n) ((struct ktstr_irq_selector){ .kind = KTSTR_IRQ_BY_NUMBER, .number = (n) })

/*
 * Parameters. Names of cgroups are looked up among those of the step, then among those of the backdrop. A cgroup that
 * an op wants and nobody made is an error, but for REMOVE_CGROUP and STOP_CGROUP.
 */
struct ktstr_op_add_cgroup {
	const char *cgroup; /* empty, without cpuset */
};
struct ktstr_op_add_cgroup_def {
	struct ktstr_cgroup_def def;
};
struct ktstr_op_remove_cgroup {
	const char *cgroup;
};
struct ktstr_op_set_cpuset {
	const char *cgroup;
	struct ktstr_cpuset_spec cpuset;
};
struct ktstr_op_clear_cpuset {
	const char *cgroup;
};
struct ktstr_op_swap_cpusets {
	const char *a, *b; /* a side without a cpuset is not copied */
};
struct ktstr_op_spawn {
	struct ktstr_spawn_placement placement;
	struct ktstr_work_spec work; /* without pcomm */
};
struct ktstr_op_stop_cgroup {
	const char *cgroup; /* stays, without workers and payloads */
};
struct ktstr_op_set_affinity {
	const char *cgroup;
	struct ktstr_affinity affinity; /* RANDOM_SUBSET draws anew for each worker */
};
struct ktstr_op_move_all_tasks {
	const char *from, *to; /* from "" = the workers in the runner's cgroup */
};
struct ktstr_op_run_payload {
	const struct ktstr_payload *payload;
	const char *const *args; /* behind the default ones; KTSTR_ARGS(...) */
	const char *cgroup; /* NULL = where the test program is */
};
/* cgroup NULL = the only copy that runs; "" = the one that runs where the test program is. */
struct ktstr_op_wait_payload {
	const char *name, *cgroup;
};
struct ktstr_op_kill_payload {
	const char *name, *cgroup;
};
struct ktstr_op_freeze_cgroup {
	const char *cgroup;
};
struct ktstr_op_unfreeze_cgroup {
	const char *cgroup;
};
struct ktstr_op_capture_snapshot {
	const char *tag;
};
struct ktstr_op_watch_snapshot {
	/* A variable of the kernel; a snapshot of that tag at each write. KTSTR_MAX_WATCH_SNAPSHOTS (3) per run. */
	const char *symbol;
};
struct ktstr_op_write_kernel_hot {
	const struct ktstr_kernel_op_entry *entries; /* KTSTR_KERNEL_ENTRIES(...) */
	size_t entries_count;
};
struct ktstr_op_write_kernel_cold {
	const struct ktstr_kernel_op_entry *entries; /* neighbouring ops of this kind share one freeze */
	size_t entries_count;
};
struct ktstr_op_read_kernel_hot {
	const char *tag;
	struct ktstr_kernel_target target;
	struct ktstr_kernel_value_width width;
};
struct ktstr_op_read_kernel_cold {
	const char *tag;
	struct ktstr_kernel_target target;
	struct ktstr_kernel_value_width width;
};
struct ktstr_op_attach_scheduler {
	const struct ktstr_scheduler *scheduler; /* one of the test's staged schedulers */
};
struct ktstr_op_detach_scheduler {
	char none_; /* no parameters */
};
struct ktstr_op_restart_scheduler {
	char none_; /* no parameters: always the scheduler that the test began with */
};
struct ktstr_op_replace_scheduler {
	const struct ktstr_scheduler *scheduler;
};
struct ktstr_op_pin_bpf_map {
	const char *map; /* at most 15 characters */
};
struct ktstr_op_capture_cgroup_procs {
	const char *tag, *cgroup;
};
struct ktstr_op_steer_irq {
	struct ktstr_irq_selector irq;
	unsigned int cpu;
};

/* KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES({ KTSTR_KERNEL_SYMBOL("x"), ktstr_kernel_value_u32(1) })) */
#define KTSTR_KERNEL_ENTRIES(...)                                                                  \
	.entries = (const struct ktstr_kernel_op_entry[]){ __VA_ARGS__ },                          \
	.entries_count = sizeof((const struct ktstr_kernel_op_entry[]){ __VA_ARGS__ }) /           \
			 sizeof(struct ktstr_kernel_op_entry)

struct ktstr_op {
	enum ktstr_op_kind kind;
	union {
#define KTSTR_OP_MEMBER_(KIND, name) struct ktstr_op_##name KIND;
		KTSTR_OP_LIST(KTSTR_OP_MEMBER_)
#undef KTSTR_OP_MEMBER_
	};
};

/* KTSTR_OP(FREEZE_CGROUP, .cgroup = "a"): an unknown parameter does not compile. */
#define KTSTR_OP(KIND, ...) ((struct ktstr_op){ .kind = KTSTR_OP_##KIND, .KIND = { __VA_ARGS__ } })

/* The same as functions, for those who prefer positions to names. */
/* clang-format off */
#define ktstr_op_add_cgroup(name)	KTSTR_OP(ADD_CGROUP, .cgroup = (name))
#define ktstr_op_add_cgroup_def(...)	KTSTR_OP(ADD_CGROUP_DEF, .def = __VA_ARGS__)
#define ktstr_op_remove_cgroup(name)	KTSTR_OP(REMOVE_CGROUP, .cgroup = (name))
#define ktstr_op_set_cpuset(name, spec)	KTSTR_OP(SET_CPUSET, .cgroup = (name), .cpuset = (spec))
#define ktstr_op_clear_cpuset(name)	KTSTR_OP(CLEAR_CPUSET, .cgroup = (name))
#define ktstr_op_swap_cpusets(x, y)	KTSTR_OP(SWAP_CPUSETS, .a = (x), .b = (y))
#define ktstr_op_spawn(where, ...)	KTSTR_OP(SPAWN, .placement = (where), .work = __VA_ARGS__)
#define ktstr_op_spawn_workers(name, ...) ktstr_op_spawn(ktstr_spawn_cgroup(name), __VA_ARGS__)
#define ktstr_op_spawn_in_cgroup(name, work_type) \
	KTSTR_OP(SPAWN, .placement = ktstr_spawn_cgroup(name), .work = { .type = (work_type) })
#define ktstr_op_spawn_host(...)	ktstr_op_spawn(ktstr_spawn_runner_cgroup(), __VA_ARGS__)
#define ktstr_op_stop_cgroup(name)	KTSTR_OP(STOP_CGROUP, .cgroup = (name))
#define ktstr_op_set_affinity(name, intent) KTSTR_OP(SET_AFFINITY, .cgroup = (name), .affinity = (intent))
#define ktstr_op_move_all_tasks(x, y)	KTSTR_OP(MOVE_ALL_TASKS, .from = (x), .to = (y))
#define ktstr_op_run_payload(program)	KTSTR_OP(RUN_PAYLOAD, .payload = (program))
#define ktstr_op_wait_payload(label)	KTSTR_OP(WAIT_PAYLOAD, .name = (label))
#define ktstr_op_kill_payload(label)	KTSTR_OP(KILL_PAYLOAD, .name = (label))
#define ktstr_op_freeze_cgroup(name)	KTSTR_OP(FREEZE_CGROUP, .cgroup = (name))
#define ktstr_op_unfreeze_cgroup(name)	KTSTR_OP(UNFREEZE_CGROUP, .cgroup = (name))
#define ktstr_op_capture_snapshot(name)	KTSTR_OP(CAPTURE_SNAPSHOT, .tag = (name))
#define ktstr_op_watch_snapshot(name)	KTSTR_OP(WATCH_SNAPSHOT, .symbol = (name))
#define ktstr_op_write_kernel_hot(...)	KTSTR_OP(WRITE_KERNEL_HOT, KTSTR_KERNEL_ENTRIES(__VA_ARGS__))
#define ktstr_op_write_kernel_cold(...)	KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES(__VA_ARGS__))
#define ktstr_op_read_kernel_hot(name, where, what) \
	KTSTR_OP(READ_KERNEL_HOT, .tag = (name), .target = where, .width = what)
#define ktstr_op_read_kernel_cold(name, where, what) \
	KTSTR_OP(READ_KERNEL_COLD, .tag = (name), .target = where, .width = what)
#define ktstr_op_attach_scheduler(s)	KTSTR_OP(ATTACH_SCHEDULER, .scheduler = (s))
#define ktstr_op_detach_scheduler()	KTSTR_OP(DETACH_SCHEDULER)
#define ktstr_op_restart_scheduler()	KTSTR_OP(RESTART_SCHEDULER)
#define ktstr_op_replace_scheduler(s)	KTSTR_OP(REPLACE_SCHEDULER, .scheduler = (s))
#define ktstr_op_pin_bpf_map(name)	KTSTR_OP(PIN_BPF_MAP, .map = (name))
#define ktstr_op_capture_cgroup_procs(label, name) KTSTR_OP(CAPTURE_CGROUP_PROCS, .tag = (label), .cgroup = (name))
#define ktstr_op_steer_irq(selector, to) KTSTR_OP(STEER_IRQ, .irq = (selector), .cpu = (to))
/* clang-format on */

#ifdef __cplusplus
}
#endif
#endif
