# SPDX-License-Identifier: GPL-2.0-only
# Every work type in a VM (vm/work_types.c): the kernel's own counters confirm it, and a seed repeats it.
load ../lib/common

@test "the kernel's counters confirm what each work type presses" {
	run -0 --separate-stderr "$KTSTR" test --json --filter =ktstr/pressure "$(program vm_work_types)"
}

@test "all work types together are the same again with the same seed" {
	run -0 --separate-stderr "$KTSTR" test --json --twice --filter =ktstr/repeatable "$(program vm_work_types)"
	contains '"digest"' "$output"
}
