// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paper world: everything works that could work. It knows which cgroups there would be and which scheduler would run;
 * workloads are their number of workers, and time passes by sleeping.
 */
#include <stdlib.h>
#include <string.h>

#include "scenario/world.h"

static struct paper_world *paper_of(struct world *world)
{
	return (struct paper_world *)world;
}

static uint64_t paper_now(struct world *world)
{
	return paper_of(world)->now_ns;
}

static void paper_sleep(struct world *world, uint64_t ns)
{
	paper_of(world)->now_ns += ns;
}

static struct paper_cgroup *find(struct world *world, const char *name)
{
	struct paper_world *paper = paper_of(world);

	for (size_t i = 0; i < paper->cgroups_count; i++)
		if (!strcmp(paper->cgroups[i].name, name))
			return &paper->cgroups[i];
	return NULL;
}

static bool paper_exists(struct world *world, const char *name)
{
	return find(world, name) != NULL;
}

static struct paper_cgroup *make(struct world *world, const char *name)
{
	struct paper_world *paper = paper_of(world);
	struct paper_cgroup *cgroup = find(world, name);

	if (cgroup)
		return cgroup;
	paper->cgroups = ktstr_xrealloc(paper->cgroups, (paper->cgroups_count + 1) * sizeof(*paper->cgroups));
	cgroup = &paper->cgroups[paper->cgroups_count++];
	*cgroup = (struct paper_cgroup){ .name = ktstr_xstrdup(name) };
	return cgroup;
}

static struct ktstr_error *paper_create(struct world *world, const char *name)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *above = ktstr_xstrndup(name, (size_t)(slash - name));

		make(world, above);
	}
	make(world, name);
	return NULL;
}

static struct ktstr_error *paper_apply(struct world *world, const struct ktstr_cgroup_def *def)
{
	KTSTR_TRY(paper_create(world, def->name));
	if (def->cpuset.kind != KTSTR_CPUSET_INHERIT)
		find(world, def->name)->cpus = ktstr_cgroup_def_cpus(def, world->ctx->topo);
	return NULL;
}

static struct ktstr_error *paper_remove(struct world *world, const char *name)
{
	struct paper_world *paper = paper_of(world);
	struct paper_cgroup *cgroup = find(world, name);

	if (!cgroup)
		return NULL;
	free(cgroup->name);
	*cgroup = paper->cgroups[--paper->cgroups_count];
	return NULL;
}

static struct ktstr_error *paper_set_cpuset(struct world *world, const char *name, const struct ktstr_cpus *cpus)
{
	make(world, name)->cpus = *cpus;
	return NULL;
}

static struct ktstr_error *paper_clear_cpuset(struct world *world, const char *name)
{
	make(world, name)->cpus = (struct ktstr_cpus){ 0 };
	return NULL;
}

static struct ktstr_error *paper_get_cpuset(struct world *world, const char *name, struct ktstr_cpus *cpus)
{
	*cpus = make(world, name)->cpus;
	return NULL;
}

static struct ktstr_error *paper_procs(struct world *world, const char *name, int **pids, size_t *count)
{
	(void)world;
	(void)name;
	*pids = NULL;
	*count = 0;
	return NULL;
}

/* A workload on paper. */
struct paper_workload {
	size_t workers;
};

static struct ktstr_error *paper_spawn(struct world *world, const struct ktstr_workload_config *config, void **workload)
{
	struct paper_workload *made;
	size_t workers = 0;

	(void)world;
	for (size_t i = 0; i < config->specs_count; i++)
		workers += config->specs[i].workers;
	made = ktstr_xcalloc(1, sizeof(*made));
	made->workers = workers;
	*workload = made;
	return NULL;
}

static size_t paper_count(struct world *world, const void *workload)
{
	(void)world;
	return ((const struct paper_workload *)workload)->workers;
}

static uint64_t paper_iterations(struct world *world, const void *workload)
{
	(void)world;
	(void)workload;
	return 0;
}

/* Nobody has worked: there is nothing to evaluate. */
static const struct ktstr_worker_report *paper_collect(struct world *world, void *workload, size_t *count)
{
	(void)world;
	(void)workload;
	*count = 0;
	return NULL;
}

static void paper_destroy(struct world *world, void *workload)
{
	(void)world;
	free(workload);
}

static bool brought(const struct paper_world *paper, const struct ktstr_payload *payload)
{
	if (!paper->test || payload == paper->test->payload)
		return true;
	for (size_t i = 0; paper->test->workloads && paper->test->workloads[i]; i++)
		if (paper->test->workloads[i] == payload)
			return true;
	return false;
}

static struct ktstr_error *paper_payload_start(struct world *world, const struct ktstr_payload_run *run, void **payload)
{
	*payload = NULL;
	if (brought(paper_of(world), run->payload))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "payload %s will not be in the guest: name it in the test's .payload or .workloads",
			       run->payload->name);
}

static struct ktstr_error *check_staged(const struct paper_world *paper, const struct ktstr_scheduler *scheduler)
{
	if (!paper->test || !scheduler)
		return NULL;
	for (size_t i = 0; paper->test->staged_schedulers && paper->test->staged_schedulers[i]; i++)
		if (paper->test->staged_schedulers[i] == scheduler)
			return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "scheduler %s will not be in the guest: name it in the test's .staged_schedulers",
			       scheduler->name);
}

/* Whether something is attached is known on paper; whether it will work is not. */
static struct ktstr_error *paper_scheduler(struct world *world, enum ktstr_op_kind kind,
					   const struct ktstr_scheduler *scheduler)
{
	struct paper_world *paper = paper_of(world);
	bool attached = paper->attached;

	paper->attached = kind != KTSTR_OP_DETACH_SCHEDULER;
	if (kind == KTSTR_OP_ATTACH_SCHEDULER && attached)
		return ktstr_error_new(KTSTR_ERR_BUSY, "a scheduler is attached already: use REPLACE_SCHEDULER, or detach it first");
	if ((kind == KTSTR_OP_DETACH_SCHEDULER || kind == KTSTR_OP_REPLACE_SCHEDULER) && !attached)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no scheduler is attached at this point");
	if (kind == KTSTR_OP_RESTART_SCHEDULER && paper->test && !paper->test->scheduler)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "the test has no .scheduler to go back to");
	return check_staged(paper, scheduler);
}

static const struct world_ops paper_world_ops = {
	.now_ns = paper_now,
	.sleep_ns = paper_sleep,
	.cgroup_exists = paper_exists,
	.cgroup_create = paper_create,
	.cgroup_apply = paper_apply,
	.cgroup_remove = paper_remove,
	.cgroup_set_cpuset = paper_set_cpuset,
	.cgroup_clear_cpuset = paper_clear_cpuset,
	.cgroup_get_cpuset = paper_get_cpuset,
	.cgroup_procs = paper_procs,
	.workload_spawn = paper_spawn,
	.workload_count = paper_count,
	.workload_iterations = paper_iterations,
	.workload_collect = paper_collect,
	.workload_destroy = paper_destroy,
	.payload_start = paper_payload_start,
	.scheduler = paper_scheduler,
};

void paper_world_init(struct paper_world *paper, struct ktstr_ctx *ctx, const struct ktstr_test_entry *test)
{
	*paper = (struct paper_world){
		.world = { &paper_world_ops, ctx },
		.test = test,
		.attached = test && test->scheduler &&
			    ktstr_scheduler_spec(test->scheduler) != KTSTR_SCHEDULER_EEVDF,
	};
}

void paper_world_deinit(struct paper_world *paper)
{
	for (size_t i = 0; i < paper->cgroups_count; i++)
		free(paper->cgroups[i].name);
	free(paper->cgroups);
}
