/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's xarray (include/linux/xarray.h), under IDRs too: indexes to pointers. */
#ifndef KTSTR_OBSERVE_XARRAY_H
#define KTSTR_OBSERVE_XARRAY_H

#include "observe/kernel_view.h"

/*
 * Visits the pointers in `struct xarray` at address, lowest index first, until visit() returns false or `cap` slots of
 * tree nodes have been looked at. Internal and value entries are not visited.
 */
void ktstr_walk_xarray(const struct ktstr_kernel_view *view, uint64_t address, size_t cap,
		       bool (*visit)(void *context, uint64_t index, uint64_t pointer), void *context);

#endif
