// SPDX-License-Identifier: GPL-2.0-only
/* The 24 bytes of a stimulus record. */
#include <endian.h>
#include <string.h>

#include "wire/stimulus.h"

struct packed_record {
	uint32_t elapsed_ms;
	uint16_t step_index, op_count;
	uint32_t op_kinds;
	uint16_t cgroup_count, worker_count;
	uint64_t total_iterations;
} __attribute__((packed));
_Static_assert(sizeof(struct packed_record) == KTSTR_STIMULUS_BYTES, "the layout of the wire");

void ktstr_stimulus_encode(const struct ktstr_stimulus_record *record, uint8_t payload[KTSTR_STIMULUS_BYTES])
{
	struct packed_record packed = {
		.elapsed_ms = htole32(record->elapsed_ms),
		.step_index = htole16(record->step_index),
		.op_count = htole16(record->op_count),
		.op_kinds = htole32(record->op_kinds),
		.cgroup_count = htole16(record->cgroup_count),
		.worker_count = htole16(record->worker_count),
		.total_iterations = htole64(record->total_iterations),
	};

	memcpy(payload, &packed, sizeof(packed));
}

bool ktstr_stimulus_decode(const void *payload, size_t length, struct ktstr_stimulus_record *record)
{
	struct packed_record packed;

	if (length != sizeof(packed))
		return false;
	memcpy(&packed, payload, sizeof(packed));
	*record = (struct ktstr_stimulus_record){
		.elapsed_ms = le32toh(packed.elapsed_ms),
		.step_index = le16toh(packed.step_index),
		.op_count = le16toh(packed.op_count),
		.op_kinds = le32toh(packed.op_kinds),
		.cgroup_count = le16toh(packed.cgroup_count),
		.worker_count = le16toh(packed.worker_count),
		.total_iterations = le64toh(packed.total_iterations),
	};
	return true;
}
