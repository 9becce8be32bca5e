# SPDX-License-Identifier: GPL-2.0-only
# Workers and cgroups in a guest (vm/workers.c): many, limited, and hostile ones.
load ../lib/common

setup_file() {
	"$KTSTR" test --json --filter fork_bombs --filter memory_hogs --filter knobs "$(program vm_workers)" >"$BATS_FILE_TMPDIR/results" || true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

@test "fork bombs hit the limit of their cgroup, not the agent" {
	expect_outcome "$results" fork_bombs pass
}

@test "memory hogs are killed; agent, harness and other workers are not" {
	expect_outcome "$results" memory_hogs pass
}

@test "every knob of a cgroup and attribute of a worker, read back from the kernel" {
	expect_outcome "$results" knobs pass
}
