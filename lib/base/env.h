/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that people write, and those in variables of the environment, with one text for those that are none. */
#ifndef KTSTR_BASE_ENV_H
#define KTSTR_BASE_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"

/* Decimal digits and nothing else, from min to max; else false, and *value stays as it is. */
bool ktstr_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/*
 * Decimal, from min to max. *value stays as it is when the variable is missing or empty, and when it is wrong:
 * KTSTR_ERR_INVALID, "<NAME>=<value>: give <what>; or unset it". The command refuses wrong ones before it does anything
 * (cli/environment.c), so that whoever reads one later may drop the error.
 */
struct ktstr_error *ktstr_env_number(const char *name, const char *what, uint64_t min, uint64_t max, uint64_t *value)
	KTSTR_CHECKED;
/* The same in ms, an hour at most: more is a slip of the finger. */
struct ktstr_error *ktstr_env_ms(const char *name, uint64_t min_ms, uint64_t *ms) KTSTR_CHECKED;
/* The same in MiB. */
struct ktstr_error *ktstr_env_mib(const char *name, uint64_t *mib) KTSTR_CHECKED;

#endif
