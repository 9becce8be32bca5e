# SPDX-License-Identifier: GPL-2.0-only
# --topology: presets by name, all of them, and what a test's constraints say; nothing boots.
load ../lib/common

listed() { # OPTION...: tests with topologies, as `ktstr test --list` has them
	"$KTSTR" test --list "$(program vm_constraints)" "$@"
}

@test "a preset's name is a topology; an unknown one gets the nearest" {
	run -0 listed --filter anywhere --topology 8cpu-2llc-smt --topology 1n3l1c1t
	[ "$output" = "ktstr/anywhere [1n2l2c2t]: test
ktstr/anywhere [1n3l1c1t]: test" ]
	for command in "run" "test $(program vm_constraints)" shell; do
		# shellcheck disable=SC2086 # words
		run -1 "$KTSTR" $command --topology 8cpu-2lcc-smt
		contains "did you mean 8cpu-2llc-smt?" "$output"
	done
	run -1 "$KTSTR" run --topology al
	contains 'topology "al"' "$output"
}

@test "--topology all: the presets that constraints accept" {
	run -0 listed --deterministic --topology all --filter anywhere
	[ "${#lines[@]}" = 15 ]
	lacks "[2n" "$output"
	lacks "[1n15l" "$output"
	run -0 listed --deterministic --topology all --filter as_the_scheduler
	[ "${#lines[@]}" = 6 ]
	lacks 1t] "$output"
	run -0 listed --deterministic --topology all --filter nodes
	[ "$output" = "ktstr/nodes [2n2l8c2t]: test
ktstr/nodes [2n4l4c1t]: test
ktstr/nodes [2n8l8c2t]: test
ktstr/nodes [2n8l16c1t]: test" ]
	run -0 listed --deterministic --topology all --topology 1n1l1c1t --filter separate_llcs
	[ "$output" = "ktstr/separate_llcs [1n2l2c1t]: test
ktstr/separate_llcs [1n1l1c1t]: test, skipped: .constraints: topology 1n1l1c1t has 1 LLCs, the test needs at least 2" ]
}

@test "--topology all: no more CPUs than the host has, but on virtual time; no preset is a skip" {
	local cpu
	cpu=$(taskset -pc $$)
	cpu=${cpu##* }
	cpu=${cpu%%[,-]*}
	run -0 taskset -c "$cpu" "$KTSTR" test --list --topology all --filter anywhere "$(program vm_constraints)"
	[ "$output" = "ktstr/anywhere [1n1l2c1t]: test, skipped: --topology all: the 15 presets that .constraints accept have 4 CPUs or \
more, this host has 1 for them; any number can be had with --deterministic, or by a preset's name" ]
	run -0 taskset -c "$cpu" "$KTSTR" test --list --topology 4cpu-1llc-nosmt --filter anywhere "$(program vm_constraints)"
	[ "$output" = "ktstr/anywhere [1n1l4c1t]: test" ]
	run -0 listed --deterministic --topology all --filter nowhere
	[ "$output" = "ktstr/nowhere [1n1l2c1t]: test, skipped: --topology all: .constraints accept no preset" ]
}

@test "constraints refuse a topology that is asked for only where they were declared" {
	# Not the default of at most one node.
	run -0 listed --topology 2n2l2c1t --filter anywhere
	[ "$output" = "ktstr/anywhere [2n2l2c1t]: test" ]
	run -0 listed --topology 1n2l4c1t --filter as_the_scheduler
	contains "skipped: .constraints: topology 1n2l4c1t has 1 thread per core, the test needs SMT" "$output"
	run -0 listed --topology 4n4l1c1t --filter nodes
	contains "skipped: .constraints: topology 4n4l1c1t has 4 NUMA nodes, the test allows at most 2" "$output"
	# A test's own is one that it is for.
	run -0 listed --topology 1n1l2c1t --filter separate_llcs
	[ "$output" = "ktstr/separate_llcs [1n1l2c1t]: test" ]
}

@test "list --json has the constraints, inherited and with their defaults" {
	"$KTSTR" list --json "$(program vm_constraints)" | python3 -c '
import json, sys
tests = {t["name"]: t["constraints"] for t in json.load(sys.stdin)}
assert tests["anywhere"] == {"min_numa_nodes": 1, "max_numa_nodes": 1, "min_llcs": 1, "max_llcs": 12, "min_cpus": 1,
                             "max_cpus": 192, "requires_smt": False}
assert tests["separate_llcs"]["min_llcs"] == 2 and tests["separate_llcs"]["max_cpus"] == 4
assert tests["as_the_scheduler"]["min_llcs"] == 2 and tests["as_the_scheduler"]["requires_smt"] is True'
}
