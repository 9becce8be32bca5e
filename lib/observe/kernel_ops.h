/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes of kernel variables that a test body asks for (ktstr/kernel_op.h), done in guest memory. */
#ifndef KTSTR_OBSERVE_KERNEL_OPS_H
#define KTSTR_OBSERVE_KERNEL_OPS_H

#include <jansson.h>

#include "observe/kernel_view.h"
#include "wire/host_request.h"

/*
 * Does all entries in their order; the first that cannot be done ends it, and is the reason in *reply ("entry[i]: ...").
 * What was written before stays written. For a cold request the guest must stand still.
 */
void ktstr_kernel_ops_do(const struct ktstr_kernel_view *view, const struct ktstr_kernel_op_request *request,
			 struct ktstr_kernel_op_reply *reply);

/* Where a target of so many bytes is: errors name what is wrong with it. */
struct ktstr_error *ktstr_kernel_target_find(const struct ktstr_kernel_view *view,
					     const struct ktstr_kernel_target *target, size_t bytes, uint64_t *address)
	KTSTR_CHECKED;

/* {tag, values[{kind, number|bytes}]} of a read; new reference. */
json_t *ktstr_kernel_op_to_json(const char *tag, const struct ktstr_kernel_op_reply *reply);

#endif
