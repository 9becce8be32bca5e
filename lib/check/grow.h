/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays that public structs hold as pointer and count alone. Their capacity is implied: at least the next
 * power of two >= count, so an array that is appended to must have been grown here from the start. Lowering
 * the count is fine.
 */
#ifndef KTSTR_CHECK_GROW_H
#define KTSTR_CHECK_GROW_H

#include <string.h>

#include "base/str.h"

/* items with room for item number `count`. */
static inline void *ktstr_grow(void *items, size_t count, size_t item_size)
{
	if (count & (count - 1))
		return items;
	return ktstr_xrealloc(items, (count ? 2 * count : 1) * item_size);
}

/* A zeroed item at the end of the array; appended before it is filled, so that a failure half way leaves nothing unowned. */
#define KTSTR_APPEND_ZEROED(array, count)                                                          \
	({                                                                                         \
		(array) = ktstr_grow((array), (count), sizeof(*(array)));                          \
		memset(&(array)[(count)], 0, sizeof(*(array)));                                    \
		&(array)[(count)++];                                                               \
	})

#endif
