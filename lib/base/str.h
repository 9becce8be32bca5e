/* SPDX-License-Identifier: GPL-2.0-only */
/* Growing strings and string arrays, and the nearest name to a mistyped one. */
#ifndef KTSTR_BASE_STR_H
#define KTSTR_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Allocation that cannot be continued without: prints and aborts when memory is gone. */
void *ktstr_xmalloc(size_t size);
void *ktstr_xcalloc(size_t count, size_t size);
void *ktstr_xrealloc(void *pointer, size_t size);
char *ktstr_xstrdup(const char *text);
char *ktstr_xstrndup(const char *text, size_t length);
char *ktstr_xasprintf(const char *fmt, ...) KTSTR_PRINTF(1, 2);

/* A string that grows; data is always NUL-terminated once something was added, else NULL. */
struct ktstr_str {
	char *data;
	size_t length;
	size_t capacity;
};

void ktstr_str_add(struct ktstr_str *str, const char *text);
void ktstr_str_add_bytes(struct ktstr_str *str, const void *bytes, size_t length);
void ktstr_str_addf(struct ktstr_str *str, const char *fmt, ...) KTSTR_PRINTF(2, 3);
void ktstr_str_vaddf(struct ktstr_str *str, const char *fmt, va_list args);
void ktstr_str_deinit(struct ktstr_str *str);
/* The text so far, "" when nothing was added. Owned by str. */
const char *ktstr_str_text(const struct ktstr_str *str);
/* Gives the text away (heap, never NULL) and leaves str empty. */
char *ktstr_str_take(struct ktstr_str *str);
#define _cleanup_str_ _cleanup_(ktstr_str_deinit)

/* A NULL-terminated array of heap strings, as execv() wants it. */
struct ktstr_strv {
	char **items;
	size_t count;
};

void ktstr_strv_add(struct ktstr_strv *strv, const char *text);
void ktstr_strv_addf(struct ktstr_strv *strv, const char *fmt, ...) KTSTR_PRINTF(2, 3);
bool ktstr_strv_contains(const struct ktstr_strv *strv, const char *text);
void ktstr_strv_deinit(struct ktstr_strv *strv);
#define _cleanup_strv_ _cleanup_(ktstr_strv_deinit)

/*
 * The candidate closest to name by edit distance (case ignored), NULL when none is close enough
 * (more than a third of the letters differ). Borrowed from candidates.
 */
const char *ktstr_nearest_name(const char *name, const char *const *candidates, size_t count);

/* Appends `line` with the bytes of guest-made text that could confuse a terminal made visible. */
void ktstr_str_add_printable(struct ktstr_str *str, const char *text, size_t length);

bool ktstr_str_starts_with(const char *text, const char *prefix);
bool ktstr_str_ends_with(const char *text, const char *suffix);

#endif
