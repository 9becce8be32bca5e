// SPDX-License-Identifier: GPL-2.0-only
/* Splitting paths of fields. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "snapshot/path.h"

/* "[3]" is a component of its own; the bracket that closes it and a dot behind that are skipped. */
char *ktstr_path_next(struct ktstr_path *path)
{
	const char *at = path->next, *end;
	char *component;

	if (!at)
		return NULL;
	if (*at == '[') {
		end = at + 1 + strcspn(at + 1, "]");
		component = ktstr_xstrndup(at + 1, (size_t)(end - at - 1));
		end += *end == ']';
		path->next = *end == '.' ? end + 1 : *end ? end : NULL;
		return component;
	}
	end = at + strcspn(at, ".[");
	component = ktstr_xstrndup(at, (size_t)(end - at));
	path->next = *end == '.' ? end + 1 : *end ? end : NULL;
	return component;
}

char *ktstr_path_walked(const struct ktstr_path *path, const char *component)
{
	size_t left = path->next ? strlen(path->next) : 0, length = strlen(path->whole) - left;

	/* Back over what ends the component, the component, and what begins it. */
	length -= length && path->whole[length - 1] == '.';
	length -= length && path->whole[length - 1] == ']';
	length = length > strlen(component) ? length - strlen(component) : 0;
	length -= length && strchr(".[", path->whole[length - 1]);
	return ktstr_xstrndup(path->whole, length);
}

bool ktstr_path_index(const char *component, size_t *index)
{
	if (!*component || strlen(component) > 9 || component[strspn(component, "0123456789")])
		return false;
	*index = strtoul(component, NULL, 10);
	return true;
}
