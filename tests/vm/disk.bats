# SPDX-License-Identifier: GPL-2.0-only
# Guests with a disk (vm/disk.c): what is counted, how limits bear on it, and that no guest sees what another one wrote.
load ../lib/common

setup_file() {
	export KTSTR_TEMPLATE_DIR=$KTSTR_TEMPLATE_DIR/disk
}

run_test() { # TEST [OPTION...]; its result in $out
	local test=$1
	shift
	out=$BATS_TEST_TMPDIR/$test
	run --separate-stderr "$KTSTR" test --json --filter "=ktstr/$test" "$@" "$(program vm_disk)"
	echo "$output" >"$out"
	expect_outcome "$out" "$test" pass
}

counter() { # TEST COUNTER
	result "$out" "$1" virtio_blk_counters "$2"
}

@test "a throttled disk does fewer of the same writes than another one, and fails none" {
	local free
	run_test unthrottled
	[ "$(result "$out" unthrottled start_mode)" = warm ]
	free=$(counter unthrottled writes_completed)
	[ "$(counter unthrottled currently_throttled_gauge)" = null ]
	run_test throttled
	# The same template: the guest cannot tell.
	[ "$(result "$out" throttled start_mode)" = warm+program ]
	[ "$(counter throttled writes_completed)" -gt 0 ]
	[ "$(counter throttled io_errors)" = 0 ]
	[ "$free" -ge $((3 * $(counter throttled writes_completed))) ]
	lacks "cannot write" "$(result "$out" throttled output)"
}

@test "requests that the host has no room for fail the run, with the place" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	local cache=${KTSTR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ktstr} mine=$BATS_TEST_TMPDIR/cache
	mkdir -p "$mine/disk_templates"
	ln -s "$cache"/* "$mine/" 2>/dev/null || true # all but what is there
	mount -t tmpfs -o size=64k tmpfs "$mine/disk_templates" || skip "no mounts here"
	KTSTR_CACHE_DIR=$mine run --separate-stderr "$KTSTR" test --json --filter =ktstr/unthrottled "$(program vm_disk)"
	umount "$mine/disk_templates"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" unthrottled fail "requests of the guest's disk failed on the host" \
		"$mine/disk_templates, which has 0 MiB free"
}

@test "each guest gets a disk of zeroes" {
	local i
	for i in 1 2; do
		run_test fresh
	done
}

@test "a btrfs is mounted in a clone, and is another one in the next" {
	local i
	run_test mounted
	[ "$(result "$out" mounted start_mode)" = warm ]
	lacks "uses files in /tmp" "$(result "$out" mounted output)"
	run_test mounted
	[ "$(result "$out" mounted start_mode)" = warm+program ]
}

@test "a guest that boots mounts its disk, too, and a read-only one cannot be written to" {
	run_test read_only --cold
	[ "$(result "$out" read_only start_mode)" = cold ]
}

@test "a deterministic run cannot have a disk, and says so before it boots" {
	run -1 "$KTSTR" test --seed 7 --filter =ktstr/fresh "$(program vm_disk)"
	contains "test fresh has a disk, which a deterministic run cannot have" "$output"
	run -1 "$KTSTR" run --seed 7 --scenario steady --disk 64MiB
	contains "run it without a seed" "$output"
}
