# SPDX-License-Identifier: GPL-2.0-only
# Commands without a VM: help, listings, and what is said about wrong names and values.
load ../lib/common

@test "help of ktstr and of every command" {
	local command
	run -0 "$KTSTR" --help
	for command in run test list replay show runs stats locks show-host show-plan show-thresholds template shell kernel topo doctor; do
		contains "  $command " "$output"
	done
	for command in run test list replay show template shell kernel "kernel get" "kernel list" "kernel remove" runs stats locks show-host topo doctor; do
		# shellcheck disable=SC2086
		run -0 "$KTSTR" $command --help
		contains "Usage: ktstr $command" "$output"
		lacks $'\033' "$output"
	done
}

@test "the reference page and the man page have every command and option, with its letter" {
	run -0 python3 "$KTSTR_TEST_SOURCE/tests/lib/option_docs.py" "$KTSTR" "$KTSTR_TEST_SOURCE/docs/reference/cli.md" \
		"$KTSTR_TEST_SOURCE/docs/man/ktstr.1"
}

@test "no command: usage on stderr and a failure" {
	run -1 --separate-stderr "$KTSTR"
	[ -z "$output" ]
	contains "Usage: ktstr" "$stderr"
}

@test "runs and stats without any run, and mistakes in their words" {
	export KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/runs
	run -0 "$KTSTR" runs
	[ "$output" = "no runs" ]
	run -0 "$KTSTR" stats
	contains "no runs below $KTSTR_RUNS_ROOT" "$output"
	run -1 "$KTSTR" runs show nothing
	contains "no run nothing" "$output"
	run -1 "$KTSTR" runs history total_iterations
	contains "of which --test" "$output"
	run -1 "$KTSTR" runs history total_iterations --test steady
	contains 'no results of test "steady"' "$output"
	run -1 "$KTSTR" runs --outcome passed
	contains "--outcome passed: give pass, fail, inconclusive or skip" "$output"
	local limit
	for limit in -1 4294967296 2x ""; do
		run -1 "$KTSTR" runs --limit "$limit"
		contains "--limit $limit: give a number of results" "$output"
	done
	run -1 "$KTSTR" runs remove
	contains "list, show, history or reindex" "$output"
	run -1 "$KTSTR" stats show-host
	contains "no runs below" "$output"
	run -1 "$KTSTR" stats show-host --run 7.3-abc
	contains "no run 7.3-abc" "$output"
}

@test "show-host: the facts of this machine, as text and JSON" {
	run -0 "$KTSTR" show-host
	contains "kernel_release: $(uname -r)" "$output"
	lacks "$(hostname)" "$(sed '/^kernel_cmdline/d' <<<"$output")"
	run -0 "$KTSTR" show-host --json
	python3 -c 'import json, sys; assert json.load(sys.stdin)["arch"] == sys.argv[1]' "$(uname -m)" <<<"$output"
}

@test "--junit: a file that cannot be is refused before anything runs" {
	run -1 "$KTSTR" run --scenario steady --junit "$BATS_TEST_TMPDIR/missing/out.xml"
	contains "--junit" "$output"
	contains "cannot write to" "$output"
}

@test "--version" {
	run -0 "$KTSTR" --version
	[[ "$output" =~ ^ktstr\ [0-9]+\.[0-9]+ ]]
}

@test "mistyped commands and scenarios are guessed" {
	run -1 "$KTSTR" kernal
	contains 'did you mean "kernel"?' "$output"
	run -1 "$KTSTR" xyzzy
	contains "ktstr --help" "$output"
	run -1 "$KTSTR" run --scenario stedy
	contains 'no scenario "stedy"' "$output"
	contains 'did you mean "steady"?' "$output"
}

@test "kernel: mistyped subcommands are guessed" {
	run "$KTSTR" kernel lst
	[ "$status" != 0 ]
	contains "did you mean list?" "$output"
}

# Skipped for want of memory, hence without a VM; then some of them are told that they passed.
measured() { # TOPOLOGY ITERATIONS
	KTSTR_RUN_EPOCH= KTSTR_SIDECAR_DIR=$BATS_TEST_TMPDIR/runs/$2 KTSTR_MEMORY_BUDGET_MIB=10 \
		run -0 "$KTSTR" run --scenario steady --topology "$1"
	[ "$2" = skip ] && return
	python3 - "$BATS_TEST_TMPDIR/runs/$2"/steady-*.ktstr.json "$2" <<-'END'
		import json, sys
		path, iterations = sys.argv[1:]
		result = json.load(open(path))
		result["verdict"]["outcomes"] = []
		result.update(outcome="pass", passed=True, skipped=False, cause=None, guest_result_received=True,
			      timestamp=f"2026-01-0{iterations[0]}T00:00:00Z",
			      run_id=iterations)
		result["stats"]["total_iterations"] = int(iterations)
		json.dump(result, open(path, "w"))
	END
}

@test "runs history: changes are those of one machine, skips are no values; show knows a result from a dump" {
	export KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/runs
	measured 1n1l1c1t 100
	measured 1n2l1c1t 200
	measured 1n1l1c1t 300
	measured 1n1l1c1t skip
	run -0 "$KTSTR" runs reindex --forget
	contains "indexed 4 of 4" "$output"
	run -0 "$KTSTR" runs history total_iterations --test steady
	contains "+200.0%" "${lines[2]}"
	lacks "%" "${lines[0]}${lines[1]}"
	contains "min 100, median 200, max 300 of 3" "$output"
	run -1 "$KTSTR" show "$KTSTR_RUNS_ROOT"/skip/steady-*.ktstr.json
	contains 'this is a result, no dump: `ktstr runs show` shows it' "$output"
}

@test "runs list: the kernel's name gives way on a narrow terminal, and is whole in a pipe" {
	local kernel=7.3.4-rc5-next-20260301-with-much-of-a-name-behind-it
	export KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/runs
	measured 1n1l1c1t 100
	sed -i "s/\"kernel_version\": [^,]*/\"kernel_version\": \"$kernel\"/" "$KTSTR_RUNS_ROOT"/100/steady-*.ktstr.json
	"$KTSTR" runs reindex --forget
	run -0 "$KTSTR" runs list
	contains " $kernel " "$output"
	for columns in 80 60; do
		run -0 script -qec "stty cols $columns; '$KTSTR' runs list" /dev/null </dev/null
		lacks "$kernel" "$output"
		contains "7.3.4-r" "$output"
		contains "… " "$output"
		python3 -c 'import sys
assert max(len(line.rstrip()) for line in sys.stdin) <= int(sys.argv[1])' $columns <<<"$output"
	done
}

@test "topologies that cannot be: the axis is named" {
	local -A parts=([1n2l2c]="axis t" [1n2l0c1t]="axis c (cores per LLC) is 0" [0n2l2c1t]="axis n (NUMA nodes) is 0"
		[1n-2l2c1t]="axis l" [1n2x2c1t]="the letter l" [1s2c1t]="axis s (sockets)" [1l1n1c1t]="order is n, l, c, t"
		[1n1025l1c1t]="axis l" [1n64l64c1t]="4096 CPUs" [3n4l2c1t]="4 LLCs" [1n2l2c1t9]="axis t" [abc]="axis n")
	local shape
	for shape in "${!parts[@]}"; do
		run "$KTSTR" run --topology "$shape" --scenario steady
		[ "$status" = 1 ] || { echo "$shape: status $status"; return 1; }
		contains "$shape" "$output"
		contains "${parts[$shape]}" "$output"
	done
}

@test "a preset with a typo: the nearest is told" {
	local command
	for command in run shell; do
		run -1 "$KTSTR" "$command" --topology 8cpu-2lcc-smt
		contains 'topology preset "8cpu-2lcc-smt" does not exist; did you mean 8cpu-2llc-smt?' "$output"
	done
}

@test "bad durations, jobs and formats are refused with a right form" {
	run -1 "$KTSTR" run --duration 5
	contains '--duration: "5" is not a duration' "$output"
	contains 500ms "$output"
	run -1 "$KTSTR" run --budget never
	contains '--budget: "never" is not a duration' "$output"
	run -1 "$KTSTR" shell --exec true --exec-timeout 5
	contains '--exec-timeout: "5" is not a duration' "$output"
	run -1 "$KTSTR" run --seed x
	contains "--seed x: give a number" "$output"
	run -1 "$KTSTR" run --seeds 5..1
	contains "--seeds 5..1: the range is backwards: write 1..5" "$output"
	run -1 "$KTSTR" run --explore 0
	contains "--explore 0: give the number of seeds to try, from 1" "$output"
	run -1 "$KTSTR" run --vmcore "$BATS_TEST_FILENAME/cores"
	contains "--vmcore: " "$output"
	local jobs mib
	for jobs in 0 1025 4294967297 2x; do
		run -1 "$KTSTR" run --jobs "$jobs"
		contains "1 to 1024" "$output"
	done
	for mib in 127 2048x -1 18446744073709551615; do
		run -1 "$KTSTR" shell --exec true --memory-mib "$mib"
		contains "--memory-mib $mib: give MiB, from 128" "$output"
	done
	run -1 "$KTSTR" run --format xml
	contains "human, ktap or json" "$output"
	run "$KTSTR" run --no-such-option
	[ "$status" != 0 ]
	run -1 "$KTSTR" run stray
	contains 'unexpected argument "stray"' "$output"
}

@test "list: scenarios, work types, tests; all as JSON, too" {
	run -0 "$KTSTR" list
	contains steady "$output"
	contains oversubscribed "$output"
	run -0 "$KTSTR" list --work-types
	contains SpinWait "$output"
	run -0 "$KTSTR" list "$(program vm_host_only)"
	contains " host " "${lines[0]}"
	run -0 "$KTSTR" list "$(program vm_topology)"
	contains ktstr/shape_2n4l2c1t "$output"
	"$KTSTR" list --json "$(program vm_trouble)" | python3 -c '
import json, sys
tests = {t["name"]: t for t in json.load(sys.stdin)}
assert tests["hangs"]["ignore"] is True
assert tests["skips"]["topology"] == "1n1l2c1t"
assert tests["skips"]["duration_ns"] == 1000000000
assert tests["fails_by_its_own_words"]["scheduler"] == "scx_ktstr"'
	"$KTSTR" list --json --work-types | python3 -m json.tool
	"$KTSTR" list --json | python3 -m json.tool
}

@test "the reference page of work types is what the program says" {
	"$KTSTR" list --json --work-types | python3 -c '
import json, re, sys
page = open(sys.argv[1]).read()
for t in json.load(sys.stdin):
    kind = re.sub(r"(?<!^)([A-Z])", r"_\1", t["name"]).upper()
    row = "| `%s` | %s | %s | %s |" % (kind, t["pressure"], t["unit"], t["parameters"].replace(", ", "<br>"))
    assert row in page, row' "$KTSTR_TEST_SOURCE/docs/reference/work-types.md"
}

@test "the reference page of scenarios has each, and the smoke set in bold" {
	"$KTSTR" list --json | python3 -c '
import json, sys
page = open(sys.argv[1]).read()
for t in json.load(sys.stdin):
    name = "`%s`" % t["name"] if t["ignore"] else "**`%s`**" % t["name"]
    row = "| %s | %s | " % (name, t["description"])
    assert row in page, row' "$KTSTR_TEST_SOURCE/docs/reference/scenarios.md"
}

@test "the reference page of metrics is what the registry says" {
	run -0 "$KTSTR" stats list-metrics --markdown
	[ "$output" = "$(<"$KTSTR_TEST_SOURCE/docs/reference/metrics.md")" ]
	run -0 "$KTSTR" stats list-metrics
	contains "worst_p99_wake_latency_us" "$output"
	lacks "total_phase_duration_sec" "$output" # a component
	run -0 "$KTSTR" stats list-metrics --json
	python3 -c 'import json, sys; rows = json.load(sys.stdin)
assert len({row["name"] for row in rows}) == len(rows) > 160
assert {row["kind"] for row in rows} >= {"counter", "ratio", "per_phase"}' <<<"$output"
}

@test "show-thresholds: merged, none for what nobody set" {
	run -0 "$KTSTR" show-thresholds steady
	contains "not_stuck                      on" "$output"
	contains "max_gap_ms                     none" "$output"
	run -0 "$KTSTR" show-thresholds "$(program vm_good)" ktstr/all_checks_eevdf
	contains "max_gap_ms                     10000" "$output"
	# Enforced: what nobody set of the monitor's has its default.
	contains "max_local_dsq_depth            50" "$output"
	run -0 "$KTSTR" show-thresholds --json steady
	python3 -c 'import json, sys; checks = json.load(sys.stdin)
assert checks["isolation"] is True and checks["max_slow_tier_ratio"] is None' <<<"$output"
	run -1 "$KTSTR" show-thresholds stedy
	contains "steady" "$output"
	run -1 "$KTSTR" show-thresholds "$(program vm_checks_fail)" nothing
	contains 'has no test "nothing"' "$output"
}

@test "tests are listed in the order of the source" {
	run -0 "$KTSTR" test --list "$(program vm_topology)"
	[ "${lines[*]}" = "ktstr/shape_1n1l2c1t: test ktstr/shape_1n2l2c1t: test ktstr/shape_1n2l2c2t: test ktstr/shape_2n4l2c1t: test ktstr/shape_1n3l3c1t: test ktstr/uneven_nodes: test" ]
}

@test "declared nodes: no shape in letters can say them, and the test keeps them" {
	run -0 "$KTSTR" list "$(program vm_topology)"
	contains "ktstr/uneven_nodes" "$output"
	contains "2n3l1c1t" "$output"
	run -1 "$KTSTR" test --list --topology 2n3l1c1t "$(program vm_topology)"
	contains "3 LLCs cannot be split evenly over 2 NUMA nodes" "$output"
}

@test "test --list and filters" {
	run -0 "$KTSTR" test --list --filter 2l2c "$(program vm_topology)"
	[ "${#lines[@]}" = 2 ]
	run -0 "$KTSTR" test --list --filter =ktstr/shape_1n3l3c1t "$(program vm_topology)"
	[ "$output" = "ktstr/shape_1n3l3c1t: test" ]
	run -0 "$KTSTR" test --list --filter '/shape_[12]n[24]l/' "$(program vm_topology)"
	[ "${#lines[@]}" = 3 ]
	run -1 "$KTSTR" test --list --filter shape_1n1l2c1x "$(program vm_topology)"
	contains 'did you mean "shape_1n1l2c1t"' "$output"
	run -1 "$KTSTR" test --list --filter '/[/' "$(program vm_topology)"
	contains "--filter /[/" "$output"
	# Ignored tests are run when they are named or asked for.
	run -0 "$KTSTR" test --list --filter hangs --filter skips "$(program vm_trouble)"
	[ "$output" = "ktstr/skips: test" ]
	run -0 "$KTSTR" test --list --filter =ktstr/hangs "$(program vm_trouble)"
	[ "$output" = "ktstr/hangs: test" ]
	run -0 "$KTSTR" test --list --ignored --filter hangs "$(program vm_trouble)"
	[ "$output" = "ktstr/hangs: test" ]
}

@test "a test program hands over to ktstr" {
	KTSTR=$KTSTR run -0 "$(program vm_topology)" --list
	[ "${#lines[@]}" = 6 ]
	KTSTR=/no/such/ktstr run -1 "$(program vm_topology)" --list
	contains "/no/such/ktstr" "$output"
}

@test "templates: none, unknown keys, wrong words" {
	export KTSTR_TEMPLATE_DIR=$BATS_TEST_TMPDIR/none
	run -0 "$KTSTR" template list
	contains "no templates in $KTSTR_TEMPLATE_DIR" "$output"
	[ "$("$KTSTR" template list --json)" = "[]" ]
	run -1 "$KTSTR" template drop ""
	contains "a KEY is empty" "$output"
	run -1 "$KTSTR" template drop 0123456789ab
	contains 0123456789ab "$output"
	run -0 "$KTSTR" template drop --all
	run "$KTSTR" template frobnicate
	[ "$status" != 0 ]
	contains frobnicate "$output"
}

@test "show prints dumps of every kind, a part of one, and what is wrong with others" {
	local dump=$BATS_TEST_TMPDIR/a.failure-dump.json
	echo '{"schema":"single","maps":[{"name":"foo.bss","map_type":"array","value_size":4,"max_entries":1,"value":
		{"kind":"struct","type_name":".bss","members":[{"name":"nr","value":{"kind":"uint","bits":32,"value":7}}]}}]}' >"$dump"
	run -0 "$KTSTR" show "$dump"
	contains 'foo.bss (array' "$output"
	contains '.bss{nr=7}' "$output"
	[ "$("$KTSTR" show --path foo.bss.nr "$dump")" = 7 ]
	[ "$("$KTSTR" show --path nr "$dump")" = 7 ]
	[ "$("$KTSTR" show --json --path maps[0].name "$dump")" = '"foo.bss"' ]
	run -1 "$KTSTR" show --path nrr "$dump"
	contains 'did you mean "nr"?' "$output"
	contains 'maps: foo.bss' "$output"
	# On a terminal: through the pager, and where there is none all the same.
	PAGER="sed s/nr=7/paged/" script -qec "'$KTSTR' show '$dump'" "$BATS_TEST_TMPDIR/terminal" </dev/null >/dev/null
	contains '.bss{paged}' "$(cat "$BATS_TEST_TMPDIR/terminal")"
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$(command -v cat)" "$BATS_TEST_TMPDIR/bin/cat"
	env -u PAGER script -qec "PATH='$BATS_TEST_TMPDIR/bin' '$KTSTR' show '$dump'" "$BATS_TEST_TMPDIR/terminal" </dev/null >/dev/null
	contains '.bss{nr=7}' "$(cat "$BATS_TEST_TMPDIR/terminal")"
	"$KTSTR" show --json "$dump" >"$BATS_TEST_TMPDIR/again"
	[ "$("$KTSTR" show "$BATS_TEST_TMPDIR/again")" = "$("$KTSTR" show "$dump")" ]
	echo '{"schema":"single"}' >"$dump"
	[ "$("$KTSTR" show "$dump")" = '(empty failure dump)' ]
	echo '{"schema":"degraded","reason":"the vCPUs did not stop"}' >"$dump"
	run -0 "$KTSTR" show "$dump"
	contains 'degraded dump: the vCPUs did not stop' "$output"
	echo '{"schema":"dual","late":{"schema":"single"},"early_skipped_reason":"no scan"}' >"$dump"
	run -0 "$KTSTR" show "$dump"
	contains 'not taken: no scan' "$output"
	echo '{"schema":"single","maps":[{}]}' >"$dump"
	run -1 "$KTSTR" show "$dump"
	contains 'maps[0].name: expected to be there' "$output"
	run -1 "$KTSTR" show "$BATS_TEST_TMPDIR/none"
	contains 'none' "$output"
}

@test "replay refuses what is no deterministic result" {
	run -1 "$KTSTR" replay /no/such.ktstr.json
	contains /no/such.ktstr.json "$output"
	echo '{"schema_version": 1' >"$BATS_TEST_TMPDIR/half.ktstr.json"
	run -1 "$KTSTR" replay "$BATS_TEST_TMPDIR/half.ktstr.json"
	contains "half.ktstr.json: not JSON: line 2" "$output"
	contains "name a result" "$output"
}

@test "seeds that cannot be" {
	local seeds
	for seeds in a..b 1.. 1-5 '1.. 5' 1..+5 1..1000001 18446744073709551610..18446744073709551615; do
		run -1 "$KTSTR" run --seeds "$seeds" --scenario steady
		contains "--seeds $seeds: give a range" "$output"
	done
	for seeds in 9223372036854775808 18446744073709551615 99999999999999999999 -1 ' 7' 7x; do
		run -1 "$KTSTR" run --seed "$seeds" --scenario steady
		contains "--seed $seeds: give a number" "$output"
	done
}

@test "topo: shapes, presets, JSON" {
	run -0 "$KTSTR" topo 2n4l2c1t
	contains "8 CPUs, 4 LLCs, 2 NUMA nodes" "$output"
	run -0 "$KTSTR" topo
	contains "host:" "$output"
	run -0 "$KTSTR" topo --presets
	contains 8cpu-2llc-smt "$output"
	run -1 "$KTSTR" topo 8cpu-2llc-smd
	contains 8cpu-2llc-smt "$output"
	"$KTSTR" topo --json 1n2l2c2t | python3 -c '
import json, sys
machine = json.load(sys.stdin)
assert machine["cpus"] == 8
assert [llc["cpus"] for llc in machine["llcs"]] == ["0-3", "4-7"]
assert machine["llcs"][0]["cores"] == ["0-1", "2-3"]'
}

@test "doctor: the exit code is its verdict, as text and as JSON" {
	run "$KTSTR" doctor
	[ "$status" = 0 ] || [ "$status" = 1 ]
	local text=$status
	contains qemu "$output"
	run "$KTSTR" doctor --json
	[ "$status" = "$text" ]
	echo "$output" | python3 -c "
import json, sys
report = json.load(sys.stdin)
assert report['can_run'] is ($text == 0)
assert 'missing' not in [c['status'] for c in report['checks']] or not report['can_run']"
}

@test "doctor fails without QEMU and without kernels, and says what to do" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	PATH=$BATS_TEST_TMPDIR/bin run -1 "$KTSTR" doctor
	contains "missing qemu" "$(tr -s ' ' <<<"$output")"
	contains "qemu-system-x86" "$output"
	KTSTR_CACHE_DIR=$BATS_TEST_TMPDIR/empty KTSTR_KERNEL='' run -1 "$KTSTR" doctor
	contains "ktstr kernel get" "$output"
	contains "Tests cannot run here yet" "$output"
}

@test "no colour in pipes, nor on a terminal that refuses it" {
	local output
	run -0 "$KTSTR" topo
	lacks $'\033' "$output"
	run "$KTSTR" doctor
	lacks $'\033' "$output"
	output=$(NO_COLOR=1 script -qec "'$KTSTR' doctor" /dev/null </dev/null)
	lacks $'\033[3' "$output"
	output=$(env -u NO_COLOR TERM=xterm script -qec "'$KTSTR' doctor" /dev/null </dev/null)
	contains $'\033[3' "$output"
}

@test "list: columns are as wide as what is in them" {
	run -0 "$KTSTR" list "$(program vm_good)"
	python3 - "$output" <<-'EOF'
		import re, sys
		starts = set()
		for line in sys.argv[1].splitlines():
		    starts.add(re.search(r" \d+n\d+l\d+c\d+t ", line).start())
		assert len(starts) == 1, sys.argv[1]
		assert max(len(line.split()[0]) for line in sys.argv[1].splitlines()) > len("ktstr/") + 20
	EOF
}

@test "a scheduler that is nowhere: each place is named once" {
	PATH=$KTSTR_TEST_BUILD:/usr/bin:/usr/bin run -1 "$KTSTR" run --scheduler scx_nowhere --scenario steady
	[ "$(grep -o " $KTSTR_TEST_BUILD[,;]" <<<"$output" | wc -l)" = 1 ]
	[ "$(grep -o " /usr/bin[,;]" <<<"$output" | wc -l)" = 1 ]
}

@test "an empty kernel cache is called empty" {
	KTSTR_CACHE_DIR=$BATS_TEST_TMPDIR/cache run -1 "$KTSTR" kernel remove 7.3
	contains "no kernel 7.3" "$output"
	contains "is empty" "$output"
	lacks nothing "$output"
}

@test "show-plan: a scenario, a test, JSON, topologies, mistakes" {
	run -0 "$KTSTR" show-plan cpuset_clear --topology 1n2l2c1t
	contains "cpuset_clear on 1n2l2c1t (4 CPUs), eevdf, 5s" "$output"
	contains '  cgroup cg_1 cpuset="disjoint(1, 2)" cpus=1-2' "$output"
	contains "  ClearCpuset cgroup=cg_0" "$output"
	run -0 "$KTSTR" show-plan steady_llc --topology 1n1l2c1t
	contains "skipped: needs 2 LLCs, this topology has 1" "$output"
	run -0 --separate-stderr "$KTSTR" show-plan --json "$(program vm_scenario_ops)" cgroup_ops
	python3 -c 'import json, sys
plan = json.load(sys.stdin)
assert plan["steps"][1]["ops"][0] == {"op": "SwapCpusets", "a": "a", "b": "b"}, plan
assert plan["errors"] == [], plan' <<<"$output"
	run -1 "$KTSTR" show-plan "$(program cli_bad_plans)" typo
	contains 'error: step 0: op 0 (SetCpuset): no cgroup "wbe"' "$output"
	run -1 "$KTSTR" show-plan wakeups
	contains "test wakeups declares no .plan" "$output"
	run -1 "$KTSTR" show-plan cpuset_cleer
	contains 'did you mean "cpuset_clear"?' "$output"
	run -1 "$KTSTR" show-plan "$(program vm_scenario_ops)" nothing
	contains 'has no test "nothing"' "$output"
	run -1 "$KTSTR" show-plan
	contains "which test?" "$output"
}

# The program's would be called in place of the library's, from within the library.
@test "no function of libktstr is defined again in the command" {
	nm -D --defined-only "$KTSTR_TEST_BUILD/lib/libktstr.so" | awk '$2 == "T" { print $3 }' | sort >"$BATS_TEST_TMPDIR/library"
	nm --defined-only "$KTSTR" | awk '$2 == "T" { print $3 }' | sort >"$BATS_TEST_TMPDIR/command"
	grep -q ktstr_cmd_run "$BATS_TEST_TMPDIR/command"
	grep -q ktstr_main "$BATS_TEST_TMPDIR/library"
	run -0 comm -12 "$BATS_TEST_TMPDIR/library" "$BATS_TEST_TMPDIR/command"
	[ -z "$output" ]
}

@test "output that is lost is a failure, a reader that has seen enough is none" {
	local command
	for command in --help --version "run --help" topo "topo --json" list "list --json" "kernel list --json" show-host "show-host --json" "stats list-metrics"; do
		# shellcheck disable=SC2086
		run -1 bash -c '"$@" >/dev/full' - "$KTSTR" $command
		contains "cannot write to standard output: No space left on device" "$output"
	done
	# Closed ones are /dev/null: nothing that is opened later takes their place.
	run -0 bash -c '"$1" topo <&- >&- 2>&-' - "$KTSTR"
	run -0 bash -c '"$1" stats list-metrics | head -n 1; exit ${PIPESTATUS[0]}' - "$KTSTR"
	[ "${#lines[@]}" = 1 ]
}

@test "every test that tests/README.md names is there" {
	local file name found=0
	while IFS=: read -r file name; do
		grep -qF -- "${name# }" "$KTSTR_TEST_SOURCE/tests/$file" || { echo "$file has no ${name# }"; return 1; }
		found=$((found + 1))
	done < <(grep -oE '`(unit|cli|vm|slow)/[a-z_]+\.(c|bats): [^`]+`' "$KTSTR_TEST_SOURCE/tests/README.md" | tr -d '`')
	[ "$found" -gt 50 ]
}

@test "every type, function and macro that guide and reference name is in the headers" {
	run -0 python3 - "$KTSTR_TEST_SOURCE" <<'PYTHON'
import glob, re, subprocess, sys
root, wrong = sys.argv[1], []
# What macros declare, and macros themselves.
known = subprocess.run(["cc", "-E", f"-I{root}/include", f"{root}/include/ktstr.h"], capture_output=True, text=True,
                       check=True).stdout
known += "".join(open(h).read() for h in glob.glob(f"{root}/include/**/*.h", recursive=True))
pages = [f"{root}/README.md"] + glob.glob(f"{root}/docs/guide/*.md") + glob.glob(f"{root}/docs/reference/*.md")
named = re.compile(r"\b(?:struct|enum) (ktstr_\w+)|\b(ktstr_[a-z0-9_]+)\(|\b(KTSTR_[A-Z0-9_]+)\(")
count = 0
for page in pages:
    for names in named.findall(open(page).read()):
        name, = filter(None, names)
        count += 1
        if not re.search(rf"\b{name}\b", known):
            wrong.append(f"{page}: {name}")
print("\n".join(wrong))
sys.exit(bool(wrong) or count < 300)
PYTHON
}

@test "every link of the documentation leads somewhere, and every page is in the index" {
	run -0 python3 - "$KTSTR_TEST_SOURCE" <<'PYTHON'
import os, re, sys
root, wrong = sys.argv[1], []
pages = ["README.md", "CONTRIBUTING.md"] + [os.path.relpath(os.path.join(d, f), root)
         for d, _, files in os.walk(f"{root}/docs") for f in files if f.endswith(".md")]
for page in pages:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", open(f"{root}/{page}").read()):
        if "://" not in link and not os.path.exists(f"{root}/{os.path.dirname(page)}/{link}"):
            wrong.append(f"{page}: {link}")
index = open(f"{root}/docs/README.md").read()
wrong += [f"not in the index: {page}" for page in pages if page.startswith("docs/") and page != "docs/README.md"
          and f"({page[5:]})" not in index]
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
}

@test "locks: who holds what, and nothing is locked or made by looking" {
	local dir=$BATS_TEST_TMPDIR/locks
	export KTSTR_LOCK_DIR=$dir KTSTR_CACHE_DIR=$dir/cache KTSTR_RUNS_ROOT=$dir/runs
	run -0 "$KTSTR" locks
	[ "$output" = "no lock files" ]
	mkdir -p "$dir/cache/kernels/.locks"
	touch "$dir/ktstr-llc-0.lock" "$dir/ktstr-llc-10.lock" "$dir/ktstr-llc-9.lock" "$dir/cache/kernels/.locks/7.3.lock" "$dir/other.lock"
	run -0 flock --shared "$dir/ktstr-llc-9.lock" "$KTSTR" locks
	[ "${lines[0]}" = "LLC 0: <none recorded>" ]
	contains "LLC 9: pid " "${lines[1]}"
	contains " shared (" "${lines[1]}"
	[ "${lines[2]}" = "LLC 10: <none recorded>" ]
	[ "${lines[3]}" = "kernel cache 7.3: <none recorded>" ]
	[ "${#lines[@]}" = 4 ]
	run -0 --separate-stderr flock --exclusive "$dir/ktstr-llc-0.lock" "$KTSTR" locks --json
	python3 -c 'import json, sys
locks = json.load(sys.stdin)
assert sorted(locks) == ["cache", "cpus", "llcs", "run_dirs"], locks
first, ninth, tenth = locks["llcs"]
assert (first["llc_idx"], tenth["llc_idx"], tenth["numa_node"], tenth["holders"]) == (0, 10, None, []) or tenth["numa_node"] is not None, locks
assert first["lockfile"].endswith("/ktstr-llc-0.lock") and first["holders"][0]["exclusive"] is True, first
assert isinstance(first["holders"][0]["pid"], int) and first["holders"][0]["cmdline"], first
assert locks["cache"][0]["cache_key"] == "7.3" and locks["run_dirs"] == [], locks' <<<"$output"
	# Who shares it with nobody could have it now: looking has left no lock.
	flock --exclusive --nonblock "$dir/ktstr-llc-0.lock" true
	[ ! -e "$dir/runs" ]
	run -1 "$KTSTR" locks --watch 0s
	contains "--watch: \"0s\" is not a duration above zero" "$output"
	run -124 timeout 3 "$KTSTR" locks --json --watch 100ms
	[ "${#lines[@]}" -ge 2 ]
	contains '{"llcs":[{"llc_idx":0,' "${lines[1]}"
}
