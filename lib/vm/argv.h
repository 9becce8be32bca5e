/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole command line of a VM's QEMU; also with placeholders, as part of a template's key. */
#ifndef KTSTR_VM_ARGV_H
#define KTSTR_VM_ARGV_H

#include "base/str.h"
#include "vm/freezer.h"
#include "vm/vm.h"

/* What QEMU calls the guest's disk. */
#define KTSTR_VM_DISK_ID "disk0"

/* How QEMU finds what we give it. Descriptors are inherited under these numbers. */
struct ktstr_vm_names {
	const char *ram_path;
	bool ram_share; /* false: a private copy-on-write view of ram_path */
	int mailbox, initramfs, console; /* anonymous files */
	int kernel; /* one, too; 0 = the image of the kernel */
	int frames, qmp; /* sockets */
	int terminal; /* socket, -1 = nobody listens */
	int gdb; /* socket of the gdb stub, -1 = none */
	const char *debug_socket; /* where the gdb stub listens for a debugger; NULL = nowhere */
	int networks[KTSTR_NETWORKS_MAX]; /* datagram sockets of config.networks; see echo.h */
	int bells[KTSTR_FREEZERS], gates[KTSTR_FREEZERS][KTSTR_FREEZE_PORTS]; /* pipes of a deterministic machine */
	int disk; /* the file behind the guest's disk, if it has one */
	bool for_template; /* the VM is to be saved: its disk is not limited, as the guest could not tell */
	bool incoming; /* wait for device state over QMP instead of booting */
};

struct ktstr_error *ktstr_vm_argv(const struct ktstr_vm_config *config, const struct ktstr_vm_names *names,
				  struct ktstr_strv *argv) KTSTR_CHECKED;

#endif
