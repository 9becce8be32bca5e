/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's gdb stub over a connected socket (GDB remote serial protocol): stop and resume the CPUs, stop them at a
 * write to a kernel variable, read their registers. The one way to stop a guest at an exact instruction that works
 * under TCG and KVM alike.
 */
#ifndef KTSTR_VM_GDBSTUB_H
#define KTSTR_VM_GDBSTUB_H

#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"

struct ktstr_gdb;

/* Takes over fd; the guest runs on. The stub counts as attached from the first stop on: it then reports every one. */
struct ktstr_gdb *ktstr_gdb_open(int fd);
void ktstr_gdb_close(struct ktstr_gdb *gdb); /* accepts NULL; the guest goes on or stays as it is */
int ktstr_gdb_fd(const struct ktstr_gdb *gdb); /* for poll(): readable when CPUs have stopped */

struct ktstr_gdb_stop {
	bool watch; /* by a watchpoint; else by a stop command or signal */
	uint64_t address; /* of the watchpoint */
	unsigned int cpu; /* that stopped first */
};

/*
 * Stops all CPUs; no error when they are stopped already. After KTSTR_ERR_TIMEOUT they may still come to stop, which
 * ktstr_gdb_take_stop() then reports: somebody has to let them go on.
 */
struct ktstr_error *ktstr_gdb_stop(struct ktstr_gdb *gdb, uint64_t deadline_ns) KTSTR_CHECKED;
struct ktstr_error *ktstr_gdb_continue(struct ktstr_gdb *gdb) KTSTR_CHECKED;
/* Takes a stop that was reported by itself; *stopped false when there was none. */
struct ktstr_error *ktstr_gdb_take_stop(struct ktstr_gdb *gdb, bool *stopped, struct ktstr_gdb_stop *stop) KTSTR_CHECKED;

/* A watchpoint that was hit just when ktstr_gdb_stop() stopped the CPUs, once. */
bool ktstr_gdb_take_missed_watch(struct ktstr_gdb *gdb, struct ktstr_gdb_stop *stop);

/* CPUs must be stopped. Write watchpoints of 1, 2, 4 or 8 aligned bytes at a virtual address. */
struct ktstr_error *ktstr_gdb_watch(struct ktstr_gdb *gdb, uint64_t address, unsigned int bytes,
				    uint64_t deadline_ns) KTSTR_CHECKED;
struct ktstr_error *ktstr_gdb_unwatch(struct ktstr_gdb *gdb, uint64_t address, unsigned int bytes,
				      uint64_t deadline_ns) KTSTR_CHECKED;

struct ktstr_gdb_registers {
	uint64_t instruction_pointer, stack_pointer, page_table_root;
};

/* Of a stopped CPU. */
struct ktstr_error *ktstr_gdb_registers(struct ktstr_gdb *gdb, unsigned int cpu, uint64_t deadline_ns,
					struct ktstr_gdb_registers *registers) KTSTR_CHECKED;

#endif
