# SPDX-License-Identifier: GPL-2.0-only
# Ops, their failures and the built-in scenarios in VMs (vm/scenario_ops.c), the worked examples of the guide
# (vm/scenario_examples.c), and what results say of phases.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_scenario_ops)" >"$BATS_FILE_TMPDIR/ops" || true
	"$KTSTR" test --json "$(program vm_scenario_examples)" >"$BATS_FILE_TMPDIR/examples" || true
}

setup() {
	ops=$BATS_FILE_TMPDIR/ops
	examples=$BATS_FILE_TMPDIR/examples
}

@test "cgroups: the kernel shows what each op did, at its step" {
	expect_outcome "$ops" cgroup_ops pass
}

@test "moved workers belong to where they are" {
	expect_outcome "$ops" moves pass
}

@test "the ops of a loop come again and again" {
	expect_outcome "$ops" loop pass
}

@test "payloads run where ops put them, and end when ops say" {
	expect_outcome "$ops" payload_ops pass
	[ "$(result "$ops" payload_ops metrics 0 payload)" = truth ]
	[ "$(result "$ops" payload_ops metrics 0 exit_code)" = 0 ]
	[ "$(result "$ops" payload_ops metrics 1 payload)" = sleeper ]
	[ "$(result "$ops" payload_ops metrics 1 exit_code)" = -1 ]
}

@test "schedulers come and go under the same workers" {
	expect_outcome "$ops" scheduler_ops pass
}

@test "captures, kernel variables and process lists are the host's, with their phases" {
	expect_outcome "$ops" host_ops pass
	result "$ops" host_ops captures >"$BATS_TEST_TMPDIR/captures"
	python3 -c 'import json, sys
captures = json.load(sys.stdin)
ops = {op["tag"]: op for op in captures["kernel_ops"] if op.get("values")}
assert ops["cold"]["values"][0]["number"] == 5, ops # both writes of one stop: 4 | 1
assert ops["hot"]["values"][0]["number"] == 77, ops
snapshot, = [s for s in captures["snapshots"] if s["tag"] == "during"]
assert snapshot["step_index"] == 2, snapshot
procs, = [p for p in captures["cgroup_procs"] if p["tag"] == "procs"]
assert procs["cgroup"] == "a" and len(procs["pids"]) == 2, procs' <"$BATS_TEST_TMPDIR/captures"
}

@test "each failure rule, one after another in one VM" {
	expect_outcome "$ops" failures pass
	contains "as it must: step 1 failed: op 0 (SteerIrq)" "$(result "$ops" failures verdict notes)"
}

@test "an interrupt goes to the CPU it is sent to" {
	expect_outcome "$ops" steer_irq pass
}

@test "all built-in scenarios, shortened, under EEVDF and scx_ktstr" {
	expect_outcome "$ops" all_scenarios_eevdf pass
	expect_outcome "$ops" all_scenarios_scx pass
}

@test "steps become phases of the results" {
	contains '"label": "StepStart[8]"' "$(result "$ops" cgroup_ops stimulus_events)"
	contains '"Step[1]"' "$(result "$examples" squeeze stats phases)"
}

@test "the worked examples of the guide run as they stand there" {
	local example
	for example in squeeze neighbour versus shuffle frozen; do
		expect_outcome "$examples" "$example" pass
	done
	contains "exchanges, under EEVDF" "$(result "$examples" versus verdict notes)"
	sed -n 's/^    //p' "$KTSTR_TEST_SOURCE/docs/guide/writing-scenarios.md" >"$BATS_TEST_TMPDIR/guide"
	grep -qxF '        KTSTR_STEPS({ .hold = ktstr_hold_frac(.3) },' "$BATS_TEST_TMPDIR/guide"
	# Every line of code of the examples stands in the guide.
	sed 's/\t/        /g; /^#include/d; /^\/\*/d; /^ \*/d; /^\/\//d; /^$/d' "$KTSTR_TEST_SOURCE/tests/vm/scenario_examples.c" |
		while IFS= read -r line; do
			grep -qxF -- "$line" "$BATS_TEST_TMPDIR/guide" || { echo "not in the guide: $line"; exit 1; }
		done
}

@test "a plan with ops is the same again on virtual time" {
	run -0 --separate-stderr "$KTSTR" test --json --twice --jobs 1 --filter =ktstr/repeatable "$(program vm_scenario_ops)"
	contains '"digest"' "$output"
}
