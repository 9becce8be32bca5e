// SPDX-License-Identifier: GPL-2.0-only
/* Numbers of 64 bits through JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/number.h"

json_t *ktstr_json_address(uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	return json_string(text);
}

json_t *ktstr_json_exact_u64(uint64_t value)
{
	char text[24];

	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_string(text);
}

static bool read_text(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && text[1] == 'x';
	char *end;

	if (text[hex ? 2 : 0] == '\0' || strspn(text + (hex ? 2 : 0), hex ? "0123456789abcdefABCDEF" : "0123456789") !=
						 strlen(text + (hex ? 2 : 0)))
		return false;
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	return !errno && !*end;
}

bool ktstr_json_read_exact(const json_t *json, uint64_t *value, bool *negative)
{
	*negative = json_is_integer(json) && json_integer_value(json) < 0;
	*value = (uint64_t)json_integer_value(json); /* 0 when it is no integer */
	return json_is_integer(json) || (json_is_string(json) && read_text(json_string_value(json), value));
}
