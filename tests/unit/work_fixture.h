/* SPDX-License-Identifier: GPL-2.0-only */
/* Running one workload of a test, and the CPUs it may use. */
#ifndef KTSTR_TESTS_WORK_FIXTURE_H
#define KTSTR_TESTS_WORK_FIXTURE_H

#include <sched.h>

#include "base/clock.h"
#include "base/str.h"
#include "work/workload.h"
#include "unit.h"

/* The CPUs this test may use. */
static inline struct ktstr_cpus own_cpus(void)
{
	struct ktstr_cpus cpus = { 0 };
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			ktstr_cpus_add(&cpus, cpu);
	return cpus;
}

static inline struct ktstr_affinity first_cpu(void)
{
	struct ktstr_cpus all = own_cpus();

	return ktstr_affinity_exact(ktstr_cpus_range((unsigned int)ktstr_cpus_next(&all, 0), 1));
}

struct run {
	struct ktstr_workload_handle *handle;
	const int *pids;
	const struct ktstr_worker_report *reports;
	size_t count;
};

/* Of the running test, for the teardown: a test that fails leaves no worker to the next one. */
static struct ktstr_workload_handle *live;

static inline void spawn(struct run *run, const struct ktstr_workload_config *config)
{
	assert_ok(ktstr_workload_spawn(config, &live));
	run->handle = live;
	run->pids = ktstr_workload_pids(run->handle, &run->count);
}

static inline void end(struct run *run)
{
	ktstr_workload_destroy(run->handle);
	live = NULL;
}

static inline int tear_down(void **state)
{
	(void)state;
	ktstr_workload_destroy(live);
	live = NULL;
	return 0;
}

static inline void begin_specs(struct run *run, const struct ktstr_work_spec *specs, size_t count)
{
	struct ktstr_workload_config config = { .specs = specs,
						.specs_count = count,
						.label = "t" };

	spawn(run, &config);
	assert_ok(ktstr_workload_start(run->handle));
}

static inline void begin(struct run *run, struct ktstr_work_type type, unsigned int workers,
		  struct ktstr_affinity affinity)
{
	struct ktstr_work_spec spec = { .type = type, .workers = workers, .affinity = affinity };

	begin_specs(run, &spec, 1);
}

/* Until every worker has made that many iterations; a test that hangs here says so. */
static inline void wait_iterations(const struct run *run, uint64_t wanted)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(20);
	uint64_t counters[16];

	assert_true(run->count <= 16);
	for (size_t i = 0; i < run->count; i++) {
		do {
			assert_true(ktstr_now_ns() < deadline);
			ktstr_sleep_ns(KTSTR_MS(2));
			ktstr_workload_snapshot_iterations(run->handle, counters);
		} while (counters[i] < wanted);
	}
}

static inline void stop(struct run *run)
{
	run->reports = ktstr_workload_stop_and_collect(run->handle, &run->count);
}

static inline void assert_all_completed(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		assert_int_equal(run->reports[i].exit, KTSTR_WORKER_COMPLETED);
		assert_int_equal(run->reports[i].tid, run->pids[i]);
		assert_int_equal(run->reports[i].index, i);
		assert_true(run->reports[i].work_units > 0);
		assert_true(run->reports[i].iterations > 0);
		assert_true(run->reports[i].cpu_time_ns > 0);
		assert_true(run->reports[i].wall_time_ns >= run->reports[i].max_gap_ns);
		assert_true(ktstr_cpus_count(&run->reports[i].cpus_used) > 0);
	}
}

#define work_test(test) cmocka_unit_test_teardown(test, tear_down)

#endif
