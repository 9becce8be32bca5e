# SPDX-License-Identifier: GPL-2.0-only
# Deterministic runs: equal seeds give equal runs to the last event, in other processes and from other templates; other
# seeds give other runs; a result is enough to repeat one.
load ../lib/common

run_seed() { # SEED [OPTION...]; prints the digest
	"$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 1s --seed "$@" \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || {
		cat "$BATS_TEST_TMPDIR/err" >&2
		return 1
	}
	result "$BATS_TEST_TMPDIR/out" steady digest
}

@test "the same seed gives the same digest and the same numbers" {
	local digest stats
	digest=$(run_seed 3)
	[ ${#digest} = 64 ]
	stats=$(result "$BATS_TEST_TMPDIR/out" steady stats)
	[ "$(run_seed 3)" = "$digest" ]
	[ "$(result "$BATS_TEST_TMPDIR/out" steady stats)" = "$stats" ]
}

@test "another seed gives another run" {
	[ "$(run_seed 3)" != "$(run_seed 4)" ]
}

@test "a busy host changes nothing" {
	local digest busy pids=()
	digest=$(run_seed 5)
	for busy in 1 2 3; do
		sh -c 'while :; do :; done' 3>&- &
		pids+=($!)
	done
	[ "$(run_seed 5)" = "$digest" ] || { kill "${pids[@]}"; return 1; }
	kill "${pids[@]}"
}

@test "a template that was made anew gives the same run" {
	local digest
	digest=$(run_seed 6)
	[ "$(KTSTR_TEMPLATE_DIR=$KTSTR_TEMPLATE_DIR/again run_seed 6)" = "$digest" ]
}

@test "--twice compares, --seeds explores" {
	run -0 "$KTSTR" run --scenario steady --topology 1n1l2c1t --duration 1s --seed 7 --twice
	run -0 --separate-stderr "$KTSTR" run --json --scenario steady --topology 1n1l2c1t --duration 1s --seeds 1..3
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	[ "$(result "$BATS_TEST_TMPDIR/out" summary passed)" = 3 ]
	[ "$(grep -o '"digest":"[0-9a-f]*"' "$BATS_TEST_TMPDIR/out" | sort -u | wc -l)" = 3 ]
}

@test "replay repeats a result" {
	run_seed 8
	run -0 "$KTSTR" replay "$KTSTR_RUNS_ROOT"/*/steady-*-seed8.ktstr.json
	contains "same run" "$output"
	contains "$(result "$BATS_TEST_TMPDIR/out" steady digest)" "$output"
}

@test "replay names what differs and runs nothing" {
	cp "$SCX" "$BATS_TEST_TMPDIR/scx_copy"
	SCX=$BATS_TEST_TMPDIR/scx_copy run_seed 9
	echo more >>"$BATS_TEST_TMPDIR/scx_copy"
	run -1 "$KTSTR" replay "$KTSTR_RUNS_ROOT"/*/steady-*-seed9.ktstr.json
	contains scx_copy "$output"
	lacks "same run" "$output"
}

@test "a failing seed fails again, with the same words" {
	local first
	run -1 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 5s \
		--seed 2 -- --error-after-ms 1000
	echo "$output" >"$BATS_TEST_TMPDIR/first"
	expect_outcome "$BATS_TEST_TMPDIR/first" steady fail "ktstr fixture error"
	run -1 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 5s \
		--seed 2 -- --error-after-ms 1000
	echo "$output" >"$BATS_TEST_TMPDIR/second"
	[ "$(result "$BATS_TEST_TMPDIR/first" steady cause)" = "$(result "$BATS_TEST_TMPDIR/second" steady cause)" ]
	[ "$(result "$BATS_TEST_TMPDIR/first" steady digest)" = "$(result "$BATS_TEST_TMPDIR/second" steady digest)" ]
}
