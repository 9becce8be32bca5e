// SPDX-License-Identifier: GPL-2.0-only
/* What is known of each task: identity, family, priorities, class, context switches. */
#include <string.h>

#include "base/str.h"
#include "dump/number.h"
#include "observe/fields_json.h"
#include "observe/task_set.h"

enum { SLOTS = 2 * KTSTR_TASKS_MAX };

int ktstr_task_set_add(struct ktstr_task_set *set, uint64_t address)
{
	uint64_t slot = (address * 0x9e3779b97f4a7c15u) >> 51; /* 13 bits: SLOTS */

	for (;; slot = (slot + 1) % SLOTS) {
		if (!set->slots[slot])
			break;
		if (set->addresses[set->slots[slot] - 1] == address)
			return (int)set->slots[slot] - 1;
	}
	if (set->count == KTSTR_TASKS_MAX || !address)
		return -1;
	set->addresses[set->count] = address;
	set->slots[slot] = ++set->count;
	return (int)set->count - 1;
}

static const struct ktstr_member_row task_rows[] = {
	{ "pid", "pid", KTSTR_MEMBER_INT },
	{ "tgid", "tgid", KTSTR_MEMBER_INT },
	{ "comm", "comm", KTSTR_MEMBER_TEXT },
	{ "cpu", "thread_info.cpu", KTSTR_MEMBER_UINT },
	{ "weight", "scx.weight", KTSTR_MEMBER_UINT },
	{ "prio", "prio", KTSTR_MEMBER_INT },
	{ "static_prio", "static_prio", KTSTR_MEMBER_INT },
	{ "normal_prio", "normal_prio", KTSTR_MEMBER_INT },
	{ "rt_priority", "rt_priority", KTSTR_MEMBER_UINT },
	{ "core_cookie", "core_cookie", KTSTR_MEMBER_UINT },
	{ "nvcsw", "nvcsw", KTSTR_MEMBER_UINT },
	{ "nivcsw", "nivcsw", KTSTR_MEMBER_UINT },
	{ "scx_flags", "scx.flags", KTSTR_MEMBER_UINT },
	{ "scx_slice_ns", "scx.slice", KTSTR_MEMBER_UINT },
	{ "scx_dsq_vtime", "scx.dsq_vtime", KTSTR_MEMBER_UINT },
	{ "scx_sticky_cpu", "scx.sticky_cpu", KTSTR_MEMBER_INT },
	{ "runnable_at_jiffies", "scx.runnable_at", KTSTR_MEMBER_UINT },
};

static const struct ktstr_member_row signal_rows[] = {
	{ "nr_threads", "nr_threads", KTSTR_MEMBER_INT },
	{ "signal_nvcsw", "nvcsw", KTSTR_MEMBER_UINT },
	{ "signal_nivcsw", "nivcsw", KTSTR_MEMBER_UINT },
};

static const struct ktstr_member_row parent_rows[] = {
	{ "real_parent_pid", "pid", KTSTR_MEMBER_INT },
	{ "real_parent_comm", "comm", KTSTR_MEMBER_TEXT },
};

static const struct ktstr_member_row leader_rows[] = { { "group_leader_pid", "pid", KTSTR_MEMBER_INT } };
static const struct ktstr_member_row pgid_rows[] = { { "pgid", "numbers[0].nr", KTSTR_MEMBER_INT } };
static const struct ktstr_member_row sid_rows[] = { { "sid", "numbers[0].nr", KTSTR_MEMBER_INT } };

#define ADD(JSON, OBJECT, ROWS) ktstr_members_to_json((JSON), (OBJECT), (ROWS), sizeof(ROWS) / sizeof((ROWS)[0]))

/* The address of a class is that of a symbol. */
static const char *class_of(const struct ktstr_kernel_view *view, const struct ktstr_object *task)
{
	static const char *const classes[][2] = {
		{ "fair", "fair_sched_class" }, { "rt", "rt_sched_class" },	{ "dl", "dl_sched_class" },
		{ "idle", "idle_sched_class" }, { "stop", "stop_sched_class" }, { "ext", "ext_sched_class" },
	};
	uint64_t address = ktstr_get_or_zero(task, "sched_class");

	for (size_t i = 0; address && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (ktstr_view_symbol(view, classes[i][1]) == address)
			return classes[i][0];
	return NULL;
}

static json_t *enrich(const struct ktstr_kernel_view *view, uint64_t address, bool queued)
{
	struct ktstr_object task = ktstr_object(view, "task_struct", address);
	struct ktstr_object signal = ktstr_follow(&task, "signal", "signal_struct");
	struct ktstr_object parent = ktstr_follow(&task, "real_parent", "task_struct");
	struct ktstr_object leader = ktstr_follow(&task, "group_leader", "task_struct");
	struct ktstr_object pgid = ktstr_follow(&signal, "pids[2]", "pid"); /* PIDTYPE_PGID */
	struct ktstr_object sid = ktstr_follow(&signal, "pids[3]", "pid"); /* PIDTYPE_SID */
	const char *class = class_of(view, &task);
	json_t *json = json_pack("{so}", "task_kva", ktstr_json_address(address));

	ADD(json, &task, task_rows);
	ADD(json, &signal, signal_rows);
	ADD(json, &parent, parent_rows);
	ADD(json, &leader, leader_rows);
	ADD(json, &pgid, pgid_rows);
	ADD(json, &sid, sid_rows);
	if (class)
		json_object_set_new(json, "sched_class", json_string(class));
	/* Runnable for sched_ext, but run by another class: somebody lent it a priority. */
	if (queued && class && class[0] != 'e')
		json_object_set_new(json, "pi_boosted_out_of_scx", json_true());
	return json;
}

/* How long a task has been on its runnable list: what the kernel's watchdog compares with its limit. */
static void add_wait(const struct ktstr_kernel_view *view, uint64_t address, uint64_t now, unsigned int hz, json_t *json)
{
	struct ktstr_object task = ktstr_object(view, "task_struct", address);
	uint64_t since = ktstr_get_or_zero(&task, "scx.runnable_at");

	if (since && since <= now && now - since <= UINT64_MAX / 1000)
		json_object_set_new(json, "runnable_for_ms", ktstr_json_exact_u64((now - since) * 1000 / hz));
}

json_t *ktstr_task_enrichments(const struct ktstr_kernel_view *view, const struct ktstr_task_set *set, unsigned int hz)
{
	uint64_t now = ktstr_view_jiffies(view);
	json_t *array = json_array();

	for (size_t i = 0; i < set->count; i++) {
		json_t *json = enrich(view, set->addresses[i], set->queued[i]);

		if (set->queued[i] && hz)
			add_wait(view, set->addresses[i], now, hz, json);
		json_array_append_new(array, json);
	}
	return array;
}

/* The slow path of a lock that an instruction is in; a clone of a function has a suffix. */
static const char *lock_slowpath(const struct ktstr_kernel_view *view, uint64_t instruction)
{
	enum { LONGEST = 4096 }; /* bytes of such a function */
	static const char *const functions[] = { "native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath",
						 "__mutex_lock", "rwsem_down_read_slowpath", "rwsem_down_write_slowpath" };
	const struct ktstr_symbol *symbol = ktstr_symbols_at(view->symbols, instruction);

	for (size_t i = 0; symbol && i < sizeof(functions) / sizeof(functions[0]); i++) {
		size_t length = strlen(functions[i]);

		if (ktstr_str_starts_with(symbol->name, functions[i]) && strchr(".", symbol->name[length]) &&
		    instruction - symbol->address < LONGEST)
			return functions[i];
	}
	return NULL;
}

static json_t *find_task(json_t *enrichments, uint64_t address)
{
	json_t *task, *key = ktstr_json_address(address), *found = NULL;
	size_t i;

	json_array_foreach(enrichments, i, task)
		if (json_equal(json_object_get(task, "task_kva"), key))
			found = task;
	json_decref(key);
	return found;
}

void ktstr_tasks_note_locks(const struct ktstr_kernel_view *view, const json_t *vcpu_regs, json_t *enrichments)
{
	uint64_t runqueues = ktstr_view_symbol(view, "runqueues");
	json_t *registers;
	size_t cpu;

	json_array_foreach((json_t *)vcpu_regs, cpu, registers) {
		struct ktstr_object rq =
			ktstr_object(view, "rq", ktstr_view_per_cpu(view, runqueues, (unsigned int)cpu));
		bool negative;
		uint64_t instruction;
		const char *lock;

		if (!ktstr_json_read_exact(json_object_get(registers, "instruction_pointer"), &instruction, &negative))
			continue;
		lock = lock_slowpath(view, instruction);
		if (lock)
			json_object_set_new(find_task(enrichments, ktstr_get_or_zero(&rq, "curr")), "lock_slowpath_match",
					    json_string(lock));
	}
}
