// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames as a broken or hostile guest may send them: cut anywhere, damaged, oversized, unknown, random. What is
 * good among it must come out, and nothing else may be taken for it.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "wire/frame.h"
#include "unit.h"

static void decoder_cleanup(struct ktstr_frame_decoder *decoder)
{
	ktstr_frame_decoder_deinit(decoder);
}
#define _cleanup_decoder_ _cleanup_(decoder_cleanup)

static void feed_header(struct ktstr_frame_decoder *decoder, uint32_t type, uint32_t length, uint32_t crc)
{
	uint32_t header[4] = { type, length, crc, 0 };

	ktstr_frame_decoder_feed(decoder, header, sizeof(header));
}

static void assert_text(const struct ktstr_frame *frame, uint32_t type, const char *text)
{
	assert_int_equal(frame->type, type);
	assert_true(frame->crc_ok);
	assert_int_equal(frame->length, strlen(text));
	assert_memory_equal(frame->payload, text, frame->length);
}

static void layout(void **state)
{
	static const uint8_t expected[] = { 'T', 'U', 'O', 'S', 3, 0, 0, 0, 0xc2, 0x41, 0x24, 0x35,
					    0, 0, 0, 0, 'a', 'b', 'c' };
	_cleanup_str_ struct ktstr_str bytes = { 0 };

	(void)state;
	/* The type is a big-endian word stored little-endian; the CRC is zlib's of "abc". */
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, "abc", 3);
	assert_int_equal(bytes.length, sizeof(expected));
	assert_memory_equal(bytes.data, expected, sizeof(expected));
}

static void one_byte_at_a_time(void **state)
{
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	static const char *const texts[] = { "first", "", "the third one" };
	struct ktstr_frame frame;
	size_t got = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, texts[i], strlen(texts[i]));
	for (size_t i = 0; i < bytes.length; i++) {
		ktstr_frame_decoder_feed(&decoder, bytes.data + i, 1);
		while (ktstr_frame_decoder_next(&decoder, &frame)) {
			assert_true(got < 3);
			assert_text(&frame, KTSTR_FRAME_STDOUT, texts[got++]);
		}
	}
	assert_int_equal(got, 3);
	assert_int_equal(decoder.corrupt_frames + decoder.resyncs + decoder.dropped_bytes, 0);
}

static void bad_crc_is_shown_and_counted(void **state)
{
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	struct ktstr_frame frame;

	(void)state;
	ktstr_frame_encode(&bytes, KTSTR_FRAME_RESULT, "{\"a\":1}", 7);
	bytes.data[bytes.length - 1] ^= 1;
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, "good", 4);
	ktstr_frame_decoder_feed(&decoder, bytes.data, bytes.length);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_int_equal(frame.type, KTSTR_FRAME_RESULT);
	assert_false(frame.crc_ok);
	assert_int_equal(decoder.corrupt_frames, 1);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_text(&frame, KTSTR_FRAME_STDOUT, "good");
	assert_int_equal(decoder.corrupt_frames, 1);
}

static void damaged_length_costs_no_later_frame(void **state)
{
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	struct ktstr_frame frame;

	(void)state;
	/* Its length swallows the start of what follows: only the search for a header finds the third. */
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDERR, "abcdefgh", 8);
	bytes.data[4] = 13;
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDERR, "swallowed", 9);
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, "kept", 4);
	ktstr_frame_decoder_feed(&decoder, bytes.data, bytes.length);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_false(frame.crc_ok);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_text(&frame, KTSTR_FRAME_STDOUT, "kept");
	assert_false(ktstr_frame_decoder_next(&decoder, &frame));
}

static void oversized_length_resyncs(void **state)
{
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	struct ktstr_frame frame;

	(void)state;
	feed_header(&decoder, KTSTR_FRAME_STDOUT, KTSTR_FRAME_MAX_PAYLOAD + 1, 0);
	assert_false(ktstr_frame_decoder_next(&decoder, &frame));
	assert_int_equal(decoder.resyncs, 1);
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, "after", 5);
	ktstr_frame_decoder_feed(&decoder, bytes.data, bytes.length);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_text(&frame, KTSTR_FRAME_STDOUT, "after");
	assert_int_equal(decoder.dropped_bytes, KTSTR_FRAME_HEADER_BYTES);
	assert_int_equal(decoder.resyncs, 1);
}

static void largest_payload_passes(void **state)
{
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	_cleanup_free_ char *payload = ktstr_xcalloc(1, KTSTR_FRAME_MAX_PAYLOAD);
	struct ktstr_frame frame;

	(void)state;
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, payload, KTSTR_FRAME_MAX_PAYLOAD);
	ktstr_frame_decoder_feed(&decoder, bytes.data, bytes.length);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_true(frame.crc_ok);
	assert_int_equal(frame.length, KTSTR_FRAME_MAX_PAYLOAD);
}

static void unknown_types_are_skipped(void **state)
{
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	struct ktstr_frame frame;

	(void)state;
	ktstr_frame_encode(&bytes, KTSTR_FRAME_TYPE('N', 'E', 'W', 'T'), "of a later version", 18);
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, "known", 5);
	ktstr_frame_decoder_feed(&decoder, bytes.data, bytes.length);
	assert_true(ktstr_frame_decoder_next(&decoder, &frame));
	assert_text(&frame, KTSTR_FRAME_STDOUT, "known");
	assert_int_equal(decoder.corrupt_frames + decoder.resyncs, 0);
}

static void random_bytes_hide_nothing(void **state)
{
	enum { NOISE = 1 << 20 };
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	_cleanup_free_ uint8_t *noise = ktstr_xmalloc(NOISE);
	uint32_t seed = 1;
	struct ktstr_frame frame;
	bool found = false;

	(void)state;
	for (size_t i = 0; i < NOISE; i++) {
		seed = seed * 1664525u + 1013904223u;
		noise[i] = (uint8_t)(seed >> 24);
	}
	/* A first header that makes the decoder search, so that no random length is waited for. */
	feed_header(&decoder, 0xffffffff, 0xffffffff, 0);
	for (size_t at = 0; at < NOISE; at += 4099) {
		ktstr_frame_decoder_feed(&decoder, noise + at, NOISE - at < 4099 ? NOISE - at : 4099);
		while (ktstr_frame_decoder_next(&decoder, &frame))
			assert_false(frame.crc_ok);
	}
	ktstr_frame_encode(&bytes, KTSTR_FRAME_STDOUT, "alive", 5);
	ktstr_frame_decoder_feed(&decoder, bytes.data, bytes.length);
	while (ktstr_frame_decoder_next(&decoder, &frame)) {
		if (!frame.crc_ok)
			continue;
		assert_text(&frame, KTSTR_FRAME_STDOUT, "alive");
		found = true;
	}
	assert_true(found);
	assert_true(decoder.dropped_bytes > NOISE / 2);
}

static void residue_is_capped(void **state)
{
	enum { CHUNK = 1 << 20 };
	_cleanup_decoder_ struct ktstr_frame_decoder decoder = { 0 };
	_cleanup_free_ char *chunk = ktstr_xcalloc(1, CHUNK);
	struct ktstr_frame frame;

	(void)state;
	/* A guest that announces a large frame and a reader that never asks: memory stays bounded. */
	feed_header(&decoder, KTSTR_FRAME_STDOUT, KTSTR_FRAME_MAX_PAYLOAD, 0);
	for (int i = 0; i < 100; i++) {
		ktstr_frame_decoder_feed(&decoder, chunk, CHUNK);
		assert_true(decoder.buffer.length <= KTSTR_FRAME_MAX_RESIDUAL);
	}
	assert_true(decoder.dropped_bytes > 0);
	assert_true(decoder.resyncs > 0);
	while (ktstr_frame_decoder_next(&decoder, &frame))
		assert_false(frame.crc_ok);
}

static void short_integers_are_refused(void **state)
{
	static const uint8_t bytes[] = { 0x01, 0x02, 0, 0x80 };
	struct ktstr_frame frame = { .type = KTSTR_FRAME_EXIT, .length = 3, .payload = bytes, .crc_ok = true };
	int32_t value = 77;

	(void)state;
	assert_false(ktstr_frame_read_i32(&frame, &value));
	assert_int_equal(value, 77);
	frame.length = 4;
	assert_true(ktstr_frame_read_i32(&frame, &value));
	assert_int_equal(value, INT32_MIN + 0x201);
}

static void type_names(void **state)
{
	char text[12];

	(void)state;
	assert_string_equal(ktstr_frame_type_name(KTSTR_FRAME_RESULT, text), "TEST");
	assert_string_equal(ktstr_frame_type_name(0x1b5b324a, text), "0x1b5b324a");
	assert_true(ktstr_frame_type_known(KTSTR_FRAME_READY));
	assert_false(ktstr_frame_type_known(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(bad_crc_is_shown_and_counted),
		cmocka_unit_test(damaged_length_costs_no_later_frame),
		cmocka_unit_test(oversized_length_resyncs),
		cmocka_unit_test(largest_payload_passes),
		cmocka_unit_test(unknown_types_are_skipped),
		cmocka_unit_test(random_bytes_hide_nothing),
		cmocka_unit_test(residue_is_capped),
		cmocka_unit_test(short_integers_are_refused),
		cmocka_unit_test(type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
