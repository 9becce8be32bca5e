/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine's life: a QEMU child whose RAM, mailbox, console and sockets are anonymous, so that nothing of
 * it can outlive us. It is booted, or restored from a template in a tenth of a second; it finds its job in the
 * mailbox, is read frame by frame, and killed.
 */
#ifndef KTSTR_VM_VM_H
#define KTSTR_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "ktstr/disk.h"
#include "ktstr/error.h"
#include "ktstr/network.h"
#include "ktstr/topology.h"
#include "vm/initramfs.h"
#include "vm/qemu.h"
#include "wire/frame.h"
#include "wire/mailbox.h"

/*
 * What the kernel still does after boot. In ordinary mode idle time costs real time: half a second catches most of it.
 * Under virtual time it is free: background work was measured to end within 10 s.
 */
enum { KTSTR_SETTLE_MS = 500, KTSTR_SETTLE_DETERMINISTIC_MS = 12000 };

struct ktstr_vm_config {
	const struct ktstr_qemu *qemu;
	const struct ktstr_accel_choice *accel;
	const struct ktstr_kernel *kernel;
	const struct ktstr_topology *topology; /* validated */
	uint64_t memory_mib; /* what the test asks for; see ktstr_machine_memory_mib() */
	const struct ktstr_guest_base *base; /* agent and libraries */
	struct ktstr_networks networks; /* each with an address and at most one queue pair; see echo.h */
	const char *extra_kargs; /* NULL = none */
	const struct ktstr_disk_config *disk; /* NULL = none; not with deterministic */
	bool dedicated; /* its vCPUs are pinned to host CPUs that nobody else uses */
	bool deterministic; /* see determinism.h */
	/* The library that is loaded into QEMU: lockstep.c in deterministic mode, else coherence.c where it is needed. */
	const char *lockstep_path, *coherence_path;
	bool interactive_console; /* hvc0 is connected to ktstr_vm_terminal_fd() */
	bool observe; /* runs are watched through QEMU's gdb stub: see ktstr_vm_take_gdb_fd() */
	const char *debug_socket; /* deterministic clones: CPUs wait for a debugger at this path; NULL = they run */
	unsigned int settle_ms; /* guest time that the agent lets pass before it is ready */
	uint64_t boot_timeout_ns; /* 0 = by number of CPUs */
};

/* What the agent finds in the mailbox. */
struct ktstr_vm_job {
	uint32_t stage; /* enum ktstr_agent_stage: where the agent waits for it */
	uint32_t holds_at; /* the stage at which the agent waits for another one, and the VM may be saved; 0 = it is the last */
	const void *archive; /* cpio newc with KTSTR_JOB_PATH in it */
	size_t archive_length;
	uint64_t seed; /* deterministic: everything that varies follows from it */
};

struct ktstr_vm;

/*
 * Boots a VM that shares its RAM with the file at ram_path (NULL = anonymous) and returns when its agent is ready.
 * job NULL: the agent then waits for ktstr_vm_submit(), or, with a ram_path, the VM is to be saved. Errors tell apart: QEMU that does not start (with its words),
 * a kernel that prints nothing, a kernel panic (with its text), an agent that never becomes ready. *vm is set on
 * failure, too, so that its console can be read; destroy it either way.
 */
struct ktstr_error *ktstr_vm_boot(const struct ktstr_vm_config *config, const char *ram_path,
				  const struct ktstr_vm_job *job, struct ktstr_vm **vm) KTSTR_CHECKED;

/*
 * Starts a VM from saved device state and RAM. private_ram: writes go to a copy of the pages, the file stays as it
 * is. With a job the agent runs it at once. As above, *vm is set on failure, too.
 */
struct ktstr_error *ktstr_vm_restore(const struct ktstr_vm_config *config, const char *ram_path,
				     const char *state_path, bool private_ram,
				     const struct ktstr_vm_job *job, struct ktstr_vm **vm) KTSTR_CHECKED;

/* Stops the CPUs and writes device state to state_path; RAM is not in it. The VM stays stopped. */
struct ktstr_error *ktstr_vm_save(struct ktstr_vm *vm, const char *state_path) KTSTR_CHECKED;

/* Kills QEMU, frees everything. Accepts NULL. */
void ktstr_vm_destroy(struct ktstr_vm *vm);

/* Puts a job into the mailbox of a waiting agent and sets it going. */
struct ktstr_error *ktstr_vm_submit(struct ktstr_vm *vm, const struct ktstr_vm_job *job) KTSTR_CHECKED;

enum ktstr_vm_wait {
	KTSTR_VM_FRAME, /* *frame is filled, valid until the next wait */
	KTSTR_VM_ENDED, /* QEMU is gone and every frame has been given out */
	KTSTR_VM_DEADLINE,
	KTSTR_VM_FLOODED, /* the guest has printed more than anybody reads: see ktstr_vm_explain_flood() */
};

enum ktstr_vm_wait ktstr_vm_next_frame(struct ktstr_vm *vm, uint64_t deadline_ns,
				       struct ktstr_frame *frame);

/*
 * A deterministic guest that has frozen itself at an exact instruction (guest/mailbox.h). Its memory may be read and
 * written; its registers cannot be had: QEMU's big lock is held. Everything that it sent before has been given out as
 * frames.
 */
struct ktstr_vm_freeze {
	enum ktstr_freeze_reason reason; /* any number, from a hostile guest */
	const void *request; /* a copy */
	size_t request_length;
	void *reply; /* written by the callback */
	size_t reply_capacity;
	size_t reply_length; /* set by the callback */
};

typedef void (*ktstr_vm_freeze_fn)(void *context, struct ktstr_vm *vm, struct ktstr_vm_freeze *freeze);

/*
 * Called by ktstr_vm_next_frame(), in its thread, for each freeze but those of the agent's stages; the guest goes on when
 * it returns. It must not call back into ktstr_vm_next_frame(), nor send QMP commands: QEMU could not answer. Without
 * a callback freezes end by themselves, with an empty reply.
 */
void ktstr_vm_on_freeze(struct ktstr_vm *vm, ktstr_vm_freeze_fn fn, void *context);

/*
 * Sends a frame to the guest's agent; for one thread at a time. KTSTR_ERR_UNSUPPORTED in a deterministic run, where
 * nothing may be sent to a running guest; KTSTR_ERR_TIMEOUT when the agent does not read.
 */
struct ktstr_error *ktstr_vm_send_frame(struct ktstr_vm *vm, uint32_t type, const void *payload, size_t length)
	KTSTR_CHECKED;

/* A descriptor that is closed with the VM. */
void ktstr_vm_keep_fd(struct ktstr_vm *vm, int fd);
/* When QEMU first answered over QMP (ktstr_now_ns()); 0 = not yet. */
uint64_t ktstr_vm_answered_ns(const struct ktstr_vm *vm);
/* Frames that were sent before the VM was saved, or that somebody has read already, given out first. */
void ktstr_vm_replay_frames(struct ktstr_vm *vm, const void *bytes, size_t length);
/* Is the agent waiting for a job (stage n of enum ktstr_agent_stage)? */
bool ktstr_vm_agent_reached(const struct ktstr_vm *vm, uint32_t stage);
/* The serial console so far; raw text of the guest; heap. */
char *ktstr_vm_console(const struct ktstr_vm *vm, size_t *length);
/* What QEMU itself printed; heap, "" normally. */
char *ktstr_vm_qemu_output(const struct ktstr_vm *vm);
/* Names the limit, and has the last lines before it. */
struct ktstr_error *ktstr_vm_explain_flood(const struct ktstr_vm *vm) KTSTR_CHECKED;
/* How QEMU has ended, for people; heap. Only after KTSTR_VM_ENDED. */
char *ktstr_vm_describe_end(const struct ktstr_vm *vm);
/* Our end of hvc0, -1 without one. Owned by the VM. */
int ktstr_vm_terminal_fd(const struct ktstr_vm *vm);
/* Our end of the gdb stub's socket, given away; -1 when config.observe was not set or it was taken before. */
int ktstr_vm_take_gdb_fd(struct ktstr_vm *vm);
/* Where the guest's vmcoreinfo lies (physical), as its agent says; 0 = it has not said. Not to be trusted. */
uint64_t ktstr_vm_vmcoreinfo(const struct ktstr_vm *vm);
/* A descriptor of the RAM file, owned by the caller, and its size. */
struct ktstr_error *ktstr_vm_open_ram(const struct ktstr_vm *vm, int *fd, uint64_t *bytes) KTSTR_CHECKED;
/*
 * The threads that run the CPUs, by CPU, at most `cap` of them. 0 where a CPU has none of its own: one thread emulates
 * them all.
 */
struct ktstr_error *ktstr_vm_vcpu_threads(struct ktstr_vm *vm, int *tids, size_t cap, size_t *count) KTSTR_CHECKED;
/* What its disk has done so far; KTSTR_ERR_NOT_FOUND without one. */
struct ktstr_error *ktstr_vm_disk_counters(struct ktstr_vm *vm, struct ktstr_virtio_blk_counters_snapshot *counters)
	KTSTR_CHECKED;
/* What the device of that index of config.networks has carried so far. */
struct ktstr_virtio_net_counters_snapshot ktstr_vm_net_counters(const struct ktstr_vm *vm, size_t index);
uint64_t ktstr_vm_corrupt_frames(const struct ktstr_vm *vm);
int ktstr_vm_pid(const struct ktstr_vm *vm);

#endif
