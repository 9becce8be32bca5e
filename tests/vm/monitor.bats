# SPDX-License-Identifier: GPL-2.0-only
# What the host sees of running kernels, and does to them (vm/monitor.c): samples, captures, watches, kernel variables,
# the watchdog's limit. The programs compare with what their guests see; here is what came of it in the results.
load ../lib/common

setup_file() {
	"$KTSTR" test --json "$(program vm_monitor)" >"$BATS_FILE_TMPDIR/results" && return 1
	true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

# Python statements about a test's sidecar `r`; report(tag) is a capture.
holds() { # TEST STATEMENTS
	python3 -c "
import json, os, re, sys
path = sys.argv[1]
r = json.load(open(path))
m = r['monitor']
snapshots = r['captures']['snapshots']
def report(tag):
    name, = (s['file'] for s in snapshots if s['tag'] == tag)
    return json.load(open(os.path.join(os.path.dirname(path), name)))
def waited(r): # seconds, as the kernel has it
    return float(re.search(r'failed to run for ([0-9.]+)s', r['cause'])[1])
def value(report, variable):
    return next(v['value']['value'] for b in report['maps'] if 'value' in b
                for v in b['value'].get('members', []) if v['name'] == variable)
$2" "$(result "$results" "$1" sidecar)"
}

@test "kernel variables: what the host reads and writes is what /proc shows" {
	expect_outcome "$results" kernel_operations pass
	holds kernel_operations '
tags = [op["tag"] for op in r["captures"]["kernel_ops"]]
assert tags == ["jiffies", "panic", "cpu", "cpu", "jiffies", "banner"], tags
assert bytes.fromhex(r["captures"]["kernel_ops"][5]["values"][0]["bytes"]) == b"Linux version "'
}

@test "watches: each write is captured, the fourth watch and an unknown symbol are refused" {
	expect_outcome "$results" watches pass
	holds watches '
assert [s["tag"] for s in snapshots] == ["panic_timeout", "panic_timeout.2", "panic_timeout.3"], snapshots
assert all(s["kind"] == "watch" for s in snapshots)
d = report("panic_timeout")
assert any("proc" in c.get("symbol", "") for c in d["vcpu_regs"]), d["vcpu_regs"]'
}

@test "captures on request and on schedule; the guest goes on as if nothing had been" {
	expect_outcome "$results" captures pass
	holds captures '
assert r["periodic_fired"] == r["periodic_target"] == 3
at = [s["boundary_offset_ms"] for s in snapshots if s["kind"] == "periodic"]
assert at == [1200, 2000, 2800] or 1200 < at[0] < at[1] < at[2] < 3600, at # later when the host was late to look
assert "in the middle" in [s["tag"] for s in snapshots]
counts = [value(report(t), "nr_enqueues") for t in ("periodic_000", "periodic_001", "periodic_002")]
assert counts[0] < counts[1] < counts[2], counts
d = report("in the middle")
assert len(d["vcpu_regs"]) == len(d["rq_scx_states"]) == 4 and d["scx_sched_state"]["ops_name"] == "ktstr"
assert len(d["event_counter_timeline"]) > 3
assert [c["cgroup"] for c in d["cgroup_psi"]] == ["cg_0", "cg_1"] and d["cgroup_psi"][0]["cpu_some"]["avg10_pct"] >= 0
assert "CONFIG_IRQ_TIME_ACCOUNTING" in d["cgroup_psi_irq_unavailable"], d["cgroup_psi_irq_unavailable"]
assert not any("cgroup_irq" in name or "cgroup_psi" in name for p in r["stats"]["phases"] for name in p["metrics"])
assert 0 < m["frozen_ns"] < r["stages"]["run"]
# The clock of each CPU has gone on from one to the next.
clocks = [[rq["rq_clock"] for rq in report(t)["rq_scx_states"]] for t in ("periodic_000", "periodic_001", "periodic_002")]
assert all(len(c) == 4 for c in clocks), clocks
assert all(a < b for early, late in zip(clocks, clocks[1:]) for a, b in zip(early, late)), clocks
# A scheduler that did not fail leaves no dump of a failure.
assert not os.path.exists(path.replace(".ktstr.json", ".failure-dump.json"))'
}

@test "captures, watches and kernel variables as ops of a scenario, stamped with their step" {
	expect_outcome "$results" ops pass
	holds ops '
steps = {s["tag"]: s.get("step_index") for s in snapshots}
# Due in the middle of the run, which a slow guest may not have begun by then. The host is no guest: it fires no watch.
assert steps.pop("periodic_000") in (None, 1, 2) and steps == {"step two": 2}, steps
assert r["captures"]["kernel_ops"] == [{"tag": "panic", "values": [{"kind": "u32", "number": 99}]}]
procs, = r["captures"]["cgroup_procs"]
assert [c["cgroup"] for c in report("step two")["cgroup_psi"]] == ["cg_0"], report("step two")["cgroup_psi"]
assert procs["tag"] == "procs" and procs["cgroup"] == "cg_0" and len(procs["pids"]) == 2, procs'
}

# Of emulated CPUs on a busy host one may be seen between two of its ticks.
@test "the monitor samples a running guest under KASLR: clocks advance, counters of 7.x are there, absent is not zero" {
	holds captures '
assert 10 < m["total_samples"] == m["plausible_samples"], m
assert m["stuck_count"] * 20 < m["total_samples"] and m["avg_nr_running"] > 0.5, m
assert m["boot_wait_outcome"] == "fired" and m["scx_event_counters_supported"], m
assert int(m["page_offset"], 16) >> 63 and m["preemption_threshold_ns"] == 10 * 10**9 // m["watchdog_observation"]["hz"], m
events = m["event_deltas"]
names = ["select_cpu_fallback", "dispatch_local_dsq_offline", "dispatch_keep_last", "enq_skip_exiting",
    "enq_skip_migration_disabled", "reenq_immed", "reenq_local_repeat", "refill_slice_dfl", "bypass_duration",
    "bypass_dispatch", "bypass_activate", "insert_not_owned", "sub_bypass_dispatch"]
assert len(names) == 13 and all(events[name] >= 0 for name in names), events
assert m["schedstat_deltas"]["sched_count"] > 0
assert any(p["name"] == "ktstr_enqueue" and p["cnt"] > 0 and p["nsecs_per_call"] > 0 for p in m["prog_stats_deltas"])
assert any(v["name"] == "ktstr_dispatch" and v["verified_insns"] > 100 for v in r["verifier_stats"])'
}

@test "watched variables of the scheduler are metrics; what it does not have is absent" {
	holds captures '
metrics = r["stats"]["ext_metrics"]
assert metrics["scx_ktst_enqueues"] > 0 and metrics["stats_select_cpu"] > 0 and metrics["scx_ktst_vtime"] > 0, metrics
assert not any("absent" in name for name in metrics)'
}

@test "EEVDF is monitored, too: no scheduler, no event counters" {
	holds kernel_operations '
assert m["total_samples"] > 0 and m["event_deltas"] is None and m["watchdog_observation"] is None, m'
}

@test "a variable that the host sets reaches the scheduler" {
	expect_outcome "$results" map_write fail "failure_code is 77"
	holds map_write 'assert r["bpf_map_writes_delivered"] is True'
}

@test "the watchdog's limit is written and read back; a scheduler that is well stays" {
	expect_outcome "$results" shorter_watchdog pass
	holds shorter_watchdog '
w = m["watchdog_observation"]
assert w["expected_jiffies"] == w["observed_jiffies"] == 3 * w["hz"], w'
}

@test "a real stall is evicted at the limit that the test gives, not the scheduler's" {
	expect_outcome "$results" stall_with_override fail "runnable task stall" "failed to run for"
	holds stall_with_override '
w = m["watchdog_observation"]
assert w["observed_jiffies"] == 2 * w["hz"], w
assert 2 <= waited(r) < 8, r["cause"]'
}

@test "a deterministic guest is looked at when it freezes itself" {
	expect_outcome "$results" deterministic pass
	holds deterministic '
assert r["periodic_fired"] == 1 and [s["tag"] for s in snapshots] == ["before", "periodic_000"], snapshots
assert report("before")["scx_sched_state"]["ops_name"] == "ktstr" and m["frozen_ns"] == 0'
}

# A limit of nothing is one that every stop exceeds.
@test "a guest that does not stop in time leaves degraded dumps, and goes on" {
	local dump
	export KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/runs # a run clears its run directory
	KTSTR_FREEZE_RENDEZVOUS_TIMEOUT_MS=0 run -1 --separate-stderr "$KTSTR" test --json --filter =ktstr/captures \
		"$(program vm_monitor)"
	echo "$output" >"$BATS_TEST_TMPDIR/results"
	results=$BATS_TEST_TMPDIR/results
	expect_outcome "$results" captures fail "did not stop"
	holds captures '
assert r["guest_exit_code"] == 0 and r["stats"]["total_iterations"] > 0, r["guest_exit_code"]
assert (r["periodic_target"], r["periodic_fired"]) == (3, 2) # two time-outs in a row end them
assert [s["tag"] for s in snapshots] in (["periodic_000", "in the middle", "periodic_001"], ["in the middle", "periodic_000",
    "periodic_001"], ["periodic_000", "periodic_001", "in the middle"]), snapshots
assert all(report(t)["is_placeholder"] for t in ("periodic_000", "periodic_001"))
late = "vCPU rendezvous timed out before parked acknowledgement: the guest"
for d in (report("in the middle"), json.load(open(path.replace(".ktstr.json", ".failure-dump.json")))):
    assert d["schema"] == "degraded" and d["reason"].startswith(late), d
    assert d["vcpu_regs"] == [None] * 4 and d["exit_kind"] == 0, d
assert m["total_samples"] > 10, m'
	for dump in "$KTSTR_RUNS_ROOT"/*/captures-*.{failure-dump,snapshot.in_the_middle,snapshot.periodic_000}.json; do
		/usr/bin/python3 "$KTSTR_TEST_SOURCE/tests/lib/validate.py" "$KTSTR_TEST_SOURCE/docs/schema/failure-dump.schema.json" "$dump"
	done
}

@test "callbacks after the VM: what they find decides, a crash is a failure, a skip hides none" {
	expect_outcome "$results" post_vm_fails fail "vm->vcpus" "at_least 100"
	expect_outcome "$results" post_vm_skips skip "post_vm_skips has no crystal ball"
	expect_outcome "$results" post_vm_crashes fail "post_vm:" "signal 6"
	expect_outcome "$results" post_vm_after_failure fail "failed on purpose"
	[ ! -e "$(result "$results" post_vm_fails sidecar).post-vm" ]
}

@test "captures of an earlier run are gone when a test runs again" {
	local sidecar stale dump
	sidecar=$(result "$results" watches sidecar)
	stale=${sidecar%.ktstr.json}.snapshot.stale.json
	dump=${sidecar%.ktstr.json}.failure-dump.json
	echo '{}' | tee "$stale" >"$dump"
	"$KTSTR" test --json --filter =ktstr/watches "$(program vm_monitor)" >"$BATS_TEST_TMPDIR/again"
	[ "$(result "$BATS_TEST_TMPDIR/again" watches sidecar)" = "$sidecar" ]
	[ ! -e "$stale" ]
	[ ! -e "$dump" ]
	[ -e "${sidecar%.ktstr.json}.snapshot.panic_timeout.json" ]
}

# One after the other: two schedulers that attach at the same time take more than twice as long, and there is a limit.
@test "kernel 6.16: samples, counters and the watchdog's limit there, too" {
	run -1 --separate-stderr "$KTSTR" test --kernel 6.16 --json --jobs 1 --topology 1n2l2c1t --filter =ktstr/captures \
		--filter =ktstr/stall_with_override "$(program vm_monitor)"
	echo "$output" >"$BATS_TEST_TMPDIR/old"
	results=$BATS_TEST_TMPDIR/old
	expect_outcome "$results" captures pass
	holds captures '
assert r["periodic_fired"] == 3 and m["event_deltas"]["dispatch_keep_last"] >= 0, m
assert len([e for e in m["event_deltas"] if "rate" not in e and "burst" not in e]) == 9, m["event_deltas"]
assert "reenq_immed" not in m["event_deltas"], m["event_deltas"]'
	expect_outcome "$results" stall_with_override fail "runnable task stall"
	holds stall_with_override '
w = m["watchdog_observation"]
assert w["expected_jiffies"] == w["observed_jiffies"] == 2 * w["hz"], w
assert 2 <= waited(r) < 8, r["cause"]'
}
