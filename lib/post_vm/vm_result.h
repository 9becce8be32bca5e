/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a result for the callbacks that look at it. */
#ifndef KTSTR_POST_VM_VM_RESULT_H
#define KTSTR_POST_VM_VM_RESULT_H

#include <jansson.h>

#include "ktstr/vm_result.h"

/* Borrows texts from sidecar, which must outlive it; path is where the sidecar lies. */
struct ktstr_error *ktstr_vm_result_read(const json_t *sidecar, const char *path, struct ktstr_vm_result *vm)
	KTSTR_CHECKED;
void ktstr_vm_result_deinit(struct ktstr_vm_result *vm);

#endif
