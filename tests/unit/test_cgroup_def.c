// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroup definitions: what is refused before anything runs, which workers they mean, and what they write, in a directory
 * tree that looks like a cgroup tree. What the kernel makes of it: tests/vm/workers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cgroup/manager.h"
#include "ktstr/payload.h"
#include "ktstr/topology.h"
#include "cgroup_tree.h"

static struct ktstr_test_topology *topology(void)
{
	/* node 0: CPUs 0-3, node 1: CPUs 4-7 */
	const struct ktstr_topology spec = { 2, 2, 4, 1, NULL, 0, NULL };
	struct ktstr_test_topology *topo;

	assert_ok(ktstr_test_topology_from_spec(&spec, 1024, &topo));
	return topo;
}

/* ---- validation ---- */

static void bad_definitions_are_refused(void **state)
{
	static const struct ktstr_work_spec pair[] = { { .type = KTSTR_WORK(PIPE_IO), .workers = 3 } };
	static const struct ktstr_work_spec owners[] = { { .uid = KTSTR_SOME(1), .workers = 1 }, { .workers = 1 } };
	static const struct ktstr_payload scheduler = { .name = "s", .kind = KTSTR_PAYLOAD_SCHEDULER };
	static const struct {
		struct ktstr_cgroup_def def;
		const char *message;
	} cases[] = {
		{ { .name = "" }, "empty" },
		{ { .name = "../x" }, "../x" },
		{ { .name = "a", .cpuset = { .kind = KTSTR_CPUSET_LLC, .index = 2 } }, "cgroup a: " },
		{ { .name = "a", .cpuset = { .kind = KTSTR_CPUSET_RANGE, .from = 0, .to = 0.1 } },
		  "is empty on this topology" },
		{ { .name = "a", .cpuset_mems = 4 }, "cpuset_mems 0x4 has nodes that do not exist: there are 0x3" },
		{ { .name = "a", .cpu = { .quota = KTSTR_MS(5) } }, "has a period of zero" },
		{ { .name = "a", .cpu = { .period = KTSTR_MS(5) } }, "has a quota of zero" },
		{ { .name = "a", .cpu = { .quota_pct = 50, .unlimited = true } }, "in several ways" },
		{ { .name = "a", .cpu = { .quota = KTSTR_US(500), .period = KTSTR_MS(1) } }, "quotas from 1 ms" },
		{ { .name = "a", .cpu = { .quota = KTSTR_MS(1), .period = KTSTR_SEC(2) } }, "periods of 1 ms to 1 s" },
		{ { .name = "a", .cpu = { .weight = 10001 } }, "cpu.weight is 10001" },
		{ { .name = "a", .io_weight = 10001 }, "io_weight is 10001" },
		{ { .name = "a", .memory = { .max = KTSTR_SOME(1), .unlimited = true } },
		  "memory is unlimited and limited" },
		{ { .name = "a", .memory = { .swap_max = KTSTR_SOME(0), .swap_unlimited = true } },
		  "swap is unlimited and" },
		{ { .name = "a", .pids_max = 3, .pids_unlimited = true }, "pids are unlimited and limited" },
		{ { .name = "a", .workers = 2, .workers_pct = 0.5 }, "workers 2 and workers_pct 0.5" },
		{ { .name = "a", .workers_pct = -1 }, "workers_pct -1: write a number above zero" },
		{ { .name = "a", .workers_pct = INFINITY }, "workers_pct inf" },
		{ { .name = "a", .workers_pct = 1e12 }, "one has at most" },
		{ { .name = "a", .works = pair, .works_count = 1 }, "requires num_workers divisible by 2, got 3" },
		{ { .name = "a", .works = owners, .works_count = 2, .pcomm = "app" }, "differ in uid or gid" },
		{ { .name = "a", .comm = "sixteen-bytes-16" }, "the comm \"sixteen-bytes-16\"" },
		{ { .name = "a", .cpuset = { .kind = KTSTR_CPUSET_LLC }, .mem_policy = { KTSTR_MEM_BIND, 2 } },
		  "names the nodes 1, but the cgroup's cpuset has only 0" },
		{ { .name = "a", .cpuset_mems = 1, .mem_policy = { KTSTR_MEM_BIND, 2 } }, "cpuset has only 0" },
		{ { .name = "a", .affinity = { .kind = KTSTR_AFFINITY_SMT_SIBLING_PAIR } },
		  "needs a core with two threads" },
		{ { .name = "a", .workload = &scheduler }, "its workload s is a scheduler" },
	};
	struct ktstr_test_topology *topo = topology();
	const struct ktstr_cgroup_scope scope = { .topo = topo, .workers_per_cgroup = 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_error_ struct ktstr_error *error = ktstr_cgroup_def_validate(&cases[i].def, &scope);

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
		if (!strstr(ktstr_error_message(error), cases[i].message))
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, ktstr_error_message(error), cases[i].message);
	}
	assert_ok(ktstr_cgroup_def_validate(&(struct ktstr_cgroup_def){ .name = "a" }, &scope));
	ktstr_test_topology_destroy(topo);
}

/* ---- works ---- */

static void definitions_become_works(void **state)
{
	const struct ktstr_cgroup_def plain = { .name = "a" };
	const struct ktstr_cgroup_def full = {
		.name = "a",
		.cpuset = ktstr_cpuset_llc(0),
		.workers_pct = 1.1,
		.nice = KTSTR_SOME(5),
		.comm = "dflt",
		.uid = KTSTR_SOME(7),
		KTSTR_WORKS({ .type = KTSTR_WORK(FUTEX_FAN_OUT), .nice = KTSTR_SOME(0), .comm = "own" },
			    { .workers = 3 }),
	};
	struct ktstr_test_topology *topo = topology();
	const struct ktstr_cgroup_scope scope = { .topo = topo, .workers_per_cgroup = 6 };
	struct ktstr_work_spec *works;
	size_t count;

	(void)state;
	works = ktstr_cgroup_def_works(&plain, &scope, &count);
	assert_int_equal(count, 1);
	assert_int_equal(works[0].type.kind, KTSTR_WORK_SPIN_WAIT);
	assert_int_equal(works[0].workers, 6);
	free(works);

	works = ktstr_cgroup_def_works(&full, &scope, &count);
	assert_int_equal(count, 3);
	assert_int_equal(works[0].workers, 5);  /* ceil(4 CPUs * 1.1) */
	assert_int_equal(works[1].workers, 10); /* 6 in whole groups of 5 */
	assert_int_equal(works[2].workers, 3);
	assert_int_equal(works[0].nice.value, 5);
	assert_true(works[1].nice.set && works[1].nice.value == 0); /* an explicit 0 opts out */
	assert_string_equal(works[0].comm, "dflt");
	assert_string_equal(works[1].comm, "own");
	assert_int_equal(works[2].uid.value, 7);
	assert_false(works[2].gid.set);
	free(works);
	ktstr_test_topology_destroy(topo);
}

static unsigned int share_of(const struct ktstr_test_topology *topo, double pct)
{
	const struct ktstr_cgroup_def def = { .name = "a", .workers_pct = pct };
	const struct ktstr_cgroup_scope scope = { .topo = topo };
	size_t count;
	_cleanup_free_ struct ktstr_work_spec *works = ktstr_cgroup_def_works(&def, &scope, &count);

	return works[0].workers;
}

/* Without a cpuset the denominator is what is left to workloads: 7 of 8 CPUs. */
static void shares_of_the_cpus(void **state)
{
	struct ktstr_test_topology *topo = topology();

	(void)state;
	assert_int_equal(share_of(topo, 1), 7);
	assert_int_equal(share_of(topo, 0.01), 1);
	assert_int_equal(share_of(topo, 1.0 / 7), 1);
	assert_int_equal(share_of(topo, 3.0 / 7), 3);
	assert_int_equal(share_of(topo, 2), 14);
	ktstr_test_topology_destroy(topo);
}

static void swappable_work(void **state)
{
	const struct ktstr_work_type pipes = KTSTR_WORK(PIPE_IO);
	struct ktstr_cgroup_def def = {
		.name = "a",
		.swappable = true,
		KTSTR_WORKS({ .workers = 3 }, { .workers = 4 }, { .type = KTSTR_WORK(MIXED) }),
	};
	struct ktstr_test_topology *topo = topology();
	const struct ktstr_cgroup_scope scope = { .topo = topo, .workers_per_cgroup = 3, .override = &pipes };
	struct ktstr_work_spec *works;
	size_t count;

	(void)state;
	works = ktstr_cgroup_def_works(&def, &scope, &count);
	assert_int_equal(works[0].type.kind, KTSTR_WORK_SPIN_WAIT); /* 3 are no pairs */
	assert_int_equal(works[1].type.kind, KTSTR_WORK_PIPE_IO);
	assert_int_equal(works[2].type.kind, KTSTR_WORK_PIPE_IO);
	assert_int_equal(works[2].workers, 4); /* not given: whole groups of the new work */
	free(works);
	def.swappable = false;
	works = ktstr_cgroup_def_works(&def, &scope, &count);
	assert_int_equal(works[1].type.kind, KTSTR_WORK_SPIN_WAIT);
	free(works);
	ktstr_test_topology_destroy(topo);
}

/* ---- writes ---- */

static void apply(struct ktstr_cgroup_manager *manager, const struct ktstr_cgroup_def *def)
{
	struct ktstr_test_topology *topo = topology();

	make_cgroup("kt/a", ALL_CONTROLLERS);
	assert_ok(ktstr_cgroup_def_apply(manager, def, topo));
	ktstr_test_topology_destroy(topo);
}

static void every_knob_is_written(void **state)
{
	const struct ktstr_cgroup_def def = {
		.name = "a",
		.cpuset = ktstr_cpuset_llc(1),
		.cpuset_mems = 3,
		.cpu = { .quota_pct = 150, .weight = 200 },
		.memory = { .high = KTSTR_SOME(1 << 20), .swap_max = KTSTR_SOME(0) },
		.io_weight = 300,
		.pids_max = 40,
	};

	apply(*state, &def);
	assert_file("kt/a/cpuset.cpus", "4-7");
	assert_file("kt/a/cpuset.mems", "0-1");
	assert_file("kt/a/cpu.max", "150000 100000");
	assert_file("kt/a/cpu.weight", "200");
	assert_file("kt/a/memory.max", "max");
	assert_file("kt/a/memory.high", "1048576");
	assert_file("kt/a/memory.low", "0");
	assert_file("kt/a/memory.swap.max", "0");
	assert_file("kt/a/io.weight", "default 300");
	assert_file("kt/a/pids.max", "40");
	assert_ok(ktstr_cgroup_freeze(*state, "a"));
	assert_file("kt/a/cgroup.freeze", "1");
	assert_ok(ktstr_cgroup_unfreeze(*state, "a"));
	assert_file("kt/a/cgroup.freeze", "0");
}

static void nothing_said_nothing_written(void **state)
{
	apply(*state, &(struct ktstr_cgroup_def){ .name = "a" });
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		_cleanup_free_ char *file = ktstr_xasprintf("kt/a/%s", knobs[i]);

		assert_file(file, "");
	}
}

static void blocks_are_written_whole(void **state)
{
	const struct ktstr_cgroup_def def = {
		.name = "a",
		.cpu = { .weight = 1 },
		.memory = { .unlimited = true, .swap_unlimited = true },
		.pids_unlimited = true,
	};
	const struct ktstr_cgroup_def quota = { .name = "a",
						.cpu = { .quota = KTSTR_MS(2.5), .period = KTSTR_MS(10) } };

	apply(*state, &def);
	assert_file("kt/a/cpu.max", "max 100000");
	assert_file("kt/a/memory.max", "max");
	assert_file("kt/a/memory.low", "0");
	assert_file("kt/a/memory.swap.max", "max");
	assert_file("kt/a/pids.max", "max");
	apply(*state, &quota);
	assert_file("kt/a/cpu.max", "2500 10000");
}

/* A setter brings its controller along: at the root, the parent and what is between. */
static void controllers_follow_the_knobs(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	_cleanup_error_ struct ktstr_error *lacking = NULL;

	make_cgroup("kt/mid", "cpuset\n");
	make_cgroup("kt/mid/leaf", "cpuset\n");
	assert_ok(ktstr_cgroup_set_memory_max(manager, "mid/leaf", (struct ktstr_opt_u64)KTSTR_SOME(4096)));
	assert_file("cgroup.subtree_control", "+memory");
	assert_file("kt/cgroup.subtree_control", "+memory");
	assert_file("kt/mid/cgroup.subtree_control", "+memory");
	assert_file("kt/mid/leaf/memory.max", "4096");
	put("cgroup.controllers", "cpuset cpu\n");
	lacking = ktstr_cgroup_set_pids_max(manager, "mid/leaf", (struct ktstr_opt_u64)KTSTR_SOME(1));
	assert_int_equal(ktstr_error_code(lacking), KTSTR_ERR_UNSUPPORTED);
	assert_non_null(strstr(ktstr_error_message(lacking), "cgroup mid/leaf needs the controller pids"));
}

/* A kernel without I/O weights has no such file: the error says which option it lacks, and names the file. */
static void io_weights_may_be_missing(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	_cleanup_free_ char *path = ktstr_xasprintf("%s/kt/a/io.weight", scratch);
	_cleanup_error_ struct ktstr_error *error = NULL;

	make_cgroup("kt/a", ALL_CONTROLLERS);
	unlink(path);
	error = ktstr_cgroup_set_io_weight(manager, "a", 5);
	assert_non_null(strstr(ktstr_error_message(error), "CONFIG_BLK_CGROUP_IOCOST"));
	assert_non_null(strstr(ktstr_error_message(error), path));
}

/* In a delegated subtree nothing above it is written, and processes are drained to it. */
static void delegated_subtrees(void **state)
{
	const char *const memory[] = { "memory" };
	_cleanup_free_ char *parent = ktstr_xasprintf("%s/user/kt", scratch);
	_cleanup_free_ char *user = ktstr_xasprintf("%s/user", scratch);
	_cleanup_error_ struct ktstr_error *beside = NULL;
	struct ktstr_cgroup_manager *manager;

	(void)state;
	make_cgroup("user", "memory\n");
	make_cgroup("user/kt", "memory\n");
	make_cgroup("user/kt/a", "memory\n");
	put("user/cgroup.procs", "");
	put("user/kt/a/cgroup.procs", "4711\n");
	assert_ok(ktstr_cgroup_manager_create(parent, &manager));
	beside = ktstr_cgroup_manager_set_walk_root(manager, "/sys");
	assert_int_equal(ktstr_error_code(beside), KTSTR_ERR_INVALID);
	assert_ok(ktstr_cgroup_manager_set_walk_root(manager, user));
	assert_ok(ktstr_cgroup_setup(manager, memory, 1));
	assert_file("cgroup.subtree_control", "");
	assert_file("user/cgroup.subtree_control", "+memory");
	assert_ok(ktstr_cgroup_drain_tasks(manager, "a"));
	assert_file("user/cgroup.procs", "4711");
	ktstr_cgroup_manager_destroy(manager);
}

static void subtree_control_is_cleared(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;

	make_cgroup("kt/a", ALL_CONTROLLERS);
	put("kt/a/cgroup.subtree_control", "cpu\n");
	assert_ok(ktstr_cgroup_clear_subtree_control(manager, "a"));
	assert_file("kt/a/cgroup.subtree_control", "-cpu"); /* a plain file keeps what was written */
}

static void groups_remove_what_they_made(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	struct ktstr_cgroup_group *group = ktstr_cgroup_group_create(manager);
	struct ktstr_cpus cpus = ktstr_cpus_range(0, 1);
	const char *const *names;
	size_t count;

	put("cgroup.procs", "");
	make_cgroup("kt/up", ALL_CONTROLLERS);
	assert_ok(ktstr_cgroup_group_add(group, "up/down", NULL));
	ktstr_error_free(ktstr_cgroup_group_add(group, "up/other", &cpus)); /* made, but has no file for its CPUs */
	names = ktstr_cgroup_group_names(group, &count);
	assert_int_equal(count, 2);
	assert_string_equal(names[1], "up/other");
	assert_true(ktstr_cgroup_exists(manager, "up/down"));
	ktstr_cgroup_group_destroy(group);
	assert_false(ktstr_cgroup_exists(manager, "up/down"));
	assert_false(ktstr_cgroup_exists(manager, "up/other"));
	assert_true(ktstr_cgroup_exists(manager, "up")); /* not ours */
	ktstr_cgroup_group_destroy(NULL);
}

static void paths(void **state)
{
	static const struct ktstr_cgroup_path path = KTSTR_CGROUP_PATH("ktstr/parent");
	_cleanup_free_ char *sysfs = ktstr_cgroup_path_sysfs(path);
	const char *const bad[] = { NULL, "", "/", "a", "/a/../b", "/a//b" };

	(void)state;
	assert_string_equal(sysfs, "/sys/fs/cgroup/ktstr/parent");
	assert_ok(ktstr_cgroup_path_check(path));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_error_ struct ktstr_error *error =
			ktstr_cgroup_path_check((struct ktstr_cgroup_path){ bad[i] });

		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	}
}

#define tree_test(test) cmocka_unit_test_setup_teardown(test, make_cgroup_tree, remove_cgroup_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_definitions_are_refused),
		cmocka_unit_test(definitions_become_works),
		cmocka_unit_test(shares_of_the_cpus),
		cmocka_unit_test(swappable_work),
		tree_test(every_knob_is_written),
		tree_test(nothing_said_nothing_written),
		tree_test(blocks_are_written_whole),
		tree_test(controllers_follow_the_knobs),
		tree_test(io_weights_may_be_missing),
		tree_test(delegated_subtrees),
		tree_test(subtree_control_is_cleared),
		tree_test(groups_remove_what_they_made),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
