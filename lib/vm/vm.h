/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine's life: a QEMU child whose RAM, mailbox, console and sockets are all anonymous, so that
 * nothing of it can outlive us; booted until the agent is ready, given one job, read frame by frame, ended.
 */
#ifndef KTSTR_VM_VM_H
#define KTSTR_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "ktstr/error.h"
#include "ktstr/topology.h"
#include "vm/qemu.h"
#include "wire/frame.h"

struct ktstr_vm_config {
	const struct ktstr_qemu *qemu;
	const struct ktstr_accel_choice *accel;
	const struct ktstr_kernel *kernel;
	const struct ktstr_topology *topology; /* validated */
	uint64_t memory_mib; /* what the test asks for; see ktstr_machine_memory_mib() */
	const char *agent_path; /* ktstr-init */
	const char *extra_kargs; /* NULL = none */
	bool interactive_console; /* adds hvc0; see ktstr_vm_terminal_fd() */
	uint64_t boot_timeout_ns; /* 0 = by number of CPUs */
};

struct ktstr_vm;

/*
 * Starts QEMU and returns when the agent polls for a job. Errors tell apart: QEMU that does not start (with its
 * words), a kernel that prints nothing, a kernel panic (with its text), an agent that never becomes ready.
 * *vm is set on failure, too, so that its console can be read; destroy it either way.
 */
struct ktstr_error *ktstr_vm_boot(const struct ktstr_vm_config *config, struct ktstr_vm **vm)
	KTSTR_CHECKED;
/* Kills QEMU, frees everything. Accepts NULL. */
void ktstr_vm_destroy(struct ktstr_vm *vm);

/* The job archive and what the agent does before it unpacks it. */
struct ktstr_vm_job {
	const void *archive; /* cpio newc with KTSTR_JOB_PATH in it */
	size_t archive_length;
	uint64_t seed;
};

/* Puts the job into the mailbox and sets the agent going. Once per VM. */
struct ktstr_error *ktstr_vm_submit(struct ktstr_vm *vm, const struct ktstr_vm_job *job) KTSTR_CHECKED;

enum ktstr_vm_wait {
	KTSTR_VM_FRAME, /* *frame is filled, valid until the next wait */
	KTSTR_VM_ENDED, /* QEMU is gone and every frame has been given out */
	KTSTR_VM_DEADLINE,
};

enum ktstr_vm_wait ktstr_vm_next_frame(struct ktstr_vm *vm, uint64_t deadline_ns,
				       struct ktstr_frame *frame);

/* The serial console so far; raw text of the guest; heap. */
char *ktstr_vm_console(const struct ktstr_vm *vm, size_t *length);
/* What QEMU itself printed; heap, "" normally. */
char *ktstr_vm_qemu_output(const struct ktstr_vm *vm);
/* Our end of hvc0, -1 without one. Owned by the VM. */
int ktstr_vm_terminal_fd(const struct ktstr_vm *vm);
uint64_t ktstr_vm_corrupt_frames(const struct ktstr_vm *vm);
/* Spawn to agent ready, in ns. */
uint64_t ktstr_vm_boot_ns(const struct ktstr_vm *vm);

#endif
