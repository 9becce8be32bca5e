// SPDX-License-Identifier: GPL-2.0-only
/* Which host CPUs a run gets, on made-up hosts; locks of this one, in a directory of our own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock_holders.h"
#include "host/usable_cpus.h"
#include "reserve/apply.h"
#include "reserve/contention.h"
#include "reserve/locks.h"
#include "reserve/reserve.h"
#include "cpus.h"
#include "scratch.h"

static struct ktstr_topology shape(const char *text)
{
	struct ktstr_topology topology;

	assert_ok(ktstr_topology_parse(text, &topology));
	return topology;
}

static struct ktstr_test_topology *host(const char *text)
{
	struct ktstr_topology spec = shape(text);
	struct ktstr_test_topology *topology;

	assert_ok(ktstr_test_topology_from_spec(&spec, 0, &topology));
	return topology;
}

static void assert_llcs(const struct ktstr_cpu_plan *plan, const char *expected)
{
	struct ktstr_cpus set = { 0 };

	for (size_t i = 0; i < plan->llcs_count; i++) {
		assert_true(!i || plan->llcs[i - 1] < plan->llcs[i]);
		ktstr_cpus_add(&set, plan->llcs[i]);
	}
	assert_cpus(set, expected);
}

struct pool_case {
	const char *host, *allowed;
	struct ktstr_llc_use use[8];
	unsigned int budget;
	const char *cpus, *llcs; /* NULL = busy */
	bool spills;
};

static void a_pool_takes_few_llcs_the_least_held_first(void **state)
{
	static const struct pool_case cases[] = {
		{ "1n1l2c1t", "0-1", { { 0 } }, 1, "0", "0", false },
		{ "1n1l2c1t", "0-1", { { 0 } }, 2, "0-1", "0", false },
		/* The last LLC in part. */
		{ "1n2l4c1t", "0-7", { { 0 } }, 5, "0-4", "0-1", false },
		/* The least held one; the others after it in that order. */
		{ "1n2l4c1t", "0-7", { { .shared = 1 } }, 3, "4-6", "1", false },
		{ "1n4l2c1t", "0-7", { { 3 }, { 1 }, { 2 }, { 1 } }, 5, "2-4,6-7", "1-3", false },
		/* The seed's node before less held LLCs of others, then the nearest node. */
		{ "2n4l2c1t", "0-7", { { 2 }, { 1 }, { 0 }, { 3 } }, 4, "4-7", "2-3", false },
		{ "2n4l2c1t", "0-7", { { 2 }, { 1 }, { 0 }, { 3 } }, 5, "2,4-7", "1-3", true },
		/* What is not allowed is not there. */
		{ "1n2l4c1t", "2-3,6", { { 0 } }, 3, "2-3,6", "0-1", false },
		/* An LLC that somebody has for himself is left out, also where it is needed. */
		{ "1n2l4c1t", "0-7", { { .exclusive = true } }, 4, "4-7", "1", false },
		{ "1n2l4c1t", "0-7", { { .exclusive = true } }, 5, NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pool_case *c = &cases[i];
		struct ktstr_host_view view = { host(c->host), cpus_of(c->allowed), c->use };
		struct ktstr_cpu_plan plan;

		if (c->cpus) {
			assert_ok(ktstr_plan_pool(&view, c->budget, &plan));
			assert_cpus(plan.cpus, c->cpus);
			assert_llcs(&plan, c->llcs);
			assert_int_equal(plan.spills, c->spills);
			assert_int_equal(plan.vcpus_count, 0);
		} else {
			assert_fails(ktstr_plan_pool(&view, c->budget, &plan), KTSTR_ERR_BUSY,
				     "5 host CPUs are wanted, others have left 4 of 8");
		}
		ktstr_test_topology_destroy((struct ktstr_test_topology *)view.topology);
	}
}

static void a_pool_spills_to_the_nearest_node(void **state)
{
	static const uint8_t cells[] = { 10, 40, 20, 40, 10, 20, 20, 20, 10 };
	const struct ktstr_numa_distance distances = { 3, cells };
	struct ktstr_topology spec = shape("3n3l2c1t");
	struct ktstr_test_topology *topology;
	struct ktstr_host_view view = { .allowed = cpus_of("0-5") };
	struct ktstr_cpu_plan plan;

	(void)state;
	spec.distances = &distances;
	assert_ok(ktstr_test_topology_from_spec(&spec, 0, &topology));
	view.topology = topology;
	assert_ok(ktstr_plan_pool(&view, 3, &plan));
	assert_cpus(plan.cpus, "0-1,4");
	assert_true(plan.spills);
	assert_int_equal(plan.nodes, 5);
	ktstr_test_topology_destroy(topology);
}

static void the_default_budget_has_room_for_every_vcpu(void **state)
{
	(void)state;
	assert_int_equal(ktstr_default_cpu_budget(2, 1), 1);
	assert_int_equal(ktstr_default_cpu_budget(2, 8), 2);
	assert_int_equal(ktstr_default_cpu_budget(10, 1), 3);
	assert_int_equal(ktstr_default_cpu_budget(11, 1), 4);
	assert_int_equal(ktstr_default_cpu_budget(128, 4), 39);
	assert_int_equal(ktstr_default_cpu_budget(128, 64), 64);
}

static void assert_vcpus(const struct ktstr_cpu_plan *plan, const char *expected)
{
	_cleanup_str_ struct ktstr_str text = { 0 };

	for (size_t i = 0; i < plan->vcpus_count; i++)
		ktstr_str_addf(&text, "%s%u", i ? "," : "", plan->vcpu_cpus[i]);
	assert_string_equal(ktstr_str_text(&text), expected);
}

struct performance_case {
	const char *host, *allowed, *machine;
	size_t slots, slot;
	const char *vcpus, *llcs;
	unsigned int service_cpu;
	uint64_t nodes;
	struct ktstr_llc_use use[8];
};

static void performance_mode_puts_each_virtual_llc_on_one_of_the_host(void **state)
{
	static const struct performance_case cases[] = {
		{ "1n1l2c1t", "0-1", "1n1l1c1t", 1, 0, "0", "0", 1, 1, { { 0 } } },
		{ "1n2l4c1t", "0-7", "1n2l2c1t", 1, 0, "0,1,4,5", "0-1", 2, 1, { { 0 } } },
		/* Places beside each other. */
		{ "1n4l4c1t", "0-15", "1n1l4c1t", 4, 2, "8,9,10,11", "2", 0, 1, { { 0 } } },
		{ "1n4l4c1t", "0-15", "1n2l2c1t", 2, 1, "8,9,12,13", "2-3", 10, 1, { { 0 } } },
		/* Only LLCs with CPUs enough that are allowed. */
		{ "1n4l4c1t", "0,4-15", "1n1l3c1t", 3, 0, "4,5,6", "1", 7, 1, { { 0 } } },
		/* Guest nodes on host nodes of their own. */
		{ "2n4l2c1t", "0-7", "2n2l1c1t", 2, 0, "0,4", "0,2", 1, 3, { { 0 } } },
		{ "2n4l2c1t", "0-7", "2n2l1c1t", 2, 1, "2,6", "1,3", 3, 3, { { 0 } } },
		/* One that stays on a host node, in both places. */
		{ "2n4l2c1t", "0-7", "1n2l1c1t", 2, 1, "4,6", "2-3", 5, 2, { { 0 } } },
		/* No host node is large enough: one LLC after the other. */
		{ "2n4l2c1t", "0-7", "1n3l1c1t", 1, 0, "0,2,4", "0-2", 1, 3, { { 0 } } },
		/* The service CPU is nobody else's. */
		{ "1n4l2c1t", "0-7", "1n1l2c1t", 4, 2, "4,5", "2", 2, 1, { { .exclusive = true }, { 0 } } },
		{ "1n2l2c1t", "0-3", "1n1l2c1t", 2, 1, "2,3", "1", 0, 1, { { .exclusive = true } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct performance_case *c = &cases[i];
		struct ktstr_host_view view = { host(c->host), cpus_of(c->allowed), c->use };
		struct ktstr_topology machine = shape(c->machine);
		struct ktstr_cpu_plan plan;

		assert_ok(ktstr_plan_performance_check(&view, &machine));
		assert_int_equal(ktstr_plan_performance_slots(&view, &machine), c->slots);
		ktstr_plan_performance(&view, &machine, c->slot, &plan);
		assert_vcpus(&plan, c->vcpus);
		assert_llcs(&plan, c->llcs);
		assert_int_equal(plan.service_cpu, c->service_cpu);
		assert_true(ktstr_cpus_has(&plan.cpus, plan.service_cpu));
		assert_int_equal(ktstr_cpus_count(&plan.cpus), plan.vcpus_count + 1);
		assert_int_equal(plan.nodes, c->nodes);
		ktstr_test_topology_destroy((struct ktstr_test_topology *)view.topology);
	}
}

static void explicit_nodes_are_kept_together_whatever_their_size(void **state)
{
	static const struct ktstr_numa_node nodes[] = { { .llcs = 1, .memory_mib = 256 },
							{ .llcs = 2, .memory_mib = 256 },
							{ .llcs = 0, .memory_mib = 256 } };
	struct ktstr_topology machine = { 3, 3, 1, 1, nodes, 3, NULL };
	struct ktstr_host_view view = { .topology = host("2n4l2c1t"), .allowed = cpus_of("0-7") };
	struct ktstr_cpu_plan plan;

	(void)state;
	assert_ok(ktstr_topology_validate(&machine));
	assert_ok(ktstr_plan_performance_check(&view, &machine));
	ktstr_plan_performance(&view, &machine, 0, &plan);
	assert_vcpus(&plan, "0,4,6");
	ktstr_test_topology_destroy((struct ktstr_test_topology *)view.topology);
}

static void performance_mode_says_what_the_host_lacks(void **state)
{
	struct ktstr_host_view view = { .topology = host("1n2l2c1t"), .allowed = cpus_of("0-3") };
	struct ktstr_topology many = shape("1n1l4c1t"), wide = shape("1n1l3c1t"), llcs = shape("1n3l1c1t");

	(void)state;
	assert_fails(ktstr_plan_performance_check(&view, &many), KTSTR_ERR_UNSUPPORTED,
		     "1n1l4c1t needs 5 host CPUs, one for each vCPU and one for everything else; 4 are allowed");
	assert_fails(ktstr_plan_performance_check(&view, &wide), KTSTR_ERR_UNSUPPORTED,
		     "1n1l3c1t needs 1 host LLCs with at least 3 allowed CPUs in each; this host has 0");
	assert_fails(ktstr_plan_performance_check(&view, &llcs), KTSTR_ERR_UNSUPPORTED,
		     "1n3l1c1t needs 3 host LLCs with at least 1 allowed CPUs in each; this host has 2");
	ktstr_test_topology_destroy((struct ktstr_test_topology *)view.topology);
}

static struct ktstr_reserve_request request_of(struct ktstr_mode_wish wish)
{
	struct ktstr_reserve_request request;

	assert_ok(ktstr_reserve_request_init(&wish, &request));
	return request;
}

static void the_mode_is_the_operators_before_the_tests(void **state)
{
	struct ktstr_reserve_request request;

	(void)state;
	assert_int_equal(request_of((struct ktstr_mode_wish){ 0 }).mode, KTSTR_MODE_DEFAULT);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .performance_mode = true }).mode, KTSTR_MODE_PERFORMANCE);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .no_perf_mode = true }).mode, KTSTR_MODE_NO_PERF);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .performance_mode = true, .operator_no_perf = true }).mode,
			 KTSTR_MODE_NO_PERF);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .cpu_cap = 1 }).mode, KTSTR_MODE_NO_PERF);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .performance_mode = true, .cpu_cap = 1 }).mode,
			 KTSTR_MODE_PERFORMANCE);
	setenv("KTSTR_NO_PERF_MODE", "", 1);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .performance_mode = true }).mode, KTSTR_MODE_PERFORMANCE);
	setenv("KTSTR_NO_PERF_MODE", "1", 1);
	assert_int_equal(request_of((struct ktstr_mode_wish){ .performance_mode = true }).mode, KTSTR_MODE_NO_PERF);
	unsetenv("KTSTR_NO_PERF_MODE");
	setenv("KTSTR_CPU_CAP", "3", 1);
	request = request_of((struct ktstr_mode_wish){ .no_perf_mode = true, .cpu_budget = 5 });
	assert_int_equal(request.cpu_cap, 3);
	assert_string_equal(request.cap_source, "KTSTR_CPU_CAP");
	request = request_of((struct ktstr_mode_wish){ .no_perf_mode = true, .cpu_cap = 2 });
	assert_int_equal(request.cpu_cap, 2);
	assert_string_equal(request.cap_source, "--cpu-cap");
	unsetenv("KTSTR_CPU_CAP");
}

static void a_cap_that_is_none_and_a_broken_contract_are_refused(void **state)
{
	static const char *const bad[] = { "0", "many", "-1", "1.5" };
	struct ktstr_mode_wish wish = { .no_perf_mode = true };
	struct ktstr_reserve_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("KTSTR_CPU_CAP", bad[i], 1);
		assert_fails(ktstr_reserve_request_init(&wish, &request), KTSTR_ERR_INVALID, "a number of host CPUs from 1 on");
	}
	unsetenv("KTSTR_CPU_CAP");
	setenv("KTSTR_BYPASS_LLC_LOCKS", "1", 1);
	assert_true(request_of(wish).no_locks);
	wish.cpu_cap = 1;
	assert_fails(ktstr_reserve_request_init(&wish, &request), KTSTR_ERR_INVALID,
		     "--cpu-cap is a resource contract with others on this host, which KTSTR_BYPASS_LLC_LOCKS would break");
	unsetenv("KTSTR_BYPASS_LLC_LOCKS");
}

static void assert_verdict(const char *host_text, const char *allowed_text, struct ktstr_reserve_request request,
			   const char *machine_text, enum ktstr_reserve_verdict verdict, const char *reason)
{
	struct ktstr_test_topology *topology = host(host_text);
	struct ktstr_topology machine = shape(machine_text);
	struct ktstr_cpus allowed = cpus_of(allowed_text);
	struct ktstr_reservation reservation;

	assert_int_equal(ktstr_reserve_on(topology, &allowed, &request, &machine, &reservation), verdict);
	if (reason)
		assert_has(reservation.reason, reason);
	else
		assert_null(reservation.reason);
	ktstr_reservation_release(&reservation);
	ktstr_test_topology_destroy(topology);
}

static void verdicts_have_their_names_and_numbers(void **state)
{
	const struct ktstr_reserve_request none = { 0 }, performance = { .mode = KTSTR_MODE_PERFORMANCE },
					   pool = { .mode = KTSTR_MODE_NO_PERF },
					   budget = { .mode = KTSTR_MODE_NO_PERF, .cpu_budget = 3 },
					   cap = { KTSTR_MODE_NO_PERF, 3, "--cpu-cap", 1, false },
					   small_cap = { KTSTR_MODE_NO_PERF, 1, "--cpu-cap", 3, false },
					   tight = { KTSTR_MODE_PERFORMANCE, 1, "KTSTR_CPU_CAP", 0, false };

	(void)state;
	assert_verdict("1n1l2c1t", "0-1", none, "1n1l8c1t", KTSTR_RESERVED, NULL);
	assert_verdict("1n1l2c1t", "0-1", pool, "1n1l8c1t", KTSTR_RESERVED, NULL);
	assert_verdict("1n1l2c1t", "0-1", performance, "1n1l1c1t", KTSTR_RESERVED, NULL);
	assert_verdict("1n1l2c1t", "0-1", performance, "1n1l2c1t", KTSTR_PERF_MODE_UNAVAILABLE,
		       "PERF_MODE_UNAVAILABLE: no performance mode here (--no-perf-mode runs it without): 1n1l2c1t needs 3 host CPUs");
	assert_verdict("1n1l2c1t", "0-1", tight, "1n1l1c1t", KTSTR_PERF_MODE_UNAVAILABLE,
		       "it needs 2 host CPUs, KTSTR_CPU_CAP is 1");
	assert_verdict("1n1l2c1t", "0-1", budget, "1n1l2c1t", KTSTR_TOPOLOGY_INSUFFICIENT,
		       "TOPOLOGY_INSUFFICIENT: .cpu_budget is 3, 2 host CPUs are allowed");
	assert_verdict("1n1l4c1t", "0-1", budget, "1n1l2c1t", KTSTR_TOPOLOGY_INSUFFICIENT, ".cpu_budget is 3, 2 host CPUs");
	assert_verdict("1n1l4c1t", "0-2", budget, "1n1l2c1t", KTSTR_RESERVED, NULL);
	assert_verdict("1n1l2c1t", "0-1", cap, "1n1l2c1t", KTSTR_CPU_BUDGET_UNSATISFIABLE,
		       "CPU_BUDGET_UNSATISFIABLE: --cpu-cap is 3, 2 host CPUs are allowed: give at most 2");
	/* The operator's number counts, not the test's. */
	assert_verdict("1n1l2c1t", "0-1", small_cap, "1n1l2c1t", KTSTR_RESERVED, NULL);
	assert_verdict("1n1l2c1t", "5", pool, "1n1l2c1t", KTSTR_RESERVE_FAILED, "none of the host's CPUs is allowed");
	assert_true(ktstr_reserve_is_skip(KTSTR_RESOURCE_CONTENTION) && ktstr_reserve_is_skip(KTSTR_TOPOLOGY_INSUFFICIENT));
	assert_false(ktstr_reserve_is_skip(KTSTR_PERF_MODE_UNAVAILABLE) || ktstr_reserve_is_skip(KTSTR_CPU_BUDGET_UNSATISFIABLE));
}

static void results_say_on_how_many_cpus_it_ran(void **state)
{
	struct ktstr_reservation reservation = { .allowed = cpus_of("0-3") };

	(void)state;
	assert_int_equal(ktstr_reservation_cpus(&reservation, 2), 2);
	assert_int_equal(ktstr_reservation_cpus(&reservation, 8), 4);
	reservation.mode = KTSTR_MODE_NO_PERF;
	reservation.plan.cpus = cpus_of("1");
	assert_int_equal(ktstr_reservation_cpus(&reservation, 8), 1);
	reservation.mode = KTSTR_MODE_PERFORMANCE;
	reservation.plan.vcpus_count = 2;
	reservation.plan.cpus = cpus_of("0-2");
	assert_int_equal(ktstr_reservation_cpus(&reservation, 2), 2);
}

/* Another process that holds the lock of an LLC until it is killed. */
static pid_t hold(unsigned int llc, bool exclusive)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_false(pipe(ready));
	pid = fork();
	if (!pid) {
		_cleanup_free_ char *path = ktstr_llc_lock_path(llc);
		int fd;

		if (ktstr_try_lock(path, exclusive, &fd) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void locks_hold_until_their_process_is_gone(void **state)
{
	const struct ktstr_reserve_request performance = { .mode = KTSTR_MODE_PERFORMANCE },
					   pool = { .mode = KTSTR_MODE_NO_PERF, .cpu_budget = 2 },
					   bypass = { .mode = KTSTR_MODE_PERFORMANCE, .no_locks = true };
	_cleanup_free_ char *held = NULL;
	pid_t holder = hold(0, false);

	(void)state;
	/* Those that share go beside each other; who wants it for himself does not. */
	assert_verdict("1n1l2c1t", "0-1", pool, "1n1l2c1t", KTSTR_RESERVED, NULL);
	held = ktstr_xasprintf("ktstr-llc-0.lock is held by pid %d (", (int)holder);
	assert_verdict("1n1l2c1t", "0-1", performance, "1n1l1c1t", KTSTR_RESOURCE_CONTENTION, held);
	assert_verdict("1n1l2c1t", "0-1", performance, "1n1l1c1t", KTSTR_RESOURCE_CONTENTION, "RESOURCE_CONTENTION: ");
	assert_verdict("1n1l2c1t", "0-1", bypass, "1n1l1c1t", KTSTR_RESERVED, NULL);
	/* Another place is free. */
	assert_verdict("1n2l2c1t", "0-3", performance, "1n1l2c1t", KTSTR_RESERVED, NULL);
	end(holder);
	assert_verdict("1n1l2c1t", "0-1", performance, "1n1l1c1t", KTSTR_RESERVED, NULL);
	holder = hold(0, true);
	assert_verdict("1n1l2c1t", "0-1", pool, "1n1l2c1t", KTSTR_RESOURCE_CONTENTION, "others have left 0 of 2");
	end(holder);
}

static void of_several_locks_all_are_taken_or_none(void **state)
{
	const struct ktstr_reserve_request performance = { .mode = KTSTR_MODE_PERFORMANCE };
	struct ktstr_lock_holders holders;
	_cleanup_free_ char *first = ktstr_llc_lock_path(0);
	pid_t holder = hold(1, true);

	(void)state;
	assert_verdict("1n2l2c1t", "0-3", performance, "1n2l1c1t", KTSTR_RESOURCE_CONTENTION, "ktstr-llc-1.lock is held by pid");
	ktstr_lock_holders_read(first, &holders);
	assert_int_equal(holders.count, 0);
	ktstr_lock_holders_deinit(&holders);
	end(holder);
}

static void a_lock_file_is_for_everybody_and_stays(void **state)
{
	_cleanup_free_ char *path = ktstr_llc_lock_path(7);
	struct ktstr_lock_holders holders;
	mode_t before = umask(077);
	struct stat st;
	int fd;

	(void)state;
	assert_ok(ktstr_try_lock(path, true, &fd));
	umask(before);
	assert_false(stat(path, &st));
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ktstr_lock_holders_read(path, &holders);
	assert_int_equal(holders.count, 1);
	assert_int_equal(holders.items[0].pid, getpid());
	assert_true(holders.items[0].exclusive);
	assert_has(holders.items[0].cmdline, "test_reserve");
	assert_true(strlen(holders.items[0].cmdline) <= 100);
	ktstr_lock_holders_deinit(&holders);
	close(fd);
	assert_false(stat(path, &st));
	ktstr_lock_holders_read(path, &holders);
	assert_int_equal(holders.count, 0);
	ktstr_lock_holders_deinit(&holders);
	ktstr_lock_holders_read("/nonexistent/ktstr-llc-0.lock", &holders);
	assert_int_equal(holders.count, 0);
}

static void a_lock_that_cannot_be_is_a_failure(void **state)
{
	const struct ktstr_reserve_request pool = { .mode = KTSTR_MODE_NO_PERF };

	(void)state;
	setenv("KTSTR_LOCK_DIR", "/nonexistent", 1);
	assert_verdict("1n1l2c1t", "0-1", pool, "1n1l1c1t", KTSTR_RESERVE_FAILED,
		       "cannot open lock file /nonexistent/ktstr-llc-0.lock");
	setenv("KTSTR_LOCK_DIR", scratch, 1);
}

static void holders_are_those_of_this_file_on_this_file_system(void **state)
{
	static const char mountinfo[] = "21 1 0:20 / / rw - overlay overlay rw\n27 21 0:29 /x /tmp rw shared:4 - btrfs /dev/sda rw\n";
	static const char locks[] = "1: FLOCK  ADVISORY  WRITE 11 00:1d:62 0 EOF\n"
				    "1: -> FLOCK  ADVISORY  WRITE 12 00:1d:62 0 EOF\n"
				    "2: FLOCK  ADVISORY  READ  13 00:1d:62 0 EOF\n"
				    "3: FLOCK  ADVISORY  WRITE 14 00:14:62 0 EOF\n"
				    "4: POSIX  ADVISORY  WRITE 15 00:1d:62 0 EOF\n"
				    "5: FLOCK  ADVISORY  WRITE 16 00:1d:63 0 EOF\n"
				    "garbage\n";
	struct ktstr_lock_holders holders;
	_cleanup_free_ char *text = NULL;

	(void)state;
	ktstr_lock_holders_parse(locks, mountinfo, 27, 62, &holders);
	assert_int_equal(holders.count, 2);
	assert_int_equal(holders.items[0].pid, 11);
	assert_true(holders.items[0].exclusive);
	assert_int_equal(holders.items[1].pid, 13);
	assert_false(holders.items[1].exclusive);
	text = ktstr_lock_holders_text(&holders);
	assert_string_equal(text, "pid 11, pid 13");
	ktstr_lock_holders_deinit(&holders);
	ktstr_lock_holders_parse(locks, mountinfo, 99, 62, &holders);
	assert_int_equal(holders.count, 0);
	ktstr_lock_holders_parse("", "", 27, 62, &holders);
	assert_int_equal(holders.count, 0);
}

static struct ktstr_cpus own_cpus(void)
{
	struct ktstr_cpus cpus;

	assert_ok(ktstr_allowed_cpus(&cpus));
	return cpus;
}

static void a_reservation_masks_the_process_and_what_it_starts(void **state)
{
	struct ktstr_cpus before = own_cpus();
	unsigned int first = (unsigned int)ktstr_cpus_next(&before, 0);
	struct ktstr_reservation reservation = { .mode = KTSTR_MODE_NO_PERF, .allowed = before };
	struct ktstr_cpus now;
	int status;
	pid_t pid;

	(void)state;
	ktstr_cpus_add(&reservation.plan.cpus, first);
	assert_ok(ktstr_reservation_enter(&reservation));
	now = own_cpus();
	assert_true(ktstr_cpus_equal(&now, &reservation.plan.cpus));
	pid = fork();
	if (!pid) {
		now = own_cpus();
		_exit(!ktstr_cpus_equal(&now, &reservation.plan.cpus));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ktstr_reservation_release(&reservation);
	now = own_cpus();
	assert_true(ktstr_cpus_equal(&now, &before));
	reservation = (struct ktstr_reservation){ .mode = KTSTR_MODE_NO_PERF, .allowed = before };
	ktstr_cpus_add(&reservation.plan.cpus, KTSTR_MAX_CPUS - 1);
	assert_fails(ktstr_reservation_enter(&reservation), KTSTR_ERR_SYSTEM, "cannot keep the VM to host CPUs 1023");
	ktstr_reservation_release(&reservation);
}

static void threads_are_pinned_each_to_its_cpu(void **state)
{
	struct ktstr_cpus before = own_cpus();
	unsigned int first = (unsigned int)ktstr_cpus_next(&before, 0);
	struct ktstr_reservation reservation = { .mode = KTSTR_MODE_PERFORMANCE, .allowed = before };
	_cleanup_strv_ struct ktstr_strv warnings = { 0 };
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *status = NULL;
	_cleanup_free_ char *expected = ktstr_xasprintf("Cpus_allowed_list:\t%u\n", first);
	int tids[2] = { 0 };
	pid_t pid = fork();

	(void)state;
	if (!pid)
		for (;;)
			pause();
	tids[0] = pid;
	reservation.plan.vcpu_cpus[0] = reservation.plan.service_cpu = first;
	reservation.plan.vcpus_count = 2;
	assert_ok(ktstr_reservation_pin(&reservation, pid, tids, 2, &warnings));
	path = ktstr_xasprintf("/proc/%d/status", (int)pid);
	assert_ok(ktstr_read_file(path, &status, NULL));
	assert_has(status, expected);
	assert_true(ktstr_strv_contains(&warnings,
					KTSTR_PERFORMANCE_WARNING "1 vCPUs have no thread of their own and are not pinned"));
	end(pid);
	reservation.entered = true;
	ktstr_reservation_release(&reservation);
}

static void a_host_without_room_is_no_failure_of_the_test(void **state)
{
	_cleanup_error_ struct ktstr_error *transient = ktstr_error_sys(EMFILE, "cannot create a socket pair");
	_cleanup_error_ struct ktstr_error *other = ktstr_error_sys(ENOENT, "no kernel");
	struct rlimit limit, tight;
	char *reason = NULL;
	int fds[20], count = 0;

	(void)state;
	assert_false(ktstr_is_contention(other, &reason));
	assert_true(ktstr_is_contention(transient, &reason));
	assert_has(reason, "RESOURCE_CONTENTION: no VM could be created: cannot create a socket pair: ");
	assert_has(reason, "fds=");
	assert_has(reason, ", vmrss=");
	assert_has(reason, ", threads=1, near_limit=false)");
	free(reason);
	setenv("KTSTR_CONTENTION_BYPASS", "yes", 1);
	assert_true(ktstr_is_contention(transient, &reason));
	free(reason);
	setenv("KTSTR_CONTENTION_BYPASS", "1", 1);
	assert_false(ktstr_is_contention(transient, &reason));
	assert_false(getrlimit(RLIMIT_NOFILE, &limit));
	/* 20 of 22. */
	do
		fds[count] = dup(0);
	while (fds[count++] < 19);
	tight = (struct rlimit){ 22, limit.rlim_max };
	assert_false(setrlimit(RLIMIT_NOFILE, &tight));
	assert_true(ktstr_is_contention(transient, &reason));
	assert_false(setrlimit(RLIMIT_NOFILE, &limit));
	while (count)
		close(fds[--count]);
	assert_has(reason, "near_limit=true)");
	free(reason);
	unsetenv("KTSTR_CONTENTION_BYPASS");
}

static int set_up(void **state)
{
	int failed = make_scratch(state);

	setenv("KTSTR_LOCK_DIR", scratch, 1);
	return failed;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_takes_few_llcs_the_least_held_first),
		cmocka_unit_test(a_pool_spills_to_the_nearest_node),
		cmocka_unit_test(the_default_budget_has_room_for_every_vcpu),
		cmocka_unit_test(performance_mode_puts_each_virtual_llc_on_one_of_the_host),
		cmocka_unit_test(explicit_nodes_are_kept_together_whatever_their_size),
		cmocka_unit_test(performance_mode_says_what_the_host_lacks),
		cmocka_unit_test(the_mode_is_the_operators_before_the_tests),
		cmocka_unit_test(a_cap_that_is_none_and_a_broken_contract_are_refused),
		cmocka_unit_test(verdicts_have_their_names_and_numbers),
		cmocka_unit_test(results_say_on_how_many_cpus_it_ran),
		cmocka_unit_test(locks_hold_until_their_process_is_gone),
		cmocka_unit_test(of_several_locks_all_are_taken_or_none),
		cmocka_unit_test(a_lock_file_is_for_everybody_and_stays),
		cmocka_unit_test(a_lock_that_cannot_be_is_a_failure),
		cmocka_unit_test(holders_are_those_of_this_file_on_this_file_system),
		cmocka_unit_test(a_reservation_masks_the_process_and_what_it_starts),
		cmocka_unit_test(threads_are_pinned_each_to_its_cpu),
		cmocka_unit_test(a_host_without_room_is_no_failure_of_the_test),
	};

	return cmocka_run_group_tests(tests, set_up, remove_scratch);
}
