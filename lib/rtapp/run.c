// SPDX-License-Identifier: GPL-2.0-only
/* A program in the guest: its speed measured, its workers in their cgroups, and what it measured as metrics. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "check/stats_build.h"
#include "ktstr/rt_app.h"
#include "rtapp/guest_file.h"
#include "rtapp/shared.h"

/* Rounds of a few hundred us; the fastest is the one that nobody disturbed. */
enum { MEASURE_ROUNDS = 20, MEASURE_UNITS = 4096 };

static double measure_units_per_ns(void)
{
	uint64_t least = UINT64_MAX;

	for (int round = 0; round < MEASURE_ROUNDS; round++) {
		uint64_t since = ktstr_now_ns(), took;

		for (int i = 0; i < MEASURE_UNITS; i++)
			work_unit();
		took = ktstr_now_ns() - since;
		if (took && took < least)
			least = took;
	}
	return (double)MEASURE_UNITS / (double)least;
}

/* Where the next count elements of size lie in the mapping; without one, only counts. */
static void *carve(struct rtapp_run *run, size_t count, size_t size)
{
	char *part = (char *)run->map + run->map_bytes;

	run->map_bytes += (count * size + 63) / 64 * 64;
	return run->map ? part : NULL;
}

static void lay_out(struct rtapp_run *run)
{
	const struct rtapp_program *program = run->program;
	size_t tasks = program->tasks_count;

	run->map_bytes = 0;
	run->header = carve(run, 1, sizeof(*run->header));
	run->mutexes = carve(run, program->mutexes.count, sizeof(*run->mutexes));
	run->conditions = carve(run, program->conditions.count, sizeof(*run->conditions));
	run->barriers = carve(run, program->barriers.count, sizeof(*run->barriers));
	run->unborn = carve(run, tasks, sizeof(*run->unborn));
	run->alarms = carve(run, program->timers.count, sizeof(*run->alarms));
	run->begun = carve(run, tasks, sizeof(*run->begun));
	run->begun_unborn = carve(run, tasks, sizeof(*run->begun_unborn));
	run->first_slots = carve(run, tasks, sizeof(*run->first_slots));
	run->slots = carve(run, rtapp_workers(program), sizeof(*run->slots));
}

struct ktstr_error *rtapp_run_map(struct rtapp_run *run)
{
	uint32_t slot = 0;

	run->map = NULL;
	run->units_per_ns = measure_units_per_ns();
	lay_out(run);
	run->map = mmap(NULL, run->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (run->map == MAP_FAILED) {
		run->map = NULL;
		return ktstr_error_sys(errno, "cannot map %zu KiB for what the workers share", run->map_bytes >> 10);
	}
	lay_out(run);
	for (size_t i = 0; i < run->program->tasks_count; i++) {
		run->first_slots[i] = slot;
		slot += run->program->tasks[i].instances + run->program->tasks[i].forks;
	}
	return NULL;
}

void rtapp_run_unmap(struct rtapp_run *run)
{
	if (run->map)
		munmap(run->map, run->map_bytes);
	run->map = NULL;
}

static const char *cgroup_of(const struct rtapp_task *task)
{
	return task->cgroup ? task->cgroup : KTSTR_RT_APP_CGROUP;
}

struct cgroups {
	struct ktstr_cgroup_def *defs;
	size_t count;
};

struct ktstr_work_spec rtapp_work_spec(struct rtapp_run *run, size_t task_index, bool unborn)
{
	const struct rtapp_task *task = &run->program->tasks[task_index];

	return (struct ktstr_work_spec){
		.workers = unborn ? task->forks : task->instances,
		.type = KTSTR_WORK(CUSTOM, .name = "rt-app", .fn = rtapp_worker,
				   .cfg = { .u64 = { [RTAPP_CFG_RUN] = (uintptr_t)run, [RTAPP_CFG_TASK] = task_index,
						     [RTAPP_CFG_UNBORN] = unborn } }),
	};
}

/* Instances and those to be forked apart: they do not do the same. */
static void add_workers(struct cgroups *cgroups, struct rtapp_run *run, size_t task_index, bool unborn)
{
	const struct rtapp_task *task = &run->program->tasks[task_index];
	struct ktstr_work_spec spec = rtapp_work_spec(run, task_index, unborn);
	struct ktstr_cgroup_def *def = cgroups->defs;

	if (!spec.workers)
		return;
	while (def < cgroups->defs + cgroups->count && strcmp(def->name, cgroup_of(task)))
		def++;
	if (def == cgroups->defs + cgroups->count) {
		cgroups->count++;
		*def = (struct ktstr_cgroup_def){ .name = cgroup_of(task), .workers = spec.workers, .work = spec.type };
		return;
	}
	def->works = ktstr_xrealloc((void *)def->works, (def->works_count + 1) * sizeof(*def->works));
	((struct ktstr_work_spec *)def->works)[def->works_count++] = spec;
}

static void make_cgroups(struct rtapp_run *run, struct cgroups *cgroups)
{
	cgroups->defs = ktstr_xcalloc(run->program->tasks_count, sizeof(*cgroups->defs));
	for (size_t i = 0; i < run->program->tasks_count; i++)
		for (int unborn = 0; unborn < 2; unborn++)
			add_workers(cgroups, run, i, unborn);
}

static void free_cgroups(struct cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->count; i++)
		free((void *)cgroups->defs[i].works);
	free(cgroups->defs);
}

static void add_stats(struct rtapp_stats *into, const struct rtapp_stats *from)
{
	into->passes += from->passes;
	into->period_ns += from->period_ns;
	into->run_ns += from->run_ns;
	if (from->has_slack && (!into->has_slack || from->min_slack_ns < into->min_slack_ns))
		into->min_slack_ns = from->min_slack_ns;
	into->has_slack |= from->has_slack;
	ktstr_histogram_merge(&into->wakeup_us, &from->wakeup_us);
}

static void add_metric(struct ktstr_cgroup_stats *cgroup, const struct rtapp_task *task, const char *what, double value)
{
	_cleanup_free_ char *name = ktstr_xasprintf("rtapp_%s_%s", task->name, what);

	ktstr_metric_set_put(&cgroup->ext_metrics, name, value);
}

static void report_task(const struct rtapp_run *run, size_t task_index, struct ktstr_cgroup_stats *cgroup)
{
	const struct rtapp_task *task = &run->program->tasks[task_index];
	_cleanup_free_ struct rtapp_stats *stats = ktstr_xcalloc(1, sizeof(*stats));
	struct ktstr_opt_u64 late_us;

	for (uint32_t i = 0; i < task->instances + task->forks; i++)
		add_stats(stats, &run->slots[run->first_slots[task_index] + i].stats);
	late_us = ktstr_histogram_percentile(&stats->wakeup_us, 99);
	add_metric(cgroup, task, "loops", (double)stats->passes);
	if (stats->passes) {
		add_metric(cgroup, task, "period_avg_us", (double)stats->period_ns / (double)stats->passes / 1e3);
		add_metric(cgroup, task, "run_avg_us", (double)stats->run_ns / (double)stats->passes / 1e3);
	}
	if (stats->has_slack)
		add_metric(cgroup, task, "slack_min_us", (double)stats->min_slack_ns / 1e3);
	if (late_us.set)
		add_metric(cgroup, task, "wu_lat_p99_us", (double)late_us.value);
}

static void report(struct ktstr_ctx *ctx, const struct rtapp_run *run)
{
	static const char *const failures[RTAPP_FAILURES] = {
		[RTAPP_FAILURE_POLICY] = "take its policy",     [RTAPP_FAILURE_NICE] = "take its priority",
		[RTAPP_FAILURE_CPUS] = "run on its cpus",	[RTAPP_FAILURE_MEMORY] = "allocate mem_buffer_size bytes",
		[RTAPP_FAILURE_IO] = "write to io_device",
	};
	struct ktstr_scenario_stats *stats = &ctx->result.stats;

	for (size_t i = 0; i < RTAPP_FAILURES; i++)
		if (run->header->failures[i])
			ktstr_fail(ctx, "rt-app: a task could not %s: %s", failures[i],
				   strerror(run->header->failures[i]));
	for (size_t i = 0; i < run->program->tasks_count; i++)
		for (size_t k = stats->cgroups_count; k-- > 0;)
			if (!strcmp(stats->cgroups[k].cgroup_name, cgroup_of(&run->program->tasks[i]))) {
				report_task(run, i, &stats->cgroups[k]);
				break;
			}
}

static void run_program(struct ktstr_ctx *ctx, const struct rtapp_program *program)
{
	struct rtapp_run run = { .program = program };
	struct cgroups cgroups = { 0 };

	if (ktstr_fail_error(ctx, rtapp_run_map(&run)))
		return;
	make_cgroups(&run, &cgroups);
	ktstr_run_cgroups(ctx, cgroups.defs, cgroups.count);
	report(ctx, &run);
	free_cgroups(&cgroups);
	rtapp_run_unmap(&run);
}

void ktstr_run_rt_app(struct ktstr_ctx *ctx)
{
	struct rtapp_program *program;

	if (!ktstr_path_exists(KTSTR_RTAPP_GUEST_FILE)) {
		ktstr_fail(ctx, "there is no rt-app file to run: name one in the test's .rt_app, or with `ktstr run --rt-app`");
		return;
	}
	if (ktstr_fail_error(ctx, ktstr_rtapp_load(KTSTR_RTAPP_GUEST_FILE, &program)))
		return;
	run_program(ctx, program);
	ktstr_rtapp_destroy(program);
}
