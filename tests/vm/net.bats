# SPDX-License-Identifier: GPL-2.0-only
# Network devices of a guest (vm/net.c), which echo.
load ../lib/common

setup_file() {
	export KTSTR_SIDECAR_DIR=$BATS_FILE_TMPDIR/sidecars
	"$KTSTR" test --json --jobs 1 "$(program vm_net)" >"$BATS_FILE_TMPDIR/results" && return 1
	true
}

setup() {
	results=$BATS_FILE_TMPDIR/results
}

@test "frames come back bit for bit on the device that sent them, in a clone; the host counts what the guest counts" {
	expect_outcome "$results" echo pass
	contains warm "$(result "$results" echo start_mode)"
	[ "$(result "$results" echo networks 0 mac)" = 02:00:00:00:00:01 ]
	[ "$(result "$results" echo networks 1 mac)" = 02:00:00:00:00:02 ]
	for device in 0 1; do
		for counter in tx_packets rx_packets; do
			[ "$(result "$results" echo networks $device $counter)" = 25 ]
		done
		[ "$(result "$results" echo networks $device tx_bytes)" = $((5 * (60 + 61 + 256 + 1513 + 1514))) ]
		[ "$(result "$results" echo networks $device ctrl_mq_set)" = null ]
	done
}

@test "NetTraffic and IrqWake raise the interrupts and NET_RX softirqs of the first device" {
	expect_outcome "$results" traffic pass
	[ "$(result "$results" traffic networks 0 rx_packets)" -ge 300 ]
	[ "$(result "$results" traffic networks 1 tx_packets)" = 0 ]
}

@test "post_vm callbacks see a difference between both counts" {
	expect_outcome "$results" miscounted fail
	expect_reason "$results" miscounted "fail Other: the guest's rx_bytes"
}

@test "sidecars with network devices fit the schema" {
	python3 "$KTSTR_TEST_SOURCE/tests/lib/validate_sidecars.py" "$KTSTR_TEST_SOURCE/docs/schema/sidecar.schema.json" \
		"$BATS_FILE_TMPDIR"/sidecars/*.ktstr.json
}

@test "the same after a boot" {
	"$KTSTR" test --json --cold --filter =ktstr/echo "$(program vm_net)" >"$BATS_TEST_TMPDIR/cold"
	expect_outcome "$BATS_TEST_TMPDIR/cold" echo pass
	[ "$(result "$BATS_TEST_TMPDIR/cold" echo start_mode)" = cold ]
}

@test "virtual time and network devices exclude each other, before anything boots" {
	run -1 "$KTSTR" test --seed 1 --filter =ktstr/echo "$(program vm_net)"
	contains "test echo has network devices (.networks), which a deterministic run cannot have" "$output"
}
