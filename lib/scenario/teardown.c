// SPDX-License-Identifier: GPL-2.0-only
/* The end of what a scope has made: payloads, then workers with their evaluation, then cgroups, newest first. */
#include <stdlib.h>
#include <string.h>

#include "scenario/engine.h"
#include "scenario/scenario.h"

void thaw_path(struct engine *engine, const char *cgroup)
{
	struct scope_cgroup *frozen;

	while ((frozen = next_frozen(engine, cgroup))) {
		ktstr_fail_error(engine->ctx, TRY_WORLD(engine, cgroup_freeze, frozen->name, false));
		frozen->frozen = false;
	}
}

static void end_payloads(struct engine *engine, struct scope *scope, const char *cgroup)
{
	for (size_t i = scope->payloads_count; i-- > 0;) {
		struct scope_payload *payload = &scope->payloads[i];

		if (cgroup && strcmp(payload->cgroup, cgroup))
			continue;
		thaw_path(engine, payload->cgroup);
		ktstr_fail_error(engine->ctx, TRY_WORLD(engine, payload_end, payload->handle, true));
		forget_payload(scope, payload);
	}
}

/* Workloads that were in one cgroup when they were stopped. */
struct evaluation {
	const char *cgroup;
	struct ktstr_worker_report *reports; /* of all of them, their groups numbered through */
	size_t count;
	unsigned int groups;
	struct ktstr_cpus allowed;
	bool unconfined;
};

static void add_reports(struct evaluation *evaluation, const struct ktstr_worker_report *reports, size_t count)
{
	unsigned int groups = 0;

	evaluation->reports =
		ktstr_xrealloc(evaluation->reports, (evaluation->count + count + 1) * sizeof(*evaluation->reports));
	for (size_t i = 0; i < count; i++) {
		struct ktstr_worker_report *report = &evaluation->reports[evaluation->count + i];

		*report = reports[i];
		groups = report->group_idx >= groups ? report->group_idx + 1 : groups;
		report->group_idx += evaluation->groups;
		report->index += (unsigned int)evaluation->count;
	}
	evaluation->count += count;
	evaluation->groups += groups;
}

static void evaluate(struct engine *engine, const struct evaluation *evaluation)
{
	const char *label = *evaluation->cgroup ? evaluation->cgroup : RUNNER_CGROUP_LABEL;
	struct ktstr_ctx *ctx = engine->ctx;
	const struct ktstr_judged_cgroup cgroup = {
		.name = label,
		.cpuset = evaluation->unconfined ? NULL : &evaluation->allowed,
		.topo = ctx->topo,
	};

	for (size_t i = 0; i < evaluation->count; i++) {
		engine->finished_iterations += evaluation->reports[i].iterations;
		ktstr_send_worker(label, &evaluation->reports[i]);
	}
	if (evaluation->count)
		ktstr_assert_cgroup(engine->assert, &ctx->limits, &cgroup, evaluation->reports, evaluation->count,
				    &ctx->result);
}

/* All workloads of the scope in that cgroup. */
static void end_workers(struct engine *engine, struct scope *scope, const char *cgroup)
{
	struct evaluation evaluation = { .cgroup = cgroup };

	thaw_path(engine, cgroup);
	for (size_t i = 0; i < scope->workloads_count; i++) {
		struct scope_workload *workload = &scope->workloads[i];
		const struct ktstr_worker_report *reports;
		size_t count;

		if (strcmp(workload->cgroup, cgroup))
			continue;
		reports = WORLD(engine, workload_collect, workload->handle, &count);
		add_reports(&evaluation, reports, count);
		evaluation.allowed = ktstr_cpus_or(&evaluation.allowed, &workload->allowed);
		evaluation.unconfined |= workload->unconfined;
	}
	evaluate(engine, &evaluation);
	free(evaluation.reports);
	/* Reports borrow from the handles until here. */
	for (size_t i = scope->workloads_count; i-- > 0;) {
		struct scope_workload *workload = &scope->workloads[i];

		if (strcmp(workload->cgroup, cgroup))
			continue;
		WORLD(engine, workload_destroy, workload->handle);
		free(workload->cgroup);
		memmove(workload, workload + 1, (--scope->workloads_count - i) * sizeof(*workload));
	}
}

void stop_in(struct engine *engine, struct scope *scope, const char *cgroup)
{
	end_payloads(engine, scope, cgroup);
	if (cgroup) {
		end_workers(engine, scope, cgroup);
		return;
	}
	while (scope->workloads_count) {
		_cleanup_free_ char *first = ktstr_xstrdup(scope->workloads[0].cgroup);

		end_workers(engine, scope, first);
	}
}

void tear_down(struct engine *engine, struct scope *scope)
{
	stop_in(engine, scope, NULL);
	while (scope->cgroups_count) {
		struct scope_cgroup *cgroup = &scope->cgroups[scope->cgroups_count - 1];

		if (cgroup->frozen)
			ktstr_fail_error(engine->ctx, TRY_WORLD(engine, cgroup_freeze, cgroup->name, false));
		if (!cgroup->foreign)
			ktstr_fail_error(engine->ctx, TRY_WORLD(engine, cgroup_remove, cgroup->name));
		forget_cgroup(scope, cgroup);
	}
	scope_deinit(scope);
}
