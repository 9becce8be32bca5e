// SPDX-License-Identifier: GPL-2.0-only
/* Ops on payloads: starting, waiting, killing, and which copy a name means. */
#include <string.h>

#include "scenario/engine.h"

static const char *place(const char *cgroup)
{
	return *cgroup ? cgroup : "the runner's cgroup";
}

static struct ktstr_error *check_copies(struct engine *engine, const char *name, const char *cgroup)
{
	for_each_scope (scope, engine)
		for (size_t i = 0; i < scope->payloads_count; i++)
			if (!strcmp(scope->payloads[i].name, name) && !strcmp(scope->payloads[i].cgroup, cgroup))
				return ktstr_error_new(KTSTR_ERR_INVALID,
						       "payload %s runs in %s already: wait for it or kill it first, or use "
						       "another cgroup",
						       name, place(cgroup));
	return NULL;
}

struct ktstr_error *start_payload(struct engine *engine, const struct ktstr_payload *payload, const char *const *args,
				  const char *cgroup)
{
	struct ktstr_payload_run run = { .payload = payload, .args = args, .cgroup = cgroup };
	struct scope_cgroup *found;
	void *handle;

	if (!payload)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".payload is missing");
	KTSTR_TRY(ktstr_payload_validate(payload));
	if (payload->kind != KTSTR_PAYLOAD_BINARY)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "payload %s is of kind SCHEDULER and cannot be run; see ATTACH_SCHEDULER",
				       payload->name);
	KTSTR_TRY_WRAP(ktstr_payload_check_args(payload, args), "payload %s", payload->name);
	if (!cgroup)
		cgroup = RUNNER_CGROUP;
	if (*cgroup)
		KTSTR_TRY(want_cgroup(engine, cgroup, &found));
	/* It would stop before its first instruction, and so would whoever waits for that. */
	if (next_frozen(engine, cgroup))
		return ktstr_error_new(KTSTR_ERR_INVALID, "payload %s cannot start in %s, which is frozen", payload->name,
				       cgroup);
	KTSTR_TRY(check_copies(engine, payload->name, cgroup));
	KTSTR_TRY(WORLD(engine, payload_start, &run, &handle));
	track_payload(engine->local, payload->name, cgroup, handle);
	return NULL;
}

struct ktstr_error *op_run_payload(struct engine *engine, const struct ktstr_op *op)
{
	return start_payload(engine, op->RUN_PAYLOAD.payload, op->RUN_PAYLOAD.args, op->RUN_PAYLOAD.cgroup);
}

static struct ktstr_error *no_copy(const char *name, const char *cgroup)
{
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no payload %s runs%s%s: it was never started, or its result was taken",
			       name, cgroup ? " in " : "", cgroup ? place(cgroup) : "");
}

/* The copy in that cgroup, or, for NULL, the only one. */
static struct ktstr_error *find_copy(struct engine *engine, const char *name, const char *cgroup, struct scope **where,
				     struct scope_payload **found)
{
	_cleanup_str_ struct ktstr_str places = { 0 };
	size_t copies = 0;

	if (!name || !*name)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".name is missing: the name of a payload that was started");
	for_each_scope (scope, engine) {
		for (size_t i = 0; i < scope->payloads_count; i++) {
			struct scope_payload *payload = &scope->payloads[i];

			if (strcmp(payload->name, name) || (cgroup && strcmp(payload->cgroup, cgroup)))
				continue;
			ktstr_str_addf(&places, "%s%s", copies++ ? ", " : "", place(payload->cgroup));
			*where = scope;
			*found = payload;
		}
	}
	if (!copies)
		return no_copy(name, cgroup);
	if (copies > 1)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%zu copies of payload %s run (%s): say which with .cgroup", copies,
				       name, places.data);
	return NULL;
}

static struct ktstr_error *end_payload(struct engine *engine, const char *name, const char *cgroup, bool kill)
{
	struct scope *scope = NULL;
	struct scope_payload *payload = NULL;
	void *handle;

	KTSTR_TRY(find_copy(engine, name, cgroup, &scope, &payload));
	handle = payload->handle;
	forget_payload(scope, payload);
	return TRY_WORLD(engine, payload_end, handle, kill);
}

struct ktstr_error *op_wait_payload(struct engine *engine, const struct ktstr_op *op)
{
	return end_payload(engine, op->WAIT_PAYLOAD.name, op->WAIT_PAYLOAD.cgroup, false);
}

struct ktstr_error *op_kill_payload(struct engine *engine, const struct ktstr_op *op)
{
	return end_payload(engine, op->KILL_PAYLOAD.name, op->KILL_PAYLOAD.cgroup, true);
}
