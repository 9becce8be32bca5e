// SPDX-License-Identifier: GPL-2.0-only
/* Ops that the host does or keeps: captures, watches, the kernel's variables; and interrupts. */
#include <string.h>

#include "ktstr/snapshot_bridge.h" /* KTSTR_MAX_WATCH_SNAPSHOTS */
#include "scenario/engine.h"

static struct ktstr_error *want_text(const char *text, const char *field, const char *what)
{
	return text && *text ? NULL : ktstr_error_new(KTSTR_ERR_INVALID, "%s is missing: %s", field, what);
}

struct ktstr_error *op_capture_snapshot(struct engine *engine, const struct ktstr_op *op)
{
	KTSTR_TRY(want_text(op->CAPTURE_SNAPSHOT.tag, ".tag", "what the snapshot is to be called"));
	return TRY_WORLD(engine, capture, op->CAPTURE_SNAPSHOT.tag);
}

struct ktstr_error *op_watch_snapshot(struct engine *engine, const struct ktstr_op *op)
{
	const char *symbol = op->WATCH_SNAPSHOT.symbol;

	KTSTR_TRY(want_text(symbol, ".symbol", "a variable of the kernel"));
	if (ktstr_strv_contains(&engine->watches, symbol))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is watched already", symbol);
	if (engine->watches.count == KTSTR_MAX_WATCH_SNAPSHOTS)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s would be watch number %d: a scenario has at most %d",
				       symbol, KTSTR_MAX_WATCH_SNAPSHOTS + 1, KTSTR_MAX_WATCH_SNAPSHOTS);
	KTSTR_TRY(TRY_WORLD(engine, watch, symbol));
	ktstr_strv_add(&engine->watches, symbol);
	return NULL;
}

static bool in_user_half(uint64_t address)
{
	return !(address >> 63);
}

static struct ktstr_error *check_target(const struct ktstr_kernel_target *target)
{
	switch (target->kind) {
	case KTSTR_TARGET_SYMBOL:
		return want_text(target->symbol, "symbol", "a variable of the kernel");
	case KTSTR_TARGET_DIRECT:
	case KTSTR_TARGET_KVA:
		if (in_user_half(target->address))
			return ktstr_error_new(KTSTR_ERR_INVALID, "address %#jx is in the user half",
					       (uintmax_t)target->address);
		return NULL;
	case KTSTR_TARGET_PER_CPU_FIELD:
		KTSTR_TRY(want_text(target->symbol, "symbol", "a per-CPU variable of the kernel"));
		return want_text(target->field, "field", "a member of it");
	case KTSTR_TARGET_TASK_FIELD:
		return want_text(target->field, "field", "a member of task_struct");
	}
	return ktstr_error_new(KTSTR_ERR_INVALID, "there is no kind of target %d", (int)target->kind);
}

static struct ktstr_error *check_bytes(const struct ktstr_kernel_op_value *value)
{
	if ((unsigned int)value->kind > KTSTR_KERNEL_OR_U32)
		return ktstr_error_new(KTSTR_ERR_INVALID, "there is no kind of value %d", (int)value->kind);
	if (value->kind != KTSTR_KERNEL_BYTES || (value->count && value->count <= KTSTR_KERNEL_BYTES_MAX))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "%zu bytes: 1 to %u can be moved at once", value->count,
			       KTSTR_KERNEL_BYTES_MAX);
}

static struct ktstr_error *check_writes(const struct ktstr_kernel_op_entry *entries, size_t count, bool cold)
{
	if (!count)
		return ktstr_error_new(KTSTR_ERR_INVALID, "nothing to write: give it KTSTR_KERNEL_ENTRIES(...)");
	for (size_t i = 0; i < count; i++) {
		KTSTR_TRY_WRAP(check_target(&entries[i].target), "entry[%zu]", i);
		KTSTR_TRY_WRAP(check_bytes(&entries[i].value), "entry[%zu]", i);
		if (entries[i].value.kind == KTSTR_KERNEL_OR_U32 && !cold)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "entry[%zu]: OR_U32 reads and writes, which only WRITE_KERNEL_COLD does in one", i);
	}
	return NULL;
}

struct ktstr_error *op_write_kernel_hot(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_write_kernel_hot *write = &op->WRITE_KERNEL_HOT;

	KTSTR_TRY(check_writes(write->entries, write->entries_count, false));
	return TRY_WORLD(engine, kernel_write, false, write->entries, write->entries_count);
}

struct ktstr_error *write_kernel_cold(struct engine *engine, const struct ktstr_op *ops, size_t count)
{
	_cleanup_free_ struct ktstr_kernel_op_entry *entries = NULL;
	size_t total = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		const struct ktstr_op_write_kernel_cold *write = &ops[i].WRITE_KERNEL_COLD;

		KTSTR_TRY(check_writes(write->entries, write->entries_count, true));
		total += write->entries_count;
	}
	if (total > KTSTR_KERNEL_OP_ENTRIES_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%zu entries in a row: one freeze takes %u", total,
				       KTSTR_KERNEL_OP_ENTRIES_MAX);
	entries = ktstr_xcalloc(total, sizeof(*entries));
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_op_write_kernel_cold *write = &ops[i].WRITE_KERNEL_COLD;

		memcpy(entries + at, write->entries, write->entries_count * sizeof(*entries));
		at += write->entries_count;
	}
	return TRY_WORLD(engine, kernel_write, true, entries, total);
}

static struct ktstr_error *read_kernel(struct engine *engine, bool cold, const char *tag,
				       const struct ktstr_kernel_op_entry *entry)
{
	KTSTR_TRY(want_text(tag, ".tag", "what the value is to be called"));
	KTSTR_TRY(check_target(&entry->target));
	KTSTR_TRY(check_bytes(&entry->value));
	if (entry->value.kind == KTSTR_KERNEL_OR_U32)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".width: OR_U32 is for writes; use ktstr_kernel_width_u32()");
	return TRY_WORLD(engine, kernel_read, cold, tag, entry);
}

struct ktstr_error *op_read_kernel_hot(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_read_kernel_hot *read = &op->READ_KERNEL_HOT;

	return read_kernel(engine, false, read->tag, &(const struct ktstr_kernel_op_entry){ read->target, read->width });
}

struct ktstr_error *op_read_kernel_cold(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_read_kernel_cold *read = &op->READ_KERNEL_COLD;

	return read_kernel(engine, true, read->tag, &(const struct ktstr_kernel_op_entry){ read->target, read->width });
}

struct ktstr_error *op_capture_cgroup_procs(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_capture_cgroup_procs *capture = &op->CAPTURE_CGROUP_PROCS;
	_cleanup_free_ int *pids = NULL;
	struct scope_cgroup *cgroup;
	size_t count;

	KTSTR_TRY(want_text(capture->tag, ".tag", "what the list is to be called"));
	KTSTR_TRY(want_cgroup(engine, capture->cgroup, &cgroup));
	KTSTR_TRY(WORLD(engine, cgroup_procs, capture->cgroup, &pids, &count));
	TELL_WORLD(engine, record_procs, capture->tag, capture->cgroup, pids, count);
	return NULL;
}

struct ktstr_error *op_steer_irq(struct engine *engine, const struct ktstr_op *op)
{
	const struct ktstr_op_steer_irq *steer = &op->STEER_IRQ;
	struct ktstr_cpus all = ktstr_test_topology_all_cpus(engine->ctx->topo);
	_cleanup_free_ char *list = ktstr_cpus_to_text(&all);
	unsigned int number = steer->irq.number;

	if (!ktstr_cpus_has(&all, steer->cpu))
		return ktstr_error_new(KTSTR_ERR_INVALID, "CPU %u is not online; this machine has %s", steer->cpu, list);
	switch (steer->irq.kind) {
	case KTSTR_IRQ_BY_LABEL:
		KTSTR_TRY(want_text(steer->irq.label, ".irq", "ktstr_irq_by_label() or ktstr_irq_by_number()"));
		KTSTR_TRY(TRY_WORLD(engine, find_irq, steer->irq.label, &number));
		break;
	case KTSTR_IRQ_BY_NUMBER:
		break;
	default:
		return ktstr_error_new(KTSTR_ERR_INVALID, "there is no kind of interrupt selector %d", (int)steer->irq.kind);
	}
	return TRY_WORLD(engine, steer_irq, number, steer->cpu);
}
