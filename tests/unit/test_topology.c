// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shapes: validation, text form, arithmetic, presets and constraints; test topologies from specs.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "ktstr/topology.h"
#include "topology/constraints.h"
#include "topology/json.h"
#include "cpus.h"

static const struct ktstr_numa_node cxl_nodes[] = {
	{ .llcs = 2, .memory_mib = 512 },
	{ .llcs = 1, .memory_mib = 256 },
	{ .llcs = 0, .memory_mib = 1024 },
};

static const struct ktstr_topology cxl = {
	.numa_nodes = 3,
	.llcs = 3,
	.cores_per_llc = 2,
	.threads_per_core = 2,
	.nodes = cxl_nodes,
	.nodes_count = 3,
};

/* --- text form --- */

static void text_form_round_trips(void **state)
{
	static const char *const texts[] = { "1n1l1c1t", "1n2l4c2t", "2n4l4c2t", "1n1l1024c1t" };
	char out[KTSTR_TOPOLOGY_TEXT_BYTES];
	struct ktstr_topology topology;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_null(ktstr_topology_parse(texts[i], &topology));
		assert_string_equal(ktstr_topology_format(&topology, out), texts[i]);
	}
	assert_null(ktstr_topology_parse("2n4l4c2t", &topology));
	assert_int_equal(ktstr_topology_total_cpus(&topology), 32);
}

static void bad_text_forms_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "1n2l0c1t", "axis c (cores per LLC) is 0 and must be at least 1" },
		{ "1n2l0c1t", "1n2l4c2t" },
		{ "", "ends before axis n (NUMA nodes); write it like 1n2l4c2t" },
		{ "1n2l", "ends before axis c (cores per LLC)" },
		{ "1n2l4", "ends after the number 4, where the letter c" },
		{ "1n4c2l1t", "axis c (cores per LLC) stands where axis l (LLCs) belongs" },
		{ "2l4c2t", "axis l (LLCs) stands where axis n (NUMA nodes) belongs" },
		{ "n2l4c2t", "where the number of axis n (NUMA nodes) belongs" },
		{ "1n2l4c2t ", "\" \" follows axis t" },
		{ "1n2l4c2t8", "\"8\" follows axis t" },
		{ "1n-2l4c2t", "\"-2l4c2t\" stands where the number of axis l" },
		{ "1N2L4C2T", "\"N2L4C2T\" stands where the letter n" },
		{ "1s2l4c2t", "axis s (sockets) belongs to an old form" },
		{ "2s4c2t", "axis s (sockets) belongs to an old form" },
		{ "1n1025l1c1t", "axis l (LLCs) is 1025; no axis can exceed the 1024 CPUs" },
		{ "1n99999999999999999999l1c1t", "is 99999999999999999999; no axis" },
		{ "1n32l32c2t", "32 LLCs x 32 cores x 2 threads are 2048 CPUs" },
		{ "3n4l1c1t", "4 LLCs cannot be split evenly over 3 NUMA nodes; use 6 LLCs" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_topology untouched = { .llcs = 77 };

		assert_fails(ktstr_topology_parse(cases[i].text, &untouched), KTSTR_ERR_INVALID,
			     cases[i].message);
		assert_int_equal(untouched.llcs, 77);
	}
}

/* --- JSON --- */

static void declared_nodes_survive_json(void **state)
{
	static const struct ktstr_mem_side_cache cache = { .size_bytes = 5ull << 30, .associativity = 1, .write_policy = 2,
							   .line_size_bytes = 64 };
	static const struct ktstr_numa_node nodes[] = {
		{ .llcs = 2, .memory_mib = 512, .cache = &cache },
		{ .llcs = 1, .memory_mib = 256, .latency_ns = KTSTR_SOME(120), .bandwidth_mbs = KTSTR_SOME(9000) },
	};
	static const uint8_t cells[] = { 10, 31, 31, 10 };
	static const struct ktstr_numa_distance distances = { 2, cells };
	/* Uneven: no shape of this text alone. */
	static const struct ktstr_topology declared = { 2, 3, 2, 1, nodes, 2, &distances };
	struct ktstr_topology read;
	json_t *json = ktstr_topology_to_json(&declared), *again;

	(void)state;
	assert_null(ktstr_topology_from_json(json, &read));
	assert_int_equal(read.nodes_count, 2);
	assert_int_equal(read.nodes[0].cache->size_bytes, 5ull << 30);
	assert_false(read.nodes[0].latency_ns.set);
	assert_null(read.nodes[1].cache);
	assert_int_equal(read.nodes[1].bandwidth_mbs.value, 9000);
	assert_int_equal(ktstr_topology_distance(&read, 1, 0), 31);
	again = ktstr_topology_to_json(&read);
	assert_true(json_equal(json, again));
	ktstr_topology_deinit(&read);
	json_decref(again);
	json_decref(json);
}

static void json_of_no_machine_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum ktstr_error_code code;
		const char *message;
	} cases[] = {
		{ "{}", KTSTR_ERR_CORRUPT, "without shape" },
		{ "{\"shape\": \"2n\"}", KTSTR_ERR_INVALID, "topology \"2n\"" },
		{ "{\"shape\": \"2n3l1c1t\"}", KTSTR_ERR_INVALID, "3 LLCs cannot be split" },
		{ "{\"shape\": \"2n2l1c1t\", \"distances\": [10, 20, 20]}", KTSTR_ERR_CORRUPT, "3 distances" },
		{ "{\"shape\": \"1n1l1c1t\", \"distances\": [266]}", KTSTR_ERR_INVALID, "[0][0] is 0" },
		{ "{\"shape\": \"1n1l1c1t\", \"nodes\": [{\"llcs\": 1, \"memory_mib\": -5}]}", KTSTR_ERR_INVALID, "no memory" },
		{ "{\"shape\": \"1n1l1c1t\", \"nodes\": [7, {}]}", KTSTR_ERR_INVALID, "2 NUMA nodes are described" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = json_loads(cases[i].text, 0, NULL);
		struct ktstr_topology topology;

		assert_non_null(json);
		assert_fails(ktstr_topology_from_json(json, &topology), cases[i].code, cases[i].message);
		ktstr_topology_deinit(&topology);
		json_decref(json);
	}
}

/* --- validation --- */

static void explicit_nodes_are_validated(void **state)
{
	struct ktstr_mem_side_cache cache = { .size_bytes = 1 << 20, .associativity = 16 };
	struct ktstr_numa_node nodes[3];
	struct ktstr_topology topology = cxl;

	(void)state;
	assert_null(ktstr_topology_validate(&cxl));
	topology.nodes = nodes;
#define WITH(change, message)                                                                 \
	do {                                                                                  \
		memcpy(nodes, cxl_nodes, sizeof(nodes));                                      \
		change;                                                                       \
		assert_fails(ktstr_topology_validate(&topology), KTSTR_ERR_INVALID, message); \
	} while (0)
	WITH(nodes[1].memory_mib = 0, "NUMA node 1 has 1 LLCs and no memory");
	WITH(nodes[2].memory_mib = 0, "NUMA node 2 has 0 LLCs and no memory");
	WITH(nodes[0].llcs = 3, "have 4 LLCs together but llcs is 3");
	WITH((nodes[0].llcs = 0, nodes[1].llcs = 0), "all 3 NUMA nodes are memory-only");
	WITH((nodes[1].llcs = 0, nodes[2].llcs = 1), "declare memory-only nodes last");
	WITH(nodes[1].cache = &cache, "NUMA node 1: cache associativity 16 exceeds 15");
	WITH(nodes[2].latency_ns = (struct ktstr_opt_u64)KTSTR_SOME(65535), "latency 65535 ns");
	WITH(nodes[2].bandwidth_mbs = (struct ktstr_opt_u64)KTSTR_SOME(0), "bandwidth 0 MB/s");
#undef WITH
	topology = cxl;
	topology.nodes_count = 2;
	assert_fails(ktstr_topology_validate(&topology), KTSTR_ERR_INVALID,
		     "2 NUMA nodes are described but numa_nodes is 3");
}

static void distances_name_the_bad_cell(void **state)
{
	static const struct {
		uint8_t cells[4];
		const char *message;
	} cases[] = {
		{ { 11, 20, 20, 10 }, "distance [0][0] is 11; a node's distance to itself is 10" },
		{ { 10, 10, 10, 10 },
		  "distance [0][1] is 10; between two nodes it must exceed 10" },
		{ { 10, 20, 21, 10 }, "distance [0][1] is 20 but [1][0] is 21" },
		{ { 10, 20, 20, 9 }, "distance [1][1] is 9" },
	};
	struct ktstr_topology topology = {
		.numa_nodes = 2, .llcs = 2, .cores_per_llc = 1, .threads_per_core = 1
	};
	struct ktstr_numa_distance distances = { .n = 2 };
	static const uint8_t good[] = { 10, 31, 31, 10 };

	(void)state;
	topology.distances = &distances;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		distances.cells = cases[i].cells;
		assert_fails(ktstr_topology_validate(&topology), KTSTR_ERR_INVALID,
			     cases[i].message);
	}
	distances.cells = good;
	assert_null(ktstr_topology_validate(&topology));
	assert_int_equal(ktstr_topology_distance(&topology, 0, 1), 31);
	distances.n = 3;
	assert_fails(ktstr_topology_validate(&topology), KTSTR_ERR_INVALID,
		     "matrix is 3x3 but there are 2 nodes");
}

/* --- arithmetic --- */

static void uneven_nodes_own_contiguous_llcs(void **state)
{
	(void)state;
	assert_int_equal(ktstr_topology_llcs_in_node(&cxl, 0), 2);
	assert_int_equal(ktstr_topology_first_llc_in_node(&cxl, 1), 2);
	assert_int_equal(ktstr_topology_llcs_in_node(&cxl, 2), 0);
	assert_int_equal(ktstr_topology_numa_node_of(&cxl, 1), 0);
	assert_int_equal(ktstr_topology_numa_node_of(&cxl, 2), 1);
	assert_int_equal(ktstr_topology_cpu_bearing_nodes(&cxl), 2);
	assert_true(ktstr_topology_has_memory_only_nodes(&cxl));
	assert_int_equal(ktstr_topology_total_node_memory_mib(&cxl), 1792);
	assert_int_equal(ktstr_topology_node_memory_mib(&cxl, 2).value, 1024);
	assert_false(ktstr_topology_node_memory_mib(&cxl, 3).set);
}

static void cpus_decompose_densely(void **state)
{
	struct ktstr_cpu_position position;
	struct ktstr_topology topology;

	(void)state;
	assert_null(ktstr_topology_parse("1n3l2c2t", &topology));
	for (unsigned int cpu = 0; cpu < 12; cpu++) {
		assert_null(ktstr_topology_decompose(&topology, cpu, &position));
		assert_int_equal(position.llc * 4 + position.core * 2 + position.thread, cpu);
		assert_in_range(position.core, 0, 1);
		assert_in_range(position.thread, 0, 1);
	}
	assert_fails(ktstr_topology_decompose(&topology, 12, &position), KTSTR_ERR_INVALID,
		     "CPU 12 does not exist in topology 1n3l2c2t, which has CPUs 0 to 11");
}

/* --- presets --- */

static unsigned int presets_on(const struct ktstr_topology_constraints *constraints, unsigned int host_cpus)
{
	unsigned int accepted = 0;
	size_t count;
	const struct ktstr_topology_preset *presets = ktstr_topology_presets(&count);

	for (size_t i = 0; i < count; i++)
		accepted += ktstr_constraints_accept_preset(constraints, &presets[i].topology, host_cpus);
	return accepted;
}

/* The name of a preset says how many nodes, CPUs and LLCs it has, and whether it has SMT. */
static void preset_names_tell_the_truth(void **state)
{
	size_t count;
	const struct ktstr_topology_preset *presets = ktstr_topology_presets(&count);

	(void)state;
	assert_int_equal(count, 25);
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_topology *topology = &presets[i].topology;
		char nodes[16] = "";
		_cleanup_free_ char *name = NULL;

		assert_null(ktstr_topology_validate(topology));
		if (topology->numa_nodes > 1)
			snprintf(nodes, sizeof(nodes), "%unuma-", topology->numa_nodes);
		name = ktstr_xasprintf("%s%ucpu-%ullc-%s", nodes,
				       ktstr_topology_total_cpus(topology), topology->llcs,
				       topology->threads_per_core > 1 ? "smt" : "nosmt");
		assert_string_equal(presets[i].name, name);
		assert_ptr_equal(ktstr_topology_find_preset(name), &presets[i]);
	}
	assert_null(ktstr_topology_find_preset("192cpu-11llc-smt"));
}

static void constraints_choose_presets(void **state)
{
	const struct ktstr_topology_constraints none = { 0 },
						smt = { .min_llcs = 2, .requires_smt = true },
						all = { .max_numa_nodes = KTSTR_NO_MAX,
							.max_llcs = KTSTR_NO_MAX,
							.max_cpus = KTSTR_NO_MAX };
	struct ktstr_topology topology;

	(void)state;
	assert_int_equal(presets_on(&none, KTSTR_NO_MAX), 15);
	assert_int_equal(presets_on(&smt, KTSTR_NO_MAX), 6);
	assert_int_equal(presets_on(&all, KTSTR_NO_MAX), 25);
	assert_null(ktstr_topology_parse("2n4l4c1t", &topology));
	assert_fails(ktstr_topology_check_constraints(&none, &topology), KTSTR_ERR_INVALID,
		     "topology 2n4l4c1t has 2 NUMA nodes, the test allows at most 1");
	assert_null(ktstr_topology_parse("1n1l4c1t", &topology));
	assert_fails(ktstr_topology_check_constraints(&smt, &topology), KTSTR_ERR_INVALID,
		     "has 1 LLCs, the test needs at least 2");
}

/* Of 15: 4 and 4 CPUs, 8, 9, 12, 14, 15, twice 32, twice 64, four times 128. */
static void presets_fit_into_the_host(void **state)
{
	const struct ktstr_topology_constraints none = { 0 }, smt = { .requires_smt = true };
	const struct {
		unsigned int host_cpus, presets;
	} hosts[] = { { 3, 0 }, { 4, 2 }, { 8, 3 }, { 15, 7 }, { 63, 9 }, { 64, 11 }, { 128, 15 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		assert_int_equal(presets_on(&none, hosts[i].host_cpus), hosts[i].presets);
	assert_int_equal(presets_on(&smt, 7), 0);
	assert_int_equal(presets_on(&smt, 8), 1);
}

/* What nobody has said is no reason to refuse what somebody asks for. */
static void only_declared_bounds_refuse_a_topology(void **state)
{
	const struct ktstr_topology_constraints none = { 0 }, narrow = { .max_llcs = 2 };
	struct ktstr_topology_constraints declared = ktstr_constraints_declared(&none);
	struct ktstr_topology topology;

	(void)state;
	assert_null(ktstr_topology_parse("4n16l16c2t", &topology));
	assert_null(ktstr_topology_check_constraints(&declared, &topology));
	declared = ktstr_constraints_declared(&narrow);
	assert_fails(ktstr_topology_check_constraints(&declared, &topology), KTSTR_ERR_INVALID,
		     "has 16 LLCs, the test allows at most 2");
}

static void constraints_are_inherited_by_field(void **state)
{
	const struct ktstr_topology_constraints base = { .min_llcs = 2, .max_llcs = 4, .max_cpus = 16, .requires_smt = true },
						own = { .max_llcs = 8, .min_cpus = 8 };
	struct ktstr_topology_constraints merged = ktstr_constraints_inherit(&own, &base), copy, effective;
	json_t *json = ktstr_constraints_to_json(&merged);

	(void)state;
	copy = ktstr_constraints_from_json(json);
	json_decref(json);
	effective = ktstr_constraints_effective(&copy);
	assert_int_equal(effective.min_numa_nodes, 1);
	assert_int_equal(effective.max_numa_nodes, 1);
	assert_int_equal(effective.min_llcs, 2);
	assert_int_equal(effective.max_llcs, 8);
	assert_int_equal(effective.min_cpus, 8);
	assert_int_equal(effective.max_cpus, 16);
	assert_true(effective.requires_smt);
	assert_int_equal(copy.min_numa_nodes, 0);
	copy = ktstr_constraints_inherit(&own, NULL);
	assert_int_equal(copy.min_llcs, 0);
	assert_int_equal(copy.max_llcs, 8);
	assert_false(copy.requires_smt);
	merged.max_cpus = KTSTR_NO_MAX;
	json = ktstr_constraints_to_json(&merged);
	assert_true(json_is_null(json_object_get(json, "max_cpus")));
	assert_int_equal(ktstr_constraints_from_json(json).max_cpus, KTSTR_NO_MAX);
	json_decref(json);
}

static void a_max_below_its_min_names_the_field(void **state)
{
	const struct ktstr_topology_constraints crossed = { .min_llcs = 4, .max_llcs = 2 }, wide = { .min_cpus = 200 },
						nodes = { .min_numa_nodes = 2 }, small = { .max_cpus = 100 },
						large = { .max_cpus = KTSTR_NO_MAX };

	(void)state;
	assert_fails(ktstr_constraints_validate(&crossed, NULL), KTSTR_ERR_INVALID, ".max_llcs (2) is below .min_llcs (4)");
	assert_fails(ktstr_constraints_validate(&wide, NULL), KTSTR_ERR_INVALID,
		     ".max_cpus (192, the default) is below .min_cpus (200)");
	assert_fails(ktstr_constraints_validate(&nodes, NULL), KTSTR_ERR_INVALID,
		     ".max_numa_nodes (1, the default) is below .min_numa_nodes (2)");
	assert_fails(ktstr_constraints_validate(&wide, &small), KTSTR_ERR_INVALID,
		     ".max_cpus (100, the scheduler's) is below .min_cpus (200)");
	assert_null(ktstr_constraints_validate(&wide, &large));
}

static void names_and_shapes_resolve(void **state)
{
	struct ktstr_topology topology;

	(void)state;
	assert_null(ktstr_topology_resolve("8cpu-2llc-smt", &topology));
	assert_int_equal(topology.llcs, 2);
	assert_null(ktstr_topology_resolve("1n7l2c1t", &topology));
	assert_int_equal(topology.llcs, 7);
	assert_fails(ktstr_topology_resolve("8cpu-2lcc-smt", &topology), KTSTR_ERR_NOT_FOUND,
		     "did you mean 8cpu-2llc-smt?");
	assert_fails(ktstr_topology_resolve("2numa-16cpu-4lcc-nosmt", &topology), KTSTR_ERR_NOT_FOUND,
		     "did you mean 2numa-16cpu-4llc-nosmt?");
	assert_fails(ktstr_topology_resolve("2nmua-16cpu-4llc-nosmt", &topology), KTSTR_ERR_NOT_FOUND,
		     "did you mean 2numa-16cpu-4llc-nosmt?");
	assert_fails(ktstr_topology_resolve("1n-7l2c1t", &topology), KTSTR_ERR_INVALID, "axis l");
	assert_fails(ktstr_topology_resolve("1n7l", &topology), KTSTR_ERR_INVALID, "axis c");
}

/* --- from a spec --- */

static void spec_gives_cpus_nodes_and_memory(void **state)
{
	struct ktstr_test_topology *topology;
	size_t count;
	const struct ktstr_llc_info *llcs;

	(void)state;
	assert_null(ktstr_test_topology_from_spec(&cxl, 0, &topology));
	llcs = ktstr_test_topology_llcs(topology, &count);
	assert_int_equal(count, 3);
	assert_cpus(llcs[2].cpus, "8-11");
	assert_int_equal(llcs[2].numa_node, 1);
	assert_int_equal(llcs[2].num_cores, 2);
	assert_false(llcs[2].cache_size_kib.set);
	assert_cpus(ktstr_test_topology_cpus_in_node(topology, 0), "0-7");
	assert_cpus(ktstr_test_topology_cpus_in_node(topology, 2), "");
	assert_cpus(ktstr_test_topology_cpus_in_node(topology, 3), "");
	assert_cpus(ktstr_test_topology_siblings(topology, 9), "8-9");
	assert_cpus(ktstr_test_topology_siblings(topology, 12), "");
	assert_cpus(ktstr_test_topology_usable_cpus(topology), "0-10");
	assert_true(ktstr_test_topology_is_memory_only(topology, 2));
	assert_false(ktstr_test_topology_is_memory_only(topology, 1));
	assert_false(ktstr_test_topology_is_memory_only(topology, 3));
	assert_int_equal(ktstr_test_topology_node_meminfo(topology, 2)->total_kib, 1024 * 1024);
	assert_int_equal(ktstr_node_mem_used_kib(ktstr_test_topology_node_meminfo(topology, 2)), 0);
	assert_null(ktstr_test_topology_node_meminfo(topology, 3));
	assert_int_equal(ktstr_test_topology_numa_distance(topology, 0, 2), 20);
	assert_int_equal(ktstr_test_topology_numa_distance(topology, 0, 3), 255);
	ktstr_test_topology_destroy(topology);
}

static void uniform_memory_is_split_evenly(void **state)
{
	struct ktstr_topology spec;
	struct ktstr_test_topology *topology;

	(void)state;
	assert_null(ktstr_topology_parse("3n3l1c1t", &spec));
	assert_null(ktstr_test_topology_from_spec(&spec, 1000, &topology));
	assert_int_equal(ktstr_test_topology_node_meminfo(topology, 0)->total_kib, 333 * 1024);
	assert_int_equal(ktstr_test_topology_node_meminfo(topology, 2)->total_kib, 334 * 1024);
	ktstr_test_topology_destroy(topology);
	assert_null(ktstr_test_topology_from_spec(&spec, 0, &topology));
	assert_null(ktstr_test_topology_node_meminfo(topology, 0));
	ktstr_test_topology_destroy(topology);
}

static void two_cpus_stay_usable(void **state)
{
	struct ktstr_topology spec;
	struct ktstr_test_topology *topology;

	(void)state;
	assert_null(ktstr_topology_parse("1n1l2c1t", &spec));
	assert_null(ktstr_test_topology_from_spec(&spec, 0, &topology));
	assert_cpus(ktstr_test_topology_usable_cpus(topology), "0-1");
	ktstr_test_topology_destroy(topology);
}

static void nodes_of_cpus_follow_the_llcs(void **state)
{
	const struct ktstr_cpus both = ktstr_cpus_range(7, 2), second = ktstr_cpus_range(8, 1),
				none = { 0 };
	struct ktstr_test_topology *topology;

	(void)state;
	assert_null(ktstr_test_topology_from_spec(&cxl, 0, &topology));
	assert_int_equal(ktstr_test_topology_nodes_of_cpus(topology, &both), 3);
	assert_int_equal(ktstr_test_topology_nodes_of_cpus(topology, &second), 2);
	assert_int_equal(ktstr_test_topology_nodes_of_cpus(topology, &none), 0);
	ktstr_test_topology_destroy(topology);
}

static void overlapping_cpusets_wrap_around(void **state)
{
	struct ktstr_topology spec;
	struct ktstr_test_topology *topology;
	struct ktstr_cpus sets[5];

	(void)state;
	assert_null(ktstr_topology_parse("1n2l4c1t", &spec));
	assert_null(ktstr_test_topology_from_spec(&spec, 0, &topology));
	ktstr_test_topology_overlapping_cpusets(topology, 2, 0.5, sets);
	assert_cpus(sets[0], "0-3");
	assert_cpus(sets[1], "2-5");
	ktstr_test_topology_overlapping_cpusets(topology, 3, 0, sets);
	assert_cpus(sets[2], "4-5");
	/* A whole overlap still moves on by one CPU. */
	ktstr_test_topology_overlapping_cpusets(topology, 4, 1.0, sets);
	assert_cpus(sets[3], "3-4");
	ktstr_test_topology_destroy(topology);

	assert_null(ktstr_topology_parse("1n1l2c1t", &spec));
	assert_null(ktstr_test_topology_from_spec(&spec, 0, &topology));
	ktstr_test_topology_overlapping_cpusets(topology, 5, 0.2, sets);
	assert_cpus(sets[0], "0");
	assert_cpus(sets[3], "1");
	sets[0] = ktstr_cpus_range(9, 1);
	ktstr_test_topology_overlapping_cpusets(topology, 0, 0.2, sets);
	assert_cpus(sets[0], "9");
	ktstr_test_topology_destroy(topology);
}

static void used_memory_never_underflows(void **state)
{
	const struct ktstr_node_mem_info odd = { .total_kib = 5, .free_kib = 9 };

	(void)state;
	assert_int_equal(ktstr_node_mem_used_kib(&odd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_form_round_trips),
		cmocka_unit_test(bad_text_forms_say_what_is_wrong),
		cmocka_unit_test(declared_nodes_survive_json),
		cmocka_unit_test(json_of_no_machine_is_refused),
		cmocka_unit_test(explicit_nodes_are_validated),
		cmocka_unit_test(distances_name_the_bad_cell),
		cmocka_unit_test(uneven_nodes_own_contiguous_llcs),
		cmocka_unit_test(cpus_decompose_densely),
		cmocka_unit_test(preset_names_tell_the_truth),
		cmocka_unit_test(constraints_choose_presets),
		cmocka_unit_test(presets_fit_into_the_host),
		cmocka_unit_test(only_declared_bounds_refuse_a_topology),
		cmocka_unit_test(constraints_are_inherited_by_field),
		cmocka_unit_test(a_max_below_its_min_names_the_field),
		cmocka_unit_test(names_and_shapes_resolve),
		cmocka_unit_test(spec_gives_cpus_nodes_and_memory),
		cmocka_unit_test(uniform_memory_is_split_evenly),
		cmocka_unit_test(two_cpus_stay_usable),
		cmocka_unit_test(nodes_of_cpus_follow_the_llcs),
		cmocka_unit_test(overlapping_cpusets_wrap_around),
		cmocka_unit_test(used_memory_never_underflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
