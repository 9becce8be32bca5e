# SPDX-License-Identifier: GPL-2.0-only
# The fixture scheduler with each of its bad habits (vm/schedulers.c): the stated cause must be the true one. And
# without them, on both kernels.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_schedulers)" >"$BATS_FILE_TMPDIR/results" && return 1
	true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

@test "a scheduler that stalls is unloaded by the kernel's watchdog" {
	expect_outcome "$results" stall fail "scheduler stalls" "into the workload" "runnable task stall" "failed to run for"
	expect_reason "$results" stall "fail SchedulerCrashed: "
}

@test "a scheduler that serves nobody, the guest's agent neither, is known to have attached" {
	expect_outcome "$results" stall_at_once fail "scheduler stalls_at_once" "runnable task stall"
	lacks "never attached" "$(result "$results" stall_at_once cause)"
}

@test "a scheduler that raises an error: its message is the cause" {
	expect_outcome "$results" error fail "scheduler errors" "ktstr fixture error: requested 1000 ms after its cgroup's first task"
	expect_reason "$results" error "fail SchedulerCrashed: "
}

@test "a scheduler that starves a worker: the cause names the worker" {
	expect_outcome "$results" starvation fail "scheduler starves" "runnable task stall" "cg_0/"
	expect_reason "$results" starvation "fail SchedulerCrashed: "
}

@test "a scheduler that favours a cgroup fails the balance claim and stays" {
	expect_outcome "$results" unfairness fail "balance_ratio" "expected at_most 3"
	[ "$(result "$results" unfairness active_schedulers)" = '["enabled ktstr"]' ]
}

@test "a scheduler that dawdles in dispatch fails a throughput claim that it holds otherwise" {
	expect_outcome "$results" slow_dispatch fail "total_iterations was" "expected at_least 300"
	expect_outcome "$results" quick_dispatch pass
}

@test "a scheduler that exits by itself in the middle" {
	expect_outcome "$results" clean_exit fail "scheduler leaves exited by itself" "into the workload" "exit code 0"
	expect_reason "$results" clean_exit "fail SchedulerExitedCleanly: "
}

@test "a scheduler that exits before it attaches: its code and last words" {
	expect_outcome "$results" exit_at_once fail "scheduler quits exited before it attached" "exit code 3" "as told"
	# In the VM that was to become a template: it is not tried again.
	contains '"attach"' "$(result "$results" exit_at_once stages)"
	lacks '"restore"' "$(result "$results" exit_at_once stages)"
	expect_reason "$results" exit_at_once "fail SchedulerCrashed: "
	[ "$(result "$results" exit_at_once guest_result_received)" = false ]
}

@test "a scheduler that the verifier rejects" {
	expect_outcome "$results" rejection fail "scheduler refused was rejected by the BPF verifier"
	expect_reason "$results" rejection "fail SchedulerCrashed: "
}

@test "a lost scheduler's log lies beside the sidecar" {
	local sidecar
	sidecar=$(result "$results" rejection sidecar)
	python3 -m json.tool "$sidecar" >/dev/null
	grep -q "BEGIN PROG LOAD LOG" "${sidecar%/*}/$(result "$results" rejection files scheduler_log)"
}

# The dump of a failed test, checked by Python statements in which `d` is the dump.
dump_says() { # FILE TEST STATEMENTS
	local sidecar
	sidecar=$(result "$1" "$2" sidecar)
	python3 -c "
import json, sys
d = json.load(open(sys.argv[1]))
tasks = {t['pid']: t for t in d.get('task_enrichments', [])}
variables = {v['name'] for m in d.get('maps', []) if 'value' in m for v in m['value'].get('members', [])}
$3" "${sidecar%/*}/$(result "$1" "$2" files failure_dump)"
}

error_dump='
assert d["schema"] == "single" and "is_placeholder" not in d, d
assert d["active_obj_name"] == "scx_ktst", d["active_obj_name"]
assert d["scx_sched_state"]["ops_name"] == "ktstr"
assert len(d["rq_scx_states"]) == len(d["vcpu_regs"]) == len(d["per_cpu_time"]) >= 2
assert {"opts", "vtime_now"} <= variables, variables
assert any(t["comm"].startswith("cg_") and t["sched_class"] == "ext" for t in tasks.values())
assert any(p["name"] == "ktstr_enqueue" and p["verified_insns"] > 0 for p in d["prog_runtime_stats"])'

@test "an error exit is dumped at the instruction that claims it" {
	dump_says "$results" error "$error_dump
assert d['scx_sched_state']['exit_kind'] == 1025
assert any('scx' in r.get('symbol', '') for r in d['vcpu_regs']), d['vcpu_regs']"
}

@test "the dump of a stall has the waiting tasks in their queues" {
	dump_says "$results" stall "$error_dump
assert d['scx_sched_state']['exit_kind'] == 1026
waiting = [q for q in d['dsq_states'] if q['origin'] == 'user' and q['nr'] > 0]
assert waiting and all(len(q['task_kvas']) == q['nr'] for q in waiting), d['dsq_states']
assert any(r['runnable_task_kvas'] for r in d['rq_scx_states'])
# The watchdog's limit is more than that; who runs does not wait.
assert max(t.get('runnable_for_ms', 0) for t in tasks.values()) > 1000, tasks
assert not any('runnable_for_ms' in t for t in tasks.values() if t['pid'] == 0), tasks"
}

@test "--vmcore keeps all of the memory at an error exit, and the dump says where" {
	# A run root of its own: a run clears its run directory, and the results of this file are still needed.
	export KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/runs
	run ! "$KTSTR" run --vmcore "$BATS_TEST_TMPDIR/cores" --json --fresh-attach --scheduler "$SCX" --scenario steady \
		--topology 1n1l2c1t --duration 5s -- --since cg_0 --error-after-ms 100
	local core=("$BATS_TEST_TMPDIR"/cores/steady-*.vmcore)
	[[ "$(crash --osrelease "${core[0]}")" == 7.3.* ]]
	# One note per CPU.
	[ "$(readelf --notes "${core[0]}" | grep -c NT_PRSTATUS)" = 2 ]
	grep -lF "\"vmcore\": \"${core[0]}\"" "$KTSTR_RUNS_ROOT"/*/steady-*.failure-dump.json
}

@test "a failure that is no error exit has a dump that says so" {
	dump_says "$results" unfairness "
assert d['is_placeholder'] and 'did not exit with an error' in d['scx_walker_unavailable']"
}

@test "the report for people shows the verifier's words" {
	run -1 "$KTSTR" test --filter =ktstr/rejection "$(program vm_schedulers)"
	contains "rejected by the BPF verifier" "$output"
	contains "PROG LOAD LOG" "$output"
}

@test "the shipped scenario steady catches an unfair scheduler" {
	run -1 --separate-stderr "$KTSTR" run --json --fresh-attach --scheduler "$SCX" --scenario steady --topology 1n1l2c1t \
		--duration 2s -- --unfair cg_0
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" steady fail "balance_ratio"
}

passes_on_616() { # SCHEDULER ACTIVE
	local version
	run --separate-stderr "$KTSTR" run --kernel 6.16 --json --scheduler "$1" --scenario steady --scenario wakeups \
		--topology 1n2l2c1t --duration 2s
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" steady pass
	expect_outcome "$BATS_TEST_TMPDIR/out" wakeups pass
	version=$(result "$BATS_TEST_TMPDIR/out" steady kernel_version)
	contains 6.16. "$version"
	[ "$(result "$BATS_TEST_TMPDIR/out" steady active_schedulers)" = "$2" ]
}

@test "kernel 6.16: EEVDF passes" {
	passes_on_616 eevdf '["disabled"]'
}

@test "kernel 6.16: scx_ktstr passes and is active" {
	passes_on_616 "$SCX" '["enabled ktstr"]'
}

@test "kernel 6.16: a stall is the kernel's reason there, too" {
	run -1 --separate-stderr "$KTSTR" run --kernel 6.16 --json --fresh-attach --scheduler "$SCX" --scenario steady \
		--topology 1n2l2c1t --duration 10s -- --watchdog-ms 1500 --since cg_0 --stall-after-ms 1000
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" steady fail "runnable task stall"
	dump_says "$BATS_TEST_TMPDIR/out" steady "$error_dump
assert d['scx_sched_state']['exit_kind'] == 1026"
}
