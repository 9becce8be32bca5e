/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that tests run on: what of it can move a measurement. Recorded with every result, compared when two
 * results are. It says nothing that names the machine (no host name, no serial numbers).
 */
#ifndef KTSTR_HOST_H
#define KTSTR_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What malloc and the kernel say of the process that took the context: mallinfo2(3), /proc/self/statm. */
struct ktstr_host_heap_state {
	struct ktstr_opt_u64 allocated_bytes; /* in use by the program */
	struct ktstr_opt_u64 active_bytes; /* allocated_bytes and what malloc keeps free */
	struct ktstr_opt_u64 resident_bytes; /* of the whole process */
	struct ktstr_opt_u64 mapped_bytes; /* blocks with a mapping of their own */
	struct ktstr_opt_u64 narenas;
};

struct ktstr_named_text {
	char *name, *value;
};

/* Pairs in the order of their names. known false: could not be read, which is not the same as empty. */
struct ktstr_text_map {
	bool known;
	struct ktstr_named_text *items;
	size_t count;
};

/* Every field is optional: NULL or unset = unknown. */
struct ktstr_host_context {
	char *cpu_model, *cpu_vendor;
	struct ktstr_opt_u64 total_memory_kib;
	struct ktstr_opt_u64 hugepages_total, hugepages_free, hugepages_size_kib;
	char *thp_enabled, *thp_defrag; /* the menu as the kernel prints it: "always [madvise] never" */
	struct ktstr_text_map sched_tunables; /* /proc/sys/kernel/sched_* */
	struct ktstr_opt_u64 online_cpus;
	struct ktstr_opt_u64 numa_nodes; /* those with CPUs */
	struct ktstr_text_map cpufreq_governor; /* "cpu0" -> "performance" */
	char *kernel_name, *kernel_release, *arch; /* uname(2) */
	char *kernel_cmdline;
	struct ktstr_host_heap_state heap_state;
};

/* Of this machine now. What cannot be read stays unknown. */
void ktstr_host_context_collect(struct ktstr_host_context *context);
void ktstr_host_context_deinit(struct ktstr_host_context *context);
/* The chosen word of a THP menu ("madvise"), heap; NULL when there is none. */
char *ktstr_host_context_active_word(const char *menu);
/* "key: value" lines; "(unknown)", an empty map is "(empty)". Heap. */
char *ktstr_host_context_format(const struct ktstr_host_context *context);
/*
 * A line "  key: a → b" for each field that differs, "(unknown)" for a side that does not know, "(absent)" for a key
 * that a map lacks; "" when both say the same. heap_state does not count. Heap.
 */
char *ktstr_host_context_diff(const struct ktstr_host_context *a, const struct ktstr_host_context *b);

#ifdef __cplusplus
}
#endif
#endif
