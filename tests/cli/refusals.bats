# SPDX-License-Identifier: GPL-2.0-only
# What ktstr refuses before it boots anything: programs, schedulers, kernels and disks that cannot be used. The message
# must name the thing and the way out.
load ../lib/common

@test "a program without tests" {
	run -1 "$KTSTR" test "$(program cli_without_tests)"
	contains "cli_without_tests has no tests" "$output"
	contains "KTSTR_TEST" "$output"
}

@test "a program that has nothing to do with ktstr is not executed" {
	run -1 "$KTSTR" test /bin/true
	contains "/bin/true has no tests" "$output"
	printf '#!/bin/sh\ntouch "%s/executed"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run -1 "$KTSTR" test "$BATS_TEST_TMPDIR/script"
	contains "is not an ELF program" "$output"
	[ ! -e "$BATS_TEST_TMPDIR/executed" ]
}

@test "a program that the loader finds no libktstr for" {
	local bare=$BATS_TEST_TMPDIR/my_tests lib=$KTSTR_TEST_BUILD/lib
	cc -std=gnu17 -I"$KTSTR_TEST_SOURCE/include" -o "$bare" "$KTSTR_TEST_SOURCE/examples/my_tests/my_tests.c" \
		-L"$lib" -lktstr_main -lktstr
	run -1 env -u LD_LIBRARY_PATH "$KTSTR" list "$bare"
	contains "libktstr.so.0: cannot open shared object file" "$output"
	contains "link it with -Wl,-rpath,$(realpath "$lib"), or set LD_LIBRARY_PATH=$(realpath "$lib")" "$output"
	LD_LIBRARY_PATH=$lib run -0 "$KTSTR" list "$bare"
	contains "llcs_stay_apart" "$output"
}

@test "the example's Makefile without ktstr: one line that says how" {
	cp -r "$KTSTR_TEST_SOURCE/examples/my_tests" "$BATS_TEST_TMPDIR/copy"
	run -2 env -u PKG_CONFIG_PATH PKG_CONFIG_LIBDIR=/nowhere make -C "$BATS_TEST_TMPDIR/copy"
	contains "pkg-config finds no ktstr: install it, or say make PKG_CONFIG_PATH=" "$output"
	lacks "ktstr.h" "$output"
	run -0 env PKG_CONFIG_LIBDIR=/nowhere make -C "$BATS_TEST_TMPDIR/copy" clean
}

@test "programs that are missing, directories, or not given" {
	run -1 "$KTSTR" test /no/such/program
	contains "/no/such/program (a program that you have built from KTSTR_TEST()s): No such file" "$output"
	run -1 "$KTSTR" test "$BATS_TEST_TMPDIR"
	contains "$BATS_TEST_TMPDIR" "$output"
	run -1 "$KTSTR" test
	contains "which program?" "$output"
}

@test "declarations that cannot run are all named, with their fields" {
	run -1 "$KTSTR" test "$(program cli_bad_declarations)"
	contains "test uneven_llcs: .topology: 3 LLCs" "$output"
	contains "test negative_rate: .checks" "$output"
	contains min_work_rate "$output"
	contains "test crossed_bounds: .constraints: .max_llcs (2)" "$output"
	contains "test beyond_a_default: .constraints: .max_numa_nodes (1, the default) is below .min_numa_nodes (2)" "$output"
	contains "test beyond_its_scheduler: .constraints: .max_llcs (3, the scheduler's) is below .min_llcs (4)" "$output"
	contains "scheduler crossed_cpus: .constraints: .max_cpus (4) is below .min_cpus (8)" "$output"
	contains "test captures_without_a_vm: .host_only excludes .num_snapshots" "$output"
	contains "test disk_without_a_vm: .host_only excludes .disk" "$output"
	contains "test disk_at_no_time: .disk excludes .deterministic" "$output"
	contains "test burst_below_rate: .disk: .throttle: .iops_burst_capacity (50) is below .iops (100)" "$output"
	contains "test burst_without_rate: .disk: .throttle: .bytes_burst_capacity (4096) without .bytes_per_sec" "$output"
	contains "test disk_too_small: .disk: .capacity_mib (64) is too small for btrfs: give at least 128" "$output"
	contains "test disk_elsewhere: .disk: .name \"../etc\"" "$output"
	contains "test network_without_a_vm: .host_only excludes .networks" "$output"
	contains "test network_on_virtual_time: .networks excludes .deterministic" "$output"
	contains "test one_mac_twice: .networks: [1]: .mac 02:00:00:00:00:01 (the default) is that of [0] already" "$output"
	contains "test multicast_mac: .networks: [0]: .mac: 01:00:5e:00:00:01 is a multicast address" "$output"
	contains "test two_queues: .networks: [1]: .queue_pairs is 2: QEMU's dgram backend" "$output"
	contains "test scheduler_without_a_vm: .host_only excludes .scheduler" "$output"
	contains "scheduler empty_binary: .binary" "$output"
	contains "test payload_without_binary: .payload: payload no_binary: .binary is missing" "$output"
	contains "test payload_with_empty_range: .payload: payload empty_range: .default_checks: check 0: rate: the range 2 to 1" "$output"
	contains "test workload_hinted_twice: .workloads: payload hinted_twice: .metrics: rate is named twice" "$output"
	contains "test payload_with_wrong_flag: .payload: payload wrong_flag: .default_args: unknown flag --login" "$output"
	contains "test payload_is_a_scheduler: .payload: payload kernel_default is of kind SCHEDULER" "$output"
	contains "test workload_twice: .workloads: payload good_payload is named twice" "$output"
	contains "scheduler loud: .kargs: \"loglevel=8\" would override loglevel=" "$output"
	contains "scheduler undotted: .sysctls: key \"sched_schedstats\"" "$output"
	contains "test staged_twice: .staged_schedulers: scheduler loud: .kargs" "$output"
	contains "test words_without_failure: .expect_scx_bpf_error_contains needs .expect_err" "$output"
	contains "test storm_for_nobody: .survives_storm needs a .scheduler that is a program" "$output"
	contains "test asserts_a_typo: .perf_delta_assertions: iteration_rat is not in the metric registry" "$output"
	contains "test both_modes: .performance_mode excludes .no_perf_mode" "$output"
	contains "test budget_of_nothing: .cpu_budget needs .no_perf_mode" "$output"
	contains "test config_for_nobody: .config: the scheduler has no .config_file_def" "$output"
	contains "test payload_and_workload: .workloads: payload good_payload is the test's .payload already" "$output"
	contains "test empty_include: .extra_include_files: an empty name" "$output"
	lacks "sound" "$output"
}

@test "plans that cannot work are told with test, step and op" {
	run -1 "$KTSTR" test "$(program cli_bad_plans)"
	contains 'test typo: .plan: step 0: op 0 (SetCpuset): no cgroup "wbe" at this point; did you mean "web"?' "$output"
	contains "test typo: .plan: step 0: op 1 (SetCpuset): cpuset llc(4): this machine has 1 of them" "$output"
	contains "test odd_pairs: .plan: step 0: cgroup pairs: PipeIo (group 0) requires num_workers divisible by 2, got 3" "$output"
	contains "test no_time: .plan: step 0: hold of 0 of the duration" "$output"
	contains "test nothing_said: .plan: it visits nothing" "$output"
	contains "test no_plan: " "$output"
	lacks "sound" "$output"
}

@test "a plan that does not fit the topology of the command line" {
	run -1 "$KTSTR" test "$(program vm_scenario_ops)" --filter =ktstr/cgroup_ops --topology 1n1l2c1t
	contains "test cgroup_ops cannot run on topology 1n1l2c1t:" "$output"
	contains "step 0: op 1 (SetCpuset): cpuset llc(1): this machine has 1 of them" "$output"
}

@test "a payload that is not installed: said before anything boots, with its package" {
	run -1 "$KTSTR" test "$(program cli_missing_files)" --filter==ktstr/missing_program
	contains 'test missing_program: payload absent: no "no-such-program" in ., ' "$output"
	contains "the package no-such-package has it: apt-get install no-such-package" "$output"
	run -1 "$KTSTR" test "$(program cli_missing_files)" --filter==ktstr/missing_file
	contains "test missing_file: .extra_include_files: ./no-such-file: No such file or directory" "$output"
	run -1 "$KTSTR" test "$(program cli_missing_files)" --filter==ktstr/not_a_program
	contains "payload script" "$output"
	contains "is not an ELF executable" "$output"
}

@test "two tests of one name: a warning, and the first counts" {
	run -0 --separate-stderr "$KTSTR" list "$(program cli_duplicates)"
	[ "${#lines[@]}" = 1 ]
	contains "the first" "$output"
	run -0 --separate-stderr "$(program cli_duplicates)" --ktstr-describe
	contains '"twice" is registered more than once' "$stderr"
}

@test "a program that crashes when it is asked for its tests" {
	run -1 "$KTSTR" test "$(program cli_crashing)"
	contains "cannot ask" "$output"
	contains "signal 6" "$output"
}

@test "schedulers: missing, a directory, by an unknown name" {
	run -1 "$KTSTR" run --scheduler /no/such/scx --scenario steady
	contains "scheduler /no/such/scx: No such file or directory; correct the path, or build it first" "$output"
	run -1 "$KTSTR" run --scheduler "$BATS_TEST_TMPDIR" --scenario steady
	contains "is a directory" "$output"
	run -1 "$KTSTR" run --scheduler scx_nowhere --scenario steady
	contains 'no scheduler "scx_nowhere"' "$output"
	contains "KTSTR_SCHEDULER_BIN_SCX_NOWHERE" "$output"
	lacks "the file in this directory" "$output"
	cd "$BATS_TEST_TMPDIR"
	touch scx_nowhere
	run -1 "$KTSTR" run --scheduler scx_nowhere --scenario steady
	contains "the file in this directory is ./scx_nowhere, or set" "$output"
	KTSTR_SCHEDULER_BIN_SCX_NOWHERE=/no/such run -1 "$KTSTR" run --scheduler scx_nowhere --scenario steady
	contains 'KTSTR_SCHEDULER_BIN_SCX_NOWHERE' "$output"
	contains "/no/such" "$output"
}

@test "a scheduler that is a script or an empty file" {
	printf '#!/bin/sh\nexit 0\n' >"$BATS_TEST_TMPDIR/scx_script"
	: >"$BATS_TEST_TMPDIR/scx_empty"
	chmod +x "$BATS_TEST_TMPDIR/scx_script" "$BATS_TEST_TMPDIR/scx_empty"
	run -1 "$KTSTR" run --scheduler "$BATS_TEST_TMPDIR/scx_script" --scenario steady --topology 1n1l1c1t
	lacks "FAIL" "$output"
	contains "scx_script" "$output"
	contains "script" "$output"
	run -1 "$KTSTR" run --scheduler "$BATS_TEST_TMPDIR/scx_empty" --scenario steady --topology 1n1l1c1t
	contains "scx_empty" "$output"
	contains "not an ELF" "$output"
}

@test "a scheduler for another processor" {
	# e_machine of the ELF header
	{ head -c 18 "$SCX"; printf '\xb7\x00'; tail -c +21 "$SCX"; } >"$BATS_TEST_TMPDIR/scx_arm"
	chmod +x "$BATS_TEST_TMPDIR/scx_arm"
	run -1 "$KTSTR" run --scheduler "$BATS_TEST_TMPDIR/scx_arm" --scenario steady --topology 1n1l1c1t
	contains "scheduler: $BATS_TEST_TMPDIR/scx_arm is an ELF file for aarch64 (64 bit, machine 183), the guest runs x86-64" "$output"
	lacks "FAIL" "$output"
}

@test "numbers in the environment that are none" {
	local variable value
	for variable in KTSTR_JOBS KTSTR_TEMPLATE_CAP_MIB KTSTR_MEMORY_BUDGET_MIB KTSTR_STALL_POLL_MS KTSTR_STUCK_POLL_MS KTSTR_RUN_EPOCH \
		KTSTR_FREEZE_RENDEZVOUS_TIMEOUT_MS; do
		for value in x 4g -1 0; do
			[ "$variable$value" != KTSTR_FREEZE_RENDEZVOUS_TIMEOUT_MS0 ] || continue
			run -1 env "$variable=$value" "$KTSTR" template list
			contains "ktstr: $variable=$value: give " "$output"
		done
	done
	run -0 env KTSTR_TEMPLATE_CAP_MIB= KTSTR_FREEZE_RENDEZVOUS_TIMEOUT_MS=0 "$KTSTR" template list
}

@test "kernels that are not there: what is there is listed" {
	run -1 "$KTSTR" run --kernel 9.99 --scenario steady
	contains 9.99 "$output"
	contains "in the cache: " "$output"
	contains "7.3" "${output##*in the cache: }"
	run -1 "$KTSTR" run --kernel no-such-kernel --scenario steady
	contains '"no-such-kernel" is no kernel' "$output"
	run -1 "$KTSTR" run --kernel /no/such/bzImage --scenario steady
	contains "/no/such/bzImage" "$output"
	KTSTR_KERNEL=/no/such/bzImage run -1 "$KTSTR" run --scenario steady
	contains "KTSTR_KERNEL=/no/such/bzImage" "$output"
}

@test "images and trees that are no kernels" {
	head -c 100000 /dev/zero >"$BATS_TEST_TMPDIR/zeros"
	run -1 "$KTSTR" run --kernel "$BATS_TEST_TMPDIR/zeros" --scenario steady
	contains "$BATS_TEST_TMPDIR/zeros" "$output"
	mkdir "$BATS_TEST_TMPDIR/tree"
	run -1 "$KTSTR" run --kernel "$BATS_TEST_TMPDIR/tree" --scenario steady
	contains "no kernel tree" "$output"
	touch "$BATS_TEST_TMPDIR"/tree/{Makefile,Kconfig}
	run -1 "$KTSTR" run --kernel "$BATS_TEST_TMPDIR/tree" --scenario steady
	contains "not configured" "$output"
	touch "$BATS_TEST_TMPDIR"/tree/.config
	run -1 "$KTSTR" run --kernel "$BATS_TEST_TMPDIR/tree" --scenario steady
	contains "not built" "$output"
}

# A cache with a copy of the newest 7.3 in it.
copy_of_the_cache() {
	local path
	path=$("$KTSTR" kernel list --json | python3 -c '
import json, sys
print(next(k["path"] for k in json.load(sys.stdin) if k["version"].startswith("7.3.") and k["state"] == "valid"))')
	mkdir -p "$BATS_TEST_TMPDIR/cache/kernels"
	cp -a "$path" "$BATS_TEST_TMPDIR/cache/kernels/"
	version=${path##*/}
	entry=$BATS_TEST_TMPDIR/cache/kernels/$version
	export KTSTR_CACHE_DIR=$BATS_TEST_TMPDIR/cache
}

corrupt_and_not_used() { # REASON_PART
	run -0 "$KTSTR" kernel list
	contains corrupt "$output"
	contains "$1" "$output"
	"$KTSTR" kernel list --json | python3 -c '
import json, sys
assert [k["state"] for k in json.load(sys.stdin)] == ["corrupt"]'
	run -1 "$KTSTR" doctor
	contains "corrupt" "$output"
}

@test "a kernel in the cache with a truncated image is corrupt and not used" {
	copy_of_the_cache
	truncate -s 1000000 "$entry/vmlinuz"
	corrupt_and_not_used vmlinuz
}

@test "a kernel in the cache with a changed byte is corrupt and not used" {
	copy_of_the_cache
	printf 'X' | dd of="$entry/vmlinuz" bs=1 seek=1000000 conv=notrunc status=none
	corrupt_and_not_used SHA-256
}

@test "a kernel in the cache without metadata is corrupt, and can be removed" {
	copy_of_the_cache
	rm "$entry/metadata.json"
	corrupt_and_not_used metadata.json
	run -0 "$KTSTR" kernel remove --corrupt
	contains "removed $version" "$output"
	[ ! -e "$entry" ]
	run -0 "$KTSTR" kernel list
	contains "ktstr kernel get" "$output"
}

@test "removing a kernel that is not there names those that are" {
	copy_of_the_cache
	run -1 "$KTSTR" kernel remove 1.2.3
	contains "no kernel 1.2.3" "$output"
	contains "$version" "$output"
	run -1 "$KTSTR" kernel remove ../kernels
	[ -d "$entry" ]
	run -0 "$KTSTR" kernel remove "$version"
	[ ! -e "$entry" ]
}

mount_tiny() { # OPTIONS
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	tiny=$BATS_TEST_TMPDIR/tiny
	mkdir "$tiny"
	mount -t tmpfs -o "$1" tmpfs "$tiny" || skip "no mounts here"
}

teardown() {
	[ -z "${tiny:-}" ] || umount "$tiny"
}

@test "a full disk below the runs root: the path is named before anything boots" {
	mount_tiny size=1m,nr_inodes=2
	touch "$tiny/taken"
	KTSTR_RUNS_ROOT=$tiny/runs run -1 "$KTSTR" run --scenario steady --topology 1n1l1c1t
	contains "results cannot be kept in $tiny/runs" "$output"
	contains "set KTSTR_RUNS_ROOT" "$output"
	contains "No space left on device" "$output"
}

@test "a full disk below the cache: the path is named" {
	mount_tiny size=64k
	KTSTR_CACHE_DIR=$tiny run -1 "$KTSTR" kernel get 7.3
	contains "$tiny" "$output"
}

@test "a cache and runs root that cannot be written" {
	: >"$BATS_TEST_TMPDIR/file"
	KTSTR_RUNS_ROOT=$BATS_TEST_TMPDIR/file/runs run -1 "$KTSTR" run --scenario steady
	contains "$BATS_TEST_TMPDIR/file" "$output"
	KTSTR_CACHE_DIR=$BATS_TEST_TMPDIR/file/cache run -1 "$KTSTR" kernel get 7.3
	contains "$BATS_TEST_TMPDIR/file" "$output"
}

@test "caps on host CPUs that are none, or that are broken at the same time" {
	run -1 "$KTSTR" run --cpu-cap 0
	contains "--cpu-cap 0: give a number of host CPUs from 1 to 1024" "$output"
	run -1 "$KTSTR" test --cpu-cap many "$(program vm_reserve)"
	contains "--cpu-cap many: give a number of host CPUs" "$output"
	KTSTR_CPU_CAP=0 run -1 "$KTSTR" list --scenarios
	contains "KTSTR_CPU_CAP=0: give a number of host CPUs from 1 on; or unset it" "$output"
	KTSTR_BYPASS_LLC_LOCKS=1 run -1 "$KTSTR" test --cpu-cap 1 "$(program vm_reserve)"
	contains "--cpu-cap is a resource contract with others on this host, which KTSTR_BYPASS_LLC_LOCKS would break" "$output"
	KTSTR_BYPASS_LLC_LOCKS=1 KTSTR_CPU_CAP=1 run -1 "$KTSTR" shell --exec true
	contains "KTSTR_CPU_CAP is a resource contract" "$output"
	run -1 "$KTSTR" shell --cpu-cap 1 --exec true
	contains "--cpu-cap needs --no-perf-mode" "$output"
}

@test "KTSTR_PERF_ONLY leaves the tests in performance mode" {
	KTSTR_PERF_ONLY=1 run -0 "$KTSTR" test --list "$(program vm_reserve)"
	[ "$output" = "ktstr/measured: test"$'\n'"ktstr/measured_two: test"$'\n'"ktstr/measured_failure: test" ]
	KTSTR_PERF_ONLY=1 run -1 "$KTSTR" test --filter pooled "$(program vm_reserve)"
	contains "KTSTR_PERF_ONLY is set, and no test that was chosen has .performance_mode" "$output"
}
