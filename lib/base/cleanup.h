/* SPDX-License-Identifier: GPL-2.0-only */
/* Scope guards: a variable marked _cleanup_foo_ releases what it holds when it leaves scope. */
#ifndef KTSTR_BASE_CLEANUP_H
#define KTSTR_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ktstr/error.h"

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Declares the guard `name` for variables of `type`, released by free_fn, which must accept NULL. */
#define KTSTR_DEFINE_CLEANUP(type, name, free_fn)                                                  \
	static inline __attribute__((unused)) void name(type *value)                               \
	{                                                                                          \
		free_fn(*value);                                                                   \
	}

static inline void ktstr_cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void ktstr_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void ktstr_cleanup_fclose(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

static inline void ktstr_cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

KTSTR_DEFINE_CLEANUP(struct ktstr_error *, ktstr_cleanup_error, ktstr_error_free)

#define _cleanup_free_ _cleanup_(ktstr_cleanup_free)
#define _cleanup_close_ _cleanup_(ktstr_cleanup_close)
#define _cleanup_fclose_ _cleanup_(ktstr_cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(ktstr_cleanup_closedir)
#define _cleanup_error_ _cleanup_(ktstr_cleanup_error)

/* Hands the pointer over to the caller's caller: the guard then finds NULL. */
#define ktstr_take(pointer)                                                                        \
	({                                                                                         \
		__auto_type taken_ = (pointer);                                                    \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

static inline int ktstr_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Returns the error of `call` from this function if it failed. */
#define KTSTR_TRY(call)                                                                            \
	do {                                                                                       \
		struct ktstr_error *try_error_ = (call);                                           \
		if (try_error_)                                                                    \
			return try_error_;                                                         \
	} while (0)

/* The same, saying what was being done. */
#define KTSTR_TRY_WRAP(call, ...)                                                                  \
	do {                                                                                       \
		struct ktstr_error *try_error_ = (call);                                           \
		if (try_error_)                                                                    \
			return ktstr_error_wrap(try_error_, __VA_ARGS__);                          \
	} while (0)

#endif
