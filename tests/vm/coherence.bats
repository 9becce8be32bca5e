# SPDX-License-Identifier: GPL-2.0-only
# The library that keeps QEMU's translations coherent (lib/vm/coherence.c), as far as a QEMU without a kernel shows it: the
# firmware writes over itself. What it is for takes minutes: see slow/slow.bats.
load ../lib/common

QEMU=${KTSTR_QEMU:-qemu-system-x86_64}

# Runs the firmware for a second; QEMU's words, its trace events among them, are the output.
firmware() { # VARIABLE=VALUE...
	local event='{"name": "memory_notdirty_write_access", "enable": true}'
	{
		echo '{"execute": "qmp_capabilities"}'
		echo "{\"execute\": \"trace-event-set-state\", \"arguments\": $event}"
		echo '{"execute": "cont"}'
		sleep 1
		echo '{"execute": "quit"}'
	} | env "$@" timeout 60 "$QEMU" -nodefaults -display none -S -smp 2 -accel tcg,thread=multi -qmp stdio 2>&1
}

# As QEMU's version has it: see set_environment() in lib/vm/vm.c.
form() {
	[[ $("$QEMU" -version) == *"version 10.0."* ]] || echo KTSTR_COHERENCE_FORM=cpu
}

@test "QEMU tells of stores to translated code, and the library takes up each one" {
	[[ $("$QEMU" -version) == *"version 1"[01].* ]] || skip "QEMU is neither 10 nor 11"
	run -0 firmware A=1
	contains "memory_notdirty_write_access" "$output"
	# shellcheck disable=SC2046 # a word or none
	run -0 firmware LD_PRELOAD="$KTSTR_TEST_BUILD/ktstr-coherence.so" $(form)
	lacks "memory_notdirty_write_access" "$output"
	contains SHUTDOWN "$output"
}
