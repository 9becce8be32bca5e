// SPDX-License-Identifier: GPL-2.0-only
/* Ops on the scheduler under test. What is attached at a moment is known to the world alone. */
#include <string.h>

#include "scenario/engine.h"

#define BPF_MAP_NAME_MAX 15 /* BPF_OBJ_NAME_LEN - 1: what the kernel keeps of a map's name */

static struct ktstr_error *check_scheduler(const struct ktstr_scheduler *scheduler)
{
	if (!scheduler)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".scheduler is missing: one of the test's staged schedulers");
	if (ktstr_scheduler_spec(scheduler) == KTSTR_SCHEDULER_EEVDF)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "scheduler %s is EEVDF: use DETACH_SCHEDULER to get back to the kernel's own",
				       scheduler->name);
	return NULL;
}

struct ktstr_error *op_attach_scheduler(struct engine *engine, const struct ktstr_op *op)
{
	KTSTR_TRY(check_scheduler(op->ATTACH_SCHEDULER.scheduler));
	return TRY_WORLD(engine, scheduler, op->kind, op->ATTACH_SCHEDULER.scheduler);
}

struct ktstr_error *op_detach_scheduler(struct engine *engine, const struct ktstr_op *op)
{
	return TRY_WORLD(engine, scheduler, op->kind, NULL);
}

struct ktstr_error *op_restart_scheduler(struct engine *engine, const struct ktstr_op *op)
{
	return TRY_WORLD(engine, scheduler, op->kind, NULL);
}

struct ktstr_error *op_replace_scheduler(struct engine *engine, const struct ktstr_op *op)
{
	KTSTR_TRY(check_scheduler(op->REPLACE_SCHEDULER.scheduler));
	return TRY_WORLD(engine, scheduler, op->kind, op->REPLACE_SCHEDULER.scheduler);
}

struct ktstr_error *op_pin_bpf_map(struct engine *engine, const struct ktstr_op *op)
{
	const char *name = op->PIN_BPF_MAP.map;

	if (!name || !*name)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".map is missing: the name of a BPF map");
	if (strlen(name) > BPF_MAP_NAME_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".map \"%s\" is longer than %d characters; the kernel knows it as "
				       "\"%.*s\"", name, BPF_MAP_NAME_MAX, BPF_MAP_NAME_MAX, name);
	return TRY_WORLD(engine, pin_bpf_map, name);
}
