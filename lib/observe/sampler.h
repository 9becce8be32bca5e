/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor's eyes: samples of every runqueue and of the scheduler's counters, read from the memory of a guest that
 * runs on meanwhile. A sample is not a consistent cut: each runqueue is read in one piece, one after the other.
 */
#ifndef KTSTR_OBSERVE_SAMPLER_H
#define KTSTR_OBSERVE_SAMPLER_H

#include "ktstr/monitor.h"
#include "observe/kernel_view.h"

#define KTSTR_SAMPLE_INTERVAL_MS 100

struct ktstr_sampler;

struct ktstr_sampler_config {
	struct ktstr_kernel_view *view; /* borrowed; each sample reads its offsets anew */
	unsigned int hz; /* CONFIG_HZ; 0 = unknown */
	/* The host's threads that run the CPUs: their schedstat files are read. 0 = a CPU has no thread of its own. */
	int qemu_pid;
	const int *vcpu_tids; /* borrowed for the call; NULL = none is known */
	size_t vcpu_tids_count;
};

struct ktstr_sampler *ktstr_sampler_create(const struct ktstr_sampler_config *config);
void ktstr_sampler_destroy(struct ktstr_sampler *sampler); /* accepts NULL */

/* Takes a sample. Times are those of the caller's clock. */
void ktstr_sampler_take(struct ktstr_sampler *sampler, uint64_t elapsed_ms);

/* All samples so far; valid until the next one is taken. */
struct ktstr_monitor_series ktstr_sampler_series(const struct ktstr_sampler *sampler);
/* Samples stopped being kept when they took too much memory. */
bool ktstr_sampler_is_full(const struct ktstr_sampler *sampler);
/* Of the struct_ops programs that were seen: instructions that the verifier processed. NULL-named entry at the end. */
struct ktstr_verified_prog {
	const char *name;
	uint64_t verified_insns;
};
const struct ktstr_verified_prog *ktstr_sampler_verified(const struct ktstr_sampler *sampler, size_t *count);

#endif
