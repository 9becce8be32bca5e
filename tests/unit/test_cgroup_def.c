// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroup definitions: what is refused before anything runs, which workers they mean, and what they write, in a directory
 * tree that looks like a cgroup tree. What the kernel makes of it: tests/vm/workers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "cgroup/manager.h"
#include "ktstr/payload.h"
#include "ktstr/topology.h"

#define assert_ok(call)                                              \
	do {                                                         \
		struct ktstr_error *error_ = (call);                 \
		if (error_)                                          \
			fail_msg("%s", ktstr_error_message(error_)); \
	} while (0)

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

struct tree {
	char root[64];
	struct ktstr_cgroup_manager *manager; /* at <root>/kt */
};

static void put(const struct tree *tree, const char *file, const char *text)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", tree->root, file);

	assert_ok(ktstr_write_file_atomic(path, text, strlen(text)));
}

static void assert_file(const struct tree *tree, const char *file, const char *text)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", tree->root, file);
	_cleanup_free_ char *found = ktstr_read_line(path);

	if (!found || strcmp(found, text))
		fail_msg("%s has \"%s\", expected \"%s\"", file, found ? found : "(nothing)", text);
}

static const char *const knobs[] = { "cpuset.cpus", "cpuset.mems", "cpu.max",      "cpu.weight",
				     "memory.max",  "memory.high", "memory.low",   "memory.swap.max",
				     "io.weight",   "pids.max",    "cgroup.freeze" };

/* As a kernel makes it: the files of all controllers; `has` is what cgroup.controllers lists. */
static void make_cgroup(const struct tree *tree, const char *dir, const char *has)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", tree->root, dir);
	_cleanup_free_ char *controllers = ktstr_xasprintf("%s/cgroup.controllers", dir);
	_cleanup_free_ char *control = ktstr_xasprintf("%s/cgroup.subtree_control", dir);

	assert_ok(ktstr_make_dirs(path));
	put(tree, controllers, has);
	put(tree, control, "");
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		_cleanup_free_ char *file = ktstr_xasprintf("%s/%s", dir, knobs[i]);

		put(tree, file, "");
	}
}

#define ALL "cpuset cpu memory io pids\n"

static int tree_setup(void **state)
{
	struct tree *tree = ktstr_xcalloc(1, sizeof(*tree));
	_cleanup_free_ char *parent = NULL;

	strcpy(tree->root, "/tmp/ktstr-test-cgroup-def.XXXXXX");
	assert_non_null(mkdtemp(tree->root));
	make_cgroup(tree, ".", ALL);
	make_cgroup(tree, "kt", ALL);
	parent = ktstr_xasprintf("%s/kt", tree->root);
	assert_ok(ktstr_cgroup_manager_create(parent, &tree->manager));
	*state = tree;
	return 0;
}

static int tree_teardown(void **state)
{
	struct tree *tree = *state;

	ktstr_cgroup_manager_destroy(tree->manager);
	assert_ok(ktstr_remove_tree(tree->root));
	free(tree);
	return 0;
}

static void apply(const struct tree *tree, const struct ktstr_cgroup_def *def)
{
	struct ktstr_test_topology *topo = topology();

	make_cgroup(tree, "kt/a", ALL);
	assert_ok(ktstr_cgroup_def_apply(tree->manager, def, topo));
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
	assert_file(*state, "kt/a/cpuset.cpus", "4-7");
	assert_file(*state, "kt/a/cpuset.mems", "0-1");
	assert_file(*state, "kt/a/cpu.max", "150000 100000");
	assert_file(*state, "kt/a/cpu.weight", "200");
	assert_file(*state, "kt/a/memory.max", "max");
	assert_file(*state, "kt/a/memory.high", "1048576");
	assert_file(*state, "kt/a/memory.low", "0");
	assert_file(*state, "kt/a/memory.swap.max", "0");
	assert_file(*state, "kt/a/io.weight", "default 300");
	assert_file(*state, "kt/a/pids.max", "40");
	assert_ok(ktstr_cgroup_freeze(((struct tree *)*state)->manager, "a"));
	assert_file(*state, "kt/a/cgroup.freeze", "1");
	assert_ok(ktstr_cgroup_unfreeze(((struct tree *)*state)->manager, "a"));
	assert_file(*state, "kt/a/cgroup.freeze", "0");
}

static void nothing_said_nothing_written(void **state)
{
	apply(*state, &(struct ktstr_cgroup_def){ .name = "a" });
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		_cleanup_free_ char *file = ktstr_xasprintf("kt/a/%s", knobs[i]);

		assert_file(*state, file, "");
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
	assert_file(*state, "kt/a/cpu.max", "max 100000");
	assert_file(*state, "kt/a/memory.max", "max");
	assert_file(*state, "kt/a/memory.low", "0");
	assert_file(*state, "kt/a/memory.swap.max", "max");
	assert_file(*state, "kt/a/pids.max", "max");
	apply(*state, &quota);
	assert_file(*state, "kt/a/cpu.max", "2500 10000");
}

/* A setter brings its controller along: at the root, the parent and what is between. */
static void controllers_follow_the_knobs(void **state)
{
	struct tree *tree = *state;
	_cleanup_error_ struct ktstr_error *lacking = NULL;

	make_cgroup(tree, "kt/mid", "cpuset\n");
	make_cgroup(tree, "kt/mid/leaf", "cpuset\n");
	assert_ok(ktstr_cgroup_set_memory_max(tree->manager, "mid/leaf", (struct ktstr_opt_u64)KTSTR_SOME(4096)));
	assert_file(tree, "cgroup.subtree_control", "+memory");
	assert_file(tree, "kt/cgroup.subtree_control", "+memory");
	assert_file(tree, "kt/mid/cgroup.subtree_control", "+memory");
	assert_file(tree, "kt/mid/leaf/memory.max", "4096");
	put(tree, "cgroup.controllers", "cpuset cpu\n");
	lacking = ktstr_cgroup_set_pids_max(tree->manager, "mid/leaf", (struct ktstr_opt_u64)KTSTR_SOME(1));
	assert_int_equal(ktstr_error_code(lacking), KTSTR_ERR_UNSUPPORTED);
	assert_non_null(strstr(ktstr_error_message(lacking), "cgroup mid/leaf needs the controller pids"));
}

/* A kernel without I/O weights has no such file: the error says which option it lacks, and names the file. */
static void io_weights_may_be_missing(void **state)
{
	struct tree *tree = *state;
	_cleanup_free_ char *path = ktstr_xasprintf("%s/kt/a/io.weight", tree->root);
	_cleanup_error_ struct ktstr_error *error = NULL;

	make_cgroup(tree, "kt/a", ALL);
	unlink(path);
	error = ktstr_cgroup_set_io_weight(tree->manager, "a", 5);
	assert_non_null(strstr(ktstr_error_message(error), "CONFIG_BLK_CGROUP_IOCOST"));
	assert_non_null(strstr(ktstr_error_message(error), path));
}

/* In a delegated subtree nothing above it is written, and processes are drained to it. */
static void delegated_subtrees(void **state)
{
	struct tree *tree = *state;
	const char *const memory[] = { "memory" };
	_cleanup_free_ char *parent = ktstr_xasprintf("%s/user/kt", tree->root);
	_cleanup_free_ char *user = ktstr_xasprintf("%s/user", tree->root);
	_cleanup_error_ struct ktstr_error *beside = NULL;
	struct ktstr_cgroup_manager *manager;

	make_cgroup(tree, "user", "memory\n");
	make_cgroup(tree, "user/kt", "memory\n");
	make_cgroup(tree, "user/kt/a", "memory\n");
	put(tree, "user/cgroup.procs", "");
	put(tree, "user/kt/a/cgroup.procs", "4711\n");
	assert_ok(ktstr_cgroup_manager_create(parent, &manager));
	beside = ktstr_cgroup_manager_set_walk_root(manager, "/sys");
	assert_int_equal(ktstr_error_code(beside), KTSTR_ERR_INVALID);
	assert_ok(ktstr_cgroup_manager_set_walk_root(manager, user));
	assert_ok(ktstr_cgroup_setup(manager, memory, 1));
	assert_file(tree, "cgroup.subtree_control", "");
	assert_file(tree, "user/cgroup.subtree_control", "+memory");
	assert_ok(ktstr_cgroup_drain_tasks(manager, "a"));
	assert_file(tree, "user/cgroup.procs", "4711");
	ktstr_cgroup_manager_destroy(manager);
}

static void subtree_control_is_cleared(void **state)
{
	struct tree *tree = *state;

	make_cgroup(tree, "kt/a", ALL);
	put(tree, "kt/a/cgroup.subtree_control", "cpu\n");
	assert_ok(ktstr_cgroup_clear_subtree_control(tree->manager, "a"));
	assert_file(tree, "kt/a/cgroup.subtree_control", "-cpu"); /* a plain file keeps what was written */
}

static void groups_remove_what_they_made(void **state)
{
	struct tree *tree = *state;
	struct ktstr_cgroup_group *group = ktstr_cgroup_group_create(tree->manager);
	struct ktstr_cpus cpus = ktstr_cpus_range(0, 1);
	const char *const *names;
	size_t count;

	put(tree, "cgroup.procs", "");
	make_cgroup(tree, "kt/up", ALL);
	assert_ok(ktstr_cgroup_group_add(group, "up/down", NULL));
	ktstr_error_free(ktstr_cgroup_group_add(group, "up/other", &cpus)); /* made, but has no file for its CPUs */
	names = ktstr_cgroup_group_names(group, &count);
	assert_int_equal(count, 2);
	assert_string_equal(names[1], "up/other");
	assert_true(ktstr_cgroup_exists(tree->manager, "up/down"));
	ktstr_cgroup_group_destroy(group);
	assert_false(ktstr_cgroup_exists(tree->manager, "up/down"));
	assert_false(ktstr_cgroup_exists(tree->manager, "up/other"));
	assert_true(ktstr_cgroup_exists(tree->manager, "up")); /* not ours */
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

#define tree_test(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

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
