# SPDX-License-Identifier: GPL-2.0-only
# Host CPUs of runs (vm/reserve.c), seen from outside: masks, pins, locks, and the verdict when they cannot be had. On two
# CPUs of the host, whatever it has.
load ../lib/common

setup_file() {
	unset KTSTR_NO_PERF_MODE KTSTR_PERF_ONLY KTSTR_CPU_CAP KTSTR_BYPASS_LLC_LOCKS KTSTR_NO_SKIP_MODE KTSTR_CONTENTION_BYPASS
	export KTSTR_LOCK_DIR=$BATS_FILE_TMPDIR KTSTR_SIDECAR_DIR=$BATS_FILE_TMPDIR/sidecars
}

setup() {
	mapfile -t cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)), sep="\n")')
	[ ${#cpus[@]} -ge 2 ] || skip "needs two CPUs"
	out=$BATS_TEST_TMPDIR/out
}

on_two_cpus() { # COMMAND...
	taskset -c "${cpus[0]},${cpus[1]}" "$@"
}

ktstr_test() { # FILTERED_TEST [OPTION...]
	on_two_cpus "$KTSTR" test --json --jobs 1 --filter "=ktstr/$1" "${@:2}" "$(program vm_reserve)"
}

while_held() { # HOW TEST
	on_two_cpus flock "$1" "$KTSTR_LOCK_DIR/ktstr-llc-0.lock" "$KTSTR" test --json --filter "=ktstr/$2" "$(program vm_reserve)"
}

# Waits for a VM with KTSTR_TEST_MARK=$1 whose threads have exactly these "<allowed CPU> <policy>", and says them. Looked at
# by one process: it lives for seconds only.
await_threads() { # MARK STATE...
	python3 - "$@" <<-'END'
		import os, sys, time
		mark, wanted = sys.argv[1].encode(), set(sys.argv[2:])
		def read(path):
		    with open(path, "rb") as file:
		        return file.read()
		def threads(vm):
		    found = set()
		    for task in os.listdir(f"/proc/{vm}/task"):
		        status = read(f"/proc/{vm}/task/{task}/status").decode()
		        policy = read(f"/proc/{vm}/task/{task}/stat").rsplit(b")")[-1].split()[38].decode()
		        found.add(status.split("Cpus_allowed_list:\t")[1].split("\n")[0] + " " + policy)
		    return found
		seen = set()
		for attempt in range(3000):
		    for pid in filter(str.isdigit, os.listdir("/proc")):
		        try:
		            if "qemu" in os.readlink(f"/proc/{pid}/exe") and b"KTSTR_TEST_MARK=" + mark in read(f"/proc/{pid}/environ").split(b"\0"):
		                seen = threads(pid)
		                if seen == wanted:
		                    sys.exit()
		        except OSError:
		            pass
		    time.sleep(.02)
		sys.exit(f"threads of the last VM: {sorted(seen)}, wanted {sorted(wanted)}")
	END
}

no_vm() { # MARK
	[ -z "$(marked_vms "$1")" ]
}

@test "performance mode: the vCPU has a CPU for itself, all else another, and nobody else gets the LLC" {
	local job lock=$KTSTR_LOCK_DIR/ktstr-llc-0.lock
	KTSTR_TEST_MARK=measured ktstr_test measured >"$out" 3>&- &
	job=$!
	await_threads measured "${cpus[0]} 1" "${cpus[1]} 0"
	run flock --shared --nonblock "$lock" true
	[ "$status" = 1 ]
	wait $job
	expect_outcome "$out" measured pass
	flock --exclusive --nonblock "$lock" true
	[ "$(result "$out" measured cpu_budget)" = 1 ]
	contains "vCPUs are pinned to host CPUs ${cpus[0]}, all else of the run to ${cpus[1]}" "$(result "$out" measured verdict notes)"
	python3 "$KTSTR_TEST_SOURCE/tests/lib/validate_sidecars.py" "$KTSTR_TEST_SOURCE/docs/schema/sidecar.schema.json" \
		"$KTSTR_SIDECAR_DIR"/*.ktstr.json
	result "$out" measured perf_delta_assertions | python3 -c 'import json, sys
rate, mine = json.load(sys.stdin)
assert rate == {"metric": "iteration_rate", "direction": None, "target": None, "max_regression_pct": 10, "min_abs": None,
                "phase": None}, rate
assert mine == {"metric": "mine", "direction": "lower_better", "target": None, "max_regression_pct": None, "min_abs": None,
                "phase": 1}, mine'
}

@test "performance mode that the host cannot give is a failure, expected or not; --no-perf-mode runs it without" {
	run -1 --separate-stderr ktstr_test measured_two
	echo "$output" >"$out"
	expect_outcome "$out" measured_two fail "PERF_MODE_UNAVAILABLE: " "1n1l2c1t needs 3 host CPUs" "2 are allowed"
	[ "$(result "$out" measured_two start_mode)" = null ]
	run -1 --separate-stderr ktstr_test measured_failure
	echo "$output" >"$out"
	expect_outcome "$out" measured_failure fail "PERF_MODE_UNAVAILABLE: "
	run -0 --separate-stderr ktstr_test measured_two --no-perf-mode --cpu-cap 1
	echo "$output" >"$out"
	[ "$(result "$out" measured_two vcpus)" = 2 ]
	[ "$(result "$out" measured_two cpu_budget)" = 1 ]
	contains "the VM is kept to host CPUs ${cpus[0]}" "$(result "$out" measured_two verdict notes)"
	contains '"--no-perf-mode", "--cpu-cap=1"' "$(result "$out" measured_two reproduce)"
}

@test "a pool: all threads of two vCPUs on one CPU; a ktstr that is killed leaves neither VM nor lock" {
	local killed
	KTSTR_TEST_MARK=killed taskset -c "${cpus[0]},${cpus[1]}" "$KTSTR" test --jobs 1 --filter =ktstr/pooled \
		"$(program vm_reserve)" >/dev/null 2>&1 3>&- &
	killed=$! # taskset has become ktstr
	await_threads killed "${cpus[0]} 0"
	run flock --exclusive --nonblock "$KTSTR_LOCK_DIR/ktstr-llc-0.lock" true
	[ "$status" = 1 ]
	kill -KILL $killed
	wait $killed || true
	eventually no_vm killed
	flock --exclusive --nonblock "$KTSTR_LOCK_DIR/ktstr-llc-0.lock" true
}

@test "LLCs that others hold: a skip that names them, a failure with KTSTR_NO_SKIP_MODE; nothing boots" {
	local lock=$KTSTR_LOCK_DIR/ktstr-llc-0.lock
	run -0 --separate-stderr while_held --shared measured
	echo "$output" >"$out"
	expect_outcome "$out" measured skip
	expect_reason "$out" measured "skip Skip: RESOURCE_CONTENTION: $lock is held by pid "
	[ "$(result "$out" measured cpu_budget)" = 0 ]
	[ "$(result "$out" measured start_mode)" = null ]
	KTSTR_NO_SKIP_MODE='' run -1 --separate-stderr while_held --exclusive pooled
	echo "$output" >"$out"
	expect_reason "$out" pooled "skip Skip: RESOURCE_CONTENTION: 1 host CPUs are wanted, others have left 0 of 2"
	run -0 --separate-stderr on_two_cpus flock --exclusive "$lock" "$KTSTR" test --filter =ktstr/pooled "$(program vm_reserve)"
	contains "ktstr: SKIP: RESOURCE_CONTENTION: " "$stderr"
}

@test "budgets and caps that the host does not have boot nothing" {
	run -0 --separate-stderr ktstr_test greedy
	echo "$output" >"$out"
	expect_reason "$out" greedy "skip Skip: TOPOLOGY_INSUFFICIENT: .cpu_budget is 100000, 2 host CPUs are allowed"
	[ "$(result "$out" greedy cpu_budget)" = 0 ]
	run -1 --separate-stderr ktstr_test plain --cpu-cap 3
	echo "$output" >"$out"
	expect_outcome "$out" plain fail "CPU_BUDGET_UNSATISFIABLE: --cpu-cap is 3, 2 host CPUs are allowed"
	KTSTR_CPU_CAP=3 run -1 --separate-stderr ktstr_test greedy
	echo "$output" >"$out"
	expect_outcome "$out" greedy fail "CPU_BUDGET_UNSATISFIABLE: KTSTR_CPU_CAP is 3, 2 host CPUs are allowed"
	run -1 --separate-stderr ktstr_test measured --cpu-cap 1
	echo "$output" >"$out"
	expect_outcome "$out" measured fail "PERF_MODE_UNAVAILABLE: " "it needs 2 host CPUs, --cpu-cap is 1"
}
