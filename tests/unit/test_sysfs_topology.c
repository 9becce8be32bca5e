// SPDX-License-Identifier: GPL-2.0-only
/* Topologies read from made-up sysfs trees: complete, incomplete and broken ones. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "ktstr/topology.h"
#include "cpus.h"
#include "scratch.h"

/* Writes a file below scratch/devices/system. */
static void KTSTR_PRINTF(2, 3) put_sys(const char *text, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str name = { 0 };
	va_list args;

	ktstr_str_add(&name, "devices/system/");
	va_start(args, fmt);
	ktstr_str_vaddf(&name, fmt, args);
	va_end(args);
	put(name.data, text);
}

static void put_cpu(int cpu, const char *llc_id, const char *llc_cpus, const char *siblings)
{
	put_sys("1\n", "cpu/cpu%d/cache/index0/level", cpu);
	put_sys("Data\n", "cpu/cpu%d/cache/index0/type", cpu);
	put_sys("0\n", "cpu/cpu%d/cache/index0/id", cpu);
	put_sys("3\n", "cpu/cpu%d/cache/index1/level", cpu);
	if (llc_id)
		put_sys(llc_id, "cpu/cpu%d/cache/index1/id", cpu);
	put_sys(llc_cpus, "cpu/cpu%d/cache/index1/shared_cpu_list", cpu);
	put_sys("16384K\n", "cpu/cpu%d/cache/index1/size", cpu);
	if (siblings)
		put_sys(siblings, "cpu/cpu%d/topology/thread_siblings_list", cpu);
}

static void put_node(int node, const char *cpus, const char *distance)
{
	put_sys(cpus, "node/node%d/cpulist", node);
	put_sys(distance, "node/node%d/distance", node);
	put_sys("Node 0 MemTotal:      513872 kB\nNode 0 MemFree:       413872 kB\n",
	    "node/node%d/meminfo", node);
}

/* 1n2l2c2t, LLC ids 7 and 3 so that order by id differs from order by CPU. */
static void put_two_llcs(void)
{
	static const char *const siblings[] = { "0-1\n", "2-3\n", "4-5\n", "6-7\n" };

	put_sys("0-7\n", "cpu/online");
	for (int cpu = 0; cpu < 8; cpu++)
		put_cpu(cpu, cpu < 4 ? "7\n" : "3\n", cpu < 4 ? "0-3\n" : "4-7\n",
			siblings[cpu / 2]);
	put_node(0, "0-7\n", "10\n");
}

static struct ktstr_test_topology *read_tree(void)
{
	struct ktstr_test_topology *topology = NULL;

	assert_null(ktstr_test_topology_from_system(scratch, &topology));
	return topology;
}

static void complete_tree_is_read(void **state)
{
	struct ktstr_test_topology *topology;
	const struct ktstr_llc_info *llcs;
	size_t count;

	(void)state;
	put_two_llcs();
	topology = read_tree();
	llcs = ktstr_test_topology_llcs(topology, &count);
	assert_int_equal(count, 2);
	assert_int_equal(llcs[0].id, 3);
	assert_cpus(llcs[0].cpus, "4-7");
	assert_cpus(llcs[1].cpus, "0-3");
	assert_int_equal(llcs[0].num_cores, 2);
	assert_int_equal(llcs[0].cache_size_kib.value, 16384);
	assert_cpus(ktstr_test_topology_siblings(topology, 5), "4-5");
	assert_int_equal(ktstr_test_topology_num_numa_nodes(topology), 1);
	assert_int_equal(ktstr_test_topology_node_meminfo(topology, 0)->total_kib, 513872);
	assert_int_equal(ktstr_node_mem_used_kib(ktstr_test_topology_node_meminfo(topology, 0)),
			 100000);
	ktstr_test_topology_destroy(topology);
}

static void node_without_cpus_is_memory_only(void **state)
{
	struct ktstr_test_topology *topology;
	const unsigned int *ids;
	size_t count;

	(void)state;
	put_two_llcs();
	put_node(0, "0-7\n", "10 28\n");
	put_node(10, "\n", "28 10\n");
	put_sys("10\n", "node/possible");
	topology = read_tree();
	ids = ktstr_test_topology_numa_node_ids(topology, &count);
	assert_int_equal(count, 2);
	assert_int_equal(ids[1], 10);
	assert_true(ktstr_test_topology_is_memory_only(topology, 10));
	assert_int_equal(ktstr_test_topology_numa_distance(topology, 0, 10), 28);
	ktstr_test_topology_destroy(topology);
}

static void nothing_but_online_is_one_llc(void **state)
{
	struct ktstr_test_topology *topology;
	const struct ktstr_llc_info *llcs;
	size_t count;

	(void)state;
	put_sys("0-3\n", "cpu/online");
	topology = read_tree();
	llcs = ktstr_test_topology_llcs(topology, &count);
	assert_int_equal(count, 1);
	assert_cpus(llcs[0].cpus, "0-3");
	assert_int_equal(llcs[0].num_cores, 4);
	assert_cpus(ktstr_test_topology_siblings(topology, 2), "2");
	assert_cpus(ktstr_test_topology_cpus_in_node(topology, 0), "0-3");
	assert_null(ktstr_test_topology_node_meminfo(topology, 0));
	assert_int_equal(ktstr_test_topology_numa_distance(topology, 0, 0), 10);
	ktstr_test_topology_destroy(topology);
}

static void missing_cache_id_takes_lowest_sharer(void **state)
{
	struct ktstr_test_topology *topology;
	const struct ktstr_llc_info *llcs;
	size_t count;

	(void)state;
	put_sys("0-3\n", "cpu/online");
	for (int cpu = 0; cpu < 4; cpu++)
		put_cpu(cpu, NULL, cpu < 2 ? "0-1\n" : "2-3\n", NULL);
	topology = read_tree();
	llcs = ktstr_test_topology_llcs(topology, &count);
	assert_int_equal(count, 2);
	assert_int_equal(llcs[1].id, 2);
	assert_cpus(llcs[1].cpus, "2-3");
	ktstr_test_topology_destroy(topology);
}

static void core_ids_stand_in_for_sibling_lists(void **state)
{
	struct ktstr_test_topology *topology;
	const struct ktstr_llc_info *llcs;
	size_t count;

	(void)state;
	put_sys("0-7\n", "cpu/online");
	/* Core ids repeat in the second LLC, as they do in a second package. */
	for (int cpu = 0; cpu < 8; cpu++) {
		put_cpu(cpu, cpu < 4 ? "0\n" : "1\n", cpu < 4 ? "0-3\n" : "4-7\n", NULL);
		put_sys(cpu % 2 ? "1\n" : "0\n", "cpu/cpu%d/topology/core_id", cpu);
	}
	topology = read_tree();
	assert_cpus(ktstr_test_topology_siblings(topology, 0), "0,2");
	assert_cpus(ktstr_test_topology_siblings(topology, 7), "5,7");
	llcs = ktstr_test_topology_llcs(topology, &count);
	assert_int_equal(llcs[1].num_cores, 2);
	ktstr_test_topology_destroy(topology);
}

static void one_bad_distance_row_spoils_the_matrix(void **state)
{
	static const char *const rows[] = { "31\n", "31 x\n", "31 10 10\n", "31 300\n", "\n" };

	(void)state;
	put_two_llcs();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_test_topology *topology;

		put_node(0, "0-3\n", "10 31\n");
		put_node(1, "4-7\n", rows[i]);
		topology = read_tree();
		assert_int_equal(ktstr_test_topology_numa_distance(topology, 0, 1), 20);
		assert_int_equal(ktstr_test_topology_numa_distance(topology, 1, 1), 10);
		ktstr_test_topology_destroy(topology);
	}
}

static void offline_cpus_do_not_count(void **state)
{
	struct ktstr_test_topology *topology;

	(void)state;
	put_two_llcs();
	put_sys("0-2,4-6\n", "cpu/online");
	topology = read_tree();
	assert_int_equal(ktstr_test_topology_total_cpus(topology), 6);
	assert_cpus(ktstr_test_topology_cpus_in_llc(topology, 1), "0-2");
	assert_cpus(ktstr_test_topology_siblings(topology, 2), "2");
	assert_cpus(ktstr_test_topology_siblings(topology, 3), "");
	assert_cpus(ktstr_test_topology_cpus_in_node(topology, 0), "0-2,4-6");
	assert_cpus(ktstr_test_topology_usable_cpus(topology), "0-2,4-5");
	ktstr_test_topology_destroy(topology);
}

static void cpus_of_no_node_count_to_node_0(void **state)
{
	struct ktstr_test_topology *topology;

	(void)state;
	put_two_llcs();
	put_node(0, "0-3\n", "10\n");
	topology = read_tree();
	assert_cpus(ktstr_test_topology_cpus_in_node(topology, 0), "0-7");
	ktstr_test_topology_destroy(topology);
}

static void unreadable_or_empty_online_is_an_error(void **state)
{
	struct ktstr_test_topology *topology = NULL;
	struct ktstr_error *error;

	(void)state;
	error = ktstr_test_topology_from_system(scratch, &topology);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	assert_non_null(strstr(ktstr_error_message(error), "devices/system/cpu/online"));
	ktstr_error_free(error);
	put_sys("\n", "cpu/online");
	error = ktstr_test_topology_from_system(scratch, &topology);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	assert_non_null(strstr(ktstr_error_message(error), "lists no CPUs"));
	ktstr_error_free(error);
	assert_null(topology);
}

#define with_tree(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_tree(complete_tree_is_read),
		with_tree(node_without_cpus_is_memory_only),
		with_tree(nothing_but_online_is_one_llc),
		with_tree(missing_cache_id_takes_lowest_sharer),
		with_tree(core_ids_stand_in_for_sibling_lists),
		with_tree(one_bad_distance_row_spoils_the_matrix),
		with_tree(offline_cpus_do_not_count),
		with_tree(cpus_of_no_node_count_to_node_0),
		with_tree(unreadable_or_empty_online_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
