/* SPDX-License-Identifier: GPL-2.0-only */
/* Monotonic time in ns, sleeping, and the text form of durations ("5s", "250ms"). */
#ifndef KTSTR_BASE_CLOCK_H
#define KTSTR_BASE_CLOCK_H

#include <stdint.h>

#include "ktstr/error.h"

uint64_t ktstr_now_ns(void); /* CLOCK_MONOTONIC */
void ktstr_sleep_ns(uint64_t duration_ns); /* continues over signals */
/* Milliseconds left until deadline_ns for poll(): 0 when past, capped at INT_MAX. */
int ktstr_ms_until(uint64_t deadline_ns);

/*
 * "250ms", "5s", "1.5s", "2m", "10us", "7ns" -> ns. A number without unit, zero, a negative or an
 * overflowing one is KTSTR_ERR_INVALID; the message quotes text and shows a right form.
 */
struct ktstr_error *ktstr_parse_duration(const char *text, uint64_t *duration_ns) KTSTR_CHECKED;

/* "5s", "1.5s", "250ms"; at most 32 bytes, written to out. Returns out. */
char *ktstr_format_duration(uint64_t duration_ns, char out[32]);

/* ISO 8601 UTC of a CLOCK_REALTIME second, "2026-11-22T21:41:36Z", into out. Returns out. */
char *ktstr_format_utc(int64_t unix_seconds, char out[32]);

#endif
