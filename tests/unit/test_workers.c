// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers beyond the plain fork: attributes, threads of one process, affinities while they run, slices of phases. What is
 * set is read back from the kernel, not from the report.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktstr/benchmark.h"
#include "ktstr/topology.h"
#include "cpus.h"
#include "workers_fixture.h"

/* ---- attributes ---- */

static void attributes_are_the_kernels(void **state)
{
	struct ktstr_work_spec specs[] = {
		{ .type = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(1), .sleep = KTSTR_MS(1)),
		  .workers = 1,
		  .sched_policy = { .kind = KTSTR_POLICY_BATCH },
		  .nice = KTSTR_SOME(7),
		  .comm = "batch-one" },
		{ .type = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(1), .sleep = KTSTR_MS(1)),
		  .workers = 1,
		  .uid = KTSTR_SOME(1234),
		  .gid = KTSTR_SOME(4321),
		  .mem_policy = ktstr_mem_interleave(1) },
	};
	const struct ktstr_workload_config config = { .specs = specs, .specs_count = 2, .label = "cg" };
	const int *pids;
	size_t processes;
	_cleanup_free_ char *adj = NULL;

	(void)state;
	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
	start(&config);
	wait_iterations(2);
	pids = ktstr_workload_pids(live, &processes);
	assert_int_equal(processes, 2);
	assert_int_equal(sched_getscheduler(pids[0]), SCHED_BATCH);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pids[0]), 7);
	assert_task_text(pids[0], pids[0], "comm", "", "batch-one");
	assert_task_text(pids[1], pids[1], "comm", "", "cg/1");
	assert_task_text(pids[1], pids[1], "status", "\nUid:\t", "1234\t1234\t1234\t1234");
	assert_task_text(pids[1], pids[1], "status", "\nGid:\t", "4321\t4321\t4321\t4321");
	adj = task_text(pids[0], pids[0], "oom_score_adj", "");
	assert_string_equal(adj, "1000");
	stop();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(reports[i].exit, KTSTR_WORKER_COMPLETED);
		assert_int_equal(reports[i].sched_policy_errno, 0);
		assert_int_equal(reports[i].nice_errno, 0);
		assert_int_equal(reports[i].credentials_errno, 0);
	}
}

/* The owner changes last: what only root may do came before it. And a worker of another owner still dies with us. */
static void privileged_before_the_owner(void **state)
{
	struct ktstr_work_spec spec = spinners(1);
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const int *pids;
	int ends[2], pid = 0;
	pid_t harness;

	(void)state;
	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
	spec.nice = (struct ktstr_opt_i32)KTSTR_SOME(-5);
	spec.uid = (struct ktstr_opt_u32)KTSTR_SOME(1234);
	assert_int_equal(pipe(ends), 0);
	harness = fork();
	if (harness == 0) {
		start(&config);
		wait_iterations(1);
		pids = ktstr_workload_pids(live, &count);
		_exit(write(ends[1], pids, sizeof(*pids)) != sizeof(*pids) ||
		      getpriority(PRIO_PROCESS, (id_t)pids[0]) != -5);
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	waitpid(harness, &ends[1], 0);
	assert_int_equal(ends[1], 0); /* exit status */
	close(ends[0]);
	for (int i = 0; kill(pid, 0) == 0; i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/status", pid);
		_cleanup_free_ char *text = NULL;
		_cleanup_error_ struct ktstr_error *error = ktstr_read_file(path, &text, NULL);

		if (error || strstr(text, "State:\tZ"))
			break;
		assert_true(i < 1000);
		ktstr_sleep_ns(KTSTR_MS(5));
	}
}

/* What the kernel refuses is in the report, by its errno; the worker works on. */
static void refusals_are_reported(void **state)
{
	struct ktstr_work_spec specs[] = { spinners(1), spinners(1) };
	const struct ktstr_workload_config config = { .specs = specs, .specs_count = 2 };

	(void)state;
	specs[0].mem_policy = ktstr_mem_bind(UINT64_C(1) << 63); /* no machine here has that node */
	specs[1].numa_node = (struct ktstr_opt_u32)KTSTR_SOME(63);
	start(&config);
	wait_iterations(1);
	stop();
	assert_int_equal(reports[0].mem_policy_errno, EINVAL);
	assert_int_equal(reports[1].affinity_errno, EINVAL);
	assert_int_equal(reports[0].exit, KTSTR_WORKER_COMPLETED);
	assert_true(reports[1].work_units > 0);
}

/* ---- affinities ---- */

static struct ktstr_test_topology *topology(unsigned int llcs, unsigned int cores, unsigned int threads)
{
	const struct ktstr_topology spec = { 1, llcs, cores, threads, NULL, 0, NULL };
	struct ktstr_test_topology *topo;

	assert_null(ktstr_test_topology_from_spec(&spec, 0, &topo));
	return topo;
}

static void affinities_resolve(void **state)
{
	/* LLC 0: 0-3, LLC 1: 4-7; cores 0-1, 2-3, 4-5, 6-7 */
	struct ktstr_test_topology *topo = topology(2, 2, 2);
	const struct {
		struct ktstr_affinity affinity;
		const char *cpuset, *cpus; /* or the part of the refusal */
		enum ktstr_resolved_affinity_kind kind;
		bool refused;
	} cases[] = {
		{ { .kind = KTSTR_AFFINITY_INHERIT }, "", "", KTSTR_RESOLVED_NONE, false },
		{ ktstr_affinity_exact(cpus_of("1-5")), "", "1-5", KTSTR_RESOLVED_FIXED, false },
		{ ktstr_affinity_exact(cpus_of("1-5")), "4-7", "4-5", KTSTR_RESOLVED_FIXED, false },
		{ ktstr_affinity_exact(cpus_of("1")), "4-7", "only the CPUs 4-7", 0, true },
		{ ktstr_affinity_exact(cpus_of("")), "", "is without CPUs", 0, true },
		{ ktstr_affinity_random_subset(cpus_of("0-7"), 2), "4-7", "4-7", KTSTR_RESOLVED_RANDOM, false },
		{ ktstr_affinity_random_subset(cpus_of("0-7"), 0), "", "count of 0", 0, true },
		{ ktstr_affinity_random_subset(cpus_of("0-3"), 1), "4-7", "only the CPUs 4-7", 0, true },
		{ ktstr_affinity_llc_aligned(), "", "0-3", KTSTR_RESOLVED_FIXED, false },
		{ ktstr_affinity_llc_aligned(), "2-6", "4-6", KTSTR_RESOLVED_FIXED, false },
		{ ktstr_affinity_single_cpu(), "5-7", "5", KTSTR_RESOLVED_SINGLE_CPU, false },
		{ ktstr_affinity_cross_cgroup(), "5-7", "0-7", KTSTR_RESOLVED_FIXED, false },
		{ ktstr_affinity_smt_sibling_pair(), "1-7", "2-3", KTSTR_RESOLVED_FIXED, false },
		{ ktstr_affinity_smt_sibling_pair(), "0,2,4,6", "among the CPUs 0,2,4,6", 0, true },
		{ { .kind = KTSTR_AFFINITIES }, "", "is unknown", 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_cpus cpuset = cpus_of(cases[i].cpuset);
		struct ktstr_resolved_affinity resolved;
		_cleanup_error_ struct ktstr_error *error =
			ktstr_affinity_resolve(&cases[i].affinity, topo, &cpuset, &resolved);
		_cleanup_free_ char *found = ktstr_cpus_to_text(&resolved.cpus);

		if (cases[i].refused) {
			assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
			assert_non_null(strstr(ktstr_error_message(error), cases[i].cpus));
			continue;
		}
		assert_null(error);
		assert_int_equal(resolved.kind, cases[i].kind);
		assert_string_equal(found, cases[i].cpus);
	}
	ktstr_test_topology_destroy(topo);
}

static void shapes_need_a_topology(void **state)
{
	struct ktstr_affinity affinity = ktstr_affinity_llc_aligned();
	struct ktstr_resolved_affinity resolved;
	_cleanup_error_ struct ktstr_error *error = ktstr_affinity_resolve(&affinity, NULL, NULL, &resolved);

	(void)state;
	assert_non_null(strstr(ktstr_error_message(error), "llc_aligned needs a topology"));
}

/* Every worker its own subset, the same again with the same seed; the kernel has what was drawn. */
static void random_subsets(void **state)
{
	struct ktstr_work_spec spec = spinners(8);
	struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .seed = 3 };
	struct ktstr_cpus first[8];
	unsigned int differ = 0;

	(void)state;
	spec.affinity = ktstr_affinity_random_subset(ktstr_cpus_range(0, 64), 5);
	for (int round = 0; round < 2; round++) {
		spawn(&config);
		for (size_t i = 0; i < count; i++) {
			const struct ktstr_cpus *drawn = &live->setups[i].affinity;

			assert_int_equal(ktstr_cpus_count(drawn), 5);
			if (round)
				assert_true(ktstr_cpus_equal(drawn, &first[i]));
			else
				first[i] = *drawn;
			differ += i && !ktstr_cpus_equal(drawn, &first[i - 1]);
		}
		ktstr_workload_destroy(live);
		live = NULL;
	}
	assert_true(differ > 8);
}

static void affinity_of_live_workers(void **state)
{
	struct ktstr_work_spec spec = spinners(2);
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	struct ktstr_resolved_affinity single = { .kind = KTSTR_RESOLVED_SINGLE_CPU };
	struct ktstr_cpus own = work_own_affinity(), one = { 0 };
	struct ktstr_error *error;
	const int *pids;

	(void)state;
	ktstr_cpus_add(&one, (unsigned int)ktstr_cpus_next(&own, 0));
	start(&config);
	wait_iterations(1);
	pids = ktstr_workload_pids(live, &count);
	assert_null(ktstr_workload_set_affinity(live, 1, &one));
	{
		_cleanup_free_ char *text = ktstr_cpus_to_text(&one);
		_cleanup_free_ char *all = ktstr_cpus_to_text(&own);

		assert_task_text(pids[1], pids[1], "status", "\nCpus_allowed_list:\t", text);
		assert_task_text(pids[0], pids[0], "status", "\nCpus_allowed_list:\t", all);
		single.cpus = one;
		assert_null(ktstr_workload_apply_affinity(live, &single));
		assert_task_text(pids[0], pids[0], "status", "\nCpus_allowed_list:\t", text);
		assert_null(ktstr_workload_apply_affinity(live, &(struct ktstr_resolved_affinity){ 0 }));
		assert_task_text(pids[0], pids[0], "status", "\nCpus_allowed_list:\t", all);
	}
	error = ktstr_workload_set_affinity(live, 2, &one);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	ktstr_error_free(error);
	error = ktstr_workload_set_affinity(live, 0, &(struct ktstr_cpus){ 0 });
	assert_int_equal(ktstr_error_errno(error), EINVAL);
	ktstr_error_free(error);
	stop();
	error = ktstr_workload_set_affinity(live, 0, &one);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	ktstr_error_free(error);
}

/* ---- memory policies ---- */

static void memory_policies_are_checked(void **state)
{
	struct ktstr_test_topology *topo = topology(1, 1, 1); /* node 0 */
	const struct {
		struct ktstr_mem_policy policy;
		unsigned int flags;
		uint64_t mems;
		const char *refusal; /* NULL = none */
	} cases[] = {
		{ { 0 }, 0, 0, NULL },
		{ ktstr_mem_local(), 0, 1, NULL },
		{ ktstr_mem_bind(1), 0, 1, NULL },
		{ ktstr_mem_weighted_interleave(1), KTSTR_MPOL_NUMA_BALANCING, 1, NULL },
		{ ktstr_mem_bind(0), 0, 0, "bind has no nodes" },
		{ ktstr_mem_preferred_many(0), 0, 0, "preferred_many has no nodes" },
		{ { KTSTR_MEM_PREFERRED, 3 }, 0, 0, "has the nodes 0-1: name one" },
		{ ktstr_mem_bind(4), 0, 0, "do not exist: 2" },
		{ ktstr_mem_bind(4), KTSTR_MPOL_STATIC_NODES, 1, "do not exist: 2" },
		{ ktstr_mem_bind(4), KTSTR_MPOL_RELATIVE_NODES, 1, NULL },
		{ ktstr_mem_bind(1), 0, 2,
		  "names the nodes 0, but the cgroup's cpuset has only 1: choose among those, or widen" },
		{ ktstr_mem_bind(1), KTSTR_MPOL_STATIC_NODES, 2, NULL },
		{ ktstr_mem_bind(1), 1 << 12, 0, "unknown flags 0x1000" },
		{ ktstr_mem_bind(1), KTSTR_MPOL_STATIC_NODES | KTSTR_MPOL_RELATIVE_NODES, 0,
		  "both STATIC and RELATIVE" },
		{ { KTSTR_MEM_POLICIES, 1 }, 0, 0, "is unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_error_ struct ktstr_error *error =
			ktstr_mem_policy_check(&cases[i].policy, cases[i].flags, topo, cases[i].mems);

		if (!cases[i].refusal != !error || (error && !strstr(ktstr_error_message(error), cases[i].refusal)))
			fail_msg("case %zu: \"%s\", expected \"%s\"", i, ktstr_error_message(error),
				 cases[i].refusal ? cases[i].refusal : "");
	}
	ktstr_test_topology_destroy(topo);
}

/* ---- what is refused before a fork ---- */

static void bad_works_are_refused(void **state)
{
	struct ktstr_test_topology *topo = topology(1, 2, 1);
	const struct {
		struct ktstr_work_spec spec, other;
		enum ktstr_clone_mode mode;
		const char *message;
	} cases[] = {
		{ .spec = { .nice = KTSTR_SOME(20) }, .message = "the nice value 20" },
		{ .spec = { .comm = "" }, .message = "the comm \"\" of 0 bytes" },
		{ .spec = { .pcomm = "sixteen-bytes-16" }, .message = "the pcomm \"sixteen-bytes-16\"" },
		{ .spec = { .numa_node = KTSTR_SOME(1) }, .message = "the NUMA node 1, which does not exist" },
		{ .spec = { .sched_policy = ktstr_policy_deadline(5, 4, 3) }, .message = "DEADLINE" },
		{ .spec = { .mem_policy = ktstr_mem_bind(2) }, .message = "do not exist: 1" },
		{ .spec = { .type = KTSTR_WORK(FORK_EXIT), .pcomm = "app" }, .message = "cannot run in threads" },
		{ .spec = { .type = KTSTR_WORK(FORK_EXIT) },
		  .mode = KTSTR_CLONE_THREAD,
		  .message = "cannot run in threads" },
		{ .spec = { .type = KTSTR_WORK(CGROUP_ATTACH_STORM) },
		  .mode = KTSTR_CLONE_THREAD,
		  .message = "cannot run in threads" },
		{ .spec = { .type = KTSTR_WORK(CGROUP_CHURN), .pcomm = "app" }, .message = "cannot run in threads" },
		{ .spec = { .pcomm = "app" }, .mode = KTSTR_CLONE_THREAD, .message = "are threads of the caller" },
		{ .spec = { .pcomm = "app", .uid = KTSTR_SOME(0) },
		  .other = { .pcomm = "app" },
		  .message = "groups 0 and 1 are threads of one process, pcomm app, but differ in uid or gid" },
		{ .spec = { .workers = KTSTR_WORKERS_MAX }, .message = "one has at most" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_work_spec specs[] = { cases[i].spec, cases[i].other };
		const struct ktstr_workload_config config = {
			.specs = specs, .specs_count = 2, .topo = topo, .clone_mode = cases[i].mode
		};
		_cleanup_error_ struct ktstr_error *error = NULL;

		specs[0].workers += 1;
		specs[1].workers += 1;
		error = ktstr_workload_check(&config);
		if (!strstr(ktstr_error_message(error), cases[i].message))
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, ktstr_error_message(error), cases[i].message);
		assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	}
	ktstr_test_topology_destroy(topo);
}

/* ---- threads ---- */

/* Two groups of one pcomm: one process of that name, threads named after the groups, pairs that do find each other. */
static void threads_of_a_process(void **state)
{
	struct ktstr_work_spec specs[] = {
		{ .type = KTSTR_WORK(PIPE_IO, .burst_iters = 64), .workers = 4, .pcomm = "app", .comm = "piper" },
		{ .type = KTSTR_WORK(SPIN_WAIT), .workers = 1, .comm = "alone" },
		{ .type = KTSTR_WORK(FUTEX_PING_PONG), .workers = 2, .pcomm = "app", .nice = KTSTR_SOME(3) },
	};
	const struct ktstr_workload_config config = { .specs = specs, .specs_count = 3, .label = "cg" };
	const int *pids;
	size_t processes;

	(void)state;
	start(&config);
	wait_iterations(3);
	pids = ktstr_workload_pids(live, &processes);
	assert_int_equal(processes, 2);
	assert_task_text(pids[0], pids[0], "comm", "", "app");
	assert_task_text(pids[0], pids[0], "status", "\nThreads:\t", "7");
	assert_task_text(pids[1], pids[1], "status", "\nThreads:\t", "1");
	assert_task_text(pids[0], (int)live->workers[0].tid, "comm", "", "piper");
	assert_task_text(pids[0], (int)live->workers[5].tid, "comm", "", "cg/5");
	assert_int_equal(getpriority(PRIO_PROCESS, live->workers[5].tid), 3);
	assert_int_equal(getpriority(PRIO_PROCESS, live->workers[0].tid), getpriority(PRIO_PROCESS, 0));
	stop();
	assert_int_equal(count, 7);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(reports[i].exit, KTSTR_WORKER_COMPLETED);
		assert_int_equal(reports[i].index, i);
		assert_int_equal(reports[i].group_idx, i < 4 ? 0 : i < 5 ? 1 : 2);
		assert_true(reports[i].tid != pids[0]);
		assert_true(reports[i].work_units > 0);
	}
	assert_int_equal(kill(pids[0], 0), -1);
}

static size_t own_threads(void)
{
	_cleanup_free_ char *text = task_text(getpid(), getpid(), "status", "\nThreads:\t");

	return strtoul(text, NULL, 10);
}

static size_t own_fds(void)
{
	size_t found = 0;

	for (int fd = 0; fd < 256; fd++)
		found += fcntl(fd, F_GETFD) >= 0;
	return found;
}

static void threads_of_the_caller(void **state)
{
	struct ktstr_work_spec specs[] = {
		{ .type = KTSTR_WORK(PIPE_IO, .burst_iters = 64), .workers = 2 },
		{ .type = KTSTR_WORK(SIGNAL_STORM), .workers = 2 },
		{ .type = KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 4), .workers = 1 },
	};
	const struct ktstr_workload_config config = { .specs = specs,
						      .specs_count = 2,
						      .clone_mode = KTSTR_CLONE_THREAD };
	size_t threads = own_threads(), fds = own_fds(), processes;

	(void)state;
	start(&config);
	ktstr_workload_pids(live, &processes);
	assert_int_equal(processes, 0);
	assert_int_equal(own_threads(), threads + 4);
	wait_iterations(3);
	stop();
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(reports[i].exit, KTSTR_WORKER_COMPLETED);
		assert_true(reports[i].work_units > 0);
		assert_true(reports[i].cpu_time_ns > 0);
	}
	ktstr_workload_destroy(live);
	live = NULL;
	assert_int_equal(own_threads(), threads);
	assert_int_equal(own_fds(), fds);
	spawn(&config); /* and when nobody lets them go */
	ktstr_workload_destroy(live);
	live = NULL;
	assert_int_equal(own_threads(), threads);
}

/* ---- phases ---- */

static void slices_of_phases(void **state)
{
	struct ktstr_work_spec spec = {
		.type = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(1), .sleep = KTSTR_MS(2)),
		.workers = 2,
	};
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	uint64_t iterations[2] = { 0 }, wakes[2] = { 0 };

	(void)state;
	start(&config);
	wait_iterations(5);
	for (uint32_t epoch = 1; epoch <= 3; epoch++) {
		ktstr_workload_set_phase(live, epoch);
		wait_iterations(20);
		ktstr_workload_set_phase(live, UINT32_MAX);
		wait_iterations(5);
	}
	stop();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(reports[i].phase_slices_count, 3);
		for (uint32_t k = 0; k < 3; k++) {
			const struct ktstr_phase_slice *slice = &reports[i].phase_slices[k];

			assert_int_equal(slice->phase_epoch, k + 1);
			assert_true(slice->iterations >= 15);
			assert_in_range(slice->wake_latencies.total_samples, slice->iterations - 1,
					slice->iterations + 1);
			assert_int_equal(slice->wake_latencies.count, slice->wake_latencies.total_samples);
			assert_true(slice->wake_latencies.values_ns[0] >= KTSTR_MS(2));
			assert_true(slice->cpu_time_ns > 0 && slice->wall_time_ns > slice->cpu_time_ns);
			assert_int_equal(slice->off_cpu_ns, slice->wall_time_ns - slice->cpu_time_ns);
			assert_true(ktstr_cpus_count(&slice->cpus_used) > 0);
			assert_true(ktstr_cpus_subset(&slice->cpus_used, &reports[i].cpus_used));
			assert_true(slice->max_gap_ns <= reports[i].max_gap_ns);
			iterations[i] += slice->iterations;
			wakes[i] += slice->wake_latencies.total_samples;
		}
		/* What was between the phases belongs to none. */
		assert_true(iterations[i] + 15 <= reports[i].iterations);
		assert_true(wakes[i] < reports[i].wake_latencies.total_samples);
	}
}

/* A benchmark's slices: what its phase added, of all its threads. */
static void slices_of_a_benchmark(void **state)
{
	struct ktstr_work_spec spec = {
		.type = KTSTR_WORK(SCHBENCH, .worker_threads = 2, .cache_footprint_kib = 4, .sleep_usec = 500),
		.workers = 1,
	};
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	uint64_t loops = 0;

	(void)state;
	start(&config);
	for (uint32_t epoch = 1; epoch <= 2; epoch++) {
		ktstr_workload_set_phase(live, epoch);
		ktstr_sleep_ns(KTSTR_MS(300));
	}
	stop();
	assert_int_equal(reports[0].phase_slices_count, 2);
	for (size_t k = 0; k < 2; k++) {
		const struct ktstr_phase_slice *slice = &reports[0].phase_slices[k];

		assert_non_null(slice->schbench);
		assert_true(slice->schbench->loop_count > 0);
		/* Counted by running threads, read one after the other. */
		assert_in_range(slice->schbench->request_us.samples, slice->schbench->loop_count * 3 / 4,
				slice->schbench->loop_count * 5 / 4 + 2);
		assert_true(ktstr_histogram_percentile(&slice->schbench->request_us, 0).value >= 500);
		assert_true(slice->schbench->worker.pcount > 0);
		assert_true(slice->cpu_time_ns > 0);
		loops += slice->schbench->loop_count;
	}
	assert_in_range(loops, reports[0].schbench->loop_count * 3 / 4, reports[0].schbench->loop_count);
}

/* ---- accounting ---- */

/* How far two figures of one wall time are apart, in ns. */
static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Whether all three agree with the scheduler's own figures within 1 % of the wall time. */
static bool adds_up(const struct ktstr_worker_report *report)
{
	uint64_t scheduler = report->schedstat_cpu_time_ns + report->schedstat_run_delay_ns;
	uint64_t one_pct = report->wall_time_ns / 100;

	return difference(scheduler, report->wall_time_ns) <= one_pct &&
	       difference(report->off_cpu_ns, report->schedstat_run_delay_ns) <= one_pct;
}

/*
 * Three on one CPU that never sleep: what they did not run, they waited on its runqueue. The scheduler's own figure for
 * that (schedstat) and ours, wall time less CPU time, agree; but it does not count what the machine below a virtual host
 * takes for others, so a busy moment is tried again.
 */
static void off_cpu_adds_up(void **state)
{
	struct ktstr_work_spec spec = spinners(3);
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	struct ktstr_cpus own = work_own_affinity(), one = { 0 };
	bool all = false;

	(void)state;
	ktstr_cpus_add(&one, (unsigned int)ktstr_cpus_next(&own, 0));
	spec.affinity = ktstr_affinity_exact(one);
	for (int try = 0; try < 8 && !all; try++) {
		start(&config);
		ktstr_sleep_ns(KTSTR_SEC(1));
		stop();
		if (!reports[0].schedstat_available) {
			print_message("skipped: no schedstat\n");
			skip();
		}
		all = true;
		for (size_t i = 0; i < count; i++) {
			const struct ktstr_worker_report *report = &reports[i];

			assert_true(report->off_cpu_ns > report->wall_time_ns / 4);
			assert_int_equal(report->cpu_time_ns + report->off_cpu_ns, report->wall_time_ns);
			all &= adds_up(report);
		}
		ktstr_workload_destroy(live);
		live = NULL;
	}
	assert_true(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		worker_test(attributes_are_the_kernels),
		worker_test(privileged_before_the_owner),
		worker_test(refusals_are_reported),
		worker_test(affinities_resolve),
		worker_test(shapes_need_a_topology),
		worker_test(random_subsets),
		worker_test(affinity_of_live_workers),
		worker_test(memory_policies_are_checked),
		worker_test(bad_works_are_refused),
		worker_test(threads_of_a_process),
		worker_test(threads_of_the_caller),
		worker_test(slices_of_phases),
		worker_test(slices_of_a_benchmark),
		worker_test(off_cpu_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
