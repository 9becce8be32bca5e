/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dumps: what was read from a guest that stood still, as data. A dump file is JSON (docs/schema/failure-dump.schema.json);
 * ktstr_failure_dump_parse() makes these structs of one, and tests look at them through snapshot.h.
 *
 * Absent is not zero: a number that a kernel does not have is an optional that is not set, a list that was not read is
 * empty with a reason beside it. Everything in a dump is owned by it.
 */
#ifndef KTSTR_DUMP_H
#define KTSTR_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The "schema" key of a dump file. */
#define KTSTR_SCHEMA_SINGLE   "single"
#define KTSTR_SCHEMA_DUAL     "dual"
#define KTSTR_SCHEMA_DEGRADED "degraded"

/* Tags of the early dump of a dual run, when it has a file of its own: <stem>.snapshot.<tag>.json. */
#define KTSTR_SNAPSHOT_TAG_EARLY_PRE_LATE_DEGRADED	"early-pre-late-degraded"
#define KTSTR_SNAPSHOT_TAG_EARLY_ONLY_LATE_SUPPRESSED	"early-only-late-suppressed"
#define KTSTR_SNAPSHOT_TAG_EARLY_ONLY_LATE_NEVER_FIRED	"early-only-late-never-fired"
#define KTSTR_SNAPSHOT_TAG_EARLY_DEGRADED		"early-degraded"

/* How the reason of a degraded dump begins; details follow. */
#define KTSTR_REASON_DEGRADED_RENDEZVOUS_TIMEOUT "vCPU rendezvous timed out before parked acknowledgement"
#define KTSTR_REASON_DEGRADED_RENDEZVOUS_KILLED                                                                        \
	"vCPU rendezvous aborted by external kill before parked acknowledgement"

/* --- values ----------------------------------------------------------------------------------------------------- */

enum ktstr_rendered_kind {
	KTSTR_RENDERED_INT,
	KTSTR_RENDERED_UINT,
	KTSTR_RENDERED_BOOL,
	KTSTR_RENDERED_CHAR,
	KTSTR_RENDERED_FLOAT,
	KTSTR_RENDERED_ENUM,
	KTSTR_RENDERED_STRUCT, /* unions and data sections, too */
	KTSTR_RENDERED_ARRAY,
	KTSTR_RENDERED_CPU_LIST,
	KTSTR_RENDERED_PTR,
	KTSTR_RENDERED_BYTES,
	KTSTR_RENDERED_TRUNCATED,
	KTSTR_RENDERED_UNSUPPORTED,
	KTSTR_RENDERED_KINDS,
};

/*
 * A value of a guest, made of its bytes by their BTF type (RenderedValue). Members that a kind does not have are zero.
 *
 *   INT UINT BOOL CHAR ENUM   number (two's complement when negative), bits; ENUM: text = name of the enumerator or NULL
 *   FLOAT                     real, bits
 *   STRUCT                    text = name of the type or NULL, members
 *   ARRAY                     len elements were declared, `elements` has the first of them
 *   CPU_LIST                  text = "0-2,5"
 *   PTR                       number = address; deref = what it points to, or reason why that was not looked at;
 *                             annotation = how it was found to be a pointer
 *   BYTES                     text = hexadecimal digits
 *   TRUNCATED                 partial = what could be made of `had` of `needed` bytes
 *   UNSUPPORTED               reason
 */
struct ktstr_rendered_value {
	enum ktstr_rendered_kind kind;
	uint32_t bits;
	bool is_signed; /* ENUM */
	uint64_t number;
	double real;
	char *text, *reason, *annotation;
	struct ktstr_rendered_member *members;
	size_t members_count;
	uint64_t len;
	struct ktstr_rendered_value *elements;
	size_t elements_count;
	struct ktstr_rendered_value *deref, *partial;
	uint64_t needed, had;
};

/* RenderedMember: name is "" when the member is anonymous. */
struct ktstr_rendered_member {
	char *name;
	struct ktstr_rendered_value *value;
};

/* "int", "cpu_list": the kind as JSON has it. */
const char *ktstr_rendered_kind_name(enum ktstr_rendered_kind kind);
/* A direct member; looked for in anonymous members, too. NULL = none. */
const struct ktstr_rendered_value *ktstr_rendered_member(const struct ktstr_rendered_value *value, const char *name);
/* What a pointer points to, or what there is of a truncated value, as long as there is one; at most 16 steps. */
const struct ktstr_rendered_value *ktstr_rendered_peel(const struct ktstr_rendered_value *value);
/* The value as text, without a newline at its end, several lines when it is long; heap. */
char *ktstr_rendered_to_text(const struct ktstr_rendered_value *value);

/* --- BPF maps --------------------------------------------------------------------------------------------------- */

struct ktstr_failure_dump_entry { /* of a hash or of local storage */
	struct ktstr_rendered_value *key, *value, *payload;
	char *key_hex, *value_hex; /* NULL = not kept */
};

struct ktstr_failure_dump_array_entry {
	uint32_t key;
	struct ktstr_rendered_value *value; /* NULL = it could not be read */
};

struct ktstr_failure_dump_percpu_entry {
	uint32_t key;
	struct ktstr_rendered_value **per_cpu; /* by CPU; NULL = that CPU's copy could not be read */
	size_t per_cpu_count;
};

struct ktstr_failure_dump_percpu_hash_entry {
	struct ktstr_rendered_value *key;
	char *key_hex;
	struct ktstr_rendered_value **per_cpu;
	size_t per_cpu_count;
};

struct ktstr_failure_dump_fd_array { /* programs, perf events, cgroups, inner maps: which slots are in use */
	uint64_t populated, scanned;
	uint64_t *indices;
	size_t indices_count;
	bool truncated, indices_truncated;
	uint64_t unreadable;
};

struct ktstr_failure_dump_ringbuf {
	uint64_t capacity, consumer_pos, producer_pos, pending_pos, pending_bytes; /* bytes */
};

struct ktstr_failure_dump_stack_trace_entry {
	uint64_t bucket_id, nr;
	uint64_t *pcs; /* none when the map keeps build ids */
	size_t pcs_count;
	char *data_hex;
};

struct ktstr_failure_dump_stack_trace {
	uint64_t n_buckets;
	struct ktstr_failure_dump_stack_trace_entry *entries;
	size_t entries_count;
	bool truncated;
	uint64_t buckets_unreadable;
};

struct ktstr_arena_page {
	uint64_t user_addr;
	char *bytes; /* hexadecimal digits of one page */
};

struct ktstr_arena_snapshot {
	struct ktstr_arena_page *pages; /* those that exist */
	size_t pages_count;
	bool truncated, span_capped;
	uint64_t declared_pages, kern_vm_start, user_vm_start;
};

/* One kind of content is filled, or error says why none is. */
struct ktstr_failure_dump_map {
	char *name; /* at most 15 characters, as the kernel keeps it */
	uint64_t map_kva;
	char *map_type; /* "hash", "percpu_array", ... */
	struct ktstr_opt_u32 map_id;
	uint64_t value_size, max_entries;
	struct ktstr_rendered_value *value;
	struct ktstr_failure_dump_entry *entries;
	size_t entries_count;
	struct ktstr_failure_dump_array_entry *array_entries;
	size_t array_entries_count;
	struct ktstr_failure_dump_percpu_entry *percpu_entries;
	size_t percpu_entries_count;
	struct ktstr_failure_dump_percpu_hash_entry *percpu_hash_entries;
	size_t percpu_hash_entries_count;
	struct ktstr_arena_snapshot *arena;
	struct ktstr_failure_dump_ringbuf *ringbuf;
	struct ktstr_failure_dump_stack_trace *stack_trace;
	struct ktstr_failure_dump_fd_array *fd_array;
	bool truncated; /* a cap was reached: there is more than is shown */
	char *error;
};

/* --- the scheduler ---------------------------------------------------------------------------------------------- */

struct ktstr_rq_scx_state {
	uint32_t cpu;
	uint64_t nr_running, flags;
	bool cpu_released;
	uint64_t ops_qseq;
	struct ktstr_opt_u64 kick_sync, nr_immed, rq_clock;
	struct ktstr_opt_i64 curr_pid;
	char *curr_comm;
	uint64_t *runnable_task_kvas;
	size_t runnable_task_kvas_count;
	bool runnable_truncated;
};

struct ktstr_dsq_state {
	uint64_t id;
	char *origin; /* "local cpu N", "bypass cpu N", "global node N", "user" */
	uint64_t nr, seq;
	uint64_t *task_kvas;
	size_t task_kvas_count;
	bool truncated;
};

struct ktstr_scx_sched_state {
	bool aborting;
	int64_t bypass_depth;
	int64_t exit_kind; /* enum scx_exit_kind of the kernel */
	struct ktstr_opt_u64 watchdog_timeout; /* jiffies */
	char *source; /* "live", "bss_snapshot" */
	char *ops_name;
	uint64_t sched_kva; /* 0 = unknown */
};

struct ktstr_task_enrichment {
	uint64_t task_kva; /* 0 = unknown */
	int64_t pid, tgid;
	char *comm;
	struct ktstr_opt_i64 group_leader_pid, real_parent_pid, pgid, sid, nr_threads;
	char *real_parent_comm;
	struct ktstr_opt_u32 cpu;
	uint64_t weight;
	int64_t prio, static_prio, normal_prio;
	uint64_t rt_priority;
	char *sched_class; /* fair, rt, dl, idle, stop, ext; NULL = another */
	struct ktstr_opt_u64 core_cookie;
	bool pi_boosted_out_of_scx; /* runnable for sched_ext, run by another class */
	uint64_t nvcsw, nivcsw;
	struct ktstr_opt_u64 signal_nvcsw, signal_nivcsw;
	char *lock_slowpath_match; /* the slow path of a lock that its CPU was in */
	struct ktstr_opt_u64 scx_flags, scx_slice_ns, scx_dsq_vtime, runnable_at_jiffies;
	struct ktstr_opt_u64 runnable_for_ms; /* waits on a runnable list since then; running and sleeping tasks do not */
	struct ktstr_opt_i64 scx_sticky_cpu;
};

struct ktstr_prog_runtime_stats {
	char *name;
	uint64_t cnt, nsecs, misses; /* summed over CPUs; counted while kernel.bpf_stats_enabled is 1 */
	struct ktstr_opt_u64 verified_insns;
};

struct ktstr_event_counter_sample {
	uint64_t elapsed_ms;
	/* s64 of the kernel, summed over CPUs; bypass_duration in ns */
	struct ktstr_opt_i64 select_cpu_fallback, dispatch_local_dsq_offline, dispatch_keep_last, enq_skip_exiting,
		enq_skip_migration_disabled, reenq_immed, reenq_local_repeat, refill_slice_dfl, bypass_duration,
		bypass_dispatch, bypass_activate, insert_not_owned, sub_bypass_dispatch;
};

/* Objects of the allocators in the scheduler's arena (struct scx_allocator). */
struct ktstr_sdt_allocation_entry {
	uint64_t idx, genn, user_addr;
	struct ktstr_rendered_value *payload;
};

struct ktstr_sdt_allocations {
	char *allocator_name;
	struct ktstr_sdt_allocation_entry *entries;
	size_t entries_count;
	bool truncated;
	uint64_t skipped_subtrees, elem_size, target_type_id;
	char *payload_type_reason;
};

/* A piece of an arena that the scheduler's static allocator (struct scx_static) hands out from. */
struct ktstr_scx_static_range {
	char *name;
	uint64_t user_addr, bytes, used_bytes;
};

/* --- the machine ------------------------------------------------------------------------------------------------ */

enum { KTSTR_SOFTIRQS = 10 }; /* HI, TIMER, NET_TX, NET_RX, BLOCK, IRQ_POLL, TASKLET, SCHED, HRTIMER, RCU */

struct ktstr_per_cpu_time_stats {
	uint32_t cpu;
	uint64_t cpustat_user_ns, cpustat_nice_ns, cpustat_system_ns, cpustat_softirq_ns, cpustat_irq_ns,
		cpustat_idle_ns, cpustat_iowait_ns, cpustat_steal_ns;
	uint64_t *softirqs; /* KTSTR_SOFTIRQS of them, fewer when some could not be read */
	size_t softirqs_count;
	uint64_t irqs_sum;
	struct ktstr_opt_u64 iowait_sleeptime_ns;
};

struct ktstr_per_node_numa_stats {
	uint32_t node;
	uint64_t numa_hit, numa_miss, numa_foreign, numa_interleave_hit, numa_local, numa_other;
};

/*
 * Pressure stall information (the kernel's Documentation/accounting/psi.rst), as old as the kernel's last update of it: up
 * to 2 s. total_us counts from the cgroup's beginning.
 */
struct ktstr_psi_stats {
	double avg10_pct; /* of the last 10 s */
	uint64_t total_us;
};

struct ktstr_cgroup_psi {
	char *cgroup; /* path below the workload cgroup, "cg_0" */
	uint64_t id; /* as bpf_get_current_cgroup_id() has it */
	bool has_children; /* it is no leaf: what happens in those below counts here, too */
	struct ktstr_psi_stats *cpu_some, *cpu_full, *memory_some, *memory_full, *io_some, *io_full,
		*irq_full; /* NULL = the kernel has no such state */
};

struct ktstr_vcpu_reg_snapshot {
	uint64_t instruction_pointer, stack_pointer;
	uint64_t page_table_root; /* CR3 or TTBR1, with its flags */
	struct ktstr_opt_u64 user_page_table_root, tcr_el1;
	char *symbol; /* the function it was in, when it is the kernel's */
};

struct ktstr_vcpu_perf { /* of a vCPU thread, counted by the host while the guest ran */
	uint64_t cycles, instructions, cache_misses, branch_misses, time_enabled_ns, time_running_ns;
};

struct ktstr_probe_bss_counters {
	uint64_t probe_count, kprobe_returns, meta_miss, ringbuf_drops, timeline_count, timeline_drops, pi_count,
		pi_orphan_fexits, pi_class_change_count, pi_drops, lock_contend_count, lock_contend_drops,
		preempt_disable_count, preempt_enable_count, trigger_count;
};

/* --- dumps ------------------------------------------------------------------------------------------------------ */

/* FailureDumpReport. */
struct ktstr_failure_dump {
	struct ktstr_failure_dump_map *maps;
	size_t maps_count;
	struct ktstr_vcpu_reg_snapshot **vcpu_regs; /* by CPU; NULL = its registers could not be had */
	size_t vcpu_regs_count;
	char *active_obj_name; /* prefix of the section maps of the scheduler that is attached */
	uint64_t *active_map_kvas;
	size_t active_map_kvas_count;
	struct ktstr_sdt_allocations *sdt_allocations;
	size_t sdt_allocations_count;
	struct ktstr_scx_static_range *scx_static_ranges;
	size_t scx_static_ranges_count;
	struct ktstr_prog_runtime_stats *prog_runtime_stats;
	size_t prog_runtime_stats_count;
	struct ktstr_per_cpu_time_stats *per_cpu_time;
	size_t per_cpu_time_count;
	struct ktstr_per_node_numa_stats *per_node_numa;
	size_t per_node_numa_count;
	struct ktstr_cgroup_psi *cgroup_psi; /* workload cgroups, by name */
	size_t cgroup_psi_count;
	struct ktstr_task_enrichment *task_enrichments;
	size_t task_enrichments_count;
	struct ktstr_event_counter_sample *event_counter_timeline;
	size_t event_counter_timeline_count;
	struct ktstr_rq_scx_state *rq_scx_states;
	size_t rq_scx_states_count;
	struct ktstr_dsq_state *dsq_states;
	size_t dsq_states_count;
	struct ktstr_scx_sched_state *scx_sched_state;
	struct ktstr_vcpu_perf **vcpu_perf_at_freeze;
	size_t vcpu_perf_at_freeze_count;
	struct ktstr_probe_bss_counters *probe_counters;
	struct ktstr_opt_u64 dump_truncated_at_us; /* the time limit ended it then; later parts are missing */
	char *vmcore; /* path of the ELF core that was kept, NULL = none was asked for */
	char *vmcore_unavailable; /* why none could be */
	bool maps_truncated;
	bool cgroup_psi_truncated; /* there are more, or some could not be read */
	bool is_placeholder; /* nothing could be read: the reasons say why */
	char *sdt_alloc_unavailable, *prog_runtime_stats_unavailable, *per_node_numa_unavailable,
		*cgroup_psi_unavailable, *task_enrichments_unavailable, *scx_walker_unavailable;
	char *cgroup_psi_irq_unavailable; /* why no cgroup has irq_full */
};

/* DualFailureDumpReport: one dump halfway to the stall, one at the end. */
struct ktstr_dual_failure_dump {
	struct ktstr_failure_dump *early; /* NULL = early_skipped_reason */
	struct ktstr_failure_dump *late;
	uint64_t early_max_age_jiffies, early_threshold_jiffies;
	char *early_skipped_reason;
};

/* DegradedFailureDumpReport: the guest could not be stopped. */
struct ktstr_degraded_failure_dump {
	char *reason;
	struct ktstr_vcpu_reg_snapshot **vcpu_regs; /* NULL = that CPU never stood still */
	size_t vcpu_regs_count;
	bool watchpoint_hit;
	char *bss_latch_state; /* triggered, not_triggered, out_of_bounds, not_resolved */
	struct ktstr_opt_i64 exit_kind;
	uint64_t elapsed_ms;
};

enum ktstr_failure_dump_schema {
	KTSTR_DUMP_SINGLE,
	KTSTR_DUMP_DUAL,
	KTSTR_DUMP_DEGRADED,
};

/* FailureDumpReportAny: the one of `schema` is set. */
struct ktstr_failure_dump_any {
	enum ktstr_failure_dump_schema schema;
	struct ktstr_failure_dump *single;
	struct ktstr_dual_failure_dump *dual;
	struct ktstr_degraded_failure_dump *degraded;
};

/*
 * Reads a dump by its "schema" key. KTSTR_ERR_CORRUPT names the place of what is not JSON, not a dump or not of the
 * right shape ("maps[3].value_size: expected ..."); *dump is then zero. Unknown keys are ignored.
 */
struct ktstr_error *ktstr_failure_dump_parse(const char *json, size_t length, struct ktstr_failure_dump_any *dump)
	KTSTR_CHECKED;
/* The same from a file of at most 1 GiB. */
struct ktstr_error *ktstr_failure_dump_load(const char *path, struct ktstr_failure_dump_any *dump) KTSTR_CHECKED;
/* The JSON text of a dump; heap. What it parses to is equal. */
char *ktstr_failure_dump_to_json(const struct ktstr_failure_dump_any *dump);
void ktstr_failure_dump_deinit(struct ktstr_failure_dump_any *dump);
/* Of a single dump that was taken out of a ktstr_failure_dump_any; accepts NULL. */
void ktstr_failure_dump_free(struct ktstr_failure_dump *dump);
/* A dump that could not be taken: every part of it says why. Heap. */
struct ktstr_failure_dump *ktstr_failure_dump_placeholder(const char *reason);

struct ktstr_dump_text_options {
	bool colour; /* headings and errors in colour, for a terminal */
	/* Scheduler, runqueues, queues, without a heading, and the scheduler's variables; a placeholder has none. */
	bool sched_ext_only;
};

/* The dump as text for people, in the order maps, registers, allocators, programs, CPU time, ... ; heap. */
char *ktstr_failure_dump_to_text(const struct ktstr_failure_dump_any *dump, const struct ktstr_dump_text_options *options);

#ifdef __cplusplus
}
#endif
#endif
