// SPDX-License-Identifier: GPL-2.0-only
/* Order of kernel versions, membership in a series, and the version inside a release string. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"

/* The next dotted number, 0 when there is none: "7.3" and "7.3.0" name the same release. */
static unsigned long next_number(const char **cursor)
{
	char *end;
	unsigned long number;

	if (**cursor == '.')
		(*cursor)++;
	if (!isdigit((unsigned char)**cursor))
		return 0;
	number = strtoul(*cursor, &end, 10);
	*cursor = end;
	return number;
}

static bool has_number(const char *cursor)
{
	return isdigit((unsigned char)*cursor) ||
	       (*cursor == '.' && isdigit((unsigned char)cursor[1]));
}

/* Number of a release candidate; a final release sorts after every candidate of it. */
static unsigned long candidate_number(const char **cursor)
{
	char *end;
	unsigned long number;

	if ((!ktstr_str_starts_with(*cursor, "-rc") && !ktstr_str_starts_with(*cursor, "~rc")) ||
	    !isdigit((unsigned char)(*cursor)[3]))
		return (unsigned long)-1;
	number = strtoul(*cursor + 3, &end, 10);
	*cursor = end;
	return number;
}

int ktstr_version_compare(const char *a, const char *b)
{
	unsigned long a_candidate, b_candidate;
	const char *a_start = a, *b_start = b;
	int rest;

	while (has_number(a) || has_number(b)) {
		unsigned long a_number = next_number(&a), b_number = next_number(&b);

		if (a_number != b_number)
			return a_number < b_number ? -1 : 1;
	}
	a_candidate = candidate_number(&a);
	b_candidate = candidate_number(&b);
	if (a_candidate != b_candidate)
		return a_candidate < b_candidate ? -1 : 1;
	rest = strcmp(a, b);
	/* "7.3" before "7.3.0": different names must not be equal, or one would hide the other. */
	return rest ? rest : strcmp(a_start, b_start);
}

bool ktstr_version_in_series(const char *version, const char *series)
{
	size_t length = strlen(series);
	char after;

	if (!length || strncmp(version, series, length))
		return false;
	after = version[length];
	return after == '\0' || after == '.' || after == '-';
}

char *ktstr_version_of_release(const char *release)
{
	const char *end = release;

	while (has_number(end))
		next_number(&end);
	candidate_number(&end);
	return ktstr_xstrndup(release, (size_t)(end - release));
}

char *ktstr_version_series(const char *version)
{
	const char *end = version;

	next_number(&end);
	next_number(&end);
	return ktstr_xstrndup(version, (size_t)(end - version));
}
