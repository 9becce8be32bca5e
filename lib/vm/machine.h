/* SPDX-License-Identifier: GPL-2.0-only */
/* A topology in QEMU's words: machine, CPU, SMP, NUMA and memory arguments. Pure; boots nothing. */
#ifndef KTSTR_VM_MACHINE_H
#define KTSTR_VM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ktstr/error.h"
#include "ktstr/topology.h"

enum ktstr_accel {
	KTSTR_ACCEL_TCG,
	KTSTR_ACCEL_KVM,
};

struct ktstr_machine {
	const struct ktstr_topology *topology; /* validated */
	uint64_t memory_mib; /* uniform topology: whole RAM; explicit nodes: ignored, theirs counts */
	enum ktstr_accel accel;
	bool host_cpu_amd; /* KVM only: "AuthenticAMD" or "HygonGenuine" in /proc/cpuinfo */
	unsigned int qemu_major, qemu_minor;
	bool dedicated; /* KVM: each vCPU has a host CPU of its own, and may keep it when idle */
	bool deterministic; /* icount, one TCG thread, no rdrand/rdseed */
	/*
	 * One RAM file for the whole guest (path or /proc/self/fd/N), at least ktstr_machine_memory_mib() long
	 * before QEMU starts; NUMA nodes are slices of it in their order, so that one mapping reads
	 * everything. share=false makes a private copy-on-write map.
	 */
	const char *ram_path;
	bool ram_share;
};

/*
 * MiB that the guest gets: max(64 * CPUs, 256, memory_mib) for a uniform topology, the sum of the nodes'
 * memory for explicit nodes.
 */
uint64_t ktstr_machine_memory_mib(const struct ktstr_topology *topology, uint64_t memory_mib);

/*
 * Appends -machine, -accel, -icount, -rtc, -seed, -cpu, -smp, -m, -object, -numa ... to argv.
 * KTSTR_ERR_UNSUPPORTED when this QEMU or accelerator cannot do what is asked; the message says which could.
 */
struct ktstr_error *ktstr_machine_args(const struct ktstr_machine *machine, struct ktstr_strv *argv)
	KTSTR_CHECKED;

/*
 * Where device memory (an NVDIMM slot) begins in guest-physical space: the first GiB boundary above RAM.
 */
uint64_t ktstr_machine_device_memory_address(const struct ktstr_machine *machine);

/* A piece of guest-physical address space and where its bytes lie in the file behind it. */
struct ktstr_ram_region {
	uint64_t physical, bytes, offset;
};

/* RAM as ktstr_machine_ram_offset() has it; how many regions that are. */
size_t ktstr_machine_ram_regions(uint64_t ram_bytes, struct ktstr_ram_region regions[2]);

/*
 * Guest-physical address -> offset in the RAM file. RAM is split around the PCI hole: 2 GiB lie at address
 * 0, the rest from 4 GiB on. KTSTR_ERR_INVALID outside RAM, which includes the legacy hole 0xa0000-0xfffff.
 */
struct ktstr_error *ktstr_machine_ram_offset(const struct ktstr_machine *machine,
					     uint64_t guest_physical, uint64_t *offset)
	KTSTR_CHECKED;

#endif
