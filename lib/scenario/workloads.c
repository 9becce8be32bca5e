// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups and workers for bodies that do without steps: one scope of the engine that the body holds on to. */
#include <stdlib.h>

#include "scenario/engine.h"

/* The engine of a set of workloads only ever has its step scope. */
struct ktstr_workloads {
	struct world world;
	struct engine engine;
};

static struct ktstr_workloads *make(struct ktstr_ctx *ctx)
{
	struct ktstr_workloads *made = ktstr_xcalloc(1, sizeof(*made));

	made->world = (struct world){ &live_world_ops, ctx };
	made->engine = (struct engine){ .world = &made->world, .ctx = ctx, .assert = &ctx->assert };
	made->engine.local = &made->engine.step;
	return made;
}

static void drop(struct ktstr_workloads *workloads)
{
	scope_deinit(&workloads->engine.backdrop);
	free(workloads);
}

void ktstr_collect_all(struct ktstr_ctx *ctx, struct ktstr_workloads *workloads, const struct ktstr_assert *assert)
{
	if (!workloads)
		return;
	workloads->engine.assert = assert ? assert : &ctx->assert;
	tear_down(&workloads->engine, &workloads->engine.step);
	drop(workloads);
}

/* Workers that were never meant to be judged are judged against nothing. */
static struct ktstr_error *abandon(struct ktstr_workloads *workloads, struct ktstr_error *error)
{
	static const struct ktstr_assert nothing;

	ktstr_collect_all(workloads->engine.ctx, workloads, &nothing);
	return error;
}

static struct ktstr_cgroup_def def_of(const char *name, const struct ktstr_work_spec *work)
{
	return (struct ktstr_cgroup_def){ .name = name, .works = work, .works_count = 1 };
}

static struct ktstr_error *make_cgroups(struct engine *engine, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		_cleanup_free_ char *name = ktstr_xasprintf("cg_%u", i);

		KTSTR_TRY(check_new_cgroup(engine, name));
		track_cgroup(engine, name);
		KTSTR_TRY_WRAP(WORLD(engine, cgroup_create, name), "cgroup %s", name);
	}
	return NULL;
}

/* A workload in a cgroup that exists, not yet begun. */
static struct ktstr_error *fill(struct engine *engine, const char *name, const struct ktstr_work_spec *work)
{
	struct ktstr_cgroup_scope scope = def_scope(engine);
	struct ktstr_cgroup_def def = def_of(name, work);
	struct scope_cgroup *cgroup;
	struct scope_workload *workload;

	KTSTR_TRY_WRAP(ktstr_cgroup_def_validate(&def, &scope), "cgroup %s", name);
	KTSTR_TRY(want_cgroup(engine, name, &cgroup));
	KTSTR_TRY_WRAP(spawn_in(engine, &def, cgroup, &workload), "cgroup %s", name);
	return NULL;
}

static struct ktstr_error *start_all(struct engine *engine)
{
	for (size_t i = 0; i < engine->step.workloads_count; i++)
		KTSTR_TRY(WORLD(engine, workload_start, engine->step.workloads[i].handle));
	return NULL;
}

static struct ktstr_error *set_up(struct engine *engine, unsigned int count, const struct ktstr_work_spec *work)
{
	KTSTR_TRY(make_cgroups(engine, count));
	WORLD(engine, sleep_ns, engine->ctx->settle_ns);
	if (!scheduler_alive(engine))
		return ktstr_error_new(KTSTR_ERR_GUEST, "scheduler %s went away while %u cgroups settled",
				       engine->ctx->scheduler, count);
	for (unsigned int i = 0; i < count; i++)
		KTSTR_TRY(fill(engine, engine->step.cgroups[i].name, work));
	return start_all(engine);
}

struct ktstr_error *ktstr_setup_cgroups(struct ktstr_ctx *ctx, unsigned int count, const struct ktstr_work_spec *work,
					struct ktstr_workloads **workloads)
{
	struct ktstr_workloads *made = make(ctx);
	struct ktstr_error *error = set_up(&made->engine, count, work);

	if (error)
		return abandon(made, error);
	*workloads = made;
	return NULL;
}

struct ktstr_error *ktstr_spawn_diverse(struct ktstr_ctx *ctx, const char *const *cgroups, size_t count,
					struct ktstr_workloads **workloads)
{
	const struct ktstr_work_spec kinds[] = {
		{ .type = KTSTR_WORK(SPIN_WAIT), .workers = ctx->workers_per_cgroup },
		{ .type = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(50), .sleep = KTSTR_MS(100)),
		  .workers = ctx->workers_per_cgroup },
		{ .type = KTSTR_WORK(IO_SYNC_WRITE), .workers = 2 },
		{ .type = KTSTR_WORK(MIXED), .workers = ctx->workers_per_cgroup },
		{ .type = KTSTR_WORK(YIELD_HEAVY), .workers = ctx->workers_per_cgroup },
	};
	struct ktstr_workloads *made = make(ctx);

	for (size_t i = 0; i < count; i++) {
		struct ktstr_error *error =
			fill(&made->engine, cgroups[i], &kinds[i % (sizeof(kinds) / sizeof(kinds[0]))]);

		if (!error)
			error = WORLD(&made->engine, workload_start, made->engine.step.workloads[i].handle);
		if (error)
			return abandon(made, error);
	}
	*workloads = made;
	return NULL;
}
