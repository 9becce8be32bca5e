# SPDX-License-Identifier: GPL-2.0-only
# rt-app files that are refused before any VM, by --rt-app and by .rt_app.
load ../lib/common

refused() { # TEXT PART...: a file of that text
	local part
	echo "$1" >"$BATS_TEST_TMPDIR/file.json"
	run -1 "$KTSTR" run --rt-app "$BATS_TEST_TMPDIR/file.json" --topology 1n1l2c1t
	shift
	contains "rt-app file: $BATS_TEST_TMPDIR/file.json: " "$output"
	for part in "$@"; do
		contains "$part" "$output"
	done
}

@test "file, task, phase and event are named, and what to do" {
	refused '{ "tasks" : { "t" : { "phases" : { "p" : { "run" : 1, "sleep" : "x" } } } } }' \
		"task t: phase p: event sleep: its value is a string: give an integer of microseconds"
	refused '{ "tasks" : { "t" : { "run" : 1, "util_max" : 512 } } }' 'task t: "util_max" cannot be translated'
	refused '{ "tasks" : { "t" : { "run" : 1, "cpus" : [ 5 ] } } }' "cpus names CPU 5, but the machine has 2"
	refused '{ "tasks" : { "t" : { "fork" : "u" }, "u" : { "run" : 1 } } }' "a fork without end cannot be translated"
	refused '{ "tasks"' "line 2 is not JSON"
}

@test "a file that is not there" {
	run -1 "$KTSTR" run --rt-app nowhere.json
	contains 'rt-app file: no "nowhere.json" in ., ' "$output"
	contains "; give a path" "$output"
	cp /dev/null "$BATS_TEST_TMPDIR/in-path.json"
	PATH="$BATS_TEST_TMPDIR:$PATH" run -1 "$KTSTR" run --rt-app in-path.json
	contains 'no "in-path.json"' "$output"
	lacks "$BATS_TEST_TMPDIR" "$output"
	run -1 "$KTSTR" run --rt-app /no/where.json
	contains "/no/where.json: No such file or directory" "$output"
}

@test "a test's own file" {
	run -1 "$KTSTR" test "$(program cli_bad_rt_app)"
	contains "test unknown_event: .rt_app: " "$output"
	contains 'the key "walk" means nothing to ktstr' "$output"
}

@test "--rt-app or --scenario" {
	run -1 "$KTSTR" run --rt-app x.json --scenario steady
	contains "exclude each other" "$output"
}
