/* SPDX-License-Identifier: GPL-2.0-only */
/* The role of a test program after its VM is gone. */
#ifndef KTSTR_POST_VM_ROLE_H
#define KTSTR_POST_VM_ROLE_H

#define KTSTR_POST_VM_OPTION "--ktstr-post-vm"

/* Runs the callbacks of the test that the sidecar is of; writes {"verdict": ...} to verdict_path. An exit code. */
int ktstr_post_vm_main(const char *sidecar_path, const char *verdict_path);

#endif
