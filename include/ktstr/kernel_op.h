/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and writes of the guest kernel's own variables while a test runs. The host does them, from outside: "hot" while
 * the guest runs, "cold" with all its CPUs stopped.
 */
#ifndef KTSTR_KERNEL_OP_H
#define KTSTR_KERNEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ktstr_kernel_target_kind {
	KTSTR_TARGET_SYMBOL, /* the kernel's symbol of that name, static ones too */
	KTSTR_TARGET_DIRECT, /* an address in the direct map (slab objects) or the kernel image */
	KTSTR_TARGET_KVA, /* any kernel address, by page tables */
	KTSTR_TARGET_PER_CPU_FIELD,
	KTSTR_TARGET_TASK_FIELD,
};

/* Where. Addresses in the user half are refused. Text is borrowed. */
struct ktstr_kernel_target {
	enum ktstr_kernel_target_kind kind;
	const char *symbol; /* SYMBOL; PER_CPU_FIELD: runqueues, kernel_cpustat, kstat or tick_cpu_sched */
	uint64_t address; /* DIRECT, KVA */
	const char *field; /* PER_CPU_FIELD, TASK_FIELD: member path ("scx.nr_running") */
	uint32_t cpu; /* PER_CPU_FIELD */
	/*
	 * TASK_FIELD: a task of sched_ext. Refused when pid and start time (task_struct.start_time, ns since boot) are not
	 * those of one task, and while that task is on a runqueue or in a dispatch queue: the kernel may change it then.
	 */
	int32_t pid;
	uint64_t start_time_ns;
};

/* clang-format off */
#define KTSTR_KERNEL_SYMBOL(name) \
	((struct ktstr_kernel_target){ .kind = KTSTR_TARGET_SYMBOL, .symbol = (name) })
#define KTSTR_KERNEL_DIRECT(kva) \
	((struct ktstr_kernel_target){ .kind = KTSTR_TARGET_DIRECT, .address = (kva) })
#define KTSTR_KERNEL_KVA(kva) \
	((struct ktstr_kernel_target){ .kind = KTSTR_TARGET_KVA, .address = (kva) })
#define KTSTR_KERNEL_PER_CPU(symbol_, field_, cpu_) \
	((struct ktstr_kernel_target){ .kind = KTSTR_TARGET_PER_CPU_FIELD, .symbol = (symbol_), .field = (field_), .cpu = (cpu_) })
#define KTSTR_KERNEL_TASK(pid_, start_time_ns_, field_) \
	((struct ktstr_kernel_target){ .kind = KTSTR_TARGET_TASK_FIELD, .pid = (pid_), .start_time_ns = (start_time_ns_), \
				       .field = (field_) })
/* clang-format on */

enum ktstr_kernel_value_kind {
	KTSTR_KERNEL_U32,
	KTSTR_KERNEL_U64,
	KTSTR_KERNEL_BYTES,
	KTSTR_KERNEL_OR_U32, /* read, or, write: cold writes only */
};

/* Bytes of one entry at most. */
#define KTSTR_KERNEL_BYTES_MAX 4096u

/*
 * What: a value to write, a value that was read, or the width of a read (ktstr_kernel_width_*: a zero of that width).
 * On the wire it has the same four kinds.
 */
struct ktstr_kernel_op_value {
	enum ktstr_kernel_value_kind kind;
	uint64_t number; /* U32, OR_U32, U64 */
	const uint8_t *bytes; /* BYTES; NULL in a width; borrowed unless it came with a reply */
	size_t count; /* BYTES */
};

/* A value to write; ktstr_kernel_value_* make one. */
#define ktstr_kernel_value ktstr_kernel_op_value
/* The width of a read; ktstr_kernel_width_* make one. */
#define ktstr_kernel_value_width ktstr_kernel_op_value

static inline struct ktstr_kernel_value ktstr_kernel_value_u32(uint32_t number)
{
	struct ktstr_kernel_value value = { KTSTR_KERNEL_U32, number, NULL, 0 };

	return value;
}

static inline struct ktstr_kernel_value ktstr_kernel_value_u64(uint64_t number)
{
	struct ktstr_kernel_value value = { KTSTR_KERNEL_U64, number, NULL, 0 };

	return value;
}

static inline struct ktstr_kernel_value ktstr_kernel_value_or_u32(uint32_t bits)
{
	struct ktstr_kernel_value value = { KTSTR_KERNEL_OR_U32, bits, NULL, 0 };

	return value;
}

static inline struct ktstr_kernel_value ktstr_kernel_value_bytes(const void *bytes, size_t count)
{
	struct ktstr_kernel_value value = { KTSTR_KERNEL_BYTES, 0, (const uint8_t *)bytes, count };

	return value;
}

static inline struct ktstr_kernel_value_width ktstr_kernel_width_u32(void)
{
	return ktstr_kernel_value_u32(0);
}

static inline struct ktstr_kernel_value_width ktstr_kernel_width_u64(void)
{
	return ktstr_kernel_value_u64(0);
}

static inline struct ktstr_kernel_value_width ktstr_kernel_width_bytes(size_t count)
{
	return ktstr_kernel_value_bytes(NULL, count);
}

struct ktstr_kernel_op_entry {
	struct ktstr_kernel_target target;
	struct ktstr_kernel_op_value value;
};

/* Entries of one request at most. */
#define KTSTR_KERNEL_OP_ENTRIES_MAX 1024u

/* The host's answer (KernelOpReplyPayload). */
struct ktstr_kernel_op_reply {
	uint32_t request_id;
	bool success;
	char *reason; /* heap; the first failure, "entry[2]: ..."; NULL on success */
	struct ktstr_kernel_op_value *read_values; /* one per entry of a read; none for writes */
	size_t read_values_count;
};

/* Frees what a reply holds and zeroes it. */
void ktstr_kernel_op_reply_deinit(struct ktstr_kernel_op_reply *reply);

#ifdef __cplusplus
}
#endif
#endif
