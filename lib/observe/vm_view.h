/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel of a VM of ours, booted or cloned. */
#ifndef KTSTR_OBSERVE_VM_VIEW_H
#define KTSTR_OBSERVE_VM_VIEW_H

#include "observe/kernel_view.h"
#include "vm/vm.h"

/* See ktstr_kernel_view_open(). vmlinux NULL = there is none: an error that says what to do. */
struct ktstr_error *ktstr_view_of_vm(const struct ktstr_vm *vm, const struct ktstr_vmlinux *vmlinux,
				     struct ktstr_kernel_view **view) KTSTR_CHECKED;

#endif
