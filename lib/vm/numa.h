/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NUMA part of a machine: nodes, distances and ACPI HMAT as QEMU arguments. Used by machine.c.
 */
#ifndef KTSTR_VM_NUMA_H
#define KTSTR_VM_NUMA_H

#include <stdint.h>

#include "base/str.h"
#include "ktstr/error.h"
#include "ktstr/topology.h"

/*
 * MiB of a node out of total_mib: its own when declared, else an even share, the last taking the
 * rest.
 */
uint64_t ktstr_numa_node_mib(const struct ktstr_topology *topology, unsigned int node,
			     uint64_t total_mib);
/* KTSTR_ERR_UNSUPPORTED for a valid declaration that QEMU has no words for. */
struct ktstr_error *ktstr_numa_check(const struct ktstr_topology *topology) KTSTR_CHECKED;
/* Appends -numa ...; the backend of node i is called ram<i>. Only for 2 nodes and more. */
void ktstr_numa_args(const struct ktstr_topology *topology, struct ktstr_strv *argv);

#endif
