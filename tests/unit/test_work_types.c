// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every work type by its row: runs with its defaults, does work, samples what it says, in the group it says, and ends
 * when it is told to. What each one presses is checked against the kernel's counters in tests/vm/work_types.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/work.h"
#include "unit.h"

enum { WAKE = 1, COST = 2, TIMER = 4 };

static void spin_and_sleep(const struct ktstr_worker_ctx *ctx)
{
	while (!ktstr_worker_should_stop(ctx)) {
		ktstr_worker_sleep_until(ctx, ktstr_now_ns() + KTSTR_MS(1));
		ktstr_worker_record_wake(ctx, ktstr_worker_cfg(ctx)->u64[0]);
		ktstr_worker_progress(ctx, 3);
	}
}

static const struct ktstr_work_phase phases[] = { { KTSTR_PHASE_SPIN, KTSTR_MS(5) },
						  { KTSTR_PHASE_SLEEP, KTSTR_MS(2) },
						  { KTSTR_PHASE_YIELD, KTSTR_MS(2) },
						  { KTSTR_PHASE_IO, KTSTR_MS(2) },
						  { KTSTR_PHASE_ALU_HOT, KTSTR_MS(5), KTSTR_ALU_SCALAR } };

static const struct row {
	struct ktstr_work_type type;
	unsigned int group; /* workers */
	unsigned int samples; /* reservoirs that somebody of the group fills */
	bool idle_ok; /* may find nothing to work on here: no NIC, no cgroup */
	bool starves; /* real-time workers may keep others from doing anything, or from waiting */
} rows[] = {
	{ KTSTR_WORK(SPIN_WAIT), 1, 0 },
	{ KTSTR_WORK(YIELD_HEAVY), 1, 0 },
	{ KTSTR_WORK(MIXED), 1, 0 },
	{ KTSTR_WORK(IO_SYNC_WRITE), 1, WAKE },
	{ KTSTR_WORK(IO_RAND_READ), 1, WAKE },
	{ KTSTR_WORK(IO_CONVOY), 1, WAKE },
	{ KTSTR_WORK(BURSTY, .burst = KTSTR_MS(10), .sleep = KTSTR_MS(10)), 1, WAKE },
	{ KTSTR_WORK(PIPE_IO), 2, WAKE },
	{ KTSTR_WORK(FUTEX_PING_PONG), 2, WAKE },
	{ KTSTR_WORK(CACHE_PRESSURE), 1, 0 },
	{ KTSTR_WORK(CACHE_YIELD), 1, WAKE },
	{ KTSTR_WORK(CACHE_PIPE), 2, WAKE },
	{ KTSTR_WORK(FUTEX_FAN_OUT), 5, WAKE },
	{ KTSTR_WORK(FAN_OUT_COMPUTE, .cache_footprint_kib = 4), 5, WAKE },
	{ { .kind = KTSTR_WORK_SEQUENCE, .SEQUENCE = { phases, 5 } }, 1, WAKE | COST },
	{ KTSTR_WORK(FORK_EXIT), 1, WAKE },
	{ KTSTR_WORK(NICE_SWEEP), 1, WAKE },
	{ KTSTR_WORK(AFFINITY_CHURN), 1, WAKE },
	{ KTSTR_WORK(CROSS_AFFINITY_CHURN), 1, WAKE },
	{ KTSTR_WORK(POLICY_CHURN), 1, WAKE },
	{ KTSTR_WORK(PAGE_FAULT_CHURN), 1, 0 },
	{ KTSTR_WORK(MUTEX_CONTENTION), 4, WAKE },
	{ KTSTR_WORK(THUNDERING_HERD), 8, WAKE },
	{ KTSTR_WORK(PRIORITY_INVERSION), 3, 0, .starves = true },
	{ KTSTR_WORK(PRIORITY_INVERSION, .lock = KTSTR_LOCK_PI), 3, 0, .starves = true },
	{ KTSTR_WORK(PRODUCER_CONSUMER_IMBALANCE), 3, WAKE },
	{ KTSTR_WORK(RT_STARVATION), 2, 0, .starves = true },
	{ KTSTR_WORK(ASYMMETRIC_WAKER), 2, WAKE },
	{ KTSTR_WORK(WAKE_CHAIN), 4, WAKE },
	{ KTSTR_WORK(WAKE_CHAIN, .wake = KTSTR_WAKE_FUTEX), 4, WAKE },
	{ KTSTR_WORK(NUMA_WORKING_SET_SWEEP), 1, WAKE },
	{ KTSTR_WORK(NUMA_MIGRATION_CHURN), 1, 0 },
	{ KTSTR_WORK(CGROUP_CHURN), 1, 0 },
	{ KTSTR_WORK(CGROUP_ATTACH_STORM), 1, 0, true },
	{ KTSTR_WORK(SIGNAL_STORM), 2, 0 },
	{ KTSTR_WORK(PREEMPT_STORM), 3, 0 },
	{ KTSTR_WORK(EPOLL_STORM), 3, WAKE },
	{ KTSTR_WORK(IDLE_CHURN), 1, WAKE },
	{ KTSTR_WORK(TIMER_LATENCY), 1, TIMER },
	{ KTSTR_WORK(ALU_HOT), 1, COST },
	{ KTSTR_WORK(SMT_SIBLING_SPIN), 2, COST },
	{ KTSTR_WORK(IPC_VARIANCE, .hot_iters = 1000, .cold_iters = 100, .period_iters = 4), 1, COST },
	{ KTSTR_WORK(NET_TRAFFIC), 1, 0, true },
	{ KTSTR_WORK(IRQ_WAKE), 2, 0, true },
	{ KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 4), 1, 0 },
	{ KTSTR_WORK(TAOBENCH, .cache_capacity_mib = 1), 1, 0 },
	{ KTSTR_WORK(CUSTOM, .name = "mine", .fn = spin_and_sleep, .cfg = { .u64 = { 77 } }), 1, WAKE },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static unsigned int sampled(const struct ktstr_worker_report *report)
{
	return (report->wake_latencies.count ? WAKE : 0) | (report->iteration_costs.count ? COST : 0) |
	       (report->timer_latencies.count ? TIMER : 0);
}

static void check_row(const struct row *row)
{
	const struct ktstr_work_spec spec = { .type = row->type, .workers = row->group };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .seed = 7 };
	const char *name = ktstr_work_type_name(row->type.kind);
	const struct ktstr_worker_report *reports;
	struct ktstr_workload_handle *handle;
	struct ktstr_error *error = ktstr_workload_spawn(&config, &handle);
	unsigned int samples = 0;
	uint64_t units = 0;
	size_t count;

	if (error)
		fail_msg("%s: %s", name, ktstr_error_message(error));
	assert_null(ktstr_workload_start(handle));
	ktstr_sleep_ns(KTSTR_MS(200));
	reports = ktstr_workload_stop_and_collect(handle, &count);
	assert_int_equal(count, row->group);
	for (size_t i = 0; i < count; i++) {
		if (reports[i].exit != KTSTR_WORKER_COMPLETED)
			fail_msg("%s: worker %zu did not complete: exit %d, code %d", name, i, (int)reports[i].exit,
				 reports[i].exit_code);
		if (!row->idle_ok && !row->starves && !reports[i].work_units)
			fail_msg("%s: worker %zu did no work", name, i);
		units += reports[i].work_units;
		samples |= sampled(&reports[i]);
		assert_true(reports[i].wake_latencies.count <= KTSTR_RESERVOIR_CAP);
	}
	if (!row->idle_ok && !units)
		fail_msg("%s: nobody did any work", name);
	if (!row->idle_ok && !row->starves && samples != row->samples)
		fail_msg("%s: filled the reservoirs %x, expected %x", name, samples, row->samples);
	ktstr_workload_destroy(handle);
}

static void every_type_works(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		check_row(&rows[i]);
}

static void every_type_has_a_row(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < KTSTR_WORK_KINDS; kind++) {
		bool found = false;

		for (size_t i = 0; i < ROWS; i++)
			found |= rows[i].type.kind == kind;
		if (!found)
			fail_msg("%s is in no row", ktstr_work_type_name((enum ktstr_work_kind)kind));
		assert_non_null(ktstr_work_type_pressure((enum ktstr_work_kind)kind));
		assert_non_null(ktstr_work_type_unit((enum ktstr_work_kind)kind));
	}
}

static void groups_must_be_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct ktstr_work_spec spec = { .type = rows[i].type, .workers = rows[i].group + 1 };
		const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
		struct ktstr_workload_handle *handle;
		_cleanup_error_ struct ktstr_error *error = NULL;
		_cleanup_free_ char *expected = NULL;

		assert_int_equal(ktstr_work_type_group_size(&rows[i].type), rows[i].group);
		if (rows[i].group == 1)
			continue;
		expected = ktstr_xasprintf("%s (group 0) requires num_workers divisible by %u, got %u",
					   ktstr_work_type_name(rows[i].type.kind), rows[i].group,
					   rows[i].group + 1);
		error = ktstr_workload_spawn(&config, &handle);
		assert_string_equal(ktstr_error_message(error), expected);
	}
}

static void assert_same_error(const struct ktstr_work_type_error *found, const struct ktstr_work_type_error *expected)
{
	assert_int_equal(found->kind, expected->kind);
	assert_int_equal(found->group_idx, expected->group_idx);
	assert_string_equal(found->name, expected->name);
	assert_true(!found->field == !expected->field && (!found->field || !strcmp(found->field, expected->field)));
	assert_int_equal(found->value, expected->value);
	assert_int_equal(found->bound, expected->bound);
}

static void bad_parameters_are_named(void **state)
{
	static const struct {
		struct ktstr_work_type type;
		struct ktstr_work_type_error error;
		const char *message;
	} cases[] = {
		{ { .kind = KTSTR_WORK_IDLE_CHURN, .literal = true, .IDLE_CHURN = { .sleep = 1 } },
		  { KTSTR_WORK_TYPE_ZERO_BURST_DURATION, 0, "IdleChurn", "burst", 0, 1 },
		  "IdleChurn (group 0) requires burst of at least 1ns, got 0; left out it takes its default" },
		{ { .kind = KTSTR_WORK_IDLE_CHURN, .literal = true, .IDLE_CHURN = { .burst = 1 } },
		  { KTSTR_WORK_TYPE_ZERO_SLEEP_DURATION, 0, "IdleChurn", "sleep", 0, 1 },
		  "IdleChurn (group 0) requires sleep of at least 1ns, got 0; left out it takes its default" },
		{ KTSTR_WORK(WAKE_CHAIN, .depth = 1),
		  { KTSTR_WORK_TYPE_INSUFFICIENT_WAKE_CHAIN_DEPTH, 0, "WakeChain", "depth", 1, 2 },
		  "WakeChain (group 0) requires depth of at least 2, got 1; left out it takes its default" },
		{ { .kind = KTSTR_WORK_IPC_VARIANCE, .literal = true, .IPC_VARIANCE = { 1, 0, 1 } },
		  { KTSTR_WORK_TYPE_ZERO_IPC_VARIANCE_PARAM, 0, "IpcVariance", "cold_iters", 0, 1 },
		  "IpcVariance (group 0) requires cold_iters of at least 1, got 0; left out it takes its default" },
		{ { .kind = KTSTR_WORK_TIMER_LATENCY, .literal = true },
		  { KTSTR_WORK_TYPE_ZERO_TIMER_INTERVAL, 0, "TimerLatency", "interval_us", 0, 1 },
		  "TimerLatency (group 0) requires interval_us of at least 1, got 0; left out it takes its default" },
		{ KTSTR_WORK(NET_TRAFFIC, .frame_bytes = 59),
		  { KTSTR_WORK_TYPE_FRAME_BYTES_OUT_OF_RANGE, 0, "NetTraffic", "frame_bytes", 59, 60 },
		  "NetTraffic (group 0) requires frame_bytes of at least 60, got 59; left out it takes its default" },
		{ KTSTR_WORK(IRQ_WAKE, .frame_bytes = 1515),
		  { KTSTR_WORK_TYPE_FRAME_BYTES_OUT_OF_RANGE, 0, "IrqWake", "frame_bytes", 1515, 1514 },
		  "IrqWake (group 0) requires frame_bytes of at most 1514, got 1515; left out it takes its default" },
		{ KTSTR_WORK(TAOBENCH, .target_hit_pct = 100),
		  { KTSTR_WORK_TYPE_BAD_PARAMETER, 0, "Taobench", "target_hit_pct", 100, 99 },
		  "Taobench (group 0) requires target_hit_pct of at most 99, got 100; left out it takes its default" },
		{ KTSTR_WORK(ALU_HOT, .width = 9), { KTSTR_WORK_TYPE_BAD_PARAMETER, 0, "AluHot", "width", 9, 5 },
		  "AluHot (group 0) has the unknown width 9" },
		{ { .kind = KTSTR_WORK_SEQUENCE }, { KTSTR_WORK_TYPE_UNUSABLE, 0, "Sequence", NULL, 0, 0 },
		  "Sequence (group 0) has no phases: give it KTSTR_PHASES(...)" },
		{ { .kind = KTSTR_WORK_CUSTOM }, { KTSTR_WORK_TYPE_UNUSABLE, 0, "Custom", NULL, 0, 0 },
		  "Custom (group 0) requires a .name and a .fn" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ktstr_work_spec spec = { .type = cases[i].type, .workers = 1 };
		const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
		struct ktstr_workload_handle *handle;
		_cleanup_error_ struct ktstr_error *error = ktstr_workload_spawn(&config, &handle);

		struct ktstr_work_type_error found;

		assert_string_equal(ktstr_error_message(error), cases[i].message);
		ktstr_error_free(ktstr_work_type_check(&cases[i].type, 1, 0, &found));
		assert_same_error(&found, &cases[i].error);
	}
}

static void group_errors_are_values(void **state)
{
	const struct ktstr_work_type herd = KTSTR_WORK(THUNDERING_HERD, .waiters = 4), good = KTSTR_WORK(BURSTY);
	const struct ktstr_work_type unknown = { .kind = KTSTR_WORK_KINDS };
	const struct ktstr_work_type_error expected = { KTSTR_WORK_TYPE_NON_DIVISIBLE_WORKER_COUNT, 3, "ThunderingHerd", NULL, 6,
							5 };
	struct ktstr_work_type_error found;

	(void)state;
	ktstr_error_free(ktstr_work_type_check(&herd, 6, 3, &found));
	assert_same_error(&found, &expected);
	assert_null(ktstr_work_type_check(&herd, 0, 3, &found)); /* the count is not known yet */
	assert_null(ktstr_work_type_check(&good, 1, 0, &found));
	assert_int_equal(found.kind, KTSTR_WORK_TYPE_OK);
	ktstr_error_free(ktstr_work_type_check(&unknown, 1, 0, &found));
	assert_int_equal(found.kind, KTSTR_WORK_TYPE_UNUSABLE);
}

static void names_round_trip(void **state)
{
	struct ktstr_work_type type;

	(void)state;
	for (unsigned int kind = 0; kind < KTSTR_WORK_KINDS; kind++) {
		bool unnamed = kind == KTSTR_WORK_SEQUENCE || kind == KTSTR_WORK_CUSTOM;

		assert_int_equal(ktstr_work_type_from_name(ktstr_work_type_name((enum ktstr_work_kind)kind), &type),
				 !unnamed);
		if (!unnamed)
			assert_int_equal(type.kind, kind);
	}
	assert_false(ktstr_work_type_from_name("spinwait", &type));
	assert_string_equal(ktstr_work_type_suggest("spinwait"), "SpinWait");
}

/* Standard C has compound literals in macros: this must compile and mean the same. */
static void phases_macro(void **state)
{
	struct ktstr_work_type type =
		KTSTR_WORK(SEQUENCE, KTSTR_PHASES({ KTSTR_PHASE_SPIN, KTSTR_MS(1) }, { KTSTR_PHASE_SLEEP, 5 }));

	(void)state;
	assert_int_equal(type.SEQUENCE.phases_count, 2);
	assert_int_equal(type.SEQUENCE.phases[1].duration, 5);
}

static void a_custom_function_reports(void **state)
{
	const struct ktstr_work_spec spec = {
		.type = KTSTR_WORK(CUSTOM, .name = "mine", .fn = spin_and_sleep, .cfg = { .u64 = { 77 } }),
		.workers = 1,
	};
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const struct ktstr_worker_report *report;
	struct ktstr_workload_handle *handle;
	size_t count;

	(void)state;
	assert_null(ktstr_workload_spawn(&config, &handle));
	assert_null(ktstr_workload_start(handle));
	ktstr_sleep_ns(KTSTR_MS(50));
	report = ktstr_workload_stop_and_collect(handle, &count);
	assert_true(report->iterations > 0);
	assert_int_equal(report->work_units, 3 * report->iterations);
	assert_int_equal(report->wake_latencies.values_ns[0], 77);
	ktstr_workload_destroy(handle);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row), cmocka_unit_test(every_type_works),
		cmocka_unit_test(groups_must_be_whole), cmocka_unit_test(bad_parameters_are_named), cmocka_unit_test(group_errors_are_values),
		cmocka_unit_test(names_round_trip),	cmocka_unit_test(phases_macro),
		cmocka_unit_test(a_custom_function_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
