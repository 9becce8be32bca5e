// SPDX-License-Identifier: GPL-2.0-only
/* Frame encoding, and the decoder that survives garbage. */
#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "wire/frame.h"

struct frame_header {
	uint32_t type, length, crc32, pad;
};

static const uint32_t known_types[] = {
	KTSTR_FRAME_LIFECYCLE, KTSTR_FRAME_SCENARIO_START, KTSTR_FRAME_SCENARIO_END,
	KTSTR_FRAME_RESULT,    KTSTR_FRAME_EXIT,	   KTSTR_FRAME_SCHED_EXIT,
	KTSTR_FRAME_SCHED_LOG, KTSTR_FRAME_STDOUT,	   KTSTR_FRAME_STDERR,
	KTSTR_FRAME_EXEC_EXIT, KTSTR_FRAME_READY,	   KTSTR_FRAME_WORKER,
	KTSTR_FRAME_BODY_START, KTSTR_FRAME_PAYLOAD,
	KTSTR_FRAME_SNAPSHOT_REQUEST, KTSTR_FRAME_SNAPSHOT_REPLY, KTSTR_FRAME_KERNEL_OP_REQUEST,
	KTSTR_FRAME_KERNEL_OP_REPLY, KTSTR_FRAME_SCHED_REQUEST, KTSTR_FRAME_SCHED_REPLY, KTSTR_FRAME_REFUSED,
	KTSTR_FRAME_STEP, KTSTR_FRAME_STIMULUS, KTSTR_FRAME_STEP_END, KTSTR_FRAME_CGROUP_PROCS,
	KTSTR_FRAME_MAP_WRITE_REQUEST, KTSTR_FRAME_MAP_WRITE_REPLY,
};

bool ktstr_frame_type_known(uint32_t type)
{
	for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++)
		if (known_types[i] == type)
			return true;
	return false;
}

bool ktstr_frame_is_host_request(uint32_t type)
{
	return type == KTSTR_FRAME_SNAPSHOT_REQUEST || type == KTSTR_FRAME_KERNEL_OP_REQUEST ||
	       type == KTSTR_FRAME_MAP_WRITE_REQUEST;
}

bool ktstr_frame_is_reply(uint32_t type)
{
	return type == KTSTR_FRAME_SNAPSHOT_REPLY || type == KTSTR_FRAME_KERNEL_OP_REPLY ||
	       type == KTSTR_FRAME_MAP_WRITE_REPLY || type == KTSTR_FRAME_SCHED_REPLY || type == KTSTR_FRAME_REFUSED;
}

char *ktstr_frame_type_name(uint32_t type, char text[12])
{
	for (int i = 0; i < 4; i++)
		text[i] = (char)(type >> (24 - 8 * i));
	text[4] = '\0';
	for (int i = 0; i < 4; i++) {
		if (!isupper((unsigned char)text[i])) {
			snprintf(text, 12, "0x%08x", type);
			break;
		}
	}
	return text;
}

static uint32_t payload_crc(const void *payload, size_t length)
{
	return (uint32_t)crc32(0, length ? payload : (const void *)"", (uInt)length);
}

void ktstr_frame_encode(struct ktstr_str *out, uint32_t type, const void *payload, size_t length)
{
	struct frame_header header = { htole32(type), htole32((uint32_t)length),
				       htole32(payload_crc(payload, length)), 0 };

	ktstr_str_add_bytes(out, &header, sizeof(header));
	ktstr_str_add_bytes(out, payload, length);
}

void ktstr_frame_lifecycle(struct ktstr_str *payload, enum ktstr_lifecycle stage, const char *fmt, va_list args)
{
	uint8_t stage_byte = (uint8_t)stage;

	ktstr_str_add_bytes(payload, &stage_byte, 1);
	ktstr_str_vaddf(payload, fmt, args);
}

void ktstr_frame_refusal(struct ktstr_str *payload, uint32_t id, enum ktstr_error_code code, const char *message)
{
	uint32_t head[2] = { htole32(id), htole32(code) };

	ktstr_str_add_bytes(payload, head, sizeof(head));
	ktstr_str_add(payload, message);
}

/* Forgets what was given out, so that the buffer holds unread bytes only. */
static void compact(struct ktstr_frame_decoder *decoder)
{
	struct ktstr_str *buffer = &decoder->buffer;

	if (!decoder->consumed)
		return;
	buffer->length -= decoder->consumed;
	memmove(buffer->data, buffer->data + decoder->consumed, buffer->length);
	decoder->consumed = 0;
}

void ktstr_frame_decoder_feed(struct ktstr_frame_decoder *decoder, const void *bytes, size_t length)
{
	compact(decoder);
	if (decoder->buffer.length + length > KTSTR_FRAME_MAX_RESIDUAL) {
		decoder->dropped_bytes += decoder->buffer.length;
		decoder->resyncs++;
		decoder->buffer.length = 0;
		decoder->searching = true;
	}
	ktstr_str_add_bytes(&decoder->buffer, bytes, length);
}

static struct frame_header header_at(const char *bytes)
{
	struct frame_header header;

	memcpy(&header, bytes, sizeof(header));
	header.type = le32toh(header.type);
	header.length = le32toh(header.length);
	header.crc32 = le32toh(header.crc32);
	return header;
}

/* While searching only a header of a known type counts: random bytes rarely look like one. */
static bool plausible(const struct ktstr_frame_decoder *decoder, const struct frame_header *header)
{
	if (header->length > KTSTR_FRAME_MAX_PAYLOAD)
		return false;
	return !decoder->searching || (ktstr_frame_type_known(header->type) && !header->pad);
}

bool ktstr_frame_decoder_next(struct ktstr_frame_decoder *decoder, struct ktstr_frame *frame)
{
	for (;;) {
		size_t left = decoder->buffer.length - decoder->consumed;
		const char *bytes = decoder->buffer.data + decoder->consumed;
		struct frame_header header;

		if (left < sizeof(header))
			return false;
		header = header_at(bytes);
		if (!plausible(decoder, &header)) {
			decoder->resyncs += !decoder->searching;
			decoder->searching = true;
			decoder->dropped_bytes++;
			decoder->consumed++;
			continue;
		}
		if (left - sizeof(header) < header.length)
			return false;
		decoder->searching = false;
		decoder->consumed += sizeof(header) + header.length;
		if (!ktstr_frame_type_known(header.type))
			continue;
		*frame = (struct ktstr_frame){
			.type = header.type,
			.length = header.length,
			.payload = (const uint8_t *)bytes + sizeof(header),
			.crc_ok = header.crc32 == payload_crc(bytes + sizeof(header), header.length),
		};
		/* What follows a damaged frame may not start where its length says. */
		decoder->searching = !frame->crc_ok;
		decoder->corrupt_frames += !frame->crc_ok;
		return true;
	}
}

void ktstr_frame_decoder_deinit(struct ktstr_frame_decoder *decoder)
{
	ktstr_str_deinit(&decoder->buffer);
	*decoder = (struct ktstr_frame_decoder){ 0 };
}

bool ktstr_frame_read_u32(const struct ktstr_frame *frame, size_t offset, uint32_t *value)
{
	uint32_t raw;

	if (frame->length < sizeof(raw) || offset > frame->length - sizeof(raw))
		return false;
	memcpy(&raw, frame->payload + offset, sizeof(raw));
	*value = le32toh(raw);
	return true;
}

bool ktstr_frame_read_i32(const struct ktstr_frame *frame, int32_t *value)
{
	uint32_t raw;

	if (!ktstr_frame_read_u32(frame, 0, &raw))
		return false;
	*value = (int32_t)raw;
	return true;
}
