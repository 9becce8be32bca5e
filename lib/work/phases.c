// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices of a worker's telemetry: one for each phase that the parent announced while the worker lived. A change of the
 * phase word is seen at the next checkpoint; what came before it belongs to the phase that ended.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "work/numa.h"
#include "work/threads.h"
#include "work/work_type.h"

static void open_slice(struct worker *w, uint32_t epoch, uint64_t now_ns)
{
	struct work_phase *phase = &w->phase;
	size_t bench_bytes = work_type_ops(w->type->kind)->stats_since ? work_type_ops(w->type->kind)->shared_bytes : 0;

	phase->epoch = epoch;
	phase->open = false;
	if (epoch == 0 || epoch == UINT32_MAX)
		return;
	if (w->shared->phases_count == WORK_PHASES_MAX) {
		work_warn_once(w, WORK_WARN_PHASES,
			       "%s ran through more than %d phases: those from here on have no slices",
			       ktstr_work_type_name(w->type->kind), WORK_PHASES_MAX);
		return;
	}
	free(phase->bench);
	*phase = (struct work_phase){
		.open = true,
		.epoch = epoch,
		.begin_ns = now_ns,
		.begin_cpu_ns = work_cpu_ns(w),
		.iterations = w->iterations,
		.migrations = work_migrations(w),
		.schedstat = work_read_schedstat(),
		.pages_migrated = work_numa_pages_migrated(),
		.bench = bench_bytes ? malloc(bench_bytes) : NULL,
	};
	if (phase->bench)
		memcpy(phase->bench, w->group->memory, bench_bytes);
	ktstr_cpus_add(&phase->cpus_used, w->last_cpu);
	if (w->team)
		work_threads_forget_cpus(w->team);
}

static void seal_bench(struct worker *w, size_t index)
{
	const struct work_type_ops *ops = work_type_ops(w->type->kind);
	void *into = &w->shared->phase_bench[index];

	if (!w->phase.bench)
		return;
	memcpy(into, w->group->memory, ops->shared_bytes);
	ops->stats_since(into, w->phase.bench);
	free(w->phase.bench);
	w->phase.bench = NULL;
}

static void seal_slice(struct worker *w, uint64_t now_ns)
{
	struct work_phase *phase = &w->phase;
	struct work_schedstat stat = work_read_schedstat();
	struct ktstr_opt_u64 migrated = work_numa_pages_migrated();
	size_t index = w->shared->phases_count;
	struct ktstr_phase_slice *slice = &w->shared->slices[index];

	*slice = (struct ktstr_phase_slice){
		.phase_epoch = phase->epoch,
		.cpus_used = phase->cpus_used,
		.wake_latencies.total_samples = phase->totals[WORK_WAKE],
		.timer_latencies.total_samples = phase->totals[WORK_TIMER],
		.run_delay_ns = { stat.available && phase->schedstat.available,
				  stat.run_delay_ns - phase->schedstat.run_delay_ns },
		.wall_time_ns = now_ns - phase->begin_ns,
		.migration_count = work_migrations(w) - phase->migrations,
		.iterations = w->iterations - phase->iterations,
		.cpu_time_ns = work_cpu_ns(w) - phase->begin_cpu_ns,
		.numa_migrated = { migrated.set && phase->pages_migrated.set,
				   migrated.value - phase->pages_migrated.value },
		.max_gap_ns = phase->max_gap_ns,
		.max_gap_cpu = phase->max_gap_cpu,
	};
	if (slice->wall_time_ns > slice->cpu_time_ns)
		slice->off_cpu_ns = slice->wall_time_ns - slice->cpu_time_ns;
	if (w->team)
		slice->cpus_used = ktstr_cpus_or(&slice->cpus_used, &w->team->cpus_used);
	work_numa_pages(w, slice->numa_pages);
	seal_bench(w, index);
	phase->open = false;
	w->shared->phases_count = index + 1;
}

void work_phase_change(struct worker *w, uint32_t epoch, uint64_t now_ns)
{
	if (w->phase.open)
		seal_slice(w, now_ns);
	open_slice(w, epoch, now_ns);
	work_reset_gap(w, ktstr_now_ns()); /* sealing is our time, nobody else's */
}

void work_phase_end(struct worker *w)
{
	if (w->phase.open)
		seal_slice(w, ktstr_now_ns());
}

/* As work_record() does it, with a smaller cap. */
void work_phase_record(struct worker *w, enum work_reservoir which, uint64_t value_ns)
{
	uint64_t slot = w->phase.totals[which]++;

	if (slot >= KTSTR_PHASE_RESERVOIR_CAP)
		slot = work_random_below(w, w->phase.totals[which]);
	if (slot < KTSTR_PHASE_RESERVOIR_CAP)
		w->shared->phase_samples[w->shared->phases_count].values_ns[which == WORK_TIMER][slot] = value_ns;
}
