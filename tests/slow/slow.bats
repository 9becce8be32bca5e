# SPDX-License-Identifier: GPL-2.0-only
# What takes minutes: limits that must run out, and many good runs in a row.
load ../lib/common

teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/shm" || umount "$BATS_TEST_TMPDIR/shm"
}

@test "a body that hangs is ended and said to have overrun" {
	run -1 --separate-stderr "$KTSTR" test --json --filter =ktstr/hangs "$(program vm_trouble)"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" hangs fail "overran"
	[ "$(result "$BATS_TEST_TMPDIR/out" hangs timed_out)" = true ]
}

@test "a scheduler that never attaches is told after the limit" {
	run -1 --separate-stderr "$KTSTR" test --json --filter =ktstr/never_attaches "$(program vm_schedulers)"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	expect_outcome "$BATS_TEST_TMPDIR/out" never_attaches fail "scheduler sleeps never attached"
}

@test "20 good runs in a row: no false failure" {
	local shapes=() i
	for ((i = 0; i < 10; i++)); do
		shapes+=(--topology 1n1l2c1t --topology 1n2l2c1t)
	done
	run -0 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --scenario steady --duration 2s --jobs 2 "${shapes[@]}"
	[ "$(result <(echo "$output") summary passed)" = 20 ]
}

@test "the whole smoke set under the fixture scheduler" {
	run -0 --separate-stderr "$KTSTR" run --json --scheduler "$SCX" --duration 3s --jobs 2
	[ "$(result <(echo "$output") summary failed)" = 0 ]
}

@test "the whole smoke set under EEVDF" {
	run -0 --separate-stderr "$KTSTR" run --json --duration 3s --jobs 2
	[ "$(result <(echo "$output") summary failed)" = 0 ]
}

@test "a cold deterministic run depends on no template" {
	local i digests=()
	for i in 1 2; do
		"$KTSTR" run --json --scheduler "$SCX" --scenario steady --topology 1n1l2c1t --duration 1s --seed 6 --cold \
			>"$BATS_TEST_TMPDIR/out"
		digests+=("$(result "$BATS_TEST_TMPDIR/out" steady digest)")
	done
	[ "${#digests[0]}" = 64 ]
	[ "${digests[0]}" = "${digests[1]}" ]
}

@test "every built-in scenario under EEVDF and the fixture scheduler on three topologies" {
	local scenarios=() name scheduler
	for name in steady steady_llc oversubscribed cpuset_apply cpuset_clear cpuset_resize cgroup_add cgroup_remove \
		affinity_change affinity_pinned host_contention mixed_workloads nested_steady nested_task_move; do
		scenarios+=(--scenario "$name")
	done
	for scheduler in eevdf "$SCX"; do
		run -0 --separate-stderr "$KTSTR" run --json --scheduler "$scheduler" --duration 3s --jobs 2 "${scenarios[@]}" \
			--topology 1n1l2c1t --topology 1n2l3c1t --topology 2n2l2c2t
		[ "$(result <(echo "$output") summary failed)" = 0 ]
		# Two CPUs are too few for four of them; nothing else is skipped.
		[ "$(result <(echo "$output") summary skipped)" = 4 ]
	done
}

# 4 CPUs in 2 LLCs, cgroups of different kinds of work, under the fixture scheduler.
mixed() { # OPTION...: JSON results
	"$KTSTR" run --json --jobs 1 --scheduler "$SCX" --scenario mixed_workloads --topology 1n2l2c1t --duration 500ms "$@"
}

digests() {
	grep -o '"digest":"[0-9a-f]*"' | sort -u
}

@test "20 runs of a seed, half of them beside two busy processes: one digest" {
	local i pids=()
	for ((i = 0; i < 20; i++)); do
		if [ "$i" = 10 ]; then
			sh -c 'while :; do :; done' 3>&- & pids+=($!)
			sh -c 'while :; do :; done' 3>&- & pids+=($!)
		fi
		mixed --seed 4 >>"$BATS_TEST_TMPDIR/out" || true
	done
	kill "${pids[@]}"
	[ "$(grep -c '"outcome":"pass"' "$BATS_TEST_TMPDIR/out")" = 20 ]
	[ "$(digests <"$BATS_TEST_TMPDIR/out" | wc -l)" = 1 ]
}

@test "20 seeds: at least 10 different runs" {
	mixed --seeds 1..20 >"$BATS_TEST_TMPDIR/out"
	[ "$(digests <"$BATS_TEST_TMPDIR/out" | wc -l)" -ge 10 ]
}

@test "a race is found within 200 seeds, and each seed that found it finds it again" {
	local seed race=(run --json --jobs 1 --scheduler "$SCX" --scenario wakeups --topology 1n2l2c1t --duration 500ms)
	run -1 --separate-stderr "$KTSTR" "${race[@]}" --explore 200 --fail-fast -- --racy
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	seed=$(result "$BATS_TEST_TMPDIR/out" summary failing_seeds 0)
	for _ in 1 2 3; do
		run -1 --separate-stderr "$KTSTR" "${race[@]}" --seed "$seed" -- --racy
	done
}

@test "templates made anew, on a busy host, give one run, with the scheduler attached, too" {
	local i pids=()
	sh -c 'while :; do :; done' 3>&- & pids+=($!)
	for i in 1 2 3; do
		export KTSTR_TEMPLATE_DIR=$BATS_TEST_TMPDIR/store$i
		mixed --seed 4 >>"$BATS_TEST_TMPDIR/out" || true
		rm -rf "$KTSTR_TEMPLATE_DIR"
	done
	kill "${pids[@]}"
	[ "$(grep -c 'warm+scheduler' "$BATS_TEST_TMPDIR/out")" = 3 ]
	[ "$(digests <"$BATS_TEST_TMPDIR/out" | wc -l)" = 1 ]
}

@test "200 clones one after the other: none fails, their template is as it was, and shared memory is given back" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	local i before after sums shm=$BATS_TEST_TMPDIR/shm
	# Shared memory that nobody else uses.
	mkdir "$shm"
	mount -t tmpfs -o size=3g tmpfs "$shm" || skip "no mounts here"
	export KTSTR_TEMPLATE_DIR=$shm/templates
	used() { df --output=used -k "$shm" | tail -n 1; }
	sums() { find "$KTSTR_TEMPLATE_DIR" \( -name ram -o -name state \) -exec cksum {} + | sort; }
	before=$(used)
	"$KTSTR" shell --topology 1n1l2c1t --exec true
	sums=$(sums)
	[ -n "$sums" ]
	for ((i = 0; i < 200; i++)); do
		"$KTSTR" shell --topology 1n1l2c1t --exec 'echo dirt >/tmp/dirt && test "$(cat /tmp/dirt)" = dirt'
	done
	[ "$(sums)" = "$sums" ]
	"$KTSTR" template drop --all
	after=$(used)
	[ "$after" = "$before" ] || { echo "$before KiB before, $after KiB after"; return 1; }
}

@test "1,000 workers in 50 cgroups start, run, stop and are reaped in 1 GiB" {
	run -0 "$KTSTR" test --filter =ktstr/thousand "$(program vm_workers)"
}

# The cause in words, the waiting task's place, the queues, the scheduler's own variables: on each way to a run.
@test "a stall and an error are told in full on both kernels, cold and warm" {
	local kernel start exit_kind arguments
	for kernel in 7.3 6.16; do
		for start in --cold --fresh-attach ""; do
			for arguments in "--stall-after-ms 1000" "--error-after-ms 1000"; do
				echo "$kernel $start $arguments"
				# shellcheck disable=SC2086
				run -1 --separate-stderr "$KTSTR" run --kernel $kernel $start --json --scheduler "$SCX" --scenario steady \
					--topology 1n2l2c1t --duration 10s -- --since cg_0 $arguments
				echo "$output" >"$BATS_TEST_TMPDIR/out"
				exit_kind=1026
				[[ "$arguments" = --stall* ]] || exit_kind=1025
				python3 - "$(result "$BATS_TEST_TMPDIR/out" steady sidecar)" $exit_kind <<'PYTHON'
import json, os, re, sys
sidecar, kind = sys.argv[1], int(sys.argv[2])
r = json.load(open(sidecar))
d = json.load(open(os.path.join(os.path.dirname(sidecar), r["files"]["failure_dump"])))
variables = {v["name"] for m in d["maps"] if "value" in m for v in m["value"].get("members", [])}
assert {"opts", "vtime_now", "nr_enqueues"} <= variables, variables
assert d["scx_sched_state"]["exit_kind"] == kind, d["scx_sched_state"]
if kind == 1025:
    assert "requested 1000 ms after its cgroup's first task" in r["cause"], r["cause"]
else:
    name, pid, seconds = re.search(r"runnable task stall: (.+)\[(\d+)\] failed to run for ([0-9.]+)s", r["cause"]).groups()
    task = next(t for t in d["task_enrichments"] if t["pid"] == int(pid))
    assert task["comm"] == name, task
    # Its CPU, and the queue that it waits in.
    print(task)
    kva = task["task_kva"]
    queues = [q for q in d["dsq_states"] if kva in q.get("task_kvas", [])]
    assert queues and task["cpu"] >= 0, (task, d["dsq_states"])
    assert task["runnable_for_ms"] >= round(float(seconds) * 1000), task
PYTHON
			done
		done
	done
}

@test "text that is patched under load is never run half patched" {
	local i pids=()
	for i in 1 2 3 4 5 6; do
		"$KTSTR" test --json --filter =ktstr/patches_under_load "$(program vm_patching)" >"$BATS_TEST_TMPDIR/$i" &
		pids+=($!)
		if ((i % 2 == 0)); then
			wait "${pids[@]}" || true # the outcome says more
			pids=()
		fi
	done
	for i in 1 2 3 4 5 6; do
		expect_outcome "$BATS_TEST_TMPDIR/$i" patches_under_load pass
		lacks "run again" "$(result "$BATS_TEST_TMPDIR/$i" patches_under_load verdict)"
	done
}
