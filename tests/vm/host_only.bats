# SPDX-License-Identifier: GPL-2.0-only
# Bodies that run without a VM (vm/host_only.c). A guest plays the host: it has root, cgroups and nobody else's tests.
load ../lib/common

setup_file() {
	"$KTSTR" shell --topology 1n1l2c1t --include "$KTSTR" --include "$(program vm_host_only)" --exec-timeout 200s --exec "
		mkdir -p /sys/fs/cgroup/ktstr/run-99999
		KTSTR_STALL_POLL_MS=200 KTSTR_SIDECAR_DIR=/tmp/results ktstr test --json --jobs 1 /include-files/vm_host_only
		echo cgroups: \$(ls -d /sys/fs/cgroup/ktstr/*/ 2>/dev/null)
		pid=\$(grep -ho 'mess: [0-9]*' /tmp/results/leaves_a_mess*.json | head -n 1)
		[ -n \"\$pid\" ] && [ ! -e /proc/\${pid#mess: } ] && echo sleeper: gone" >"$BATS_FILE_TMPDIR/said" || return 1
	grep '^{' "$BATS_FILE_TMPDIR/said" >"$BATS_FILE_TMPDIR/results"
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

@test "a body runs on the machine itself, with its cgroups and checks, and no machine is boasted of" {
	expect_outcome "$results" on_host pass
	[ "$(result "$results" on_host topology)" = host ]
	[ "$(result "$results" on_host start_mode)" = host ]
	[ "$(result "$results" on_host qemu_version)" = null ]
	[ "$(result "$results" on_host stalls)" = "[]" ]
}

@test "a process that stands still is reported once, and again after it moved" {
	expect_outcome "$results" stands_still pass
	result "$results" stands_still stalls | python3 -c 'import json, sys
reports = json.load(sys.stdin)
assert len(reports) == 2, reports
for r in reports:
    s, d = r["samples"], r["diagnostic"]
    assert len(s) == 4 and all(x == s[0] for x in s), s
    assert d["state"].startswith("S") and "/still" in d["cgroup"], d
    assert "Name:" in d["status_full"] and d["host_loadavg"], d
assert reports[0]["samples"][0]["nr_switches"] < reports[1]["samples"][0]["nr_switches"]'
	contains "stood still: state S" "$(result "$results" stands_still verdict)"
}

@test "what a body or a killed ktstr leaves behind is removed" {
	expect_outcome "$results" leaves_a_mess pass
	grep -qx "cgroups:" "$BATS_FILE_TMPDIR/said"
	grep -qx "sleeper: gone" "$BATS_FILE_TMPDIR/said"
}

@test "without cgroup2 the error says so" {
	run -1 env KTSTR_HOST_CGROUP_PARENT="$BATS_TEST_TMPDIR/nowhere" "$KTSTR" test --filter on_host "$(program vm_host_only)"
	contains "no cgroup2 tree is mounted above $BATS_TEST_TMPDIR/nowhere" "$output"
}
