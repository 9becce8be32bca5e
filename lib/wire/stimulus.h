/* SPDX-License-Identifier: GPL-2.0-only */
/* Stimulus records: a step begins or ends, and what was there and done at that moment. */
#ifndef KTSTR_WIRE_STIMULUS_H
#define KTSTR_WIRE_STIMULUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KTSTR_STIMULUS_BYTES 24

struct ktstr_stimulus_record {
	uint32_t elapsed_ms; /* since the scenario began; guest's clock */
	uint16_t step_index; /* 0-based: its phase is one more */
	uint16_t op_count;
	uint32_t op_kinds; /* KTSTR_OP_BIT() of each kind */
	uint16_t cgroup_count, worker_count; /* there are now */
	uint64_t total_iterations; /* of all workers so far, those that are gone, too */
};

/* Payload of the frames STIM and STEN, little-endian, in the order of the members. */
void ktstr_stimulus_encode(const struct ktstr_stimulus_record *record, uint8_t payload[KTSTR_STIMULUS_BYTES]);
/* False when the length is another. */
bool ktstr_stimulus_decode(const void *payload, size_t length, struct ktstr_stimulus_record *record);

#endif
