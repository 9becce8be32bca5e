/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF programs of a guest: how often they ran and how long, and which of them are the active scheduler's. */
#ifndef KTSTR_OBSERVE_BPF_PROGS_H
#define KTSTR_OBSERVE_BPF_PROGS_H

#include <jansson.h>

#include "observe/kernel_view.h"

enum { KTSTR_PROG_MAPS_MAX = 64 };

struct ktstr_bpf_prog {
	uint64_t address;
	char name[17];
	uint32_t type;
	uint64_t verified_insns;
	uint64_t cnt, nsecs, misses; /* summed over CPUs; counted only while kernel.bpf_stats_enabled */
	uint64_t maps[KTSTR_PROG_MAPS_MAX]; /* addresses of the maps it uses */
	size_t maps_count;
};

enum { KTSTR_BPF_PROG_STRUCT_OPS = 27 };

/* Programs by ascending id; heap, caller frees. */
struct ktstr_bpf_prog *ktstr_bpf_progs(const struct ktstr_kernel_view *view, size_t *count);
/* Reads cnt, nsecs and misses again. */
void ktstr_bpf_prog_read_stats(const struct ktstr_kernel_view *view, struct ktstr_bpf_prog *prog);
/* Array of ProgRuntimeStats for struct_ops programs. New reference. */
json_t *ktstr_prog_runtime_stats(const struct ktstr_bpf_prog *progs, size_t count);

#endif
