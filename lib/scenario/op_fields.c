// SPDX-License-Identifier: GPL-2.0-only
/* Ops as JSON: which parameters each kind has, from one table. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "scenario/plan.h"
#include "scenario/plan_values.h"

enum field_type {
	FIELD_END,
	FIELD_TEXT, /* absent when NULL */
	FIELD_CPUSET,
	FIELD_DEF,
	FIELD_PLACEMENT,
	FIELD_WORK,
	FIELD_AFFINITY,
	FIELD_PAYLOAD,
	FIELD_ARGS,
	FIELD_ENTRIES, /* a pointer and a count behind it */
	FIELD_TARGET,
	FIELD_VALUE,
	FIELD_SCHEDULER,
	FIELD_IRQ,
	FIELD_NUMBER,
};

struct op_field {
	const char *name;
	enum field_type type;
	size_t offset; /* in struct ktstr_op */
};

#define FIELD(KIND, member, type) { #member, FIELD_##type, offsetof(struct ktstr_op, KIND.member) }

enum { MAX_FIELDS = 4 };

static const struct op_field fields[KTSTR_OP_KINDS][MAX_FIELDS] = {
	[KTSTR_OP_ADD_CGROUP] = { FIELD(ADD_CGROUP, cgroup, TEXT) },
	[KTSTR_OP_ADD_CGROUP_DEF] = { FIELD(ADD_CGROUP_DEF, def, DEF) },
	[KTSTR_OP_REMOVE_CGROUP] = { FIELD(REMOVE_CGROUP, cgroup, TEXT) },
	[KTSTR_OP_SET_CPUSET] = { FIELD(SET_CPUSET, cgroup, TEXT), FIELD(SET_CPUSET, cpuset, CPUSET) },
	[KTSTR_OP_CLEAR_CPUSET] = { FIELD(CLEAR_CPUSET, cgroup, TEXT) },
	[KTSTR_OP_SWAP_CPUSETS] = { FIELD(SWAP_CPUSETS, a, TEXT), FIELD(SWAP_CPUSETS, b, TEXT) },
	[KTSTR_OP_SPAWN] = { FIELD(SPAWN, placement, PLACEMENT), FIELD(SPAWN, work, WORK) },
	[KTSTR_OP_STOP_CGROUP] = { FIELD(STOP_CGROUP, cgroup, TEXT) },
	[KTSTR_OP_SET_AFFINITY] = { FIELD(SET_AFFINITY, cgroup, TEXT), FIELD(SET_AFFINITY, affinity, AFFINITY) },
	[KTSTR_OP_MOVE_ALL_TASKS] = { FIELD(MOVE_ALL_TASKS, from, TEXT), FIELD(MOVE_ALL_TASKS, to, TEXT) },
	[KTSTR_OP_RUN_PAYLOAD] = { FIELD(RUN_PAYLOAD, payload, PAYLOAD), FIELD(RUN_PAYLOAD, args, ARGS),
				   FIELD(RUN_PAYLOAD, cgroup, TEXT) },
	[KTSTR_OP_WAIT_PAYLOAD] = { FIELD(WAIT_PAYLOAD, name, TEXT), FIELD(WAIT_PAYLOAD, cgroup, TEXT) },
	[KTSTR_OP_KILL_PAYLOAD] = { FIELD(KILL_PAYLOAD, name, TEXT), FIELD(KILL_PAYLOAD, cgroup, TEXT) },
	[KTSTR_OP_FREEZE_CGROUP] = { FIELD(FREEZE_CGROUP, cgroup, TEXT) },
	[KTSTR_OP_UNFREEZE_CGROUP] = { FIELD(UNFREEZE_CGROUP, cgroup, TEXT) },
	[KTSTR_OP_CAPTURE_SNAPSHOT] = { FIELD(CAPTURE_SNAPSHOT, tag, TEXT) },
	[KTSTR_OP_WATCH_SNAPSHOT] = { FIELD(WATCH_SNAPSHOT, symbol, TEXT) },
	[KTSTR_OP_WRITE_KERNEL_HOT] = { FIELD(WRITE_KERNEL_HOT, entries, ENTRIES) },
	[KTSTR_OP_WRITE_KERNEL_COLD] = { FIELD(WRITE_KERNEL_COLD, entries, ENTRIES) },
	[KTSTR_OP_READ_KERNEL_HOT] = { FIELD(READ_KERNEL_HOT, tag, TEXT), FIELD(READ_KERNEL_HOT, target, TARGET),
				       FIELD(READ_KERNEL_HOT, width, VALUE) },
	[KTSTR_OP_READ_KERNEL_COLD] = { FIELD(READ_KERNEL_COLD, tag, TEXT), FIELD(READ_KERNEL_COLD, target, TARGET),
					FIELD(READ_KERNEL_COLD, width, VALUE) },
	[KTSTR_OP_ATTACH_SCHEDULER] = { FIELD(ATTACH_SCHEDULER, scheduler, SCHEDULER) },
	[KTSTR_OP_REPLACE_SCHEDULER] = { FIELD(REPLACE_SCHEDULER, scheduler, SCHEDULER) },
	[KTSTR_OP_PIN_BPF_MAP] = { FIELD(PIN_BPF_MAP, map, TEXT) },
	[KTSTR_OP_CAPTURE_CGROUP_PROCS] = { FIELD(CAPTURE_CGROUP_PROCS, tag, TEXT),
					    FIELD(CAPTURE_CGROUP_PROCS, cgroup, TEXT) },
	[KTSTR_OP_STEER_IRQ] = { FIELD(STEER_IRQ, irq, IRQ), FIELD(STEER_IRQ, cpu, NUMBER) },
};

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : NULL;
}

static json_t *args_to_json(const char *const *args)
{
	json_t *array = args ? json_array() : NULL;

	for (size_t i = 0; args && args[i]; i++)
		json_array_append_new(array, json_string(args[i]));
	return array;
}

static json_t *placement_to_json(const struct ktstr_spawn_placement *placement)
{
	if (placement->kind == KTSTR_SPAWN_IN_RUNNER_CGROUP)
		return json_string("runner's cgroup");
	return text_or_null(placement->cgroup);
}

static json_t *irq_to_json(const struct ktstr_irq_selector *irq)
{
	return irq->kind == KTSTR_IRQ_BY_LABEL ? text_or_null(irq->label) : json_integer(irq->number);
}

static json_t *target_to_json(const struct ktstr_kernel_target *target)
{
	_cleanup_free_ char *text = NULL;

	switch (target->kind) {
	case KTSTR_TARGET_SYMBOL:
		return text_or_null(target->symbol);
	case KTSTR_TARGET_DIRECT:
		text = ktstr_xasprintf("direct %#" PRIx64, target->address);
		break;
	case KTSTR_TARGET_KVA:
		text = ktstr_xasprintf("kva %#" PRIx64, target->address);
		break;
	case KTSTR_TARGET_PER_CPU_FIELD:
		text = ktstr_xasprintf("%s.%s of CPU %u", target->symbol ? target->symbol : "?",
				       target->field ? target->field : "?", target->cpu);
		break;
	case KTSTR_TARGET_TASK_FIELD:
		text = ktstr_xasprintf("%s of task %d started at %" PRIu64 " ns", target->field ? target->field : "?",
				       target->pid, target->start_time_ns);
		break;
	}
	return text_or_null(text);
}

static json_t *value_to_json(const struct ktstr_kernel_op_value *value, bool width_only)
{
	static const char *const names[] = { "u32", "u64", "bytes", "or_u32" };
	json_t *json;

	if ((unsigned int)value->kind > KTSTR_KERNEL_OR_U32)
		return NULL;
	if (value->kind == KTSTR_KERNEL_BYTES)
		return json_pack("{ss si}", "kind", names[value->kind], "count", (int)value->count);
	json = json_pack("{ss}", "kind", names[value->kind]);
	if (!width_only)
		json_object_set_new(json, "number", json_integer((json_int_t)value->number));
	return json;
}

static json_t *entries_to_json(const struct ktstr_op_write_kernel_hot *write)
{
	json_t *array = json_array();

	for (size_t i = 0; i < write->entries_count; i++)
		json_array_append_new(array, json_pack("{so so}", "target", target_to_json(&write->entries[i].target),
						       "value", value_to_json(&write->entries[i].value, false)));
	return array;
}

static json_t *field_to_json(const struct ktstr_ctx *ctx, const struct op_field *field, const void *place)
{
	switch (field->type) {
	case FIELD_TEXT:
		return text_or_null(*(const char *const *)place);
	case FIELD_DEF:
		return ktstr_cgroup_def_to_json(ctx, place);
	case FIELD_PLACEMENT:
		return placement_to_json(place);
	case FIELD_AFFINITY:
		return affinity_to_json(place);
	case FIELD_PAYLOAD:
		return *(const struct ktstr_payload *const *)place ?
			       text_or_null((*(const struct ktstr_payload *const *)place)->name) : NULL;
	case FIELD_ARGS:
		return args_to_json(*(const char *const *const *)place);
	case FIELD_ENTRIES: /* hot and cold writes have the same members */
		return entries_to_json(place);
	case FIELD_TARGET:
		return target_to_json(place);
	case FIELD_VALUE:
		return value_to_json(place, true);
	case FIELD_SCHEDULER:
		return *(const struct ktstr_scheduler *const *)place ?
			       text_or_null((*(const struct ktstr_scheduler *const *)place)->name) : NULL;
	case FIELD_IRQ:
		return irq_to_json(place);
	case FIELD_NUMBER:
		return json_integer(*(const unsigned int *)place);
	default:
		return NULL;
	}
}

json_t *ktstr_op_to_json(const struct ktstr_ctx *ctx, const struct ktstr_op *op)
{
	const char *name = ktstr_op_kind_name(op->kind);
	json_t *json = json_pack("{ss}", "op", name ? name : "?");

	for (size_t i = 0; name && i < MAX_FIELDS && fields[op->kind][i].type; i++) {
		const struct op_field *field = &fields[op->kind][i];
		const void *place = (const char *)op + field->offset;
		json_t *value;

		/* These two are several members side by side. */
		if (field->type == FIELD_CPUSET)
			cpuset_to_json(ctx, place, json);
		else if (field->type == FIELD_WORK)
			work_to_json(place, json);
		else if ((value = field_to_json(ctx, field, place)))
			json_object_set_new(json, field->name, value);
	}
	return json;
}
