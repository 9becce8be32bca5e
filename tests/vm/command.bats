# SPDX-License-Identifier: GPL-2.0-only
# Whole commands with a VM behind them: exit codes, formats, where results go, and that nothing outlives a command,
# not even a killed one.
load ../lib/common

# A scenario that claims nothing of how equal shares are: that is the host's, too.
quick=(--scenario wakeups --topology 1n1l2c1t --duration 1s)

@test "human output in a pipe: a line per test, counts, no escape codes" {
	run -0 "$KTSTR" run "${quick[@]}"
	contains "PASS" "$output"
	contains "wakeups" "$output"
	contains "1 passed" "$output"
	lacks $'\033' "$output"
}

@test "KTAP has a plan and a line per test; the run is in JUnit XML and in the index, with its host" {
	run -0 --separate-stderr "$KTSTR" run --format ktap --junit "$BATS_TEST_TMPDIR/junit.xml" "${quick[@]}"
	[ "${lines[0]}" = "KTAP version 1" ]
	[ "${lines[1]}" = "1..1" ]
	contains "ok 1 wakeups" "$output"
	xmllint --noout --schema "$KTSTR_TEST_SOURCE/tests/unit/junit.xsd" "$BATS_TEST_TMPDIR/junit.xml"
	grep -q '<testcase classname="eevdf" name="wakeups \[1n1l2c1t\]"' "$BATS_TEST_TMPDIR/junit.xml"
	run -0 "$KTSTR" runs history total_iterations --test wakeups --limit 1 --json
	python3 -c 'import json, sys; (row,) = json.load(sys.stdin); assert row["outcome"] == "pass" and row["value"] > 0' <<<"$output"
	run -0 "$KTSTR" stats show-host
	contains "arch: $(uname -m)" "$output"
	run -0 "$KTSTR" stats list-values
	contains "  1n1l2c1t" "$output"
}

@test "KTSTR_SIDECAR_DIR gets the sidecar, which tells how to run it again" {
	local file
	KTSTR_SIDECAR_DIR=$BATS_TEST_TMPDIR/here run -0 "$KTSTR" run --scheduler "$SCX" "${quick[@]}"
	file=$(echo "$BATS_TEST_TMPDIR"/here/*.ktstr.json)
	python3 -m json.tool "$file" >"$BATS_TEST_TMPDIR/pretty"
	grep -q '"outcome": "pass"' "$BATS_TEST_TMPDIR/pretty"
	grep -q '"--topology=1n1l2c1t"' "$BATS_TEST_TMPDIR/pretty"
}

@test "a scheduler can be found by name beside ktstr, and its arguments reach it" {
	run -0 --separate-stderr "$KTSTR" run --json --scheduler scx_ktstr "${quick[@]}" -- --slice-us 5000
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	[ "$(result "$BATS_TEST_TMPDIR/out" wakeups resolve_source)" = path_lookup ]
	[ "$(result "$BATS_TEST_TMPDIR/out" wakeups scheduler_args)" = '["--slice-us", "5000"]' ]
}

@test "a disk that is full when the result is stored fails the test and names the path" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	local dir=$BATS_TEST_TMPDIR/full
	mkdir "$dir"
	mount -t tmpfs -o size=4k tmpfs "$dir" || skip "no mounts here"
	KTSTR_SIDECAR_DIR=$dir run "$KTSTR" run "${quick[@]}"
	umount "$dir"
	[ "$status" = 1 ] || { echo "status $status: $output"; return 1; }
	contains "could not be stored" "$output"
	contains "$dir" "$output"
	contains "No space left on device" "$output"
}

@test "shell --exec runs a command in the guest and gives its exit status" {
	run -7 --separate-stderr "$KTSTR" shell --topology 1n2l2c1t --exec 'nproc; exit 7'
	[ "$output" = 4 ]
}

# A long run whose QEMU carries KTSTR_TEST_MARK=$mark; its pid in $pid. `env` takes back what the shell does to
# signals of background jobs.
start_marked_run() {
	mark=$BATS_TEST_NUMBER-$$-$RANDOM
	KTSTR_TEST_MARK=$mark env --default-signal=INT,TERM,HUP "$KTSTR" run --scenario steady --topology 1n1l2c1t \
		--duration 300s >"$BATS_TEST_TMPDIR/run" 2>&1 3>&- &
	pid=$!
	eventually vm_is_there
}

vm_is_there() {
	[ -n "$(marked_vms "$mark")" ]
}

# For a second of its CPU time (field 14 of /proc/PID/stat is in hundredths).
vm_has_run() {
	local vm fields
	vm=$(marked_vms "$mark")
	read -ra fields <"/proc/$vm/stat" && ((fields[13] >= 100))
}

no_vm_is_there() {
	[ -z "$(marked_vms "$mark")" ]
}

# What lies in shared memory by our doing, but for finished templates and their locks. Nobody else has this store.
nothing_is_left_over() {
	local left
	left=$(find "$KTSTR_TEMPLATE_DIR" -name 'build.*' -o -name '*.tmp*')
	[ -z "$left" ] || { echo "left over: $left"; return 1; }
}

ends_with_signal() { # SIGNAL STATUS
	local status=0
	kill -"$1" "$pid"
	wait "$pid" || status=$?
	[ "$status" = "$2" ] || { echo "status $status"; cat "$BATS_TEST_TMPDIR/run"; return 1; }
	eventually no_vm_is_there
}

@test "Ctrl-C ends the VM and the exit code is 130" {
	start_marked_run
	ends_with_signal INT 130
	contains interrupted "$(cat "$BATS_TEST_TMPDIR/run")"
}

@test "SIGTERM ends the VM, too" {
	start_marked_run
	ends_with_signal TERM 130
	contains interrupted "$(cat "$BATS_TEST_TMPDIR/run")"
}

@test "nothing is left of a run that was killed in its middle" {
	"$KTSTR" run "${quick[@]}"
	start_marked_run
	eventually vm_has_run
	ends_with_signal KILL 137
	run -0 "$KTSTR" template list
	no_vm_is_there
	nothing_is_left_over
}

@test "nothing is left of a template that was being made" {
	export KTSTR_TEMPLATE_DIR=$KTSTR_TEMPLATE_DIR/killed
	start_marked_run
	ends_with_signal KILL 137
	run -0 "$KTSTR" template list
	no_vm_is_there
	nothing_is_left_over
}
