/* SPDX-License-Identifier: GPL-2.0-only */
/* A cgroup of four healthy workers, a verdict, and what tests expect of it. */
#ifndef KTSTR_TESTS_CHECK_FIXTURE_H
#define KTSTR_TESTS_CHECK_FIXTURE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "check/assert.h"
#include "check/result_json.h"
#include "ktstr/claim.h"
#include "ktstr/monitor.h"
#include "ktstr/topology.h"
#include "unit.h"

#define MAYBE_UNUSED __attribute__((unused))

/* What KTSTR_CLAIM() takes: something with a verdict.result. */
static struct ktstr_verdict verdict;
static struct ktstr_worker_report workers[4] MAYBE_UNUSED;
static struct ktstr_default_limits limits;
static struct ktstr_test_topology *topology; /* NULL = not known */

/* Four healthy SpinWait workers of cg_0: tids 120.., 10 % off CPU, 1000 units per CPU second, CPUs 0-1. */
static int setup(void **state)
{
	(void)state;
	limits = ktstr_default_limits(false);
	for (unsigned int i = 0; i < 4; i++) {
		workers[i] = (struct ktstr_worker_report){
			.tid = 120 + (int)i,
			.index = i,
			.work_units = 900,
			.iterations = 90,
			.wall_time_ns = KTSTR_SEC(1),
			.cpu_time_ns = KTSTR_MS(900),
			.off_cpu_ns = KTSTR_MS(100),
			.max_gap_ns = KTSTR_MS(20),
		};
		ktstr_cpus_add(&workers[i].cpus_used, i % 2);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ktstr_assert_result_deinit(&verdict.result);
	ktstr_test_topology_destroy(topology);
	topology = NULL;
	return 0;
}

static MAYBE_UNUSED void evaluate_in(const struct ktstr_cpus *cpuset, struct ktstr_assert assert, size_t count)
{
	const struct ktstr_judged_cgroup scope = { .name = "cg_0", .cpuset = cpuset, .topo = topology };

	ktstr_assert_result_deinit(&verdict.result);
	ktstr_assert_cgroup(&assert, &limits, &scope, workers, count, &verdict.result);
}

#define evaluate(...) evaluate_in(NULL, (struct ktstr_assert){ __VA_ARGS__ }, 4)

static MAYBE_UNUSED void expect_pass(const char *check, const char *comparator, const char *value,
			const char *expected)
{
	_cleanup_free_ char *name = ktstr_xasprintf("cgroup cg_0: %s", check);

	assert_int_equal(ktstr_assert_result_kind(&verdict.result), KTSTR_OUTCOME_PASS);
	for (size_t i = 0; i < verdict.result.passes_count; i++) {
		if (strcmp(verdict.result.passes[i].name, name) != 0)
			continue;
		assert_string_equal(verdict.result.passes[i].comparator, comparator);
		assert_string_equal(verdict.result.passes[i].value, value);
		assert_string_equal(verdict.result.passes[i].expected, expected);
		return;
	}
	fail_msg("no pass named %s", name);
}

static MAYBE_UNUSED void expect_outcome(enum ktstr_outcome_kind kind, enum ktstr_detail_kind detail,
			   const char *message)
{
	assert_int_equal(verdict.result.outcomes_count, 1);
	assert_string_equal(verdict.result.outcomes[0].detail.message, message);
	assert_int_equal(verdict.result.outcomes[0].kind, kind);
	assert_int_equal(verdict.result.outcomes[0].detail.kind, detail);
	assert_int_equal(ktstr_assert_result_kind(&verdict.result), kind);
}

#define expect_fail(detail, message) expect_outcome(KTSTR_OUTCOME_FAIL, detail, message)

static MAYBE_UNUSED void expect_silence(void)
{
	assert_int_equal(verdict.result.outcomes_count, 0);
	assert_int_equal(verdict.result.passes_count, 0);
}

#endif
