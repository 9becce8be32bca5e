/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM that could not be created because the host had run out of something for the moment. */
#ifndef KTSTR_RESERVE_CONTENTION_H
#define KTSTR_RESERVE_CONTENTION_H

#include <stdbool.h>

#include "ktstr/error.h"

/*
 * Is the error one of ENOMEM, EMFILE, ENFILE, EBUSY, EAGAIN? *reason (heap) then names it with what this process uses of
 * its limits. With KTSTR_CONTENTION_BYPASS=1 only when it is near (90 %) one of its own: RLIMIT_NOFILE, RLIMIT_NPROC.
 */
bool ktstr_is_contention(const struct ktstr_error *error, char **reason);

#endif
