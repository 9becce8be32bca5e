# SPDX-License-Identifier: GPL-2.0-only
# What takes minutes: limits that must run out, and many good runs in a row.
load ../lib/common

@test "a body that hangs is ended and said to have overrun" {
	run -1 --separate-stderr "$KTSTR" test --json --filter =ktstr/hangs "$(program vm_trouble)"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" hangs fail "overran"
	[ "$(result "$BATS_TEST_TMPDIR/out" hangs timed_out)" = true ]
}

@test "a scheduler that never attaches is told after the limit" {
	run -1 --separate-stderr "$KTSTR" test --json --filter =ktstr/never_attaches "$(program vm_schedulers)"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" never_attaches fail "scheduler sleeps never attached"
}

@test "20 good runs in a row: no false failure" {
	local shapes=() i
	for ((i = 0; i < 10; i++)); do
		shapes+=(--topology 1n1l2c1t --topology 1n2l2c1t)
	done
	run -0 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --scenario steady --duration 2s --jobs 2 "${shapes[@]}"
	[ "$(result <(echo "$output") summary passed)" = 20 ]
}

@test "the whole smoke set under the fixture scheduler" {
	run -0 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --duration 3s --jobs 2
	[ "$(result <(echo "$output") summary failed)" = 0 ]
}

@test "the whole smoke set under EEVDF" {
	run -0 --separate-stderr "$KTSTR" run --json --duration 3s --jobs 2
	[ "$(result <(echo "$output") summary failed)" = 0 ]
}

@test "a cold deterministic run depends on no template" {
	local i digests=()
	for i in 1 2; do
		"$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 1s --seed 6 --cold \
			>"$BATS_TEST_TMPDIR/out"
		digests+=("$(result "$BATS_TEST_TMPDIR/out" steady digest)")
	done
	[ "${#digests[0]}" = 64 ]
	[ "${digests[0]}" = "${digests[1]}" ]
}

@test "every built-in scenario under EEVDF and the fixture scheduler on three topologies" {
	local scenarios=() name scheduler
	for name in steady steady_llc oversubscribed cpuset_apply cpuset_clear cpuset_resize cgroup_add cgroup_remove \
		affinity_change affinity_pinned host_contention mixed_workloads nested_steady nested_task_move; do
		scenarios+=(--scenario "$name")
	done
	for scheduler in eevdf "$SCX"; do
		run -0 --separate-stderr "$KTSTR" run --json --scheduler "$scheduler" --duration 2s --jobs 2 "${scenarios[@]}" \
			--topology 1n1l2c1t --topology 1n2l3c1t --topology 2n2l2c2t
		[ "$(result <(echo "$output") summary failed)" = 0 ]
		# Two CPUs are too few for four of them; nothing else is skipped.
		[ "$(result <(echo "$output") summary skipped)" = 4 ]
	done
}
