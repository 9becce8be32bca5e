/* SPDX-License-Identifier: GPL-2.0-only */
/* 64-bit numbers and addresses in the JSON of dumps: readers of JSON lose the highest bits of numbers. */
#ifndef KTSTR_DUMP_NUMBER_H
#define KTSTR_DUMP_NUMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* "0x..." as text. */
json_t *ktstr_json_address(uint64_t address);
/* An integer, or decimal text above INT64_MAX. */
json_t *ktstr_json_exact_u64(uint64_t value);
/* Any of these three; false when it is none. A negative integer is its two's complement and sets *negative. */
bool ktstr_json_read_exact(const json_t *json, uint64_t *value, bool *negative);

#endif
