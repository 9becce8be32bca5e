// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 64-bit hash that tells variants of one test apart in file names: SipHash-1-3, stable over
 * hosts, runs and versions of ktstr.
 */
#include <endian.h>
#include <string.h>

#include "result/internal.h"

static uint64_t rotl(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/*
 * Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012, with c = 1 and d = 3 rounds, k = 0.
 */
uint64_t ktstr_siphash13(const void *data, size_t length)
{
	uint64_t v[4] = { 0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261,
			  0x7465646279746573 };
	const unsigned char *cursor = data;
	uint64_t last = (uint64_t)length << 56;
	uint64_t word;

	for (size_t left = length; left >= 8; left -= 8, cursor += 8) {
		memcpy(&word, cursor, 8);
		word = le64toh(word);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < length % 8; i++)
		last |= (uint64_t)cursor[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void feed_number(struct ktstr_str *bytes, uint64_t number)
{
	uint64_t little = htole64(number);

	ktstr_str_add_bytes(bytes, &little, sizeof(little));
}

/* Length first, so that no two lists of texts are the same bytes; absent differs from empty. */
static void feed_text(struct ktstr_str *bytes, const char *text)
{
	feed_number(bytes, text ? strlen(text) : UINT64_MAX);
	if (text)
		ktstr_str_add(bytes, text);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void feed_list(struct ktstr_str *bytes, const struct ktstr_strv *list, bool sorted)
{
	size_t count = list ? list->count : 0;
	_cleanup_free_ const char **texts = ktstr_xcalloc(count + 1, sizeof(*texts));

	feed_number(bytes, count);
	for (size_t i = 0; i < count; i++)
		texts[i] = list->items[i];
	if (sorted)
		qsort(texts, count, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < count; i++)
		feed_text(bytes, texts[i]);
}

uint64_t ktstr_variant_hash(const struct ktstr_variant *variant)
{
	_cleanup_str_ struct ktstr_str bytes = { 0 };

	feed_text(&bytes, variant->topology);
	feed_text(&bytes, variant->scheduler);
	feed_list(&bytes, variant->scheduler_args, false);
	feed_text(&bytes, variant->payload);
	feed_text(&bytes, variant->work_type);
	feed_list(&bytes, variant->sysctls, true);
	feed_list(&bytes, variant->kargs, true);
	return ktstr_siphash13(bytes.data, bytes.length);
}
