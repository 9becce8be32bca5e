// SPDX-License-Identifier: GPL-2.0-only
/* kernel_cpustat, kstat and tick_cpu_sched per CPU; vm_numa_event per zone and node. */
#include <stdio.h>

#include "observe/cpu_time.h"
#include "observe/fields_json.h"
#include "observe/render.h"

enum { NODES_MAX = 1024, ZONES_MAX = 8, SOFTIRQS = 10, NUMA_EVENTS = 6 };

/* enum cpu_usage_stat, include/linux/kernel_stat.h. */
static const struct ktstr_member_row cpustat_rows[] = {
	{ "cpustat_user_ns", "cpustat[0]", KTSTR_MEMBER_UINT },
	{ "cpustat_nice_ns", "cpustat[1]", KTSTR_MEMBER_UINT },
	{ "cpustat_system_ns", "cpustat[2]", KTSTR_MEMBER_UINT },
	{ "cpustat_softirq_ns", "cpustat[3]", KTSTR_MEMBER_UINT },
	{ "cpustat_irq_ns", "cpustat[4]", KTSTR_MEMBER_UINT },
	{ "cpustat_idle_ns", "cpustat[5]", KTSTR_MEMBER_UINT },
	{ "cpustat_iowait_ns", "cpustat[6]", KTSTR_MEMBER_UINT },
	{ "cpustat_steal_ns", "cpustat[7]", KTSTR_MEMBER_UINT },
};

static const struct ktstr_member_row kstat_rows[] = { { "irqs_sum", "irqs_sum", KTSTR_MEMBER_UINT } };
static const struct ktstr_member_row tick_rows[] = {
	{ "iowait_sleeptime_ns", "iowait_sleeptime", KTSTR_MEMBER_UINT },
};

#define ADD(JSON, OBJECT, ROWS) ktstr_members_to_json((JSON), (OBJECT), (ROWS), sizeof(ROWS) / sizeof((ROWS)[0]))

static struct ktstr_object per_cpu(const struct ktstr_kernel_view *view, const char *type, const char *symbol,
				   unsigned int cpu)
{
	return ktstr_object(view, type, ktstr_view_per_cpu(view, ktstr_view_symbol(view, symbol), cpu));
}

/* HI, TIMER, NET_TX, NET_RX, BLOCK, IRQ_POLL, TASKLET, SCHED, HRTIMER, RCU. */
static json_t *softirqs(const struct ktstr_object *kstat)
{
	json_t *counts = json_array();
	char path[24];

	for (int i = 0; i < SOFTIRQS; i++) {
		uint64_t count;

		snprintf(path, sizeof(path), "softirqs[%d]", i);
		if (ktstr_get(kstat, path, &count))
			json_array_append_new(counts, ktstr_json_exact_u64(count));
	}
	return counts;
}

json_t *ktstr_per_cpu_time(const struct ktstr_kernel_view *view)
{
	json_t *array = json_array();

	for (unsigned int cpu = 0; cpu < view->cpus; cpu++) {
		struct ktstr_object cpustat = per_cpu(view, "kernel_cpustat", "kernel_cpustat", cpu);
		struct ktstr_object kstat = per_cpu(view, "kernel_stat", "kstat", cpu);
		struct ktstr_object tick = per_cpu(view, "tick_sched", "tick_cpu_sched", cpu);
		json_t *json;

		if (!cpustat.address)
			continue;
		json = json_pack("{si}", "cpu", (int)cpu);
		ADD(json, &cpustat, cpustat_rows);
		ADD(json, &kstat, kstat_rows);
		ADD(json, &tick, tick_rows);
		json_object_set_new(json, "softirqs", softirqs(&kstat));
		json_array_append_new(array, json);
	}
	return array;
}

/* enum numa_stat_item, include/linux/mmzone.h. */
static const char *const numa_keys[NUMA_EVENTS] = { "numa_hit",		    "numa_miss",  "numa_foreign",
						    "numa_interleave_hit", "numa_local", "numa_other" };

/* The zone's counters, and those of each CPU, which are folded in only when somebody in the guest reads them. */
static void add_zone(const struct ktstr_object *node, int zone, uint64_t counts[NUMA_EVENTS])
{
	const struct ktstr_kernel_view *view = node->view;
	uint64_t percpu;
	char path[48];

	snprintf(path, sizeof(path), "node_zones[%d].per_cpu_zonestats", zone);
	percpu = ktstr_get_or_zero(node, path);
	for (int event = 0; event < NUMA_EVENTS; event++) {
		snprintf(path, sizeof(path), "node_zones[%d].vm_numa_event[%d]", zone, event);
		counts[event] += ktstr_get_or_zero(node, path);
		snprintf(path, sizeof(path), "vm_numa_event[%d]", event);
		for (unsigned int cpu = 0; cpu < view->cpus; cpu++) {
			struct ktstr_object stats = ktstr_object(view, "per_cpu_zonestat",
								 ktstr_view_per_cpu(view, percpu, cpu));

			counts[event] += ktstr_get_or_zero(&stats, path);
		}
	}
}

json_t *ktstr_per_node_numa(const struct ktstr_kernel_view *view, const char **reason)
{
	uint64_t table = ktstr_view_symbol(view, "node_data"), nodes = 0;
	struct ktstr_object any = ktstr_object(view, "pglist_data", 0);
	json_t *array = json_array();

	*reason = NULL;
	if (!table || !ktstr_has(&any, "node_zones[0].vm_numa_event")) {
		*reason = "the kernel keeps no NUMA counters (CONFIG_NUMA)";
		return array;
	}
	ktstr_read_uint(&view->space, ktstr_view_symbol(view, "nr_node_ids"), 4, &nodes);
	for (uint64_t id = 0; id < nodes && id < NODES_MAX; id++) {
		struct ktstr_object node = any;
		uint64_t counts[NUMA_EVENTS] = { 0 };
		json_t *json;

		if (!ktstr_read_uint(&view->space, table + 8 * id, 8, &node.address) || !node.address)
			continue;
		for (int zone = 0; zone < ZONES_MAX; zone++)
			add_zone(&node, zone, counts);
		json = json_pack("{si}", "node", (int)id);
		for (int event = 0; event < NUMA_EVENTS; event++)
			json_object_set_new(json, numa_keys[event], ktstr_json_exact_u64(counts[event]));
		json_array_append_new(array, json);
	}
	return array;
}
