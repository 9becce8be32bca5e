// SPDX-License-Identifier: GPL-2.0-only
/* Walks sched_ext's structures: rq.scx, dispatch queues of all origins, struct scx_sched. */
#include <stdio.h>
#include <string.h>

#include "observe/fields_json.h"
#include "observe/render.h"
#include "observe/scx_state.h"

enum {
	RUNNABLE_MAX = 4096, /* tasks listed per runqueue and per queue */
	BUCKETS_MAX = 65536,
	CHAIN_MAX = 1024,
	USER_DSQS_MAX = 8192,
	NODES_MAX = 1024,
	SCX_TASKS_MAX = 65536, /* in all lists of a kind together: a task is in one of them */
};

#define CURSOR_FLAG	  1u /* SCX_DSQ_LNODE_ITER_CURSOR: an iterator's place, not a task */
#define TASK_CURSOR_FLAG  (UINT64_C(1) << 31) /* SCX_TASK_CURSOR in sched_ext_entity.flags */

struct ktstr_object ktstr_scx_sched(const struct ktstr_kernel_view *view)
{
	uint64_t address = 0;

	ktstr_read_uint(&view->space, ktstr_view_symbol(view, "scx_root"), 8, &address);
	return ktstr_object(view, "scx_sched", address);
}

/* Tasks collected from a list, as their addresses. */
struct collector {
	const struct ktstr_kernel_view *view;
	const char *node_path; /* of the list's node in task_struct */
	const char *flags_path; /* entries with skip in it are no tasks */
	uint64_t skip;
	struct ktstr_task_set *tasks;
	bool runnable;
	size_t *left; /* entries that may still be looked at, in this list and others; NULL = any number */
	json_t *addresses; /* NULL = only the set counts */
};

static bool collect(void *context, uint64_t node)
{
	struct collector *collector = context;
	struct ktstr_object task =
		ktstr_container(collector->view, "task_struct", collector->node_path, node);
	int index;

	if (collector->left && !*collector->left)
		return false;
	if (collector->left)
		--*collector->left;
	if (collector->flags_path && ktstr_get_or_zero(&task, collector->flags_path) & collector->skip)
		return true;
	index = ktstr_task_set_add(collector->tasks, task.address);
	if (index >= 0 && collector->runnable)
		collector->tasks->queued[index] = true;
	if (collector->addresses)
		json_array_append_new(collector->addresses, ktstr_json_address(task.address));
	return true;
}

static const struct ktstr_member_row rq_rows[] = {
	{ "nr_running", "scx.nr_running", KTSTR_MEMBER_UINT },
	{ "flags", "scx.flags", KTSTR_MEMBER_UINT },
	{ "cpu_released", "scx.cpu_released", KTSTR_MEMBER_BOOL },
	{ "ops_qseq", "scx.ops_qseq", KTSTR_MEMBER_UINT },
	{ "kick_sync", "scx.kick_sync|scx.pnt_seq", KTSTR_MEMBER_UINT },
	{ "nr_immed", "scx.nr_immed", KTSTR_MEMBER_UINT },
	{ "rq_clock", "clock", KTSTR_MEMBER_UINT },
};

static const struct ktstr_member_row curr_rows[] = {
	{ "curr_pid", "pid", KTSTR_MEMBER_INT },
	{ "curr_comm", "comm", KTSTR_MEMBER_TEXT },
};

static json_t *rq_state(const struct ktstr_object *rq, unsigned int cpu, struct ktstr_task_set *tasks, size_t *left)
{
	struct ktstr_object curr = ktstr_follow(rq, "curr", "task_struct");
	struct collector collector = { .view = rq->view,
				       .node_path = "scx.runnable_node",
				       .tasks = tasks,
				       .runnable = true,
				       .left = left,
				       .addresses = json_array() };
	json_t *json = json_pack("{si}", "cpu", (int)cpu);

	ktstr_members_to_json(json, rq, rq_rows, sizeof(rq_rows) / sizeof(rq_rows[0]));
	ktstr_members_to_json(json, &curr, curr_rows, sizeof(curr_rows) / sizeof(curr_rows[0]));
	if (!ktstr_walk_list(rq->view, ktstr_member_address(rq, "scx.runnable_list"), RUNNABLE_MAX, collect, &collector))
		json_object_set_new(json, "runnable_truncated", json_true());
	json_object_set_new(json, "runnable_task_kvas", collector.addresses);
	return json;
}

json_t *ktstr_rq_scx_states(const struct ktstr_kernel_view *view, struct ktstr_task_set *tasks)
{
	uint64_t runqueues = ktstr_view_symbol(view, "runqueues");
	size_t left = SCX_TASKS_MAX;
	json_t *array = json_array();

	for (unsigned int cpu = 0; cpu < view->cpus; cpu++) {
		struct ktstr_object rq = ktstr_object(view, "rq", ktstr_view_per_cpu(view, runqueues, cpu));

		if (rq.address && ktstr_has(&rq, "scx"))
			json_array_append_new(array, rq_state(&rq, cpu, tasks, &left));
	}
	return array;
}

static const struct ktstr_member_row dsq_rows[] = {
	{ "id", "id", KTSTR_MEMBER_UINT },
	{ "nr", "nr", KTSTR_MEMBER_UINT },
	{ "seq", "seq", KTSTR_MEMBER_UINT },
};

struct dsq_list {
	const struct ktstr_kernel_view *view;
	struct ktstr_task_set *tasks;
	size_t left; /* tasks that may still be listed */
	json_t *array;
};

static void add_dsq(struct dsq_list *list, uint64_t address, const char *origin)
{
	struct ktstr_object dsq = ktstr_object(list->view, "scx_dispatch_q", address);
	struct collector collector = { .view = list->view,
				       .node_path = "scx.dsq_list.node",
				       .flags_path = "scx.dsq_list.flags",
				       .skip = CURSOR_FLAG,
				       .tasks = list->tasks,
				       .left = &list->left,
				       .addresses = json_array() };
	json_t *json = json_pack("{ss so}", "origin", origin, "task_kvas", collector.addresses);

	ktstr_members_to_json(json, &dsq, dsq_rows, sizeof(dsq_rows) / sizeof(dsq_rows[0]));
	if (!ktstr_walk_list(list->view, ktstr_member_address(&dsq, "list"), RUNNABLE_MAX, collect, &collector))
		json_object_set_new(json, "truncated", json_true());
	json_array_append_new(list->array, json);
}

/* There are local queues whether or not a scheduler is attached. */
static void add_local_dsqs(struct dsq_list *list)
{
	uint64_t runqueues = ktstr_view_symbol(list->view, "runqueues");
	char origin[32];

	for (unsigned int cpu = 0; cpu < list->view->cpus; cpu++) {
		struct ktstr_object rq =
			ktstr_object(list->view, "rq", ktstr_view_per_cpu(list->view, runqueues, cpu));
		uint64_t dsq = ktstr_member_address(&rq, "scx.local_dsq");

		snprintf(origin, sizeof(origin), "local cpu %u", cpu);
		if (dsq)
			add_dsq(list, dsq, origin);
	}
}

static void add_bypass_dsqs(struct dsq_list *list, const struct ktstr_object *sched)
{
	uint64_t percpu = ktstr_get_or_zero(sched, "pcpu");
	char origin[32];

	for (unsigned int cpu = 0; percpu && cpu < list->view->cpus; cpu++) {
		struct ktstr_object pcpu =
			ktstr_object(list->view, "scx_sched_pcpu", ktstr_view_per_cpu(list->view, percpu, cpu));
		uint64_t dsq = ktstr_member_address(&pcpu, "bypass_dsq");

		snprintf(origin, sizeof(origin), "bypass cpu %u", cpu);
		if (dsq)
			add_dsq(list, dsq, origin);
	}
}

/* An array of pointers, one per node: to scx_sched_pnode, or in older kernels to the queue itself. */
static void add_global_dsqs(struct dsq_list *list, const struct ktstr_object *sched)
{
	bool per_node = ktstr_has(sched, "pnode");
	uint64_t array = ktstr_get_or_zero(sched, per_node ? "pnode" : "global_dsqs"), nodes = 0;
	char origin[32];

	ktstr_read_uint(&list->view->space, ktstr_view_symbol(list->view, "nr_node_ids"), 4, &nodes);
	for (uint64_t node = 0; array && node < nodes && node < NODES_MAX; node++) {
		struct ktstr_object pnode = ktstr_object(list->view, "scx_sched_pnode", 0);
		uint64_t dsq;

		if (!ktstr_read_uint(&list->view->space, array + 8 * node, 8, &dsq) || !dsq)
			continue;
		pnode.address = dsq;
		if (per_node)
			dsq = ktstr_member_address(&pnode, "global_dsq");
		snprintf(origin, sizeof(origin), "global node %u", (unsigned int)node);
		add_dsq(list, dsq, origin);
	}
}

/* One chain of an rhashtable: bit 0 of the bucket is its lock, an odd pointer ends the chain. */
static size_t add_chain(struct dsq_list *list, uint64_t bucket, size_t left)
{
	uint64_t node = bucket & ~UINT64_C(1);
	size_t added = 0;

	for (int steps = 0; node && !(node & 1) && steps < CHAIN_MAX && added < left; steps++) {
		struct ktstr_object dsq = ktstr_container(list->view, "scx_dispatch_q", "hash_node", node);

		add_dsq(list, dsq.address, "user");
		added++;
		if (!ktstr_read_uint(&list->view->space, node, 8, &node))
			break;
	}
	return added;
}

static void add_user_dsqs(struct dsq_list *list, const struct ktstr_object *sched)
{
	struct ktstr_object hash =
		ktstr_object(list->view, "rhashtable", ktstr_member_address(sched, "dsq_hash"));
	struct ktstr_object table = ktstr_follow(&hash, "tbl", "bucket_table");
	uint64_t buckets = ktstr_member_address(&table, "buckets"), size = ktstr_get_or_zero(&table, "size");
	size_t left = USER_DSQS_MAX;

	for (uint64_t i = 0; buckets && i < size && i < BUCKETS_MAX && left; i++) {
		uint64_t bucket;

		if (ktstr_read_uint(&list->view->space, buckets + 8 * i, 8, &bucket))
			left -= add_chain(list, bucket, left);
	}
}

json_t *ktstr_dsq_states(const struct ktstr_kernel_view *view, struct ktstr_task_set *tasks)
{
	struct dsq_list list = { view, tasks, SCX_TASKS_MAX, json_array() };
	struct ktstr_object sched = ktstr_scx_sched(view);

	add_local_dsqs(&list);
	if (sched.address) {
		add_bypass_dsqs(&list, &sched);
		add_global_dsqs(&list, &sched);
		add_user_dsqs(&list, &sched);
	}
	return list.array;
}

static const struct ktstr_member_row sched_rows[] = {
	{ "aborting", "aborting", KTSTR_MEMBER_BOOL },
	{ "bypass_depth", "bypass_depth", KTSTR_MEMBER_INT },
	{ "exit_kind", "exit_kind", KTSTR_MEMBER_INT },
	{ "watchdog_timeout", "watchdog_timeout", KTSTR_MEMBER_UINT },
	{ "ops_name", "ops.name", KTSTR_MEMBER_TEXT },
};

/* What was a variable of the file before it became a member of struct scx_sched. */
static void add_file_scope(const struct ktstr_kernel_view *view, json_t *json, const char *key, const char *symbol,
			   size_t bytes)
{
	uint64_t value;

	if (!json_object_get(json, key) && ktstr_read_uint(&view->space, ktstr_view_symbol(view, symbol), bytes, &value))
		json_object_set_new(json, key, ktstr_json_exact_u64(value));
}

json_t *ktstr_scx_sched_state(const struct ktstr_kernel_view *view, const char **reason)
{
	struct ktstr_object sched = ktstr_scx_sched(view);
	json_t *json;

	*reason = NULL;
	if (!ktstr_view_symbol(view, "scx_root"))
		*reason = "the kernel has no scx_root (before 6.16, or without CONFIG_SCHED_CLASS_EXT)";
	else if (!sched.address)
		*reason = "scx_root is NULL (no scheduler attached)";
	if (*reason)
		return NULL;
	json = json_pack("{ss so}", "source", "live", "sched_kva", ktstr_json_address(sched.address));
	ktstr_members_to_json(json, &sched, sched_rows, sizeof(sched_rows) / sizeof(sched_rows[0]));
	add_file_scope(view, json, "watchdog_timeout", "scx_watchdog_timeout", sizeof(uint64_t)); /* unsigned long, jiffies */
	add_file_scope(view, json, "bypass_depth", "scx_bypass_depth", sizeof(int32_t));
	return json;
}

void ktstr_scx_tasks(const struct ktstr_kernel_view *view, struct ktstr_task_set *tasks)
{
	struct collector collector = { .view = view,
				       .node_path = "scx.tasks_node",
				       .flags_path = "scx.flags",
				       .skip = TASK_CURSOR_FLAG,
				       .tasks = tasks };

	ktstr_walk_list(view, ktstr_view_symbol(view, "scx_tasks"), SCX_TASKS_MAX, collect, &collector);
}
