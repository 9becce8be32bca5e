/* SPDX-License-Identifier: GPL-2.0-only */
/* What the library in QEMU (lockstep.c) and those who load it agree on. */
#ifndef KTSTR_VM_LOCKSTEP_H
#define KTSTR_VM_LOCKSTEP_H

/* Set in its environment: the main loop waits for the CPUs' thread for a millisecond at most. */
#define KTSTR_LOCKSTEP_IMPATIENT "KTSTR_LOCKSTEP_IMPATIENT"

#endif
