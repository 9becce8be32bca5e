# SPDX-License-Identifier: GPL-2.0-only
# rt-app files run by ktstr and by Debian's rt-app in the same VM (vm/rt_app.c); from the command line under a
# scheduler; and equal seeds.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_rt_app)" >"$BATS_FILE_TMPDIR/runs" && return 1
	true
}

setup() {
	runs=$BATS_FILE_TMPDIR/runs
	files=$KTSTR_TEST_SOURCE/tests/vm/rt_app
}

@test "periods, CPU shares and loops are those of rt-app" {
	expect_outcome "$runs" periodic pass
	contains "CPU share of slow" "$(result "$runs" periodic verdict notes)"
}

@test "a contended mutex, and runs of calibrated work" {
	expect_outcome "$runs" locks pass
}

@test "wait and signal, suspend and resume, barriers" {
	expect_outcome "$runs" queue pass
}

@test "finite loops over phases with policies and CPUs of their own are exact" {
	expect_outcome "$runs" phases pass
}

@test "taskgroups are cgroups, forks are workers" {
	expect_outcome "$runs" groups pass
}

@test "what a task cannot do in the guest fails the test" {
	expect_outcome "$runs" no_device fail "rt-app: a task could not write to io_device: No such file or directory"
	expect_outcome "$runs" no_file fail "there is no rt-app file to run"
}

@test "run --rt-app under a scheduler, as long as the file says" {
	run -0 --separate-stderr "$KTSTR" run --json --rt-app "$files/periodic.json" --scheduler "$SCX" --topology 1n1l2c1t
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" rt_app pass
	[ "$(result "$BATS_TEST_TMPDIR/out" rt_app work_type)" = "rt-app periodic.json" ]
	contains "--rt-app=$files/periodic.json" "$(result "$BATS_TEST_TMPDIR/out" rt_app reproduce)"
	contains "--duration=2s" "$(result "$BATS_TEST_TMPDIR/out" rt_app reproduce)"
	contains rtapp_fast_wu_lat_p99_us "$(result "$BATS_TEST_TMPDIR/out" rt_app stats cgroups 0 ext_metrics)"
}

@test "equal seeds give equal runs, others give others, and a result is enough to replay one" {
	run -0 "$KTSTR" run --rt-app "$files/queue.json" --topology 1n1l2c1t --duration 1s --seed 7 --twice
	run -0 --separate-stderr "$KTSTR" run --json --rt-app "$files/queue.json" --topology 1n1l2c1t --duration 1s --seeds 8..9
	[ "$(grep -o '"digest":"[0-9a-f]*"' <<<"$output" | sort -u | wc -l)" = 2 ]
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	run -0 "$KTSTR" replay "$(result "$BATS_TEST_TMPDIR/out" rt_app sidecar)"
	contains "same run" "$output"
}
