/* SPDX-License-Identifier: GPL-2.0-only */
/* Results as a runner would fill them, for the tests of records, reports and printers. */
#ifndef KTSTR_TESTS_RESULT_FIXTURE_H
#define KTSTR_TESTS_RESULT_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "result/result.h"

/* A pass of "steady" under scx_simple. */
static inline struct ktstr_test_result fixture_pass(void)
{
	struct ktstr_test_result result = {
		.test_name = ktstr_xstrdup("steady"),
		.full_name = ktstr_xstrdup("ktstr/steady"),
		.topology = ktstr_xstrdup("1n2l2c1t"),
		.scheduler = ktstr_xstrdup("scx_simple"),
		.work_type = ktstr_xstrdup("SpinWait"),
		.kernel_version = ktstr_xstrdup("7.3"),
		.kernel_release = ktstr_xstrdup("7.3.0-amd64"),
		.kernel_commit = ktstr_xstrdup("0123abc-dirty"),
		.accel = ktstr_xstrdup("tcg"),
		.accel_reason = ktstr_xstrdup("no KVM"),
		.qemu_version = ktstr_xstrdup("7.2.0"),
		.vcpus = 4,
		.cpu_budget = 3,
		.memory_mib = 1024,
		.guest_result_received = true,
		.final_phase = KTSTR_PHASE_DONE,
		.guest_exit_code = 0,
		.started_unix_seconds = 1795383696,
		.duration_ns = 5200000000,
		.stages = { { "boot", 1000000 }, { "run", 5000000000 } },
		.stages_count = 2,
	};

	ktstr_strv_add(&result.scheduler_args, "-v");
	ktstr_strv_add(&result.reproduce, "ktstr");
	ktstr_strv_add(&result.reproduce, "test");
	ktstr_strv_add(&result.reproduce, "-E");
	ktstr_strv_add(&result.reproduce, "test(=ktstr/steady)");
	return result;
}

static inline void fixture_set(char **text, const char *value)
{
	free(*text);
	*text = value ? ktstr_xstrdup(value) : NULL;
}

static inline void fixture_add_cgroup(struct ktstr_test_result *result, const char *name,
				      struct ktstr_cgroup_stats cgroup)
{
	struct ktstr_scenario_stats *stats = &result->verdict.stats;

	cgroup.cgroup_name = ktstr_xstrdup(name);
	stats->cgroups = ktstr_xrealloc(stats->cgroups,
					(stats->cgroups_count + 1) * sizeof(*stats->cgroups));
	stats->cgroups[stats->cgroups_count++] = cgroup;
}

/* Two violations, with statistics. */
static inline struct ktstr_test_result fixture_fail(void)
{
	struct ktstr_test_result result = fixture_pass();

	result.cause = ktstr_xstrdup("cgroup spin: off-CPU spread 41.0% (12.0-53.0%), limit 15.0%");
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_UNFAIR,
			    "cgroup spin: off-CPU spread 41.0%% (12.0-53.0%%), limit 15.0%%");
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_STUCK,
			    "cgroup burst: tid 71 stuck 3204 ms on cpu1 at +812 ms, limit 2000 ms");
	result.verdict.stats.total_workers = 4;
	result.verdict.stats.total_cpus = 4;
	result.verdict.stats.total_migrations = 17;
	result.verdict.stats.total_iterations = 90000;
	result.verdict.stats.worst_spread = 41;
	result.verdict.stats.worst_gap_ms = 3204;
	result.verdict.stats.worst_gap_cpu = 1;
	fixture_add_cgroup(&result, "spin",
			   (struct ktstr_cgroup_stats){ .num_workers = 3,
							.num_cpus = 4,
							.spread = KTSTR_SOME(41.0),
							.max_gap_ms = 120,
							.max_gap_cpu = 0,
							.total_migrations = 12,
							.total_iterations = 60000 });
	fixture_add_cgroup(&result, "burst",
			   (struct ktstr_cgroup_stats){ .num_workers = 1,
							.num_cpus = 1,
							.max_gap_ms = 3204,
							.max_gap_cpu = 1,
							.total_migrations = 5,
							.total_iterations = 30000 });
	return result;
}

static inline struct ktstr_test_result fixture_skip(void)
{
	struct ktstr_test_result result = fixture_pass();

	result.guest_result_received = false;
	result.final_phase = KTSTR_PHASE_NONE;
	result.guest_exit_code = -1;
	result.stages_count = 0;
	fixture_set(&result.work_type, NULL);
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP,
			    "needs 64 CPUs, this host can show 4");
	return result;
}

static inline struct ktstr_test_result fixture_inconclusive(void)
{
	struct ktstr_test_result result = fixture_pass();

	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_BENCHMARK,
			    "no worker had CPU time: min_work_rate cannot be judged");
	return result;
}

/* QEMU refused to start: nothing but the host's words. */
static inline struct ktstr_test_result fixture_never_booted(void)
{
	struct ktstr_test_result result = fixture_pass();

	result.guest_result_received = false;
	result.final_phase = KTSTR_PHASE_NONE;
	result.guest_exit_code = -1;
	result.stages_count = 0;
	result.cause = ktstr_xstrdup("cannot start QEMU: no such machine type");
	return result;
}

static inline void fixture_text(char **text, size_t *length, const char *value)
{
	*text = ktstr_xstrdup(value);
	*length = strlen(value);
}

#define STEADY_HASH "b7ac15c1cfa49473" /* of topology, scheduler, arguments and work type above */

#endif
