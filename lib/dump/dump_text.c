// SPDX-License-Identifier: GPL-2.0-only
/* A dump as text: one section a part, in the order in which one reads a scheduler's failure; absent parts say why. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "dump/text.h"
#include "ktstr/cpuset.h"

struct writer {
	struct ktstr_str out;
	struct ktstr_text_style style;
	const struct ktstr_failure_dump *dump;
	struct ktstr_text_table table;
	bool sched_ext_only;
};

static void heading(struct writer *writer, const char *title)
{
	ktstr_str_addf(&writer->out, "%s%s%s\n", writer->style.heading, title, writer->style.reset);
}

/* The section's heading when it has anything to say, and the reason when it has nothing to show. */
static bool begin(struct writer *writer, const char *title, size_t count, const char *unavailable)
{
	if (!count && !unavailable)
		return false;
	heading(writer, title);
	if (unavailable) {
		ktstr_str_add(&writer->out, "  unavailable: ");
		ktstr_text_guest(&writer->out, unavailable);
		ktstr_str_add(&writer->out, "\n");
	}
	return count;
}

static void header_row(struct writer *writer, const char *const *titles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ktstr_table_cell(&writer->table, titles[i]);
	ktstr_table_row(&writer->table);
}

#define HEADER(WRITER, ...)                                                                                            \
	do {                                                                                                           \
		static const char *const titles_[] = { __VA_ARGS__ };                                                  \
		header_row((WRITER), titles_, ARRAY_SIZE(titles_));                                                    \
	} while (0)

static void number(struct writer *writer, uint64_t value)
{
	ktstr_table_cellf(&writer->table, "%llu", (unsigned long long)value);
}

static void signed_number(struct writer *writer, int64_t value)
{
	ktstr_table_cellf(&writer->table, "%lld", (long long)value);
}

static void end(struct writer *writer)
{
	ktstr_table_print(&writer->table, &writer->out, 2);
}

static void maps(struct writer *writer)
{
	if (!begin(writer, "BPF maps", writer->dump->maps_count, NULL))
		return;
	for (size_t i = 0; i < writer->dump->maps_count; i++)
		ktstr_map_text(&writer->out, &writer->dump->maps[i], &writer->style);
	if (writer->dump->maps_truncated)
		ktstr_str_add(&writer->out, "  (the time limit ended it here: there are more maps)\n");
}

static void registers_of(struct writer *writer, struct ktstr_vcpu_reg_snapshot *const *registers, size_t count)
{
	if (!begin(writer, "vCPU registers", count, NULL))
		return;
	HEADER(writer, "cpu", "ip", "sp", "page tables", "in");
	for (size_t i = 0; i < count; i++) {
		number(writer, i);
		if (registers[i]) {
			ktstr_table_cellf(&writer->table, "0x%llx", (unsigned long long)registers[i]->instruction_pointer);
			ktstr_table_cellf(&writer->table, "0x%llx", (unsigned long long)registers[i]->stack_pointer);
			ktstr_table_cellf(&writer->table, "0x%llx", (unsigned long long)registers[i]->page_table_root);
			ktstr_table_cell(&writer->table, registers[i]->symbol);
		} else {
			ktstr_table_cell(&writer->table, "never stood still");
		}
		ktstr_table_row(&writer->table);
	}
	end(writer);
}

static void vcpu_registers(struct writer *writer)
{
	registers_of(writer, writer->dump->vcpu_regs, writer->dump->vcpu_regs_count);
}

static void allocators(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (begin(writer, "arena allocators", dump->sdt_allocations_count + dump->scx_static_ranges_count,
		  dump->sdt_alloc_unavailable))
		for (size_t i = 0; i < dump->scx_static_ranges_count; i++) {
			ktstr_str_add(&writer->out, "  static ");
			ktstr_text_guest(&writer->out, dump->scx_static_ranges[i].name);
			ktstr_str_addf(&writer->out, ": 0x%llx, %llu of %llu bytes used\n",
				       (unsigned long long)dump->scx_static_ranges[i].user_addr,
				       (unsigned long long)dump->scx_static_ranges[i].used_bytes,
				       (unsigned long long)dump->scx_static_ranges[i].bytes);
		}
	for (size_t i = 0; i < dump->sdt_allocations_count; i++) {
		const struct ktstr_sdt_allocations *allocator = &dump->sdt_allocations[i];

		ktstr_str_add(&writer->out, "  ");
		ktstr_text_guest(&writer->out, allocator->allocator_name);
		ktstr_str_addf(&writer->out, ": %zu objects of %llu bytes%s", allocator->entries_count,
			       (unsigned long long)allocator->elem_size, allocator->truncated ? ", not all of them read" : "");
		if (allocator->skipped_subtrees)
			ktstr_str_addf(&writer->out, ", %llu pointers lead nowhere",
				       (unsigned long long)allocator->skipped_subtrees);
		ktstr_str_add(&writer->out, "\n");
		for (size_t k = 0; k < allocator->entries_count; k++) {
			ktstr_str_addf(&writer->out, "    [%llu.%llu] 0x%llx ", (unsigned long long)allocator->entries[k].idx,
				       (unsigned long long)allocator->entries[k].genn,
				       (unsigned long long)allocator->entries[k].user_addr);
			if (allocator->entries[k].payload)
				ktstr_value_block(&writer->out, allocator->entries[k].payload, 4);
			ktstr_str_add(&writer->out, "\n");
		}
	}
}

static void programs(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (!begin(writer, "BPF programs", dump->prog_runtime_stats_count, dump->prog_runtime_stats_unavailable))
		return;
	HEADER(writer, "name", "calls", "ns", "ns/call", "misses", "verified insns");
	for (size_t i = 0; i < dump->prog_runtime_stats_count; i++) {
		const struct ktstr_prog_runtime_stats *prog = &dump->prog_runtime_stats[i];

		ktstr_table_cell(&writer->table, prog->name);
		number(writer, prog->cnt);
		number(writer, prog->nsecs);
		if (prog->cnt)
			number(writer, prog->nsecs / prog->cnt);
		else
			ktstr_table_cell(&writer->table, NULL);
		number(writer, prog->misses);
		ktstr_table_opt(&writer->table, &prog->verified_insns);
		ktstr_table_row(&writer->table);
	}
	end(writer);
}

static void cpu_time(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;
	static const size_t softirqs[] = { 1, 2, 3, 7, 9 }; /* TIMER, NET_TX, NET_RX, SCHED, RCU */

	if (!begin(writer, "CPU time (ms)", dump->per_cpu_time_count, NULL))
		return;
	HEADER(writer, "cpu", "user", "nice", "system", "softirq", "irq", "idle", "iowait", "steal", "irqs", "TIMER", "NET_TX",
	       "NET_RX", "SCHED", "RCU");
	for (size_t i = 0; i < dump->per_cpu_time_count; i++) {
		const struct ktstr_per_cpu_time_stats *cpu = &dump->per_cpu_time[i];
		const uint64_t times[] = { cpu->cpustat_user_ns,    cpu->cpustat_nice_ns, cpu->cpustat_system_ns,
					   cpu->cpustat_softirq_ns, cpu->cpustat_irq_ns,  cpu->cpustat_idle_ns,
					   cpu->cpustat_iowait_ns,  cpu->cpustat_steal_ns };

		number(writer, cpu->cpu);
		for (size_t k = 0; k < ARRAY_SIZE(times); k++)
			number(writer, times[k] / 1000000);
		number(writer, cpu->irqs_sum);
		for (size_t k = 0; k < ARRAY_SIZE(softirqs); k++)
			if (softirqs[k] < cpu->softirqs_count)
				number(writer, cpu->softirqs[softirqs[k]]);
			else
				ktstr_table_cell(&writer->table, NULL);
		ktstr_table_row(&writer->table);
	}
	end(writer);
}

static void numa(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (!begin(writer, "NUMA (pages)", dump->per_node_numa_count, dump->per_node_numa_unavailable))
		return;
	HEADER(writer, "node", "hit", "miss", "foreign", "interleave", "local", "other");
	for (size_t i = 0; i < dump->per_node_numa_count; i++) {
		const struct ktstr_per_node_numa_stats *node = &dump->per_node_numa[i];
		const uint64_t counts[] = { node->node,		       node->numa_hit,	 node->numa_miss, node->numa_foreign,
					    node->numa_interleave_hit, node->numa_local, node->numa_other };

		for (size_t k = 0; k < ARRAY_SIZE(counts); k++)
			number(writer, counts[k]);
		ktstr_table_row(&writer->table);
	}
	end(writer);
}

/* "12.50/1234": the average in %, the total in ms. */
static void psi(struct writer *writer, const struct ktstr_psi_stats *stats)
{
	if (stats)
		ktstr_table_cellf(&writer->table, "%.2f/%llu", stats->avg10_pct, (unsigned long long)stats->total_us / 1000);
	else
		ktstr_table_cell(&writer->table, NULL);
}

static void cgroups(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (!begin(writer, "pressure of cgroups (average of 10 s in %/total in ms)", dump->cgroup_psi_count,
		   dump->cgroup_psi_unavailable))
		return;
	HEADER(writer, "cgroup", "id", "cpu some", "cpu full", "memory some", "memory full", "io some", "io full", "irq full");
	for (size_t i = 0; i < dump->cgroup_psi_count; i++) {
		const struct ktstr_cgroup_psi *cgroup = &dump->cgroup_psi[i];
		const struct ktstr_psi_stats *const stats[] = { cgroup->cpu_some,    cgroup->cpu_full, cgroup->memory_some,
								cgroup->memory_full, cgroup->io_some,  cgroup->io_full,
								cgroup->irq_full };

		ktstr_table_cell(&writer->table, cgroup->cgroup);
		number(writer, cgroup->id);
		for (size_t k = 0; k < ARRAY_SIZE(stats); k++)
			psi(writer, stats[k]);
		ktstr_table_row(&writer->table);
	}
	end(writer);
	if (dump->cgroup_psi_irq_unavailable) {
		ktstr_str_add(&writer->out, "  no irq full: ");
		ktstr_text_guest(&writer->out, dump->cgroup_psi_irq_unavailable);
		ktstr_str_add(&writer->out, "\n");
	}
	if (dump->cgroup_psi_truncated)
		ktstr_str_add(&writer->out, "  (there are more cgroups, or some could not be read)\n");
}

static void task_notes(struct writer *writer, const struct ktstr_task_enrichment *task)
{
	_cleanup_str_ struct ktstr_str notes = { 0 };

	if (task->runnable_for_ms.set)
		ktstr_str_addf(&notes, "runnable for %llu ms", (unsigned long long)task->runnable_for_ms.value);
	if (task->pi_boosted_out_of_scx)
		ktstr_str_addf(&notes, "%sboosted out of sched_ext", notes.length ? ", " : "");
	if (task->lock_slowpath_match)
		ktstr_str_addf(&notes, "%swaits in %s", notes.length ? ", " : "", task->lock_slowpath_match);
	ktstr_table_cell(&writer->table, ktstr_str_text(&notes));
}

static void tasks(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (!begin(writer, "tasks", dump->task_enrichments_count, dump->task_enrichments_unavailable))
		return;
	HEADER(writer, "pid", "tgid", "comm", "class", "cpu", "prio", "weight", "nvcsw", "nivcsw", "threads", "parent", "notes");
	for (size_t i = 0; i < dump->task_enrichments_count; i++) {
		const struct ktstr_task_enrichment *task = &dump->task_enrichments[i];

		signed_number(writer, task->pid);
		signed_number(writer, task->tgid);
		ktstr_table_cell(&writer->table, task->comm);
		ktstr_table_cell(&writer->table, task->sched_class);
		if (task->cpu.set)
			number(writer, task->cpu.value);
		else
			ktstr_table_cell(&writer->table, NULL);
		signed_number(writer, task->prio);
		number(writer, task->weight);
		number(writer, task->nvcsw);
		number(writer, task->nivcsw);
		if (task->nr_threads.set)
			signed_number(writer, task->nr_threads.value);
		else
			ktstr_table_cell(&writer->table, NULL);
		ktstr_table_cell(&writer->table, task->real_parent_comm);
		task_notes(writer, task);
		ktstr_table_row(&writer->table);
	}
	end(writer);
}

/* enum scx_exit_kind, kernel/sched/ext_internal.h. */
static const char *exit_kind_name(int64_t kind)
{
	static const struct {
		int64_t kind;
		const char *name;
	} kinds[] = {
		{ 0, "NONE" },	     { 1, "DONE" },	{ 64, "UNREG" },	 { 65, "UNREG_BPF" },	  { 66, "UNREG_KERN" },
		{ 67, "SYSRQ" }, { 68, "PARENT" }, { 1024, "ERROR" }, { 1025, "ERROR_BPF" }, { 1026, "ERROR_STALL" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "?";
}

static void task_list(struct writer *writer, const uint64_t *addresses, size_t count, bool truncated)
{
	for (size_t i = 0; i < count; i++) {
		ktstr_str_add(&writer->out, i ? ", " : ": ");
		if (!ktstr_text_task(&writer->out, writer->dump, addresses[i]))
			ktstr_str_addf(&writer->out, "0x%llx", (unsigned long long)addresses[i]);
	}
	ktstr_str_add(&writer->out, truncated ? " (the list is not whole)\n" : "\n");
}

static void scheduler_state(struct writer *writer, const struct ktstr_scx_sched_state *state)
{
	ktstr_str_add(&writer->out, "  scheduler ");
	ktstr_text_guest(&writer->out, state->ops_name ? state->ops_name : "?");
	ktstr_str_addf(&writer->out, ": exit_kind %s (%lld), bypass_depth %lld%s", exit_kind_name(state->exit_kind),
		       (long long)state->exit_kind, (long long)state->bypass_depth, state->aborting ? ", aborting" : "");
	if (state->watchdog_timeout.set)
		ktstr_str_addf(&writer->out, ", watchdog %llu jiffies", (unsigned long long)state->watchdog_timeout.value);
	ktstr_str_add(&writer->out, "\n");
}

static void runqueues(struct writer *writer)
{
	for (size_t i = 0; i < writer->dump->rq_scx_states_count; i++) {
		const struct ktstr_rq_scx_state *rq = &writer->dump->rq_scx_states[i];

		ktstr_str_addf(&writer->out, "  cpu %u: ", rq->cpu);
		if (rq->curr_pid.set) {
			ktstr_str_add(&writer->out, "runs ");
			ktstr_text_guest(&writer->out, rq->curr_comm ? rq->curr_comm : "?");
			ktstr_str_addf(&writer->out, " (%lld), ", (long long)rq->curr_pid.value);
		}
		ktstr_str_addf(&writer->out, "%llu runnable, flags 0x%llx%s", (unsigned long long)rq->nr_running,
			       (unsigned long long)rq->flags, rq->cpu_released ? ", released to another class" : "");
		task_list(writer, rq->runnable_task_kvas, rq->runnable_task_kvas_count, rq->runnable_truncated);
	}
}

static void queues(struct writer *writer)
{
	size_t empty = 0;

	for (size_t i = 0; i < writer->dump->dsq_states_count; i++) {
		const struct ktstr_dsq_state *dsq = &writer->dump->dsq_states[i];

		if (!dsq->nr && !dsq->task_kvas_count && !dsq->truncated) {
			empty++;
			continue;
		}
		ktstr_str_add(&writer->out, "  queue ");
		ktstr_text_queue(&writer->out, dsq);
		ktstr_str_addf(&writer->out, ", %llu tasks", (unsigned long long)dsq->nr);
		task_list(writer, dsq->task_kvas, dsq->task_kvas_count, dsq->truncated);
	}
	if (empty)
		ktstr_str_addf(&writer->out, "  (%zu empty queues)\n", empty);
}

static void sched_ext_lines(struct writer *writer)
{
	if (writer->dump->scx_sched_state)
		scheduler_state(writer, writer->dump->scx_sched_state);
	ktstr_text_longest_wait(&writer->out, writer->dump);
	runqueues(writer);
	queues(writer);
}

static void sched_ext(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (begin(writer, "sched_ext", dump->rq_scx_states_count + dump->dsq_states_count + (dump->scx_sched_state != NULL),
		  dump->scx_walker_unavailable))
		sched_ext_lines(writer);
}

#define COUNTER(MEMBER) { #MEMBER, offsetof(struct ktstr_event_counter_sample, MEMBER) }

static const struct event_counter {
	const char *name;
	size_t offset;
} event_counters[] = {
	COUNTER(select_cpu_fallback), COUNTER(dispatch_local_dsq_offline), COUNTER(dispatch_keep_last),
	COUNTER(enq_skip_exiting), COUNTER(enq_skip_migration_disabled), COUNTER(reenq_immed),
	COUNTER(reenq_local_repeat), COUNTER(refill_slice_dfl), COUNTER(bypass_duration), COUNTER(bypass_dispatch),
	COUNTER(bypass_activate), COUNTER(insert_not_owned), COUNTER(sub_bypass_dispatch),
};

static int64_t count_at(const struct ktstr_failure_dump *dump, const struct event_counter *counter, size_t sample)
{
	const char *at = (const char *)&dump->event_counter_timeline[sample] + counter->offset;
	const struct ktstr_opt_i64 *count = (const void *)at;

	return count->set ? count->value : 0;
}

/* How much was counted in each part of the time line, at most 60 of them, on a scale of eight bars. */
static void sparkline(struct writer *writer, const struct event_counter *counter)
{
	enum { PARTS = 60 };
	static const char *const bars[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	const struct ktstr_failure_dump *dump = writer->dump;
	size_t steps = dump->event_counter_timeline_count - 1, parts = steps < PARTS ? steps : PARTS;
	int64_t first = count_at(dump, counter, 0), last = count_at(dump, counter, steps), deltas[PARTS], most = 1;
	_cleanup_str_ struct ktstr_str line = { 0 };

	if (first == last)
		return;
	for (size_t i = 0; i < parts; i++) {
		int64_t from = count_at(dump, counter, steps * i / parts), to = count_at(dump, counter, steps * (i + 1) / parts);

		/* Garbage may be at both ends of the range. */
		if (to <= from || __builtin_sub_overflow(to, from, &deltas[i]))
			deltas[i] = 0;
		most = deltas[i] > most ? deltas[i] : most;
	}
	for (size_t i = 0; i < parts; i++)
		ktstr_str_add(&line, bars[(size_t)((double)deltas[i] / (double)most * 7.0 + (deltas[i] ? 1 : 0))]);
	ktstr_table_cell(&writer->table, counter->name);
	ktstr_table_cell(&writer->table, ktstr_str_text(&line));
	ktstr_table_cellf(&writer->table, "%lld → %lld", (long long)first, (long long)last);
	ktstr_table_row(&writer->table);
}

static void events(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;
	size_t count = dump->event_counter_timeline_count;

	if (!begin(writer, "sched_ext events", count, NULL))
		return;
	ktstr_str_addf(&writer->out, "  %zu samples, %llu to %llu ms\n", count,
		       (unsigned long long)dump->event_counter_timeline[0].elapsed_ms,
		       (unsigned long long)dump->event_counter_timeline[count - 1].elapsed_ms);
	for (size_t i = 0; count > 1 && i < ARRAY_SIZE(event_counters); i++)
		sparkline(writer, &event_counters[i]);
	end(writer);
}

static void perf(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (!begin(writer, "vCPU performance counters", dump->vcpu_perf_at_freeze_count, NULL))
		return;
	HEADER(writer, "cpu", "cycles", "instructions", "ipc", "cache misses", "branch misses");
	for (size_t i = 0; i < dump->vcpu_perf_at_freeze_count; i++) {
		const struct ktstr_vcpu_perf *counts = dump->vcpu_perf_at_freeze[i];

		number(writer, i);
		if (counts) {
			number(writer, counts->cycles);
			number(writer, counts->instructions);
			ktstr_table_cellf(&writer->table, "%.2f",
					  counts->cycles ? (double)counts->instructions / (double)counts->cycles : 0.0);
			number(writer, counts->cache_misses);
			number(writer, counts->branch_misses);
		}
		ktstr_table_row(&writer->table);
	}
	end(writer);
}

static void footer(struct writer *writer)
{
	const struct ktstr_failure_dump *dump = writer->dump;

	if (dump->vmcore || dump->vmcore_unavailable) {
		ktstr_str_add(&writer->out, dump->vmcore ? "ELF core: " : "no ELF core: ");
		ktstr_text_guest(&writer->out, dump->vmcore ? dump->vmcore : dump->vmcore_unavailable);
		ktstr_str_add(&writer->out, "\n");
	}
	if (dump->dump_truncated_at_us.set)
		ktstr_str_addf(&writer->out, "%sthe time limit ended the dump after %llu us: parts are missing%s\n",
			       writer->style.error, (unsigned long long)dump->dump_truncated_at_us.value, writer->style.reset);
}

static void placeholder(struct writer *writer)
{
	if (!writer->dump->is_placeholder)
		return;
	ktstr_str_addf(&writer->out, "%sno dump was taken%s\n", writer->style.error, writer->style.reset);
}

/* The .bss and .data of the scheduler; what is constant there is not what happened. */
static void variables(struct writer *writer)
{
	const char *object = writer->dump->active_obj_name;

	for (size_t i = 0; object && i < writer->dump->maps_count; i++) {
		const struct ktstr_failure_dump_map *map = &writer->dump->maps[i];
		size_t length = strlen(object);

		if (!strncmp(map->name, object, length) &&
		    (!strcmp(map->name + length, ".bss") || !strcmp(map->name + length, ".data")))
			ktstr_map_text(&writer->out, map, &writer->style);
	}
}

static void single(struct writer *writer, const struct ktstr_failure_dump *dump)
{
	static void (*const sections[])(struct writer *writer) = {
		placeholder, maps, vcpu_registers, allocators, programs, cpu_time, numa, cgroups, tasks, sched_ext, events, perf, footer,
	};
	size_t before = writer->out.length;

	writer->dump = writer->style.dump = dump;
	if (writer->sched_ext_only) {
		sched_ext_lines(writer);
		variables(writer);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		sections[i](writer);
	if (writer->out.length == before)
		ktstr_str_add(&writer->out, "(empty failure dump)\n");
}

static void dual(struct writer *writer, const struct ktstr_dual_failure_dump *dump)
{
	heading(writer, "=== early dump");
	ktstr_str_addf(&writer->out, "the oldest runnable task had waited %llu jiffies, the threshold is %llu\n",
		       (unsigned long long)dump->early_max_age_jiffies, (unsigned long long)dump->early_threshold_jiffies);
	if (dump->early) {
		single(writer, dump->early);
	} else {
		ktstr_str_add(&writer->out, "not taken: ");
		ktstr_text_guest(&writer->out, dump->early_skipped_reason ? dump->early_skipped_reason : "no reason given");
		ktstr_str_add(&writer->out, "\n");
	}
	heading(writer, "=== late dump");
	single(writer, dump->late);
}

static void degraded(struct writer *writer, const struct ktstr_degraded_failure_dump *dump)
{
	ktstr_str_addf(&writer->out, "%sdegraded dump: ", writer->style.error);
	ktstr_text_guest(&writer->out, dump->reason);
	ktstr_str_addf(&writer->out, "%s\n", writer->style.reset);
	if (dump->elapsed_ms)
		ktstr_str_addf(&writer->out, "after %llu ms\n", (unsigned long long)dump->elapsed_ms);
	if (dump->exit_kind.set)
		ktstr_str_addf(&writer->out, "exit_kind %s (%lld)\n", exit_kind_name(dump->exit_kind.value),
			       (long long)dump->exit_kind.value);
	ktstr_str_addf(&writer->out, "the watch on exit_kind %s; probe flag: ", dump->watchpoint_hit ? "fired" : "did not fire");
	ktstr_text_guest(&writer->out, dump->bss_latch_state ? dump->bss_latch_state : "unknown");
	ktstr_str_add(&writer->out, "\n");
	registers_of(writer, dump->vcpu_regs, dump->vcpu_regs_count);
}

char *ktstr_failure_dump_to_text(const struct ktstr_failure_dump_any *dump, const struct ktstr_dump_text_options *options)
{
	bool colour = options && options->colour;
	struct writer writer = {
		.style = { colour ? "\033[1m" : "", colour ? "\033[31m" : "", colour ? "\033[0m" : "" },
		.sched_ext_only = options && options->sched_ext_only,
	};

	switch (dump->schema) {
	case KTSTR_DUMP_SINGLE:
		single(&writer, dump->single);
		break;
	case KTSTR_DUMP_DUAL:
		dual(&writer, dump->dual);
		break;
	case KTSTR_DUMP_DEGRADED:
		degraded(&writer, dump->degraded);
		break;
	}
	return ktstr_str_take(&writer.out);
}
