# SPDX-License-Identifier: GPL-2.0-only
# Each check in real runs: vm/good.c, where all hold and say so, and vm/checks_fail.c, where each fails for its own
# reason.
load ../lib/common

setup_file() {
	"$KTSTR" test --json --jobs 2 "$(program vm_good)" >"$BATS_FILE_TMPDIR/good" || true
	"$KTSTR" test --json --jobs 2 "$(program vm_checks_fail)" >"$BATS_FILE_TMPDIR/bad" && return 1
	true
}

setup() {
	good=$BATS_FILE_TMPDIR/good
	bad=$BATS_FILE_TMPDIR/bad
}

every_check_held() { # TEST
	local passes check
	expect_outcome "$good" "$1" pass
	passes=$(result "$good" "$1" passes)
	for check in not_stuck isolation max_spread_pct max_gap_ms max_p99_wake_latency_ns min_work_rate; do
		contains "cgroup left: $check" "$passes"
		contains "cgroup right: $check" "$passes"
	done
}

@test "every check holds under EEVDF, and the result names each" {
	every_check_held all_checks_eevdf
	[ "$(result "$good" all_checks_eevdf scheduler)" = eevdf ]
}

@test "every check holds under scx_ktstr, which was active" {
	every_check_held all_checks_scx
	[ "$(result "$good" all_checks_scx active_schedulers)" = '["enabled ktstr"]' ]
}

@test "one body runs two workloads" {
	expect_outcome "$good" two_workloads_in_a_row pass
	[ "$(result "$good" two_workloads_in_a_row active_schedulers)" = '["enabled ktstr", "enabled ktstr"]' ]
}

@test "a body that finds nothing wrong passes" {
	expect_outcome "$good" nothing_but_a_return pass
}

@test "the summary counts the good runs" {
	[ "$(result "$good" summary passed)" = 4 ]
	[ "$(result "$good" summary failed)" = 0 ]
}

@test "not_stuck fails on a worker that did not run for 4 s" {
	expect_outcome "$bad" not_stuck_sees_a_gap fail "was stuck for" "limit 3000 ms"
	expect_reason "$bad" not_stuck_sees_a_gap "fail Stuck: cgroup cg_0: worker 0"
	expect_reason "$bad" not_stuck_sees_a_gap "fail Stuck: cgroup cg_0: worker 1"
}

@test "not_stuck fails on a worker that was killed" {
	expect_outcome "$bad" not_stuck_sees_a_lost_worker fail "worker 0" "killed by signal 9"
	expect_reason "$bad" not_stuck_sees_a_lost_worker "fail NoProgress: "
}

@test "max_gap_ms fails on a gap above its limit" {
	expect_outcome "$bad" max_gap_ms fail "was stuck for" "limit 1000 ms"
	expect_reason "$bad" max_gap_ms "fail Stuck: "
}

@test "isolation fails on a worker outside its cpuset" {
	expect_outcome "$bad" isolation fail "ran on CPU 1 outside the cgroup's cpuset 0"
	expect_reason "$bad" isolation "fail Isolation: "
}

@test "max_spread_pct fails on workers with unequal shares" {
	expect_outcome "$bad" max_spread_pct fail "off-CPU time spread" "limit 40 %"
	expect_reason "$bad" max_spread_pct "fail Unfair: "
}

@test "max_p99_wake_latency_ns fails above its limit" {
	expect_outcome "$bad" max_p99_wake_latency_ns fail "p99 wake latency" "limit 0.001 us"
	expect_reason "$bad" max_p99_wake_latency_ns "fail Benchmark: "
}

@test "min_work_rate fails below its floor, for each worker" {
	expect_outcome "$bad" min_work_rate fail "work units per CPU second" "floor 1e+15"
	expect_reason "$bad" min_work_rate "fail Benchmark: cgroup cg_0: worker 0"
	expect_reason "$bad" min_work_rate "fail Benchmark: cgroup cg_0: worker 1"
}

@test "a claim fails with the expression as it was written" {
	expect_outcome "$bad" claim fail "ktstr_stats(ctx)->total_workers was 2, expected gt 2"
	expect_reason "$bad" claim "fail Other: "
}
