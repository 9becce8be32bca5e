// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup manager, in the machine's cgroup2 tree where there is one, and in a directory tree
 * that looks like one for what a test must not or cannot do to the machine (controllers, stuck
 * writes, refusals).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cgroup_tree.h"

static void test_names(void **state)
{
	const char *const good[] = { "a", "cg-0", "parent/child", "a/b/c.d" };
	const char *const bad[] = {
		"", "/a", ".", "..", ".hidden", "a//b", "a/", "a/../b", "a/.b"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_ok(ktstr_cgroup_check_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(ktstr_cgroup_check_name(bad[i]), KTSTR_ERR_INVALID, bad[i]);
	assert_fails(ktstr_cgroup_check_name(NULL), KTSTR_ERR_INVALID, "empty");
}

/* ---- a tree of plain files ---- */

static void test_parents(void **state)
{
	struct ktstr_cgroup_manager *manager = NULL;

	(void)state;
	assert_fails(ktstr_cgroup_manager_create("relative", &manager), KTSTR_ERR_INVALID,
		     "relative");
	assert_fails(ktstr_cgroup_manager_create("/a/../b", &manager), KTSTR_ERR_INVALID,
		     "/a/../b");
	assert_fails(ktstr_cgroup_manager_create("/tmp/ktstr-none/x", &manager),
		     KTSTR_ERR_UNSUPPORTED, "mount -t cgroup2");
	assert_null(manager);
	ktstr_cgroup_manager_destroy(NULL);
}

/* The controllers arrive at the root, the parent and the intermediate cgroup, not in the leaf. */
static void test_controllers(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	const char *const lacking[] = { "cpuset", "memory" };

	put("cgroup.controllers", "cpuset cpu pids\n");
	assert_fails(ktstr_cgroup_setup(manager, lacking, 2), KTSTR_ERR_UNSUPPORTED,
		     "no controller memory (it has: cpuset cpu pids)");
	assert_file("cgroup.subtree_control", "");
	assert_ok(ktstr_cgroup_setup(manager, lacking, 1));
	assert_file("cgroup.subtree_control", "+cpuset");
	assert_file("kt/cgroup.subtree_control", "+cpuset");
	make_cgroup("kt/mid", ALL_CONTROLLERS);
	assert_ok(ktstr_cgroup_create(manager, "mid/leaf"));
	assert_file("kt/mid/cgroup.subtree_control", "+cpuset");
	assert_ok(ktstr_cgroup_create(manager, "mid/leaf"));
	/* What is enabled already is not written again. */
	put("kt/cgroup.subtree_control", "cpu cpuset\n");
	assert_ok(ktstr_cgroup_create(manager, "other"));
	assert_file("kt/cgroup.subtree_control", "cpu cpuset");
	/* "bare" has no such file, as a leaf of the fake tree: the error names it. */
	assert_fails(ktstr_cgroup_create(manager, "bare/leaf"), KTSTR_ERR_NOT_FOUND,
		     "kt/bare/cgroup.subtree_control");
}

static void test_cpuset_files(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	struct ktstr_cpus cpus = ktstr_cpus_range(0, 4), empty = { 0 }, found;

	ktstr_cpus_add(&cpus, 5);
	make_cgroup("kt/a", ALL_CONTROLLERS);
	assert_ok(ktstr_cgroup_set_cpuset(manager, "a", &cpus));
	assert_file("kt/a/cpuset.cpus", "0-3,5");
	assert_fails(ktstr_cgroup_set_cpuset(manager, "a", &empty), KTSTR_ERR_INVALID,
		     "the CPU set for cgroup a is empty");
	assert_fails(ktstr_cgroup_set_cpuset(manager, "b", &cpus), KTSTR_ERR_NOT_FOUND,
		     "cannot write \"0-3,5\" to");
	assert_fails(ktstr_cgroup_set_cpuset(manager, "../b", &cpus), KTSTR_ERR_INVALID,
		     "../b");
	put("kt/a/cpuset.cpus.effective", "0-2\n");
	assert_ok(ktstr_cgroup_effective_cpus(manager, "a", &found));
	assert_int_equal(ktstr_cpus_count(&found), 3);
	put("kt/a/cpuset.cpus.effective", "nonsense\n");
	assert_fails(ktstr_cgroup_effective_cpus(manager, "a", &found), KTSTR_ERR_INVALID,
		     "cpuset.cpus.effective");
}

/* Opening a FIFO for writing blocks until somebody reads: a write that the kernel does not finish.
 */
static void test_write_limit(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	_cleanup_free_ char *path = ktstr_xasprintf("%s/kt/cpuset.cpus", scratch);
	_cleanup_free_ char *message =
		ktstr_xasprintf("cgroup write to %s timed out after 2000ms", path);
	struct ktstr_cpus cpus = ktstr_cpus_range(0, 1);
	_cleanup_close_ int reader = -1;
	char got;

	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_fails(cgroup_write(path, "0"), KTSTR_ERR_TIMEOUT, message);
	/* Lets the abandoned thread end; its late write must not disturb anything. */
	reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(reader, &got, 1), 1);
	ktstr_sleep_ns(KTSTR_MS(20));
	make_cgroup("kt/a", ALL_CONTROLLERS);
	assert_ok(ktstr_cgroup_set_cpuset(manager, "a", &cpus));
}

static void test_move_checks(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;
	const int pid = 4711, own = 0;

	make_cgroup("kt/a", ALL_CONTROLLERS);
	assert_ok(ktstr_cgroup_move_tasks(manager, "a", &pid, 1));
	assert_file("kt/a/cgroup.procs", "4711");
	assert_ok(ktstr_cgroup_move_tasks(manager, "a", NULL, 0));
	assert_fails(ktstr_cgroup_move_tasks(manager, "a", &own, 1), KTSTR_ERR_INVALID,
		     "pid 0");
	put("kt/a/cpuset.cpus", "0-1\n");
	put("kt/a/cpuset.mems.effective", "\n");
	assert_fails(ktstr_cgroup_move_tasks(manager, "a", &pid, 1), KTSTR_ERR_INVALID,
		     "kt/a/cpuset.mems.effective is empty");
	put("kt/a/cpuset.mems.effective", "0\n");
	assert_ok(ktstr_cgroup_move_tasks(manager, "a", &pid, 1));
}

/* Plain directories with files in them cannot be removed: eleven of those, and it refuses. */
static void test_failed_removals(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;

	assert_ok(ktstr_cgroup_remove(manager, "missing"));
	for (int i = 0; i < 11; i++) {
		_cleanup_free_ char *name = ktstr_xasprintf("f%d", i);
		_cleanup_free_ char *file = ktstr_xasprintf("kt/f%d/keeps", i);

		assert_ok(ktstr_cgroup_create(manager, name));
		put(file, "");
		assert_fails(ktstr_cgroup_remove(manager, name), KTSTR_ERR_SYSTEM,
			     "cannot remove cgroup");
	}
	assert_ok(ktstr_cgroup_create(manager, "good"));
	assert_fails(ktstr_cgroup_remove(manager, "good"), KTSTR_ERR_BUSY, "11 others");
	for (int i = 0; i < 11; i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/kt/f%d", scratch, i);

		assert_ok(ktstr_remove_tree(path));
	}
	assert_ok(ktstr_cgroup_remove(manager, "good"));
}

static void test_events_are_waited_for(void **state)
{
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/kt", scratch);

	(void)state;
	assert_true(cgroup_wait_while(dir, "frozen 0", 0)); /* no such file */
	put("kt/cgroup.events", "populated 1\nfrozen 0\n");
	assert_false(cgroup_wait_while(dir, "frozen 0", 0));
	assert_true(cgroup_wait_while(dir, "populated 0", 0));
}

static void test_never_empty(void **state)
{
	struct ktstr_cgroup_manager *manager = *state;

	assert_ok(ktstr_cgroup_create(manager, "full"));
	put("kt/full/cgroup.events", "populated 1\nfrozen 0\n");
	assert_fails(ktstr_cgroup_remove(manager, "full"), KTSTR_ERR_TIMEOUT,
		     "still has processes after 1000ms");
}

/* ---- the machine's own tree ---- */

static char mount_point[256]; /* of cgroup2, "" when none can be written to */

static void find_mount(void)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mounts", "re");
	char type[64], line[1024];

	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s %255s %63s", mount_point, type) == 2 &&
		    !strcmp(type, "cgroup2") && !access(mount_point, W_OK))
			return;
	}
	mount_point[0] = '\0';
}

static bool has_cpuset(void)
{
	_cleanup_free_ char *list = ktstr_xasprintf("%s/cgroup.controllers", mount_point);
	_cleanup_free_ char *available = ktstr_read_line(list);

	return available && strstr(available, "cpuset");
}

/* skip() does not return: nothing may be held when it is called. */
static void skip_unless(bool possible, const char *what)
{
	if (possible)
		return;
	print_message("skipped: %s (mount: \"%s\")\n", what, mount_point);
	skip();
}

static struct ktstr_cgroup_manager *new_manager(char **parent)
{
	struct ktstr_cgroup_manager *manager;

	*parent = ktstr_xasprintf("%s/ktstr-unit-%d", mount_point, (int)getpid());
	assert_ok(ktstr_cgroup_manager_create(*parent, &manager));
	return manager;
}

/* Ends with this test, even with a failed one. */
static pid_t child_process(bool spins)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			if (!spins)
				pause();
	}
	return pid;
}

static pid_t idle_process(void)
{
	return child_process(false);
}

/* The line of /proc/<pid>/cgroup for the cgroup2 hierarchy ends in `name`. */
static bool is_in(int pid, const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/cgroup", pid);
	_cleanup_free_ char *text = NULL;
	char *line;

	assert_ok(ktstr_read_file(path, &text, NULL));
	line = strstr(text, "0::");
	assert_non_null(line);
	line[strcspn(line, "\n")] = '\0';
	return ktstr_str_ends_with(line, name);
}

static void test_real_tree(void **state)
{
	_cleanup_free_ char *parent = NULL;
	_cleanup_free_ int *found = NULL;
	struct ktstr_cgroup_manager *manager;
	int pids[2];
	size_t count;

	(void)state;
	skip_unless(mount_point[0], "no writable cgroup2 mount");
	pids[0] = idle_process();
	pids[1] = idle_process();
	manager = new_manager(&parent);
	assert_ok(ktstr_cgroup_setup(manager, NULL, 0));
	assert_ok(ktstr_cgroup_create(manager, "up/down"));
	assert_ok(ktstr_cgroup_move_tasks(manager, "up/down", pids, 2));
	assert_true(is_in(pids[0], "/up/down"));
	assert_ok(ktstr_cgroup_read_procs(manager, "up/down", &found, &count));
	assert_int_equal(count, 2);
	assert_int_equal(found[0] + found[1], pids[0] + pids[1]);

	/* One ends: still fine. Both end: an error, and the kernel's own list agrees. */
	kill(pids[1], SIGKILL);
	assert_int_equal(waitpid(pids[1], NULL, 0), pids[1]);
	assert_ok(ktstr_cgroup_create(manager, "other"));
	assert_ok(ktstr_cgroup_move_tasks(manager, "other", pids, 2));
	assert_true(is_in(pids[0], "/other"));
	assert_fails(ktstr_cgroup_move_tasks(manager, "other", &pids[1], 1), KTSTR_ERR_NOT_FOUND,
		     "none of the 1 processes");

	/* Removal refuses a cgroup with one below it, and empties the rest into the root. */
	assert_fails(ktstr_cgroup_remove(manager, "up"), KTSTR_ERR_BUSY, "another one below it");
	assert_ok(ktstr_cgroup_remove(manager, "up/down"));
	assert_ok(ktstr_cgroup_remove(manager, "up"));
	assert_ok(ktstr_cgroup_remove(manager, "other"));
	assert_true(is_in(pids[0], "0::/"));
	assert_ok(ktstr_cgroup_create(manager, "x/y/z"));
	assert_ok(ktstr_cgroup_move_tasks(manager, "x/y/z", pids, 1));
	assert_ok(ktstr_cgroup_cleanup_all(manager));
	assert_false(ktstr_path_exists(parent));
	assert_ok(ktstr_cgroup_cleanup_all(manager));
	ktstr_cgroup_manager_destroy(manager);
	kill(pids[0], SIGKILL);
	waitpid(pids[0], NULL, 0);
}

/* A frozen cgroup can be removed too; its process goes on in the root. */
static void test_real_frozen(void **state)
{
	_cleanup_free_ char *parent = NULL;
	_cleanup_free_ char *freeze = NULL;
	struct ktstr_cgroup_manager *manager;
	pid_t pid;

	(void)state;
	skip_unless(mount_point[0], "no writable cgroup2 mount");
	pid = idle_process();
	manager = new_manager(&parent);
	freeze = ktstr_xasprintf("%s/cold/cgroup.freeze", parent);
	assert_ok(ktstr_cgroup_setup(manager, NULL, 0));
	assert_ok(ktstr_cgroup_create(manager, "cold"));
	assert_ok(ktstr_cgroup_move_tasks(manager, "cold", &pid, 1));
	assert_ok(cgroup_write(freeze, "1"));
	assert_ok(ktstr_cgroup_remove(manager, "cold"));
	assert_true(is_in(pid, "0::/"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_ok(ktstr_cgroup_cleanup_all(manager));
	ktstr_cgroup_manager_destroy(manager);
}

/* What the kernel made of the CPUs; only where cpuset is (or may be) a cgroup2 controller. */
/* More than there are CPUs: some of them only stop when their turn comes. */
static void test_real_frozen_at_once(void **state)
{
	enum { SPINNERS = 8 };
	_cleanup_free_ char *parent = NULL;
	_cleanup_free_ char *events = NULL;
	_cleanup_free_ char *text = NULL;
	struct ktstr_cgroup_manager *manager;
	int pids[SPINNERS];

	(void)state;
	skip_unless(mount_point[0], "no writable cgroup2 mount");
	for (size_t i = 0; i < SPINNERS; i++)
		pids[i] = child_process(true);
	manager = new_manager(&parent);
	events = ktstr_xasprintf("%s/cold/cgroup.events", parent);
	assert_ok(ktstr_cgroup_setup(manager, NULL, 0));
	assert_ok(ktstr_cgroup_create(manager, "cold"));
	assert_ok(ktstr_cgroup_move_tasks(manager, "cold", pids, SPINNERS));
	assert_ok(ktstr_cgroup_freeze(manager, "cold"));
	assert_ok(ktstr_read_file(events, &text, NULL));
	assert_non_null(strstr(text, "frozen 1"));
	assert_ok(ktstr_cgroup_unfreeze(manager, "cold"));
	for (size_t i = 0; i < SPINNERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	assert_ok(ktstr_cgroup_cleanup_all(manager));
	ktstr_cgroup_manager_destroy(manager);
}

static void test_real_cpuset(void **state)
{
	const char *const controllers[] = { "cpuset" };
	struct ktstr_cpus one = { 0 }, all, found;
	_cleanup_free_ char *parent = NULL;
	struct ktstr_cgroup_manager *manager;

	(void)state;
	skip_unless(mount_point[0] && has_cpuset(), "cpuset is no cgroup2 controller here");
	manager = new_manager(&parent);
	assert_ok(ktstr_cgroup_setup(manager, controllers, 1));
	assert_ok(ktstr_cgroup_create(manager, "a/b"));
	assert_ok(ktstr_cgroup_effective_cpus(manager, "a/b", &all));
	ktstr_cpus_add(&one, (unsigned int)ktstr_cpus_next(&all, 0));
	assert_ok(ktstr_cgroup_set_cpuset(manager, "a/b", &one));
	assert_ok(ktstr_cgroup_effective_cpus(manager, "a/b", &found));
	assert_true(ktstr_cpus_equal(&found, &one));
	assert_ok(ktstr_cgroup_clear_cpuset(manager, "a/b"));
	assert_ok(ktstr_cgroup_effective_cpus(manager, "a/b", &found));
	assert_true(ktstr_cpus_equal(&found, &all));
	assert_ok(ktstr_cgroup_cleanup_all(manager));
	ktstr_cgroup_manager_destroy(manager);
}

#define tree_test(test) cmocka_unit_test_setup_teardown(test, make_cgroup_tree, remove_cgroup_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),       cmocka_unit_test(test_parents),
		tree_test(test_controllers),        tree_test(test_cpuset_files),
		tree_test(test_write_limit),        tree_test(test_move_checks),
		tree_test(test_failed_removals),    tree_test(test_never_empty),
		cmocka_unit_test(test_real_tree),   cmocka_unit_test(test_real_frozen),
		cmocka_unit_test(test_real_cpuset), cmocka_unit_test(test_real_frozen_at_once),
		tree_test(test_events_are_waited_for),
	};

	find_mount();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
