/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing text that may not be UTF-8, and reading JSON made by a guest: types checked, sizes capped. */
#ifndef KTSTR_CHECK_JSON_UTIL_H
#define KTSTR_CHECK_JSON_UTIL_H

#include <stdint.h>
#include <jansson.h>

#include "ktstr/error.h"
#include "ktstr/units.h"

#define KTSTR_JSON_TEXT_MAX	65536 /* bytes of one string; longer ones are cut when written */
#define KTSTR_JSON_ITEMS_MAX 100000 /* items of one array */

/* A string, cut at KTSTR_JSON_TEXT_MAX; bytes that are no UTF-8 are made visible as "\xNN". NULL -> null. */
json_t *ktstr_json_text(const char *text);
/* The text as a key, which must be UTF-8: other bytes made visible; heap. */
char *ktstr_json_key(const char *text);
/* null when it does not fit JSON (NaN, infinity). */
json_t *ktstr_json_f64(double value);
/* An integer; beyond INT64_MAX, which jansson's integers cannot hold, the nearest real. */
json_t *ktstr_json_u64(uint64_t value);
/* The same; null when it is not set. */
json_t *ktstr_json_opt_u64(struct ktstr_opt_u64 value);

/* KTSTR_ERR_CORRUPT "expected <what>, got <type>". json may be NULL: a missing key. */
struct ktstr_error *ktstr_json_mismatch(const json_t *json, const char *what) KTSTR_CHECKED;
struct ktstr_error *ktstr_json_read_text(const json_t *json, char **text) KTSTR_CHECKED;
struct ktstr_error *ktstr_json_read_f64(const json_t *json, double *value) KTSTR_CHECKED;
struct ktstr_error *ktstr_json_read_u64(const json_t *json, uint64_t *value) KTSTR_CHECKED;

/* Calls read_item for each item of the array object[key]; errors say "<key>[<index>]: ...". */
struct ktstr_error *ktstr_json_read_array(const json_t *object, const char *key,
					  struct ktstr_error *(*read_item)(const json_t *item,
									   void *context),
					  void *context) KTSTR_CHECKED;

#endif
