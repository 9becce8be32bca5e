/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths of fields: "a.b[3].c", "a.b.3.c". Components are taken one after the other. */
#ifndef KTSTR_SNAPSHOT_PATH_H
#define KTSTR_SNAPSHOT_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct ktstr_path {
	const char *whole, *next; /* next: what is left, NULL = nothing */
};

static inline struct ktstr_path ktstr_path(const char *path)
{
	return (struct ktstr_path){ path, *path ? path : NULL };
}

/* The next component, heap ("" when it is empty); NULL at the end. */
char *ktstr_path_next(struct ktstr_path *path);
/* What is before the component that was taken last, heap. */
char *ktstr_path_walked(const struct ktstr_path *path, const char *component);
/* Is the component a number? */
bool ktstr_path_index(const char *component, size_t *index);

#endif
