# SPDX-License-Identifier: GPL-2.0-only
# Every work type in a VM (vm/work_types.c): the kernel's own counters confirm it, a seed repeats it, and a scenario can be
# run with it.
load ../lib/common

@test "the kernel's counters confirm what each work type presses" {
	run -0 --separate-stderr "$KTSTR" test --json --filter =ktstr/pressure "$(program vm_work_types)"
}

@test "all work types together are the same again with the same seed" {
	run -0 --separate-stderr "$KTSTR" test --json --twice --filter =ktstr/repeatable "$(program vm_work_types)"
	contains '"digest"' "$output"
}

@test "run --work-type: workers of a built-in scenario do what it names" {
	local wakes timers run=(run --json --scenario steady --topology 1n1l2c1t --duration 500ms --jobs 1)
	samples() { # TYPE: wake and timer samples of the first cgroup
		"$KTSTR" "${run[@]}" --work-type "$1" >"$BATS_TEST_TMPDIR/out" || return 1
		[ "$(result "$BATS_TEST_TMPDIR/out" steady work_type)" = "$1" ]
		contains "--work-type=$1" "$(result "$BATS_TEST_TMPDIR/out" steady reproduce)"
		wakes=$(result "$BATS_TEST_TMPDIR/out" steady stats cgroups 0 wake_sample_total)
		timers=$(result "$BATS_TEST_TMPDIR/out" steady stats cgroups 0 timer_sample_total)
	}
	samples PipeIo
	[ "$wakes" -gt 0 ] && [ "$timers" = 0 ]
	samples TimerLatency
	[ "$wakes" = 0 ] && [ "$timers" -gt 0 ]
}
