/* SPDX-License-Identifier: GPL-2.0-only */
/* What the library in QEMU (coherence.c) and those who load it agree on. */
#ifndef KTSTR_VM_COHERENCE_H
#define KTSTR_VM_COHERENCE_H

/* QEMU's trace event of a store to memory that may hold translated code: address, RAM address, size. */
#define KTSTR_COHERENCE_EVENT "memory_notdirty_write_access"
/* Set in its environment: with which arguments QEMU's tb_invalidate_phys_range() is called, which 10.1 changed. */
#define KTSTR_COHERENCE_FORM   "KTSTR_COHERENCE_FORM"
#define KTSTR_COHERENCE_BY_CPU "cpu"

#endif
