// SPDX-License-Identifier: GPL-2.0-only
/* Finds targets and moves bytes. The request comes from the guest, which may only reach its own kernel's memory. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/kernel_ops.h"
#include "observe/render.h"

enum { TASKS_MAX = 65536 };

static size_t bytes_of(const struct ktstr_kernel_op_value *value)
{
	switch (value->kind) {
	case KTSTR_KERNEL_U64:
		return 8;
	case KTSTR_KERNEL_BYTES:
		return value->count;
	case KTSTR_KERNEL_U32:
	case KTSTR_KERNEL_OR_U32:
		break;
	}
	return 4;
}

/* A member of a structure of this kernel, which must not be narrower than what is read or written. */
static struct ktstr_error *find_member(const struct ktstr_object *object, const char *field, size_t bytes,
				       uint64_t *address)
{
	struct ktstr_field found = ktstr_types_field(object->view->types, object->type, field);

	if (!found.found)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "this kernel's struct %s has no member %s", object->type,
				       field);
	if (found.bytes < bytes)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s.%s has %u bytes, not %zu", object->type, field,
				       found.bytes, bytes);
	*address = object->address + found.offset;
	return NULL;
}

/* Per-CPU variables whose structure is known. */
static const char *const per_cpu_types[][2] = {
	{ "runqueues", "rq" },
	{ "kernel_cpustat", "kernel_cpustat" },
	{ "kstat", "kernel_stat" },
	{ "tick_cpu_sched", "tick_sched" },
};

static struct ktstr_error *find_per_cpu(const struct ktstr_kernel_view *view, const struct ktstr_kernel_target *target,
					size_t bytes, uint64_t *address)
{
	for (size_t i = 0; i < sizeof(per_cpu_types) / sizeof(per_cpu_types[0]); i++) {
		uint64_t symbol = ktstr_view_symbol(view, target->symbol);
		struct ktstr_object object =
			ktstr_object(view, per_cpu_types[i][1], ktstr_view_per_cpu(view, symbol, target->cpu));

		if (strcmp(per_cpu_types[i][0], target->symbol))
			continue;
		if (!symbol)
			return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "this kernel has no %s", target->symbol);
		if (!object.address)
			return ktstr_error_new(KTSTR_ERR_INVALID, "CPU %u is none of the guest's %u", target->cpu,
					       view->cpus);
		return find_member(&object, target->field, bytes, address);
	}
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "%s: per-CPU fields are of runqueues, kernel_cpustat, kstat or tick_cpu_sched",
			       target->symbol);
}

/* A task among sched_ext's, by pid and start time: a pid alone may have been given to another task meanwhile. */
struct task_search {
	const struct ktstr_kernel_view *view;
	const struct ktstr_kernel_target *target;
	struct ktstr_object task; /* of that pid; address 0 = none */
	bool same_start;
};

static bool look_at_task(void *context, uint64_t node)
{
	struct task_search *search = context;
	struct ktstr_object task = ktstr_container(search->view, "task_struct", "scx.tasks_node", node);
	int64_t pid;

	if (!ktstr_get_signed(&task, "pid", &pid) || pid != search->target->pid)
		return true;
	search->task = task;
	search->same_start = ktstr_get_or_zero(&task, "start_time") == search->target->start_time_ns;
	return !search->same_start;
}

static struct ktstr_error *find_task(const struct ktstr_kernel_view *view, const struct ktstr_kernel_target *target,
				     size_t bytes, uint64_t *address)
{
	struct task_search search = { .view = view, .target = target };
	uint64_t queued, dsq;

	ktstr_walk_list(view, ktstr_view_symbol(view, "scx_tasks"), TASKS_MAX, look_at_task, &search);
	if (!search.task.address)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "sched_ext has no task with pid %d", target->pid);
	if (!search.same_start)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "the task with pid %d started at %" PRIu64 " ns, not %" PRIu64,
				       target->pid, ktstr_get_or_zero(&search.task, "start_time"),
				       target->start_time_ns);
	if (!ktstr_get(&search.task, "on_rq", &queued) || queued)
		return ktstr_error_new(KTSTR_ERR_BUSY, "task %d is on a runqueue", target->pid);
	if (!ktstr_get(&search.task, "scx.dsq", &dsq) || dsq)
		return ktstr_error_new(KTSTR_ERR_BUSY, "task %d is in a dispatch queue", target->pid);
	return find_member(&search.task, target->field, bytes, address);
}

static struct ktstr_error *find_symbol(const struct ktstr_kernel_view *view, const char *name, uint64_t *address)
{
	*address = ktstr_view_symbol(view, name);
	if (!*address)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "this kernel has no symbol %s", name);
	return NULL;
}

/* Is the address translated by adding an offset, and not by page tables? */
static bool is_direct(const struct ktstr_kernel_view *view, uint64_t address)
{
	const struct ktstr_address_space *space = &view->space;
	uint64_t physical, bytes;

	if (!ktstr_translate(space, address, &physical, &bytes))
		return false;
	return physical == address - space->page_offset ||
	       physical == address - KTSTR_START_KERNEL_MAP + space->phys_base;
}

struct ktstr_error *ktstr_kernel_target_find(const struct ktstr_kernel_view *view,
					     const struct ktstr_kernel_target *target, size_t bytes, uint64_t *address)
{
	switch (target->kind) {
	case KTSTR_TARGET_SYMBOL:
		KTSTR_TRY(find_symbol(view, target->symbol, address));
		break;
	case KTSTR_TARGET_PER_CPU_FIELD:
		KTSTR_TRY(find_per_cpu(view, target, bytes, address));
		break;
	case KTSTR_TARGET_TASK_FIELD:
		KTSTR_TRY(find_task(view, target, bytes, address));
		break;
	case KTSTR_TARGET_DIRECT:
	case KTSTR_TARGET_KVA:
		*address = target->address;
		break;
	}
	if (!(*address >> 63))
		return ktstr_error_new(KTSTR_ERR_INVALID, "0x%" PRIx64 " is no kernel address", *address);
	if (target->kind == KTSTR_TARGET_DIRECT && !is_direct(view, *address))
		return ktstr_error_new(KTSTR_ERR_INVALID, "0x%" PRIx64 " is not in the direct map of the guest's RAM",
				       *address);
	return NULL;
}

/* By page tables when that is what was asked for, else as its part of the address space has it. */
static bool move(const struct ktstr_kernel_view *view, bool by_tables, bool write, uint64_t address, uint8_t *data,
		 size_t count)
{
	while (count) {
		uint64_t physical, run;
		size_t piece;

		if (!(by_tables ? ktstr_walk_page_tables : ktstr_translate)(&view->space, address, &physical, &run))
			return false;
		piece = run < count ? (size_t)run : count;
		if (write ? !ktstr_guest_write(view->memory, physical, data, piece) :
			    !ktstr_guest_read(view->memory, physical, data, piece))
			return false;
		address += piece;
		data += piece;
		count -= piece;
	}
	return true;
}

static struct ktstr_error *unmapped(uint64_t address, size_t bytes)
{
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%zu bytes at 0x%" PRIx64 " are not mapped", bytes, address);
}

static struct ktstr_error *write_entry(const struct ktstr_kernel_view *view, const struct ktstr_kernel_op_entry *entry)
{
	const struct ktstr_kernel_op_value *value = &entry->value;
	bool by_tables = entry->target.kind == KTSTR_TARGET_KVA;
	uint8_t data[KTSTR_KERNEL_BYTES_MAX];
	uint64_t address, number = value->number;
	size_t bytes = bytes_of(value);
	uint32_t old = 0;

	KTSTR_TRY(ktstr_kernel_target_find(view, &entry->target, bytes, &address));
	if (value->kind == KTSTR_KERNEL_OR_U32) {
		if (!move(view, by_tables, false, address, (uint8_t *)&old, sizeof(old)))
			return unmapped(address, bytes);
		number |= old;
	}
	memcpy(data, value->kind == KTSTR_KERNEL_BYTES ? value->bytes : (const uint8_t *)&number, bytes);
	return move(view, by_tables, true, address, data, bytes) ? NULL : unmapped(address, bytes);
}

static struct ktstr_error *read_entry(const struct ktstr_kernel_view *view, const struct ktstr_kernel_op_entry *entry,
				      struct ktstr_kernel_op_value *value)
{
	uint8_t data[KTSTR_KERNEL_BYTES_MAX];
	size_t bytes = bytes_of(&entry->value);
	uint64_t address;

	KTSTR_TRY(ktstr_kernel_target_find(view, &entry->target, bytes, &address));
	if (!move(view, entry->target.kind == KTSTR_TARGET_KVA, false, address, data, bytes))
		return unmapped(address, bytes);
	*value = (struct ktstr_kernel_op_value){ .kind = entry->value.kind };
	if (value->kind == KTSTR_KERNEL_BYTES) {
		uint8_t *copy = ktstr_xmalloc(bytes);

		memcpy(copy, data, bytes);
		value->bytes = copy;
		value->count = bytes;
	} else {
		memcpy(&value->number, data, bytes);
	}
	return NULL;
}

void ktstr_kernel_ops_do(const struct ktstr_kernel_view *view, const struct ktstr_kernel_op_request *request,
			 struct ktstr_kernel_op_reply *reply)
{
	*reply = (struct ktstr_kernel_op_reply){ .success = true };
	if (!request->write)
		reply->read_values = ktstr_xcalloc(request->entries_count + 1, sizeof(*reply->read_values));
	for (size_t i = 0; i < request->entries_count && reply->success; i++) {
		const struct ktstr_kernel_op_entry *entry = &request->entries[i];
		_cleanup_error_ struct ktstr_error *error =
			request->write ? write_entry(view, entry) :
					 read_entry(view, entry, &reply->read_values[reply->read_values_count]);

		if (error) {
			reply->success = false;
			reply->reason = ktstr_xasprintf("entry[%zu]: %s", i, ktstr_error_message(error));
		} else if (!request->write) {
			reply->read_values_count++;
		}
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

json_t *ktstr_kernel_op_to_json(const char *tag, const struct ktstr_kernel_op_reply *reply)
{
	json_t *values = json_array();

	for (size_t i = 0; i < reply->read_values_count; i++) {
		const struct ktstr_kernel_op_value *value = &reply->read_values[i];
		_cleanup_free_ char *hex =
			value->kind == KTSTR_KERNEL_BYTES ? ktstr_hex(value->bytes, value->count) : NULL;

		json_array_append_new(values,
				      hex ? json_pack("{ss ss}", "kind", "bytes", "bytes", hex) :
					    json_pack("{ss so}", "kind", value->kind == KTSTR_KERNEL_U64 ? "u64" : "u32",
						      "number", ktstr_json_exact_u64(value->number)));
	}
	return json_pack("{ss so}", "tag", tag, "values", values);
}
