// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each threshold twice in one body: over a workload that keeps it (cgroup "good_...") and over one that breaks it
 * ("bad_..."). Both tests fail; vm/thresholds.bats looks at what held and what did not. The older thresholds have tests of
 * their own in checks_fail.c and good.c.
 */
#include <ktstr.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void judged(struct ktstr_ctx *ctx, struct ktstr_assert assert, struct ktstr_cgroup_def def, uint64_t hold)
{
	const struct ktstr_step step = ktstr_step_with_defs(&def, 1, ktstr_hold_fixed(hold));

	ktstr_execute_steps_with(ctx, &step, 1, &assert);
}

#define CHECKS(...) ((struct ktstr_assert){ __VA_ARGS__ })
#define CGROUP(...) ((struct ktstr_cgroup_def){ __VA_ARGS__ })
#define BURSTS	    KTSTR_WORK(BURSTY, .burst = KTSTR_MS(2), .sleep = KTSTR_MS(2))

/* Units of work for whose price a worker cannot help: every second one pays tenfold, as on a CPU that is ten times slower. */
static void uneven(const struct ktstr_worker_ctx *ctx)
{
	unsigned long rounds = getpid() & 1 ? 200000 : 20000;
	uint64_t units = 0;

	while (!ktstr_worker_should_stop(ctx)) {
		for (volatile unsigned long i = 0; i < rounds; i++)
			;
		ktstr_worker_progress(ctx, ++units);
	}
}

KTSTR_TEST(cpu_thresholds, .topology = { .cores_per_llc = 2 })
{
	const struct ktstr_assert cv = CHECKS(.max_throughput_cv = KTSTR_SOME(0.5));
	const struct ktstr_assert still = CHECKS(.max_migration_ratio = KTSTR_SOME(0));

	judged(ctx, cv, CGROUP(.name = "good_throughput_cv", .workers = 2), KTSTR_MS(500));
	judged(ctx, cv, CGROUP(.name = "bad_throughput_cv", .workers = 2,
			       .work = KTSTR_WORK(CUSTOM, .name = "uneven", .fn = uneven)),
	       KTSTR_MS(500));
	judged(ctx, CHECKS(.max_wake_latency_cv = KTSTR_SOME(1000)),
	       CGROUP(.name = "good_wake_cv", .workers = 2, .work = BURSTS), KTSTR_MS(500));
	judged(ctx, CHECKS(.max_wake_latency_cv = KTSTR_SOME(0.001)),
	       CGROUP(.name = "bad_wake_cv", .workers = 2, .work = BURSTS), KTSTR_MS(500));
	judged(ctx, CHECKS(.min_iteration_rate = KTSTR_SOME(0.5)), CGROUP(.name = "good_iteration_rate", .workers = 2),
	       KTSTR_MS(500));
	judged(ctx, CHECKS(.min_iteration_rate = KTSTR_SOME(1e12)), CGROUP(.name = "bad_iteration_rate", .workers = 2),
	       KTSTR_MS(500));
	judged(ctx, still, CGROUP(.name = "good_migrations", .workers = 2, .affinity = ktstr_affinity_single_cpu()),
	       KTSTR_MS(500));
	judged(ctx, still, CGROUP(.name = "bad_migrations", .workers = 2, .work = KTSTR_WORK(AFFINITY_CHURN)),
	       KTSTR_MS(500));
}

/* Two nodes with CPUs (0; 1 and 2), one with memory alone. */
static const struct ktstr_numa_node three_nodes[] = {
	{ .llcs = 1, .memory_mib = 512 },
	{ .llcs = 2, .memory_mib = 512 },
	{ .llcs = 0, .memory_mib = 256 },
};

/* Workers of node 0 whose working set is where the policy says; only its pages are counted. */
static struct ktstr_cgroup_def sweep(const char *name, unsigned int node)
{
	return CGROUP(.name = name, .workers = 1, .affinity = ktstr_affinity_exact(ktstr_cpus_range(0, 1)),
		      .mem_policy = ktstr_mem_bind(UINT64_C(1) << node), .work = KTSTR_WORK(NUMA_WORKING_SET_SWEEP));
}

/*
 * Memory that was first touched on node 0 and is used on node 1 from then on: NUMA balancing moves it, once it scanned the
 * address space (after a second of CPU time, kernel/sched/fair.c).
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

static void balance_numa(struct ktstr_ctx *ctx)
{
	FILE *file = fopen("/proc/sys/kernel/numa_balancing", "we");

	if (!file || fputs("1", file) < 0 || fclose(file))
		ktstr_fail(ctx, "cannot turn NUMA balancing on");
}

KTSTR_TEST(memory_thresholds, .topology = { .numa_nodes = 3, .llcs = 3, .cores_per_llc = 1, .nodes = three_nodes,
					    .nodes_count = 3 })
{
	const struct ktstr_assert local = CHECKS(.min_page_locality = KTSTR_SOME(0.9));
	const struct ktstr_assert fast = CHECKS(.max_slow_tier_ratio = KTSTR_SOME(0.1));

	judged(ctx, local, sweep("good_locality", 0), KTSTR_MS(500));
	judged(ctx, local, sweep("bad_locality", 1), KTSTR_MS(500));
	judged(ctx, fast, sweep("good_tier", 0), KTSTR_MS(500));
	judged(ctx, fast, sweep("bad_tier", 2), KTSTR_MS(500));
	/* Bound memory is not moved. */
	balance_numa(ctx);
	judged(ctx, CHECKS(.max_cross_node_migration_ratio = KTSTR_SOME(0)), sweep("good_cross_node", 0), KTSTR_MS(500));
	judged(ctx, CHECKS(.max_cross_node_migration_ratio = KTSTR_SOME(0)),
	       CGROUP(.name = "bad_cross_node", .workers = 1, .work = KTSTR_WORK(CUSTOM, .name = "stray", .fn = stray)),
	       KTSTR_SEC(6));
}

/* A scheduler that lets one cgroup pay 1/64 of its time: the others get hardly any. */
KTSTR_SCHEDULER(unfair, .binary = "scx_ktstr", .args = KTSTR_ARGS("--unfair", "favoured"));

KTSTR_TEST(unfair_scheduler, .topology = { .cores_per_llc = 2 }, .scheduler = &unfair, .duration = KTSTR_SEC(2))
{
	const struct ktstr_cgroup_stats *favoured, *others;

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

/* What the host sees of the runqueues. */
KTSTR_SCHEDULER(plain, .binary = "scx_ktstr");

#define MONITOR(...)                                                                               \
	{                                                                                          \
		.enforce_monitor_thresholds = KTSTR_ON, .max_local_dsq_depth = KTSTR_SOME(1000),   \
		.fail_on_rq_clock_stuck = KTSTR_OFF, .max_fallback_rate = KTSTR_SOME(1e6), __VA_ARGS__ \
	}

KTSTR_TEST(monitor_holds, .topology = { .cores_per_llc = 2 }, .scheduler = &plain, .duration = KTSTR_SEC(2),
	   .checks = MONITOR(.max_imbalance_ratio = KTSTR_SOME(1000), .max_keep_last_rate = KTSTR_SOME(1e6)))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "spread", .workers = 2 }));
}

/* Eight tasks that may only use CPU 0 beside an idle CPU 1. */
KTSTR_TEST(monitor_sees_imbalance, .topology = { .cores_per_llc = 2 }, .duration = KTSTR_SEC(2),
	   .checks = MONITOR(.max_imbalance_ratio = KTSTR_SOME(3), .sustained_samples = KTSTR_SOME(3)))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "crowded", .workers = 8, .affinity = ktstr_affinity_single_cpu() }));
}
