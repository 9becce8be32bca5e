// SPDX-License-Identifier: GPL-2.0-only
/* Runs a set of cgroups full of workers for the duration of the context and evaluates them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "wire/program.h"
#include "ktstr/scenario.h"
#include "scenario/scenario.h"

enum { LIVENESS_POLL_NS = 50 * 1000 * 1000 };

/* One cgroup while it runs. */
struct running_cgroup {
	const struct ktstr_cgroup_def *def;
	struct ktstr_cpus cpus; /* what its workers may use */
	struct ktstr_work_spec *specs; /* counts filled in */
	size_t specs_count;
	struct ktstr_workload_handle *workload;
	bool created;
};

static unsigned int worker_count(const struct ktstr_ctx *ctx, unsigned int declared,
				 const struct ktstr_work_type *type)
{
	unsigned int group = ktstr_work_type_group_size(type);

	/* A default count is rounded up to whole groups; a declared one is taken at its word. */
	return declared ? declared : (ctx->workers_per_cgroup + group - 1) / group * group;
}

static void fill_specs(const struct ktstr_ctx *ctx, struct running_cgroup *running)
{
	const struct ktstr_cgroup_def *def = running->def;

	running->specs = ktstr_xcalloc(def->works_count + 1, sizeof(*running->specs));
	running->specs[0] = (struct ktstr_work_spec){
		.type = def->work,
		.workers = worker_count(ctx, def->workers, &def->work),
		.affinity = def->affinity,
	};
	for (size_t i = 0; i < def->works_count; i++) {
		running->specs[i + 1] = def->works[i];
		running->specs[i + 1].workers =
			worker_count(ctx, def->works[i].workers, &def->works[i].type);
	}
	running->specs_count = def->works_count + 1;
}

static struct ktstr_error *create_cgroup(struct ktstr_ctx *ctx, struct running_cgroup *running)
{
	const struct ktstr_cpuset_spec *cpuset = &running->def->cpuset;

	KTSTR_TRY(ktstr_cgroup_check_name(running->def->name));
	KTSTR_TRY(ktstr_cpuset_validate(cpuset, ctx->topo));
	running->cpus = cpuset->kind == KTSTR_CPUSET_INHERIT ?
				ktstr_test_topology_all_cpus(ctx->topo) :
				ktstr_cpuset_resolve(cpuset, ctx->topo);
	if (!ktstr_cpus_count(&running->cpus))
		return ktstr_error_new(KTSTR_ERR_INVALID, "its cpuset is empty on this topology");
	KTSTR_TRY(ktstr_cgroup_create(ctx->cgroups, running->def->name));
	running->created = true;
	if (cpuset->kind == KTSTR_CPUSET_INHERIT)
		return NULL;
	return ktstr_cgroup_set_cpuset(ctx->cgroups, running->def->name, &running->cpus);
}

static struct ktstr_error *spawn_workers(struct ktstr_ctx *ctx, struct running_cgroup *running,
					 size_t index)
{
	struct ktstr_workload_config config = {
		.specs = running->specs,
		.specs_count = running->specs_count,
		.label = running->def->name,
		.cpus = running->cpus,
		.seed = ctx->seed + index,
		.perturb = ctx->perturb,
	};
	size_t count;
	const int *pids;

	KTSTR_TRY(ktstr_workload_spawn(&config, &running->workload));
	pids = ktstr_workload_pids(running->workload, &count);
	return ktstr_cgroup_move_tasks(ctx->cgroups, running->def->name, pids, count);
}

static struct ktstr_error *set_up(struct ktstr_ctx *ctx, struct running_cgroup *cgroups, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fill_specs(ctx, &cgroups[i]);
		KTSTR_TRY_WRAP(create_cgroup(ctx, &cgroups[i]), "cgroup %s",
			       cgroups[i].def->name ? cgroups[i].def->name : "(unnamed)");
	}
	ktstr_sleep_ns(ctx->settle_ns);
	for (size_t i = 0; i < count; i++)
		KTSTR_TRY_WRAP(spawn_workers(ctx, &cgroups[i], i), "cgroup %s", cgroups[i].def->name);
	for (size_t i = 0; i < count; i++)
		KTSTR_TRY_WRAP(ktstr_workload_start(cgroups[i].workload), "cgroup %s",
			       cgroups[i].def->name);
	return NULL;
}

/* Sleeps for the duration; false as soon as the scheduler is gone. */
static bool hold(struct ktstr_ctx *ctx)
{
	uint64_t end = ktstr_now_ns() + ctx->duration_ns;

	ktstr_wire_lifecycle(KTSTR_LIFE_WORKLOAD_DISPATCHED, "%s", ktstr_active_scheduler());
	for (uint64_t now = ktstr_now_ns(); now < end; now = ktstr_now_ns()) {
		ktstr_sleep_ns(end - now < LIVENESS_POLL_NS ? end - now : LIVENESS_POLL_NS);
		if (!ktstr_scheduler_alive(ctx))
			return false;
	}
	return true;
}

static void evaluate(struct ktstr_ctx *ctx, struct running_cgroup *running)
{
	bool has_cpuset = running->def->cpuset.kind != KTSTR_CPUSET_INHERIT;
	size_t count;
	const struct ktstr_worker_report *reports =
		ktstr_workload_stop_and_collect(running->workload, &count);

	for (size_t i = 0; i < count; i++)
		ktstr_send_worker(running->def->name, &reports[i]);
	ktstr_assert_cgroup(&ctx->assert, &ctx->limits, running->def->name,
			    has_cpuset ? &running->cpus : NULL, reports, count, &ctx->result);
}

static void tear_down(struct ktstr_ctx *ctx, struct running_cgroup *cgroups, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		ktstr_workload_destroy(cgroups[i].workload);
		free(cgroups[i].specs);
		if (cgroups[i].created)
			ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, cgroups[i].def->name));
	}
}

void ktstr_run_cgroups(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *defs, size_t count)
{
	_cleanup_free_ struct running_cgroup *cgroups = ktstr_xcalloc(count, sizeof(*cgroups));
	uint64_t began, elapsed = 0;

	for (size_t i = 0; i < count; i++)
		cgroups[i].def = &defs[i];
	ktstr_wire_send(KTSTR_FRAME_SCENARIO_START, NULL, 0);
	began = ktstr_now_ns();
	if (!ktstr_fail_error(ctx, set_up(ctx, cgroups, count))) {
		bool alive = hold(ctx);

		elapsed = ktstr_now_ns() - began;
		if (!alive)
			ktstr_assert_record(&ctx->result, KTSTR_OUTCOME_FAIL,
					    KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON,
					    "scheduler %s went away %.1f s into the workload",
					    ctx->scheduler, (double)elapsed / 1e9);
		for (size_t i = 0; i < count; i++)
			evaluate(ctx, &cgroups[i]);
	}
	ktstr_send_scenario_end(ctx, elapsed);
	tear_down(ctx, cgroups, count);
}
