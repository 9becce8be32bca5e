# SPDX-License-Identifier: GPL-2.0-only
# Schedulers that come and go in the middle of tests, and what declarations ask for (vm/live.c).
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_live)" >"$BATS_FILE_TMPDIR/results" && return 1
	true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

# The instances of a test, a line each: "name ops end".
instances() { # TEST
	result "$results" "$1" scheduler_instances |
		python3 -c 'import json, sys
for i in json.load(sys.stdin): print(i["name"], i["ops"], i["end"])'
}

@test "attach, replace, detach and attach again under workers that stay; each refusal; an A/B ratio from one run" {
	expect_outcome "$results" swaps pass
	[ "$(result "$results" swaps active_schedulers)" = '["enabled ktstr", "disabled"]' ]
}

@test "each instance has its name, its end and its own log" {
	local log sidecar
	[ "$(instances swaps)" = "good ktstr replaced by slow
slow ktstr detached
refused None did not attach: it exited before it attached (exit code 1); its log says more
good ktstr None" ]
	result "$results" swaps scheduler_instances | python3 -c 'import json, sys
logs = [i["log"] for i in json.load(sys.stdin)]
assert "slice 5000 us" in logs[0] and "PROG LOAD LOG" not in logs[0], logs[0]
assert "slice 20000 us" in logs[1], logs[1]
assert "PROG LOAD LOG" in logs[2] and "attached" not in logs[2], logs[2]
assert "slice 5000 us" in logs[3], logs[3]'
	sidecar=$(result "$results" swaps sidecar)
	log=${sidecar%/*}/$(result "$results" swaps files scheduler_log)
	grep -q "=== scheduler 3: refused ===" "$log"
}

@test "restart gives the test's own scheduler again, in another process; pinned maps stay, others go" {
	expect_outcome "$results" pins pass
}

@test "a scheduler that is lost after a swap is the one that is named, with the kernel's reason" {
	expect_outcome "$results" lost fail "scheduler errors " "into the workload" "requested 200 ms after its cgroup's first task"
	expect_reason "$results" lost "fail SchedulerCrashed: "
}

@test "kernel arguments, sysctls, KASLR off, cgroups, a configuration file and include files are there" {
	expect_outcome "$results" declared pass
	contains "slice 7000 us" "$(result "$results" declared scheduler_instances)"
	[ "$(result "$results" declared kargs)" = '["ktstr_probe=7", "nokaslr"]' ]
	contains kernel.sched_rt_runtime_us=910000 "$(result "$results" declared sysctls)"
}

@test "what the kernel has built in is turned on and off by commands, whose words are in the log" {
	expect_outcome "$results" builtin pass
	[ "$(instances builtin)" = "tuned None detached
broken None did not attach: .enable: \"echo no such knob >&2; exit 3\" ended with exit code 3
other None ended for a restart
tuned None the test ended" ]
	contains "tuned is on" "$(result "$results" builtin scheduler_instances)"
	contains "tuned is off" "$(result "$results" builtin scheduler_instances)"
}

@test "a command that fails is the cause" {
	expect_outcome "$results" broken_builtin fail "scheduler broken could not be started" "exit code 3"
}

@test "an expected failure passes and keeps its reason; none is a failure" {
	expect_outcome "$results" expected_error pass
	[ "$(result "$results" expected_error expected_failure)" = true ]
	contains "as expected: scheduler errors " "$(result "$results" expected_error verdict)"
	expect_outcome "$results" no_error fail "must fail (.expect_err), but it passed"
}

@test "a test for other kernels is skipped without a boot" {
	expect_outcome "$results" other_kernels skip "scheduler old is for kernels 5.10..5.15, 6.1"
	[ "$(result "$results" other_kernels final_phase)" = none ]
}

@test "swaps are part of a deterministic run: twice the same events" {
	run -0 "$KTSTR" test --twice --filter =ktstr/deterministic_swap --ignored --jobs 1 "$(program vm_live)"
	contains "1 passed" "$output"
}
