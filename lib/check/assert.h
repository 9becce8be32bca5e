/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of struct ktstr_assert's members, and what `ktstr show-thresholds` prints. */
#ifndef KTSTR_CHECK_ASSERT_H
#define KTSTR_CHECK_ASSERT_H

#include <stdio.h>

#include "check/members.h"
#include "ktstr/check.h"

#define KTSTR_ASSERT_FIELDS 20
extern const struct ktstr_member ktstr_assert_fields[KTSTR_ASSERT_FIELDS];

/* A line per threshold: name, value or "none". */
void ktstr_assert_print(const struct ktstr_assert *assert, FILE *out);

#endif
