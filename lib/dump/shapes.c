// SPDX-License-Identifier: GPL-2.0-only
/* What a dump is made of: one table a struct of include/ktstr/dump.h. */
#include "dump/shape.h"

#define REQUIRED  KTSTR_SLOT_REQUIRED
#define HEX	  KTSTR_SLOT_HEX
#define OMIT_ZERO KTSTR_SLOT_OMIT_ZERO

/* A table with its shape: SHAPE(name, struct, rows...). */
#define SHAPE(NAME, STRUCT, ...)                                                                                       \
	static const struct ktstr_slot NAME##_slots[] = { __VA_ARGS__ };                                               \
	static const struct ktstr_shape NAME##_shape = KTSTR_SHAPE(#NAME, STRUCT, NAME##_slots)

#define SLOT	 KTSTR_SLOT
#define LIST	 KTSTR_SLOT_LIST
#define NULLABLE KTSTR_SLOT_NULLABLE
#define NUMBERS	 KTSTR_SLOT_NUMBERS
#define OBJECT	 KTSTR_SLOT_OBJECT
#define VALUE(STRUCT, MEMBER) KTSTR_SLOT_OBJECT(STRUCT, MEMBER, &ktstr_value_shape, 0)

SHAPE(entry, ktstr_failure_dump_entry,
      VALUE(ktstr_failure_dump_entry, key),
      SLOT(ktstr_failure_dump_entry, key_hex, 0),
      VALUE(ktstr_failure_dump_entry, value),
      SLOT(ktstr_failure_dump_entry, value_hex, 0),
      VALUE(ktstr_failure_dump_entry, payload));

SHAPE(array_entry, ktstr_failure_dump_array_entry,
      SLOT(ktstr_failure_dump_array_entry, key, REQUIRED),
      VALUE(ktstr_failure_dump_array_entry, value));

SHAPE(percpu_entry, ktstr_failure_dump_percpu_entry,
      SLOT(ktstr_failure_dump_percpu_entry, key, REQUIRED),
      NULLABLE(ktstr_failure_dump_percpu_entry, per_cpu, &ktstr_value_shape));

SHAPE(percpu_hash_entry, ktstr_failure_dump_percpu_hash_entry,
      VALUE(ktstr_failure_dump_percpu_hash_entry, key),
      SLOT(ktstr_failure_dump_percpu_hash_entry, key_hex, 0),
      NULLABLE(ktstr_failure_dump_percpu_hash_entry, per_cpu, &ktstr_value_shape));

SHAPE(fd_array, ktstr_failure_dump_fd_array,
      SLOT(ktstr_failure_dump_fd_array, populated, REQUIRED),
      SLOT(ktstr_failure_dump_fd_array, scanned, REQUIRED),
      NUMBERS(ktstr_failure_dump_fd_array, indices, 0),
      SLOT(ktstr_failure_dump_fd_array, truncated, OMIT_ZERO),
      SLOT(ktstr_failure_dump_fd_array, indices_truncated, OMIT_ZERO),
      SLOT(ktstr_failure_dump_fd_array, unreadable, OMIT_ZERO));

SHAPE(ringbuf, ktstr_failure_dump_ringbuf,
      SLOT(ktstr_failure_dump_ringbuf, capacity, REQUIRED),
      SLOT(ktstr_failure_dump_ringbuf, consumer_pos, REQUIRED),
      SLOT(ktstr_failure_dump_ringbuf, producer_pos, REQUIRED),
      SLOT(ktstr_failure_dump_ringbuf, pending_pos, REQUIRED),
      SLOT(ktstr_failure_dump_ringbuf, pending_bytes, REQUIRED));

SHAPE(stack_trace_entry, ktstr_failure_dump_stack_trace_entry,
      SLOT(ktstr_failure_dump_stack_trace_entry, bucket_id, REQUIRED),
      SLOT(ktstr_failure_dump_stack_trace_entry, nr, REQUIRED),
      NUMBERS(ktstr_failure_dump_stack_trace_entry, pcs, HEX),
      SLOT(ktstr_failure_dump_stack_trace_entry, data_hex, REQUIRED));

SHAPE(stack_trace, ktstr_failure_dump_stack_trace,
      SLOT(ktstr_failure_dump_stack_trace, n_buckets, REQUIRED),
      LIST(ktstr_failure_dump_stack_trace, entries, &stack_trace_entry_shape),
      SLOT(ktstr_failure_dump_stack_trace, truncated, OMIT_ZERO),
      SLOT(ktstr_failure_dump_stack_trace, buckets_unreadable, OMIT_ZERO));

SHAPE(arena_page, ktstr_arena_page,
      SLOT(ktstr_arena_page, user_addr, REQUIRED | HEX),
      SLOT(ktstr_arena_page, bytes, REQUIRED));

SHAPE(arena, ktstr_arena_snapshot,
      LIST(ktstr_arena_snapshot, pages, &arena_page_shape),
      SLOT(ktstr_arena_snapshot, truncated, OMIT_ZERO),
      SLOT(ktstr_arena_snapshot, declared_pages, REQUIRED),
      SLOT(ktstr_arena_snapshot, span_capped, OMIT_ZERO),
      SLOT(ktstr_arena_snapshot, kern_vm_start, REQUIRED | HEX),
      SLOT(ktstr_arena_snapshot, user_vm_start, REQUIRED | HEX));

SHAPE(map, ktstr_failure_dump_map,
      SLOT(ktstr_failure_dump_map, name, REQUIRED),
      SLOT(ktstr_failure_dump_map, map_kva, HEX | OMIT_ZERO),
      SLOT(ktstr_failure_dump_map, map_type, REQUIRED),
      SLOT(ktstr_failure_dump_map, map_id, 0),
      SLOT(ktstr_failure_dump_map, value_size, REQUIRED),
      SLOT(ktstr_failure_dump_map, max_entries, REQUIRED),
      VALUE(ktstr_failure_dump_map, value),
      LIST(ktstr_failure_dump_map, entries, &entry_shape),
      LIST(ktstr_failure_dump_map, array_entries, &array_entry_shape),
      LIST(ktstr_failure_dump_map, percpu_entries, &percpu_entry_shape),
      LIST(ktstr_failure_dump_map, percpu_hash_entries, &percpu_hash_entry_shape),
      OBJECT(ktstr_failure_dump_map, arena, &arena_shape, 0),
      OBJECT(ktstr_failure_dump_map, ringbuf, &ringbuf_shape, 0),
      OBJECT(ktstr_failure_dump_map, stack_trace, &stack_trace_shape, 0),
      OBJECT(ktstr_failure_dump_map, fd_array, &fd_array_shape, 0),
      SLOT(ktstr_failure_dump_map, truncated, OMIT_ZERO),
      SLOT(ktstr_failure_dump_map, error, 0));

SHAPE(rq_scx_state, ktstr_rq_scx_state,
      SLOT(ktstr_rq_scx_state, cpu, REQUIRED),
      SLOT(ktstr_rq_scx_state, nr_running, REQUIRED),
      SLOT(ktstr_rq_scx_state, flags, REQUIRED),
      SLOT(ktstr_rq_scx_state, cpu_released, 0),
      SLOT(ktstr_rq_scx_state, ops_qseq, 0),
      SLOT(ktstr_rq_scx_state, kick_sync, 0),
      SLOT(ktstr_rq_scx_state, nr_immed, 0),
      SLOT(ktstr_rq_scx_state, rq_clock, 0),
      SLOT(ktstr_rq_scx_state, curr_pid, 0),
      SLOT(ktstr_rq_scx_state, curr_comm, 0),
      NUMBERS(ktstr_rq_scx_state, runnable_task_kvas, HEX),
      SLOT(ktstr_rq_scx_state, runnable_truncated, OMIT_ZERO));

SHAPE(dsq_state, ktstr_dsq_state,
      SLOT(ktstr_dsq_state, id, REQUIRED),
      SLOT(ktstr_dsq_state, origin, REQUIRED),
      SLOT(ktstr_dsq_state, nr, REQUIRED),
      SLOT(ktstr_dsq_state, seq, REQUIRED),
      NUMBERS(ktstr_dsq_state, task_kvas, HEX),
      SLOT(ktstr_dsq_state, truncated, OMIT_ZERO));

SHAPE(scx_sched_state, ktstr_scx_sched_state,
      SLOT(ktstr_scx_sched_state, aborting, 0),
      SLOT(ktstr_scx_sched_state, bypass_depth, 0),
      SLOT(ktstr_scx_sched_state, exit_kind, REQUIRED),
      SLOT(ktstr_scx_sched_state, watchdog_timeout, 0),
      SLOT(ktstr_scx_sched_state, source, 0),
      SLOT(ktstr_scx_sched_state, ops_name, 0),
      SLOT(ktstr_scx_sched_state, sched_kva, HEX | OMIT_ZERO));

SHAPE(task_enrichment, ktstr_task_enrichment,
      SLOT(ktstr_task_enrichment, task_kva, HEX | OMIT_ZERO),
      SLOT(ktstr_task_enrichment, pid, REQUIRED),
      SLOT(ktstr_task_enrichment, tgid, REQUIRED),
      SLOT(ktstr_task_enrichment, comm, REQUIRED),
      SLOT(ktstr_task_enrichment, group_leader_pid, 0),
      SLOT(ktstr_task_enrichment, real_parent_pid, 0),
      SLOT(ktstr_task_enrichment, real_parent_comm, 0),
      SLOT(ktstr_task_enrichment, pgid, 0),
      SLOT(ktstr_task_enrichment, sid, 0),
      SLOT(ktstr_task_enrichment, nr_threads, 0),
      SLOT(ktstr_task_enrichment, cpu, 0),
      SLOT(ktstr_task_enrichment, weight, 0),
      SLOT(ktstr_task_enrichment, prio, 0),
      SLOT(ktstr_task_enrichment, static_prio, 0),
      SLOT(ktstr_task_enrichment, normal_prio, 0),
      SLOT(ktstr_task_enrichment, rt_priority, 0),
      SLOT(ktstr_task_enrichment, sched_class, 0),
      SLOT(ktstr_task_enrichment, core_cookie, 0),
      SLOT(ktstr_task_enrichment, pi_boosted_out_of_scx, OMIT_ZERO),
      SLOT(ktstr_task_enrichment, nvcsw, 0),
      SLOT(ktstr_task_enrichment, nivcsw, 0),
      SLOT(ktstr_task_enrichment, signal_nvcsw, 0),
      SLOT(ktstr_task_enrichment, signal_nivcsw, 0),
      SLOT(ktstr_task_enrichment, lock_slowpath_match, 0),
      SLOT(ktstr_task_enrichment, scx_flags, 0),
      SLOT(ktstr_task_enrichment, scx_slice_ns, 0),
      SLOT(ktstr_task_enrichment, scx_dsq_vtime, 0),
      SLOT(ktstr_task_enrichment, scx_sticky_cpu, 0),
      SLOT(ktstr_task_enrichment, runnable_at_jiffies, 0),
      SLOT(ktstr_task_enrichment, runnable_for_ms, 0));

SHAPE(prog_runtime_stats, ktstr_prog_runtime_stats,
      SLOT(ktstr_prog_runtime_stats, name, REQUIRED),
      SLOT(ktstr_prog_runtime_stats, cnt, REQUIRED),
      SLOT(ktstr_prog_runtime_stats, nsecs, REQUIRED),
      SLOT(ktstr_prog_runtime_stats, misses, REQUIRED),
      SLOT(ktstr_prog_runtime_stats, verified_insns, 0));

SHAPE(event_counter_sample, ktstr_event_counter_sample,
      SLOT(ktstr_event_counter_sample, elapsed_ms, REQUIRED),
      SLOT(ktstr_event_counter_sample, select_cpu_fallback, 0),
      SLOT(ktstr_event_counter_sample, dispatch_local_dsq_offline, 0),
      SLOT(ktstr_event_counter_sample, dispatch_keep_last, 0),
      SLOT(ktstr_event_counter_sample, enq_skip_exiting, 0),
      SLOT(ktstr_event_counter_sample, enq_skip_migration_disabled, 0),
      SLOT(ktstr_event_counter_sample, reenq_immed, 0),
      SLOT(ktstr_event_counter_sample, reenq_local_repeat, 0),
      SLOT(ktstr_event_counter_sample, refill_slice_dfl, 0),
      SLOT(ktstr_event_counter_sample, bypass_duration, 0),
      SLOT(ktstr_event_counter_sample, bypass_dispatch, 0),
      SLOT(ktstr_event_counter_sample, bypass_activate, 0),
      SLOT(ktstr_event_counter_sample, insert_not_owned, 0),
      SLOT(ktstr_event_counter_sample, sub_bypass_dispatch, 0));

SHAPE(sdt_allocation_entry, ktstr_sdt_allocation_entry,
      SLOT(ktstr_sdt_allocation_entry, idx, REQUIRED),
      SLOT(ktstr_sdt_allocation_entry, genn, REQUIRED),
      SLOT(ktstr_sdt_allocation_entry, user_addr, REQUIRED | HEX),
      VALUE(ktstr_sdt_allocation_entry, payload));

SHAPE(sdt_allocations, ktstr_sdt_allocations,
      SLOT(ktstr_sdt_allocations, allocator_name, REQUIRED),
      LIST(ktstr_sdt_allocations, entries, &sdt_allocation_entry_shape),
      SLOT(ktstr_sdt_allocations, truncated, OMIT_ZERO),
      SLOT(ktstr_sdt_allocations, skipped_subtrees, 0),
      SLOT(ktstr_sdt_allocations, elem_size, REQUIRED),
      SLOT(ktstr_sdt_allocations, target_type_id, 0),
      SLOT(ktstr_sdt_allocations, payload_type_reason, 0));

SHAPE(scx_static_range, ktstr_scx_static_range,
      SLOT(ktstr_scx_static_range, name, REQUIRED),
      SLOT(ktstr_scx_static_range, user_addr, REQUIRED | HEX),
      SLOT(ktstr_scx_static_range, bytes, REQUIRED),
      SLOT(ktstr_scx_static_range, used_bytes, REQUIRED));

SHAPE(per_cpu_time, ktstr_per_cpu_time_stats,
      SLOT(ktstr_per_cpu_time_stats, cpu, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_user_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_nice_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_system_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_softirq_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_irq_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_idle_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_iowait_ns, REQUIRED),
      SLOT(ktstr_per_cpu_time_stats, cpustat_steal_ns, REQUIRED),
      NUMBERS(ktstr_per_cpu_time_stats, softirqs, 0),
      SLOT(ktstr_per_cpu_time_stats, irqs_sum, 0),
      SLOT(ktstr_per_cpu_time_stats, iowait_sleeptime_ns, 0));

SHAPE(per_node_numa, ktstr_per_node_numa_stats,
      SLOT(ktstr_per_node_numa_stats, node, REQUIRED),
      SLOT(ktstr_per_node_numa_stats, numa_hit, REQUIRED),
      SLOT(ktstr_per_node_numa_stats, numa_miss, REQUIRED),
      SLOT(ktstr_per_node_numa_stats, numa_foreign, REQUIRED),
      SLOT(ktstr_per_node_numa_stats, numa_interleave_hit, REQUIRED),
      SLOT(ktstr_per_node_numa_stats, numa_local, REQUIRED),
      SLOT(ktstr_per_node_numa_stats, numa_other, REQUIRED));

SHAPE(psi, ktstr_psi_stats,
      SLOT(ktstr_psi_stats, avg10_pct, REQUIRED),
      SLOT(ktstr_psi_stats, total_us, REQUIRED));

SHAPE(cgroup_psi, ktstr_cgroup_psi,
      SLOT(ktstr_cgroup_psi, cgroup, REQUIRED),
      SLOT(ktstr_cgroup_psi, id, REQUIRED),
      SLOT(ktstr_cgroup_psi, has_children, OMIT_ZERO),
      OBJECT(ktstr_cgroup_psi, cpu_some, &psi_shape, 0),
      OBJECT(ktstr_cgroup_psi, cpu_full, &psi_shape, 0),
      OBJECT(ktstr_cgroup_psi, memory_some, &psi_shape, 0),
      OBJECT(ktstr_cgroup_psi, memory_full, &psi_shape, 0),
      OBJECT(ktstr_cgroup_psi, io_some, &psi_shape, 0),
      OBJECT(ktstr_cgroup_psi, io_full, &psi_shape, 0),
      OBJECT(ktstr_cgroup_psi, irq_full, &psi_shape, 0));

SHAPE(vcpu_regs, ktstr_vcpu_reg_snapshot,
      SLOT(ktstr_vcpu_reg_snapshot, instruction_pointer, REQUIRED | HEX),
      SLOT(ktstr_vcpu_reg_snapshot, stack_pointer, REQUIRED | HEX),
      SLOT(ktstr_vcpu_reg_snapshot, page_table_root, REQUIRED | HEX),
      SLOT(ktstr_vcpu_reg_snapshot, user_page_table_root, HEX),
      SLOT(ktstr_vcpu_reg_snapshot, tcr_el1, HEX),
      SLOT(ktstr_vcpu_reg_snapshot, symbol, 0));

SHAPE(vcpu_perf, ktstr_vcpu_perf,
      SLOT(ktstr_vcpu_perf, cycles, REQUIRED),
      SLOT(ktstr_vcpu_perf, instructions, REQUIRED),
      SLOT(ktstr_vcpu_perf, cache_misses, REQUIRED),
      SLOT(ktstr_vcpu_perf, branch_misses, REQUIRED),
      SLOT(ktstr_vcpu_perf, time_enabled_ns, REQUIRED),
      SLOT(ktstr_vcpu_perf, time_running_ns, REQUIRED));

SHAPE(probe_counters, ktstr_probe_bss_counters,
      SLOT(ktstr_probe_bss_counters, probe_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, kprobe_returns, REQUIRED),
      SLOT(ktstr_probe_bss_counters, meta_miss, REQUIRED),
      SLOT(ktstr_probe_bss_counters, ringbuf_drops, REQUIRED),
      SLOT(ktstr_probe_bss_counters, timeline_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, timeline_drops, REQUIRED),
      SLOT(ktstr_probe_bss_counters, pi_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, pi_orphan_fexits, REQUIRED),
      SLOT(ktstr_probe_bss_counters, pi_class_change_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, pi_drops, REQUIRED),
      SLOT(ktstr_probe_bss_counters, lock_contend_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, lock_contend_drops, REQUIRED),
      SLOT(ktstr_probe_bss_counters, preempt_disable_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, preempt_enable_count, REQUIRED),
      SLOT(ktstr_probe_bss_counters, trigger_count, REQUIRED));

static const struct ktstr_slot single_slots[] = {
	LIST(ktstr_failure_dump, maps, &map_shape),
	NULLABLE(ktstr_failure_dump, vcpu_regs, &vcpu_regs_shape),
	SLOT(ktstr_failure_dump, active_obj_name, 0),
	NUMBERS(ktstr_failure_dump, active_map_kvas, HEX),
	LIST(ktstr_failure_dump, sdt_allocations, &sdt_allocations_shape),
	LIST(ktstr_failure_dump, scx_static_ranges, &scx_static_range_shape),
	LIST(ktstr_failure_dump, prog_runtime_stats, &prog_runtime_stats_shape),
	LIST(ktstr_failure_dump, per_cpu_time, &per_cpu_time_shape),
	LIST(ktstr_failure_dump, per_node_numa, &per_node_numa_shape),
	LIST(ktstr_failure_dump, cgroup_psi, &cgroup_psi_shape),
	LIST(ktstr_failure_dump, task_enrichments, &task_enrichment_shape),
	LIST(ktstr_failure_dump, event_counter_timeline, &event_counter_sample_shape),
	LIST(ktstr_failure_dump, rq_scx_states, &rq_scx_state_shape),
	LIST(ktstr_failure_dump, dsq_states, &dsq_state_shape),
	OBJECT(ktstr_failure_dump, scx_sched_state, &scx_sched_state_shape, 0),
	NULLABLE(ktstr_failure_dump, vcpu_perf_at_freeze, &vcpu_perf_shape),
	OBJECT(ktstr_failure_dump, probe_counters, &probe_counters_shape, 0),
	SLOT(ktstr_failure_dump, dump_truncated_at_us, 0),
	SLOT(ktstr_failure_dump, vmcore, 0),
	SLOT(ktstr_failure_dump, vmcore_unavailable, 0),
	SLOT(ktstr_failure_dump, maps_truncated, OMIT_ZERO),
	SLOT(ktstr_failure_dump, cgroup_psi_truncated, OMIT_ZERO),
	SLOT(ktstr_failure_dump, is_placeholder, OMIT_ZERO),
	SLOT(ktstr_failure_dump, sdt_alloc_unavailable, 0),
	SLOT(ktstr_failure_dump, prog_runtime_stats_unavailable, 0),
	SLOT(ktstr_failure_dump, per_node_numa_unavailable, 0),
	SLOT(ktstr_failure_dump, cgroup_psi_unavailable, 0),
	SLOT(ktstr_failure_dump, cgroup_psi_irq_unavailable, 0),
	SLOT(ktstr_failure_dump, task_enrichments_unavailable, 0),
	SLOT(ktstr_failure_dump, scx_walker_unavailable, 0),
};
const struct ktstr_shape ktstr_single_shape = {
	.name = KTSTR_SCHEMA_SINGLE, .schema = KTSTR_SCHEMA_SINGLE, .bytes = sizeof(struct ktstr_failure_dump), .slots = single_slots,
	.slots_count = sizeof(single_slots) / sizeof(single_slots[0]),
};

static const struct ktstr_slot dual_slots[] = {
	OBJECT(ktstr_dual_failure_dump, early, &ktstr_single_shape, 0),
	OBJECT(ktstr_dual_failure_dump, late, &ktstr_single_shape, REQUIRED),
	SLOT(ktstr_dual_failure_dump, early_max_age_jiffies, OMIT_ZERO),
	SLOT(ktstr_dual_failure_dump, early_threshold_jiffies, OMIT_ZERO),
	SLOT(ktstr_dual_failure_dump, early_skipped_reason, 0),
};
const struct ktstr_shape ktstr_dual_shape = {
	.name = KTSTR_SCHEMA_DUAL, .schema = KTSTR_SCHEMA_DUAL, .bytes = sizeof(struct ktstr_dual_failure_dump), .slots = dual_slots,
	.slots_count = sizeof(dual_slots) / sizeof(dual_slots[0]),
};

static const struct ktstr_slot degraded_slots[] = {
	SLOT(ktstr_degraded_failure_dump, reason, REQUIRED),
	NULLABLE(ktstr_degraded_failure_dump, vcpu_regs, &vcpu_regs_shape),
	SLOT(ktstr_degraded_failure_dump, watchpoint_hit, 0),
	SLOT(ktstr_degraded_failure_dump, bss_latch_state, 0),
	SLOT(ktstr_degraded_failure_dump, exit_kind, 0),
	SLOT(ktstr_degraded_failure_dump, elapsed_ms, OMIT_ZERO),
};
const struct ktstr_shape ktstr_degraded_shape = {
	.name = KTSTR_SCHEMA_DEGRADED, .schema = KTSTR_SCHEMA_DEGRADED, .bytes = sizeof(struct ktstr_degraded_failure_dump), .slots = degraded_slots,
	.slots_count = sizeof(degraded_slots) / sizeof(degraded_slots[0]),
};

const struct ktstr_shape *const ktstr_dump_shapes[] = {
	&ktstr_single_shape, &ktstr_dual_shape,	 &ktstr_degraded_shape, &map_shape,
	&entry_shape,	     &array_entry_shape, &percpu_entry_shape,	&percpu_hash_entry_shape,
	&fd_array_shape,     &ringbuf_shape,	 &stack_trace_shape,	&stack_trace_entry_shape,
	&arena_shape,	     &arena_page_shape,	 &rq_scx_state_shape,	&dsq_state_shape,
	&scx_sched_state_shape, &task_enrichment_shape, &prog_runtime_stats_shape, &event_counter_sample_shape,
	&sdt_allocations_shape, &sdt_allocation_entry_shape, &scx_static_range_shape, &per_cpu_time_shape,
	&per_node_numa_shape, &psi_shape, &cgroup_psi_shape, &vcpu_regs_shape, &vcpu_perf_shape, &probe_counters_shape,
};
const size_t ktstr_dump_shapes_count = sizeof(ktstr_dump_shapes) / sizeof(ktstr_dump_shapes[0]);
