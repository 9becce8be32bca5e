# SPDX-License-Identifier: GPL-2.0-only
# Each check in real runs: vm/good.c, where all hold and say so, and vm/checks_fail.c, where each fails for its own
# reason.
load ../lib/common

setup_file() {
	# The longest run first: it goes on beside all the others.
	"$KTSTR" test --json "$(program vm_checks_fail)" "$(program vm_good)" >"$BATS_FILE_TMPDIR/out" && return 1
	true
}

setup() {
	out=$BATS_FILE_TMPDIR/out
}

every_check_held() { # TEST
	local passes check
	expect_outcome "$out" "$1" pass
	passes=$(result "$out" "$1" passes)
	for check in not_stuck isolation max_spread_pct max_gap_ms max_p99_wake_latency_ns min_work_rate; do
		contains "cgroup left: $check" "$passes"
		contains "cgroup right: $check" "$passes"
	done
	contains "monitor: sustained violations" "$passes"
}

@test "every check holds under EEVDF, and the result names each" {
	every_check_held all_checks_eevdf
	[ "$(result "$out" all_checks_eevdf scheduler)" = eevdf ]
}

@test "every check holds under scx_ktstr, which was active" {
	every_check_held all_checks_scx
	[ "$(result "$out" all_checks_scx active_schedulers)" = '["enabled ktstr"]' ]
}

@test "one body runs two workloads" {
	expect_outcome "$out" two_workloads_in_a_row pass
	[ "$(result "$out" two_workloads_in_a_row active_schedulers)" = '["enabled ktstr", "enabled ktstr"]' ]
}

@test "a body that finds nothing wrong passes" {
	expect_outcome "$out" nothing_but_a_return pass
}

@test "the summary counts the runs" {
	[ "$(result "$out" summary passed)" = 5 ]
	[ "$(result "$out" summary failed)" = 2 ]
}

@test "not_stuck fails on a worker that did not run for 3.5 s" {
	expect_outcome "$out" gaps fail "cgroup not_stuck: worker" "was stuck for" "limit 3000 ms"
	expect_reason "$out" gaps "fail Stuck: cgroup not_stuck: worker 0"
	expect_reason "$out" gaps "fail Stuck: cgroup not_stuck: worker 1"
}

@test "max_gap_ms fails on a gap above its limit" {
	expect_reason "$out" gaps "fail Stuck: cgroup max_gap_ms: worker 0"
	contains "limit 500 ms" "$(result "$out" gaps reasons)"
}

# The one reason of a cgroup's worker, with these parts in it.
expect_parts() { # CGROUP START PART...
	local reason part start=$2
	reason=$(result "$out" other_checks reasons | grep "cgroup $1:")
	shift 2
	[[ "$reason" == "$start"* ]] || { echo "$reason"; return 1; }
	for part in "$@"; do
		contains "$part" "$reason"
	done
}

@test "not_stuck fails on a worker that was killed" {
	expect_parts lost "fail NoProgress: cgroup lost: worker 0" "killed by signal 9"
}

@test "isolation fails on a worker outside its cpuset" {
	expect_parts isolation "fail Isolation: " "ran on CPU 1 outside the cgroup's cpuset 0"
}

@test "max_spread_pct fails on workers with unequal shares" {
	expect_parts max_spread_pct "fail Unfair: " "off-CPU time spread" "limit 40 %"
}

@test "max_p99_wake_latency_ns fails above its limit" {
	expect_parts max_p99_wake_latency_ns "fail Benchmark: " "p99 wake latency" "limit 0.001 us"
}

@test "min_work_rate fails below its floor, for each worker" {
	expect_parts min_work_rate "fail Benchmark: cgroup min_work_rate: worker 0" "work units per CPU second" \
		"floor 1e+15" "cgroup min_work_rate: worker 1"
}

@test "a claim fails with the expression as it was written" {
	expect_reason "$out" other_checks "fail Other: ktstr_stats(ctx)->total_workers was 9, expected gt 9"
}
