// SPDX-License-Identifier: GPL-2.0-only
/* Lists of tasks in a kernel made up here whose CPUs all lead to one long list: what is listed of all of them is bounded. */
#include <bpf/btf.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/str.h"
#include "observe/scx_state.h"
#include "guest_ram.h"
#include "unit.h"

enum {
	RAM_BYTES = 8 << 20,
	RUNQUEUES = 0x10000,
	LIST = 16, /* of struct rq: its runnable list; that of its local queue is 64 further on */
	NODE = 32, /* of task_struct */
	TASKS_AT = 0x100000,
	TASK_BYTES = 256,
	TASKS = 4000,
	JIFFIES = 0x20000,
	HZ = 250,
	LISTED_MAX = 65536,
};

struct kernel {
	char *ram;
	struct ktstr_kernel_view view;
	struct ktstr_task_set tasks;
};

static uint64_t kva(uint64_t physical)
{
	return KTSTR_DEFAULT_PAGE_OFFSET + physical;
}

static void put(struct kernel *kernel, uint64_t physical, uint64_t value)
{
	memcpy(kernel->ram + physical, &value, sizeof(value));
}

static struct ktstr_types *make_types(void)
{
	struct btf *btf = btf__new_empty();
	int u64 = btf__add_int(btf, "u64", 8, 0), index = btf__add_int(btf, "u32", 4, 0);
	int list = btf__add_array(btf, index, u64, 2), dsq, of_rq, node, of_task;
	struct ktstr_types *types = NULL;
	const void *data;
	uint32_t bytes;

	dsq = btf__add_struct(btf, "scx_dispatch_q", 16);
	btf__add_field(btf, "list", list, 0, 0);
	of_rq = btf__add_struct(btf, "scx_rq", 80);
	btf__add_field(btf, "runnable_list", list, 0, 0);
	btf__add_field(btf, "local_dsq", dsq, 64 * 8, 0);
	btf__add_struct(btf, "rq", LIST + 80);
	btf__add_field(btf, "scx", of_rq, LIST * 8, 0);
	node = btf__add_struct(btf, "scx_dsq_list_node", 20);
	btf__add_field(btf, "node", list, 0, 0);
	btf__add_field(btf, "flags", index, 16 * 8, 0);
	of_task = btf__add_struct(btf, "sched_ext_entity", 64);
	btf__add_field(btf, "runnable_at", u64, 40 * 8, 0);
	btf__add_field(btf, "runnable_node", list, 0, 0);
	btf__add_field(btf, "dsq_list", node, 16 * 8, 0);
	btf__add_struct(btf, "task_struct", NODE + 64);
	btf__add_field(btf, "scx", of_task, NODE * 8, 0);
	data = btf__raw_data(btf, &bytes);
	assert_ok(ktstr_types_parse(data, bytes, NULL, &types));
	btf__free(btf);
	return types;
}

static struct ktstr_symbols *make_symbols(void)
{
	static const char text[] = "runqueues\0jiffies_64";
	char *names = memcpy(ktstr_xcalloc(1, sizeof(text)), text, sizeof(text));
	struct ktstr_symbol *all = ktstr_xcalloc(2, sizeof(*all));

	all[0] = (struct ktstr_symbol){ names, kva(RUNQUEUES) };
	all[1] = (struct ktstr_symbol){ names + sizeof("runqueues"), kva(JIFFIES) };
	return ktstr_symbols_create(all, 2, names);
}

/* A list from the head through the node at that offset of each task. */
static void make_list(struct kernel *kernel, uint64_t head, uint64_t node)
{
	for (uint64_t i = 0; i < TASKS; i++) {
		put(kernel, head, kva(TASKS_AT + i * TASK_BYTES + node));
		head = TASKS_AT + i * TASK_BYTES + node;
	}
	put(kernel, head, kva(RUNQUEUES + LIST + (node == NODE ? 0 : 64)));
}

static int set_up(void **state)
{
	struct kernel *kernel = ktstr_xcalloc(1, sizeof(*kernel));

	kernel->ram = make_guest_ram(&kernel->view, RAM_BYTES);
	kernel->view.space.page_offset = KTSTR_DEFAULT_PAGE_OFFSET;
	kernel->view.types = make_types();
	kernel->view.symbols = make_symbols();
	kernel->view.cpus = 1;
	ktstr_guest_freeze(kernel->view.memory, true);
	make_list(kernel, RUNQUEUES + LIST, NODE);
	make_list(kernel, RUNQUEUES + LIST + 64, NODE + 16);
	*state = kernel;
	return 0;
}

static int tear_down(void **state)
{
	struct kernel *kernel = *state;

	end_guest_ram(&kernel->view, kernel->ram, RAM_BYTES);
	free(kernel);
	return 0;
}

/* The guest says so many CPUs, and puts the runqueues of all of them in one place. 0 would be no offset of a CPU. */
static void claim_cpus(struct kernel *kernel, unsigned int cpus)
{
	kernel->view.cpus = cpus;
	for (size_t cpu = 0; cpu < cpus; cpu++)
		kernel->view.per_cpu_offsets[cpu] = kva(0);
	ktstr_symbols_destroy(kernel->view.symbols);
	kernel->view.symbols = make_symbols();
	((struct ktstr_symbol *)ktstr_symbols_find(kernel->view.symbols, "runqueues"))->address = RUNQUEUES;
}

static void assert_listed(json_t *states, const char *tasks, const char *truncated, size_t states_count, size_t listed, size_t cut)
{
	const json_t *item;
	size_t i, total = 0, cut_found = 0;

	assert_int_equal(json_array_size(states), states_count);
	json_array_foreach(states, i, item) {
		total += json_array_size(json_object_get(item, tasks));
		cut_found += json_is_true(json_object_get(item, truncated));
	}
	assert_int_equal(total, listed);
	assert_int_equal(cut_found, cut);
	json_decref(states);
}

static void lists_are_whole(void **state)
{
	struct kernel *kernel = *state;

	claim_cpus(kernel, 3);
	assert_listed(ktstr_rq_scx_states(&kernel->view, &kernel->tasks), "runnable_task_kvas", "runnable_truncated", 3,
		      3 * TASKS, 0);
	assert_listed(ktstr_dsq_states(&kernel->view, &kernel->tasks), "task_kvas", "truncated", 3, 3 * TASKS, 0);
}

/* 16 whole lists, a part of the 17th, and of the others only that there is more. */
static void one_list_for_all_cpus(void **state)
{
	struct kernel *kernel = *state;

	claim_cpus(kernel, 100);
	assert_listed(ktstr_rq_scx_states(&kernel->view, &kernel->tasks), "runnable_task_kvas", "runnable_truncated", 100,
		      LISTED_MAX, 84);
	assert_listed(ktstr_dsq_states(&kernel->view, &kernel->tasks), "task_kvas", "truncated", 100, LISTED_MAX, 84);
}

static void assert_waits(const struct kernel *kernel, size_t task, unsigned int hz, json_int_t ms)
{
	json_t *tasks = ktstr_task_enrichments(&kernel->view, &kernel->tasks, hz), *waits;

	assert_int_equal(json_array_size(tasks), kernel->tasks.count);
	waits = json_object_get(json_array_get(tasks, task), "runnable_for_ms");
	if (waits ? json_integer_value(waits) != ms : ms >= 0)
		fail_msg("task %zu: %lld ms, expected %lld", task, json_integer_value(waits), ms);
	json_decref(tasks);
}

/* Only tasks on a runnable list wait, since when they have been there. Times that cannot be are left out. */
static void tasks_wait_since_they_are_runnable(void **state)
{
	struct kernel *kernel = *state;
	const uint64_t at = TASKS_AT + NODE + 40, now = UINT64_C(4295000000);

	put(kernel, JIFFIES, now);
	put(kernel, at, now - 872);
	put(kernel, at + TASK_BYTES, now);
	put(kernel, at + 2 * TASK_BYTES, now + 1);
	put(kernel, at + 4 * TASK_BYTES, now - 872);
	for (uint64_t i = 0; i < 5; i++)
		kernel->tasks.queued[ktstr_task_set_add(&kernel->tasks, kva(TASKS_AT + i * TASK_BYTES))] = i < 4;
	assert_waits(kernel, 0, HZ, 3488);
	assert_waits(kernel, 0, 0, -1);
	assert_waits(kernel, 1, HZ, 0);
	assert_waits(kernel, 2, HZ, -1);
	assert_waits(kernel, 3, HZ, -1);
	assert_waits(kernel, 4, HZ, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_are_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tasks_wait_since_they_are_runnable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_list_for_all_cpus, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
