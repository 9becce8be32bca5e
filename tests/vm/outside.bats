# SPDX-License-Identifier: GPL-2.0-only
# What the host reads from a guest's memory, beside what the guest says of itself while it holds still: on both kernels,
# with KASLR, 4- and 5-level page tables, several NUMA nodes, RAM above 4 GiB (tests/vm/outside/README.md).
load ../lib/common

export HOST=$KTSTR_TEST_BUILD/outside_host
export GUEST=$KTSTR_TEST_BUILD/tests/outside_guest
SCHEMA=$KTSTR_TEST_SOURCE/docs/schema/failure-dump.schema.json

# A guest that multi-threaded emulation has broken (a breakpoint left in its text, see docs/architecture/vm.md) comes again.
boot() { # NAME KERNEL SHAPE MEMORY_MIB KARGS SCHEDULER CORE IMAGE VMLINUX
	local status
	for _ in 1 2; do
		"$HOST" "$2" "$3" "$4" "$5" "$6" "$GUEST" "$DUMPS/$1.json" "$7" "$8" "$9" >"$DUMPS/$1.log" 2>&1
		status=$?
		[ "$status" != 0 ] && grep -qE "Oops: int3|Kernel panic" "$DUMPS/$1.log" || break
	done
	echo "$status" >"$DUMPS/$1.status"
}

# All guests, as many at a time as tests/run says: each test looks at what came of one. The image of c is left for tests/fuzz.
setup_file() {
	export DUMPS=$BATS_FILE_TMPDIR
	export -f boot
	mkdir -p "$KTSTR_TEST_BUILD/fuzz"
	xargs -P "${KTSTR_JOBS:-2}" -L 1 bash -c 'boot "$@"' boot 3>&- <<-GUESTS
		a 7.3 1n1l2c1t 2048 - - - - $DUMPS/a.vmlinux
		b 7.3 1n2l2c1t 5120 - - - - -
		c 7.3 2n2l2c2t 1024 no5lvl $SCX - $KTSTR_TEST_BUILD/fuzz/image -
		d 6.16 1n1l2c1t 1024 - - $DUMPS/core - $DUMPS/d.vmlinux
		e 6.16 1n2l2c1t 5120 - - - - -
		f 6.16 2n2l2c2t 1024 no5lvl $SCX - - -
	GUESTS
}

# At least 200 values, and every one equal.
equal() { # NAME
	local compared output
	output=$(cat "$DUMPS/$1.log")
	tail -n 20 <<<"$output"
	[ "$(cat "$DUMPS/$1.status")" = 0 ]
	compared=$(sed -n 's/^compared \([0-9]*\), equal .*/\1/p' <<<"$output")
	contains "compared $compared, equal $compared" "$output"
	[ "$compared" -ge 200 ]
	echo "# compared $compared, equal $compared" >&3
}

@test "7.3, two CPUs: the guest's words and its memory are the same" {
	equal a
}

@test "7.3, RAM above 4 GiB" {
	equal b
}

@test "7.3, two nodes, SMT, four levels of page tables, under a scheduler" {
	equal c
}

@test "6.16, two CPUs" {
	equal d
}

@test "6.16, RAM above 4 GiB" {
	equal e
}

@test "6.16, two nodes, SMT, four levels of page tables, under a scheduler" {
	equal f
}

# What a and d are compared with, and their dumps, came about by these symbols.
same_symbols() { # NAME
	local compared
	contains "symbols from kallsyms, then from vmlinux" "$(cat "$DUMPS/$1.log")"
	compared=$(sed -n 's/^symbols compared \([0-9]*\), equal .*/\1/p' "$DUMPS/$1.log")
	contains "symbols compared $compared, equal $compared" "$(cat "$DUMPS/$1.log")"
	[ "$compared" -ge 100000 ]
	echo "# symbols compared $compared, equal $compared" >&3
}

@test "the symbol table of a vmlinux says what kallsyms says, on both kernels" {
	same_symbols a
	same_symbols d
}

value() { # DUMP PATH
	"$KTSTR" show --path "$2" "$DUMPS/$1"
}

# Maps as tests/vm/outside/maps.c has filled them.
as_filled() { # DUMP
	local map
	[ "$(value "$1" 'f_array[2]')" = 'pair{a=21, b=1099511627778}' ]
	for map in f_hash f_lru_hash; do
		value "$1" $map | grep -qF '[2] pair{a=21, b=1099511627778}'
		[ "$(value "$1" $map | grep -c pair)" = 3 ]
	done
	[ "$(value "$1" 'f_pc_array[1@1].a')" = 101 ]
	for map in f_pc_hash f_lru_pc_hash; do
		value "$1" $map | grep -qxE ' +1 +101'
	done
	value "$1" f_big_array | grep -qF 'more than was read'
	value "$1" f_big_hash | grep -qF 'more than was read'
	[ "$(value "$1" f_big_hash | grep -c pair)" = 4096 ]
	value "$1" f_big_pc | grep -qF '[1..255]'
	[ "$(value "$1" f_untyped)" = '  f_untyped (hash, value 8 bytes, max 4)
    [07000000] 3100000000000000' ]
	[ "$(value "$1" 'f_task[0]')" = 'pair{a=1, b=1099511627776}' ]
	[ "$(value "$1" 'f_inode[0]')" = 'pair{a=11, b=1099511627777}' ]
	[ "$(value "$1" 'f_sk[0]')" = 'pair{a=21, b=1099511627778}' ]
	[ "$(value "$1" 'f_cgrp[0]')" = 'pair{a=31, b=1099511627779}' ]
	# A record of 16 bytes and its header of 8 bytes.
	value "$1" f_ring | grep -qF 'capacity=4096, consumer_pos=0, producer_pos=24'
	value "$1" f_stacks | grep -qF '1 stacks in 64 buckets'
	value "$1" f_stacks | grep -qE '#[0-9]+: 0xffffffff[0-9a-f]+ 0xffffffff'
	value "$1" f_progs | grep -qF '2 of 8 slots in use: 3 5'
	value "$1" f_perf | grep -qF '1 of 8 slots in use: 1'
	value "$1" f_cgroups | grep -qF '1 of 8 slots in use: 1'
	value "$1" f_aom | grep -qF '1 of 4 slots in use: 2'
	# The value is the inner map's address.
	value "$1" f_hom | grep -qF "[02000000] $("$KTSTR" show --json "$DUMPS/$1" | python3 -c '
import json, sys
print(next(m["map_kva"] for m in json.load(sys.stdin)["maps"] if m["name"] == "f_inner"))')"
	value "$1" f_cpumap | grep -qF '1 of 2 slots in use: 1'
	value "$1" f_devmap | grep -qF '1 of 4 slots in use: 1'
	value "$1" f_sockmap | grep -qF '1 of 4 slots in use: 1'
	value "$1" f_arena | grep -qF '2 of 16 pages'
	value "$1" f_arena | grep -qE '000: (a5){32}'
	value "$1" f_arena | grep -qE '000: 5a(00){31}'
	for map in f_queue f_stack f_bloom f_lpm; do
		value "$1" $map | grep -qF 'contents of this type are not read'
	done
}

@test "a map of each kind is shown as it was filled, on 7.3" {
	as_filled a.json
}

@test "a map of each kind is shown as it was filled, on 6.16" {
	as_filled d.json
}

# The tree of tests/vm/outside/allocators.c: one object that can be read; one object, a subtree and a way back that cannot.
allocators_as_filled() { # DUMP
	python3 - "$DUMPS/$1" <<'CODE'
import json, sys
d = json.load(open(sys.argv[1]))
tasks, = d["sdt_allocations"]
assert (tasks["allocator_name"], tasks["elem_size"], tasks["skipped_subtrees"]) == ("tasks", 32, 2), tasks
assert "truncated" not in tasks and "only struct of 24 bytes" in tasks["payload_type_reason"], tasks
entry, = tasks["entries"]
assert (entry["idx"], entry["genn"]) == (515, 7), entry
assert int(entry["user_addr"], 16) % 4096 == 0 and int(entry["user_addr"], 16) >> 32 == 0, entry
payload = entry["payload"]
assert payload["type_name"] == "task_ctx"
assert {m["name"]: m["value"]["value"] for m in payload["members"]} == {"pid": 4711, "runs": 12, "last": 1 << 40}, payload
pieces, = d["scx_static_ranges"]
assert (pieces["name"], pieces["bytes"], pieces["used_bytes"]) == ("pieces", 8192, 96), pieces
assert "sdt_alloc_unavailable" not in d
CODE
	"$KTSTR" show "$DUMPS/$1" | grep -qF 'task_ctx{pid=4711, runs=12, last=1099511627776}'
}

@test "objects of an arena's allocators are shown, on both kernels; what cannot be read costs only itself" {
	allocators_as_filled a.json
	allocators_as_filled d.json
}

# The cgroups of tests/vm/outside/cgroups.c: one of them was pressed on, and one that is gone still lies in memory.
cgroups_as_made() { # DUMP
	python3 - "$DUMPS/$1" <<'CODE'
import json, sys
d = json.load(open(sys.argv[1]))
found = {c["cgroup"]: c for c in d["cgroup_psi"]}
assert list(found) == ["busy", "idle", "outer", "outer/inner"], list(found)
assert [c for c in found if "has_children" in found[c]] == ["outer"]
assert found["busy"]["cpu_some"]["total_us"] > 100000, found["busy"]
assert found["busy"]["cpu_some"]["avg10_pct"] > 0, found["busy"]
assert found["idle"]["cpu_some"] == {"avg10_pct": 0, "total_us": 0}, found["idle"]
assert not any("irq_full" in c for c in found.values()) and "CONFIG_IRQ_TIME_ACCOUNTING" in d["cgroup_psi_irq_unavailable"]
assert "cgroup_psi_unavailable" not in d and "cgroup_psi_truncated" not in d
CODE
	"$KTSTR" show "$DUMPS/$1" | grep -qE '^  busy +[0-9]+ +[0-9]+\.[0-9]{2}/[0-9]+ '
}

@test "pressure of cgroups is that of their files; what is not accounted for is not zero" {
	for dump in a c d; do
		grep -qxE 'psi: [0-9]{2} compared' "$DUMPS/$dump.log"
		cgroups_as_made $dump.json
	done
}

@test "a struct_ops map has the type of the kernel's structure" {
	for dump in c f; do
		value $dump.json ktstr_ops | grep -qE 'sched_ext_ops'
		[ "$(value $dump.json ktstr_ops.name)" = '"ktstr"' ]
		[ "$(value $dump.json active_obj_name)" = '"scx_ktst"' ]
	done
}

# Debian's kernels come without DWARF, which both tools want for more than this: which kernel it is, and its memory by
# address, for drgn through the page tables.
@test "an ELF core is one that crash and drgn know" {
	local release
	release=$(crash --osrelease "$DUMPS/core")
	[[ "$release" == 6.16.* ]]
	[ "$(/usr/bin/python3 "$KTSTR_TEST_SOURCE/tests/lib/drgn_core.py" "$DUMPS/core")" = "$release" ]
}

@test "dumps fit their JSON schema" {
	local dump
	for dump in "$DUMPS"/[a-f].json; do
		/usr/bin/python3 "$KTSTR_TEST_SOURCE/tests/lib/validate.py" "$SCHEMA" "$dump"
	done
	echo '{"schema": "single", "maps": [{"name": 5}]}' >"$DUMPS/bad.json"
	run ! /usr/bin/python3 "$KTSTR_TEST_SOURCE/tests/lib/validate.py" "$SCHEMA" "$DUMPS/bad.json"
}
