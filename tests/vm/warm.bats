# SPDX-License-Identifier: GPL-2.0-only
# Warm starts from templates: made once, used by many, never trusted when damaged, and without influence on each other.
load ../lib/common

setup_file() {
	export KTSTR_TEMPLATE_DIR=$KTSTR_TEMPLATE_DIR/warm
}

one_run() { # [OPTION...]; its result in $out
	out=$BATS_TEST_TMPDIR/out
	run --separate-stderr "$KTSTR" test --json --filter =ktstr/nothing_but_a_return --topology 1n1l2c1t "$@" "$(program vm_good)"
	echo "$output" >"$out"
	expect_outcome "$out" nothing_but_a_return pass
}

mode() {
	result "$out" nothing_but_a_return start_mode
}

stages() {
	result "$out" nothing_but_a_return stages
}

@test "the first run boots and saves, the second only restores" {
	one_run
	[ "$(mode)" = warm ]
	contains '"boot"' "$(stages)"
	# It takes long, and says why.
	contains "building template 1n1l2c1t" "$stderr"
	one_run
	lacks "building template" "$stderr"
	[ "$(mode)" = warm+program ]
	lacks '"boot"' "$(stages)"
	contains '"restore"' "$(stages)"
}

@test "a program that comes again is kept loaded, alone and with a scheduler, and every clone of it runs its own test" {
	one_run
	one_run
	one_run
	[ "$(mode)" = warm+program ]
	lacks '"load"' "$(stages)"
	contains "eevdf, vm_good loaded" "$("$KTSTR" template list)"
	"$KTSTR" test --json --filter =ktstr/itself_and_no_other --topology 1n1l2c1t "$(program vm_good)" >"$out"
	[ "$(result "$out" itself_and_no_other start_mode)" = warm+program ]
	[ "$(result "$out" itself_and_no_other outcome)" = pass ]
	one_run --fresh-attach
	[ "$(mode)" = warm ]
	one_run --scheduler "$SCX"
	one_run --scheduler "$SCX"
	[ "$(mode)" = warm+scheduler+program ]
	contains '"load"' "$(stages)"
}

@test "a program that has changed never meets the template of what it was, though its path, size and time are the same" {
	local changed=$BATS_TEST_TMPDIR/tests/changed i
	mkdir "$BATS_TEST_TMPDIR/tests"
	ln -s "$KTSTR_TEST_BUILD/lib" "$BATS_TEST_TMPDIR/lib"
	cp -p "$(program vm_trouble)" "$changed"
	out=$BATS_TEST_TMPDIR/out
	tells() { # WORD MODE
		run --separate-stderr "$KTSTR" test --json --filter =ktstr/skips --topology 1n1l2c1t "$changed"
		echo "$output" >"$out"
		expect_outcome "$out" skips skip "$1 99 LLCs"
		[ "$(result "$out" skips start_mode)" = "$2" ]
	}
	tells needs warm
	tells needs warm+program
	LC_ALL=C sed -i 's/needs %d LLCs/wants %d LLCs/' "$changed"
	touch -r "$(program vm_trouble)" "$changed"
	tells wants warm
}

@test "a program that does not come as far as main() fails as it would have, and is not kept" {
	local i
	for i in 1 2; do
		run --separate-stderr "$KTSTR" test --json --filter =ktstr/never_runs "$(program vm_stillborn)"
		echo "$output" >"$BATS_TEST_TMPDIR/out"
		expect_outcome "$BATS_TEST_TMPDIR/out" never_runs fail "exit code 3"
		[ "$(result "$BATS_TEST_TMPDIR/out" never_runs start_mode)" = warm ]
	done
	lacks stillborn "$("$KTSTR" template list)"
}

@test "an attached scheduler is part of a template, unless told otherwise" {
	one_run --scheduler "$SCX"
	[[ "$(mode)" = warm+scheduler* ]]
	one_run --scheduler "$SCX" --fresh-attach
	[ "$(mode)" = warm ]
	contains '"attach"' "$(stages)"
	contains '"--fresh-attach"' "$(result "$out" nothing_but_a_return reproduce)"
}

@test "a template is made for each kernel and shape" {
	local before after
	before=$("$KTSTR" template list --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
	"$KTSTR" test --filter =ktstr/nothing_but_a_return --topology 1n1l1c1t "$(program vm_good)" >/dev/null
	after=$("$KTSTR" template list --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
	[ "$after" = $((before + 1)) ]
	contains "7.3" "$("$KTSTR" template list)"
	contains "1n1l1c1t" "$("$KTSTR" template list)"
	# The kernel is somewhere else in each, in memory and in its own eyes.
	place() { "$KTSTR" shell --topology "$1" --exec 'grep "Kernel code" /proc/iomem; grep -m 1 " _text$" /proc/kallsyms'; }
	contains "Kernel code" "$(place 1n1l1c1t)"
	[ "$(place 1n1l1c1t)" != "$(place 1n1l2c1t)" ]
}

# What a clone writes to its memory must not be seen by the next one.
@test "clones do not see each other, and draw different random numbers" {
	local first
	run -0 --separate-stderr "$KTSTR" shell --topology 1n1l2c1t --exec 'echo traces >/tmp/left; cat /tmp/left /proc/sys/kernel/random/uuid'
	[ "${lines[0]}" = traces ]
	first=${lines[1]}
	[ -n "$first" ]
	run --separate-stderr "$KTSTR" shell --topology 1n1l2c1t --exec 'cat /proc/sys/kernel/random/uuid /tmp/left'
	[ "$status" != 0 ]
	lacks traces "$output"
	[ -n "${lines[0]}" ]
	[ "${lines[0]}" != "$first" ]
}

# All that a test can reach: the last line is what it says of each, before and after it has dirtied it.
traces='state() {
	ls /sys/fs/cgroup | tr "\n" " "; ls -A /tmp /run /dev/shm | tr "\n" " "; cat /proc/sys/kernel/sched_rr_timeslice_ms
	cat /proc/sys/vm/swappiness /proc/sys/kernel/hostname; cut -d" " -f1 /proc/modules | tr "\n" " "; ls / | tr "\n" " "
	cat /sys/kernel/mm/transparent_hugepage/enabled; grep -c dirt /proc/self/mounts
	cat /proc/sys/kernel/tainted /proc/sys/kernel/panic
}; dirty() {
	mkdir /sys/fs/cgroup/dirt; echo $$ >/sys/fs/cgroup/dirt/cgroup.procs; echo 7 >/proc/sys/kernel/sched_rr_timeslice_ms
	echo 13 >/proc/sys/vm/swappiness; echo dirt >/proc/sys/kernel/hostname; echo dirt >/tmp/dirt; echo dirt >/run/dirt
	dd if=/dev/zero of=/dev/shm/dirt bs=1M count=50; mkdir /dirt; mount -t tmpfs dirt /dirt; echo never >/sys/kernel/mm/transparent_hugepage/enabled
	echo dirt >/init; echo 64 >/proc/sys/kernel/tainted; insmod /include-files/virtio_blk.ko
} 2>/dev/null'

@test "a clone that has dirtied all it can reach leaves no trace, and its template as it was" {
	local clean after sums module
	module=$("$KTSTR" kernel list --json | python3 -c 'import json, os, sys
print(next(k["modules"] for k in json.load(sys.stdin) if k["version"].startswith(os.environ["KTSTR_KERNEL"])))')/virtio_blk.ko
	one_run
	ktstr_shell() { "$KTSTR" shell --topology 1n1l2c1t --include "$module" --exec "$traces; $1"; }
	clean=$(ktstr_shell state)
	sums=$(find "$KTSTR_TEMPLATE_DIR" -name state -exec cksum {} + -o -name ram -exec cksum {} +)
	after=$(ktstr_shell "dirty; state")
	[ -n "$clean" ] && [ "$after" != "$clean" ]
	contains dirt "$after"
	lacks virtio_blk "$clean" && contains virtio_blk "$after"
	[ "$(ktstr_shell state)" = "$clean" ]
	[ "$(find "$KTSTR_TEMPLATE_DIR" -name state -exec cksum {} + -o -name ram -exec cksum {} +)" = "$sums" ]
}

# The test's body sees in /proc what the host has written; the next clone sees what the kernel booted with.
@test "what the host writes into the kernel of a clone is gone with it" {
	local clean sums templates
	one_run
	clean=$("$KTSTR" shell --topology 1n1l2c1t --exec 'cat /proc/sys/kernel/panic')
	sums=$(find "$KTSTR_TEMPLATE_DIR" -name ram -exec cksum {} +)
	"$KTSTR" test --json --topology 1n1l2c1t --filter =ktstr/host_ops "$(program vm_scenario_ops)" >"$BATS_TEST_TMPDIR/host_ops"
	lacks '"boot"' "$(result "$BATS_TEST_TMPDIR/host_ops" host_ops stages)"
	[ -n "$clean" ] && [ "$clean" != 77 ]
	[ "$("$KTSTR" shell --topology 1n1l2c1t --exec 'cat /proc/sys/kernel/panic')" = "$clean" ]
	[ "$(find "$KTSTR_TEMPLATE_DIR" -name ram -exec cksum {} +)" = "$sums" ]
}

@test "a template whose builder is killed: nothing of it is left" {
	local pid
	KTSTR_TEST_MARK=builder "$KTSTR" run --scenario steady --topology 1n1l3c1t --duration 1s >/dev/null 2>&1 3>&- &
	pid=$!
	eventually find "$KTSTR_TEMPLATE_DIR" -path '*build.*/ram' -size +0 -exec test -s {} \; -quit
	something_runs() { [ -n "$(marked_vms builder)" ]; }
	eventually something_runs
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	nothing_runs() { [ -z "$(marked_vms builder)" ]; }
	eventually nothing_runs
	"$KTSTR" template list >/dev/null
	[ -z "$(find "$KTSTR_TEMPLATE_DIR" -name 'build.*')" ]
}

# Damages that file of every template whose description has that in it, and runs again.
damage_and_run() { # FILE DESCRIPTION COMMAND...
	local file damaged=0
	while read -r file; do
		grep -qF "$2" "$(dirname "$file")/meta.json" || continue
		"${@:3}" "$file"
		damaged=$((damaged + 1))
	done < <(find "$KTSTR_TEMPLATE_DIR" -name "$1")
	[ "$damaged" -gt 0 ]
	one_run
	[ "$(mode)" = warm+program ]
}

@test "a template with a truncated RAM file is made anew, and what came after it" {
	one_run
	one_run
	damage_and_run ram "" truncate -s 1000000
	contains '"boot"' "$(stages)"
}

# What every template is checked by does not depend on what it is of; this one is made sooner.
@test "a template with changed device state is made anew" {
	one_run
	one_run
	damage_and_run state "vm_good loaded" sed -i '1s/./X/'
	contains '"load"' "$(stages)"
	lacks '"boot"' "$(stages)"
}

@test "a template without its description is made anew" {
	one_run
	one_run
	damage_and_run meta.json "vm_good loaded" rm
	contains '"load"' "$(stages)"
	lacks '"boot"' "$(stages)"
}

@test "without room for templates a run boots cold, says why, and passes" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	local tiny=$BATS_TEST_TMPDIR/tiny status
	mkdir "$tiny"
	mount -t tmpfs -o size=1m tmpfs "$tiny" || skip "no mounts here"
	KTSTR_TEMPLATE_DIR=$tiny one_run && status=0 || status=1
	umount "$tiny"
	[ "$status" = 0 ]
	[ "$(mode)" = cold ]
	contains "$tiny" "$(result "$out" nothing_but_a_return start_reason)"
	lacks "booted instead" "$stderr" # which is said to people
}

# Both boot, 2048 MiB and QEMU's own each, of which the budget is for one at a time.
@test "a store that cannot be used is told to people, once, and in each result; runs that do not fit into memory wait" {
	local name
	export KTSTR_TEMPLATE_DIR=/dev/null KTSTR_SIDECAR_DIR=$BATS_TEST_TMPDIR/sidecars KTSTR_MEMORY_BUDGET_MIB=3000
	run -0 --separate-stderr "$KTSTR" test --jobs 2 --filter '/nothing_but|itself_and/' --topology 1n1l1c1t "$(program vm_good)"
	contains "2 passed" "$output"
	[ "$(grep -c "^ktstr: warning: .* booted instead of starting from a saved VM: template store /dev/null cannot be used; name another directory with KTSTR_TEMPLATE_DIR: " <<<"$stderr")" = 1 ]
	for name in nothing_but_a_return itself_and_no_other; do
		grep -q '"start_reason": ".*template store /dev/null cannot be used' "$KTSTR_SIDECAR_DIR/$name"-*.ktstr.json
	done
	[ "$(grep -l '"wait":' "$KTSTR_SIDECAR_DIR"/*.ktstr.json | wc -l)" = 1 ]
}

@test "a store that becomes full while a template is made: the run says so, boots cold and passes" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	local tiny=$BATS_TEST_TMPDIR/tiny status pid left
	mkdir "$tiny"
	mount -t tmpfs -o size=450m tmpfs "$tiny" || skip "no mounts here"
	building() { [ -n "$(find "$tiny" -path '*build.*/ram')" ]; }
	KTSTR_TEMPLATE_DIR=$tiny one_run 3>&- &
	pid=$!
	out=$BATS_TEST_TMPDIR/out
	eventually building
	dd if=/dev/zero of="$tiny/fill" bs=1M 2>/dev/null || true
	wait "$pid" && status=0 || status=1
	left=$(find "$tiny" -name 'build.*')
	umount "$tiny"
	[ "$status" = 0 ] && [ -z "$left" ]
	[ "$(mode)" = cold ]
	contains "template store $tiny has become full" "$(result "$out" nothing_but_a_return start_reason)"
}

@test "--cold boots, and says that it was asked to; runs that fit into memory together do not wait" {
	one_run --cold
	[ "$(mode)" = cold ]
	contains --cold "$(result "$out" nothing_but_a_return start_reason)"
	lacks "booted instead" "$stderr"
	KTSTR_MEMORY_BUDGET_MIB=6000 run -0 --separate-stderr "$KTSTR" test --json --jobs 2 --filter '/nothing_but|itself_and/' \
		--topology 1n1l1c1t "$(program vm_good)"
	lacks '"wait":' "$output"
}

@test "a run that can never fit is skipped with need, have and remedy, and recorded; without skips it fails" {
	local out=$BATS_TEST_TMPDIR/out need="needs 2136 MiB (guest 2048, QEMU 88), KTSTR_MEMORY_BUDGET_MIB allows 1000: raise it"
	export KTSTR_MEMORY_BUDGET_MIB=1000
	"$KTSTR" run --json --scenario steady --topology 1n1l2c1t >"$out"
	expect_outcome "$out" steady skip
	contains "$need" "$(result "$out" steady reasons)"
	grep -q "\"skipped\": true" "$(result "$out" steady sidecar)"
	run -1 --separate-stderr "$KTSTR" run --no-skip-mode --scenario steady --topology 1n1l2c1t
}

@test "what clones write is not kept by their template" {
	local before after
	used() { "$KTSTR" template list --json | python3 -c 'import json, sys; print(sum(t["used_bytes"] for t in json.load(sys.stdin)) >> 20)'; }
	one_run
	before=$(used)
	run -0 "$KTSTR" shell --topology 1n1l2c1t --exec 'dd if=/dev/zero of=/tmp/large bs=1M count=500'
	after=$(used)
	[ "$after" -lt $((before + 100)) ] || { echo "$before MiB before, $after MiB after"; return 1; }
}

# `env` takes back what the shell does to signals of background jobs.
@test "a template in use is not dropped, and can be once its clone has ended; that empties the store" {
	local pid
	env --default-signal=INT "$KTSTR" shell --topology 1n1l2c1t --exec-timeout 600s --exec 'echo started; sleep 600' \
		>"$BATS_TEST_TMPDIR/shell" 3>&- &
	pid=$!
	eventually grep -q started "$BATS_TEST_TMPDIR/shell"
	run -1 "$KTSTR" template drop --all
	contains "1 in use" "$output"
	kill -INT "$pid"
	wait "$pid" || true
	run -0 "$KTSTR" template drop --all
	[ "$("$KTSTR" template list --json)" = "[]" ]
	[ -z "$(find "$KTSTR_TEMPLATE_DIR" -name ram 2>/dev/null)" ]
}
