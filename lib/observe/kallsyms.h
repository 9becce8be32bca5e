/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols from kallsyms as it lies in the guest's memory, at their run-time addresses. Distributions' kernels have it. */
#ifndef KTSTR_OBSERVE_KALLSYMS_H
#define KTSTR_OBSERVE_KALLSYMS_H

#include "observe/address.h"
#include "observe/symbols.h"
#include "observe/vmcoreinfo.h"

/* KTSTR_ERR_UNSUPPORTED: the kernel has none. KTSTR_ERR_CORRUPT names the table that makes no sense. */
struct ktstr_error *ktstr_kallsyms_read(const struct ktstr_address_space *space, const struct ktstr_vmcoreinfo *info,
					struct ktstr_symbols **symbols) KTSTR_CHECKED;

#endif
