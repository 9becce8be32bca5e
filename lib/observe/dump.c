// SPDX-License-Identifier: GPL-2.0-only
/* Puts a dump together. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "dump/shape.h"
#include "ktstr/cgroup.h"
#include "observe/arena_allocators.h"
#include "observe/bpf_maps.h"
#include "observe/bpf_progs.h"
#include "observe/cpu_time.h"
#include "observe/dump.h"
#include "observe/fields_json.h"
#include "observe/psi.h"
#include "observe/render.h"
#include "observe/scx_state.h"

/* The suffixes that libbpf gives the maps of an object's sections: "<object>.bss". */
static const char *const section_suffixes[] = { ".bss", ".data", ".rodata" };

struct dump {
	const struct ktstr_kernel_view *view;
	const struct ktstr_dump_options *options;
	json_t *json;
	uint64_t began_ns;
	bool truncated;
};

/* The deadline has passed: what follows is left out, and the dump says so. */
static bool late(struct dump *dump)
{
	uint64_t now = ktstr_now_ns();

	if (!dump->truncated && dump->options->deadline_ns && now > dump->options->deadline_ns) {
		dump->truncated = true;
		json_object_set_new(dump->json, "dump_truncated_at_us",
				    json_integer((json_int_t)((now - dump->began_ns) / 1000)));
	}
	return dump->truncated;
}

/* Empty lists are left out, as absent values are. */
static void set(struct dump *dump, const char *key, json_t *value)
{
	if (json_is_array(value) && !json_array_size(value))
		json_decref(value);
	else if (value)
		json_object_set_new(dump->json, key, value);
}

static bool is_section(const char *map_name, const char **suffix)
{
	for (size_t i = 0; i < sizeof(section_suffixes) / sizeof(section_suffixes[0]); i++) {
		*suffix = section_suffixes[i];
		if (ktstr_str_ends_with(map_name, *suffix))
			return true;
	}
	return false;
}

static const struct ktstr_bpf_map *map_at(const struct ktstr_bpf_map *maps, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++)
		if (maps[i].address == address)
			return &maps[i];
	return NULL;
}

/* The object whose struct_ops program is loaded: its name is the prefix of its section maps. */
static void add_active(struct dump *dump, const struct ktstr_bpf_prog *progs, size_t progs_count,
		       const struct ktstr_bpf_map *maps, size_t maps_count)
{
	for (size_t p = 0; p < progs_count; p++) {
		if (progs[p].type != KTSTR_BPF_PROG_STRUCT_OPS)
			continue;
		for (size_t i = 0; i < progs[p].maps_count; i++) {
			const struct ktstr_bpf_map *map = map_at(maps, maps_count, progs[p].maps[i]);
			json_t *addresses;
			_cleanup_free_ char *object = NULL;
			const char *suffix;

			if (!map || !is_section(map->name, &suffix))
				continue;
			object = ktstr_xstrndup(map->name, strlen(map->name) - strlen(suffix));
			set(dump, "active_obj_name", ktstr_guest_text_to_json(object));
			addresses = json_array();
			for (size_t k = 0; k < progs[p].maps_count; k++)
				json_array_append_new(addresses, ktstr_json_address(progs[p].maps[k]));
			set(dump, "active_map_kvas", addresses);
			return;
		}
	}
}

static void add_allocators(struct dump *dump, const struct ktstr_bpf_map *maps, size_t count)
{
	struct ktstr_arena_allocators found;

	ktstr_arena_allocators(maps, count, &found);
	set(dump, "sdt_allocations", found.allocations);
	set(dump, "scx_static_ranges", found.ranges);
	if (found.unavailable)
		set(dump, "sdt_alloc_unavailable", json_string(found.unavailable));
}

static void add_bpf(struct dump *dump)
{
	struct ktstr_bpf_maps *found = ktstr_bpf_maps_find(dump->view);
	size_t maps_count, progs_count;
	const struct ktstr_bpf_map *maps = ktstr_bpf_maps_all(found, &maps_count);
	_cleanup_free_ struct ktstr_bpf_prog *progs = ktstr_bpf_progs(dump->view, &progs_count);
	json_t *array = json_array();

	for (size_t i = 0; i < maps_count && !late(dump); i++)
		json_array_append_new(array, ktstr_bpf_map_to_json(&maps[i]));
	if (json_array_size(array) < maps_count)
		set(dump, "maps_truncated", json_true());
	set(dump, "maps", array);
	add_active(dump, progs, progs_count, maps, maps_count);
	set(dump, "prog_runtime_stats", ktstr_prog_runtime_stats(progs, progs_count));
	if (!json_object_get(dump->json, "prog_runtime_stats"))
		set(dump, "prog_runtime_stats_unavailable",
		    json_string(progs_count ? "no struct_ops programs are loaded" : "no BPF programs are loaded"));
	if (!late(dump))
		add_allocators(dump, maps, maps_count);
	ktstr_bpf_maps_destroy(found);
}

static void add_scheduler(struct dump *dump)
{
	_cleanup_free_ struct ktstr_task_set *tasks = ktstr_xcalloc(1, sizeof(*tasks));
	json_t *enrichments;
	const char *reason;

	set(dump, "rq_scx_states", ktstr_rq_scx_states(dump->view, tasks));
	set(dump, "dsq_states", ktstr_dsq_states(dump->view, tasks));
	set(dump, "scx_sched_state", ktstr_scx_sched_state(dump->view, &reason));
	if (reason)
		set(dump, "scx_walker_unavailable", json_string(reason));
	ktstr_scx_tasks(dump->view, tasks);
	if (late(dump))
		return;
	enrichments = ktstr_task_enrichments(dump->view, tasks, dump->options->hz);
	ktstr_tasks_note_locks(dump->view, dump->options->vcpu_regs, enrichments);
	set(dump, "task_enrichments", enrichments);
	if (!tasks->count)
		set(dump, "task_enrichments_unavailable", json_string("sched_ext has no tasks"));
}

static void add_system(struct dump *dump)
{
	const char *reason;

	set(dump, "per_cpu_time", ktstr_per_cpu_time(dump->view));
	set(dump, "per_node_numa", ktstr_per_node_numa(dump->view, &reason));
	if (reason)
		set(dump, "per_node_numa_unavailable", json_string(reason));
}

static void add_cgroups(struct dump *dump)
{
	const char *asked = dump->options->workload_cgroup;
	struct ktstr_cgroup_pressures found;

	ktstr_cgroup_pressures(dump->view, asked ? asked : &KTSTR_CGROUP_DEFAULT_PARENT[strlen("/sys/fs/cgroup")], &found);
	set(dump, "cgroup_psi", json_incref(found.list));
	if (found.truncated)
		set(dump, "cgroup_psi_truncated", json_true());
	if (found.unavailable)
		set(dump, "cgroup_psi_unavailable", json_string(found.unavailable));
	if (found.irq_unavailable)
		set(dump, "cgroup_psi_irq_unavailable", json_string(found.irq_unavailable));
	ktstr_cgroup_pressures_deinit(&found);
}

json_t *ktstr_dump(const struct ktstr_kernel_view *view, const struct ktstr_dump_options *options)
{
	struct dump dump = { view, options, json_pack("{ss}", "schema", KTSTR_SCHEMA_SINGLE), ktstr_now_ns(), false };

	if (options->vcpu_regs)
		json_object_set(dump.json, "vcpu_regs", (json_t *)options->vcpu_regs);
	/* The scheduler's state first: it is what a dump is for. */
	add_scheduler(&dump);
	if (!late(&dump))
		add_bpf(&dump);
	if (!late(&dump))
		add_system(&dump);
	if (!late(&dump))
		add_cgroups(&dump);
	return dump.json;
}

json_t *ktstr_dump_placeholder(const char *reason)
{
	struct ktstr_failure_dump *dump = ktstr_failure_dump_placeholder(reason);
	json_t *json = ktstr_shape_to_json(&ktstr_single_shape, dump);

	ktstr_failure_dump_free(dump);
	return json;
}
