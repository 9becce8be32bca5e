/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames between guest and host: a 16-byte little-endian header {type, length, crc32 of the payload, pad 0},
 * then the payload. The host reads them from a guest that may be broken or hostile.
 */
#ifndef KTSTR_WIRE_FRAME_H
#define KTSTR_WIRE_FRAME_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ktstr/error.h"

#define KTSTR_FRAME_HEADER_BYTES  16
#define KTSTR_FRAME_MAX_PAYLOAD	  (16u << 20)
#define KTSTR_FRAME_MAX_RESIDUAL  (32u << 20)
#define KTSTR_FRAME_TYPE(a, b, c, d)                                                               \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* Four ASCII characters as a big-endian number. Append only. */
enum ktstr_frame_type {
	KTSTR_FRAME_LIFECYCLE = KTSTR_FRAME_TYPE('L', 'I', 'F', 'E'), /* u8 stage, text */
	KTSTR_FRAME_BODY_START = KTSTR_FRAME_TYPE('B', 'O', 'D', 'Y'), /* the test body is entered */
	KTSTR_FRAME_SCENARIO_START = KTSTR_FRAME_TYPE('S', 'C', 'S', 'T'),
	KTSTR_FRAME_STEP = KTSTR_FRAME_TYPE('S', 'T', 'E', 'P'), /* u16 number from 0: the ops of this step come next */
	KTSTR_FRAME_STIMULUS = KTSTR_FRAME_TYPE('S', 'T', 'I', 'M'), /* they are done, the hold begins; wire/stimulus.h */
	KTSTR_FRAME_STEP_END = KTSTR_FRAME_TYPE('S', 'T', 'E', 'N'), /* the same layout */
	KTSTR_FRAME_SCENARIO_END = KTSTR_FRAME_TYPE('S', 'C', 'E', 'N'), /* u64 elapsed_ms, u64 iterations */
	KTSTR_FRAME_RESULT = KTSTR_FRAME_TYPE('T', 'E', 'S', 'T'), /* JSON of the verdict */
	KTSTR_FRAME_WORKER = KTSTR_FRAME_TYPE('W', 'R', 'K', 'R'), /* JSON of one worker's report */
	KTSTR_FRAME_EXIT = KTSTR_FRAME_TYPE('E', 'X', 'I', 'T'), /* i32: wait status of the program */
	KTSTR_FRAME_SCHED_EXIT = KTSTR_FRAME_TYPE('S', 'C', 'D', 'X'), /* i32: wait status of it */
	KTSTR_FRAME_SCHED_LOG = KTSTR_FRAME_TYPE('S', 'C', 'L', 'G'), /* text */
	KTSTR_FRAME_STDOUT = KTSTR_FRAME_TYPE('S', 'O', 'U', 'T'), /* text */
	KTSTR_FRAME_STDERR = KTSTR_FRAME_TYPE('S', 'E', 'R', 'R'), /* text */
	KTSTR_FRAME_EXEC_EXIT = KTSTR_FRAME_TYPE('E', 'X', 'C', 'X'), /* i32: wait status of `shell --exec` */
	KTSTR_FRAME_PAYLOAD = KTSTR_FRAME_TYPE('P', 'Y', 'L', 'D'), /* JSON of one run of a payload */
	KTSTR_FRAME_READY = KTSTR_FRAME_TYPE('S', 'R', 'D', 'Y'), /* text: uname -r */
	KTSTR_FRAME_CGROUP_PROCS = KTSTR_FRAME_TYPE('C', 'G', 'P', 'R'), /* JSON {tag, cgroup, pids} */
	/* Requests of the test program and their replies: each begins with the u32 id of the request. */
	KTSTR_FRAME_SNAPSHOT_REQUEST = KTSTR_FRAME_TYPE('S', 'N', 'R', 'Q'), /* u32 kind, tag[64] */
	KTSTR_FRAME_SNAPSHOT_REPLY = KTSTR_FRAME_TYPE('S', 'N', 'R', 'P'), /* u32 status, reason[64] */
	KTSTR_FRAME_KERNEL_OP_REQUEST = KTSTR_FRAME_TYPE('K', 'O', 'R', 'Q'),
	KTSTR_FRAME_KERNEL_OP_REPLY = KTSTR_FRAME_TYPE('K', 'O', 'R', 'P'),
	KTSTR_FRAME_SCHED_REQUEST = KTSTR_FRAME_TYPE('S', 'C', 'R', 'Q'), /* JSON, to the agent: see guest/job.h */
	KTSTR_FRAME_SCHED_REPLY = KTSTR_FRAME_TYPE('S', 'C', 'R', 'P'), /* JSON */
	/* The host answers (nothing) once it has written what the test declares to the scheduler's BPF maps. */
	KTSTR_FRAME_MAP_WRITE_REQUEST = KTSTR_FRAME_TYPE('M', 'W', 'R', 'Q'),
	KTSTR_FRAME_MAP_WRITE_REPLY = KTSTR_FRAME_TYPE('M', 'W', 'R', 'P'),
	KTSTR_FRAME_REFUSED = KTSTR_FRAME_TYPE('R', 'F', 'S', 'D'), /* u32 enum ktstr_error_code, text: any request */
};

/* What a payload of a request or a reply may take, its id included. */
#define KTSTR_REQUEST_MAX_BYTES (1u << 20)

enum ktstr_lifecycle {
	KTSTR_LIFE_INIT_STARTED = 1, /* text: seconds of uptime */
	KTSTR_LIFE_PAYLOAD_STARTING = 2,
	KTSTR_LIFE_SCHED_DIED = 3, /* text: how; SCHED_EXIT carries the status */
	KTSTR_LIFE_SCHED_NOT_ATTACHED = 4, /* text: "timeout", "sched_ext sysfs absent", or what else went wrong */
	KTSTR_LIFE_SCHED_ATTACHED = 5, /* text: sched_ext/root/ops */
	KTSTR_LIFE_WORKLOAD_DISPATCHED = 6, /* text: sched_ext state and ops while workers run */
	KTSTR_LIFE_SCHED_DETACHED = 7, /* the kernel shows no scheduler though its process lives */
	KTSTR_LIFE_AGENT_ERROR = 8, /* text: what the agent could not do */
	KTSTR_LIFE_SCHED_STARTED = 9, /* text: name; what follows about a scheduler is about this instance of it */
	KTSTR_LIFE_SCHED_STOPPED = 10, /* text: how it ended, as planned: "detached", "did not attach: ..." */
};

struct ktstr_frame {
	uint32_t type;
	uint32_t length;
	const uint8_t *payload; /* borrowed; valid until the next call on the decoder */
	bool crc_ok; /* false: shown to people, never acted on */
};

/* Appends one frame to out. */
void ktstr_frame_encode(struct ktstr_str *out, uint32_t type, const void *payload, size_t length);
/* Payload of a lifecycle frame: the stage byte and a formatted text. */
void ktstr_frame_lifecycle(struct ktstr_str *payload, enum ktstr_lifecycle stage, const char *fmt, va_list args);
/* "TEST", or "0x........" for bytes that are not printable, into text. */
char *ktstr_frame_type_name(uint32_t type, char text[12]);
bool ktstr_frame_type_known(uint32_t type);
/* A request that the host answers, not the agent. */
bool ktstr_frame_is_host_request(uint32_t type);
/* What may come back to the program that made a request. */
bool ktstr_frame_is_reply(uint32_t type);
/* Payload of KTSTR_FRAME_REFUSED. */
void ktstr_frame_refusal(struct ktstr_str *payload, uint32_t id, enum ktstr_error_code code, const char *message);

/* Cuts a byte stream into frames. Zero-initialise; deinit when done. */
struct ktstr_frame_decoder {
	struct ktstr_str buffer;
	size_t consumed; /* bytes of buffer already given out */
	uint64_t corrupt_frames; /* bad CRCs */
	uint64_t resyncs; /* times that bytes were dropped to find the next header */
	uint64_t dropped_bytes;
	bool searching;
};

void ktstr_frame_decoder_feed(struct ktstr_frame_decoder *decoder, const void *bytes, size_t length);
/* The next whole frame of a known type; false when more bytes are needed. */
bool ktstr_frame_decoder_next(struct ktstr_frame_decoder *decoder, struct ktstr_frame *frame);
void ktstr_frame_decoder_deinit(struct ktstr_frame_decoder *decoder);

/* Little-endian readers for payloads; false when the payload is too short. */
bool ktstr_frame_read_i32(const struct ktstr_frame *frame, int32_t *value);
bool ktstr_frame_read_u32(const struct ktstr_frame *frame, size_t offset, uint32_t *value);

#endif
