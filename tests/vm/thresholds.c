// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each threshold twice: over a workload that keeps it (cgroup "good_...") and over one that breaks it ("bad_..."), or under
 * a scheduler that does. vm/thresholds.bats looks at what held and what did not. The first thresholds have tests of their
 * own in checks_fail.c and good.c.
 */
#include <ktstr.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

static void judged(struct ktstr_ctx *ctx, struct ktstr_assert assert, const struct ktstr_cgroup_def *defs, size_t count,
		   uint64_t hold)
{
	const struct ktstr_step step = ktstr_step_with_defs(defs, count, ktstr_hold_fixed(hold));

	ktstr_execute_steps_with(ctx, &step, 1, &assert);
}

/* The same until a function comes back, which is called as the setup of a step beside them. */
static void judged_until(struct ktstr_ctx *ctx, struct ktstr_assert assert, const struct ktstr_cgroup_def *defs,
			 size_t count, ktstr_setup_fn done)
{
	const struct ktstr_backdrop backdrop = { .setup = { .defs = defs, .defs_count = count } };
	const struct ktstr_step step = { .setup = { .factory = done }, .hold = ktstr_hold_fixed(0) };

	ktstr_execute_scenario_with(ctx, &backdrop, &step, 1, &assert);
}

#define CHECKS(...) ((struct ktstr_assert){ __VA_ARGS__ })
#define BURSTS	    KTSTR_WORK(BURSTY, .burst = KTSTR_MS(2), .sleep = KTSTR_MS(2))

/*
 * Units of work for whose price a worker cannot help: for one of the two they cost a thousand times as much, as on a CPU
 * that is slow.
 */
static _Atomic unsigned int *turns; /* shared with the workers */

static void uneven(const struct ktstr_worker_ctx *ctx)
{
	unsigned long rounds = (*turns)++ ? 20 : 20000;
	uint64_t units = 0;

	while (!ktstr_worker_should_stop(ctx)) {
		for (volatile unsigned long i = 0; i < rounds; i++)
			;
		ktstr_worker_progress(ctx, ++units);
	}
}

/* Iterates once. */
static void lazy(const struct ktstr_worker_ctx *ctx)
{
	ktstr_worker_progress(ctx, 1);
	ktstr_worker_sleep_until(ctx, UINT64_MAX);
}

KTSTR_TEST(cpu_thresholds, .topology = { .cores_per_llc = 2 })
{
	turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turns == MAP_FAILED) {
		ktstr_fail(ctx, "no shared memory");
		return;
	}
	judged(ctx, CHECKS(.max_throughput_cv = KTSTR_SOME(0.9)),
	       KTSTR_CGROUPS({ .name = "good_throughput_cv", .workers = 2 },
			     { .name = "bad_throughput_cv", .workers = 2,
			       .work = KTSTR_WORK(CUSTOM, .name = "uneven", .fn = uneven) }),
	       KTSTR_MS(500));
	judged(ctx, CHECKS(.max_wake_latency_cv = KTSTR_SOME(1000)),
	       KTSTR_CGROUPS({ .name = "good_wake_cv", .workers = 2, .work = BURSTS }), KTSTR_MS(300));
	judged(ctx, CHECKS(.max_wake_latency_cv = KTSTR_SOME(0.001)),
	       KTSTR_CGROUPS({ .name = "bad_wake_cv", .workers = 2, .work = BURSTS }), KTSTR_MS(300));
	judged(ctx, CHECKS(.min_iteration_rate = KTSTR_SOME(5)),
	       KTSTR_CGROUPS({ .name = "good_iteration_rate", .workers = 2 },
			     { .name = "bad_iteration_rate", .workers = 2,
			       .work = KTSTR_WORK(CUSTOM, .name = "lazy", .fn = lazy) }),
	       KTSTR_MS(500));
	judged(ctx, CHECKS(.max_migration_ratio = KTSTR_SOME(0)),
	       KTSTR_CGROUPS({ .name = "good_migrations", .workers = 2, .affinity = ktstr_affinity_single_cpu() },
			     { .name = "bad_migrations", .workers = 2, .work = KTSTR_WORK(AFFINITY_CHURN) }),
	       KTSTR_MS(300));
	munmap(turns, sizeof(*turns));
}

/* Changes its CPU, sleeps for a millisecond, and tells how late it woke and what all of it took. */
static void restless(const struct ktstr_worker_ctx *ctx)
{
	unsigned int cpu = 0;

	while (!ktstr_worker_should_stop(ctx)) {
		uint64_t began = ktstr_worker_sleep_until(ctx, 0), alarm = began + KTSTR_MS(1), woke; /* 0 is past */
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		cpu ^= 1;
		woke = ktstr_worker_sleep_until(ctx, alarm);
		ktstr_worker_record_wake(ctx, woke > alarm ? woke - alarm : 0);
		ktstr_worker_record_cost(ctx, woke - began);
		ktstr_worker_progress(ctx, 1);
	}
}

/* The same reports twice: by limits that anybody keeps, and by ones that these workers cannot. */
KTSTR_TEST(absolute_thresholds, .topology = { .cores_per_llc = 2 })
{
	const struct ktstr_absolute_thresholds wide = { KTSTR_SOME(KTSTR_SEC(60)), KTSTR_SOME(KTSTR_SEC(60)),
							KTSTR_SOME(1000000), KTSTR_SOME(1) };
	const struct ktstr_absolute_thresholds narrow = { KTSTR_SOME(1), KTSTR_SOME(KTSTR_MS(1) / 2), KTSTR_SOME(0),
							  KTSTR_SOME(1000000) };
	const struct ktstr_work_spec spec = { .type = KTSTR_WORK(CUSTOM, .name = "restless", .fn = restless),
					      .workers = 2 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .topo = ctx->topo };
	const struct ktstr_worker_report *reports;
	struct ktstr_workload_handle *handle;
	size_t count;

	if (ktstr_fail_error(ctx, ktstr_workload_spawn(&config, &handle)))
		return;
	if (!ktstr_fail_error(ctx, ktstr_workload_start(handle))) {
		usleep(300000);
		reports = ktstr_workload_stop_and_collect(handle, &count);
		ktstr_assert_thresholds(&wide, reports, count, &ctx->result);
		ktstr_assert_thresholds(&narrow, reports, count, &ctx->result);
	}
	ktstr_workload_destroy(handle);
}

/* Two nodes with CPUs (0; 1 and 2), one with memory alone. */
static const struct ktstr_numa_node three_nodes[] = {
	{ .llcs = 1, .memory_mib = 512 },
	{ .llcs = 2, .memory_mib = 512 },
	{ .llcs = 0, .memory_mib = 256 },
};

/* Workers of node 0 whose working set is where the policy says; only its pages are counted. */
#define SWEEP(NAME, NODE)                                                                                     \
	{ .name = (NAME), .workers = 1, .affinity = ktstr_affinity_exact(ktstr_cpus_range(0, 1)),             \
	  .mem_policy = ktstr_mem_bind(UINT64_C(1) << (NODE)), .work = KTSTR_WORK(NUMA_WORKING_SET_SWEEP) }

/*
 * Memory that was first touched on node 0 and is used on node 1 from then on: NUMA balancing moves it, once it scanned the
 * address space.
 */
static void stray(const struct ktstr_worker_ctx *ctx)
{
	const size_t bytes = 4 << 20;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu_set_t cpu;
	uint64_t units = 0;

	if (memory == MAP_FAILED)
		return;
	for (unsigned int node = 0; node < 2; node++) {
		CPU_ZERO(&cpu);
		CPU_SET(node, &cpu);
		sched_setaffinity(0, sizeof(cpu), &cpu);
		memset(memory, 1, bytes);
	}
	while (!ktstr_worker_should_stop(ctx)) {
		for (size_t i = 0; i < bytes; i += 4096)
			memory[i]++;
		ktstr_worker_progress(ctx, ++units);
	}
	munmap(memory, bytes);
}

static void set(struct ktstr_ctx *ctx, const char *path, const char *value)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(value, file) < 0 || fclose(file))
		ktstr_fail(ctx, "cannot write %s to %s", value, path);
}

/* On, and scanning from a tenth of a second of CPU time on rather than after one (kernel/sched/fair.c). */
static void balance_numa(struct ktstr_ctx *ctx)
{
	set(ctx, "/proc/sys/kernel/numa_balancing", "1");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL); /* or it is there already */
	set(ctx, "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", "100");
	set(ctx, "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", "100");
}

static unsigned long long pages_moved(void)
{
	FILE *file = fopen("/proc/vmstat", "re");
	unsigned long long pages = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "numa_pages_migrated %llu", &pages);
	if (file)
		fclose(file);
	return pages;
}

/* For a minute at most: the kernel scans when the worker has had its CPU time. */
static void until_pages_move(const struct ktstr_ctx *ctx, struct ktstr_cgroup_defs *defs)
{
	unsigned long long before = pages_moved();

	(void)ctx;
	(void)defs;
	for (int i = 0; i < 1200 && pages_moved() == before; i++)
		usleep(50000);
}

KTSTR_TEST(memory_thresholds, .duration = KTSTR_SEC(120), .topology = { .numa_nodes = 3, .llcs = 3, .cores_per_llc = 1, .nodes = three_nodes,
					    .nodes_count = 3 })
{
	const struct ktstr_assert still = CHECKS(.max_cross_node_migration_ratio = KTSTR_SOME(0));

	judged(ctx, CHECKS(.min_page_locality = KTSTR_SOME(0.9)),
	       KTSTR_CGROUPS(SWEEP("good_locality", 0), SWEEP("bad_locality", 1)), KTSTR_MS(500));
	judged(ctx, CHECKS(.max_slow_tier_ratio = KTSTR_SOME(0.1)),
	       KTSTR_CGROUPS(SWEEP("good_tier", 0), SWEEP("bad_tier", 2)), KTSTR_MS(500));
	/* Bound memory is not moved. The kernel counts moved pages of the whole system: one after the other. */
	balance_numa(ctx);
	judged(ctx, still, KTSTR_CGROUPS(SWEEP("good_cross_node", 0)), KTSTR_MS(500));
	judged_until(ctx, still,
		     KTSTR_CGROUPS({ .name = "bad_cross_node", .workers = 1,
				     .work = KTSTR_WORK(CUSTOM, .name = "stray", .fn = stray) }),
		     until_pages_move);
}

/* Attaches a scheduler in the run: of one that serves one test a template would not pay. */
static void attach(struct ktstr_ctx *ctx, const struct ktstr_scheduler *scheduler)
{
	ktstr_fail_error(ctx, ktstr_live_attach(ctx, scheduler));
}

/* A scheduler that lets one cgroup pay 1/64 of its time: the others get hardly any. */
KTSTR_SCHEDULER(unfair, .binary = "scx_ktstr", .args = KTSTR_ARGS("--unfair", "favoured"));

KTSTR_TEST(unfair_scheduler, .topology = { .cores_per_llc = 2 }, .staged_schedulers = KTSTR_SCHEDULERS(&unfair),
	   .duration = KTSTR_SEC(1))
{
	const struct ktstr_cgroup_stats *favoured, *others;

	attach(ctx, &unfair);
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "favoured", .workers = 2 }, { .name = "others", .workers = 2 }));
	favoured = ktstr_stats_cgroup(ktstr_stats(ctx), "favoured");
	others = ktstr_stats_cgroup(ktstr_stats(ctx), "others");
	if (!favoured || !others)
		return;
	ktstr_assert_note_value(&ctx->result, "favoured_iterations", KTSTR_VALUE(favoured->total_iterations));
	KTSTR_CLAIM(ctx, favoured->total_iterations, gt, 0);
	KTSTR_CLAIM_SET(ctx, favoured->cpus_used, subset_of, ktstr_cpus_range(0, 2));
	KTSTR_CLAIM_BETTER_BY(ctx, KTSTR_METRIC_WORST_ITERATIONS_PER_WORKER,
			      ktstr_cgroup_stats_iterations_per_worker(others),
			      ktstr_cgroup_stats_iterations_per_worker(favoured), 0.0, .kind = KTSTR_DETAIL_UNFAIR,
			      .because = "equal cgroups");
}

/* What the host sees of the runqueues: schedulers that break a monitor threshold. In good.c all of them hold. */
KTSTR_SCHEDULER(misselects, .binary = "scx_ktstr", .args = KTSTR_ARGS("--wrong-cpu", "--keep-last"));
KTSTR_SCHEDULER(crowds, .binary = "scx_ktstr",
		.args = KTSTR_ARGS("--crowd", "--hang-after-ms=1", "--since=hung", "--watchdog-ms=20000"));

#define ENFORCED(SAMPLES, ...) \
	{ .enforce_monitor_thresholds = KTSTR_ON, .sustained_samples = KTSTR_SOME(SAMPLES), __VA_ARGS__ }

/* On the host, from the same samples. */
static void expect_no_fallback(struct ktstr_vm_result *vm)
{
	const struct ktstr_opt_i64 fallbacks = vm->monitor.events.total.select_cpu_fallback;
	const struct ktstr_event_count counts[] = { { "select_cpu_fallback", fallbacks.value },
						    { "dispatch_local_dsq_offline",
						      vm->monitor.events.total.dispatch_local_dsq_offline.value } };

	KTSTR_CLAIM_PRESENT(vm, fallbacks, at_least, 0);
	ktstr_assert_scx_events_clean(&vm->result, counts, 2, (struct ktstr_opt_u64)KTSTR_NONE);
}

/* A byte through a pipe needs ops.select_cpu, one that yields all the time needs ops.dispatch. */
KTSTR_TEST(misselection, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1),
	   .checks = ENFORCED(2, .max_fallback_rate = KTSTR_SOME(20)), .staged_schedulers = KTSTR_SCHEDULERS(&misselects),
	   .post_vm_unconditional = expect_no_fallback)
{
	attach(ctx, &misselects);
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "pipes", .workers = 2, .cpuset = ktstr_cpuset_llc(1),
					       .work = KTSTR_WORK(PIPE_IO) },
					     { .name = "alone", .workers = 1, .cpuset = ktstr_cpuset_llc(0),
					       .work = KTSTR_WORK(YIELD_HEAVY) }));
}

/*
 * Eight tasks in the local DSQ of CPU 0 beside an idle CPU 1; then CPU 0 hangs. One sample is enough: between two of them a
 * busy host may not let the vCPU run long enough to blame it.
 */
KTSTR_TEST(crowding, .topology = { .cores_per_llc = 2 }, .duration = KTSTR_SEC(1),
	   .checks = ENFORCED(1, .max_imbalance_ratio = KTSTR_SOME(3), .max_local_dsq_depth = KTSTR_SOME(3)),
	   .staged_schedulers = KTSTR_SCHEDULERS(&crowds))
{
	attach(ctx, &crowds);
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "crowded", .workers = 8 }));
	judged(ctx, CHECKS(), KTSTR_CGROUPS({ .name = "hung", .workers = 1 }), KTSTR_MS(100));
}
