// SPDX-License-Identifier: GPL-2.0-only
/*
 * `ktstr topo`: CPUs, LLCs and NUMA nodes of this host, or of the guest that a shape would give;
 * the presets.
 */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/commands.h"

enum { OPTION_PRESETS = 0x100 };

struct arguments {
	const char *shape; /* NULL = this host */
	bool presets, json;
};

KTSTR_DEFINE_CLEANUP(struct ktstr_test_topology *, cleanup_topology, ktstr_test_topology_destroy)

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_PRESETS:
		arguments->presets = true;
		return 0;
	case 'J':
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->shape)
			argp_error(state, "one shape at a time, not \"%s\" and \"%s\"",
				   arguments->shape, argument);
		arguments->shape = argument;
		return 0;
	case ARGP_KEY_END:
		if (arguments->presets && arguments->shape)
			argp_error(state, "--presets lists all of them; leave out \"%s\"",
				   arguments->shape);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "presets", OPTION_PRESETS, NULL, 0, "List the named shapes of the gauntlet", 0 },
	{ "json", 'J', NULL, 0, "as JSON", 0 },
	{ 0 },
};

static const struct argp parser = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[SHAPE]",
	.doc = "Show the CPUs, LLCs and NUMA nodes of this host, or of the guest that SHAPE "
	       "gives.\v"
	       "SHAPE is NUMA nodes, LLCs, cores per LLC and threads per core, such as 1n2l4c2t, "
	       "or the "
	       "name of a preset, such as 8cpu-2llc-smt.",
};

/* --- presets --- */

static bool runs_by_default(const struct ktstr_topology *topology)
{
	const struct ktstr_topology_constraints defaults = { 0 };
	_cleanup_error_ struct ktstr_error *error =
		ktstr_topology_check_constraints(&defaults, topology);

	return !error;
}

static json_t *preset_json(const struct ktstr_topology_preset *preset, const char *shape)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:b}", "name", preset->name, "shape", shape,
			 "cpus", (int)ktstr_topology_total_cpus(&preset->topology), "llcs",
			 (int)preset->topology.llcs, "numa_nodes", (int)preset->topology.numa_nodes,
			 "default", runs_by_default(&preset->topology));
}

static void show_presets(bool json)
{
	json_t *array = json ? json_array() : NULL;
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	size_t count;
	const struct ktstr_topology_preset *presets = ktstr_topology_presets(&count);

	if (!json)
		printf("%-26s %-12s %4s %4s %5s  %s\n", "NAME", "SHAPE", "CPUS", "LLCS", "NODES",
		       "DEFAULT");
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_topology *topology = &presets[i].topology;

		ktstr_topology_format(topology, shape);
		if (json)
			json_array_append_new(array, preset_json(&presets[i], shape));
		else
			printf("%-26s %-12s %4u %4u %5u  %s\n", presets[i].name, shape,
			       ktstr_topology_total_cpus(topology), topology->llcs,
			       topology->numa_nodes, runs_by_default(topology) ? "yes" : "no");
	}
	if (json)
		ktstr_cli_print_json(array);
	else
		puts("\nDEFAULT: used by tests that set no limits (1 node, 12 LLCs, 192 CPUs at "
		     "most).");
}

/* --- one machine --- */

/* The siblings of each core of a set: "0-1" "2-3". */
static json_t *cores_json(const struct ktstr_test_topology *topology, const struct ktstr_cpus *cpus)
{
	json_t *cores = json_array();

	ktstr_for_each_cpu (cpu, cpus) {
		struct ktstr_cpus siblings = ktstr_test_topology_siblings(topology, cpu);
		_cleanup_free_ char *text = NULL;

		if (ktstr_cpus_next(&siblings, 0) != cpu)
			continue;
		text = ktstr_cpus_to_text(&siblings);
		json_array_append_new(cores, json_string(text));
	}
	return cores;
}

static json_t *llc_json(const struct ktstr_test_topology *topology,
			const struct ktstr_llc_info *llc)
{
	_cleanup_free_ char *cpus = ktstr_cpus_to_text(&llc->cpus);
	json_t *object = json_pack("{s:i, s:i, s:s, s:o}", "id", (int)llc->id, "numa_node",
				   (int)llc->numa_node, "cpus", cpus, "cores",
				   cores_json(topology, &llc->cpus));

	if (llc->cache_size_kib.set)
		json_object_set_new(object, "cache_size_kib",
				    json_integer(llc->cache_size_kib.value));
	return object;
}

static json_t *node_json(const struct ktstr_test_topology *topology, unsigned int id)
{
	struct ktstr_cpus set = ktstr_test_topology_cpus_in_node(topology, id);
	const struct ktstr_node_mem_info *memory = ktstr_test_topology_node_meminfo(topology, id);
	_cleanup_free_ char *cpus = ktstr_cpus_to_text(&set);
	json_t *distances = json_array();
	size_t count;
	const unsigned int *ids = ktstr_test_topology_numa_node_ids(topology, &count);
	json_t *object;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(distances, json_integer(ktstr_test_topology_numa_distance(
							 topology, id, ids[i])));
	object = json_pack("{s:i, s:s, s:o}", "id", (int)id, "cpus", cpus, "distances", distances);
	if (memory)
		json_object_set_new(object, "memory_kib", json_integer(memory->total_kib));
	return object;
}

static json_t *machine_json(const struct ktstr_test_topology *topology, const char *source)
{
	json_t *llcs_array = json_array(), *nodes_array = json_array();
	size_t llcs_count, nodes_count;
	const struct ktstr_llc_info *llcs = ktstr_test_topology_llcs(topology, &llcs_count);
	const unsigned int *ids = ktstr_test_topology_numa_node_ids(topology, &nodes_count);

	for (size_t i = 0; i < llcs_count; i++)
		json_array_append_new(llcs_array, llc_json(topology, &llcs[i]));
	for (size_t i = 0; i < nodes_count; i++)
		json_array_append_new(nodes_array, node_json(topology, ids[i]));
	return json_pack("{s:s, s:i, s:o, s:o}", "source", source, "cpus",
			 (int)ktstr_test_topology_total_cpus(topology), "llcs", llcs_array,
			 "numa_nodes", nodes_array);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int widest_cpus(const json_t *array, int at_least)
{
	int widest = at_least;
	size_t i;
	json_t *row;

	json_array_foreach (array, i, row)
		if ((int)json_string_length(json_object_get(row, "cpus")) > widest)
			widest = json_string_length(json_object_get(row, "cpus"));
	return widest;
}

static void print_llcs(const json_t *llcs)
{
	int width = widest_cpus(llcs, 4);
	size_t i, j;
	json_t *llc, *core;

	printf("\n%-4s %-4s %-*s  %s\n", "LLC", "NODE", width, "CPUS",
	       "CORES (SMT siblings joined)");
	json_array_foreach (llcs, i, llc) {
		printf("%-4lld %-4lld %-*s ", number_of(llc, "id"), number_of(llc, "numa_node"),
		       width, text_of(llc, "cpus"));
		json_array_foreach (json_object_get(llc, "cores"), j, core)
			printf(" %s", json_string_value(core));
		if (json_object_get(llc, "cache_size_kib"))
			printf("  (%lld KiB)", number_of(llc, "cache_size_kib"));
		putchar('\n');
	}
}

static void print_nodes(const json_t *nodes)
{
	int width = widest_cpus(nodes, 4);
	size_t i, j;
	json_t *node, *distance;

	printf("\n%-4s %-*s  %s\n", "NODE", width, "CPUS", "DISTANCES");
	json_array_foreach (nodes, i, node) {
		printf("%-4lld %-*s ", number_of(node, "id"), width,
		       *text_of(node, "cpus") ? text_of(node, "cpus") : "none");
		json_array_foreach (json_object_get(node, "distances"), j, distance)
			printf(" %d", (int)json_integer_value(distance));
		if (json_object_get(node, "memory_kib"))
			printf("  (%lld MiB)", number_of(node, "memory_kib") / 1024);
		putchar('\n');
	}
}

static void print_machine(const json_t *machine)
{
	const json_t *llcs = json_object_get(machine, "llcs");
	const json_t *nodes = json_object_get(machine, "numa_nodes");
	long long cpus = number_of(machine, "cpus");

	printf("%s: %lld CPU%s, %zu LLC%s, %zu NUMA node%s\n", text_of(machine, "source"), cpus,
	       cpus == 1 ? "" : "s", json_array_size(llcs), json_array_size(llcs) == 1 ? "" : "s",
	       json_array_size(nodes), json_array_size(nodes) == 1 ? "" : "s");
	print_llcs(llcs);
	print_nodes(nodes);
}

static struct ktstr_error *load(const char *shape, struct ktstr_test_topology **topology)
{
	struct ktstr_topology spec;

	if (!shape)
		return ktstr_test_topology_from_system(NULL, topology);
	KTSTR_TRY(ktstr_topology_resolve(shape, &spec));
	return ktstr_test_topology_from_spec(&spec, 0, topology);
}

static struct ktstr_error *show_machine(const char *shape, bool json)
{
	_cleanup_(cleanup_topology) struct ktstr_test_topology *topology = NULL;
	json_t *machine;

	KTSTR_TRY(load(shape, &topology));
	machine = machine_json(topology, shape ? shape : "host");
	if (json) {
		ktstr_cli_print_json(machine);
		return NULL;
	}
	print_machine(machine);
	json_decref(machine);
	return NULL;
}

int ktstr_cmd_topo(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct ktstr_error *error;

	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments))
		return EXIT_FAILURE;
	if (arguments.presets) {
		show_presets(arguments.json);
		return EXIT_SUCCESS;
	}
	error = show_machine(arguments.shape, arguments.json);
	if (!error)
		return EXIT_SUCCESS;
	fprintf(stderr, "ktstr: %s\n", ktstr_error_message(error));
	ktstr_error_free(error);
	return EXIT_FAILURE;
}
