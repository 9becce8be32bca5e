# SPDX-License-Identifier: GPL-2.0-only
# Deterministic runs: equal seeds give equal runs to the last event, on a busy host and from a template made anew, too;
# other seeds give other runs; a result is enough to repeat one, and to step through it.
load ../lib/common

run_seed() { # SEED FILE: the result in FILE
	"$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 1s --seed "$1" >"$2" ||
		{ cat "$2"; return 1; }
}

# Two results: digest and statistics.
same_run() { # FILE FILE
	local one two
	one=$(result "$1" steady digest; result "$1" steady stats)
	two=$(result "$2" steady digest; result "$2" steady stats)
	[ "$one" = "$two" ] || {
		echo "differs: $(result "$1" steady start_mode) and $(result "$2" steady start_mode)"
		diff <(tr , '\n' <<<"$one") <(tr , '\n' <<<"$two")
		return 1
	}
}

# One run that is recorded, for all that repeat it.
setup_file() {
	export RECORDED=$BATS_FILE_TMPDIR/result KTSTR_SIDECAR_DIR=$BATS_FILE_TMPDIR/recorded
	run_seed 8 "$RECORDED"
	unset KTSTR_SIDECAR_DIR
	SIDECAR=$(result "$RECORDED" steady sidecar)
	export SIDECAR
}

setup() {
	first=$BATS_TEST_TMPDIR/first
	second=$BATS_TEST_TMPDIR/second
}

@test "the same seed gives the same digest and the same numbers" {
	run_seed 8 "$first"
	[[ "$(result "$first" steady digest)" =~ ^[0-9a-f]{64}$ ]]
	same_run "$first" "$RECORDED"
}

@test "another seed gives another run" {
	run_seed 4 "$first"
	[ "$(result "$first" steady digest)" != "$(result "$RECORDED" steady digest)" ]
}

# How many busy processes: as many as CPUs, and one more.
beside_busy_processes() { # COMMAND...
	local status i pids=()
	for ((i = 0; i <= $(nproc); i++)); do
		sh -c 'while :; do :; done' 3>&- &
		pids+=($!)
	done
	"$@" && status=0 || status=1
	kill "${pids[@]}"
	return "$status"
}

@test "a busy host changes nothing" {
	beside_busy_processes run_seed 8 "$first"
	same_run "$first" "$RECORDED"
}

@test "a template that is made anew, on a busy host, is the same machine: a seed is its run everywhere" {
	KTSTR_TEMPLATE_DIR=$KTSTR_TEMPLATE_DIR/again beside_busy_processes "$KTSTR" replay "$SIDECAR" >"$first" || cat "$first"
	contains "same run" "$(cat "$first")"
}

@test "--twice compares, --seeds explores" {
	run -0 "$KTSTR" run --scenario steady --topology 1n1l2c1t --duration 1s --seed 7 --twice
	run -0 --separate-stderr "$KTSTR" run --json --scenario steady --topology 1n1l2c1t --duration 1s --seeds 1..3
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	[ "$(result "$BATS_TEST_TMPDIR/out" summary passed)" = 3 ]
	[ "$(grep -o '"digest":"[0-9a-f]*"' "$BATS_TEST_TMPDIR/out" | sort -u | wc -l)" = 3 ]
}

@test "a budget that is over starts no further seed, and the end says so" {
	run -0 --separate-stderr "$KTSTR" run --json --scenario steady --topology 1n1l2c1t --explore 5 --budget 1ns
	echo "$output" >"$first"
	[ "$(result "$first" summary left_out)" = 5 ]
	[ "$(result "$first" summary not_run)" = 0 ]
}

@test "replay repeats a result" {
	run -0 "$KTSTR" replay "$SIDECAR"
	contains "same run" "$output"
	contains "$(result "$RECORDED" steady digest)" "$output"
}

# As if what was recorded had been another run.
@test "replay names the first event in which a run is not the recorded one" {
	local other=$BATS_TEST_TMPDIR/other
	sed "s/$(result "$RECORDED" steady digest)/another/" "$SIDECAR" >"$other.ktstr.json"
	sed 's/^EXIT /EXIT changed/' "${SIDECAR%.ktstr.json}.trace" >"$other.trace"
	run -1 "$KTSTR" replay "$other.ktstr.json"
	contains "DIFFERENT RUN: seed 8" "$output"
	contains 'differ at event ' "$output"
	contains ' (EXIT): "EXIT changed' "$output"
}

@test "replay names what differs and runs nothing" {
	cp "$SCX" "$BATS_TEST_TMPDIR/scx_copy"
	SCX=$BATS_TEST_TMPDIR/scx_copy run_seed 9 "$first"
	echo more >>"$BATS_TEST_TMPDIR/scx_copy"
	run -1 "$KTSTR" replay "$KTSTR_RUNS_ROOT"/*/steady-*-seed9.ktstr.json
	contains scx_copy "$output"
	lacks "same run" "$output"
	# A library of the scheduler's alone.
	python3 - "$SIDECAR" "$BATS_TEST_TMPDIR/other.ktstr.json" <<-'PYTHON'
		import json, sys
		sidecar = json.load(open(sys.argv[1]))
		library, = (file for file in sidecar["recipe"]["libraries"] if "libbpf" in file["path"])
		library["sha256"] = 64 * "0"
		json.dump(sidecar, open(sys.argv[2], "w"))
	PYTHON
	run -1 "$KTSTR" replay "$BATS_TEST_TMPDIR/other.ktstr.json"
	contains "the library /" "$output"
	contains "libbpf.so.1 has changed since the run was recorded" "$output"
	lacks "same run" "$output"
}

@test "replay --gdb waits for gdb, which finds the kernel's functions and stops in one" {
	command -v gdb >/dev/null || skip "no gdb"
	local said=$BATS_TEST_TMPDIR/said symbols socket pid
	"$KTSTR" replay --gdb "$SIDECAR" >"$said" 3>&- &
	pid=$!
	eventually grep -q 'target remote' "$said"
	symbols=$(sed -n "s/.*gdb \([^ ]*\) -ex.*/\1/p" "$said")
	socket=$(sed -n "s/.*target remote \([^']*\)'.*/\1/p" "$said")
	run -0 timeout 100 gdb --batch -nx "$symbols" -ex "target remote $socket" -ex "break __x64_sys_clock_nanosleep" \
		-ex continue -ex backtrace -ex "info threads" -ex delete -ex detach
	contains "Breakpoint 1, " "$output"
	contains "__x64_sys_clock_nanosleep" "$(grep '^#0' <<<"$output")"
	contains "do_syscall_64" "$output"
	contains "Thread 1.2" "$output"
	wait "$pid"
	contains "verdict pass" "$(cat "$said")"
	[ ! -e "$symbols" ] && [ ! -e "$socket" ]
}

@test "1 ms sleeps in an idle guest of 4 CPUs: 99 % overshoot by less than 0.2 ms" {
	run -0 "$KTSTR" test --filter sleeps_are_short "$(program vm_freezing)"
}

freeze_run() { # MAX_MS: how long the host keeps the guest frozen, at most
	"$(program vm_freezing_host)" "$KTSTR_TEST_BUILD" "$(program vm_freezing)" 5 "$1"
}

@test "a frozen guest stands still, is answered, and cannot tell how long it took" {
	local at_once slowly
	at_once=$(freeze_run 0)
	contains "freezes 200 moved 0 digest" "$at_once"
	slowly=$(freeze_run 15)
	[ "$at_once" = "$slowly" ]
}

# This host need not have KVM: nothing tries it.
@test "a seed is emulated where KVM is used otherwise, and is the same run there" {
	KTSTR_ACCEL=kvm run_seed 8 "$first"
	[ "$(result "$first" steady accel)" = tcg ]
	contains "KVM cannot" "$(result "$first" steady accel_reason)"
	same_run "$first" "$RECORDED"
}

@test "QEMU before 8.1 is refused for more than one CPU, with what to install" {
	local qemu=$BATS_TEST_TMPDIR/qemu
	printf '#!/bin/sh\necho "QEMU emulator version 7.2.22"\n' >"$qemu"
	chmod +x "$qemu"
	KTSTR_QEMU=$qemu KTSTR_ACCEL=tcg run -1 "$KTSTR" run --scenario steady --topology 1n1l2c1t --seed 1
	contains "needs QEMU 8.1, here is 7.2.22: install a newer one" "$output"
	contains "or use 1n1l1c1t" "$output"
}

@test "an ordinary guest cannot freeze and is told so" {
	run -0 "$KTSTR" test --filter cannot_freeze "$(program vm_freezing)"
}

failing_run() { # FILE: the result; what was dumped in FILE.dump
	run -1 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 5s \
		--seed 2 -- --error-after-ms 1000
	echo "$output" >"$1"
	expect_outcome "$1" steady fail "ktstr fixture error"
	cp "$KTSTR_RUNS_ROOT"/*/steady-*-seed2.failure-dump.json "$1.dump"
}

@test "a failing seed fails again, with the same words and the same dump" {
	failing_run "$first"
	failing_run "$second"
	[ "$(result "$first" steady cause)" = "$(result "$second" steady cause)" ]
	same_run "$first" "$second"
	cmp "$first.dump" "$second.dump"
	python3 - "$first.dump" <<-'PYTHON'
		import json, sys
		dump = json.load(open(sys.argv[1]))
		assert dump["schema"] == "single", dump["schema"]
		state = dump["scx_sched_state"]
		assert (state["ops_name"], state["exit_kind"]) == ("ktstr", 1025), state
		assert {"init", "cg_0/0", "cg_1/1"} <= {task["comm"] for task in dump["task_enrichments"]}
		assert any(member["name"] == "nr_enqueues" for m in dump["maps"] if "value" in m
		           for member in m["value"].get("members", []))
	PYTHON
}

@test "a scheduler that leaves by itself is not dumped" {
	run -1 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 3s \
		--seed 3 -- --exit-after-ms 500
	python3 - "$KTSTR_RUNS_ROOT"/*/steady-*-seed3.failure-dump.json <<-'PYTHON'
		import json, sys
		dump = json.load(open(sys.argv[1]))
		assert "scx_sched_state" not in dump, dump["scx_sched_state"]
		assert dump["scx_walker_unavailable"] == "the scheduler did not exit with an error", dump
	PYTHON
}
