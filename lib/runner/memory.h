/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory runs may take together, so that they queue rather than make the host swap.
 *
 * A run claims its guest's memory in full and what QEMU needs, as long as it boots: cold, or to make a template. A
 * clone claims its share: it maps its template, which is there once for all, and pays for the pages that it writes.
 */
#ifndef KTSTR_RUNNER_MEMORY_H
#define KTSTR_RUNNER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ktstr/error.h"

struct ktstr_memory_claim {
	uint64_t guest_mib;
	unsigned int vcpus;
	bool clone;
	uint64_t used_mib; /* of what it claims, measured; 0 = not yet */
};

struct ktstr_memory_host {
	uint64_t total_mib, available_mib;
	bool limited; /* by $KTSTR_MEMORY_BUDGET_MIB: claims count, not what the host has left */
};

/* What the claim may come to. clone_peak_mib: the largest share measured of a clone so far, 0 = none. */
uint64_t ktstr_memory_claim_mib(const struct ktstr_memory_claim *claim, uint64_t clone_peak_mib);
/* What is left for one more beside these. */
uint64_t ktstr_memory_left_mib(const struct ktstr_memory_host *host, const struct ktstr_memory_claim *claims,
			       size_t count, uint64_t clone_peak_mib);
/* Why a run cannot start although no other runs: need, have and remedy. */
struct ktstr_error *ktstr_memory_refusal(const struct ktstr_memory_host *host,
					 const struct ktstr_memory_claim *claim, uint64_t clone_peak_mib);

/*
 * $KTSTR_MEMORY_BUDGET_MIB, else the lesser of MemAvailable and what the cgroups above us still allow. root: "" or a
 * directory with proc/ and sys/ of a test.
 */
void ktstr_memory_host_read(const char *root, struct ktstr_memory_host *host);
/* The proportional share (Pss) of a process and its children. */
uint64_t ktstr_memory_share_mib(const char *root, pid_t pid);

#endif
