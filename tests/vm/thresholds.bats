# SPDX-License-Identifier: GPL-2.0-only
# Thresholds in real runs: vm/thresholds.c has for each a workload or a scheduler that keeps it and one that breaks it.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_thresholds)" >"$BATS_FILE_TMPDIR/out" && return 1
	true
}

setup() {
	out=$BATS_FILE_TMPDIR/out
}

kept_and_broken() { # TEST NAME THRESHOLD REASON
	contains "cgroup good_$2: $3" "$(result "$out" "$1" passes)"
	expect_reason "$out" "$1" "fail $4"
	lacks "cgroup good_$2" "$(result "$out" "$1" reasons)"
}

@test "max_throughput_cv fails on equal workers whose units cost differently" {
	kept_and_broken cpu_thresholds throughput_cv max_throughput_cv \
		"Benchmark: cgroup bad_throughput_cv: throughput of 2 equal workers varies"
}

@test "max_wake_latency_cv fails on wakeups that vary" {
	kept_and_broken cpu_thresholds wake_cv max_wake_latency_cv "Benchmark: cgroup bad_wake_cv: wake latency CV"
}

@test "min_iteration_rate fails for each worker below its floor" {
	kept_and_broken cpu_thresholds iteration_rate min_iteration_rate \
		"Benchmark: cgroup bad_iteration_rate: worker 0"
	expect_reason "$out" cpu_thresholds "fail Benchmark: cgroup bad_iteration_rate: worker 1"
}

@test "max_migration_ratio fails on workers that change their CPU" {
	kept_and_broken cpu_thresholds migrations max_migration_ratio "Migration: cgroup bad_migrations:"
}

@test "absolute thresholds hold, or fail, over the same reports" {
	local name
	for name in max_p99_wake_latency_ns max_iteration_cost_p99_ns max_migrations min_work_units; do
		contains "$name" "$(result "$out" absolute_thresholds passes)"
	done
	expect_reason "$out" absolute_thresholds "fail Benchmark: p99 wake latency in ns:"
	expect_reason "$out" absolute_thresholds "fail Benchmark: p99 cost of an iteration in ns:"
	expect_reason "$out" absolute_thresholds "fail Migration: migrations of all workers:"
	expect_reason "$out" absolute_thresholds "fail NoProgress: worker 0 (tid "
}

@test "details carry the step that they are about" {
	[ "$(result "$out" cpu_thresholds verdict outcomes 0 detail phase)" = "Step[0]" ]
}

@test "min_page_locality fails on memory of another node" {
	kept_and_broken memory_thresholds locality min_page_locality "PageLocality: cgroup bad_locality: page locality 0.000"
}

@test "max_slow_tier_ratio fails on memory of a node without CPUs" {
	kept_and_broken memory_thresholds tier max_slow_tier_ratio "SlowTier: cgroup bad_tier: worker 0"
}

@test "max_cross_node_migration_ratio fails when the kernel moves pages" {
	kept_and_broken memory_thresholds cross_node max_cross_node_migration_ratio \
		"CrossNodeMigration: cgroup bad_cross_node: the kernel moved"
}

@test "an unfair scheduler fails a claim that two cgroups do equally well" {
	expect_outcome "$out" unfair_scheduler fail "(equal cgroups)"
	expect_reason "$out" unfair_scheduler "fail Unfair: worst_iterations_per_worker was"
	contains "favoured->cpus_used" "$(result "$out" unfair_scheduler passes)"
	contains '"Uint"' "$(result "$out" unfair_scheduler verdict measurements favoured_iterations)"
}

@test "max_imbalance_ratio and max_local_dsq_depth fail on a scheduler that crowds one CPU" {
	expect_outcome "$out" crowding fail "nr_running imbalance reached" "(limit 3)"
	expect_reason "$out" crowding "fail Monitor: monitor: nr_running imbalance"
	expect_reason "$out" crowding "fail Monitor: monitor: CPU 0: local DSQ depth reached"
}

@test "fail_on_rq_clock_stuck fails on a scheduler that hangs" {
	expect_reason "$out" crowding "fail Monitor: monitor: CPU 0: its runqueue's clock stood still"
}

@test "max_fallback_rate fails on a scheduler that selects CPUs which tasks may not use" {
	expect_outcome "$out" misselection fail "select_cpu_fallback reached" "(limit 20)"
	expect_reason "$out" misselection "fail Monitor: monitor: select_cpu_fallback"
}

@test "scheduler events are clean but for the one that the scheduler causes" {
	expect_reason "$out" misselection "fail SchedulerEvent: scheduler event select_cpu_fallback: "
	contains "scheduler event dispatch_local_dsq_offline" "$(result "$out" misselection passes)"
}

@test "max_keep_last_rate fails on a scheduler that leaves it to the kernel to go on" {
	expect_reason "$out" misselection "fail Monitor: monitor: dispatch_keep_last"
}
