# SPDX-License-Identifier: GPL-2.0-only
# Constraints of tests against topologies of the command line; what needs no run is in cli/topologies.bats.
load ../lib/common

@test "a topology that a test is not for is a recorded skip with the reason, and boots nothing" {
	local out=$BATS_TEST_TMPDIR/out
	run -0 --separate-stderr "$KTSTR" test --json --topology 1n1l4c1t "$(program vm_constraints)" --filter separate_llcs
	echo "$output" >"$out"
	[ "$(result "$out" separate_llcs outcome)" = skip ]
	[ "$(result "$out" separate_llcs reasons)" = \
		"skip Skip: .constraints: topology 1n1l4c1t has 1 LLCs, the test needs at least 2" ]
	[ "$(result "$out" separate_llcs topology)" = 1n1l4c1t ]
	[ "$(result "$out" separate_llcs start_mode)" = null ]
	run -0 "$KTSTR" runs list --json --test separate_llcs --topology 1n1l4c1t --outcome skip
	contains '"skipped": 1' "$output"
	run -1 "$KTSTR" test --no-skip-mode --topology 1n1l4c1t "$(program vm_constraints)" --filter separate_llcs
	contains "1 skipped" "$output"
}

@test "a skip has no second run to be compared with, and nothing to be replayed" {
	local out=$BATS_TEST_TMPDIR/out
	run -0 --separate-stderr "$KTSTR" test --json --twice --topology 1n1l4c1t "$(program vm_constraints)" --filter separate_llcs
	echo "$output" >"$out"
	[ "$(result "$out" separate_llcs outcome)" = skip ]
	[ "$(result "$out" separate_llcs recipe)" = null ]
}

@test "the test's own topology is one that it is for, whatever its constraints" {
	local out=$BATS_TEST_TMPDIR/out
	run -1 --separate-stderr "$KTSTR" test --json "$(program vm_constraints)" --filter separate_llcs
	echo "$output" >"$out"
	[ "$(result "$out" separate_llcs topology)" = 1n1l2c1t ]
	expect_reason "$out" separate_llcs "fail Other: ktstr_test_topology_num_llcs(ctx->topo)"
}

@test "--topology all runs a test on each preset that its constraints accept; without one it is a skip" {
	local out=$BATS_TEST_TMPDIR/out
	run -0 --separate-stderr "$KTSTR" test --json --jobs 1 --deterministic --topology all "$(program vm_constraints)" \
		--filter separate_llcs --filter nowhere
	echo "$output" >"$out"
	[ "$(wc -l <"$out")" = 3 ] # with the summary
	[ "$(result "$out" separate_llcs outcome)" = pass ]
	[ "$(result "$out" separate_llcs topology)" = 1n2l2c1t ]
	[ "$(result "$out" nowhere reasons)" = "skip Skip: --topology all: .constraints accept no preset" ]
}
