/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that make a run repeatable to the last instruction, in one place:
 *
 * 1. Time is instructions: `-icount shift=2,sleep=off` (4 ns each), `-rtc clock=vm`, one TCG thread. Idle time is
 *    skipped, not slept, so the host's clock never enters. (Options: machine.c.)
 * 2. No source of randomness: `-seed`, a CPU without rdrand and rdseed; the guest's CRNG is seeded from the run's
 *    seed through the mailbox.
 * 3. No input to a running guest: the job lies in the mailbox before the CPUs start (`-S`, then `cont`), the agent
 *    polls for it in guest time. Results leave through memory that the host only reads.
 * 4. No realtime timer in QEMU: an icount slice ends at the nearest timer of any clock, realtime ones included, and
 *    with it the turn of a vCPU. Migration's self-announce is such a timer: announce-rounds=0.
 * 5. No QMP command between `cont` and the end: each one stops or kicks a vCPU at a moment the host chooses.
 * 6. A settled template: what the kernel still does after boot would compete with the test's first seconds.
 * 7. No device that QEMU's main loop serves while the guest runs: a virtio queue's notification is taken up when the
 *    host gets to it. So no virtio at all: frames go through memory, and there is no console to type at.
 * 8. The host looks at a guest only while that has frozen itself inside one instruction (freezer.h). Until it is let go
 *    nothing of it runs and no guest time passes, however long that takes. Its memory can be read and written; its
 *    registers cannot be had, since QEMU's monitor and gdb stub need the lock under which it stands.
 * 9. A guest is saved in a window in which it would do nothing but sleep: the agent freezes when it has reached a stage,
 *    QEMU finds `stop` waiting as soon as all CPUs are idle (rule 11), and only when the window is over the agent looks
 *    for a job; that it had not is checked. So saved machines go on alike, and a seed does not depend on who saved it.
 * 10. QEMU >= 8.1 for more than one vCPU: earlier ones let a vCPU run ahead by a whole slice (up to 140 ms), which is
 *    repeatable but useless for latencies.
 * 11. QEMU's main loop only turns while its CPUs' thread sleeps: lockstep.c, a library that is loaded into QEMU.
 */
#ifndef KTSTR_VM_DETERMINISM_H
#define KTSTR_VM_DETERMINISM_H

#include <stdbool.h>
#include <stddef.h>

#include "vm/qmp.h"

/* Rule 4, before device state is loaded. Harmless in ordinary mode, so it is always done. */
struct ktstr_error *ktstr_determinism_prepare_load(struct ktstr_qmp *qmp, uint64_t deadline_ns)
	KTSTR_CHECKED;
/*
 * Rule 3: starts the CPUs of a machine that was started with -S. In deterministic mode the last QMP command; its reply
 * comes when all CPUs have been idle for the first time (rule 11), and is not waited for.
 */
struct ktstr_error *ktstr_determinism_resume(struct ktstr_qmp *qmp, bool deterministic, uint64_t deadline_ns)
	KTSTR_CHECKED;
/* Rule 11: KTSTR_ERR_UNSUPPORTED when that QEMU process has not loaded the library. */
struct ktstr_error *ktstr_determinism_check(int qemu_pid, const char *lockstep_path) KTSTR_CHECKED;
/* Rule 2: bytes that follow from the seed alone (SplitMix64). */
void ktstr_determinism_entropy(uint64_t seed, uint8_t *bytes, size_t length);

#endif
