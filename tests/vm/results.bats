# SPDX-License-Identifier: GPL-2.0-only
# What remains of runs (vm/results.c): sidecars that fit their schema whatever the outcome, and nothing lost when many
# processes store at once.
load ../lib/common

SCHEMA=$KTSTR_TEST_SOURCE/docs/schema/sidecar.schema.json

setup_file() {
	export KTSTR_SIDECAR_DIR=$BATS_FILE_TMPDIR/sidecars
	"$KTSTR" test --json --filter '/ktstr\/(passes|fails|inconclusive|repeats|storm_lost|expected_but_objected|many_00)$/' \
		"$(program vm_results)" >"$BATS_FILE_TMPDIR/results" && return 1
	true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
	sidecars=$BATS_FILE_TMPDIR/sidecars
}

@test "sidecars of pass, fail, skip, inconclusive and deterministic runs fit the schema, which knows every key" {
	expect_outcome "$results" passes pass
	expect_outcome "$results" fails fail
	expect_outcome "$results" many_00 skip
	expect_outcome "$results" inconclusive inconclusive
	expect_outcome "$results" repeats pass
	[ "$(ls "$sidecars"/*.ktstr.json | wc -l)" = 7 ]
	python3 "$KTSTR_TEST_SOURCE/tests/lib/validate_sidecars.py" "$SCHEMA" "$sidecars"/*.ktstr.json
}

@test "the schema rejects what is no sidecar" {
	python3 "$KTSTR_TEST_SOURCE/tests/lib/validate_sidecars.py" "$SCHEMA" --rejects "$sidecars"/passes-*.ktstr.json
}

@test "survives_storm: holds that are survived pass, a lost one fails, none is inconclusive" {
	expect_outcome "$results" passes pass
	expect_outcome "$results" inconclusive inconclusive "no step held: nothing was survived"
	expect_outcome "$results" storm_lost fail "scheduler leaves exited by itself"
	expect_reason "$results" storm_lost "fail SchedulerCrashed: the scheduler must survive every hold (.survives_storm), but in that of step 0 "
}

@test "cleanup_budget fails a run whose VM takes longer to end" {
	expect_reason "$results" storm_lost "fail Other: ending the VM took "
	contains "the test allows 0 ms (cleanup_budget)" "$(result "$results" storm_lost reasons)"
	expect_outcome "$results" passes pass
}

@test "phases of a real run have the iteration rate of their step and what the monitor saw in them" {
	result "$results" passes stats phases | python3 -c 'import json, sys
phases = json.load(sys.stdin)
assert [p["label"] for p in phases] == ["Step[0]", "Step[1]"], phases
for p in phases:
    m = p["metrics"]
    assert m["iteration_rate"] == m["total_phase_iterations"] / m["total_phase_duration_sec"] > 0, m
assert any("avg_nr_running" in p["metrics"] for p in phases), phases'
	contains "ktstr_scenario_stats_step_metric(&vm->guest_assert_result.stats, 1, \"iteration_rate\")" \
		"$(result "$results" passes passes)"
}

@test "exit codes: a skip 0, with --no-skip-mode 1; inconclusive 2; a failure 1, which its reproduce command shows again" {
	local command
	run -0 "$KTSTR" test --filter =ktstr/many_01 "$(program vm_results)"
	run -1 "$KTSTR" test --filter =ktstr/many_01 --no-skip-mode "$(program vm_results)"
	run -2 "$KTSTR" test --filter =ktstr/inconclusive "$(program vm_results)"
	command=$(result "$results" fails reproduce | python3 -c 'import json, shlex, sys
print(shlex.join(json.load(sys.stdin)))')
	PATH=$KTSTR_TEST_BUILD:$PATH run -1 bash -c "$command"
	contains "ktstr_stats(ctx)->total_workers" "$output"
}

@test "expect_err: a callback on the host that objects fails the run all the same" {
	expect_outcome "$results" expected_but_objected fail
	expect_reason "$results" expected_but_objected "fail Other: the callback objects"
	[ "$(result "$results" expected_but_objected expected_failure)" = true ]
}

@test "stats explain-sidecar and list-values: null keys are explained, a corrupt file is counted and named" {
	local run=$BATS_TEST_TMPDIR/runs/7.3-abc
	mkdir -p "$run"
	cp "$sidecars"/*.ktstr.json "$run"
	echo '{"test_name":' >"$run/broken-0123456789abcdef.ktstr.json"
	"$KTSTR" stats explain-sidecar --dir "$BATS_TEST_TMPDIR/runs" --run 7.3-abc --json | python3 -c 'import json, sys
d = json.load(sys.stdin)
walk, fields = d["_walk"], d["fields"]
valid = walk["valid"]
assert valid >= 7 and walk["walked"] == valid + 1, walk
assert len(walk["errors"]) == 1 and "broken" in walk["errors"][0]["path"], walk
assert fields["kvm_stats"]["none_count"] == valid and fields["kvm_stats"]["causes"], fields["kvm_stats"]
assert fields["monitor"]["none_count"] + fields["monitor"]["some_count"] == valid'
	run -0 "$KTSTR" stats list-values --dir "$BATS_TEST_TMPDIR/runs" --json
	contains scx_ktstr "$output"
	contains eevdf "$output"
	# Sidecars that lie somewhere else are an archive, whoever wrote them.
	"$KTSTR" stats list-values --dir "$BATS_TEST_TMPDIR/runs" --json 2>"$BATS_TEST_TMPDIR/complaint" | python3 -c 'import json, sys
assert json.load(sys.stdin)["source"] == ["archive"]'
	KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/runs "$KTSTR" stats list-values --json 2>"$BATS_TEST_TMPDIR/complaint" | python3 -c 'import json, sys
source = json.load(sys.stdin)["source"]
assert source and "archive" not in source, source'
	run -0 "$KTSTR" stats show-host --dir "$BATS_TEST_TMPDIR/runs" --run 7.3-abc
	contains online_cpus "$output"
	run -1 "$KTSTR" stats explain-sidecar --dir "$BATS_TEST_TMPDIR/runs" --run nothing
}

# Fifty processes, none of which boots. Forty are one invocation over four commits, as the jobs of a pipeline are; ten
# are invocations of their own, each of a commit of its own.
@test "fifty concurrent ktstr test in one run root: every sidecar is there and valid, the index agrees" {
	local i pids=() root=$BATS_TEST_TMPDIR/runs epoch
	epoch=$(date +%s%N)
	unset KTSTR_SIDECAR_DIR
	for ((i = 0; i < 50; i++)); do
		if ((i < 40)); then
			export KTSTR_RUN_EPOCH=$epoch KTSTR_PROJECT_COMMIT=shared$((i % 4))
		else
			unset KTSTR_RUN_EPOCH
			export KTSTR_PROJECT_COMMIT=own$i
		fi
		KTSTR_RUNS_ROOT=$root "$KTSTR" test --filter "=ktstr/many_$(printf %02d "$i")" "$(program vm_results)" \
			>"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[$i]}" || { cat "$BATS_TEST_TMPDIR/out.$i"; return 1; }
		lacks "not in the index" "$(cat "$BATS_TEST_TMPDIR/out.$i")"
	done
	[ "$(ls "$root"/*/many_*.ktstr.json | wc -l)" = 50 ]
	[ "$(ls -d "$root"/*/ | wc -l)" = 14 ]
	python3 "$KTSTR_TEST_SOURCE/tests/lib/validate_sidecars.py" "$SCHEMA" "$root"/*/*.ktstr.json
	# What the index says, and what a new one says that is made from the sidecars.
	KTSTR_RUNS_ROOT=$root "$KTSTR" runs list --limit 0 --json >"$BATS_TEST_TMPDIR/before"
	rm "$root"/index.sqlite*
	KTSTR_RUNS_ROOT=$root "$KTSTR" runs reindex
	KTSTR_RUNS_ROOT=$root "$KTSTR" runs list --limit 0 --json >"$BATS_TEST_TMPDIR/after"
	python3 -c 'import json, sys
before, after = (sorted(json.load(open(path)), key=lambda run: json.dumps(run, sort_keys=True)) for path in sys.argv[1:])
assert sum(run["skipped"] for run in before) == sum(run["tests"] for run in before) == 50, before
assert before == after, (before, after)' "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
