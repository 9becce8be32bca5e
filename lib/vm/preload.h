/* SPDX-License-Identifier: GPL-2.0-only */
/* Our libraries in QEMU's process (LD_PRELOAD): lockstep.c for repeatable runs, coherence.c for the others. */
#ifndef KTSTR_VM_PRELOAD_H
#define KTSTR_VM_PRELOAD_H

#include <stdbool.h>

#include "base/str.h"

/* Our environment with the library in it, before what is preloaded anyway. */
void ktstr_preload_environment(const char *library, struct ktstr_strv *environment);
/* Has that process loaded it? A static program, or one with special rights, does not. */
bool ktstr_preload_worked(int pid, const char *library);

#endif
