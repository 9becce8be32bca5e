/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of a VM share: its life is vm.c, listening to its guest vm_listen.c, what it has said vm_words.c. */
#ifndef KTSTR_VM_VM_PRIVATE_H
#define KTSTR_VM_VM_PRIVATE_H

#include "base/child.h"
#include "ktstr/units.h"
#include "vm/echo.h"
#include "vm/freezer.h"
#include "vm/qmp.h"
#include "vm/vm.h"

/* How often a guest that gives no sign is looked at. */
#define KTSTR_VM_POLL KTSTR_MS(2)
/* For QEMU to do what it is told. */
#define KTSTR_VM_QEMU_LIMIT KTSTR_SEC(30)
/* For it to answer what it is asked while the guest runs. */
#define KTSTR_VM_QUERY_LIMIT KTSTR_SEC(10)

/* Descriptors that QEMU inherits. Sockets are QEMU's ends: -1 once handed over. */
struct vm_files {
	int ram; /* -1 when it has a path */
	int mailbox, initramfs, console, qemu_output;
	int kernel; /* -1 = its image; see direct_boot.h */
	int frames, qmp, terminal, gdb;
	int bells[KTSTR_FREEZERS]; /* see freezer.h */
	int disk; /* -1 = the guest has none */
};

struct ktstr_vm {
	struct vm_files files;
	struct ktstr_child qemu;
	bool qemu_ended;
	int qemu_status;
	int frames_fd, qmp_fd, terminal_fd, gdb_fd; /* our ends */
	char *ram_path; /* NULL = files.ram */
	uint64_t ram_bytes;
	struct ktstr_qmp *qmp; /* opened when first needed */
	struct ktstr_mailbox *mailbox;
	uint64_t answered_ns; /* when QEMU first spoke QMP */
	int kept_fd;
	struct ktstr_echo *echo; /* NULL = no network devices */
	int networks[KTSTR_NETWORKS_MAX]; /* QEMU's ends of their wires, -1 once handed over */
	bool deterministic;
	struct ktstr_freezer *freezers[KTSTR_FREEZERS]; /* deterministic */
	bool kernel_before_second; /* its next freeze is the second one at the same place */
	uint32_t announced_stage; /* by a deterministic guest, and served */
	ktstr_vm_freeze_fn on_freeze;
	void *freeze_context;
	uint32_t save_stage; /* where the guest is stopped, to be saved; 0 = nowhere */
	struct ktstr_error *stop_failure; /* of asking QEMU to */
	bool restored;
	uint64_t log_read; /* bytes of the mailbox log already decoded */
	struct ktstr_frame_decoder decoder;
	struct ktstr_frame_decoder earlier; /* given out first: see ktstr_vm_replay_frames() */
};

/* The connection to QEMU, made when it is first wanted. */
struct ktstr_error *ktstr_vm_open_qmp(struct ktstr_vm *vm) KTSTR_CHECKED;
/* Notices QEMU's end once. */
bool ktstr_vm_qemu_ended(struct ktstr_vm *vm);
/* A guest that prints so much has gone mad, and is no longer listened to. */
bool ktstr_vm_console_flooded(const struct ktstr_vm *vm);
/* Why there is no ready agent, after that time or because QEMU has ended. */
struct ktstr_error *ktstr_vm_explain_failed_boot(const struct ktstr_vm *vm, uint64_t waited_ns) KTSTR_CHECKED;
/* Lets a moment pass, and serves a freeze if there is one. */
void ktstr_vm_wait_a_little(struct ktstr_vm *vm);

#endif
