# SPDX-License-Identifier: GPL-2.0-only
# Guests and test bodies that end badly (vm/trouble.c): each end is told apart, none is a pass.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_trouble)" >"$BATS_FILE_TMPDIR/results" && return 1
	true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

@test "a panic: its text is the cause" {
	expect_outcome "$results" panics_the_guest fail "the guest kernel crashed" "sysrq triggered crash"
	contains "Kernel panic" "$(result "$results" panics_the_guest crash_message)"
	[ "$(result "$results" panics_the_guest guest_result_received)" = false ]
}

@test "a breakpoint in the kernel that emulation has left there: the run is made again, once, and says so" {
	expect_outcome "$results" emulated_badly fail "the guest kernel crashed: Oops: int3"
	contains "run again: in the first run the guest's kernel hit a breakpoint" "$(result "$results" emulated_badly verdict)"
}

@test "a segmentation fault in the body, with its last words" {
	expect_outcome "$results" segfaults fail "ended without a verdict" "signal 11"
	contains "last words before the crash" "$(result "$results" segfaults output)"
}

@test "exit(0) in the body is no pass" {
	expect_outcome "$results" exits_without_verdict fail "ended without a verdict" "exit code 0"
}

@test "a guest that powers off in the middle" {
	expect_outcome "$results" powers_off fail "powered off"
}

@test "a skip carries its reason and is no failure" {
	expect_outcome "$results" skips skip "needs 99 LLCs"
	[ "$(result "$results" summary skipped)" = 1 ]
}

@test "a body's own failure, note and output reach the result" {
	expect_outcome "$results" fails_by_its_own_words fail 'the body says "no"'
	contains "a note of the body" "$(result "$results" fails_by_its_own_words verdict notes)"
	contains "a line on stdout" "$(result "$results" fails_by_its_own_words output)"
}

@test "2 MB of output with control bytes neither block the guest nor reach a terminal raw" {
	local output
	expect_outcome "$results" talks_without_end fail "said it all"
	output=$(result "$results" talks_without_end output)
	contains "line 39999 of far too many" "$output"
	lacks $'\033' "$output"
	lacks $'\007' "$output"
	[ "$(result "$results" talks_without_end corrupt_frames)" = 0 ]
}

@test "a cgroup name that would leave the tree" {
	expect_outcome "$results" bad_cgroup_name fail "../escape" "starts with a dot"
}

@test "three workers of a work type that needs pairs" {
	expect_outcome "$results" odd_pipe_workers fail "PipeIo (group 0) requires num_workers divisible by 2, got 3"
}

@test "a test that is ignored by default did not run" {
	run -1 result "$results" hangs outcome
}

@test "--no-skip-mode makes a skip fail" {
	run -1 --separate-stderr "$KTSTR" test --json --no-skip-mode --filter =ktstr/skips "$(program vm_trouble)"
}
