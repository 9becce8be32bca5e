# SPDX-License-Identifier: GPL-2.0-only
# Programs of the distribution in the guest (vm/payloads.c): what they measured, what they were judged by, and how they
# end.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_payloads)" >"$BATS_FILE_TMPDIR/runs" && return 1
	true
}

setup() {
	runs=$BATS_FILE_TMPDIR/runs
}

@test "stress-ng runs in the foreground and is judged by its exit code" {
	expect_outcome "$runs" stress_ng_in_the_foreground pass
	[ "$(result "$runs" stress_ng_in_the_foreground payload)" = stress_ng ]
	[ "$(result "$runs" stress_ng_in_the_foreground metrics 0 exit_code)" = 0 ]
	[ "$(result "$runs" stress_ng_in_the_foreground metrics 0 metrics)" = "[]" ]
	contains "payload stress_ng: exit code" "$(result "$runs" stress_ng_in_the_foreground passes)"
}

@test "stress-ng with an option that it lacks fails, with its own words" {
	expect_outcome "$runs" stress_ng_refuses fail "payload stress_ng: exit code was" "expected 0"
	expect_reason "$runs" stress_ng_refuses "fail Payload: payload stress_ng: exit code"
	contains "unrecognized option '--no-such-stressor'" "$(result "$runs" stress_ng_refuses output)"
}

@test "fio's JSON becomes metrics with the declared meaning" {
	local found
	expect_outcome "$runs" fio_measures pass
	found=$(result "$runs" fio_measures metrics 0 metrics)
	contains '"name": "jobs.0.read.iops"' "$found"
	contains '"unit": "op/s"' "$found"
	contains '"polarity": "higher_better"' "$found"
	contains '"stream": "stdout"' "$found"
	contains "payload fio: jobs.0.read.iops" "$(result "$runs" fio_measures passes)"
}

@test "fio fails a metric that is too low and one that is missing" {
	expect_outcome "$runs" fio_cannot_be_that_fast fail "metric jobs.0.read.iops was" "op/s, expected at least 1000000000000"
	expect_reason "$runs" fio_cannot_be_that_fast \
		"fail Payload: payload fio: metric jobs.0.read.iopsy is missing: its output gave"
}

@test "hackbench runs in the background in a cgroup, beside workers" {
	expect_outcome "$runs" hackbench_beside_workers pass
	[ "$(result "$runs" hackbench_beside_workers metrics 0 cgroup)" = bench ]
	[ "$(result "$runs" hackbench_beside_workers payload)" = null ]
	[ "$(result "$runs" hackbench_beside_workers stats total_workers)" = 1 ]
}

@test "a flag that the declaration does not know is refused" {
	expect_outcome "$runs" hackbench_with_a_flag_it_lacks fail "unknown flag --loop; did you mean --loops?"
	[ "$(result "$runs" hackbench_with_a_flag_it_lacks metrics)" = "[]" ]
}

@test "the time limit ends the whole process group" {
	expect_outcome "$runs" the_time_limit_ends_all_of_it pass
	[ "$(result "$runs" the_time_limit_ends_all_of_it metrics 0 timed_out)" = true ]
	[ "$(result "$runs" the_time_limit_ends_all_of_it metrics 0 signal)" = 9 ]
}

@test "a payload is in its cgroup with all its processes, and is killed with them" {
	expect_outcome "$runs" killed_in_its_cgroup pass
	[ "$(result "$runs" killed_in_its_cgroup metrics 0 exit_code)" = -1 ]
}

@test "output beyond the cap is counted and dropped" {
	expect_outcome "$runs" too_much_output pass
	[ "$(result "$runs" too_much_output metrics 0 stdout bytes)" = 20000000 ]
	[ "$(result "$runs" too_much_output metrics 0 stdout dropped_bytes)" = $((20000000 - (16 << 20))) ]
}

@test "a payload that the test does not declare is not in the guest" {
	expect_outcome "$runs" undeclared fail "was not brought into the guest" ".payload or .workloads"
}

@test "a payload in a cgroup that does not exist" {
	expect_outcome "$runs" no_such_cgroup fail "payload busybox in cgroup nowhere: there is no such cgroup yet"
}

@test "in a deterministic run what payloads print is part of the digest" {
	run -0 "$KTSTR" test --twice --jobs 1 --json --filter==ktstr/fio_measures "$(program vm_payloads)"
	contains "both have the digest" "$output"
	grep -q '^PYLD .*"payload":"fio"' "$KTSTR_RUNS_ROOT"/*/fio_measures-*-seed1.trace
}
