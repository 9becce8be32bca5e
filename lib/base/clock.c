// SPDX-License-Identifier: GPL-2.0-only
/* Monotonic time and duration texts. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const struct {
	const char *suffix;
	double ns;
} units[] = {
	{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
};

uint64_t ktstr_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void ktstr_sleep_ns(uint64_t duration_ns)
{
	struct timespec left = { .tv_sec = (time_t)(duration_ns / 1000000000u),
				 .tv_nsec = (long)(duration_ns % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

int ktstr_ms_until(uint64_t deadline_ns)
{
	uint64_t now = ktstr_now_ns();
	uint64_t left_ms = deadline_ns > now ? (deadline_ns - now + 999999) / 1000000 : 0;

	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

struct ktstr_error *ktstr_parse_duration(const char *text, uint64_t *duration_ns)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && isfinite(value)) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			double ns = value * units[i].ns;

			if (strcmp(end, units[i].suffix))
				continue;
			if (ns < 1 || ns > 1e18)
				break;
			*duration_ns = (uint64_t)llround(ns);
			return NULL;
		}
	}
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "\"%s\" is not a duration above zero: write a number and a unit, such as "
			       "500ms, 5s or 2m",
			       text);
}

char *ktstr_format_duration(uint64_t duration_ns, char out[32])
{
	size_t unit = 0;

	for (size_t i = 0; i <= 3; i++)
		if ((double)duration_ns >= units[i].ns)
			unit = i;
	snprintf(out, 32, "%.4g%s", (double)duration_ns / units[unit].ns, units[unit].suffix);
	return out;
}

char *ktstr_format_utc(int64_t unix_seconds, char out[32])
{
	time_t seconds = (time_t)unix_seconds;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return out;
}
